"""Numbers and times as people read them: 4 significant digits, thousands separated, local time with zone."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from pages.components.text import language, t, tn


def number(value: float | None, unit: str = "") -> str:
    """`value` with 4 significant digits, thousands separated, and its unit; "–" where there is none.

    Example: 241920 → "241,920"; 0.0213456, "mm" → "0.02135 mm".
    """
    if value is None or pd.isna(value):
        return "–"
    value = float(value)
    if value == round(value) and abs(value) < 1e15 or abs(value) >= 1000:
        text = f"{value:,.0f}"
    else:
        text = f"{value:.4g}"
    return f"{text} {unit}".strip() if unit != "%" else f"{text} %"


def five_digits(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values (n,) rounded to 5 significant digits, as `float(f"{v:.5g}")` would. NaN, infinities, zeros and what lies outside 1e-280 to 1e280 stay."""
    rounded = np.array(values, np.float64)
    known = (np.abs(rounded) > 1e-280) & (np.abs(rounded) < 1e280)
    some = rounded[known]
    places = 4 - np.floor(np.log10(np.abs(some)))
    scale = 10.0 ** np.abs(places)
    rounded[known] = np.where(places >= 0, np.rint(some * scale) / scale, np.rint(some / scale) * scale)
    return rounded


def percent(fraction: float | None) -> str:
    """A fraction 0–1 as "1.8 %"; "–" where there is none. Small shares never round to zero."""
    if fraction is None or pd.isna(fraction):
        return "–"
    value = 100 * float(fraction)
    if 0 < value < 0.1:
        return "< 0.1 %"
    return f"{value:.0f} %" if value >= 99.95 or value == round(value) else f"{value:.1f} %"


def duration(seconds: float | None) -> str:
    """A length of time in the two largest units: "45 s", "2 min", "1 h 5 min"; "–" where unknown."""
    if seconds is None or pd.isna(seconds):
        return "–"
    whole = max(0, round(seconds))
    if whole < 90:
        return t("{n} s", n=whole)
    if whole < 5400:
        return t("{n} min", n=round(whole / 60))
    if whole < 172_800:
        return t("{h} h {m} min", h=whole // 3600, m=(whole % 3600) // 60)
    return tn("{n} day", "{n} days", round(whole / 86_400))


def moment(when: datetime | None, *, seconds: bool = False) -> str:
    """A moment in the reader's own time zone (aware), or as the file wrote it (naive); "–" where there is none."""
    if when is None or pd.isna(when):
        return "–"
    if when.tzinfo is not None:
        when = when.astimezone(zone())
    clock = "%H:%M:%S" if seconds else "%H:%M"
    return when.strftime(f"%Y-%m-%d {clock}") if language() == "zh" else f"{when.day} {when.strftime(f'%b %Y {clock}')}"


def period(first: datetime, last: datetime) -> str:
    """From one moment to another, with the time of day only when they lie within three days."""
    if (last - first).total_seconds() < 3 * 86_400:
        return f"{moment(first)} – {moment(last)}"
    words = "%Y-%m-%d" if language() == "zh" else "%d %b %Y"
    return f"{first.strftime(words)} – {last.strftime(words)}"


def ago(when: datetime | None) -> str:
    """How long ago an aware moment was: "just now", "5 min ago", "3 days ago"."""
    if when is None:
        return "–"
    seconds = (datetime.now(UTC) - when).total_seconds()
    return t("just now") if seconds < 60 else t("{length} ago", length=duration(seconds))


def zone() -> ZoneInfo:
    """The reader's time zone, else UTC."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
