"""`python -m core control`: limits, rules and where they are broken, as JSON and as text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.cli import main
from core.spc.validation import data
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
    assert 70 in single["signals"][0]["rows"]
    assert [s["rule"] for s in ranges["signals"]] == [1], "only rule 1 on ranges"


def test_the_text_names_the_rule_and_the_file_is_written(table: Path, capsys: Capture, tmp_path: Path) -> None:
    assert main(["control", str(table), "--column", "x", "--out", str(tmp_path / "o.csv")]) == 0
    said = capsys.readouterr().out
    assert "'x' is not in control" in said and "rule 1 (a point outside the control limits)" in said
    assert "sigma by MR-bar/d2" in said
    assert len(pd.read_csv(tmp_path / "o.csv")) == 80


def test_a_column_of_texts_is_refused(table: Path, capsys: Capture) -> None:
    assert "holds text" in refused(capsys, "control", str(table), "--column", "name")["what"]


def test_points_left_out_rules_and_a_known_standard_are_set_and_told(table: Path, capsys: Capture) -> None:
    values = pd.read_csv(table)["x"].to_numpy()
    found = called(
        capsys,
        "control",
        str(table),
        "--column",
        "x",
        "--set",
        "left_out=71:tool, broken|1-2:warm-up",
        "--set",
        "only_rules=1,2:8",
    )
    assert found["left_out"] == [
        {"rows": [70, 70], "cause": "tool, broken", "points": 1},
        {"rows": [0, 1], "cause": "warm-up", "points": 2},
    ], "rows of JSON count from 0, those of the setting and the note from 1"
    (stage,) = found["charts"][0]["stages"]
    assert stage["centre"] == pytest.approx(np.delete(values, [0, 1, 70]).mean())
    assert [r["rule"] for r in found["rules_taken"]] == [1, 2] and "8 points in a row" in found["rules_taken"][1]["meaning"]
    assert any("3 points give no limits" in note and "71 (tool, broken); 1-2 (warm-up)" in note for note in found["notes"])
    known = called(capsys, "control", str(table), "--column", "x", "--set", "known_centre=20", "--set", "known_sigma=0.5")
    (stage,) = known["charts"][0]["stages"]
    assert [stage[k] for k in ("lower", "centre", "upper")] == pytest.approx([18.5, 20, 21.5]) and known["charts"][0][
        "known"
    ] == "both"
    for wrong in ("0", "-1"):
        said = refused(capsys, "control", str(table), "--column", "x", "--set", f"known_sigma={wrong}")
        assert (
            said["what"] == f"The known sigma is {wrong}."
            and "a number above 0" in said["expected"]
            and "leave it empty" in said["fix"]
        )


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (("weight=0.3",), "EWMA"),
        (("chart=CUSUM", "width=2"), "EWMA"),
        (("chart=EWMA", "allowance=1"), "CUSUM"),
        (("chart=I-MR", "sigma=pooled"), "charts of subgroups"),
        (("chart=CUSUM", "only_rules=1"), "judged one by one"),
    ],
)
def test_a_setting_that_the_chart_does_not_use_is_refused(
    table: Path, capsys: Capture, given: tuple[str, ...], named: str
) -> None:
    words = [word for pair in given for word in ("--set", pair)]
    said = refused(capsys, "control", str(table), "--column", "x", *words)
    assert "does not use it" in said["what"] and named in said["expected"]


def test_a_setting_that_the_chart_uses_is_taken(table: Path, capsys: Capture) -> None:
    for given in (("chart=EWMA", "weight=0.3"), ("subgroup=4", "sigma=pooled"), ("chart=CUSUM", "subgroup=4", "sigma=pooled")):
        called(capsys, "control", str(table), "--column", "x", *[word for pair in given for word in ("--set", pair)])


def test_a_row_of_thousands_of_digits_is_refused_in_a_sentence(table: Path, capsys: Capture) -> None:
    row = "9" * 4_400
    said = refused(capsys, "control", str(table), "--column", "x", "--set", f"left_out={row}:tool")
    assert said["what"] == "Rows 999999999999999… to 999999999999999… were to be left out, and the table has 80."
    said = refused(capsys, "control", str(table), "--column", "x", "--set", f"only_rules={row}")
    assert "There is no rule '999" in said["what"] and len(said["what"]) < 200


def test_points_that_break_a_rule_are_counted_once_and_their_charts_add_up(table: Path, capsys: Capture) -> None:
    found = called(capsys, "control", str(table), "--column", "x")
    broken = [set().union(*(s["rows"] for s in chart["signals"])) for chart in found["charts"]]
    assert all(len(rows) < 20 for rows in broken), "all rows are listed"
    level, spread = broken
    assert found["out_of_control"] == len(level | spread) and level & spread
    assert found["counted"] == (
        f"{len(level | spread)} of 80 points break a rule, each counted once: {len(level)} on the chart 'individual value', "
        f"{len(spread)} on the chart 'moving range', {len(level & spread)} of these on both."
    )
    assert f"{len(level | spread)} of 80 points" in found["headline"]


def test_a_shift_of_a_cumulative_sum_is_dated_and_sized(table: Path, capsys: Capture, tmp_path: Path) -> None:
    """Montgomery's example 9.1 as a file: signal at point 29, first point of the shift 23, seven points, new mean 11.25; rows of JSON count from 0."""
    path = tmp_path / "montgomery.csv"
    pd.DataFrame({"x": data.MONTGOMERY_9_1}).to_csv(path, index=False)
    words = (
        "control",
        str(path),
        "--column",
        "x",
        "--set",
        "chart=CUSUM",
        "--set",
        "known_centre=10",
        "--set",
        "known_sigma=1",
    )
    found = called(capsys, *words)
    (shift,) = found["shifts"]
    assert {k: shift[k] for k in ("direction", "signal_row", "first_row", "points")} == {
        "direction": "up", "signal_row": 28, "first_row": 22, "points": 7,
    }  # fmt: skip
    assert (shift["last_row"], shift["goes_on"], shift["length"], shift["is_rough"]) == (29, True, 8, True)
    assert shift["mean"] == pytest.approx(11.25, abs=0.005) and found["out_of_control"] == 1
    assert main(list(words)) == 0
    said = capsys.readouterr().out
    assert "sigma given" in said and "target 10" in said
    assert "leave their limits once: 8 points, from row 23 to row 30" in said
    head, row = (line.split() for line in said.splitlines() if line.split()[:1] in (["direction"], ["up"]))
    assert head[-2:] == ["from", "n"] and row == ["up", "23", "29", "goes", "on", "8", "11.254", "7"]
    assert "With n below 20 it is rough" in said
    assert "given, not estimated from these points: centre 10, σ = 1." in said


def test_a_second_verb_on_a_file_reads_it_no_more(table: Path, capsys: Capture) -> None:
    for _ in range(2):
        called(capsys, "control", str(table), "--column", "x")
    called(capsys, "profile", str(table))
    assert len(called(capsys, "list")["datasets"]) == 1
