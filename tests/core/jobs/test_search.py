"""The search for settings: what it keeps, how it goes on, what it prunes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from core import workflows as wf
from core.errors import SettingProblem
from core.jobs import auto, wait_for_job
from core.jobs.auto import Chosen
from core.jobs.search import run_search
from core.messages import Message
from core.training.request import TrainRequest
from core.training.resolve import resolve
from tests.core.jobs.test_auto import Ground, bent_table


def searched(ground: Ground, stop: Any = lambda: False) -> Chosen | None:
    ctx = SimpleNamespace(folder=ground.home / "job", emit=ground.events.append, stop_requested=stop)
    ctx.folder.mkdir(exist_ok=True)
    return run_search(ctx, ground.resolved, ground.prepared, ground.home / "bundle")  # type: ignore[arg-type]


def test_settings_that_were_set_badly_are_mended_and_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A boosting that may take steps of 0.0005 in 30 rounds learns nothing; four times that is the widest it may look."""
    monkeypatch.setattr("core.jobs.search.MOST_TRIALS", 8)
    options = {"learning_rate": 0.005, "rounds": 30}
    ground = Ground(tmp_path, bent_table(400), "regression", model="gradient_boosting", options=options, search=True)
    found = searched(ground)
    assert found is not None
    trials = found.choice["candidates"]
    kept = next(t for t in trials if t["share"] == 1)
    assert len(trials) == 8 and trials[0]["settings"] == {}
    assert kept["figure"] == min(t["figure"] for t in trials) < trials[0]["figure"]
    assert kept["settings"]["learning_rate"] > 0.01
    assert found.bundle.manifest.settings["learning_rate"] == pytest.approx(kept["settings"]["learning_rate"])
    assert found.bundle.manifest.settings["rounds"] == 30  # what was asked for and is not searched stays
    words = " ".join(str(Message.from_json(s)) for s in found.choice["sentences"])
    assert "8 settings" in words and "as asked for" in words


def test_a_gain_that_may_be_luck_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.jobs.search.MOST_TRIALS", 4)
    ground = Ground(tmp_path, bent_table(60), "regression", model="nearest_neighbours", search=True)
    found = searched(ground)
    assert found is not None
    assert [t["share"] for t in found.choice["candidates"]][0] == 1.0


def test_a_stopped_search_goes_on_behind_its_trials_and_draws_what_it_would_have_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.jobs.search.MOST_TRIALS", 5)
    fitted: list[dict[str, Any]] = []
    own = auto.try_candidate

    def counted(ground: Any, tried: Any, *rest: Any) -> Any:
        fitted.append(tried.options)
        return own(ground, tried, *rest)

    monkeypatch.setattr(auto, "try_candidate", counted)
    ground = Ground(tmp_path, bent_table(), "regression", model="random_forest", search=True)
    first = searched(ground, stop=lambda: len(fitted) >= 2)
    assert first is not None and first.was_stopped and len(fitted) == 2
    second = searched(ground)
    assert second is not None and len(fitted) == 5 and len(second.choice["candidates"]) == 5
    assert second.choice["candidates"][:2] == [
        {**c, "share": second.choice["candidates"][i]["share"]} for i, c in enumerate(first.choice["candidates"])
    ]
    assert len({str(sorted(o.items())) for o in fitted}) == 5  # no trial twice


def test_questions_that_a_search_cannot_judge_are_refused(tmp_path: Path) -> None:
    ground = Ground(tmp_path, bent_table(), "regression")
    with pytest.raises(SettingProblem, match="one family"):
        resolve(ground.resolved.dataset, ground.resolved.request.with_values(search=True))
    with pytest.raises(SettingProblem, match="known result"):
        resolve(
            ground.resolved.dataset,
            ground.resolved.request.with_values(search=True, task="anomaly", model="pca_t2_spe", target=None),
        )
    with pytest.raises(SettingProblem, match="no setting to search"):
        searched(Ground(tmp_path / "b", bent_table(), "regression", model="linear", search=True))


@pytest.mark.slow
def test_a_network_is_searched_by_the_whole_way_and_its_curves_are_kept_apart(tmp_path: Path) -> None:
    ws = wf.open_workspace(tmp_path / "home")
    bent_table(400).to_csv(tmp_path / "parts.csv", index=False)
    dataset = wf.import_file(ws, tmp_path / "parts.csv").dataset
    assert dataset is not None
    request = {"dataset_id": dataset.id, "dataset_version": 1, "task": "regression", "target": "y", "budget_minutes": 2.0}
    more = {"model": "dense", "search": True, "preset": "quick", "options": {"epochs": 8, "units": 16}}
    run = wf.start_training(ws, TrainRequest.read(request | more))
    wait_for_job(ws.store, run.job_id, timeout=240)
    run = wf.get_run(ws, run.id)
    assert run.state == "succeeded", run.problem
    choice = run.choice
    assert choice is not None and run.model == "dense" and len(choice.candidates) >= 2
    curves = wf.read_curves(ws, run.id)
    done = [c.number for c in choice.candidates if c.state == "done"]
    assert set(done) <= set(curves.trial_curves) and all(len(x) <= 8 for x, _ in curves.trial_curves.values())
    assert wf.open_results(ws, run.id).manifest.training["fit"]["epochs"] == 8
