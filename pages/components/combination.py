"""Several files as one table, shown before it is stored: how they go together, its first rows, what has no partner."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core import workflows as wf
from core.data.formats.records import Combination, SourceOptions, Unmatched
from core.data.options import ReadOptions
from core.errors import Problem
from pages.components import findings, notices, numbers, preview, sources, uploads
from pages.components.layout import Figure, caption, figures
from pages.components.text import md, t, tn
from pages.components.uploads import Upload

WAYS = ("stack", "join", "wide")
PREFIX = "together"
# What an answer about one file may say about all: how its cells are written, not how they are separated.
_FOR_ALL = ("decimal", "thousands", "day_first", "header", "units_row", "cells", "last_line")


def shown(files: Sequence[Upload]) -> wf.Prepared | None:
    """Draw the choices and the table; what was made, or None where it cannot be."""
    rail, main = st.columns([1, 3], gap="medium")
    with rail:
        source = _choices(files)
    with main, notices.guard():
        prepared = _prepared(files, source, _for_all())
        _draw(prepared.combination, len(files), PREFIX)
        return prepared
    return None


def turned(file: Upload) -> wf.Prepared | None:
    """Draw the corrections of one wide file and the long table that it becomes; what was made, or None where it cannot be."""
    rail, main = st.columns([1, 3], gap="medium")
    with rail:
        _, _, options = preview.read_as(file)
        key = st.text_input(
            t("Key"), key=_start("key", ""), help=t("The column that names the part or cycle; empty = found or counted.")
        ).strip()
    with main, notices.guard():
        source = sources.chosen().with_values(combine="wide", key=key or None)
        prepared = _prepared((file,), source, options)
        _draw(prepared.combination, 1, "read")
        return prepared
    return None


def _draw(made: Combination, n_files: int, prefix: str) -> None:
    """The table as it would be stored, with what is open and what was found."""
    preview.ask(made.reading.questions, made.reading.options, prefix)
    figures(_figures(made, n_files))
    _head(made)
    findings.show(made.reading.findings, key="combined_findings")


def _choices(files: Sequence[Upload]) -> SourceOptions:
    st.markdown(f"**{md(t('How the files go together'))}**")
    ways = ("join", "stack", "wide") if _are_different(files) else WAYS
    st.session_state.setdefault("together.combine", ways[0])
    if len(files) == 1:
        how = st.session_state["together.combine"] = "stack"
        st.markdown(md(t("All tables of the archive, one below the other.")))
    else:
        how = st.radio(
            t("Files"),
            ways,
            format_func=_way,
            captions=[_caption(way) for way in ways],
            key="together.combine",
            label_visibility="collapsed",
        )
    key, within, tolerance = None, None, None
    if how in ("join", "wide"):
        key = st.text_input(
            t("Key"), key=_start("key", ""), help=t("The column by which files are joined; empty = found or asked.")
        ).strip()
    if how == "join":
        within = st.text_input(
            t("Same group"),
            key=_start("within", ""),
            help=t("A column such as the machine or the lot: only rows with the same value in it are joined; * = any."),
        ).strip()
        tolerance = st.number_input(
            t("Tolerance"),
            min_value=0.0,
            key=_start("tolerance", 0.0),
            help=t("0 = equal keys only. Otherwise the nearest row within this distance: seconds for times."),
        )
        st.caption(md(t("Every row of '{name}' is kept.", name=files[0].name)))
    return sources.chosen().with_values(
        combine=how,
        key=key or None,
        within=within or None,
        tolerance=tolerance or None,
        columns=st.session_state.get("together.columns"),
    )


def _start(name: str, value: object) -> str:
    """The key of a widget that starts so."""
    if st.session_state.get(f"{PREFIX}.{name}") is None:
        st.session_state[f"{PREFIX}.{name}"] = value
    return f"{PREFIX}.{name}"


def _way(how: str) -> str:
    return {"stack": t("one below the other"), "join": t("side by side"), "wide": t("one file a sensor")}[how]


def _caption(how: str) -> str:
    return {
        "stack": t("same columns; the file's name becomes a group"),
        "join": t("rows with the same key, or nearest in time"),
        "wide": t("one row a cycle, one column a time step"),
    }[how]


def _are_different(files: Sequence[Upload]) -> bool:
    """Whether the files share so few columns that they stand side by side; looked at once for these files."""
    asked = tuple(str(f.path) for f in files)
    kept = st.session_state.get("_different")
    if kept is None or kept[0] != asked:
        with st.spinner(tn("Reading {n} file …", "Reading {n} files …", len(files))):
            kept = (asked, wf.columns_differ([f.path for f in files], sources.workplace(), [f.name for f in files]))
        st.session_state["_different"] = kept
    return bool(kept[1])


def _for_all() -> ReadOptions:
    """What answers have said about how every file is read."""
    answers = {name: st.session_state.get(f"{PREFIX}.{name}") for name in _FOR_ALL}
    # A line holds for one file; that all lines count, or all but rows of totals, holds for each.
    if (answers["last_line"] or 0) > 0:
        answers["last_line"] = None
    return ReadOptions.read({name: value for name, value in answers.items() if value is not None})


def _prepared(files: Sequence[Upload], source: SourceOptions, options: ReadOptions) -> wf.Prepared:
    """Put the files together, once for each choice.

    Raises:
        Problem: they do not go together; kept too, as it would be the same the next time.
    """
    asked = (tuple(str(f.path) for f in files), source, options)
    kept = st.session_state.get("_prepared")
    if kept is None or kept[0] != asked:
        made: wf.Prepared | Problem
        try:
            with sources.bar(tn("Reading {n} file …", "Reading {n} files …", len(files)), _put_away) as progress:
                made = wf.prepare_files(
                    [f.path for f in files],
                    sources.workplace(),
                    names=[f.name for f in files],
                    options=options,
                    source=source,
                    progress=progress,
                    cancelled=progress.is_stopped,
                )
        except Problem as problem:
            made = problem
        kept = st.session_state["_prepared"] = (asked, made)
    if isinstance(kept[1], Problem):
        raise kept[1]
    found: wf.Prepared = kept[1]
    return found


def _put_away() -> None:
    """Whoever stops the reading of several files does not want it begun anew: the files go."""
    sources.tidy()
    uploads.drop()


def _figures(made: Combination, n_files: int) -> list[Figure]:
    reading = made.reading
    shown = [
        Figure(t("Rows"), numbers.number(reading.n_rows), tn("from {n} file", "from {n} files", n_files)),
        Figure(t("Columns"), numbers.number(len(reading.columns))),
    ]
    return [*shown, *(_unmatched(u) for u in made.unmatched[:2])]


def _unmatched(found: Unmatched) -> Figure:
    return Figure(
        t("Without a partner in {file}", file=found.file),
        numbers.number(found.first),
        tn("{n} row of it left out", "{n} rows of it left out", found.other),
    )


def _head(made: Combination) -> None:
    names = [c.name for c in made.reading.columns][: preview.SHOWN_COLUMNS]
    rows = [[cell[: preview.SHOWN_CELL] for cell in row[: len(names)]] for row in made.head]
    table = pd.DataFrame(rows, columns=[str(k) for k in range(len(names))], dtype=str)
    config = {str(k): st.column_config.TextColumn(name) for k, name in enumerate(names)}
    st.dataframe(
        table,
        hide_index=True,
        height=300,
        column_config=config,
        key="combined_table",
        alt=t("The first rows of the files as one table"),
    )
    roles = [c.name for c in made.reading.columns if c.role == "group"] + [
        c.name for c in made.reading.columns if c.role == "time"
    ]
    caption(
        tn("the first row", "the first {n} rows", len(rows)) if rows else "",
        t("group and time: {names}", names=", ".join(roles)) if roles else "",
    )


def open_questions(prepared: wf.Prepared | None) -> int:
    """How many questions are open."""
    return 0 if prepared is None else len(prepared.combination.reading.questions)


def title_of(files: Sequence[Upload]) -> str:
    """The name that the dataset gets unless a person says otherwise."""
    return files[0].title if len(files) == 1 else f"{files[0].title} + {len(files) - 1}"


def headline_of(files: Sequence[Upload], prepared: wf.Prepared | None) -> str:
    """The finding of the screen."""
    if prepared is None:
        return tn("{n} file does not go together yet", "{n} files do not go together yet", len(files))
    reading = prepared.combination.reading
    return t(
        "Check the table of {rows} rows from {files}, then import it",
        rows=numbers.number(reading.n_rows),
        files=say_files(files),
    )


def say_files(files: Sequence[Upload]) -> str:
    """The files in a few words."""
    return f"'{files[0].name}'" if len(files) == 1 else tn("{n} file", "{n} files", len(files))
