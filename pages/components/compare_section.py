"""The open dataset beside another one or an earlier version: what came and went, and whose values are spread otherwise."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core import workflows as wf
from core.data.dataset import Dataset
from pages.components import numbers, state
from pages.components.layout import caption
from pages.components.text import md, say, t
from pages.components.words import project_name


@st.cache_resource(max_entries=8, show_spinner=False)
def _compared(home: str, first: str, second: str) -> Any:
    return wf.compare_datasets(state.workspace(), first, second)


@st.fragment
def show(dataset: Dataset) -> None:
    """Choose the other one, then the table of columns."""
    ws = state.workspace()
    offered = {f"{d.id}:{d.version}": f"{project_name(d.name)} · v{d.version}" for d in wf.comparable(ws, dataset)}
    if not offered:
        st.caption(md(t("There is no other dataset or version yet.")))
        return
    other = st.selectbox(
        t("Compare with"), list(offered), format_func=offered.__getitem__, key=f"compare.{dataset.id}", width=420
    )
    with st.spinner(t("Comparing …")):
        found = _compared(str(ws.home), str(other), f"{dataset.id}:{dataset.version}")
    st.markdown(f"**{md(say(wf.in_a_sentence(found)))}**")
    rows = [_row(c) for c in found.columns]
    rows += [_gone(name, t("only in this dataset")) for name in found.added]
    rows += [_gone(name, t("only in the other")) for name in found.removed]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        key="compare_table",
        height="content" if len(rows) < 10 else 360,
        alt=t("Columns of both datasets and what differs"),
        column_config={
            "column": st.column_config.TextColumn(t("column")),
            "verdict": st.column_config.TextColumn(t("verdict")),
            "distance": st.column_config.TextColumn(t("distance")),
            "psi": st.column_config.TextColumn("PSI"),
            "p": st.column_config.TextColumn(t("p (Holm)")),
            "median": st.column_config.TextColumn(t("median")),
            "missing": st.column_config.TextColumn(t("missing")),
            "changed": st.column_config.TextColumn(t("said otherwise"), width="medium"),
        },
    )
    caption(
        t("{a} rows against {b}", a=numbers.number(found.n_rows[0]), b=numbers.number(found.n_rows[1])),
        t("up to 1,000 values a side a test decides, above it a distance from 0.1 on"),
        t("distance: in standard deviations for numbers, Jensen-Shannon for texts"),
    )


def _row(change: Any) -> dict[str, Any]:
    words = {
        "alike": t("alike"),
        "shifted": t("shifted"),
        "cannot_tell": t("cannot tell: fewer than 30 values"),
        "not_compared": t("not compared"),
    }
    middle = " → ".join("" if m is None else numbers.number(m) for m in change.middle) if change.middle[0] is not None else ""
    return {
        "column": change.name,
        "verdict": words[change.verdict],
        "distance": _figure(change.distance),
        "psi": _figure(change.psi),
        "p": _figure(change.p),
        "median": middle,
        "missing": " → ".join(numbers.percent(share) for share in change.missing),
        "changed": ", ".join(f"{_fact(name)}: {a or '–'} → {b or '–'}" for name, a, b in change.facts),
    }


def _gone(name: str, verdict: str) -> dict[str, Any]:
    return {
        "column": name,
        "verdict": verdict,
        "distance": "",
        "psi": "",
        "p": "",
        "median": "",
        "missing": "",
        "changed": "",
    }


def _fact(name: str) -> str:
    words = {"kind": t("kind"), "role": t("role"), "unit": t("unit"), "lower_limit": "LSL", "nominal": t("nominal")}
    return {**words, "upper_limit": "USL"}[name]


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
