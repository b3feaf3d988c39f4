"""The file as it would be read, with every guess in a widget that can correct it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from core import workflows as wf
from core.data.formats.records import Opened, SourceOptions
from core.data.options import Preview, Question, ReadOptions
from core.data.questions import delimiter_name
from pages.components import findings, notices, numbers, sources, state, uploads, words
from pages.components.layout import caption
from pages.components.text import md, say, t, tn
from pages.components.uploads import Upload

ENCODINGS = ("utf-8", "utf-8-sig", "gb18030", "cp1252", "latin-1", "utf-16", "shift_jis", "big5")
SHOWN_COLUMNS = 60
SHOWN_CELL = 200
MOST_RADIOS = 8
MOST_HASHED = 500_000_000
_ONLY_ASKED = ("quote", "escape", "comment", "header_rows", "unnamed", "last_line", "cells", "signs")


def is_wide() -> bool:
    """Whether the file that waits is to be turned: one row a part or cycle, one column a time step."""
    return bool(st.session_state.get("read.form"))


def read_as(upload: Upload) -> tuple[Opened, Preview, ReadOptions]:
    """Draw what can be chosen and corrected about a file: the file opened, what was found in it, what a person changed."""
    opened = sources.opened(upload)
    found = _look(_stamp(opened), opened, "")
    options = _corrections(found.options, opened)
    st.toggle(
        t("Each column is a time step"),
        key=_start("form", False),
        help=t("For a table of one row a part or cycle: it is turned into one row a step, as windows need it."),
    )
    return opened, found, options


def corrected(upload: Upload) -> tuple[Preview, ReadOptions, SourceOptions]:
    """Draw the corrections and the head of the table; the preview and the options that the import should use."""
    rail, main = st.columns([1, 3], gap="medium")
    with rail:
        opened, found, options = read_as(upload)
    preview = _look(_stamp(opened), opened, options.model_dump_json()) if options != ReadOptions() else found
    with main:
        if preview.refusal is not None:
            notices.problem(preview.refusal)
        preview = replace(preview, questions=(*preview.questions, *_late(preview, options)))
        ask(preview.questions, preview.options)
        _suggest_wide(preview)
        _head(preview)
        findings.show(preview.findings, key="preview_findings")
    return preview, options, sources.chosen()


def _suggest_wide(preview: Preview) -> None:
    """Ask whether numbered columns are time steps; nothing is turned and nothing waits for the answer."""
    steps = wf.looks_wide(preview.names)
    if not steps or st.session_state.get("read.form_asked"):
        return
    question = t(
        "Columns '{first}' to '{last}' are numbered: are they time steps of one measurement, or sensors of their own?",
        first=steps[0],
        last=steps[-1],
    )
    with st.container(border=True, key="suggest_wide"):
        st.markdown(md(question))
        with st.container(horizontal=True, gap="small"):
            st.button(t("Time steps: turn the table"), key="turn_wide", icon=":material/pivot_table_chart:", on_click=_turn)
            st.button(t("Sensors: leave it as it is"), key="keep_wide", icon=":material/check:", on_click=_keep_columns)


def _turn() -> None:
    st.session_state["read.form"] = True


def _keep_columns() -> None:
    st.session_state["read.form_asked"] = True


def ask_late(questions: Sequence[Question]) -> None:
    """Ask, with the next run of the script, what only reading the whole file has left open."""
    st.session_state["read.late"] = tuple(questions)


def _late(preview: Preview, options: ReadOptions) -> tuple[Question, ...]:
    """What an import left open and nobody has answered since."""
    asked = {q.code for q in preview.questions}
    late: tuple[Question, ...] = st.session_state.get("read.late", ())
    return tuple(q for q in late if q.code not in asked and getattr(options, q.code, "") is None)


@st.cache_data(max_entries=16, ttl=3600, show_spinner=False)
def _look(stamp: tuple[object, ...], _opened: Opened, options: str) -> Preview:
    """A file is looked through once for each way of reading it, not at every click: its encoding takes all its bytes."""
    return wf.preview_table(_opened, ReadOptions.read(json.loads(options)) if options else None)


def same_as_before(upload: Upload) -> None:
    """Say where a file was imported before; of very large ones only the import finds out, for it takes all bytes."""
    if upload.n_bytes > MOST_HASHED:
        return
    stat = upload.path.stat()
    before = wf.same_original(state.workspace(), _hash(str(upload.path), stat.st_size, stat.st_mtime_ns))
    if before is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        caption(t("The same file was imported before as '{name}'.", name=before.name))
        if st.button(t("Open it instead"), key="open_before", icon=":material/arrow_forward:"):
            sources.tidy()
            uploads.drop()
            st.session_state["_add_file"] = False
            state.go("prepare/data.py", dataset=before.id)


@st.cache_data(max_entries=16, ttl=3600, show_spinner=False)
def _hash(path: str, size: int, changed: int) -> str:
    return wf.hash_of_all([Path(path)])


def _stamp(opened: Opened) -> tuple[object, ...]:
    """What changes when a file or the choice inside it does."""
    found = Path(opened.path).stat()
    chosen = (opened.label, opened.read.model_dump_json(), opened.source.model_dump_json())
    return opened.path, found.st_size, found.st_mtime_ns, *chosen


def _corrections(found: ReadOptions, opened: Opened) -> ReadOptions:
    """One widget an option, starting from what was found; the options that a person has changed.

    A workbook leaves open where the table begins, but not how its cells are written; Parquet leaves nothing open.
    """
    if opened.kind == "parquet":
        st.caption(md(t("Columns and their kinds stand in the file.")))
        return ReadOptions()
    st.markdown(f"**{md(t('How the file is read'))}**")
    values = {**({} if opened.read.delimiter else _text_widgets(found)), **_table_widgets(found)}
    if found.day_first is not None or st.session_state.get("read.day_first") is not None:
        values["day_first"] = _select("day_first", t("03/04/2024 means"), (True, False), found.day_first, _day_word)
    # What has no widget is decided by the answer to its question alone.
    asked = {name: st.session_state.get(f"read.{name}") for name in _ONLY_ASKED}
    values |= {name: value for name, value in asked.items() if value is not None}
    assumed = {"header": True, "units_row": False, "preamble_rows": 0}
    before = {name: assumed.get(name) if getattr(found, name) is None else getattr(found, name) for name in values}
    # An answer that says what was found anyway is an answer all the same.
    answered: frozenset[str] = st.session_state.get("read.answered", frozenset())
    taken = {name: v for name, v in values.items() if v is not None and (v != before[name] or name in answered)}
    return ReadOptions.read(taken)


def _text_widgets(found: ReadOptions) -> dict[str, Any]:
    return {
        "delimiter": _select("delimiter", t("Delimiter"), (",", ";", "\t", "|", " ", ""), found.delimiter, _delimiter_word),
        "decimal": _select("decimal", t("Decimal mark"), (".", ","), found.decimal, _mark_word),
        "thousands": _select("thousands", t("Thousands mark"), ("", ",", ".", " ", "'"), found.thousands, _mark_word),
        "encoding": _select("encoding", t("Encoding"), ENCODINGS, found.encoding, str, accept_new_options=True),
    }


def _table_widgets(found: ReadOptions) -> dict[str, Any]:
    return {
        "header": st.toggle(t("The first row holds the names"), key=_start("header", found.header is not False)),
        "units_row": st.toggle(t("The row below holds units"), key=_start("units_row", bool(found.units_row))),
        "preamble_rows": st.number_input(
            t("Lines above the table"),
            min_value=0,
            max_value=1000,
            step=1,
            key=_start("preamble_rows", found.preamble_rows or 0),
        ),
    }


def _start(name: str, found: Any) -> str:
    """The key of a widget, which starts from what was found."""
    st.session_state.setdefault(f"read.{name}", found)
    return f"read.{name}"


def _select(name: str, label: str, options: tuple[Any, ...], found: Any, word: Any, **more: Any) -> Any:
    key = _start(name, found)
    now = st.session_state[key]
    known = options if now is None or now in options else (*options, now)
    return st.selectbox(label, known, index=None, format_func=word, key=key, placeholder=t("not decided"), **more)


def _delimiter_word(value: str) -> str:
    words = {",": t("comma"), ";": t("semicolon"), "\t": t("tab"), "|": t("vertical bar"), " ": t("space")}
    if value in words:
        return f"{words[value]}  {value}".strip()
    return value if value.strip() and value.isprintable() else say(delimiter_name(value))


def _mark_word(value: str) -> str:
    words = {",": t("comma"), ".": t("point"), "": t("none"), " ": t("space"), "'": t("apostrophe")}
    return f"{words[value]}  {value}".strip() if value in words else value


def _day_word(value: bool) -> str:
    return t("3 April") if value else t("4 March")


def ask(questions: Sequence[Question], options: ReadOptions, prefix: str = "read") -> None:
    """What a file leaves open is asked, never guessed. Many answers are a list to open. `prefix` begins the names under
    which answers are kept."""
    for number, question in enumerate(questions):
        key = f"{prefix}.question.{question.code}.{number}"
        is_short = len(question.options) <= MOST_RADIOS
        widget: Any = st.radio if is_short else partial(st.selectbox, placeholder=t("not decided"))
        with st.container(border=True):
            widget(
                md(say(question.message)),
                range(len(question.options)),
                index=None,
                format_func=partial(_option_word, question),
                key=key,
                on_change=_answer,
                args=(question, key, options, prefix),
            )


def _option_word(question: Question, index: int) -> str:
    return md(say(question.options[index][1]))


def _answer(question: Question, key: str, before: ReadOptions, prefix: str) -> None:
    """Put the answer into the widgets of the corrections, which are the one place that counts.

    Several files have no such widgets: there only what the question asks is kept, as the rest is each file's own.
    """
    chosen = st.session_state.get(key)
    if chosen is None:
        return
    answers = [options.model_dump() for options, _ in question.options]
    for name, value in answers[chosen].items():
        is_asked = name == question.code or any(answer[name] != value for answer in answers)
        is_new = value != getattr(before, name, None) if prefix == "read" else is_asked
        if value is not None and is_new:
            st.session_state[f"{prefix}.{name}"] = value
    if prefix == "read":
        st.session_state["read.answered"] = st.session_state.get("read.answered", frozenset()) | {question.code}
    del st.session_state[key]


def _head(preview: Preview) -> None:
    names = [words.with_unit(name, unit) for name, unit in _labels(preview)]
    rows = [[cell[:SHOWN_CELL] for cell in row[:SHOWN_COLUMNS]] for row in preview.head]
    width = max([len(names), *map(len, rows)], default=0)
    filled = [row + [""] * (width - len(row)) for row in rows]
    table = pd.DataFrame(filled, columns=pd.RangeIndex(width), dtype=str)
    labels = names + [t("column {n}", n=i + 1) for i in range(len(names), width)]
    config = {i: st.column_config.TextColumn(label) for i, label in enumerate(labels)}
    st.dataframe(
        table.rename(columns=str),
        hide_index=True,
        height=300,
        column_config={str(k): v for k, v in config.items()},
        key="preview_table",
        alt=t("The first rows of the file as they would be read"),
    )
    hidden = len(preview.names) - SHOWN_COLUMNS
    more = tn("{n} more column not shown", "{n} more columns not shown", hidden) if hidden > 0 else ""
    first = tn("the first row", "the first {n} rows", len(preview.head)) if preview.head else ""
    st.caption(md(" · ".join(part for part in (tn("{n} column", "{n} columns", len(preview.names)), first, more) if part)))


def _labels(preview: Preview) -> list[tuple[str, str]]:
    units = preview.units or ("",) * len(preview.names)
    return list(zip(preview.names, units, strict=False))[:SHOWN_COLUMNS]


def size_line(upload: Upload) -> str:
    """The file's name and size for a caption."""
    megabytes = upload.n_bytes / 1e6
    return f"{upload.name} · {numbers.number(megabytes, 'MB') if megabytes >= 0.1 else numbers.number(upload.n_bytes, 'B')}"
