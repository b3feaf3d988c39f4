"""A range of a long chart: chosen by drawing on it, by a slider or exactly; its rows are then drawn in full detail.

Streamlit tells nobody about a zoom, so that a chart of more rows than are drawn has this control beside it. The range is kept by 0-based
position in the session and in the address (`?range=1200-3400`, the last one excluded), and is the same for all charts of one thing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from core.charts import MAX_POINTS
from pages.components import charts, numbers, state
from pages.components.text import md, t

STEPS = 1_000
WRITER = "_range_in_address"  # whose range the address holds: that of another chart means nothing here


class Axis(Protocol):
    """What stands at a position, and where a value stands."""

    def __len__(self) -> int: ...

    def value(self, row: int) -> Any: ...

    def place(self, value: Any, side: str = "left") -> int: ...


@dataclass(frozen=True)
class ArrayAxis:
    """An ascending axis in memory: times, or None for row positions, which stand on it from 1."""

    n: int
    along: NDArray | None = None

    def __len__(self) -> int:
        return self.n

    def value(self, row: int) -> Any:
        row = min(max(row, 0), self.n - 1)
        return row + 1 if self.along is None else self.along[row]

    def place(self, value: Any, side: str = "left") -> int:
        if self.along is None:
            return int(min(max(np.ceil(float(value)) - 1 if side == "left" else np.floor(float(value)), 0), self.n))
        return int(np.searchsorted(self.along, value, side))  # type: ignore[call-overload]


@dataclass(frozen=True)
class Range:
    """Positions `start` to `stop` (exclusive) of `n`."""

    start: int
    stop: int
    n: int

    @property
    def is_whole(self) -> bool:
        return self.stop - self.start == self.n

    @property
    def slice(self) -> slice:
        return slice(self.start, self.stop)


def chosen(key: str, n: int) -> Range:
    """The range of `key` in this session, else the one in the address, else everything."""
    given = st.session_state.get(_name(key))
    if given is None and st.session_state.get(WRITER, key) == key:
        first, _, last = st.query_params.get("range", "").partition("-")
        given = (int(first), int(last)) if first.isdecimal() and last.isdecimal() and len(last) < 12 else None
    start, stop = (0, n) if given is None else (max(0, given[0]), min(n, given[1]))
    return Range(start, stop, n) if stop - start >= 2 else Range(0, n, n)


def show(figure: go.Figure, axis: Axis, *, alt: str, key: str, height: int | None = None) -> None:
    """A chart on which a range can be drawn, with its control below; an ordinary chart where every row is drawn anyway."""
    n = len(axis)
    if n <= MAX_POINTS:
        charts.show(figure, alt=alt, key=key, height=height)
        return
    charts.show_selectable(figure, alt=alt, key=key, height=height, on_box=partial(_drawn, key, axis))
    control(key, axis)


def control(key: str, axis: Axis, *, draws: bool = True) -> None:
    """Slider, exact rows, and the way back to everything. `draws`: a range drawn on the chart is shown, and does nothing else."""
    now = chosen(key, len(axis))
    st.session_state[WRITER] = key
    state.note_in_address("range", "" if now.is_whole else f"{now.start}-{now.stop}")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        _slider(key, axis, now)
        with st.popover(t("Rows"), icon=":material/straighten:", key=f"{key}.exact"):
            _exact(key, now)
        st.button(
            t("Whole range"),
            icon=":material/zoom_out_map:",
            key=f"{key}.whole",
            disabled=now.is_whole,
            on_click=_set,
            args=(key, 0, now.n),
        )
    st.caption(md(_line(now, draws)))


def _line(now: Range, draws: bool) -> str:
    n = now.stop - now.start
    shown = t(
        "rows {first} to {last} of {total}",
        first=numbers.number(now.start + 1),
        last=numbers.number(now.stop),
        total=numbers.number(now.n),
    )
    if n <= MAX_POINTS:
        return f"{shown} · {t('every row is drawn')}"
    more = t("draw a range on the chart to see every row of it") if draws else t("choose a range above to see every row of it")
    return f"{shown} · {more}"


def _slider(key: str, axis: Axis, now: Range) -> None:
    """From and to along the axis. Its own value follows what was drawn or typed."""
    ends = [_plain(axis.value(i)) for i in (0, now.n - 1, now.start, now.stop - 1)]
    low, high, first, last = ends
    name = f"{key}.slider"
    if not low < high:
        return
    st.session_state[name] = (max(low, first), min(high, last))
    step: Any = (high - low) / STEPS
    if isinstance(low, datetime):
        step = max(step, timedelta(seconds=1))
    elif isinstance(low, int):
        step = max(1, int(step))
    st.slider(
        t("Range"),
        low,
        high,
        step=step,
        key=name,
        format=_format(high - low) if isinstance(low, datetime) else None,
        on_change=_slid,
        args=(key, axis),
    )


def _format(span: timedelta) -> str:
    return "YYYY-MM-DD HH:mm:ss" if span < timedelta(days=2) else "YYYY-MM-DD HH:mm"


def _exact(key: str, now: Range) -> None:
    """First and last row as numbers. The keys change with the range, so that the fields start from what is shown."""
    first, last = f"{key}.first.{now.start}", f"{key}.last.{now.stop}"
    with st.form(f"{key}.rows", border=False):
        st.number_input(t("First row"), 1, now.n, now.start + 1, 1, key=first)
        st.number_input(t("Last row"), 1, now.n, now.stop, 1, key=last)
        st.form_submit_button(t("Show rows"), key=f"{key}.show", on_click=_typed, args=(key, first, last))


def _typed(key: str, first: str, last: str) -> None:
    ends = sorted((int(st.session_state[first]), int(st.session_state[last])))
    _set(key, ends[0] - 1, ends[1])


def _slid(key: str, axis: Axis) -> None:
    """One thumb was moved. The other may have been put onto the slider's steps, which are no rows: it stays where it was."""
    first, last = st.session_state[f"{key}.slider"]
    now, near = chosen(key, len(axis)), len(axis) // STEPS + 1
    start, stop = axis.place(_raw(first, axis), "left"), axis.place(_raw(last, axis), "right")
    if start != now.start and abs(stop - now.stop) <= near:
        stop = now.stop
    elif stop != now.stop and abs(start - now.start) <= near:
        start = now.start
    _set(key, start, stop)


def _drawn(key: str, axis: Axis, low: Any, high: Any) -> None:
    """A box was drawn on the chart, from `low` to `high` of its axis."""
    _set(key, *places(axis, low, high))


def places(axis: Axis, low: Any, high: Any) -> tuple[int, int]:
    """The positions from `low` to `high` (exclusive), as the chart tells the ends of a box."""
    return axis.place(_raw(low, axis), "left"), axis.place(_raw(high, axis), "right")


def _set(key: str, start: int, stop: int) -> None:
    if stop - start >= 2:
        st.session_state[_name(key)] = (start, stop)


def _name(key: str) -> str:
    return f"range.{key}"


def _plain(value: Any) -> Any:
    """A value as Streamlit's slider takes it."""
    if isinstance(value, np.datetime64 | pd.Timestamp):
        return pd.Timestamp(value).floor("us").to_pydatetime()
    return float(value) if isinstance(value, float | np.floating) else int(value)


def _raw(value: Any, axis: Axis) -> Any:
    """A value as the axis takes it."""
    if isinstance(axis.value(0), np.datetime64 | pd.Timestamp):
        return np.datetime64(pd.Timestamp(value).tz_localize(None), "us")
    return float(value)
