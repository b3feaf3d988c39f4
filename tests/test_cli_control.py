"""`python -m core control`: limits, rules and where they are broken, as JSON and as text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.cli import main
from tests.command_line import called, refused

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ANDON_HOME", str(tmp_path / "home"))
    values = np.random.default_rng(3).normal(20, 0.5, 80).round(4)
    values[70] = 30.0
    path = tmp_path / "parts.csv"
    pd.DataFrame({"x": values, "name": "a"}).to_csv(path, index=False)
    return path


def test_limits_and_signals_are_told(table: Path, capsys: Capture) -> None:
    found = called(capsys, "control", str(table), "--column", "x", "--set", "baseline=60", "--set", "rules=montgomery")
    single, ranges = found["charts"]
    values = pd.read_csv(table)["x"].to_numpy()[:60]
    sigma = np.abs(np.diff(values)).mean() / 1.128379
    assert found["chart"] == "I-MR" and found["rules"] == "montgomery"
    (stage,) = single["stages"]
    assert [stage[k] for k in ("lower", "centre", "upper")] == pytest.approx(
        [values.mean() - 3 * sigma, values.mean(), values.mean() + 3 * sigma], rel=1e-6
    )
    assert 71 in single["signals"][0]["rows"]
    assert [s["rule"] for s in ranges["signals"]] == [1], "only rule 1 on ranges"


def test_the_text_names_the_rule_and_the_file_is_written(table: Path, capsys: Capture, tmp_path: Path) -> None:
    assert main(["control", str(table), "--column", "x", "--out", str(tmp_path / "o.csv")]) == 0
    said = capsys.readouterr().out
    assert "'x' is not in control" in said and "rule 1 (a point outside the control limits)" in said
    assert "sigma by MR-bar/d2" in said
    assert len(pd.read_csv(tmp_path / "o.csv")) == 80


def test_a_column_of_texts_is_refused(table: Path, capsys: Capture) -> None:
    assert "holds text" in refused(capsys, "control", str(table), "--column", "name")["what"]
