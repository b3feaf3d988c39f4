"""A recipe proposed from what the training part shows, with a reason a step. A start to edit, not an answer.

The rules are fixed and in the order of the steps (docs/decisions.md): sparse and constant columns go; spikes in ordered
rows are emptied, outliers in unordered ones only marked; what is missing is remembered where much is, filled from the
previous value over short gaps, predicted where another column tells, and else filled with the median; skewed columns
are made even. The target, time and group are never touched, and nothing is learned from the test part.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clean.cells import finite, is_empty, numbers
from core.clean.hampel import HampelSettings, local_spread
from core.clean.iterative import MOST_COLUMNS
from core.clean.neighbours import find_neighbours, row_order
from core.clean.outliers import iqr_limits
from core.clean.power import MOST_ROWS, learn_exponent, transformed
from core.clean.recipe import Recipe, RecipeStep
from core.clean.row_outliers import drawn
from core.clean.step import RowKeys
from core.data.dataset import Column
from core.data.split import TrainPart
from core.messages import Message, msg, msg_n

SPARSE = 0.5
MUCH_MISSING = 0.05
SHORT_GAP = 5
MOSTLY_SHORT = 0.8
SPIKE_LIMIT = 8.0
OUTLIER_FENCE = 3.0
MOST_OUTLYING = 0.01
NEARLY_ALL = 0.9
TELLING = 0.7
SMALLEST_ROWS = 50
SKEWED = 0.5
MANY_VALUES = 20
SMALLEST_RANGE = 1e-6


def propose(
    train: TrainPart, columns: Sequence[Column], *, no_help: Collection[str] = (), left_empty: Collection[str] = ()
) -> Recipe:
    """The recipe for these columns; empty where nothing needs cleaning.

    Args:
        columns: All columns with their roles; the first "group" and "time" say which rows are neighbours.
        no_help: Columns that are no good sensors: at most left out, never filled and never used to fill others.
        left_empty: Columns with long stretches that were emptied because their values are not known: only short gaps are filled.
    """
    table = train.table
    keys = RowKeys(*(next((c.name for c in columns if c.role == role), None) for role in ("group", "time")))
    sensors = [c for c in columns if c.role == "sensor" and c.kind in ("number", "text") and c.name in table]
    if not len(table) or not sensors:
        return Recipe()
    empty = {c.name: is_empty(table, c.name) for c in sensors}
    sparse = [c.name for c in sensors if empty[c.name].mean() > SPARSE]
    kept = [c for c in sensors if c.name not in sparse]
    constant = [c.name for c in kept if table.loc[~empty[c.name], c.name].nunique() < 2]
    kept = [c for c in kept if c.name not in constant and c.name not in no_help]
    measured = [c.name for c in kept if c.kind == "number"]
    texts = [c.name for c in kept if c.kind == "text"]
    outliers = _outliers(table, measured, keys)
    emptied = {name for step in outliers if step.settings["action"] == "set_missing" for name in step.columns}
    return Recipe(
        steps=(
            *_dropped(sparse, constant),
            *outliers,
            *_filled(table, measured, empty, emptied, keys, left_empty),
            *_texts_filled(texts, empty),
            *_evened(table, measured),
        )
    )


def _step(key: str, columns: Sequence[str], reason: Message, **settings: object) -> RecipeStep:
    return RecipeStep(key=key, columns=tuple(columns), settings=settings, reason=reason.to_json())


def _names(columns: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in columns)


def _dropped(sparse: Sequence[str], constant: Sequence[str]) -> list[RecipeStep]:
    steps = []
    if sparse:
        reason = msg("More than half of the cells of {columns} are missing in the training part.", columns=_names(sparse))
        steps.append(_step("drop_sparse", sparse, reason, share=SPARSE))
    if constant:
        reason = msg("The cells of {columns} are all the same in the training part.", columns=_names(constant))
        steps.append(_step("drop_constant", constant, reason))
    return steps


def _outliers(table: pd.DataFrame, measured: Sequence[str], keys: RowKeys) -> list[RecipeStep]:
    """Spikes where rows have an order, far values where they have none: only where they are rare."""
    if len(table) < SMALLEST_ROWS:
        return []
    if keys.time is not None:
        counts = {name: _n_spikes(table, name, keys) for name in measured}
    else:
        counts = {name: _n_outside(finite(table, name)) for name in measured}
    found = {name: n for name, n in counts.items() if 0 < n <= MOST_OUTLYING * len(table)}
    if not found:
        return []
    n, names = sum(found.values()), _names(list(found))
    if keys.time is not None:
        reason = msg_n(
            "{n} cell of {columns} jumps out of its neighbours by more than {limit} local spreads.",
            "{n} cells of {columns} jump out of their neighbours by more than {limit} local spreads.",
            n,
            columns=names,
            limit=SPIKE_LIMIT,
        )
        return [_step("hampel_outliers", tuple(found), reason, limit=SPIKE_LIMIT, action="set_missing")]
    reason = msg_n(
        "{n} cell of {columns} lies more than {fence} widths of the middle half outside it. It is only marked: judge it first.",
        "{n} cells of {columns} lie more than {fence} widths of the middle half outside it. They are only marked: judge them first.",
        n,
        columns=names,
        fence=OUTLIER_FENCE,
    )
    return [_step("iqr_outliers", tuple(found), reason, fence=OUTLIER_FENCE, action="flag")]


def _n_spikes(table: pd.DataFrame, name: str, keys: RowKeys) -> int:
    """Cells far from their neighbours, where nearly all of them are also far from the whole column; else 0.

    A signal that is switched on and off jumps within its range: these jumps are the process and no spikes.
    """
    settings, values = HampelSettings(), numbers(table, name)
    local = local_spread(values, *row_order(table, keys), settings.half_width, settings.causal)
    known = local.spread[np.isfinite(local.spread)]
    limits = iqr_limits(finite(table, name), OUTLIER_FENCE)
    if not len(known) or limits is None:
        return 0
    reach = SPIKE_LIMIT * np.maximum(local.spread, settings.floor * float(np.median(known)))
    jumps = (np.abs(values - local.centre) > reach) & (reach > 0)
    n, n_far = np.count_nonzero(jumps), np.count_nonzero(jumps & ((values < limits[0]) | (values > limits[1])))
    return int(n) if n_far >= NEARLY_ALL * n else 0


def _n_outside(values: NDArray[np.float64]) -> int:
    limits = iqr_limits(values, OUTLIER_FENCE)
    return 0 if limits is None else int(np.count_nonzero((values < limits[0]) | (values > limits[1])))


def _filled(
    table: pd.DataFrame,
    measured: Sequence[str],
    empty: dict[str, NDArray[np.bool_]],
    emptied: set[str],
    keys: RowKeys,
    left_empty: Collection[str],
) -> list[RecipeStep]:
    """Fills for columns with missing cells, those that lose their spikes (`emptied`) among them.

    A stretch in which a sensor stood still has no value that another column or the median could stand for.
    """
    lacking = [name for name in measured if empty[name].any() or name in emptied]
    if not lacking:
        return []
    steps = []
    much = [name for name in lacking if empty[name].mean() > MUCH_MISSING and name not in left_empty]
    if much:
        reason = msg("More than 5 % of {columns} is missing, and that it is may say something.", columns=_names(much))
        steps.append(_step("missing_indicator", much, reason))
    bar = {name: 0.0 if name in left_empty else MOSTLY_SHORT for name in lacking}
    short = [name for name in lacking if keys.time is not None and _mostly_short(table, empty[name], keys, bar[name])]
    if short:
        reason = msg(
            "Gaps of {columns} of at most {n} rows take the previous value, which never looks ahead; longer ones do not.",
            columns=_names(short),
            n=SHORT_GAP,
        )
        steps.append(_step("previous_fill", short, reason, max_gap=SHORT_GAP))
    known = [name for name in measured if name not in left_empty]
    told = _told_by_others(table, known, [name for name in lacking if name in known and name not in short])
    if told:
        reason = msg("{columns} go together, so that one tells what the other lacks.", columns=_names(told))
        steps.append(_step("iterative_fill", told, reason))
    left = [name for name in lacking if name not in told and name in known]
    if left:
        reason = msg("What is still missing in {columns} gets the middle value of the training part.", columns=_names(left))
        steps.append(_step("median_fill", left, reason))
    return steps


def _mostly_short(table: pd.DataFrame, empty: NDArray[np.bool_], keys: RowKeys, bar: float) -> bool:
    """Whether at least this share of the missing cells lies in short gaps, and any."""
    if not empty.any():
        return True  # what a step empties are single cells
    places = find_neighbours(empty, *row_order(table, keys))
    share = float(np.mean(places.gap[empty] <= SHORT_GAP))
    return share > 0 and share >= bar


def _told_by_others(table: pd.DataFrame, measured: Sequence[str], lacking: Sequence[str]) -> list[str]:
    """Lacking columns with a column that goes with them (|r| ≥ 0.7 on rows with both), and these, in table order."""
    if not lacking or len(table) < SMALLEST_ROWS or len(measured) > 10 * MOST_COLUMNS:
        return []
    values = pd.DataFrame({name: np.where(np.isinf(v := numbers(table, name)), np.nan, v) for name in measured})
    strong = values.corr(min_periods=SMALLEST_ROWS).abs() >= TELLING
    chosen: set[str] = set()
    for name in lacking:
        partners = [other for other in measured if other != name and bool(strong.loc[name, other])]
        if partners:
            chosen |= {name, *partners}
    return [name for name in measured if name in chosen] if 0 < len(chosen) <= MOST_COLUMNS else []


def _texts_filled(texts: Sequence[str], empty: dict[str, NDArray[np.bool_]]) -> list[RecipeStep]:
    lacking = [name for name in texts if empty[name].any()]
    if not lacking:
        return []
    reason = msg(
        "Empty cells of {columns} become a category of their own, as being empty may mean something.", columns=_names(lacking)
    )
    return [_step("constant_fill", lacking, reason, text="missing")]


def _evened(table: pd.DataFrame, measured: Sequence[str]) -> list[RecipeStep]:
    skewed = [name for name in measured if _is_skewed(finite(table, name))]
    if not skewed:
        return []
    reason = msg("The values of {columns} crowd at one end; made even, they are easier to learn from.", columns=_names(skewed))
    return [_step("yeo_johnson", skewed, reason)]


def _is_skewed(values: NDArray[np.float64]) -> bool:
    """Many different values, a skewness above 0.5, and a transform that halves it: that of a switched signal stays."""
    if len(values) < SMALLEST_ROWS or len(np.unique(values)) < MANY_VALUES:
        return False
    before = _skewness(values)
    if before <= SKEWED:
        return False
    exponent = learn_exponent(drawn(values, MOST_ROWS), "yeo_johnson")
    if exponent is None:
        return False
    after = transformed(values, exponent, "yeo_johnson")
    # A column at two levels far from zero gets an exponent that makes all its values one, but for rounding.
    is_told_apart = np.ptp(after) > SMALLEST_RANGE * np.abs(after).max()
    return bool(is_told_apart) and _skewness(after) <= before / 2


def _skewness(values: NDArray[np.float64]) -> float:
    """|q05 + q95 - 2 q50| / (q95 - q05), Bowley's with outer quantiles: a moment would follow a single outlier."""
    low, middle, high = np.quantile(values, (0.05, 0.5, 0.95))
    return float(abs(high + low - 2 * middle) / (high - low)) if high > low else 0.0
