"""Rows that a person called normal after an alarm: they join the training part, and the test part loses them for good.

A split stays honest only if nothing that trains is tested. So the rows leave the test part; a window that ends in them reaches back over
`gap_rows` rows, and one that ends after them holds some of them for as long, so that test rows so near belong to no part. Where the
split is by group, the whole group leaves the test part. Rows that already train or validate stay where they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.split import GAP, TEST, TRAIN, Split
from core.errors import NotEnoughData, SettingProblem
from core.messages import msg
from core.settings import Settings, setting


class KnownNormal(Settings):
    """Rows `first_row` to `last_row` of a dataset, both included; of one group where a group is named."""

    first_row: int = setting(..., title="First row", help="The first row that is normal.", ge=0)
    last_row: int = setting(..., title="Last row", help="The last row that is normal.", ge=0)
    group: str = setting("", title="Group", help="The machine or lot whose rows they are; empty: all rows between.")


def known_rows(ranges: Sequence[KnownNormal], groups: pd.Series | None, n_rows: int) -> NDArray[np.bool_]:
    """Which of the rows lie in the ranges, (n_rows,).

    Raises:
        SettingProblem: a range that ends before it begins, or after the table.
    """
    found = np.zeros(n_rows, dtype=bool)
    for one in ranges:
        if not one.first_row <= one.last_row < n_rows:
            raise SettingProblem(
                msg("Rows {first} to {last} were to count as normal.", first=one.first_row, last=one.last_row),
                msg("Expected rows in order within the {n} rows of the table.", n=n_rows),
                msg("Choose the false alarms again."),
            )
        rows = np.arange(one.first_row, one.last_row + 1)
        if groups is not None and one.group:
            rows = rows[np.array([str(name) for name in groups.iloc[rows]], dtype=object) == one.group]  # an empty one is "nan"
        found[rows] = True
    return found


def with_known_normal(
    split: Split,
    ranges: Sequence[KnownNormal],
    keys: pd.DataFrame,
    *,
    time: str | None,
    group: str | None,
    gap_rows: int,
) -> Split:
    """The split in which these rows train. Without a range it is the split itself.

    Args:
        keys: One row a dataset row with the time and group columns.
        gap_rows: Rows that a window reaches back.

    Raises:
        SettingProblem: a range outside the table.
        NotEnoughData: no test row would be left where there were some.
    """
    if not ranges:
        return split
    groups = keys[group] if group is not None else None
    joins = known_rows(ranges, groups, len(keys)) & np.isin(split.parts, (TEST, GAP))
    parts = split.parts.copy()
    parts[joins] = TRAIN
    near = (
        _whole_groups(joins, groups)
        if split.settings.method == "group" and groups is not None
        else _near(joins, keys, time, groups, gap_rows)
    )
    parts[near & (parts == TEST)] = GAP
    if (split.parts == TEST).any() and not (parts == TEST).any():
        raise NotEnoughData(
            msg("No row is left for the test part once the false alarms train."),
            msg("Expected test rows that are neither false alarms nor in windows with them."),
            msg("Call fewer rows normal, or choose a split with a larger test part."),
        )
    parts.setflags(write=False)
    return replace(split, parts=parts)


def n_joined(split: Split, ranges: Sequence[KnownNormal], keys: pd.DataFrame, group: str | None) -> int:
    """How many rows of the ranges train."""
    groups = keys[group] if group is not None else None
    return int((known_rows(ranges, groups, len(keys)) & (split.parts == TRAIN)).sum())


def _whole_groups(joins: NDArray[np.bool_], groups: pd.Series) -> NDArray[np.bool_]:
    codes = pd.factorize(groups, use_na_sentinel=False)[0]
    return np.isin(codes, np.unique(codes[joins]))


def _near(
    joins: NDArray[np.bool_], keys: pd.DataFrame, time: str | None, groups: pd.Series | None, gap_rows: int
) -> NDArray[np.bool_]:
    """Rows at most `gap_rows` from one that joined, in the order of time within its group."""
    n = len(joins)
    codes = np.zeros(n, np.int64) if groups is None else pd.factorize(groups, use_na_sentinel=False)[0]
    clock = np.arange(n) if time is None else pd.factorize(keys[time], sort=True)[0]  # rows without a time come first, as -1
    order = np.lexsort((np.arange(n), clock, codes))
    near = np.zeros(n, dtype=bool)
    edges = np.concatenate([[0], np.flatnonzero(np.diff(codes[order])) + 1, [n]])
    for start, stop in zip(edges[:-1], edges[1:], strict=True):
        own = joins[order[start:stop]].astype(np.int64)
        if not own.any():
            continue
        total = np.concatenate([[0], np.cumsum(own)])
        places = np.arange(stop - start)
        low, high = np.maximum(places - gap_rows, 0), np.minimum(places + gap_rows + 1, stop - start)
        near[order[start:stop]] = total[high] > total[low]
    return near
