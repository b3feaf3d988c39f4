"""What cannot be learned is said in one sentence on the Train screen: before the click, and of a run that failed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core import workflows as wf
from core.store import open_store
from core.training.request import TrainRequest
from core.workflows.workspace import Workspace
from tests.pages import finished_runs
from tests.synthetic import regression_table

Open = Callable[..., AppTest]
CASES = {
    "constant": ("regression", "The target 'y' is always 4 in the training part."),
    "missing": ("regression", "The target 'y' has 0 known values in the training part."),
    "one class": ("classification", "The target 'y' has only one class in the training part: ok."),
}
VALUES = {"constant": 4.0, "missing": np.nan, "one class": "ok"}


def _dataset(home: Path, case: str) -> tuple[Workspace, str]:
    """A table of 120 rows whose target `y` cannot be learned."""
    home.mkdir(parents=True, exist_ok=True)
    ws = Workspace(open_store(home))
    path = home / "data.csv"
    regression_table(120).assign(y=VALUES[case]).to_csv(path, index=False)
    dataset = wf.import_file(ws, path).dataset
    assert dataset is not None
    return ws, dataset.id


def _sentence(app: AppTest) -> str:
    """The one error of a screen, without the signs that keep texts from being read as markdown."""
    assert not app.exception
    (error,) = app.error
    return str(error.value).replace("\\", "")


@pytest.mark.parametrize("case", CASES)
def test_a_hopeless_target_is_said_before_the_click(open_app: Open, own_store: Path, case: str) -> None:
    task, says = CASES[case]
    _, dataset = _dataset(own_store, case)
    app = open_app("learn/train.py", dataset=dataset)
    app.radio(key="train_task").set_value(task).run()
    app.selectbox(key=f"train_target.{dataset}.{task}").set_value("y").run()
    assert says in _sentence(app)
    assert [title.value for title in app.title] == ["This cannot be trained yet"]
    assert app.button(key="train_start").disabled


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("case", CASES)
def test_a_failed_run_says_why_in_one_sentence(open_app: Open, own_store: Path, case: str, lang: str) -> None:
    task, says = CASES[case]
    ws, dataset = _dataset(own_store, case)
    model = "logistic" if task == "classification" else "ridge"
    request = TrainRequest(dataset_id=dataset, dataset_version=1, task=task, model=model, target="y", time="when")
    run = wf.start_training(ws, request)
    finished_runs.work_off(ws.store)
    assert wf.get_run(ws, run.id).state == "failed"
    app = open_app("learn/train.py", run=run.id, view="watch", lang=lang)
    sentence = _sentence(app)
    assert "Traceback" not in sentence
    if lang == "en":
        assert says in sentence
        assert "The training failed" in app.title[0].value
    else:
        assert "y" in sentence and not any(word in sentence for word in ("target", "Expected", "training part"))
