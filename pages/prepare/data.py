"""Data: bring a file in, correct how it is read, and say what each column is."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core import workflows as wf
from core.data.dataset import Dataset
from core.data.formats.records import SourceOptions
from core.data.options import LineCount, Question, ReadOptions
from core.data.summary import Summary
from core.errors import Problem
from core.messages import msg
from core.workflows.privacy import Treatment
from pages.components import (
    audit_section,
    column_table,
    combination,
    compare_section,
    findings,
    notices,
    numbers,
    preview,
    privacy_choice,
    readiness,
    rejected_rows,
    reshape,
    series_section,
    sources,
    state,
    uploads,
)
from pages.components.layout import Figure, caption, confirm, empty_picture, figures, headline, next_step
from pages.components.text import md, say, t, tn
from pages.components.words import project_name

NAMED_FILES = 4


def show() -> None:
    """The screen: an import in progress, the open dataset, or the way in."""
    dataset, waiting = state.dataset(), uploads.current()
    if waiting is not None and (len(uploads.waiting()) > 1 or sources.is_all()):
        _import_together(uploads.waiting())
    elif waiting is not None and preview.is_wide():
        _import_together((waiting,), is_wide=True)
    elif waiting is not None:
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
    uploads.ask()
    caption(t("several files at once become one table"), t("The file stays on this machine."))
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
    source = SourceOptions()
    questions: tuple[Question, ...] = ()
    refusal: Problem | None = None
    names: tuple[str, ...] = ()
    with notices.guard():
        try:
            shown, options, source = preview.corrected(waiting)
            names = shown.names
            questions, refusal = shown.questions, shown.refusal
        except Problem as problem:
            refusal = problem
            raise
    with head:
        ready = t("Check how '{name}' is read, then import it", name=waiting.name)
        headline(ready if refusal is None else say(refusal.what))
        preview.same_as_before(waiting)
    row = st.container(horizontal=True, vertical_alignment="bottom")
    with row:
        name = st.text_input(t("Name of the dataset"), value=waiting.title, max_chars=100, key="read.name", width=320)
        private = privacy_choice.choose(names)
        wanted = st.button(
            t("Import file"),
            type="primary",
            icon=":material/download_done:",
            key="import_file",
            disabled=options is None or bool(questions) or refusal is not None,
        )
        _another()
    if questions:
        caption(tn("{n} question is open: answer it above.", "{n} questions are open: answer them above.", len(questions)))
    if wanted:
        with notices.guard():
            _bring_in(waiting, name or waiting.title, options, source, private)


def _bring_in(
    waiting: uploads.Upload,
    name: str,
    options: ReadOptions | None,
    source: SourceOptions,
    private: dict[str, Treatment],
) -> None:
    with sources.bar(t("Reading '{name}' …", name=md(waiting.name))) as progress:
        imported = wf.import_file(
            state.workspace(),
            waiting.path,
            name=name.strip(),
            options=options,
            source_name=waiting.name,
            source=source,
            progress=progress,
            cancelled=progress.is_stopped,
            privacy=private or None,
        )
    if imported.questions:
        preview.ask_late(imported.questions)
        st.rerun()
    _open(imported)


def _import_together(files: tuple[uploads.Upload, ...], *, is_wide: bool = False) -> None:
    """Several files, all of an archive, or one wide file that is turned: a table that is shown before it is stored."""
    head = st.container()
    caption(*(preview.size_line(file) for file in files[:NAMED_FILES]), "…" if len(files) > NAMED_FILES else "")
    prepared = None
    with notices.guard():
        prepared = combination.turned(files[0]) if is_wide else combination.shown(files)
    with head:
        headline(combination.headline_of(files, prepared))
    n_open = combination.open_questions(prepared)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(
            t("Name of the dataset"), value=combination.title_of(files), max_chars=100, key="read.name", width=320
        )
        private = privacy_choice.choose([c.name for c in prepared.combination.reading.columns] if prepared else ())
        wanted = st.button(
            t("Import file") if is_wide else t("Import as one table"),
            type="primary",
            icon=":material/download_done:",
            key="import_file",
            disabled=prepared is None or n_open > 0,
        )
        _another()
    if n_open:
        caption(tn("{n} question is open: answer it above.", "{n} questions are open: answer them above.", n_open))
    if wanted:
        with notices.guard(), st.spinner(t("Storing the table …")):
            paths, names = [f.path for f in files], [f.name for f in files]
            _open(
                wf.import_files(
                    state.workspace(),
                    paths,
                    names=names,
                    name=(name or combination.title_of(files)).strip(),
                    prepared=prepared,
                    privacy=private or None,
                )
            )


def _another() -> None:
    if st.button(t("Choose another file"), key="drop_file"):
        sources.tidy()
        uploads.drop()
        st.session_state["_add_file"] = True
        st.rerun()


def _open(imported: wf.Imported) -> None:
    """Go to the new dataset, or say what kept it from being made."""
    if imported.dataset is None:
        findings.show(imported.findings, key="import_findings")
        return
    st.session_state["_add_file"] = False
    sources.tidy()
    uploads.drop()
    notices.done(msg("'{name}' is imported: {n} rows.", name=imported.dataset.name, n=imported.dataset.n_rows))
    state.go("prepare/screening.py", dataset=imported.dataset.id)


@st.cache_data(max_entries=32, show_spinner=False)
def _summary(home: str, dataset_id: str, version: int) -> Summary:
    return wf.summarise_dataset(state.workspace(), dataset_id, version)


def _dataset(dataset: Dataset) -> None:
    ws = state.workspace()
    summary = _summary(str(ws.home), dataset.id, dataset.version)
    needing = [c for c in summary.columns if any(f.severity != "info" for f in c.findings)]
    row = st.container(horizontal=True, vertical_alignment="center")
    with row:
        headline(readiness.finding_of(dataset))
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
    over_time = st.expander(t("Over time, and periods that are left out"), key="over_time", on_change="rerun")
    if over_time.open:
        with over_time, notices.guard():
            series_section.show(dataset)
    compared = st.expander(t("Compare with another dataset or version"), key="compared", on_change="rerun")
    if compared.open:
        with compared, notices.guard():
            compare_section.show(dataset)
    trail = st.expander(t("Audit trail and deletion"), key="trail", on_change="rerun")
    if trail.open:
        with trail, notices.guard():
            audit_section.show(dataset)
    _next(needing)


def _figures(dataset: Dataset, summary: Summary) -> list[Figure]:
    n_sensors = sum(c.kind != "text" for c in dataset.with_role("sensor"))
    target = ", ".join(c.name for c in dataset.with_role("target")) or t("no target yet")
    period = _period(summary.period)
    longest = max(summary.columns, key=lambda c: c.missing_fraction, default=None)
    worst = (
        f"{longest.name}: {numbers.percent(longest.missing_fraction)}" if longest and longest.missing_fraction else t("no gaps")
    )
    return [
        Figure(t("Rows"), numbers.number(summary.n_rows), period),
        Figure(t("Sensors"), numbers.number(n_sensors), tn("of {n} column", "of {n} columns", summary.n_columns)),
        Figure(t("Missing cells"), numbers.percent(summary.missing_fraction), worst),
        Figure(t("To predict"), numbers.number(len(dataset.with_role("target"))), target),
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
    if wf.has_original(ws, dataset.id) and st.button(
        t("Read the file again"),
        icon=":material/replay:",
        key="read_again",
        help=t("The original is kept: read it with other options into another dataset."),
    ):
        with notices.guard(), st.spinner(t("Unpacking the original …")):
            uploads.bring_back(dataset.id)
    reshape.button(dataset)
    with st.popover(t("Rename"), icon=":material/edit:"):
        name = st.text_input(t("Name of the dataset"), value=dataset.name, max_chars=100, key=f"rename_{dataset.id}")
        if st.button(t("Rename dataset"), key="rename_dataset", disabled=not name.strip() or name == dataset.name):
            with notices.guard():
                wf.rename_dataset(ws, dataset.id, name.strip())
                st.rerun()
    gone = t(
        "'{name}' with all its versions will be gone, and no new run can use it. Finished runs and reports stay. Once none "
        "shows its rows, its files lie in the folder 'trash' for a month; backups made earlier still hold it.",
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
    reason = t("Every column gets a grade with its reasons, each with a fix.")
    if needing:
        reason = tn(
            "{n} column has gaps or is constant: see what to do about it.",
            "{n} columns have gaps or are constant: see what to do about them.",
            len(needing),
        )
    next_step("prepare/screening.py", t("Screen the columns"), reason)


show()
