"""Parts of the Train screen: the tree of families chooses, a diagnosis starts the improved run, layers and other runs are drawn."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core import workflows as wf
from core.messages import msg
from core.models import models_for
from core.training.events import Event
from core.training.request import TrainRequest
from core.workflows.records import Diagnosis, Run
from core.workflows.workspace import Workspace
from pages.components import family_tree

Open = Callable[..., AppTest]
LAYERS = {
    "layers": [
        {"name": "windows", "kind": "InputLayer", "shape": [30, 4], "weights": 0, "inputs": []},
        {"name": "lstm", "kind": "LSTM", "shape": [8], "weights": 416, "inputs": ["windows"]},
    ],
    "weights": 416,
}


def network(ws: Workspace, **request: object) -> Run:
    """A network's training with three epochs told and stopped there; nothing is trained."""
    dataset = next(d for d in wf.list_datasets(ws) if d.name == "engine_life")
    like = next(r for r in wf.list_runs(ws, dataset.id)).request
    run = wf.start_training(
        ws, TrainRequest.read({**like.model_dump(), "model": "lstm", "name": "", "options": {}, "preset": "normal", **request})
    )
    job = ws.store.claim_next("long", host="here", limit=9)
    assert job is not None and job.id == run.job_id
    ws.store.append_events(job.id, [Event("network", LAYERS)], job.attempt)
    for epoch in (1, 2, 3, 4, 5):
        told = {"epoch": epoch, "epochs": 5, "loss": 1 / epoch, "val_loss": 1.2 / epoch, "metric": 9.0, "val_metric": 9.5}
        steps = {"learning_rate": 0.001, "gradient_norm": 2.0 / epoch, "seconds": 1.0, "best_epoch": epoch, "metric_key": "mae"}
        ws.store.append_events(job.id, [Event("epoch", {**told, **steps})], job.attempt)
    ws.store.finish_job(job.id, job.attempt, "interrupted")
    return wf.get_run(ws, run.id)


def test_a_diagnosis_starts_the_improved_run_once(open_app: Open, ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    run = network(ws)
    found = Diagnosis(
        "improving", msg("The loss is still falling."), msg("More epochs or the preset 'thorough' can make it better.")
    )
    monkeypatch.setattr(wf, "diagnose", lambda *_: found)
    app = open_app("learn/train.py", dataset=run.dataset_id, run=run.id, view="watch")
    assert app.button(key="remedy").label == "Train again, more thoroughly"
    app.button(key="remedy").click().run()
    assert not app.exception and not app.error
    better = wf.list_runs(ws, run.dataset_id)[0]
    assert better.id != run.id and better.request.preset == "thorough" and better.model == "lstm"
    assert app.query_params["run"] in (better.id, [better.id])


def test_layers_steps_and_another_run_are_drawn(open_app: Open, ws: Workspace) -> None:
    other, run = network(ws), network(ws, seed=8)
    app = open_app("learn/train.py", dataset=run.dataset_id, run=run.id, view="watch")
    labels = [e.label for e in app.expander]
    assert any("416 weights" in label for label in labels) and "Gradient and learning rate" in labels
    assert len(app.get("graphviz_chart")) == 1
    beside = app.multiselect(key=f"live_beside.{run.id}")
    beside.set_value([other.id]).run()
    assert not app.exception and not app.error


def test_every_family_of_the_tree_has_its_button_and_its_cost(
    open_app: Open, ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A dialog cannot be opened by a click in this harness: it is drawn in the page instead.
    monkeypatch.setattr(family_tree, "_dialog", family_tree._content)
    dataset = next(d for d in wf.list_datasets(ws) if d.name == "injection_moulding")
    app = open_app("learn/train.py", dataset=dataset.id, view="new")
    app.button(key="all_models").click().run()
    assert not app.exception and not app.error
    taken = {b.key.removeprefix("take_") for b in app.button if b.key and b.key.startswith("take_")}

    assert taken == {spec.key for spec in models_for("regression")}
    assert "at most about" in " ".join(c.value for c in app.caption)
