"""A unit against its own start: hand-computed features, no look ahead, blocks that do not matter, a late history told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import core.features.own_start as module
from core import workflows as wf
from core.data.room import Room
from core.features.own_start import FIRST_ROWS, OwnStart, fit_own_start
from core.store import open_store
from core.training.request import TrainRequest
from core.workflows.workspace import Workspace
from tests.pages.finished_runs import work_off

PLAIN = OwnStart((0,), (2.0,), 1.0, 4.0, 0.0, 10.0)


def test_the_first_rows_are_compared_with_what_was_there_and_later_ones_with_the_whole_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "FIRST_ROWS", 2)
    values = np.array([[2.0, 9.0], [4.0, 9.0], [9.0, 9.0], [10.0, 9.0], [10.0, 9.0]], dtype=np.float32)
    first = np.array([0, 0, 0, 3, 3])
    times = np.array([5.0, 6.0, 8.0, 1.0, 2.0])
    found = PLAIN.extended(values, first, times, Room())[:]
    np.testing.assert_array_equal(found[:, :2], values)
    # means so far: 2, 3, 3 | 10, 10; differences over 2; ages 0, 1, 3 | 0, 1, minus 1, over 4
    np.testing.assert_allclose(found[:, 2], [0.0, 0.5, 3.0, 0.0, 0.0])
    np.testing.assert_allclose(found[:, 3], [-0.25, 0.0, 0.5, -0.25, 0.0])


def series(n_units: int, n_rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n_units * n_rows, 3)).cumsum(axis=0).astype(np.float32)
    first = np.repeat(np.arange(n_units) * n_rows, n_rows)
    return values, first, np.tile(np.arange(1.0, n_rows + 1), n_units)


def test_a_later_row_changes_no_earlier_one() -> None:
    values, first, times = series(3, 50)
    before = PLAIN.extended(values, first, times, Room())[:]
    for row in (5, FIRST_ROWS + 3, 60):
        changed = values.copy()
        changed[row:] += 7
        np.testing.assert_array_equal(PLAIN.extended(changed, first, times, Room())[:row], before[:row])


def test_blocks_of_any_size_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    values, first, times = series(7, 33)
    is_train = np.arange(len(values)) < 150
    whole, fitted = PLAIN.extended(values, first, times, Room())[:], fit_own_start(values, first, times, is_train, (0, 2))
    original = module.blocks
    monkeypatch.setattr(module, "blocks", lambda n: original(n, 10))
    np.testing.assert_array_equal(PLAIN.extended(values, first, times, Room())[:], whole)
    again = fit_own_start(values, first, times, is_train, (0, 2))
    np.testing.assert_allclose(again.scale, fitted.scale)
    assert (again.age_mean, again.latest, again.usual_life) == (fitted.age_mean, fitted.latest, fitted.usual_life)


def test_scales_come_from_the_training_rows_alone() -> None:
    values, first, times = series(6, 40)
    is_train = np.repeat([True, True, True, False, False, False], 40)
    fitted = fit_own_start(values, first, times, is_train, (0, 1, 2))
    wild = values.copy()
    wild[~is_train] *= 1e6
    assert fit_own_start(wild, first, times, is_train, (0, 1, 2)) == fitted
    assert (fitted.age_mean, fitted.latest, fitted.usual_life) == (19.5, 1.0, 39.0)
    found = fitted.extended(values, first, times, Room())[:][is_train]
    np.testing.assert_allclose(found[:, 3:].std(axis=0), 1.0, rtol=1e-5)
    assert OwnStart.from_json(fitted.to_json()) == fitted


def test_a_history_that_begins_late_is_counted() -> None:
    first, times = np.repeat([0, 3, 6], 3), np.array([1.0, 2, 3, 4, 5, 6, 80, 81, 82])
    assert OwnStart((0,), (1.0,), 0.0, 1.0, latest=1.0, usual_life=100.0).begins_late(first, times) == 1


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(open_store(tmp_path / "store"))


def worn(n_units: int, seed: int) -> pd.DataFrame:
    """Units that differ in level by far more than they wear; the level says nothing about life."""
    rng = np.random.default_rng(seed)
    parts = []
    for unit in range(n_units):
        life = int(rng.integers(60, 120))
        wear = np.exp(-np.arange(life, 0, -1) / 25.0)
        parts.append(
            pd.DataFrame(
                {
                    "unit": unit,
                    "cycle": np.arange(1, life + 1),
                    "a": rng.normal(scale=3) + wear + rng.normal(scale=0.05, size=life),
                }
            )
        )
    return pd.concat(parts).round(4)


def test_units_of_different_levels_are_told_apart_from_wear(workspace: Workspace, tmp_path: Path) -> None:
    worn(30, 1).to_csv(tmp_path / "fleet.csv", index=False)
    dataset = wf.import_file(workspace, tmp_path / "fleet.csv").dataset
    assert dataset is not None
    error = {}
    for own_start in (True, False):
        request = {
            "dataset_id": dataset.id,
            "dataset_version": 1,
            "task": "rul",
            "group": "unit",
            "time": "cycle",
            "model": "ridge",
        }
        run = wf.start_training(
            workspace, TrainRequest.read({**request, "options": {"own_start": own_start, "window": 5, "cap": 60.0}})
        )
        work_off(workspace.store)
        ended = wf.get_run(workspace, run.id)
        assert ended.state == "succeeded", ended.problem
        error[own_start] = ended.metrics["rmse"].value
        if own_start:
            late = worn(2, 5).query("cycle > 50")
            late.to_csv(tmp_path / "late.csv", index=False)
            scored = wf.score_file(wf.resolve_bundle(workspace, run.id), tmp_path / "late.csv", tmp_path / "scores.csv")
            assert any("begin late" in str(note) for note in scored.warnings)
    assert error[True] is not None and error[False] is not None and error[True] < 0.7 * error[False]


def test_an_empty_time_leaves_what_is_learned_finite() -> None:
    values, first, times = series(3, 20)
    times[[19, 39]] = np.nan  # sorted last within its unit
    fitted = fit_own_start(values, first, times, np.ones(len(values), dtype=bool), (0,))
    assert np.isfinite([fitted.usual_life, fitted.latest, fitted.age_mean, fitted.age_scale]).all()
    assert OwnStart.from_json(fitted.to_json()) == fitted
    assert np.isfinite(fitted.extended(values, first, times, Room())[:]).all()
