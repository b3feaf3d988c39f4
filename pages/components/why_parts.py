"""What the views "Why" of rows and events share: the explainer of a run, what would have changed a row, gradients as a job."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core import workflows as wf
from core.charts import effect_bars, maps_over_window, parts_over_window
from core.messages import Message
from core.workflows.workspace import Workspace
from pages.components import charts, layout, notices, numbers, state
from pages.components.choices import fixed
from pages.components.looks import charts_look
from pages.components.text import language, md, say, t, tn

POLL_SECONDS = 1.0


@st.cache_resource(show_spinner=False, max_entries=2, ttl=1800)
def _explainer(_ws: Workspace, _results: Any, run_id: str, finished: str) -> Any:
    return wf.open_explainer(_ws, _results)


def explainer_of(results: Any) -> wf.Explainer:
    """The explainer of a finished run, made once; its windows take as long as reading the table through the recipe."""
    with st.spinner(t("Reading the rows as the model sees them …")):
        found: wf.Explainer = _explainer(state.workspace(), results, results.run.id, str(results.run.finished))
    return found


def effects_chart(effects: Any, said: wf.Said, *, key: str, alt: str, title: Message | None = None) -> None:
    """What each column adds to an output, as bars."""
    notes = [_note(one) for one in effects]
    figure = effect_bars(
        names=[one.column for one in effects],
        effects=np.array([one.effect for one in effects]),
        what=said.what,
        unit=said.unit,
        notes=notes,
        title=title,
        **charts_look(),
    )
    charts.show(figure, alt=alt, key=key)


def _note(one: Any) -> str:
    """A column's own value beside what it adds."""
    if not np.isfinite(one.value):
        return ""
    return f"{one.value:.5g} {one.unit}".strip() + f" ({one.sigma:+.1f} σ)"


def goal_form(explainer: wf.Explainer, row: int, key: str) -> wf.Goal | None:
    """What is wanted of a row instead: limits of a value or a class; None where a limit is still missing."""
    results = explainer.results
    if results.task == "classification":
        classes = [str(name) for name in (results.manifest.target or {})["classes"]]
        first = str(wf.goal_of(explainer, row=row).klass)
        chosen = st.selectbox(
            t("Wanted class"),
            classes,
            index=classes.index(first),
            format_func=fixed(classes, str),
            key=f"{key}.class.{first}",  # another row may ask for another class
        )
        return wf.goal_of(explainer, klass=chosen)
    if results.task == "anomaly":
        return wf.goal_of(explainer)
    name = results.manifest.target_column
    column = results.dataset.column(name) if name is not None else None
    limits = (None, None) if column is None else (column.lower_limit, column.upper_limit)
    unit = f" ({results.unit})" if results.unit else ""
    low = st.number_input(md(t("At least") + unit), value=limits[0], format="%.6g", key=f"{key}.low")
    high = st.number_input(md(t("At most") + unit), value=limits[1], format="%.6g", key=f"{key}.high")
    return None if low is None and high is None else wf.goal_of(explainer, low=low, high=high)


def change_section(explainer: wf.Explainer, row: int, *, key: str, limit: float | None = None, about: str = "") -> None:
    """What would have brought another result: the sentence, and a line for each column that does it alone; `about` says how it was asked."""
    st.header(md(t("What would have changed it")), anchor=False)
    if about:
        layout.caption(about)
    main, rail = st.columns([0.7, 0.3], gap="medium")
    with rail, notices.guard():
        goal = goal_form(explainer, row, key) if limit is None else wf.goal_of(explainer, limit=limit)
        adjustable = st.multiselect(
            t("Columns that may be changed"),
            list(explainer.numbers),
            format_func=fixed(explainer.numbers, str),
            key=f"{key}.adjust",
            placeholder=t("all"),
            help=md(t("Only what a person can set: a setpoint, not a reading that follows from it.")),
        )
    with main, notices.guard():
        if goal is None:
            st.caption(md(t("Give a lower or an upper limit that the value should keep.")))
            return
        view = wf.row_counterfactual(explainer, row, goal, adjustable=tuple(adjustable))
        st.markdown(f"**{md(capital(say(view.headline)))}**")
        _ways(explainer, row, view, key)


def capital(words: str) -> str:
    """A sentence with a large first letter, in English; in Chinese a user's own name may come first, which nobody changes."""
    return words[:1].upper() + words[1:] if language() == "en" else words


def _ways(explainer: wf.Explainer, row: int, view: wf.CounterfactualView, key: str) -> None:
    found = view.search.singles or ((view.search.pair,) if view.search.pair is not None else ())
    if not found:
        return
    after = wf.outputs_after(explainer, row, view)
    changes = [(one, change, output) for one, output in zip(found, after, strict=True) for change in one.changes]
    table = pd.DataFrame(
        {
            t("column"): [change.column for _, change, _ in changes],
            t("is"): numbers.five_digits(np.array([change.before for _, change, _ in changes])),
            t("would be"): numbers.five_digits(np.array([change.after for _, change, _ in changes])),
            t("unit"): [change.unit for _, change, _ in changes],
            t("distance (σ)"): numbers.five_digits(np.array([one.distance for one, _, _ in changes])),
            say(view.said.what): numbers.five_digits(np.array([output for _, _, output in changes])),
        }
    )
    st.dataframe(table, hide_index=True, key=f"{key}.ways", height="content", alt=t("Changes that bring it"))
    moved = {
        "window": t("the whole window is shifted"),
        "outside": t("only the rows outside the normal band are shifted"),
        "last": t("only the last row is changed"),
    }
    layout.caption(
        t("within the range of the training part"),
        moved[view.reach] if explainer.bundle.pipeline.width > 1 else "",
        t("what the model says, not what the plant does: a cause has to be tried"),
    )


def gradient_section(explainer: wf.Explainer, said: wf.Said, rows: list[int], *, key: str) -> None:
    """Integrated gradients of some rows: a button, the job while it runs, and what it found."""
    st.header(md(t("Integrated gradients")), anchor=False)
    why_not = wf.why_no_gradients(explainer.results.manifest)
    if why_not is not None:
        st.caption(md(say(why_not)))
        return
    ws = state.workspace()
    work = wf.find_gradients(ws, explainer.results, said, rows)
    if work is not None and work.is_live:
        st.fragment(_live, run_every=POLL_SECONDS)(explainer, said, rows, key)
        return
    found = None if work is None else wf.read_gradients(ws, work)
    if found is not None:
        _gradients(found, said, key)
        return
    if work is not None and work.problem is not None:
        notices.problem(work.problem)
    st.caption(
        md(t("They share the output out exactly, column by column and row by row of the window. It takes some seconds."))
    )
    if st.button(t("Share it out"), key=f"{key}.start", icon=":material/account_tree:"):
        with notices.guard():
            wf.start_gradients(ws, explainer.results, said, rows)
            st.rerun()


def _live(explainer: wf.Explainer, said: wf.Said, rows: list[int], key: str) -> None:
    """How far the job is, drawn again every second."""
    ws = state.workspace()
    work = wf.find_gradients(ws, explainer.results, said, rows)
    if work is None or not work.is_live:
        st.rerun(scope="app")
    words = t("loading the network") if not work.fraction else t("sharing out: {share} %", share=round(100 * work.fraction))
    if work.queue_position is not None:
        ahead = tn("waiting, {n} job before it", "waiting, {n} jobs before it", work.queue_position - 1)
        words = t("waiting for its turn") if work.queue_position == 1 else ahead
    st.progress(min(1.0, work.fraction), words)
    label = t("Stopping …") if work.is_stopping else t("Stop")
    if st.button(label, key=f"{key}.stop", icon=":material/stop:", disabled=work.is_stopping):
        wf.stop_gradients(ws, work.job_id)
        st.rerun()


def _gradients(found: wf.Gradients, said: wf.Said, key: str) -> None:
    order = np.argsort(-np.abs(found.by_column), kind="stable")
    names = [found.columns[i] for i in order]
    figure = effect_bars(names=names, effects=found.by_column[order], what=said.what, unit=said.unit, **charts_look())
    charts.show(figure, alt=t("Integrated gradients: most of it from {column}", column=names[0]), key=f"{key}.bars")
    layout.caption(say(found.completeness), t("baseline: the training part's centre"))
    if found.values.shape[1] == 1:
        return
    parts = found.values.mean(axis=0)[:, order]
    figure = parts_over_window(names=names, parts=parts, what=said.what, unit=said.unit, **charts_look())
    charts.show(figure, alt=t("Where in the window the output comes from"), key=f"{key}.window")
    figure = maps_over_window(maps=_maps(found), **charts_look())
    charts.show(figure, alt=t("Which rows of the window counted"), key=f"{key}.maps")
    layout.caption(t("attention and Grad-CAM say where the network looks, not what it concludes"))


def _maps(found: wf.Gradients) -> dict[str, Any]:
    """Maps over the window, each as a share of its largest."""
    maps = {
        t("integrated gradients"): np.abs(found.values).sum(axis=2).mean(axis=0),
        t("gradient × input"): np.abs(found.saliency).sum(axis=2).mean(axis=0),
    }
    if found.activation is not None:
        maps["Grad-CAM"] = found.activation.mean(axis=0)
    if found.attention is not None:
        maps[t("attention")] = found.attention.mean(axis=0)
    return {name: values / max(float(np.max(values)), 1e-300) for name, values in maps.items()}
