from __future__ import annotations

from collections.abc import Callable

import pytest

from core.errors import StoreProblem
from core.store import DatasetRow, RunRow, Store, new_id


def test_a_run_and_its_job_come_together(store: Store, make_run: Callable[..., RunRow]) -> None:
    run = make_run()
    assert (run.job.state, run.job.kind, run.job.lane, run.job.params) == ("queued", "train", "long", {"run_id": run.id})
    assert (run.dataset_name, run.request, run.metrics) == ("pump", {"seed": 7}, None)
    assert store.list_runs(run.dataset_id) == (run,)
    assert store.list_runs(new_id()) == ()


def test_a_double_click_makes_one_run_and_one_job(store: Store, make_dataset: Callable[..., DatasetRow]) -> None:
    dataset = make_dataset()
    values = {"name": "r", "task": "anomaly", "model": "cnn", "request": {}, "token": "click"}
    first, created = store.add_run(dataset_id=dataset.id, dataset_version=1, **values)  # type: ignore[arg-type]
    again, created_again = store.add_run(dataset_id=dataset.id, dataset_version=1, **values)  # type: ignore[arg-type]
    assert (created, created_again, again.id) == (True, False, first.id)
    assert len(store.list_jobs(("queued",))) == 1


def test_results_are_kept_with_the_run(store: Store, make_run: Callable[..., RunRow]) -> None:
    run = make_run()
    store.finish_run(run.id, metrics={"rmse": float("nan")}, baseline={"rmse": 1.5}, summary={"epochs": 3})
    found = store.get_run(run.id)
    assert (found.metrics, found.baseline, found.summary) == ({"rmse": None}, {"rmse": 1.5}, {"epochs": 3})


def test_a_demo_is_found_by_its_key(store: Store, make_run: Callable[..., RunRow]) -> None:
    assert store.find_demo_run("pump") is None
    run = make_run(demo="pump", priority=-1)
    found = store.find_demo_run("pump")
    assert found is not None and (found.id, found.job.priority) == (run.id, -1)


def test_a_run_is_deleted_once_its_job_has_ended(store: Store, make_run: Callable[..., RunRow]) -> None:
    run = make_run()
    store.write_bytes(store.path(run.id, "bundle", "manifest.json"), b"{}")
    with pytest.raises(StoreProblem, match="'first' is used by a job that has not ended"):
        store.delete_run(run.id)
    store.request_stop(run.job.id)
    store.delete_run(run.id)
    assert store.list_runs() == ()
    assert not store.path(run.id, "run").exists()
    with pytest.raises(StoreProblem, match="There is no run"):
        store.rename_run(run.id, "ghost")


def test_verdicts_are_only_ever_added(store: Store, make_run: Callable[..., RunRow]) -> None:
    run = make_run()
    store.add_verdict(run.id, first_row=10, last_row=20, verdict="open")
    store.add_verdict(run.id, first_row=10, last_row=20, verdict="false_alarm", comment="=cmd()", fix="none")
    said = store.list_verdicts(run.id)
    assert [(v.verdict, v.comment, v.fix, v.owner) for v in said] == [
        ("open", "", "", "local"),
        ("false_alarm", "=cmd()", "none", "local"),
    ]
    assert said[0].number < said[1].number
    with pytest.raises(StoreProblem, match="There is no run"):
        store.add_verdict(new_id(), first_row=0, last_row=0, verdict="open")


def test_reports_outlive_their_run(store: Store, make_run: Callable[..., RunRow]) -> None:
    run, report_id = make_run(), new_id()
    with pytest.raises(StoreProblem, match="There is no report"):
        store.add_report(report_id, run.id, file="report.html", title="Pump", language="en")
    store.write_bytes(store.path(report_id, "report", "report.html"), b"<html>")
    report = store.add_report(report_id, run.id, file="report.html", title="Pump", language="en")
    store.request_stop(run.job.id)
    store.delete_run(run.id)
    assert store.list_reports() == (report,)
    assert store.get_report(report_id).path.read_bytes() == b"<html>"
    store.delete_report(report_id)
    assert store.list_reports() == ()
    with pytest.raises(StoreProblem, match="There is no report"):
        store.get_report(report_id)
