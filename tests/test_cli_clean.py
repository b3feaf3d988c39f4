"""`clean` and `propose`: a recipe goes from a proposal to a cleaned file, and from a bundle to new data."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.cli import main
from core.data.split import TRAIN, parse_split
from core.data.splitting import make_split
from tests.command_line import Capture, called


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANDON_HOME", str(tmp_path / "home"))


@pytest.fixture
def data(tmp_path: Path) -> str:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.normal(size=300).round(3), "b": rng.normal(size=300).round(3)})
    table.loc[::15, "a"] = np.nan
    table.to_csv(tmp_path / "data.csv", index=False)
    return str(tmp_path / "data.csv")


def test_a_file_that_is_no_recipe_says_what_to_do_on_the_command_line(capsys: Capture, tmp_path: Path, data: str) -> None:
    (tmp_path / "list.json").write_text("[1]", encoding="utf-8")
    for name in ("list.json", "missing.json"):
        refused = called(
            capsys, "clean", "--data", data, "--recipe", str(tmp_path / name), "--out", str(tmp_path / "o.csv"), code=2
        )
        assert "propose --" in refused["expected"] + refused["fix"]
        assert "this screen" not in " ".join(map(str, refused.values()))
    step = {"version": 2, "steps": [{"key": "time_fill", "columns": ["a"]}]}
    (tmp_path / "timed.json").write_text(json.dumps(step), encoding="utf-8")
    refused = called(
        capsys, "clean", "--data", data, "--recipe", str(tmp_path / "timed.json"), "--out", str(tmp_path / "o.csv"), code=2
    )
    assert "screen" not in refused["fix"] and "Give a column that role" in refused["fix"]


def test_a_proposal_names_what_needs_a_decision_and_says_why_a_step_is_there(capsys: Capture, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    when = pd.Timestamp("2026-01-05") + pd.to_timedelta(np.arange(2_000), unit="min")
    table = pd.DataFrame({"when": when, "stuck": rng.normal(50, 2, 2_000), "moved": rng.normal(80, 3, 2_000)})
    table.loc[900:1_019, "stuck"] = table["stuck"][900]
    table.loc[1_200:, "moved"] += 30
    table.to_csv(tmp_path / "plant.csv", index=False)
    found = called(capsys, "propose", "--data", str(tmp_path / "plant.csv"))
    assert [(d["column"], d["code"]) for d in found["to_decide"]] == [("moved", "shift")]
    assert found["to_decide"][0]["caution"].startswith("Right only where the sensor was moved")
    assert main(["propose", "--data", str(tmp_path / "plant.csv")]) == 0
    said = capsys.readouterr().out
    assert "Why: The screening found in 'stuck': stuck at" in said
    assert "Needs your decision: 'moved': 1 level shift" in said


def test_a_proposal_is_written_and_applied(capsys: Capture, tmp_path: Path, data: str) -> None:
    recipe, out, changes = (str(tmp_path / name) for name in ("recipe.json", "clean.csv", "changes.csv"))
    proposed = called(capsys, "propose", "--data", data, "--out", recipe)
    assert proposed["recipe"] == json.loads(Path(recipe).read_text(encoding="utf-8"))
    assert len(proposed["reasons"]) == len(proposed["recipe"]["steps"]) and all(proposed["reasons"])
    keys = [s["key"] for s in proposed["recipe"]["steps"]]
    cleaned = called(
        capsys, "clean", "--data", data, "--recipe", recipe, "--split", "first:200", "--out", out, "--changes", changes
    )
    assert [s["key"] for s in cleaned["steps"]] == keys
    assert (cleaned["rows"], cleaned["changed_cells"]) == (300, 20)
    written, before = pd.read_csv(out), pd.read_csv(data)
    split = make_split(before, parse_split("first:200"), task="regression", time=None, group=None, target=None)
    assert split.rows(TRAIN).max() < 200
    assert set(written["a"][before["a"].isna()]) == {before["a"].iloc[split.rows(TRAIN)].median()}
    with Path(changes).open(encoding="utf-8") as file:
        assert [int(r["row"]) for r in csv.DictReader(file)] == list(range(0, 300, 15))


def test_people_read_a_sentence_a_step(capsys: Capture, tmp_path: Path, data: str) -> None:
    recipe = tmp_path / "recipe.json"
    recipe.write_text('{"version": 1, "steps": [{"key": "median_fill", "columns": ["a"]}]}', encoding="utf-8")
    assert main(["clean", "--data", data, "--recipe", str(recipe), "--out", str(tmp_path / "out.csv")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("300 rows → ") and lines[0].endswith(": 20 cells changed, 0 rows left out")
    assert lines[1].startswith("1. Fill with the median: 'a'; 'a': ") and lines[1].endswith("; 20 cells changed.")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("not json", "not a recipe"),
        ('{"version": 9}', "version is '9'"),
        ('{"steps": [{"key": "median_fil"}]}', "Did you mean 'median_fill'"),
        ('{"steps": [{"key": "median_fill", "columns": ["nope"]}]}', "nope"),
        ('{"steps": [{"key": "time_fill"}]}', "role 'time'"),
    ],
)
def test_what_cannot_be_applied_is_refused_in_a_sentence_and_nothing_is_written(
    capsys: Capture, tmp_path: Path, data: str, content: str, says: str
) -> None:
    recipe, out = tmp_path / "recipe.json", tmp_path / "out.csv"
    recipe.write_text(content, encoding="utf-8")
    refused = called(capsys, "clean", "--data", data, "--recipe", str(recipe), "--out", str(out), code=2)
    assert says in " ".join((refused["what"], refused["expected"], refused["fix"]))
    assert not out.exists()


def test_neither_a_recipe_nor_a_bundle_is_named(capsys: Capture, tmp_path: Path, data: str) -> None:
    refused = called(
        capsys, "clean", "--data", data, "--recipe", str(tmp_path / "none.json"), "--out", str(tmp_path / "o.csv"), code=2
    )
    assert "none.json" in refused["what"]
