"""A training while it runs: curves, time left, diagnosis, Stop and Resume.

Reads the store from the last event seen; what was read is kept in the session only.
"""

from __future__ import annotations

import contextlib
from functools import partial

import streamlit as st

from core import workflows as wf
from core.errors import StoreProblem
from core.evaluation import MAIN_METRICS
from core.models import model_by_key
from core.training.presets import preset_settings
from core.workflows.records import Curves, Diagnosis, Run
from core.workflows.workspace import Workspace
from pages.components import (
    candidates_view,
    charts,
    layout,
    network_diagram,
    notices,
    numbers,
    run_view,
    state,
    train_steps,
    words,
)
from pages.components.choices import fixed
from pages.components.live_chart import curve_chart, curve_frame, horizon
from pages.components.text import md, say, t, tn

LIGHT = {"training": "#0072B2", "validation": "#B36B00", "batch": "#5B6B77", "best": "#5B6B77"}
DARK = {"training": "#56B4E9", "validation": "#E69F00", "batch": "#9AA8B2", "best": "#9AA8B2"}
FIRST_POLL, LATER_POLL = 0.5, 1.0
MOST_BESIDE = 4


def show(run: Run) -> None:
    """The live view of a run; polls only while the run is waiting or running, twice a second if it was opened at its start."""
    active = run.state in run_view.ACTIVE
    started = run.progress is not None and run.progress > 0
    every = (LATER_POLL if started else FIRST_POLL) if active else None
    st.fragment(_live, run_every=every)(run.id, run.state)
    if not active:
        _next(run)


def _live(run_id: str, shown_state: str) -> None:
    with notices.guard():
        ws = state.workspace()
        run, curves = wf.get_run(ws, run_id), wf.read_curves(ws, run_id, _reader(run_id))
        if (run.state in run_view.ACTIVE) != (shown_state in run_view.ACTIVE):
            st.rerun()
        _draw(ws, run, curves)


def _reader(run_id: str) -> wf.CurveReader:
    """What this session has read of the run that it shows; another run, or another session, begins anew."""
    known = st.session_state.get("_curve_reader")
    if known is None or known[0] != run_id:
        known = st.session_state["_curve_reader"] = (run_id, wf.CurveReader())
    reader: wf.CurveReader = known[1]
    return reader


def _draw(ws: Workspace, run: Run, curves: Curves) -> None:
    unit = run_view.target_unit(run, state.dataset())
    layout.headline(_finding(run, curves, unit))
    layout.figures((candidates_view.figures if _chooses(run, curves) else _figures)(run, curves, unit))
    view, rail = st.columns([0.74, 0.26], gap="medium")
    with rail:
        _rail(ws, run, curves)
    with view:
        if not _chooses(run, curves):
            _curves(run, curves, unit)
        elif run.choice is None or run.state in run_view.ACTIVE:
            candidates_view.live(run, curves)
        else:
            candidates_view.why(run)
            candidates_view.curve_lines(curves)


def _chooses(run: Run, curves: Curves) -> bool:
    """Whether several models are tried, and one of them told already."""
    return len(curves.candidates) > 1 or (bool(curves.candidates) and run.request.search)


def _finding(run: Run, curves: Curves, unit: str) -> str:
    n, total = len(curves.epochs), planned_epochs(run, curves)
    text, other = run_view.beside_baseline(run, unit)
    if run.state == "queued":
        ahead = run.queue_position or 0
        return (
            tn("Waiting: {n} job is ahead", "Waiting: {n} jobs are ahead", ahead) if ahead else t("Waiting for a free worker")
        )
    if run.state == "running" and curves.candidates:
        return candidates_view.finding(run, curves)
    if run.state == "running" and n == 0:
        return t("The first epoch is running") if len(curves.batch_x) else t("The worker is preparing the data")
    if run.state == "running":
        return t("Epoch {n} of {total}: the best so far is epoch {best}", n=n, total=total, best=curves.best_epoch or n)
    if run.state == "succeeded" and run.metrics:
        return (
            t("Trained: {metric}; the baseline: {other}", metric=text, other=other)
            if other
            else t("Trained: {metric}", metric=text)
        )
    if curves.candidates and run.state in ("cancelled", "interrupted"):
        done = sum(c.state == "done" for c in curves.candidates)
        if run.state == "cancelled":
            return tn(
                "Stopped after {n} model; the best so far is kept", "Stopped after {n} models; the best so far is kept", done
            )
        return tn(
            "Interrupted after {n} model; it can go on behind it",
            "Interrupted after {n} models; it can go on behind them",
            done,
        )
    ends = {
        "succeeded": t("The training has finished after {n} epochs", n=n),
        "cancelled": t("Stopped after epoch {n}; the best weights so far are kept", n=n),
        "interrupted": t("Interrupted after epoch {n}; it can go on from its last checkpoint", n=n),
        "failed": t("The training failed after epoch {n}", n=n),
    }
    return ends.get(run.state, run.name)


def planned_epochs(run: Run, curves: Curves) -> int:
    """Epochs at most while it runs, else the epochs that were run; at least 1."""
    n = len(curves.epochs)
    if run.state not in run_view.ACTIVE:
        return max(n, 1)
    return max(n, curves.planned_epochs or _asked_epochs(run))


def _asked_epochs(run: Run) -> int:
    """What the preset or the user asked for, before the first epoch has said it."""
    asked = run.request.options.get("epochs")
    dataset = state.dataset()
    if asked or dataset is None:
        return int(asked or 1)
    return preset_settings(run.request.preset, model_by_key(run.model), dataset.n_rows).epochs  # type: ignore[arg-type]


def _figures(run: Run, curves: Curves, unit: str) -> list[layout.Figure]:
    n, best = len(curves.epochs), curves.best_epoch
    last = numbers.number(float(curves.val_loss[-1])) if _has(curves.val_loss) else "–"
    first = t("training {value}", value=numbers.number(float(curves.loss[-1]))) if n else t("no epoch yet")
    title = _curve_metric(run)
    shown = numbers.percent if run.task == "classification" else partial(numbers.number, unit=_curve_unit(run, unit))
    now = float(curves.val_metric[-1]) if _has(curves.val_metric) else None
    of_best = curves.val_metric[curves.epochs == best] if now is not None else ()
    at_best = float(of_best[0]) if len(of_best) else None
    known, model = curves.baseline or run.baseline_metrics, run.baseline or curves.baseline_model
    keys = (_curve_key(run), *MAIN_METRICS.get(run.task, ()))
    other = next((known[k] for k in keys if k in known), None)
    baseline = run_view.metric_text(other, unit) if other is not None else "–"
    left = curves.seconds_left if curves.seconds_left is not None else run.seconds_left
    active = run.state in run_view.ACTIVE
    return [
        layout.Figure(t("Validation loss"), last, first),
        layout.Figure(
            t("{metric}, validation", metric=title),
            shown(now),
            t("best {value} in epoch {n}", value=shown(at_best), n=best) if at_best is not None else "",
        ),
        layout.Figure(
            t("Baseline: {name}", name=run_view.model_name(model)) if model else t("Baseline"),
            baseline,
            t("{metric}, validation", metric=run_view.metric_title(other.key)) if other is not None else t("not trained yet"),
        ),
        layout.Figure(
            t("Time left") if active else t("Took"),
            (numbers.duration(left) if active else numbers.duration(run_view.run_length(run))),
            t("started {moment}", moment=numbers.moment(run.started)) if run.started else t("not started yet"),
        ),
    ]


def _curve_metric(run: Run) -> str:
    """What is drawn beside the loss: accuracy, or the mean absolute error; of scaled sensors for an autoencoder."""
    return t("MAE, scaled") if run.task == "anomaly" else run_view.metric_title(_curve_key(run))


def _curve_key(run: Run) -> str:
    """The key of the metric beside the loss, the same as the baseline's where they can be compared."""
    return {"classification": "accuracy", "anomaly": ""}.get(run.task, "mae")


def _curve_unit(run: Run, unit: str) -> str:
    return "" if run.task == "anomaly" else unit


def _has(values: object) -> bool:
    return values is not None and len(values) > 0  # type: ignore[arg-type]


def _curves(run: Run, curves: Curves, unit: str) -> None:
    if not len(curves.epochs) and not len(curves.batch_x):
        st.skeleton(height=380) if run.state in run_view.ACTIVE else st.caption(t("This run has no curve."))
        return
    words = {"training": t("training"), "validation": t("validation"), "epoch": t("Epoch"), "best": t("best: epoch")}
    palette = DARK if charts.is_dark() else LIGHT
    log = bool(st.session_state.get("live_log"))
    done = float(len(curves.epochs)) if len(curves.epochs) else float(max(curves.batch_x, default=0.0))
    end = horizon(done, planned_epochs(run, curves))
    metric = _curve_metric(run) if run.task in ("classification", "anomaly") else f"MAE ({unit})" if unit else "MAE"
    others = _others(run)
    end = max([end, *(float(len(c.epochs)) for c in others.values())])
    panels = [("loss", t("Loss"), False, 235), ("metric", metric, True, 165)]
    for name, title, is_metric, height in panels:
        frame = curve_frame(curves, metric=is_metric, end=end, others=others)
        spec = curve_chart(words, palette, title=title, log=log, height=height, is_last=is_metric)
        # While it runs the alt text stays the same: Streamlit builds a Vega chart anew when its description changes.
        best = (curves.best_epoch or 0) if run.state not in run_view.ACTIVE else 0
        alt = t("{title} by epoch for training and validation, best epoch {n}", title=title, n=best or "–")
        st.vega_lite_chart(frame, spec, key=f"live_{name}", on_select="rerun", selection_mode="zoom", alt=alt)
    layout.caption(live_caption(run, curves))
    train_steps.show(curves, end, palette)
    network_diagram.show(curves.network)


def _others(run: Run) -> dict[str, Curves]:
    """The curves of the runs that were chosen to stand beside this one, by name; each session reads each event once."""
    ws = state.workspace()
    readers = st.session_state.setdefault("_beside_readers", {})
    found = {}
    for key in st.session_state.get(_beside_key(run), ()):
        with contextlib.suppress(StoreProblem):  # deleted meanwhile
            reader = readers.setdefault(key, wf.CurveReader())
            found[_beside_name(wf.get_run(ws, key))] = wf.read_curves(ws, key, reader)
    return found


def _beside_key(run: Run) -> str:
    return f"live_beside.{run.id}"


def _beside_name(run: Run) -> str:
    return f"{run.number} {run_view.model_name(run.model)}"


def _choose_others(ws: Workspace, run: Run) -> None:
    """Other trainings of the same question on the same data, whose validation curves are drawn beside this one's."""
    fitting = _comparable(ws, run.id, run)
    if not fitting:
        return
    st.multiselect(
        t("Curves beside"),
        list(fitting),
        format_func=fixed(fitting, lambda key: fitting[key]),
        max_selections=MOST_BESIDE,
        key=_beside_key(run),
        placeholder=t("Choose runs"),
        persist_state="session",
        help=md(t("Validation curves of other trainings on the same data, also while they run.")),
    )


@st.cache_data(show_spinner=False, max_entries=16, ttl=15)
def _comparable(_ws: Workspace, run_id: str, _run: Run) -> dict[str, str]:
    """Names of the runs that can stand beside a run. Remembered for some seconds: a live view looks every second."""
    return {
        r.id: _beside_name(r)
        for r in wf.list_runs(_ws, _run.dataset_id)
        if r.id != run_id and (r.task, r.request.target) == (_run.task, _run.request.target) and has_curve(r)
    }


def has_curve(run: Run) -> bool:
    """Whether a run is a network's, which learns epoch by epoch."""
    return model_by_key(run.model).role == "network"


def live_caption(run: Run, curves: Curves) -> str:
    """The line under the curves that people and tests read: "Epoch 7 of 40 · loss 0.0123 · validation 0.0131"."""
    n = len(curves.epochs)
    if n == 0:
        return t(
            "Epoch 0 of {total} · loss {loss} (first batches)",
            total=planned_epochs(run, curves),
            loss=numbers.number(float(curves.batch_loss[-1])),
        )
    parts = [
        t("Epoch {n} of {total}", n=n, total=planned_epochs(run, curves)),
        t("loss {loss}", loss=numbers.number(float(curves.loss[-1]))),
    ]
    if _has(curves.val_loss):
        parts.append(t("validation {loss}", loss=numbers.number(float(curves.val_loss[-1]))))
    parts.append(t("wheel zooms, double click shows all"))
    return " · ".join(parts)


def _rail(ws: Workspace, run: Run, curves: Curves) -> None:
    run_view.state_badge(run.state)
    st.markdown(md(f"{words.project_name(run.name)} · {run_view.model_name(run.model)}"))
    if run.state in run_view.ACTIVE:
        st.progress(min(1.0, max(0.0, run.progress or 0.0)), text=numbers.percent(round(run.progress or 0.0, 2)))
        _stop(ws, run)
    elif run.can_resume and st.button(
        t("Resume training"), key="resume_training", type="primary", icon=":material/play_arrow:", width="stretch"
    ):
        resumed = wf.resume_run(ws, run.id)
        st.session_state.pop(f"stopping.{run.id}", None)
        state.open_now(run=resumed.id)
    if run.problem is not None:
        notices.problem(run.problem)
    if not _chooses(run, curves):
        st.toggle(t("Logarithmic axis"), key="live_log", persist_state="session")
        _choose_others(ws, run)
    found = None if _chooses(run, curves) else wf.diagnose(curves, run)
    if found is not None and found.code != "too_early":
        with st.container(border=True):
            st.markdown(f"**{md(say(found.message))}**")
            if found.remedy is not None:
                st.caption(md(say(found.remedy)))
            _remedy(ws, run, found)


def _remedy(ws: Workspace, run: Run, found: Diagnosis) -> None:
    """The one click that starts the improved training; offered once the run has ended."""
    if run.state in run_view.ACTIVE:
        return
    remedy = wf.remedy_of(ws, run, found)
    if remedy is None or not st.button(
        md(say(remedy.label)), key="remedy", icon=":material/replay:", width="stretch", type="secondary"
    ):
        return
    with notices.guard():
        better = wf.start_training(ws, remedy.request, token=f"remedy.{run.id}.{found.code}")
        st.session_state["_train_view"] = "watch"
        state.open_now(run=better.id)


def _stop(ws: Workspace, run: Run) -> None:
    asked = f"stopping.{run.id}"
    if run.is_stopping or st.session_state.get(asked):
        st.caption(md(t("Stopping. The best weights so far are kept.")))
        return
    if st.button(t("Stop training"), key="stop_training", type="primary", icon=":material/stop:", width="stretch"):
        wf.stop_run(ws, run.id)
        st.session_state[asked] = True
        st.rerun()


def _next(run: Run) -> None:
    layout.notes(run.notes)
    if run.has_results:
        label = t("See events") if run.task == "anomaly" else t("See predictions")
        layout.next_step(
            run_view.judge_page(run.task),
            label,
            t("The test part has judged the model once. See where it is right and where not."),
        )
    elif run.state in ("failed", "interrupted", "cancelled"):
        layout.next_step("learn/runs.py", t("See all runs"), t("Earlier runs are still there."))
