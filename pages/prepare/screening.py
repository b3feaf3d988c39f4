"""Screening: which columns need attention before anything is trained, why, and what one click does about it."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from core import workflows as wf
from core.data.dataset import Dataset
from core.messages import msg
from core.screening import Screening
from pages.components import notices, numbers, readiness, screening_detail, screening_table, state
from pages.components.layout import Figure, caption, empty, figures, headline, next_step
from pages.components.text import language, md, say, t, tn
from pages.components.words import project_name

NAMED_LEAKS = 2
POLL_SECONDS = 1.0


def show() -> None:
    """The screen: empty, at work, or the table."""
    dataset = state.dataset()
    if dataset is None:
        empty(
            t("No data to screen yet"),
            t("Every column will stand here with its grade, its reasons and a fix for each."),
            action=t("Bring a file"),
            page="prepare/data.py",
        )
        return
    ws = state.workspace()
    if not wf.is_screened(ws, dataset.id, dataset.version):
        if wf.is_large(dataset):
            _by_job(dataset)
            return
        _at_once(dataset)
    found = wf.with_decisions(ws, dataset, _kept(str(ws.home), dataset.id, dataset.version))
    is_newest = wf.open_dataset(ws, dataset.id).version == dataset.version
    _screened(found, is_newest)


def _at_once(dataset: Dataset) -> None:
    """A small table, with its progress. Leaving the screen stops the work."""
    headline(_looking(dataset))
    place = st.empty()

    def told(done: int, total: int) -> None:
        place.progress(done / max(1, total), t("{done} of {total} columns", done=done, total=total))

    wf.screen_dataset(state.workspace(), dataset.id, dataset.version, progress=told)
    st.rerun()


def _looking(dataset: Dataset) -> str:
    return t("Looking at {n} columns of '{name}' …", n=len(dataset.columns), name=project_name(dataset.name))


def _by_job(dataset: Dataset) -> None:
    """A large table: a job that goes on when the screen is left, with Stop; one that ended without a result can begin again."""
    ws = state.workspace()
    work = wf.find_screening(ws, dataset) or wf.start_screening(ws, dataset)
    if work.is_live:
        headline(_looking(dataset))
        st.fragment(_work, run_every=POLL_SECONDS)(dataset)
        return
    headline(
        t("The screening of '{name}' was stopped", name=project_name(dataset.name))
        if work.state == "cancelled"
        else t("The screening of '{name}' did not come to its end", name=project_name(dataset.name))
    )
    if work.problem is not None:
        notices.problem(work.problem)
    if st.button(t("Screen it again"), key="screen_again", type="primary", icon=":material/restart_alt:"):
        with notices.guard():
            wf.start_screening(ws, dataset)
            st.rerun()


def _work(dataset: Dataset) -> None:
    """How far the job is, drawn again every second."""
    ws = state.workspace()
    work = wf.find_screening(ws, dataset)
    if work is None or not work.is_live:
        st.rerun(scope="app")
    if work.queue_position is not None:
        words = tn("waiting, {n} job before it", "waiting, {n} jobs before it", work.queue_position - 1)
        words = t("waiting for its turn") if work.queue_position == 1 else words
    elif not work.total:
        words = t("starting")
    else:
        words = t("{done} of {total} columns", done=work.done, total=work.total)
    st.progress(work.done / max(1, work.total), words)
    caption(t("A table of this size takes its time. You may leave this screen: the work goes on."))
    label = t("Stopping …") if work.is_stopping else t("Stop")
    if st.button(label, key="stop_screening", icon=":material/stop:", disabled=work.is_stopping):
        wf.stop_screening(ws, work.job_id)
        st.rerun()


@st.cache_resource(max_entries=8, show_spinner=False)
def _kept(home: str, dataset_id: str, version: int) -> Screening:
    """A frozen record, so that sessions may share it."""
    return wf.screen_dataset(state.workspace(), dataset_id, version)


def _screened(found: wf.Screened, is_newest: bool) -> None:
    headline(readiness.finding(found))
    figures(_figures(found))
    for reason in found.screening.reasons:
        if wf.key_of(reason) not in found.left:
            screening_detail.reason_card(found, reason, is_newest=is_newest)
    if any(reason.code.startswith("import_") for reason in found.screening.reasons):
        st.page_link("prepare/data.py", label=md(t("See how the file was read")), icon=":material/fact_check:")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        shown = screening_table.filters(found)
        st.space("stretch")
        _decide(found, is_newest)
    # Above the table: its own tools appear over what stands there, which must not be a button.
    has_groups = bool(found.dataset.with_role("group")) and all(c.in_control is None for c in found.screening.columns)
    caption(
        t("Grades: A ready, B usable with care, C act first"),
        t("in control and drift are not judged: the rows belong to several groups")
        if has_groups
        else t("in control: share of rows inside the limits of the baseline period, Nelson's rules 1 to 4"),
        t("a row opens its detail"),
    )
    screening_table.show(found, shown)
    if not shown:
        st.info(md(t("No column passes these filters.")), icon=":material/filter_alt_off:")
    picked = st.session_state.get("screening_pick")
    column = next((c for c in shown if c.name == picked), shown[0] if shown else None)
    if column is not None:
        screening_detail.show(found, column, is_newest=is_newest)
    _next(found)


def _figures(found: wf.Screened) -> list[Figure]:
    screening, grades, leaks = found.screening, found.grades, found.leaks
    gap = t("no gaps")
    if screening.longest_gap is not None:
        gap = t("longest gap {length}", length=screening.longest_gap)
    names = ", ".join(r.column for r in leaks[:NAMED_LEAKS]) + (" …" if len(leaks) > NAMED_LEAKS else "")
    has_target = bool(found.dataset.with_role("target"))
    return [
        Figure(
            t("Rows"),
            numbers.number(screening.n_rows),
            _period(screening.first, screening.last),
            help=say(screening.every) if screening.every is not None else "",
        ),
        Figure(
            t("Grade A / B / C"),
            f"{grades['A']} / {grades['B']} / {grades['C']}",
            tn("of {n} column", "of {n} columns", sum(grades.values())),
        ),
        Figure(t("Missing cells"), numbers.percent(screening.missing), gap),
        Figure(
            t("Possible leaks"),
            numbers.number(len(leaks)) if has_target else "–",
            names if leaks else t("none found") if has_target else t("no target yet"),
            help=t("Columns that tell the target alone, or are known only with it. Whether they may be used only you can say."),
        ),
    ]


def _period(first: str, last: str) -> str:
    """From the first to the last time in as few words as possible; numbers as they are."""
    if not first:
        return t("no time column")
    try:
        start, end = datetime.fromisoformat(first), datetime.fromisoformat(last)
    except ValueError:
        return f"{first} – {last}"
    if start.year != end.year or start.date() == end.date():
        return numbers.period(start, end)
    if language() == "zh":
        return f"{start:%Y-%m-%d} – {end:%m-%d}"
    return f"{start.day} {start:%b} – {end.day} {end:%b %Y}"


def _decide(found: wf.Screened, is_newest: bool) -> None:
    proposed = [wf.key_of(r) for r in found.proposed]
    if found.left and st.button(
        tn("Take back {n} decision", "Take back {n} decisions", len(found.left)), key="take_all_back", type="tertiary"
    ):
        screening_detail.decide(found, sorted(found.left), left=False)
    if st.button(
        t("Leave as it is"), key="leave_all", disabled=not proposed, help=md(t("Remember these findings as they should be."))
    ):
        screening_detail.decide(found, proposed, left=True)
    if st.button(
        tn("Apply {n} proposed fix", "Apply {n} proposed fixes", len(proposed)),
        key="apply_fixes",
        type="primary",
        icon=":material/build:",
        disabled=not proposed or not is_newest,
    ):
        screening_detail.apply(found, proposed)
    if not is_newest:
        notices.note(msg("This is an earlier version; fixes are applied to the newest one."))


def _next(found: wf.Screened) -> None:
    if found.recipe.steps:
        n = len(found.recipe.steps)
        reason = tn("The recipe has {n} step: see what it changes.", "The recipe has {n} steps: see what they change.", n)
        next_step("prepare/clean.py", t("Clean the data"), reason)
    elif not found.screening.n_rows:
        next_step("prepare/data.py", t("Add a file"), t("A model needs rows to learn from."))
    elif found.grades["C"]:
        next_step("prepare/data.py", t("Roles and limits"), t("Roles, units and specification limits are set there."))
    else:
        next_step("learn/train.py", t("Train a model"), t("Nothing in the data stands in the way of a first model."))


show()
