"""The split rules: which rows train, validate and test, by time, group, chance, the first n rows, or a column.

`core.data.split` holds the records.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.split import GAP, TEST, TRAIN, VALIDATION, Split, SplitSettings
from core.errors import DataProblem, NotEnoughData, SettingProblem, unknown_column
from core.messages import Message, msg

MIN_ROWS = 10
_WORDS = {
    "train": TRAIN, "training": TRAIN, "validation": VALIDATION, "valid": VALIDATION, "val": VALIDATION, "test": TEST, "testing": TEST,
}  # fmt: skip
Parts = NDArray[np.int8]


def make_split(
    table: pd.DataFrame,
    settings: SplitSettings,
    *,
    task: str,
    time: str | None,
    group: str | None,
    target: str | None,
    gap_rows: int = 0,
    seed: int = 7,
) -> Split:
    """Give each row its part.

    Args:
        table: One row a dataset row, in dataset order, with at least the columns named here and the split column.
        settings: The rule.
        task: "regression", "classification", "anomaly", "rul" or "forecast".
        time: The time column, or None: then the order of the rows stands for time.
        group: The column of lots, units or serials, or None.
        target: The target column, or None.
        gap_rows: Rows left out between the parts of a time split, so that no window reaches over an edge.
        seed: Seeds the shuffles; the same seed and table give the same split.

    Returns:
        A split with every row in exactly one part. Rows without a time cannot be placed in a time split and become
        GAP. A test fraction of 0 gives no test part.

    Raises:
        SettingProblem: the rule does not fit (no group for "rul", first n ≥ rows, no split column named).
        DataProblem: a named column is missing, or the split column holds other words.
        NotEnoughData: a part would be empty.
    """
    for name in (time, group, target, settings.column if settings.method == "column" else None):
        if name is not None and name not in table.columns:
            raise unknown_column(name, [str(c) for c in table.columns])
    if task == "rul" and group is None:
        raise SettingProblem(
            msg("Remaining life was asked for without a group column."),
            msg("Expected a column that names the unit (engine, machine, battery)."),
            msg("Give one column the role 'group'."),
        )
    if len(table) < MIN_ROWS:
        raise not_enough(msg("The table has {n} rows.", n=len(table)), msg("At least {n} rows are needed.", n=MIN_ROWS))
    rng = np.random.default_rng(seed)
    parts, reason = _parts(table, settings, task, time, group, target, gap_rows, rng)
    _check_filled(parts, settings)
    parts.setflags(write=False)
    return Split(settings, parts, seed, reason)


def not_enough(what: Message, expected: Message) -> NotEnoughData:
    """The error for a split that would leave a part empty."""
    return NotEnoughData(what, expected, msg("Bring more rows, or choose another split."))


def _parts(
    table: pd.DataFrame,
    settings: SplitSettings,
    task: str,
    time: str | None,
    group: str | None,
    target: str | None,
    gap_rows: int,
    rng: np.random.Generator,
) -> tuple[Parts, Message]:
    labels = table[target] if target is not None and task in ("classification", "anomaly") else None
    if settings.method == "group":
        if group is None:
            raise _missing_column(msg("A split by group was asked for without a group column."))
        parts = by_group(table[group], labels, settings, rng)
        return parts, msg("By group: no '{column}' is in two parts (seeded shuffle).", column=group)
    if settings.method == "time":
        times = table[time] if time is not None else None
        parts = by_time(times, len(table), settings, gap_rows)
        if time is None:
            return parts, msg("By row order: earlier rows train, later rows test; there is no time column.")
        return parts, msg("By time: earlier rows train, later rows test, ordered by '{column}'.", column=time)
    if settings.method == "first":
        return first_rows(table[time] if time is not None else None, len(table), settings), msg(
            "The first {n} rows train and validate, the rest tests.", n=settings.first or 0
        )
    if settings.method == "column":
        if settings.column is None:
            raise _missing_column(msg("A split by column was asked for without a column."))
        parts = by_column(table, settings, time, group, labels, rng)
        return parts, msg("By the column '{column}'.", column=settings.column)
    stratified = labels is not None and task == "classification"
    parts = at_random(labels if stratified else None, len(table), settings, rng)
    if stratified:
        return parts, msg("At random (seeded), each class in the same shares.")
    return parts, msg("At random (seeded).")


def _missing_column(what: Message) -> SettingProblem:
    return SettingProblem(what, msg("Expected the name of a column."), msg("Choose the column, or another split."))


def by_group(groups: pd.Series, labels: pd.Series | None, settings: SplitSettings, rng: np.random.Generator) -> Parts:
    """Whole groups in one part each; shares are shares of groups. Rows without a group form one group."""
    codes, uniques = pd.factorize(groups, use_na_sentinel=False)
    needed = 3 if settings.test_fraction > 0 else 2
    if len(uniques) < needed:
        raise not_enough(
            msg("The column '{column}' has {n} groups.", column=str(groups.name), n=len(uniques)),
            msg("A split by group needs at least {n}.", n=needed),
        )
    strata = _class_of_group(codes, labels, len(uniques))
    of_group = _stratified(strata, settings, rng)
    return of_group[codes]


def _class_of_group(codes: NDArray[np.int64], labels: pd.Series | None, n_groups: int) -> NDArray[np.int64]:
    """The class of each group where it is constant in all of them, else one class for all."""
    if labels is None:
        return np.zeros(n_groups, dtype=np.int64)
    classes = pd.factorize(labels, use_na_sentinel=False)[0]
    low = np.full(n_groups, np.iinfo(np.int64).max, dtype=np.int64)
    high = np.full(n_groups, -1, dtype=np.int64)
    np.minimum.at(low, codes, classes)
    np.maximum.at(high, codes, classes)
    return low if bool((low == high).all()) else np.zeros(n_groups, dtype=np.int64)


def by_time(times: pd.Series | None, n_rows: int, settings: SplitSettings, gap_rows: int) -> Parts:
    """Earlier rows train, then validate, then test, with `gap_rows` rows left out between two parts."""
    order = np.arange(n_rows)
    parts = np.full(n_rows, GAP, dtype=np.int8)
    if times is not None:
        order = np.argsort(times.to_numpy(), kind="stable")
        order = order[~times.isna().to_numpy()[order]]
    with_test = settings.test_fraction > 0
    gaps = gap_rows * (2 if with_test else 1)
    usable = len(order) - gaps
    n_test = max(1, round(usable * settings.test_fraction)) if with_test else 0
    n_validation = max(1, round(usable * settings.validation_fraction))
    n_train = usable - n_test - n_validation
    if n_train < 2:
        raise not_enough(
            msg("{n} rows with a time leave {train} to train on.", n=len(order), train=max(0, n_train)),
            msg("A split by time with gaps of {gap} rows needs at least {n}.", gap=gap_rows, n=gaps + MIN_ROWS),
        )
    parts[order[:n_train]] = TRAIN
    parts[order[n_train + gap_rows : n_train + gap_rows + n_validation]] = VALIDATION
    if with_test:
        parts[order[len(order) - n_test :]] = TEST
    return parts


def first_rows(times: pd.Series | None, n_rows: int, settings: SplitSettings) -> Parts:
    """The first n rows of the table train and validate (the latest of them validate); the rest tests."""
    n = settings.first
    if n is None or n >= n_rows:
        raise SettingProblem(
            msg("The first {n} rows were asked for training.", n=n or 0),
            msg("Expected a number below the {rows} rows of the table.", rows=n_rows),
            msg("Write for example first:{n}.", n=max(2, n_rows * 4 // 5)),
        )
    order = np.arange(n)
    if times is not None:
        order = np.argsort(times.iloc[:n].to_numpy(), kind="stable")
    parts = np.full(n_rows, TEST, dtype=np.int8)
    n_validation = max(1, round(n * settings.validation_fraction))
    parts[order[: n - n_validation]] = TRAIN
    parts[order[n - n_validation :]] = VALIDATION
    return parts


def by_column(
    table: pd.DataFrame,
    settings: SplitSettings,
    time: str | None,
    group: str | None,
    labels: pd.Series | None,
    rng: np.random.Generator,
) -> Parts:
    """The words train / validation / test of a column. Without validation words it is taken from the training rows:
    by group when there is one, else the latest by time, else at random."""
    words = table[settings.column].astype("string").str.strip().str.lower()
    codes = words.map(_WORDS)
    if bool(codes.isna().any()):
        found = table[settings.column][codes.isna().to_numpy()]
        raise DataProblem(
            msg("The column '{column}' holds '{value}'.", column=str(settings.column), value=str(found.iloc[0])),
            msg("Expected only the words train, validation and test."),
            msg("Correct the column, or choose another split."),
        )
    parts = codes.to_numpy(dtype=np.int8)
    if (parts == VALIDATION).any() or not (parts == TRAIN).any():
        return parts
    rows = np.flatnonzero(parts == TRAIN)
    share = settings.with_values(test_fraction=0.0)
    if group is not None:
        inner = by_group(table[group].iloc[rows], labels.iloc[rows] if labels is not None else None, share, rng)
    elif time is not None:
        inner = by_time(table[time].iloc[rows], len(rows), share, 0)
    else:
        inner = at_random(labels.iloc[rows] if labels is not None else None, len(rows), share, rng)
    parts[rows] = inner
    return parts


def at_random(labels: pd.Series | None, n_rows: int, settings: SplitSettings, rng: np.random.Generator) -> Parts:
    """A seeded shuffle, class by class; a class with three rows or more is in every part."""
    strata = np.zeros(n_rows, dtype=np.int64) if labels is None else pd.factorize(labels, use_na_sentinel=False)[0]
    return _stratified(strata, settings, rng)


def _stratified(strata: NDArray[np.int64], settings: SplitSettings, rng: np.random.Generator) -> Parts:
    parts = np.full(len(strata), TRAIN, dtype=np.int8)
    for stratum in np.unique(strata):
        members = rng.permutation(np.flatnonzero(strata == stratum))
        n = len(members)
        least = 1 if n >= 3 else 0
        n_test = max(least, round(n * settings.test_fraction)) if settings.test_fraction > 0 else 0
        n_validation = max(least, round(n * settings.validation_fraction))
        while n_test + n_validation > max(0, n - 1) and n_test + n_validation > 0:
            n_test, n_validation = (n_test - 1, n_validation) if n_test > n_validation else (n_test, n_validation - 1)
        parts[members[:n_test]] = TEST
        parts[members[n_test : n_test + n_validation]] = VALIDATION
    return _none_empty(parts, settings, rng)


def _none_empty(parts: Parts, settings: SplitSettings, rng: np.random.Generator) -> Parts:
    """With only small classes a part may have been left out: it gets one member of the training part."""
    for part in (TEST, VALIDATION) if settings.test_fraction > 0 else (VALIDATION,):
        train = np.flatnonzero(parts == TRAIN)
        if not (parts == part).any() and len(train) > 1:
            parts[rng.choice(train)] = part
    return parts


def _check_filled(parts: Parts, settings: SplitSettings) -> None:
    needed = [(TRAIN, "train"), (VALIDATION, "validation")]
    if settings.test_fraction > 0:
        needed.append((TEST, "test"))
    for part, name in needed:
        if not (parts == part).any():
            raise not_enough(
                msg("No row is left for the {part} part.", part=name), msg("Expected rows in every part of the split.")
            )
