"""A forecast is compared with the better of two earlier values, as the validation part has it and never the test part."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.data.split import TEST, VALIDATION
from core.jobs import wait_for_job
from core.jobs.earlier_values import better_first, swap_folders, why_first
from core.training.request import TrainRequest
from core.workflows.report_facts import report_facts

N, DAY = 1_000, 24


def test_the_smaller_error_comes_first_and_of_equal_ones_the_season() -> None:
    assert better_first({"season_ago": 2.0, "last_value": 1.5}) == ("last_value", "season_ago")
    assert better_first({"season_ago": 1.5, "last_value": 1.5}) == ("season_ago", "last_value")
    assert better_first({"season_ago": None, "last_value": 1.5}) == ("season_ago", "last_value"), "not known, not judged"
    assert why_first({"season_ago": 1.5}, "kW") is None
    words = str(why_first({"season_ago": 2.0, "last_value": 1.5}, "kW"))
    assert "compared with 'Last value'" in words and "(1.5 kW against 2 kW of 'One season ago')" in words


def test_two_folders_trade_places(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "name").write_text(name)
    swap_folders(tmp_path / "a", tmp_path / "b")
    assert [(tmp_path / n / "name").read_text() for n in ("a", "b")] == ["b", "a"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


def wandering() -> pd.DataFrame:
    """A daily course on a level that wanders, so that the last value is the better guess one hour ahead; in the latest fifth a
    large daily course on a level that stands still, where the value of a day ago is."""
    rng = np.random.default_rng(8)
    hours = np.arange(N)
    level = np.cumsum(rng.normal(scale=0.6, size=N))
    y = 4 * np.sin(2 * np.pi * hours / DAY) + level
    late = hours >= int(0.8 * N)
    y[late] = level[late][0] + 30 * np.sin(2 * np.pi * hours[late] / DAY)
    return pd.DataFrame({"when": pd.date_range("2026-01-01", periods=N, freq="h"), "y": y.round(4)})


def test_a_run_is_compared_with_the_better_earlier_value_of_the_validation_part(tmp_path: Path) -> None:
    ws = wf.open_workspace(tmp_path / "home")
    table = wandering()
    table.to_csv(tmp_path / "series.csv", index=False)
    dataset = wf.import_file(ws, tmp_path / "series.csv").dataset
    assert dataset is not None
    asked = {"dataset_id": dataset.id, "dataset_version": 1, "task": "forecast", "target": "y", "time": "when"}
    started = wf.start_training(ws, TrainRequest.read({**asked, "model": "ridge", "options": {"horizon": 1}}))
    wait_for_job(ws.store, started.job_id, timeout=120)
    run = wf.get_run(ws, started.id)
    assert run.state == "succeeded", run.problem
    results = wf.open_results(ws, run.id)
    view = wf.forecast_view(results)
    assert view.season == DAY

    def errors(part: int) -> dict[str, float]:
        """Independently: the next value of a part less the value now, and less that of a day before it."""
        parts, y = results.scores["part"].to_numpy(), table["y"].to_numpy()
        now = np.flatnonzero((parts[:-1] == part) & (parts[1:] == part))
        return {
            "last_value": float(np.abs(y[now + 1] - y[now]).mean()),
            "season_ago": float(np.abs(y[now + 1] - y[now + 1 - DAY]).mean()),
        }

    validation, test = errors(VALIDATION), errors(TEST)
    assert validation["last_value"] < validation["season_ago"] and test["last_value"] > test["season_ago"]
    assert run.baseline == "last_value" and list(run.other_baselines) == ["season_ago"]
    assert run.baseline_metrics["mae"].value == pytest.approx(test["last_value"], rel=1e-5)
    assert run.other_baselines["season_ago"]["mae"].value == pytest.approx(test["season_ago"], rel=1e-5)
    assert results.manifest.baseline["model"] == "last_value"
    assert list(view.baseline_steps) == ["last_value", "season_ago"]
    assert "Last value" in str(view.verdict)
    theirs = results.baseline_scores
    assert theirs is not None
    np.testing.assert_allclose(theirs["prediction_1"].dropna(), table["y"][theirs["prediction_1"].notna()], rtol=1e-5)
    note = next(str(n) for n in run.notes if "two earlier values" in str(n))
    told = re.search(r"\((\S+) against (\S+) of 'One season ago'\)", note)
    assert told and [float(n) for n in told.groups()] == pytest.approx(
        [validation["last_value"], validation["season_ago"]], rel=1e-3
    )
    kept = ws.store.path(run.id, "bundle") / "baseline" / "manifest.json"
    assert '"model": "last_value"' in kept.read_text(encoding="utf-8").replace('":"', '": "')
    assert any("two earlier values" in str(note) for note in report_facts(ws, results, str).notes)
