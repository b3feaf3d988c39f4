"""`python -m core gage`, `agreement`, `pareto` and `relations`: the same figures as JSON and as text."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from core.cli import main
from tests.command_line import called, refused
from tests.core.workflows.test_gage import gage_columns, ring_columns
from tests.core.workflows.test_relations import line

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ANDON_HOME", str(tmp_path / "home"))
    for name, columns in (("gage", gage_columns()), ("rings", ring_columns()), ("line", line())):
        pd.DataFrame(columns).to_csv(tmp_path / f"{name}.csv", index=False)
    return tmp_path


def test_a_gage_study_is_told_and_written(files: Path, capsys: Capture) -> None:
    study = ("gage", str(files / "gage.csv"), "--column", "width", "--part", "part", "--operator", "operator")
    found = called(capsys, *study, "--set", "tolerance=10")
    assert found["verdict"] == found["tolerance_verdict"] == "conditional" and found["pooled"] is True
    # AIAG, Measurement Systems Analysis (4th ed.).
    assert found["components"]["GRR"]["sd"] == pytest.approx(0.302373, abs=2e-6)
    assert [e["ss"] for e in found["anova"]] == pytest.approx([88.3619, 3.1673, 0.3590, 2.7589, 94.6471], abs=6e-5)
    assert main([*study, "--out", str(files / "o.csv")]) == 0
    said = capsys.readouterr().out
    assert "gage R&R is 27.9 % of the variation" in said and "10 parts, 3 operators, 3 repeats" in said
    assert "interaction pooled" in said and "no tolerance" in said
    assert len(pd.read_csv(files / "o.csv")) == 7


def test_agreement_is_told_with_its_mistakes(files: Path, capsys: Capture) -> None:
    study = (
        "agreement",
        str(files / "rings.csv"),
        "--column",
        "spots",
        "--part",
        "ring",
        "--appraiser",
        "who",
        "--standard",
        "truth",
    )
    found = called(capsys, *study, "--set", "bad=Yes")
    # jaspQualityControl, tests/testthat/test-msaAttribute.R.
    assert found["all_against"]["parts"] == {
        "n": 7,
        "of": 15,
        "share": 7 / 15,
        "interval": pytest.approx([0.21267, 0.73414], abs=6e-6),
    }
    assert [m["misses"]["share"] for m in found["mistakes"]] == pytest.approx([5 / 30, 8 / 30, 3 / 30])
    assert main([*study, "--set", "bad=Yes"]) == 0
    said = capsys.readouterr().out
    assert "7 of 15" in said and "MH is right least often" in said and "% false alarms" in said


def test_a_pareto_is_told(files: Path, capsys: Capture) -> None:
    found = called(capsys, "pareto", str(files / "line.csv"), "--column", "defect", "--cost", "cost")
    assert sum(c["rows"] for c in found["categories"]) == 600 and found["categories"][-1]["cumulative"] == 1.0
    assert main(["pareto", str(files / "line.csv"), "--column", "defect"]) == 0
    assert "1 of 6 categories" in capsys.readouterr().out


def test_relations_are_told_as_pairs_strata_and_lags(files: Path, capsys: Capture) -> None:
    source = str(files / "line.csv")
    pairs = called(capsys, "relations", source)
    assert {pairs["pairs"][0]["column"], pairs["pairs"][0]["other"]} == {"pressure", "bend"}
    strata = called(capsys, "relations", source, "--column", "width", "--by", "machine")
    assert strata["by"][0]["differs"] is True and strata["by"][0]["strata"][0]["label"] == "M2"
    assert main(["relations", source]) == 0 and "not a straight line" in capsys.readouterr().out
    assert main(["relations", source, "--column", "width"]) == 0 and "by machine:" in capsys.readouterr().out
    dataset = files / "one.csv"  # without machines, whose rows would be taken apart
    pd.DataFrame(line())[["time", "pressure", "flow"]].to_csv(dataset, index=False)
    lags = called(capsys, "relations", str(dataset), "--column", "pressure", "--with", "flow", "--set", "most_lag=10")
    assert (lags["lag"], lags["time"], lags["time_unit"], len(lags["lags"])) == (3, 30.0, "s", 21)
    assert main(["relations", str(dataset), "--column", "pressure", "--with", "flow", "--out", str(files / "l.csv")]) == 0
    assert "by 3 rows (30 s)" in capsys.readouterr().out and len(pd.read_csv(files / "l.csv")) == 201


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--by", "machine"), "without --column"),
        (("--column", "width", "--by", "machine", "--with", "flow"), "both given"),
        (("--column", "width", "--set", "rows=5"), "--set was given with --column"),
        (("--set", "rows=5"), "rows is '5'"),
    ],
)
def test_questions_that_exclude_each_other_are_refused(
    files: Path, capsys: Capture, options: tuple[str, ...], says: str
) -> None:
    assert says in refused(capsys, "relations", str(files / "line.csv"), *options)["what"]


def test_an_incomplete_study_is_refused_with_its_cell(files: Path, capsys: Capture) -> None:
    pd.DataFrame(gage_columns()).iloc[:-1].to_csv(files / "gap.csv", index=False)
    told = refused(capsys, "gage", str(files / "gap.csv"), "--column", "width", "--part", "part", "--operator", "operator")
    assert "part '10' with operator 'C' has 2 rows" in told["what"]
