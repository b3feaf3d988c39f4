"""Train, Runs, Predictions, Anomalies and Reports, from the shell, on real runs of shallow models."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from streamlit.testing.v1 import AppTest

from core import workflows as wf
from core.data.split import SplitSettings
from core.models import models_for, reads_text
from core.store import EventRow, Store
from core.workflows.workspace import Workspace
from pages.components import live_chart, train_live
from tests.pages import finished_runs

Open = Callable[..., AppTest]
SCREENS = ("learn/train.py", "learn/runs.py", "judge/predictions.py", "judge/anomalies.py", "use/reports.py")
TASKS = ("regression", "classification", "rul", "anomaly")


def titles(app: AppTest) -> str:
    return " ".join(title.value for title in app.title).replace("\\", "")


def clean(app: AppTest) -> None:
    assert not app.exception
    assert [e.value for e in app.error] == []


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("page", SCREENS)
def test_an_empty_store_shows_what_will_be_here_and_one_action(open_app: Open, page: str, lang: str) -> None:
    app = open_app(page, lang=lang)
    clean(app)
    assert titles(app)
    assert [b.key for b in app.button if b.key == "empty_action"] == ["empty_action"]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("task", TASKS)
def test_results_of_each_task_open_without_a_fault(open_app: Open, ws: Workspace, task: str, lang: str) -> None:
    run = finished_runs.run_of(ws, task)
    page = "judge/anomalies.py" if task == "anomaly" else "judge/predictions.py"
    app = open_app(page, lang=lang, run=run.id)
    clean(app)
    assert 1 <= len(app.metric) <= 4
    assert app.get("plotly_chart")


def test_what_has_to_be_known_about_the_figures_stands_below_them(open_app: Open, ws: Workspace) -> None:
    first = finished_runs.run_of(ws, "regression")
    request = first.request.with_values(split=SplitSettings(method="random"), name="drawn")
    run = wf.start_training(ws, request, token="drawn")
    finished_runs.work_off(ws.store)
    said = "The split is random: rows of one lot or hour may stand on both sides, and the figures may flatter."
    for page in ("judge/predictions.py", "learn/train.py"):
        app = open_app(page, run=run.id, view="watch")
        assert [c.value for c in app.caption if said.split(":")[0] in c.value], page
    assert not [c.value for c in open_app("judge/predictions.py", run=first.id).caption if "split is random" in c.value]
    wf.delete_run(ws, run.id)


@pytest.mark.parametrize("page", ["learn/train.py", "learn/runs.py", "use/reports.py"])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_screens_with_runs_open_without_a_fault(open_app: Open, ws: Workspace, page: str, lang: str) -> None:
    app = open_app(page, lang=lang)
    clean(app)
    assert titles(app)


def test_the_figures_on_screen_are_those_of_the_run(open_app: Open, ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "regression")
    app = open_app("judge/predictions.py", run=run.id)
    assert app.metric[0].value == f"{run.metrics['rmse'].value:.4g} mm"
    assert f"{run.baseline_metrics['rmse'].value:.4g} mm" in app.metric[0].delta


def test_moving_the_decision_limit_moves_caught_and_rejected(open_app: Open, ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "classification")
    app = open_app("judge/predictions.py", run=run.id)
    before = app.metric[0].value
    slider = next(s for s in app.slider if s.key.startswith(f"class_limit.{run.id}"))
    slider.set_value(0.0).run()
    clean(app)
    assert app.metric[0].value == "100 %" != before
    next(b for b in app.button if b.key.startswith("reset.class_limit")).click().run()
    assert app.metric[0].value == before


def test_a_verdict_is_kept_and_shown(open_app: Open, ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "anomaly")
    app = open_app("judge/anomalies.py", run=run.id)
    said = {"cause": "seal leak", "fix": "new seal", "assigned": "Ann", "comment": "line 4"}

    def save(state: str, said: dict[str, str]) -> None:
        for name, words in said.items():
            next(w for w in app.text_input if w.key.startswith(f"{name}.")).set_value(words)
        next(w for w in app.selectbox if w.key.startswith("verdict.")).set_value(state)
        next(b for b in app.button if b.key.startswith("save_verdict")).click().run()

    def cause_label() -> str:
        return str(next(w for w in app.text_input if w.key.startswith("cause.")).label)

    assert cause_label() == "Assignable cause"
    for state, needed in (("assignable_cause", True), ("false_alarm", False), ("closed", True)):
        next(w for w in app.selectbox if w.key.startswith("verdict.")).set_value(state).run()
        assert cause_label().endswith("(needed)") is needed
    save("false_alarm", said)
    assert any("No name was given" in e.value for e in app.error) and wf.list_verdicts(ws, run.id) == ()
    app.text_input(key="signed_by").set_value(" Mei ").run()
    assert app.text_input(key="signed_by").value == "Mei"
    save("closed", {**said, "cause": " "})
    assert any("without a cause" in e.value for e in app.error) and wf.list_verdicts(ws, run.id) == ()
    save("assignable_cause", said)
    clean(app)
    given = wf.list_verdicts(ws, run.id)
    assert [(v.verdict, v.cause, v.fix, v.assigned_to, v.comment, v.owner) for v in given] == [
        ("assignable_cause", "seal leak", "new seal", "Ann", "line 4", "Mei")
    ]
    assert "1 with a verdict" in app.metric[0].delta and "1 with a cause" in app.metric[0].help.replace("\\", "")
    app = open_app("judge/anomalies.py", run=run.id, event=str(app.selectbox(key="event").value))
    app.text_input(key="signed_by").set_value("Ben").run()
    save("contained", {"comment": "stopped"})  # cause, fix and name stay in the form
    assert [(v.verdict, v.cause, v.owner) for v in wf.list_verdicts(ws, run.id)][-1] == ("contained", "seal leak", "Ben")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_an_event_is_told_in_detail_and_verdicts_are_learned_from(open_app: Open, ws: Workspace, lang: str) -> None:
    run = finished_runs.run_of(ws, "anomaly")
    results = wf.open_results(ws, run.id)
    view = wf.anomaly_view(ws, results)
    event = max(view.events, key=lambda e: len(wf.event_facts(results, view, e).order.followers))
    before = len(wf.list_verdicts(ws, run.id))
    wf.set_verdict(ws, run.id, event, "false_alarm")
    app = open_app("judge/anomalies.py", run=run.id, lang=lang, event=str(event.number))
    clean(app)
    assert len(app.tabs) >= 5
    facts = wf.event_facts(results, wf.anomaly_view(ws, results), event)
    app.session_state[f"event_tab.{run.id}"] = {"en": "Lead and lag", "zh": "先后关系"}[lang]
    clean(app.run())
    tables = {table.value.shape for table in app.dataframe}
    assert facts.order.followers and any(rows == len(facts.order.followers) for rows, _ in tables)
    seen = wf.preview_false_alarms(results, wf.anomaly_view(ws, results))
    if lang == "en":
        assert any(str(seen.sentence) in m.value.replace("\\", "") for m in app.markdown)
    assert [b.key for b in app.button if b.key == "train_false_alarms"] == ["train_false_alarms"]
    wf.set_verdict(ws, run.id, event, "open")
    assert len(wf.list_verdicts(ws, run.id)) == before + 2


def test_a_verdict_without_a_choice_is_not_stored(open_app: Open, ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "anomaly")
    app = open_app("judge/anomalies.py", run=run.id)
    next(b for b in app.button if b.key.startswith("save_verdict")).click().run()
    assert wf.list_verdicts(ws, run.id) == ()
    assert any("first" in w.value for w in app.warning)


def test_the_highest_decision_limit_leaves_no_event(open_app: Open, ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "anomaly")
    app = open_app("judge/anomalies.py", run=run.id)
    slider = next(s for s in app.select_slider if s.key.startswith("anomaly_limit"))
    slider.set_range(slider.options[-1], slider.options[-1]) if isinstance(slider.value, tuple) else slider.set_value(
        slider.options[-1]
    )
    app.run()
    clean(app)
    assert app.metric[0].value == "0"
    app.button(key="reset_limit").click().run()
    assert app.metric[0].value != "0"


def test_train_asks_for_what_is_missing_and_starts_one_run_for_two_clicks(open_app: Open, ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "regression")
    app = open_app("learn/train.py", dataset=run.dataset_id, view="new")
    clean(app)
    assert "rows" in titles(app)
    before = len(wf.list_runs(ws))
    token = app.session_state["train_token"]
    app.button(key="train_start").click().run()
    clean(app)
    assert len(wf.list_runs(ws)) == before + 1
    app.session_state["train_token"] = token
    app.session_state["_train_view"] = "new"
    app.run()
    app.session_state["train_token"] = token
    app.button(key="train_start").click().run()
    assert len(wf.list_runs(ws)) == before + 1


def test_the_live_view_says_epoch_and_loss_and_grows(open_app: Open, ws: Workspace) -> None:
    live = finished_runs.start_live(ws, 7)
    app = open_app("learn/train.py", run=live.id)
    clean(app)
    captions = " ".join(c.value for c in app.caption).replace("\\", "")
    assert "Epoch 7 of 40" in captions
    assert "loss 0.1429" in captions
    finished_runs.say_epochs(ws, live, 8, 9)
    app.run()
    assert "Epoch 9 of 40" in " ".join(c.value for c in app.caption).replace("\\", "")


def test_a_poll_reads_from_the_last_event_seen(open_app: Open, ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    live = finished_runs.start_live(ws, 7)
    app = open_app("learn/train.py", run=live.id)
    seen = ws.store.last_seq(live.job_id)
    finished_runs.say_epochs(ws, live, 8, 9)
    read: list[int] = []
    events_after = Store.events_after

    def watched(store: Store, job_id: str, seq: int = 0, limit: int = 10_000) -> object:
        read.extend([seq] if limit == 10_000 else [])
        return events_after(store, job_id, seq, limit)

    monkeypatch.setattr(Store, "events_after", watched)
    app.run()
    assert "Epoch 9 of 40" in " ".join(c.value for c in app.caption).replace("\\", "")
    assert read and min(read) == seen


def test_a_long_curve_is_thinned_to_what_a_chart_can_show_and_keeps_its_end() -> None:
    reader = wf.CurveReader()
    reader.add(
        [
            EventRow(n, "job", 1, datetime.now(UTC), "epoch", {"epoch": n, "epochs": 90_000, "loss": 1.0, "val_loss": 2.0})
            for n in range(1, 80_001)
        ]
    )
    frame = live_chart.curve_frame(reader.curves("running"), metric=False, end=90_000)
    for kind in ("training", "validation"):
        x = frame.loc[frame["kind"] == kind, "x"]
        assert len(x) <= live_chart.MAX_POINTS + 1 and (x.iloc[0], x.iloc[-1]) == (1.0, 80_000.0)


def test_stop_is_acknowledged_at_once(open_app: Open, ws: Workspace) -> None:
    live = finished_runs.start_live(ws, 3)
    app = open_app("learn/train.py", run=live.id)
    app.button(key="stop_training").click().run()
    clean(app)
    assert wf.get_run(ws, live.id).is_stopping
    assert not [b for b in app.button if b.key == "stop_training"]


def test_runs_can_be_renamed_and_compared(open_app: Open, ws: Workspace) -> None:
    first, second = finished_runs.run_of(ws, "regression"), finished_runs.run_of(ws, "rul")
    app = open_app("learn/runs.py", run=first.id)
    app.selectbox(key="runs_pick").set_value(first.id).run()
    app.selectbox(key="compare").set_value(second.id).run()
    clean(app)
    assert "different datasets" in " ".join(c.value for c in app.caption)
    app.text_input(key=f"rename_to.{first.id}").set_value("Width, best so far")
    next(b for b in app.button if b.key == f"rename_save.{first.id}").click().run()
    assert wf.get_run(ws, first.id).name == "Width, best so far"


def test_a_report_is_made_listed_and_deleted(open_app: Open, ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "regression")
    app = open_app("use/reports.py", run=run.id)
    app.button(key="make_report").click().run()
    clean(app)
    (report,) = wf.list_reports(ws)
    assert report.run_id == run.id
    next(b for b in app.button if b.key == f"delete_report.{report.id}").click().run()
    clean(app)
    assert wf.list_reports(ws) == ()


@pytest.mark.parametrize(
    ("n", "planned", "end"), [(0, 60, 10), (9, 60, 10), (10, 60, 20), (49, 60, 50), (55, 60, 60), (7, 7, 7), (3, None, 10)]
)
def test_the_epoch_axis_grows_in_steps_and_ends_at_the_plan(n: int, planned: int | None, end: float) -> None:
    assert live_chart.horizon(n, planned) == end


def test_planned_epochs_come_from_the_events(ws: Workspace) -> None:
    live = finished_runs.start_live(ws, 2, planned=33)
    assert train_live.planned_epochs(live, wf.read_curves(ws, live.id)) == 33


def test_the_split_can_be_chosen_and_the_plan_follows(open_app: Open, ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "regression")
    app = open_app("learn/train.py", dataset=run.dataset_id, view="new")
    by = f"train_split_by.{run.dataset_id}"
    assert app.selectbox(key=by).value == "automatic"
    app.selectbox(key=by).select("first").run()
    clean(app)
    app.number_input(key=f"train_split_first.{run.dataset_id}").set_value(500).run()
    clean(app)
    figures = {m.label: m.value for m in app.metric}
    assert figures["Training rows"] == "425" and figures["Test rows"] == "700"
    app.selectbox(key=by).select("column").run()
    assert "without a column" in app.error[0].value and app.button(key="train_start").disabled
    app.selectbox(key=by).select("random").run()
    clean(app)
    app.button(key="train_start").click().run()
    newest = wf.list_runs(ws)[0]
    assert newest.request.split is not None and newest.request.split.method == "random"


def test_known_faults_in_the_baseline_are_said_with_a_way_out(open_app: Open, ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "anomaly")
    app = open_app("learn/train.py", dataset=run.dataset_id, view="new")
    app.selectbox(key=f"train_split_by.{run.dataset_id}").select("random").run()
    clean(app)
    assert any("known fault" in w.value for w in app.warning)


def test_every_family_of_a_question_can_be_chosen_with_its_settings(open_app: Open, ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "regression")
    app = open_app("learn/train.py", dataset=run.dataset_id, view="new")
    offered = app.selectbox(key="train_model")
    fitting = [spec for spec in models_for("regression") if not reads_text(spec)]  # the table has no texts
    assert 10 < len(fitting) < len(models_for("regression")) and len(offered.options) == 1 + len(fitting)
    for spec in fitting:
        app.selectbox(key="train_model").set_value(spec.key).run()
        clean(app)
        assert not app.button(key="train_start").disabled, spec.key
        asked = {
            str(w.key).rsplit(".", 1)[-1]
            for w in (*app.number_input, *app.checkbox, *app.toggle)
            if f".{spec.key}." in str(w.key)
        }
        assert asked >= {n for n, f in spec.settings.model_fields.items() if f.annotation is int}, spec.key
