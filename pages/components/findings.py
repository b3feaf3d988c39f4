"""Findings about the data as a short list: icon, word and sentence, the serious ones first."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.data.findings import Finding
from pages.components.text import md, say, t, tn

_ORDER = {"stop": 0, "warn": 1, "info": 2}
_ICONS = {"stop": ":red[:material/block:]", "warn": ":orange[:material/warning:]", "info": ":gray[:material/info:]"}


def severity_word(severity: str) -> str:
    """The word that goes with the icon."""
    return {"stop": t("stops"), "warn": t("attention"), "info": t("to know")}.get(severity, severity)


def show(findings: Sequence[Finding], *, limit: int = 6, key: str = "findings") -> None:
    """The findings, at most `limit` at once; the rest opens on demand."""
    ordered = sorted(findings, key=lambda f: _ORDER.get(f.severity, 3))
    if ordered:
        st.markdown(_lines(ordered[:limit]))
    if len(ordered) > limit:
        rest = len(ordered) - limit
        with st.expander(tn("{n} more finding", "{n} more findings", rest), key=key):
            st.markdown(_lines(ordered[limit:]))


def line(findings: Sequence[Finding]) -> str:
    """The findings of one column in a plain line for a table cell."""
    ordered = sorted(findings, key=lambda f: _ORDER.get(f.severity, 3))
    return "; ".join(say(f.message) for f in ordered)


def _lines(findings: Sequence[Finding]) -> str:
    return "\n".join(
        f"- {_ICONS.get(f.severity, '')} **{md(severity_word(f.severity))}**: {md(say(f.message))}" for f in findings
    )
