"""The layout of a study in which each operator looks at each part equally often: parts × operators × repeats.

Gage studies of measurements and of good/bad decisions share it. Nothing is estimated here: a layout that is not complete or not
balanced is told cell by cell, because the analyses behind it do not hold for one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.messages import Message, msg
from core.spc.chart import numbered
from core.spc.individuals import NotDefined

SHOWN = 5
ROOM = 10_000  # combinations that are looked at one by one, however few rows there are
ONE_OPERATOR = ""


@dataclass(frozen=True, slots=True)
class Crossed:
    """Which row is which repeat of which part by which operator.

    `rows` int64 (parts, operators, repeats): places in the table; repeats in the order of the table. `parts` and `operators` are
    the labels in the order in which they first come; `operators` is ("",) where there was no such column.
    """

    parts: tuple[str, ...]
    operators: tuple[str, ...]
    rows: NDArray[np.int64]

    def __post_init__(self) -> None:
        self.rows.flags.writeable = False

    @property
    def repeats(self) -> int:
        return self.rows.shape[2]


def cross(parts: Sequence[str] | NDArray, operators: Sequence[str] | NDArray | None = None) -> Crossed | NotDefined:
    """The layout of n rows by their part and operator, or which cells are wrong.

    Args:
        parts: (n,) the part of each row.
        operators: (n,) who measured it; None for one operator.

    Degenerate cases: no rows, one part only, or cells with different numbers of rows: `NotDefined` that names the cells.

    Example:
        >>> cross(["1", "1", "2", "2"], ["A", "B", "A", "B"]).rows.tolist()
        [[[0], [1]], [[2], [3]]]
        >>> str(cross(["1", "1", "2"], ["A", "B", "A"]).reason)
        "part '2' with operator 'B' has 0 rows where others have 1"
    """
    part, part_names = numbered(np.asarray(parts))
    n = len(part)
    operator, operator_names = (np.zeros(n, np.int64), np.array([ONE_OPERATOR])) if operators is None else numbered(operators)
    if len(part_names) < 2:
        return NotDefined(msg("two or more parts are needed, and there are {n}", n=len(part_names)))
    shape = (len(part_names), len(operator_names))
    if shape[0] * shape[1] > max(n, ROOM):
        return NotDefined(
            msg(
                "{p} parts and {o} operators make {n} combinations, more than there are rows",
                p=shape[0],
                o=shape[1],
                n=shape[0] * shape[1],
            )
        )
    cells = part * shape[1] + operator
    counts = np.bincount(cells, minlength=shape[0] * shape[1])
    usual = int(np.bincount(counts).argmax())  # the number most cells have; of two equally frequent ones the smaller
    usual = usual or int(counts[counts > 0].min())
    wrong = np.flatnonzero(counts != usual)
    if len(wrong):
        return NotDefined(_wrong_cells(wrong, counts, usual, part_names, operator_names, named=operators is not None))
    order = np.argsort(cells, kind="stable").astype(np.int64)
    return Crossed(
        tuple(str(name) for name in part_names), tuple(str(name) for name in operator_names), order.reshape(*shape, usual)
    )


def _wrong_cells(
    wrong: NDArray[np.int64], counts: NDArray[np.int64], usual: int, parts: NDArray, operators: NDArray, *, named: bool
) -> Message:
    """The first wrong cells in words, one message within the other."""
    told: Message | None = None
    for cell in wrong[:SHOWN]:
        part, operator = str(parts[cell // len(operators)]), str(operators[cell % len(operators)])
        own = (
            msg("part '{part}' with operator '{operator}' has {n} rows", part=part, operator=operator, n=int(counts[cell]))
            if named
            else msg("part '{part}' has {n} rows", part=part, n=int(counts[cell]))
        )
        told = own if told is None else msg("{these}, {more}", these=told, more=own)
    more = len(wrong) - SHOWN
    if more > 0:
        return msg("{cells} and {n} more, where others have {usual}", cells=told, n=more, usual=usual)
    return msg("{cells} where others have {usual}", cells=told, usual=usual)
