"""`python -m core capability`: indices, distribution and the gate, as JSON and as text."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.cli import main
from tests.command_line import called, refused

Capture = pytest.CaptureFixture[str]
VALUES = np.random.default_rng(4).normal(20, 0.5, 200).round(4)


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ANDON_HOME", str(tmp_path / "home"))
    path = tmp_path / "parts.csv"
    shifted = VALUES + np.repeat([0.0, 2.0], 100)
    pd.DataFrame({"x": VALUES, "shifted": shifted, "name": np.tile(["a", "b"], 100)}).to_csv(path, index=False)
    return path


def test_indices_with_intervals_are_told(table: Path, capsys: Capture) -> None:
    asked = [w for pair in ("lower=18", "upper=22", "target=20", "by_column=name") for w in ("--set", pair)]
    found = called(capsys, "capability", str(table), "--column", "x", *asked)
    assert found["stable"] is True and found["why_unstable"] is None and found["distribution"]["key"] == "normal"
    assert found["overall"]["Ppk"]["value"] == pytest.approx(
        min(22 - VALUES.mean(), VALUES.mean() - 18) / (3 * VALUES.std(ddof=1))
    )
    assert found["overall"]["Ppk"]["low"] < found["overall"]["Ppk"]["value"] < found["overall"]["Ppk"]["high"]
    assert (
        {"Cp", "Cpk", "Z.bench"} <= set(found["within"]) and "Cpm" not in found["within"] and "value" in found["overall"]["Cpm"]
    )
    assert found["ppm"]["observed"]["total"] == 0
    assert [s["n"] for s in found["strata"]] == [100, 100]
    assert "a2" in found["fits"]["weibull"] and json.dumps(found, allow_nan=False)


def test_an_unstable_column_is_told_without_an_error(table: Path, capsys: Capture) -> None:
    found = called(capsys, "capability", str(table), "--column", "shifted", "--set", "lower=17")
    assert found["stable"] is False and "outside the control limits" in found["why_unstable"]
    assert "not stable" in found["within"]["why_not"] and "not stable" in found["overall"]["why_not"]


def test_rows_count_from_0_in_json_and_from_1_in_the_text(table: Path, capsys: Capture) -> None:
    """One wild value, in the eleventh row: 10 for programs, 11 for people."""
    values = VALUES.copy()
    values[10] = 40.0
    path = table.with_name("wild.csv")
    pd.DataFrame({"x": values}).to_csv(path, index=False)
    words = ("capability", str(path), "--column", "x", "--set", "lower=17", "--set", "only_rules=1")
    found = called(capsys, *words)
    first = next(b for b in found["breaches"] if b["chart"] == "individual value")
    assert (first["first_row"], first["times"], first["points"]) == (10, 1, 200)
    assert "first at row 11" in found["why_unstable"]
    assert main(list(words)) == 0
    (row,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("individual value"))
    assert " ".join(row.split()) == "individual value a point outside the control limits 1 200 0.54 11 too far out for chance"


def test_the_text_and_the_file(table: Path, capsys: Capture, tmp_path: Path) -> None:
    out = tmp_path / "o.csv"
    assert main(["capability", str(table), "--column", "x", "--set", "upper=22", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "'x' is stable: Ppk" in said and "limits: upper 22" in said and "expected overall" in said
    assert "Ppk" in set(pd.read_csv(out)["name"])
    assert main(["capability", str(table), "--column", "shifted", "--set", "lower=17"]) == 0
    said = capsys.readouterr().out
    assert said.count("outside the control limits") == 1 and "first at row" in said and "Ppk" not in said


def test_a_column_without_limits_is_refused(table: Path, capsys: Capture) -> None:
    told = refused(capsys, "capability", str(table), "--column", "x")
    assert "has no specification limit" in told["what"] and "lower or upper" in told["fix"]
