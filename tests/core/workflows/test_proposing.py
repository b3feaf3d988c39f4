"""A proposed recipe does what the screening mends by itself, names what a person must decide, and uses no bad column."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.clean import Recipe
from core.data.dataset import Column, Dataset
from core.errors import SettingProblem
from core.workflows.workspace import Workspace

N = 2_000


@pytest.fixture
def ws(home: Path) -> Workspace:
    return wf.open_workspace(home)


def imported(ws: Workspace, folder: Path, columns: dict[str, object]) -> Dataset:
    when = pd.Timestamp("2026-01-05") + pd.to_timedelta(np.arange(N), unit="min")
    pd.DataFrame({"when": when, **columns}).to_csv(folder / "plant.csv", index=False)
    made = wf.import_file(ws, folder / "plant.csv", columns=[Column(name, "number", "sensor") for name in columns]).dataset
    assert made is not None
    return made


def steps_of(recipe: Recipe, column: str) -> list[str]:
    return [s.key for s in recipe.steps if column in s.columns]


def reason_of(recipe: Recipe, key: str) -> str:
    return str(wf.step_reason(next(s for s in recipe.steps if s.key == key)))


def test_a_stuck_stretch_and_a_change_of_unit_become_steps_with_their_reason(ws: Workspace, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    stuck, unit = rng.normal(50, 2, N), rng.normal(80, 3, N)
    right = unit.copy()
    stuck[900:1_020] = stuck[900]
    unit[1_500:] *= 10
    dataset = imported(ws, tmp_path, {"stuck": stuck, "unit": unit, "good": rng.normal(3, 1, N)})
    proposal = wf.propose_recipe(ws, dataset)
    # Emptied and left empty: no median and no neighbour stands for values that nobody measured.
    assert steps_of(proposal.recipe, "stuck") == ["repeated_to_missing"]
    assert steps_of(proposal.recipe, "unit") == ["correct_stretch"]
    assert steps_of(proposal.recipe, "good") == []
    assert reason_of(proposal.recipe, "repeated_to_missing").startswith("The screening found in 'stuck': stuck at ")
    assert "the unit seems to change (×10) from 2026-01-06 01:00 on" in reason_of(proposal.recipe, "correct_stretch")
    assert proposal.to_decide == ()
    cleaned = pd.read_csv(wf.clean_dataset(dataset, proposal.recipe, tmp_path / "out.csv").out)
    np.testing.assert_allclose(cleaned["unit"], right, rtol=1e-5)
    assert np.flatnonzero(cleaned["stuck"].isna()).tolist() == list(range(900, 1_020))


def test_what_only_a_person_can_tell_is_named_and_not_done(ws: Workspace, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    still, moved = rng.normal(50, 2, N), rng.normal(80, 3, N)
    still[900:1_020] = 0.0  # a standstill, or a broken sensor
    moved[1_200:] += 30
    dataset = imported(ws, tmp_path, {"still": still, "moved": moved})
    proposal = wf.propose_recipe(ws, dataset)
    named = {(r.column, r.code) for r in proposal.to_decide}
    assert ("moved", "shift") in named
    assert "subtract_level" not in steps_of(proposal.recipe, "moved") and "correct_stretch" not in steps_of(
        proposal.recipe, "moved"
    )
    found = {(r.column, r.code): r for r in wf.screen_dataset(ws, dataset.id).all_reasons()}
    for key, reason in found.items():
        if reason.severity != "info" and reason.fix is not None and reason.fix.caution is not None:
            assert key in named
    wf.leave_reasons(ws, dataset.id, named)
    assert wf.propose_recipe(ws, dataset).to_decide == ()


def test_a_finding_that_was_left_as_it_is_becomes_no_step(ws: Workspace, tmp_path: Path) -> None:
    x = np.random.default_rng(3).normal(50, 2, N)
    x[900:1_020] = x[900]
    dataset = imported(ws, tmp_path, {"x": x})
    assert steps_of(wf.propose_recipe(ws, dataset).recipe, "x") == ["repeated_to_missing"]
    wf.leave_reasons(ws, dataset.id, [("x", "stuck")])
    assert steps_of(wf.propose_recipe(ws, dataset).recipe, "x") == []


def test_bad_columns_fill_no_other_column(ws: Workspace, tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    base = rng.normal(50, 2, N).round(6)
    lacking = base * 2 + rng.normal(0, 0.3, N)
    lacking[rng.choice(N, 80, replace=False)] = np.nan
    lacking[1_200:1_400] = np.nan  # long gaps, so that not the previous value but another column tells
    mostly = np.where(np.arange(N) < 1_300, 41.5, base)
    dataset = imported(
        ws, tmp_path, {"base": base, "twin": base * 3, "lacking": lacking, "mostly": mostly, "row": np.arange(N) + 7}
    )
    proposal = wf.propose_recipe(ws, dataset)
    fill = next(s for s in proposal.recipe.steps if s.key == "iterative_fill")
    assert set(fill.columns) == {"base", "lacking"}
    assert {"twin", "row"} <= {r.column for r in proposal.to_decide}
    assert steps_of(proposal.recipe, "mostly")[:1] == ["repeated_to_missing"]
    assert all(set(s.columns) <= {"mostly"} for s in proposal.recipe.steps if "mostly" in s.columns)


def test_the_proposed_recipe_is_read_back_from_its_file_with_its_reasons(ws: Workspace, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    columns = {f"s{k}": rng.normal(50, 2, N) for k in range(6)}
    for k, x in enumerate(columns.values()):
        x[rng.choice(N, 15, replace=False)] = -999.0
        x[100 + k : 104 + k] = np.nan
    recipe = wf.propose_recipe(ws, imported(ws, tmp_path, dict(columns))).recipe
    again = wf.read_recipe(wf.recipe_json(recipe).encode())
    assert again == recipe and len({s.id for s in recipe.steps}) == len(recipe.steps)
    assert "And 3 findings more." in reason_of(again, "linear_fill")
    assert reason_of(again, "linear_fill").endswith("This step leaves gaps longer than 5 rows empty.")
    spoiled = json.loads(wf.recipe_json(recipe))
    spoiled["steps"][0]["reason"]["values"]["first"] = {"id": "{a.__class__}", "values": {"a": 1}}  # anybody's file
    with pytest.raises(SettingProblem, match="steps.0.reason"):
        wf.read_recipe(json.dumps(spoiled).encode())
