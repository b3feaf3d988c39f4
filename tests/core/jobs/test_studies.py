"""Studies: cells as runs have them, what they say of data whose truth is known, stop and resume."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from core import workflows as wf
from core.data.split import TEST, TRAIN
from core.errors import NotEnoughData, SettingProblem
from core.jobs import studies, wait_for_job
from core.jobs.study_request import StudyRequest
from core.jobs.study_words import Cell, Study, conclude, difference
from core.messages import Message, msg
from core.training.request import TrainRequest
from core.training.resolve import resolve
from tests.synthetic import anomaly_table, as_dataset


def lots_table(n_lots: int = 30, rows: int = 10, seed: int = 1) -> pd.DataFrame:
    """Each lot has a level of its own, which `mark` gives away to a model that has seen the lot: random splits flatter."""
    rng = np.random.default_rng(seed)
    lot = np.repeat(np.arange(n_lots), rows)
    level, mark = rng.normal(scale=3, size=n_lots), rng.uniform(0, 100, size=n_lots)
    a = rng.normal(size=n_lots * rows)
    y = a + level[lot] + rng.normal(scale=0.2, size=len(a))
    when = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(len(a)), unit="h")
    return pd.DataFrame({"when": when, "lot": [f"L{i:02d}" for i in lot], "mark": mark[lot], "a": a, "y": y})


def started(home: Path, table: pd.DataFrame, method: str, **request: Any) -> tuple[wf.Workspace, wf.StudyWork]:
    ws = wf.open_workspace(home / "store")
    table.to_csv(home / "table.csv", index=False)
    dataset = wf.import_file(ws, home / "table.csv").dataset
    assert dataset is not None
    made = {"dataset_id": dataset.id, "dataset_version": 1, "task": "regression", "target": "y", **request}
    study = StudyRequest.read({"method": method, "request": TrainRequest.read(made).model_dump(), "folds": 4, "repeats": 3})
    return ws, wf.start_study(ws, study)


def ended(ws: wf.Workspace, work: wf.StudyWork) -> wf.StudyWork:
    wait_for_job(ws.store, work.job_id, timeout=240)
    found = wf.get_study(ws, work.job_id)
    assert found.state == "succeeded", found.problem
    return found


def test_cross_validation_of_a_line_has_the_spread_of_its_folds(tmp_path: Path) -> None:
    table = lots_table().drop(columns=["lot", "mark", "when"])
    ws, work = started(tmp_path, table, "cross_validate", model="ridge")
    found = ended(ws, work)
    values = [c.metrics["rmse"].value for c in found.cells]
    assert len(values) == 4 and found.metric == "rmse" and found.spread is not None
    assert found.spread["rmse"]["mean"] == pytest.approx(np.mean(values))
    assert found.spread["rmse"]["sd"] == pytest.approx(np.std(values, ddof=1))
    assert np.mean(values) == pytest.approx(np.sqrt(9 + 0.04), rel=0.2)  # the level of the lot is noise to it
    assert "4 folds" in str(found.sentences[0])
    assert [w.job_id for w in wf.list_studies(ws, found.request.request.dataset_id)] == [found.job_id]


def test_a_split_at_random_flatters_where_lots_resemble_themselves(tmp_path: Path) -> None:
    request = {"model": "gradient_boosting", "group": "lot", "time": "when", "options": {"leaf_rows": 3}}
    ws, work = started(tmp_path, lots_table(), "optimism", **request)
    found = ended(ws, work)
    by_label = {str(c.label): c.metrics["rmse"].value for c in found.cells}
    assert list(by_label) == ["at random", "by time", "by group"]
    assert by_label["at random"] < 0.7 * by_label["by group"]  # type: ignore[operator]
    assert "flatters here" in str(found.sentences[0])


def test_the_learning_curve_has_four_sizes_on_the_same_test_rows(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(600, 3))
    line = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "y": x @ [1.0, 2.0, -1.0] + rng.normal(scale=0.5, size=600)})
    ws, work = started(tmp_path, line, "learning_curve", model="ridge")
    found = ended(ws, work)
    sizes = [c.n_train for c in found.cells]
    assert sizes == [round(s * sizes[-1]) for s in (0.125, 0.25, 0.5, 1.0)]
    assert len({c.metrics["rmse"].n for c in found.cells}) == 1
    assert "hardly help" in str(found.sentences[0])  # three weights are known after a hundred rows


def test_seeds_change_a_forest_and_not_a_line(tmp_path: Path) -> None:
    table = lots_table().drop(columns=["lot", "when"])
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    line = ended(*started(tmp_path / "a", table, "seeds", model="ridge"))
    forest = ended(*started(tmp_path / "b", table, "seeds", model="random_forest", options={"trees": 10}))
    assert line.spread is not None and line.spread["rmse"]["sd"] == pytest.approx(0, abs=1e-9)
    assert forest.spread is not None and 0 < forest.spread["rmse"]["sd"] < 0.5  # type: ignore[operator]


def test_a_study_that_was_stopped_goes_on_behind_what_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ws, work = started(tmp_path, lots_table().drop(columns=["lot", "when"]), "cross_validate", model="ridge")
    measured: list[str] = []
    own = studies._measure

    def counted(ctx: Any, planned: Any, folder: Path) -> Any:
        measured.append(str(planned.label))
        return own(ctx, planned, folder)

    monkeypatch.setattr(studies, "_measure", counted)
    events: list[Any] = []

    def context(stop: Any) -> Any:
        ctx = SimpleNamespace(store=ws.store, job=ws.store.get_job(work.job_id), folder=tmp_path / "job", was_cancelled=False)
        ctx.emit, ctx.stop_requested = events.append, stop
        ctx.cancelled = lambda: setattr(ctx, "was_cancelled", True)
        return ctx

    first = context(lambda: len(measured) >= 2)
    studies.run(first)
    assert first.was_cancelled and measured == ["fold 1", "fold 2"]
    assert len(events[-1].values["cells"]) == 2
    studies.run(context(lambda: False))
    assert measured == ["fold 1", "fold 2", "fold 3", "fold 4"]
    assert len(events[-1].values["cells"]) == 4 and events[-1].kind == "result"


def test_what_cannot_be_studied_is_refused_before_a_job(tmp_path: Path) -> None:
    with pytest.raises(SettingProblem, match="anomalies"):
        started(tmp_path, lots_table(), "seeds", task="anomaly", target=None)
    with pytest.raises(SettingProblem, match="neither a time nor a group"):
        started(tmp_path, lots_table().drop(columns=["when", "lot"]), "optimism", model="ridge")
    with pytest.raises(NotEnoughData, match="groups"):
        started(tmp_path, lots_table(n_lots=4), "cross_validate", group="lot", split={"method": "group"}, model="ridge")


def cell(model: str, error: float, seed: int, n: int = 300, seconds: float = 1.0) -> Cell:
    """A cell whose predictions miss the truth by normal errors of this size; its RMSE is computed here."""
    truth = np.linspace(0, 10, n)
    said = truth + np.random.default_rng(seed).normal(scale=error, size=n)
    rmse = float(np.sqrt(((said - truth) ** 2).mean()))
    metrics = {"rmse": {"value": rmse, "low": 0.95 * rmse, "high": 1.05 * rmse, "n": n, "why_not": None}}
    rows = {"row": np.arange(n), "block": np.arange(n), "truth": truth, "prediction": said}
    return Cell(msg("a"), model, metrics, n_train=n, seconds=seconds, rows=rows)


def said(method: str, *cells: Cell) -> str:
    return str(Message.from_json(conclude(Study(method, "regression", msg("x"), cells))["sentences"][0]))


def test_the_gain_of_one_cell_over_another_is_paired_and_has_its_sign() -> None:
    found = difference(cell("ridge", 2.0, 1), cell("dense", 1.0, 2), "regression")
    assert found.gain == pytest.approx(1.0, abs=0.2) and found.is_better and found.low is not None
    assert found.low < found.gain < found.high  # type: ignore[operator]
    assert difference(cell("ridge", 1.0, 2), cell("dense", 2.0, 1), "regression").is_worse


def test_deep_learning_is_judged_against_the_better_rival_in_one_sentence() -> None:
    line, trees = cell("ridge", 3.0, 1), cell("gradient_boosting", 1.0, 2)
    assert said("worth", line, trees, cell("dense", 0.5, 3)).startswith("Deep learning is worth it here: Dense")
    assert said("worth", line, trees, cell("dense", 2.0, 3)).startswith("Deep learning is not worth it here: Gradient")
    unclear = said("worth", line, trees, cell("dense", 1.0, 4, seconds=60))
    assert "not clearly" in unclear and "60" in unclear


def test_more_data_is_advised_only_where_the_last_doubling_gained() -> None:
    assert "would help" in said("learning_curve", cell("dense", 2.0, 1, 300), cell("dense", 1.0, 2, 300))
    same = cell("dense", 1.0, 3)
    assert "hardly help" in said("learning_curve", same, cell("dense", 1.2, 4))


def test_rows_that_were_called_normal_are_tested_in_no_fold(tmp_path: Path) -> None:
    table = anomaly_table()
    request = TrainRequest.read(
        {
            "dataset_id": "d",
            "dataset_version": 1,
            "task": "anomaly",
            "model": "pca_t2_spe",
            "options": {"window": 4},
            "known_normal": [{"first_row": 300, "last_row": 319}],
        }
    )
    resolved = resolve(as_dataset(table, tmp_path, when="time", label="target"), request)
    study = StudyRequest(method="cross_validate", request=request, folds=4)
    cells, _ = studies.plan_cells(study, resolved, table)
    assert len(cells) == 4
    for cell in cells:
        parts = cell.split.parts
        assert not (parts[297:323] == TEST).any(), "nor those whose windows of 4 rows hold some of them"
    assert any((cell.split.parts[300:320] == TRAIN).all() for cell in cells)
    with pytest.raises(SettingProblem, match="Rows of false alarms were to count as normal in a question of another kind"):
        resolve(as_dataset(table, tmp_path, when="time"), request.with_values(task="regression", target="p1", model="ridge"))
