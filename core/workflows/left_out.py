"""Points that a person leaves out of the limits of a control chart, each with its cause: read from settings, found among the points, told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import SettingProblem
from core.messages import Message, msg, msg_n

MOST_TOLD = 8
MOST_DIGITS = 15
"""Of a row; a number of more is none of any table."""
_ENTRY = re.compile(r"\s*(\d+)\s*(?:[-–]\s*(\d+)\s*)?[:：]\s*(.*\S)\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Rows of the table from `first` to `last`, counted from 1, with the cause; `points` (k,) are the places of their points on the chart."""

    first: int
    last: int
    cause: str
    points: tuple[int, ...] = ()

    @property
    def rows(self) -> str:
        """The rows as they are written."""
        return f"{self.first}" if self.first == self.last else f"{self.first}-{self.last}"

    @property
    def entry(self) -> str:
        """The entry as it stands in the settings."""
        return f"{self.rows}:{self.cause}"


def read_left_out(entries: Sequence[str], n_rows: int) -> tuple[LeftOut, ...]:
    """Entries such as "31:sensor unplugged" and "40-45:tool change".

    Args:
        entries: As the settings have them.
        n_rows: Rows of the table.

    Raises:
        SettingProblem: An entry that has no rows or no cause, or rows that the table does not have.
    """
    return tuple(_read(entry, n_rows) for entry in entries)


def _read(entry: str, n_rows: int) -> LeftOut:
    found = _ENTRY.fullmatch(entry)
    if found is None:
        raise SettingProblem(
            msg("'{entry}' does not say which rows are left out, and why.", entry=entry[:80]),
            msg("Expected a row or rows from–to of the table, a colon and the cause."),
            msg("Write for example 31:sensor unplugged, or 40-45:tool change."),
        )
    first, last = _row(found[1]), _row(found[2] or found[1])
    if not 1 <= first <= last <= n_rows:
        raise SettingProblem(
            msg(
                "Rows {first} to {last} were to be left out, and the table has {n}.",
                first=_short(found[1]),
                last=_short(found[2] or found[1]),
                n=n_rows,
            ),
            msg("Rows are counted from 1, and the last is not before the first."),
            msg("Correct the rows."),
        )
    return LeftOut(first, last, found[3])


def _row(digits: str) -> int:
    """The number of a row; of more digits than any table has rows 0, because Python reads no number of more than 4,300 digits."""
    digits = digits.lstrip("0")
    return int(digits or 0) if len(digits) <= MOST_DIGITS else 0


def _short(digits: str) -> str:
    return digits if len(digits) <= MOST_DIGITS else f"{digits[:MOST_DIGITS]}…"


def entries_of(rows: Sequence[int], text: str, cause: str) -> tuple[str, ...]:
    """Entries for settings from rows that were chosen and rows that were written, such as "31, 40-45", with one cause.

    Raises:
        SettingProblem: No row, no cause, or a text that is no list of rows.
    """
    parts = [part.strip() for part in re.split(r"[,;，；、\s]+", re.sub(r"\s*[-–]\s*", "-", text)) if part.strip()]
    wrong = next((part for part in parts if not re.fullmatch(r"\d+(-\d+)?", part)), None)
    if wrong is not None or not (parts or rows):
        raise SettingProblem(
            msg("'{rows}' names no rows.", rows=wrong if wrong is not None else text),
            msg("Expected rows of the table with commas between them."),
            msg("Write for example 31, 40-45, or choose signals."),
        )
    if not cause.strip():
        raise SettingProblem(
            msg("There is no cause yet."),
            msg("A point may be left out where its cause is known; without one it belongs to the process."),
            msg("Write what happened."),
        )
    return tuple(f"{part}:{cause.strip()}" for part in [*_joined(rows), *parts])


def _joined(rows: Sequence[int]) -> list[str]:
    """Rows, counted from 1, with neighbours written as from-to."""
    found: list[list[int]] = []
    for row in sorted(set(rows)):
        if found and row == found[-1][1] + 1:
            found[-1][1] = row
        else:
            found.append([row, row])
    return [f"{a}" if a == b else f"{a}-{b}" for a, b in found]


def with_points(entries: Sequence[LeftOut], rows: NDArray[np.int64], point: NDArray[np.int64]) -> tuple[LeftOut, ...]:
    """The entries with the points that hold their rows.

    Args:
        rows: (n,) the row of the table, from 0, of each value in the order of the chart.
        point: (n,) the place of the point to which each value belongs.
    """
    found = []
    for entry in entries:
        inside = (rows >= entry.first - 1) & (rows <= entry.last - 1)
        found.append(LeftOut(entry.first, entry.last, entry.cause, tuple(int(i) for i in np.unique(point[inside]))))
    return tuple(found)


def mask_of(entries: Sequence[LeftOut], n: int) -> NDArray[np.bool_]:
    """Which of n points are left out, bool (n,)."""
    mask = np.zeros(n, np.bool_)
    for entry in entries:
        mask[list(entry.points)] = True
    return mask


def causes_of(entries: Sequence[LeftOut], n: int) -> list[str]:
    """The cause of each of n points, "" where it was not left out; several causes of one point stand behind one another."""
    causes: list[list[str]] = [[] for _ in range(n)]
    for entry in entries:
        for i in entry.points:
            if entry.cause not in causes[i]:
                causes[i].append(entry.cause)
    return ["; ".join(found) for found in causes]


def told_left_out(entries: Sequence[LeftOut]) -> tuple[Message, ...]:
    """The sentence of a chart's note: how many points are left out, which rows, and why."""
    if not entries:
        return ()
    n = len({i for entry in entries for i in entry.points})
    named = "; ".join(f"{entry.rows} ({entry.cause})" for entry in entries[:MOST_TOLD]) + (
        " …" if len(entries) > MOST_TOLD else ""
    )
    return (
        msg_n(
            "{n} point gives no limits and is not judged, because its cause is known; row {rows}",
            "{n} points give no limits and are not judged, because their causes are known; rows {rows}",
            n,
            rows=named,
        ),
    )
