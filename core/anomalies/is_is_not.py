"""Where an event is and where it is not: by machine, shift, lot and every other column of categories.

Rows give the shares, but not the test: a lot of a hundred rows is not a hundred independent witnesses. Rows with the same value that
follow each other are therefore one stretch, and the test counts stretches: those with event rows against those with none. Where
machines take turns row by row, each row is a stretch; where a lot runs for a day, the lot is one.

The test of a line is Fisher's where an expected count is below 5, else Pearson's chi-square with 1 degree of freedom; over all lines of all columns
together p is corrected by Holm. Where a value's stretches are longer than another's, they are touched more easily; then their order is shuffled instead. A value that came once, in one stretch, cannot stand out whatever it holds: it is not tested and not counted,
as Tarone has it.

Source: is / is not: Kepner and Tregoe, The Rational Manager (1965), chapter 4; Holm, "A simple sequentially rejective multiple test
procedure", Scandinavian Journal of Statistics 6 (1979) 65-70; Tarone, "A modified Bonferroni method for discrete data", Biometrics 46
(1990) 515-522.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from core.data.holm import holm
from core.data.roles import words_of

SIGNIFICANT = 0.05
MOST_VALUES = 2000
"""Columns with more values are no categories; their values are listed as suspects at most."""
FEW_EXPECTED = 5.0
ALIKE = 1.25  # mean lengths of stretches that differ less count as equal
SHUFFLED_STRETCHES = 20_000_000
_LABEL_WORD = re.compile(r"anomaly|anomalies|class|classes|(?:defect|failure|fault|label)s?|faulty|outcome|target|verdict")
_BESIDE = re.compile(r"category|code|desc|description|id|is|key|kind|mode|name|no|nr|number|of|text|type")
_LABEL_NAME = re.compile(r"(故障|缺陷|异常|失效|不良|标签|类别|判定)+(是否|名称?|类[型别]?|种类|代码|编[码号]|模式|描述|结果)*")


@dataclass(frozen=True, slots=True)
class Line:
    """One value of a column: rows of the event and normal rows with it, and their shares of all of each.

    `stretches` and `normal_stretches` are what the test counted. `p` is corrected for all lines of the table, None for a value that came in one
    stretch only and is not tested; `stands_out` says p < 0.05, and
    `is_more` whether the event has more of it than normal rows have.
    """

    column: str
    value: str
    rows: int
    share: float
    normal_rows: int
    normal_share: float
    stretches: int
    normal_stretches: int
    p: float | None

    @property
    def stands_out(self) -> bool:
        return self.p is not None and self.p < SIGNIFICANT

    @property
    def is_more(self) -> bool:
        return self.share > self.normal_share


@dataclass(frozen=True, slots=True)
class Suspect:
    """A lot or serial that event rows belong to: `rows` of the event out of `of` rows that it has."""

    column: str
    value: str
    rows: int
    of: int


def is_is_not(columns: Mapping[str, ArrayLike], is_event: NDArray[np.bool_], is_normal: NDArray[np.bool_]) -> tuple[Line, ...]:
    """The table of all columns, clearest line first.

    Args:
        columns: Name → (n,) values in the order of time; empty cells are a value of their own, "".
        is_event: (n,) the rows of the event.
        is_normal: (n,) rows that are held against them; neither: left out.

    Returns:
        A line for each value that event rows have or that stands out. A column with one value, or with more than 2,000, gives none.

    Degenerate cases: no event row or no normal row: nothing.
    """
    n_is, n_not = int(is_event.sum()), int((is_normal & ~is_event).sum())
    if not n_is or not n_not:
        return ()
    counted: list[tuple[str, str, int, int, int, int, float]] = []
    for name, values in columns.items():
        codes, names = coded(values)
        if not 2 <= len(names) <= MOST_VALUES:
            continue
        counted += _counted(name, codes, names, is_event, is_normal & ~is_event)
    if not counted:
        return ()
    corrected = np.full(len(counted), np.nan)
    is_tested = np.array([line[4] + line[5] > 1 for line in counted])
    corrected[is_tested] = holm([line[-1] for line, asked in zip(counted, is_tested, strict=True) if asked])
    lines = [
        Line(column, value, rows, rows / n_is, normal, normal / n_not, stretches, others, None if np.isnan(p) else float(p))
        for (column, value, rows, normal, stretches, others, _), p in zip(counted, corrected, strict=True)
    ]
    kept = [line for line in lines if line.rows or line.stands_out]
    return tuple(
        sorted(
            kept,
            key=lambda line: (2.0 if line.p is None else line.p, -abs(line.share - line.normal_share), line.column, line.value),
        )
    )


def agrees_with_label(values: ArrayLike, labels: NDArray[np.float64]) -> bool:
    """Whether a column tells faulty rows from normal ones without a miss: the label by another name, or the cause itself.

    That is so where the rows labelled normal all hold one value, empty ones included, and no faulty row holds it. The cells cannot tell
    the name of the fault from a spindle that made every faulty part; `names_label` looks at the column's name.

    Args:
        labels: (n,) 1 faulty, 0 normal, NaN unknown.

    Degenerate cases: no normal or no faulty row: it cannot be told, and False.
    """
    codes, _ = coded(values)
    normal, faulty = np.unique(codes[labels == 0]), np.unique(codes[labels > 0])
    return len(normal) == 1 and len(faulty) > 0 and normal[0] not in faulty


def names_label(name: str) -> bool:
    """Whether a column is called a label and nothing else: each word is one for a fault or label, or stands beside such a word.

    Example:
        >>> [names_label(name) for name in ("fault_name", "Failure mode", "故障类型", "fault_spindle", "product_class")]
        [True, True, True, False, False]
    """
    if not name.isascii():
        return _LABEL_NAME.fullmatch(name) is not None
    words = [word for word in words_of(name) if not word.isdigit()]
    is_label = [_LABEL_WORD.fullmatch(word) is not None for word in words]
    return any(is_label) and all(known or _BESIDE.fullmatch(word) for word, known in zip(words, is_label, strict=True))


def suspects(name: str, values: ArrayLike, is_event: NDArray[np.bool_]) -> tuple[Suspect, ...]:
    """The values of a lot or serial column that event rows have, the one with most of them first; empty cells name nothing."""
    codes, names = coded(values)
    inside = np.bincount(codes[is_event], minlength=len(names))
    of = np.bincount(codes, minlength=len(names))
    found = [Suspect(name, names[i], int(inside[i]), int(of[i])) for i in np.flatnonzero(inside) if names[i] != ""]
    return tuple(sorted(found, key=lambda one: (-one.rows, one.value)))


def shift_names(times: ArrayLike, hours: float = 8.0, first_hour: float = 6.0) -> NDArray[np.object_]:
    """The shift of each time (n,), as "06:00–14:00"; "" where the time is empty. Shifts begin at `first_hour` and every `hours` from there.

    Example:
        >>> shift_names(np.array(["2026-01-01T05:59", "2026-01-01T06:00"], "datetime64[s]")).tolist()
        ['22:00–06:00', '06:00–14:00']
    """
    given = pd.DatetimeIndex(np.asarray(times))
    hour = np.asarray(given.hour + given.minute / 60 + given.second / 3600, np.float64)
    number = ((hour - first_hour) % 24) // hours
    count = int(np.ceil(24 / hours))
    titles = [_shift_title(first_hour + k * hours, first_hour + min((k + 1) * hours, 24)) for k in range(count)]
    return np.array([*titles, ""], dtype=object)[np.where(np.isnan(number), count, number).astype(np.int64)]


def coded(values: ArrayLike) -> tuple[NDArray[np.int64], list[str]]:
    """A number for the word of each cell (n,), and the words by number; "" where empty, whole numbers without a decimal point."""
    codes, cells = pd.factorize(np.asarray(values, dtype=object), use_na_sentinel=False)  # each value is worded once
    of_cell, words = pd.factorize(np.array([_word(cell) for cell in cells], dtype=object))
    return of_cell[codes], [str(word) for word in words]


def _word(cell: Any) -> str:
    if pd.isna(cell):
        return ""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _counted(
    name: str, codes: NDArray[np.int64], names: list[str], is_event: NDArray[np.bool_], is_normal: NDArray[np.bool_]
) -> list[tuple[str, str, int, int, int, int, float]]:
    """(column, value, event rows, normal rows, stretches with event rows, those without, p) of each value."""
    starts = np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]]))
    touched = np.logical_or.reduceat(is_event, starts)
    other = np.logical_or.reduceat(is_normal, starts) & ~touched
    of_stretch, size = codes[starts], len(names)
    rows, normal = np.bincount(codes[is_event], minlength=size), np.bincount(codes[is_normal], minlength=size)
    a, c = np.bincount(of_stretch[touched], minlength=size), np.bincount(of_stretch[other], minlength=size)
    shuffled = _shuffled_p(of_stretch, np.diff(np.r_[starts, len(codes)]), is_event, rows)
    return [
        (
            name,
            names[i],
            int(rows[i]),
            int(normal[i]),
            int(a[i]),
            int(c[i]),
            _p(int(a[i]), int(a.sum()), int(c[i]), int(c.sum())) if shuffled is None else float(shuffled[i]),
        )
        for i in range(size)
    ]


def _shuffled_p(
    of_stretch: NDArray[np.int64], lengths: NDArray[np.int64], is_event: NDArray[np.bool_], rows: NDArray[np.int64]
) -> NDArray[np.float64] | None:
    """The p value of each category by laying its stretches in another order, (size,); None where all categories' are about equally long.

    A long stretch is touched by an event more easily than a short one, whatever the cause, so that touched stretches can only be counted
    where lengths are alike. The event stays where it is; how often a shuffled order gives a category as many of its rows, or as few, is the
    p value, and where none of the orders does, the normal tail of their counts, if that is smaller.
    """
    size = len(rows)
    n = np.bincount(of_stretch, minlength=size)
    mean = np.bincount(of_stretch, weights=lengths, minlength=size)[n > 0] / n[n > 0]
    if mean.max() <= ALIKE * mean.min():
        return None
    at, rng = np.flatnonzero(is_event), np.random.default_rng(0)
    draws = int(np.clip(SHUFFLED_STRETCHES // (len(lengths) + len(at)), 99, 999))
    counts = np.empty((draws, size))
    for draw in counts:
        order = rng.permutation(len(lengths))
        draw[:] = np.bincount(of_stretch[order][np.searchsorted(np.cumsum(lengths[order]), at, side="right")], minlength=size)
    more, less = ((1 + np.count_nonzero(side, axis=0)) / (draws + 1) for side in (counts >= rows, counts <= rows))
    p = np.minimum(1.0, 2 * np.minimum(more, less))
    spread = counts.std(axis=0, ddof=1)
    away = np.divide(np.abs(rows - counts.mean(axis=0)), spread, out=np.zeros(size), where=spread > 0)
    tail = np.array([math.erfc(z / math.sqrt(2)) for z in away])
    is_beyond = (np.minimum(more, less) <= 1 / (draws + 1)) & (spread > 0)
    return np.where(is_beyond, np.minimum(p, tail), p)


def _p(a: int, of_a: int, c: int, of_c: int) -> float:
    """Whether a of `of_a` and c of `of_c` are the same share, two-sided; 1 where one of both is empty."""
    if not of_a or not of_c or a + c in (0, of_a + of_c):
        return 1.0
    expected = np.outer((of_a, of_c), (a + c, of_a + of_c - a - c)) / (of_a + of_c)
    if expected.min() < FEW_EXPECTED:
        return fisher_p(a, of_a, c, of_c)
    statistic = (a - expected[0, 0]) ** 2 * (1 / expected).sum()
    return math.erfc(math.sqrt(statistic / 2))  # chi-square with 1 degree of freedom


def fisher_p(a: int, of_a: int, c: int, of_c: int) -> float:
    """Fisher's exact test of a of `of_a` against c of `of_c`, two-sided: all tables that are no likelier than this one.

    Without scipy.stats, whose import takes longer than the rest of the table.

    Example:
        >>> round(fisher_p(3, 3, 2, 7), 6)
        0.166667
    """
    from scipy.special import gammaln

    def choose(n: int, k: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1), np.float64)

    both = a + c
    possible = np.arange(max(0, both - of_c), min(both, of_a) + 1)
    log = choose(of_a, possible) + choose(of_c, both - possible) - choose(of_a + of_c, np.array([both]))
    here = log[a - possible[0]]
    return float(min(1.0, np.exp(log[log <= here + 1e-7]).sum()))


def _shift_title(begin: float, end: float) -> str:
    def clock(hours: float) -> str:
        minutes = round(hours * 60) % 1440
        return f"{minutes // 60:02d}:{minutes % 60:02d}"

    return f"{clock(begin)}–{clock(end)}"
