"""The automatic choice on the screens: what will be tried, the table while it runs, the choice in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import workflows as wf
from core.store import open_store
from core.training.events import Event
from core.training.request import TrainRequest
from core.workflows.workspace import Workspace
from tests.core.jobs.test_auto import bent_table
from tests.pages.finished_runs import work_off

Open = Callable[..., AppTest]


def dataset_of(ws: Workspace, folder: Path, n: int = 150) -> str:
    bent_table(n).to_csv(folder / "parts.csv", index=False)
    dataset = wf.import_file(ws, folder / "parts.csv").dataset
    assert dataset is not None
    return dataset.id


def texts(app: AppTest) -> str:
    return " ".join(
        [*(str(m.value) for m in app.markdown), *(str(c.value) for c in app.caption), *(str(h.value) for h in app.title)]
    )


@pytest.fixture
def store(own_store: Path) -> Workspace:
    own_store.mkdir(parents=True, exist_ok=True)
    return Workspace(open_store(own_store))


def test_before_the_start_the_screen_says_what_is_tried_and_takes_the_minutes(
    open_app: Open, store: Workspace, tmp_path: Path
) -> None:
    dataset = dataset_of(store, tmp_path)
    app = open_app("learn/train.py", dataset=dataset)
    app.radio(key="train_task").set_value("regression").run()
    app.selectbox(key=f"train_target.{dataset}.regression").set_value("y").run()
    shown = texts(app)
    assert "What will be tried, in this order" in shown and "Gradient boosting" in shown
    assert "too few for a network" in shown  # 150 rows
    assert "5 models are tried" in shown
    app.number_input(key="train_minutes").set_value(3.0).run()
    app.button(key="train_start").click().run()
    run = wf.list_runs(store)[0]
    assert run.model == "auto" and run.request.budget_minutes == 3.0


def test_a_search_is_asked_for_by_a_switch(open_app: Open, store: Workspace, tmp_path: Path) -> None:
    dataset = dataset_of(store, tmp_path)
    app = open_app("learn/train.py", dataset=dataset)
    app.radio(key="train_task").set_value("regression").run()
    app.selectbox(key=f"train_target.{dataset}.regression").set_value("y").run()
    app.selectbox(key="train_model").set_value("gradient_boosting").run()
    app.toggle(key="train_search").set_value(True).run()
    assert not app.exception and "settings of Gradient boosting are searched" in texts(app)
    app.button(key="train_start").click().run()
    assert wf.list_runs(store)[0].request.search


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_while_it_runs_each_model_has_a_line_and_afterwards_the_choice_is_said(
    open_app: Open, store: Workspace, tmp_path: Path, lang: str
) -> None:
    dataset = dataset_of(store, tmp_path)
    request = {"dataset_id": dataset, "dataset_version": 1, "task": "regression", "target": "y", "budget_minutes": 2.0}
    run = wf.start_training(store, TrainRequest.read(request))
    values = {"of": 2, "figure": None, "seconds": 0.0, "why": None, "used": 1.0, "budget": 120.0}
    told = [
        Event("candidate", {**values, "number": 0, "model": "ridge", "state": "done", "figure": 1.25}),
        Event("candidate", {**values, "number": 1, "model": "random_forest", "state": "running"}),
    ]
    store.store.append_events(run.job_id, told)
    app = open_app("learn/train.py", dataset=dataset, run=run.id, view="watch", lang=lang)
    frame = app.dataframe[0].value
    assert len(frame) == 2 and "1.25" in frame.to_string()
    work_off(store.store)
    app = open_app("learn/train.py", dataset=dataset, run=run.id, view="watch", lang=lang)
    done = wf.get_run(store, run.id)
    assert done.choice is not None
    if lang == "en":
        assert "Why this model" in texts(app) and str(done.choice.sentences[0])[:30] in texts(app)
    else:
        assert "validation" not in texts(app)
    assert len(app.dataframe[0].value) == len(done.choice.candidates)
    app = open_app("learn/runs.py", dataset=dataset, run=run.id, lang=lang)
    assert any(len(f.value) == len(done.choice.candidates) for f in app.dataframe)
