"""The command line forecasts: train, the next values of a new file, and what they were worth once they came."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from core.cli import main
from tests.command_line import Capture, called
from tests.synthetic import series_table

WHOLE = series_table(506)


@pytest.fixture
def table(home: Path, tmp_path: Path) -> Path:
    path = tmp_path / "series.csv"
    WHOLE.iloc[:1000].to_csv(path, index=False)
    return path


def words(table: Path, *more: str) -> tuple[str, ...]:
    given = ("train", "--data", str(table), "--task", "forecast", "--target", "y", "--time", "when", "--group", "line")
    return (*given, "--model", "ridge", "--set", "horizon=6", *more)


def test_from_a_file_to_its_next_values_and_their_error(table: Path, tmp_path: Path, capsys: Capture) -> None:
    bundle, out, came = (str(tmp_path / name) for name in ("b.zip", "next.csv", "came.csv"))
    answer = called(capsys, *words(table, "--out", bundle))
    assert answer["baseline"]["model"] == "season_ago" and set(answer["baseline"]["others"]) == {"last_value"}
    assert {"mae", "rmse", "mase", "skill", "coverage"} == set(answer["metrics"])
    assert len(answer["steps"]) == 6 and len(answer["next"]) == 12 and answer["split"]["method"] == "time"
    scored = called(capsys, "score", "--bundle", bundle, "--data", str(table), "--out", out)
    found = pd.read_csv(out)
    assert scored["rows"] == len(found) == 12
    assert found["prediction"].tolist() == pytest.approx([row["prediction"] for row in answer["next"]])
    WHOLE.iloc[1000:].to_csv(came, index=False)
    judged = called(capsys, "evaluate", "--scores", out, "--truth", f"{came}:y")
    wanted = (found.sort_values(["when", "line"])["prediction"].to_numpy() - WHOLE.iloc[1000:]["y"].to_numpy()).__abs__()
    assert judged["metrics"]["mae"] == pytest.approx(wanted.mean())


def test_people_read_the_next_values_and_refusals_in_sentences(table: Path, capsys: Capture) -> None:
    assert main([*words(table)]) == 0
    told = capsys.readouterr().out
    assert "next of a:" in told and "in 6 rows" in told and "last_value" in told
    assert main([*words(table, "--split", "random")]) == 2
    assert "Choose the split by time." in capsys.readouterr().err
    assert main([*words(table, "--set", "horizon=0")]) == 2
    assert "horizon is '0'" in capsys.readouterr().err


def test_a_step_that_looks_at_neighbours_is_told(table: Path, tmp_path: Path, capsys: Capture) -> None:
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps({"version": 2, "steps": [{"key": "linear_fill", "columns": ["x"]}]}), encoding="utf-8")
    answer = called(capsys, *words(table, "--recipe", str(recipe)))
    assert any("look at neighbouring rows" in note for note in answer["notes"])
