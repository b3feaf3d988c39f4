"""The job "explain" on real networks: parts that add up within 1 %, the parts of a line, where in time, and refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.errors import SettingProblem
from core.serving.explained import Output
from core.training.request import TrainRequest
from tests.pages.finished_runs import work_off
from tests.synthetic import anomaly_table, class_table

pytestmark = pytest.mark.slow
WIDTH, LAG = 16, 5


def lagged_table(n: int = 1200) -> pd.DataFrame:
    """y is a five rows before; b says nothing."""
    rng = np.random.default_rng(5)
    a = rng.normal(size=n)
    return pd.DataFrame({"a": a, "b": rng.normal(size=n), "y": 3 * np.roll(a, LAG)})


FAST = {"epochs": 25, "patience": 25}
ASKED = {
    "regression": (lagged_table(), {"task": "regression", "target": "y", "model": "cnn", "options": {"window": WIDTH, **FAST}}),
    "classification": (
        class_table(900),
        {"task": "classification", "target": "result", "model": "transformer", "options": {"window": 4, "epochs": 8}},
    ),
    "anomaly": (
        anomaly_table(1500, 1300),
        {
            "task": "anomaly",
            "target": "label",
            "time": "when",
            "model": "vae",
            "split": {"method": "first", "first": 1000},
            "options": {"window": 8, "epochs": 8},
        },
    ),
    "shallow": (class_table(300), {"task": "classification", "target": "result", "model": "gradient_boosting"}),
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[wf.Workspace, wf.Explainer]]:
    folder = tmp_path_factory.mktemp("gradients")
    ws = wf.open_workspace(folder / "home")
    made = {}
    for name, (table, asked) in ASKED.items():
        table.to_csv(folder / f"{name}.csv", index=False)
        dataset = wf.import_file(ws, folder / f"{name}.csv").dataset
        assert dataset is not None
        request = TrainRequest.read({"dataset_id": dataset.id, "dataset_version": 1, "preset": "quick", **asked})
        run = wf.start_training(ws, request, token=name)
        work_off(ws.store)
        ended = wf.get_run(ws, run.id)
        assert ended.state == "succeeded", ended.problem
        made[name] = (ws, wf.open_explainer(ws, wf.open_results(ws, run.id)))
    return made


def done(ws: wf.Workspace, explainer: wf.Explainer, rows: list[int]) -> wf.Gradients:
    said = wf.what_is_said(explainer)
    work = wf.start_gradients(ws, explainer.results, said, rows)
    assert work.state == "queued" and wf.read_gradients(ws, work) is None
    assert wf.start_gradients(ws, explainer.results, said, rows).job_id == work.job_id, "asked twice, done once"
    work_off(ws.store)
    work = wf.find_gradients(ws, explainer.results, said, rows)
    assert work is not None and work.state == "succeeded", work.problem
    found = wf.read_gradients(ws, work)
    assert found is not None
    return found


@pytest.mark.parametrize("name", ["regression", "classification", "anomaly"])
def test_the_parts_add_up_within_one_percent_to_what_the_screens_show(found, name: str) -> None:
    ws, explainer = found[name]
    rows = [int(row) for row in explainer.results.part_rows("test")[[40, 80, 120]]]
    parts = done(ws, explainer, rows)
    said = wf.what_is_said(explainer)
    np.testing.assert_allclose(
        parts.outputs, Output(explainer.bundle, said.place)(explainer.windows(np.array(rows))), rtol=1e-3, atol=1e-4
    )
    assert parts.rows.tolist() == rows and parts.columns == tuple(c.name for c in explainer.columns)
    added = parts.values.sum(axis=(1, 2))
    np.testing.assert_allclose(added, parts.outputs - parts.baselines, rtol=0.0101)
    assert (parts.gaps <= 0.01).all() and "add up to the output within" in str(parts.completeness)
    width = explainer.bundle.pipeline.width
    assert parts.values.shape == parts.saliency.shape == (3, width, len(parts.columns))


def test_a_lag_is_found_in_column_and_time_by_every_map(found) -> None:
    """y = 3 a, five rows before: the part of that one cell is about 3 a, and nothing else counts much."""
    ws, explainer = found["regression"]
    table = ASKED["regression"][0]
    test = explainer.results.part_rows("test")
    rows = [int(row) for row in test[20:] if abs(table["a"][row - LAG]) > 1][:8]
    parts = done(ws, explainer, rows)
    cell = parts.values[:, WIDTH - 1 - LAG, 0]
    truth = 3 * (table["a"].to_numpy()[np.array(rows) - LAG])
    assert np.corrcoef(cell, truth)[0, 1] > 0.95 and np.abs(cell / truth - 1).mean() < 0.4
    size = np.abs(parts.values).mean(axis=0)
    assert np.unravel_index(size.argmax(), size.shape) == (WIDTH - 1 - LAG, 0)
    assert np.abs(parts.saliency).mean(axis=0).argmax() == (WIDTH - 1 - LAG) * 2
    assert parts.by_column.shape == (2,) and parts.by_step.shape == (WIDTH,)
    assert parts.activation is not None and parts.activation.shape == (8, WIDTH) and (parts.activation >= 0).all()
    assert parts.attention is None


def test_attention_is_a_share_of_the_rows_and_an_autoencoder_has_none(found) -> None:
    ws, explainer = found["classification"]
    parts = done(ws, explainer, [int(explainer.results.part_rows("test")[10])])
    assert parts.attention is not None and parts.activation is None
    np.testing.assert_allclose(parts.attention.sum(axis=1), 1, rtol=1e-5)
    ws, explainer = found["anomaly"]
    parts = done(ws, explainer, [1400])
    assert parts.attention is None and parts.columns[int(parts.by_column.argmax())] == "p2"


def test_a_model_without_gradient_is_refused_with_what_works_instead(found) -> None:
    ws, explainer = found["shallow"]
    assert wf.why_no_gradients(explainer.results.manifest) is not None
    with pytest.raises(SettingProblem, match="is none: use covering"):
        wf.start_gradients(ws, explainer.results, wf.what_is_said(explainer), [1])
    assert wf.row_why(explainer, 1).effects, "covering does"
    ws, explainer = found["regression"]
    with pytest.raises(SettingProblem, match="0 rows were given"):
        wf.start_gradients(ws, explainer.results, wf.what_is_said(explainer), [])


def test_a_stopped_job_keeps_nothing_and_begins_again(found) -> None:
    ws, explainer = found["regression"]
    said, rows = wf.what_is_said(explainer), [int(explainer.results.part_rows("test")[60])]
    work = wf.start_gradients(ws, explainer.results, said, rows)
    wf.stop_gradients(ws, work.job_id)
    work_off(ws.store)
    stopped = wf.find_gradients(ws, explainer.results, said, rows)
    assert stopped is not None and stopped.state == "cancelled" and wf.read_gradients(ws, stopped) is None
    assert wf.start_gradients(ws, explainer.results, said, rows).state == "queued"
    work_off(ws.store)
    again = wf.find_gradients(ws, explainer.results, said, rows)
    assert again is not None and wf.read_gradients(ws, again) is not None


def test_the_file_has_no_pickle_and_goes_with_the_run_and_its_dataset(found) -> None:
    ws, explainer = found["classification"]
    said, rows = wf.what_is_said(explainer), [int(explainer.results.part_rows("test")[61])]
    work = wf.start_gradients(ws, explainer.results, said, rows)
    work_off(ws.store)
    assert work.path.parent == ws.store.path(explainer.results.run.id, "results")
    with np.load(work.path, allow_pickle=False) as stored:
        assert {"values", "gap", "rows"} <= set(stored.files)
    assert not (ws.store.path(work.job_id, "job") / "room.tmp").exists()
    assert work.job_id in wf.made_from_dataset(ws, explainer.results.run.dataset_id).jobs
    wf.delete_run(ws, explainer.results.run.id)
    assert not work.path.exists()
