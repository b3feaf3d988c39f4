"""Data: bring a file in, correct how it is read, and say what each column is."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core import workflows as wf
from core.data.dataset import Dataset
from core.data.options import LineCount, Question, ReadOptions
from core.data.summary import Summary
from core.errors import Problem
from core.messages import msg
from pages.components import column_table, findings, notices, numbers, preview, rejected_rows, reshape, state, uploads
from pages.components.layout import Figure, caption, confirm, empty_picture, figures, headline, next_step
from pages.components.text import md, say, t, tn
from pages.components.words import project_name

UPLOAD_HELP = "CSV, TSV, TXT, GZ · 200 MB"


def show() -> None:
    """The screen: an import in progress, the open dataset, or the way in."""
    dataset, waiting = state.dataset(), uploads.current()
    if waiting is not None:
        _import(waiting)
    elif dataset is None or st.session_state.get("_add_file"):
        _way_in(dataset)
    else:
        _dataset(dataset)


def _way_in(dataset: Dataset | None) -> None:
    headline(t("Bring a table: one row a part, a cycle or a moment"))
    st.markdown(
        md(t("Andon finds delimiter, decimal mark, encoding, header and units, and shows them before anything is stored."))
    )
    uploads.ask(t("File"), t("The file stays on this machine."))
    caption(UPLOAD_HELP, t("The file stays on this machine."))
    if dataset is not None:
        if st.button(
            t("Back to '{name}'", name=md(project_name(dataset.name))), key="cancel_add", icon=":material/arrow_back:"
        ):
            st.session_state["_add_file"] = False
            st.rerun()
        return
    empty_picture(
        t("The columns of your file will be listed here: role, unit, limits, missing share, range, trend and findings.")
    )


def _import(waiting: uploads.Upload) -> None:
    head = st.container()
    caption(preview.size_line(waiting))
    options: ReadOptions | None = None
    questions: tuple[Question, ...] = ()
    refusal: Problem | None = None
    with notices.guard():
        try:
            shown, options = preview.corrected(waiting)
            questions, refusal = shown.questions, shown.refusal
        except Problem as problem:
            refusal = problem
            raise
    with head:
        ready = t("Check how '{name}' is read, then import it", name=waiting.name)
        headline(ready if refusal is None else say(refusal.what))
    row = st.container(horizontal=True, vertical_alignment="bottom")
    with row:
        name = st.text_input(t("Name of the dataset"), value=waiting.title, max_chars=100, key="read.name", width=320)
        wanted = st.button(
            t("Import file"),
            type="primary",
            icon=":material/download_done:",
            key="import_file",
            disabled=options is None or bool(questions) or refusal is not None,
        )
        if st.button(t("Choose another file"), key="drop_file"):
            uploads.drop()
            st.session_state["_add_file"] = True
            st.rerun()
    if questions:
        caption(tn("{n} question is open: answer it above.", "{n} questions are open: answer them above.", len(questions)))
    if wanted:
        with notices.guard():
            _bring_in(waiting, name or waiting.title, options)


def _bring_in(waiting: uploads.Upload, name: str, options: ReadOptions | None) -> None:
    with st.spinner(t("Reading '{name}' …", name=md(waiting.name))):
        imported = wf.import_file(state.workspace(), waiting.path, name=name.strip(), options=options, source_name=waiting.name)
    if imported.dataset is None:
        findings.show(imported.findings, key="import_findings")
        return
    st.session_state["_add_file"] = False
    uploads.drop()
    notices.done(msg("'{name}' is imported: {n} rows.", name=imported.dataset.name, n=imported.dataset.n_rows))
    state.open_now(dataset=imported.dataset.id)


@st.cache_data(max_entries=32, show_spinner=False)
def _summary(home: str, dataset_id: str, version: int) -> Summary:
    return wf.summarise_dataset(state.workspace(), dataset_id, version)


def _dataset(dataset: Dataset) -> None:
    ws = state.workspace()
    summary = _summary(str(ws.home), dataset.id, dataset.version)
    needing = [c for c in summary.columns if any(f.severity != "info" for f in c.findings)]
    row = st.container(horizontal=True, vertical_alignment="center")
    with row:
        headline(_finding(dataset, len(needing)))
        _actions(ws, dataset)
    figures(_figures(dataset, summary))
    reshape.origin(ws, dataset)
    lines = wf.dataset_lines(ws, dataset.id)
    if lines is not None and lines.rejected:
        _import_report(dataset, lines)
    changed, problem_free = dataset.columns, False
    with notices.guard():
        changed = column_table.edit(dataset, summary)
        problem_free = True
    caption(
        t("LSL and USL: specification limits from the customer"),
        t("target: what you want to predict"),
        t("group: lot, unit or serial, kept together in the split"),
    )
    dirty = changed != dataset.columns
    if st.button(t("Save roles and limits"), type="primary", key="save_columns", disabled=not (dirty and problem_free)):
        with notices.guard():
            saved = wf.change_columns(ws, dataset.id, changed)
            notices.done(msg("Saved as version {version}.", version=saved.version))
            state.open_now(dataset=saved.id)
    if lines is not None and not lines.rejected:
        _import_report(dataset, lines)
    _next(needing)


def _finding(dataset: Dataset, n_needing: int) -> str:
    total = len(dataset.columns)
    if n_needing:
        return tn(
            "{n} of {total} columns needs attention before training",
            "{n} of {total} columns need attention before training",
            n_needing,
            total=total,
        )
    return tn("The only column is ready", "All {n} columns are ready", total)


def _figures(dataset: Dataset, summary: Summary) -> list[Figure]:
    roles = {role: len(dataset.with_role(role)) for role in ("sensor", "target")}
    target = ", ".join(c.name for c in dataset.with_role("target")) or t("no target yet")
    period = _period(summary.period)
    longest = max(summary.columns, key=lambda c: c.missing_fraction, default=None)
    worst = (
        f"{longest.name}: {numbers.percent(longest.missing_fraction)}" if longest and longest.missing_fraction else t("no gaps")
    )
    return [
        Figure(t("Rows"), numbers.number(summary.n_rows), period),
        Figure(t("Sensors"), numbers.number(roles["sensor"]), tn("of {n} column", "of {n} columns", summary.n_columns)),
        Figure(t("Missing cells"), numbers.percent(summary.missing_fraction), worst),
        Figure(t("To predict"), numbers.number(roles["target"]), target),
    ]


def _period(period: Any) -> str:
    if not period:
        return t("no time column")
    first, last = period
    if isinstance(first, (int, float)):
        return f"{numbers.number(first)} … {numbers.number(last)}"
    return numbers.period(first, last)


def _actions(ws: wf.Workspace, dataset: Dataset) -> None:
    if st.button(t("Add a file"), icon=":material/upload_file:", key="add_file"):
        st.session_state["_add_file"] = True
        st.rerun()
    reshape.button(dataset)
    with st.popover(t("Rename"), icon=":material/edit:"):
        name = st.text_input(t("Name of the dataset"), value=dataset.name, max_chars=100, key=f"rename_{dataset.id}")
        if st.button(t("Rename dataset"), key="rename_dataset", disabled=not name.strip() or name == dataset.name):
            with notices.guard():
                wf.rename_dataset(ws, dataset.id, name.strip())
                st.rerun()
    gone = t(
        "'{name}' with all its versions will be gone, and no new run can use it. Finished runs and reports stay.",
        name=dataset.name,
    )
    if confirm(t("Delete dataset"), gone, key="delete_dataset"):
        with notices.guard():
            wf.delete_dataset(ws, dataset.id)
            notices.done(msg("'{name}' is deleted.", name=dataset.name))
            state.forget()


def _import_report(dataset: Dataset, lines: LineCount) -> None:
    """Where each line of the file went, and the rejected rows to take away."""
    found = wf.dataset_findings(state.workspace(), dataset.id)
    with st.expander(_line_account(lines), expanded=bool(lines.rejected), icon=":material/fact_check:"):
        findings.show([f for f in found if not f.column], key="imported_findings")
        if lines.rejected:
            rejected_rows.download(dataset.id, lines.rejected)


def _line_account(lines: LineCount) -> str:
    return md(
        t(
            "{total} lines = {header} header + {preamble} above + {comment} comments + {blank} blank"
            " + {accepted} accepted + {rejected} rejected",
            total=lines.total,
            header=lines.header,
            preamble=lines.preamble,
            comment=lines.comment,
            blank=lines.blank,
            accepted=lines.accepted,
            rejected=lines.rejected,
        )
    )


def _next(needing: list[Any]) -> None:
    if needing:
        reason = tn(
            "{n} column has gaps, outliers or a constant: look at it before training.",
            "{n} columns have gaps, outliers or constants: look at them before training.",
            len(needing),
        )
        next_step("prepare/clean.py", t("Clean the data"), reason)
    else:
        next_step("learn/train.py", t("Train a model"), t("Nothing in the data stands in the way of a first model."))


show()
