"""Splits for repeated measurement: folds that each test once, and a training part of several sizes.

Folds follow the split that is asked for: whole groups, stretches of time of which only earlier ones train, or rows at random,
class by class. Each fold has a validation part of its own, taken from its training rows by the same rule.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.split import GAP, TEST, TRAIN, Split, SplitSettings
from core.data.splitting import Parts, at_random, by_group, by_time, not_enough
from core.messages import Message, msg


def fold_splits(
    keys: pd.DataFrame,
    settings: SplitSettings,
    n_folds: int,
    *,
    time: str | None,
    group: str | None,
    target: str | None,
    is_classes: bool,
    gap_rows: int = 0,
    seed: int = 7,
) -> tuple[tuple[Split, ...], Message]:
    """One split a fold, and how they were made.

    Args:
        keys: One row a dataset row with the time, group and target column.
        settings: The method is kept: "group", "time" and "first" (stretches of time), else at random, or by group where a
            column made the split and there is a group.

    Raises:
        NotEnoughData: fewer groups, or rows with a time, than folds.
    """
    method = settings.method
    if method == "column":
        method = "group" if group is not None else "random"
    if method == "group" and group is not None:
        folds, reason = (
            _group_parts(keys, settings, n_folds, group, seed),
            msg("{k} folds by '{column}': each group tests once.", k=n_folds, column=group),
        )
    elif method in ("time", "first"):
        folds, reason = (
            _time_parts(keys, settings, n_folds, time, gap_rows),
            msg("{k} stretches of time: each is tested by a model of the rows before it.", k=n_folds),
        )
    else:
        labels = keys[target] if is_classes and target is not None else None
        folds, reason = (
            _random_parts(len(keys), labels, settings, n_folds, seed),
            msg("{k} folds at random: each row tests once.", k=n_folds),
        )
    for parts in folds:
        parts.setflags(write=False)
    return tuple(Split(settings, parts, seed, reason) for parts in folds), reason


def _group_parts(keys: pd.DataFrame, settings: SplitSettings, n_folds: int, group: str, seed: int) -> list[Parts]:
    codes, names = pd.factorize(keys[group], use_na_sentinel=False)
    if len(names) < n_folds + 1:
        raise not_enough(
            msg("The column '{column}' has {n} groups.", column=group, n=len(names)),
            msg("{k} folds by group need at least {n}.", k=n_folds, n=n_folds + 1),
        )
    order = np.random.default_rng(seed).permutation(len(names))
    fold_of = np.empty(len(names), dtype=np.int64)
    fold_of[order] = np.arange(len(names)) % n_folds
    return [_with_inner(keys, fold_of[codes] == fold, settings, group, None, seed + fold) for fold in range(n_folds)]


def _random_parts(n: int, labels: pd.Series | None, settings: SplitSettings, n_folds: int, seed: int) -> list[Parts]:
    if n < 2 * n_folds:
        raise not_enough(msg("The table has {n} rows.", n=n), msg("{k} folds need at least {n}.", k=n_folds, n=2 * n_folds))
    drawn = np.random.default_rng(seed).permutation(n)
    codes = np.zeros(n, dtype=np.int64) if labels is None else pd.factorize(labels, use_na_sentinel=False)[0]
    fold_of = np.empty(n, dtype=np.int64)
    fold_of[drawn[np.argsort(codes[drawn], kind="stable")]] = np.arange(n) % n_folds
    keys = pd.DataFrame(index=range(n)) if labels is None else labels.to_frame()
    return [_with_inner(keys, fold_of == fold, settings, None, labels, seed + fold) for fold in range(n_folds)]


def _with_inner(
    keys: pd.DataFrame, test: NDArray[np.bool_], settings: SplitSettings, group: str | None, labels: pd.Series | None, seed: int
) -> Parts:
    """A fold's parts: its own rows test, of the others some validate."""
    parts = np.full(len(test), TEST, dtype=np.int8)
    rows = np.flatnonzero(~test)
    share, rng = settings.with_values(method="random", test_fraction=0.0), np.random.default_rng(seed)
    if group is not None:
        parts[rows] = by_group(keys[group].iloc[rows], None, share, rng)
    else:
        parts[rows] = at_random(None if labels is None else labels.iloc[rows], len(rows), share, rng)
    return parts


def _time_parts(keys: pd.DataFrame, settings: SplitSettings, n_folds: int, time: str | None, gap_rows: int) -> list[Parts]:
    """Rows in time cut into n_folds + 1 stretches: each but the first is tested once, all before it train and validate."""
    n = len(keys)
    order = np.arange(n) if time is None else np.argsort(keys[time].to_numpy(), kind="stable")
    if time is not None:
        order = order[~keys[time].isna().to_numpy()[order]]
    stretches = np.array_split(order, n_folds + 1)
    if min(len(s) for s in stretches) < 2 + gap_rows:
        raise not_enough(
            msg("{n} rows with a time were found.", n=len(order)),
            msg("{k} stretches of time need at least {n}.", k=n_folds, n=(n_folds + 1) * (2 + gap_rows)),
        )
    share, found = settings.with_values(method="time", test_fraction=0.0), []
    for fold in range(1, n_folds + 1):
        parts = np.full(n, GAP, dtype=np.int8)
        before = np.concatenate(stretches[:fold])
        before = before[: len(before) - gap_rows] if gap_rows else before
        parts[before] = by_time(None, len(before), share, gap_rows)
        parts[stretches[fold]] = TEST
        found.append(parts)
    return found


def thinned_split(split: Split, share: float, keys: pd.DataFrame, *, time: str | None, group: str | None) -> Split:
    """The same split with a share (0 to 1) of its training part; what is left out is in no part.

    By group whole groups are left out, by time the oldest rows, else rows at random. The smaller part lies within the larger.
    """
    if share >= 1:
        return split
    train, parts = split.rows(TRAIN), split.parts.copy()
    method = split.settings.method
    rng = np.random.default_rng(split.seed)
    if group is not None and method in ("group", "column"):
        codes, names = pd.factorize(keys[group].iloc[train], use_na_sentinel=False)
        kept_groups = rng.permutation(len(names))[: max(1, round(share * len(names)))]
        left_out = train[~np.isin(codes, kept_groups)]
    elif method in ("time", "first"):
        order = train if time is None else train[np.argsort(keys[time].to_numpy()[train], kind="stable")]
        left_out = order[: len(order) - max(1, round(share * len(order)))]
    else:
        left_out = rng.permutation(train)[max(1, round(share * len(train))) :]
    parts[left_out] = GAP
    parts.setflags(write=False)
    return replace(split, parts=parts)
