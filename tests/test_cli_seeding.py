"""`python -m core seed-faults`: the figures of the workflow as JSON, text and file, and refusals."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from core import workflows as wf
from core.cli import main
from tests.command_line import Capture, called, refused
from tests.pages.finished_runs import work_off
from tests.synthetic import anomaly_table


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, tmp_path: Path) -> str:
    monkeypatch.setattr("core.jobs.wait_for_job", lambda store, job_id, **_: work_off(store))
    anomaly_table(2000, 1800).to_csv(tmp_path / "data.csv", index=False)
    given = ("--task", "anomaly", "--time", "when", "--target", "label", "--model", "pca_t2_spe", "--split", "first:1000")
    return str(called(capsys, "train", "--data", str(tmp_path / "data.csv"), *given)["run"])


def test_the_same_figures_as_json_text_and_file(run: str, capsys: Capture, tmp_path: Path) -> None:
    words = ("--sensor", "p1,p2", "--kind", "step", "--kind", "stuck", "--sizes", "0.01,4", "--set", "length=15")
    found = called(capsys, "seed-faults", run, *words, "--out", str(tmp_path / "seeded.csv"))
    view = wf.seed_faults(
        wf.open_workspace(),
        wf.open_results(wf.open_workspace(), run),
        wf.SeedSettings(sensors=("p1", "p2"), kinds=("step", "stuck"), sizes=(0.01, 4.0), length=15),
    )
    assert [(f["sensor"], f["kind"]) for f in found["faults"]] == [
        ("p1", "step"),
        ("p1", "stuck"),
        ("p2", "step"),
        ("p2", "stuck"),
    ]
    assert found["headline"] == str(view.headline) and found["stretches"] == view.n_stretches
    assert found["faults"][2]["sizes"][1]["share"] == 1.0 and found["faults"][0]["sizes"][0]["share"] == 0.0
    assert found["faults"][1]["reached"] == [] and found["faults"][1]["unit"] == ""
    table = pd.read_csv(tmp_path / "seeded.csv")
    assert len(table) == 6 and table["detected"].tolist()[0] == 0
    assert main(["seed-faults", run, *words]) == 0
    said = capsys.readouterr().out
    assert "p2, step" in said and "found 90 % of the time" in said and "without a fault:" in said


def test_what_cannot_be_is_refused_in_one_sentence(run: str, capsys: Capture) -> None:
    assert "sensor is 'p7'" in refused(capsys, "seed-faults", run, "--sensor", "p7")["what"]
    assert "gremlin" in refused(capsys, "seed-faults", run, "--kind", "gremlin")["what"]
    assert "no run and no bundle" in refused(capsys, "seed-faults", "nothing")["what"]
    assert "'Sizes' is 'big'" in refused(capsys, "seed-faults", run, "--sizes", "big")["what"]


def test_several_sensors_at_once_in_standard_deviations(run: str, capsys: Capture) -> None:
    words = ("--sensor", "p1,p2", "--sizes", "1,3", "--sigma", "--together", "--set", "length=15")
    (fault,) = called(capsys, "seed-faults", run, *words)["faults"]
    assert (fault["sensor"], fault["sensors"], fault["scale"], fault["unit"]) == ("p1 + p2", ["p1", "p2"], "sigma", "σ")
    view = wf.seed_faults(
        wf.open_workspace(),
        wf.open_results(wf.open_workspace(), run),
        wf.SeedSettings(sensors=("p1", "p2"), sizes=(1.0, 3.0), scale="sigma", together=True, length=15),
    )
    assert [p["share"] for p in fault["sizes"]] == [p.share for p in view.faults[0].found.points]
    assert main(["seed-faults", run, *words]) == 0
    assert "p1 + p2, step" in capsys.readouterr().out
