"""Which words of the remarks mattered to the model, over the test part or of one row: each is covered in turn."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core import workflows as wf
from pages.components import layout, notices, numbers, state
from pages.components.text import md, t, tn


@st.cache_data(show_spinner=False, max_entries=16, ttl=900)
def _words(_results: Any, run_id: str, positive: str | None) -> Any:
    return wf.telling_words(state.workspace(), _results, positive)


@st.fragment
def show(results: Any, positive: str | None = None, threshold: float | None = None) -> None:
    """Nothing for a model that reads no free text; else a switch, because covering hundreds of words takes seconds."""
    column = wf.text_column(results)
    if column is None:
        return
    st.header(md(t("Words that matter")), anchor=False)
    is_on = st.toggle(
        t("Cover each word of '{column}' in turn", column=md(column)),
        key="words_on",
        help=md(t("What the output loses without a word is what the word adds to it.")),
    )
    if not is_on:
        return
    with notices.guard():
        found = _words(results, results.run.id, positive)
        up, down = wf.largest(found.words)
        added = _title(found)
        left, right = st.columns(2, gap="medium")
        with left:
            _table(up, added, "words_up", t("Words that raise it most"))
        with right:
            _table(down, added, "words_down", t("Words that lower it most"))
        layout.caption(
            tn("mean over {n} remark of the test part", "mean over {n} remarks of the test part", found.n),
            t("words in fewer than three of them are left out"),
        )
        _one_row(results, positive, threshold)


def _one_row(results: Any, positive: str | None, threshold: float | None) -> None:
    """The words of one row, for the class that was called for it unless another is chosen."""
    number = st.number_input(
        t("Words of one row"), min_value=1, max_value=results.n_rows, value=None, step=1, key="words_row", width=240
    )
    if number is None:
        return
    row = int(number) - 1
    limit = {"threshold": threshold, "positive": positive}
    mine = wf.words_of_row(state.workspace(), results, row, None, **limit)
    # Of this row and what was called for it only: another row, or another limit, calls another class.
    key = f"words_class.{results.run.id}.{row}.{mine.called}"
    chosen = st.session_state.get(key)
    if chosen is not None and chosen != mine.positive:
        mine = wf.words_of_row(state.workspace(), results, row, chosen, **limit)
    if mine.positive is not None:
        classes = list((results.manifest.target or {})["classes"])
        index = classes.index(mine.called) if mine.called in classes else classes.index(mine.positive)
        st.selectbox(t("Class that the words speak for"), classes, index=index, key=key, width=240)
        _said(mine)
    if mine.words:
        _table(mine.words, _title(mine), "words_of_row", t("Words of row {row}", row=row + 1))
    else:
        st.caption(md(t("This row has no remark.")))


def _said(mine: Any) -> None:
    """Which class was called for the row, and whether the words below speak for it."""
    if mine.called is None:
        st.caption(md(t("No class was called for this row; the words are those of '{name}'.", name=mine.positive)))
    elif mine.called == mine.positive:
        st.caption(md(t("The model called this row '{name}'; the words below speak for it.", name=mine.called)))
    else:
        st.caption(
            md(
                t(
                    "The model called this row '{name}'; the words below speak for '{other}'.",
                    name=mine.called,
                    other=mine.positive,
                )
            )
        )


def _title(found: Any) -> str:
    if found.positive is not None:
        return t("adds to the probability of {name}", name=found.positive)
    return t("adds to the prediction") + (f" ({found.unit})" if found.unit else "")


def _table(words: Any, added: str, key: str, alt: str) -> None:
    effects = pd.Series([w.effect for w in words], dtype="float64").to_numpy()
    table = pd.DataFrame({t("word"): [w.word for w in words], added: numbers.five_digits(effects)})
    if key != "words_of_row":
        table[t("remarks")] = [w.n for w in words]
    st.markdown(f"**{md(alt)}**")
    st.dataframe(table, hide_index=True, key=key, height="content", alt=alt)
