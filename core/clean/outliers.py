"""Outliers by limits around the middle of a column, and what to do with them.

A cell is an outlier when it lies outside limits learned on the training part; ±infinity always does. "Outlier" is
a word of cleaning only: whether it is a bad part or a bad measurement is for people to say, so the default marks
and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clean.cells import applied, finite, numbers, with_cells
from core.clean.step import FILE_ORDER, Applied, Change, RowKeys
from core.data.dataset import Column
from core.data.split import TrainPart
from core.messages import Message, msg, msg_n
from core.settings import Settings, setting

Action = Literal["flag", "set_missing", "clip", "drop_rows", "real_event"]
Limits = tuple[float, float]
ACTION_HELP = (
    "Flag only marks; set missing empties the cell; clip moves it to the limit; drop rows leaves its row out; "
    "real event keeps the value and labels the row."
)


class ZScoreSettings(Settings):
    """How far from the mean, in standard deviations."""

    limit_sigma: float = setting(
        4.0,
        title="Distance",
        help="Standard deviations from the mean that still count as normal.",
        unit="σ",
        gt=0,
        le=100,
        expert=False,
    )
    action: Action = setting("flag", title="What to do", help=ACTION_HELP, expert=False)


class IqrSettings(Settings):
    """How far outside the middle half, in widths of that half."""

    fence: float = setting(
        3.0,
        title="Fence",
        help="Widths of the middle half (IQR) beyond its ends that still count as normal.",
        unit="IQR",
        gt=0,
        le=100,
        expert=False,
    )
    action: Action = setting("flag", title="What to do", help=ACTION_HELP, expert=False)


class MadSettings(Settings):
    """How far from the median, in modified z-scores."""

    limit: float = setting(
        3.5,
        title="Distance",
        help="Modified z-scores, 0.6745 × distance from the median / MAD, that still count as normal.",
        gt=0,
        le=100,
        expert=False,
    )
    action: Action = setting("flag", title="What to do", help=ACTION_HELP, expert=False)


@dataclass(frozen=True, slots=True)
class FittedLimits:
    """Limits a column, both ends still normal; None where the training part gave none."""

    key: str
    limits: Mapping[str, Limits | None]
    action: Action
    uses_neighbours: bool = False

    def apply(self, table: pd.DataFrame) -> Applied:
        cells: dict[str, NDArray[np.float64] | pd.Series] = {}
        outlying: dict[str, NDArray[np.bool_]] = {}
        for name, limits in self.limits.items():
            values = numbers(table, name)
            if limits is None:
                continue
            outside = (values < limits[0]) | (values > limits[1])
            if outside.any():
                outlying[name] = outside
                cells[name] = np.clip(values, *limits) if self.action == "clip" else np.where(outside, np.nan, values)
        return marked(table, self.action, cells, outlying, _no_limits([k for k, v in self.limits.items() if v is None]))

    def state(self) -> dict[str, object]:
        limits = {k: None if v is None else list(v) for k, v in self.limits.items()}
        return {"limits": limits, "action": self.action}

    def learned(self) -> tuple[Message, ...]:
        known = ((name, limits) for name, limits in self.limits.items() if limits is not None)
        return tuple(msg("'{column}' is normal from {low} to {high}", column=n, low=v[0], high=v[1]) for n, v in known)


def _no_limits(names: list[str]) -> tuple[Message, ...]:
    if not names:
        return ()
    return (
        msg_n(
            "Column {columns} is unchanged: its training values do not spread, so there are no limits.",
            "{n} columns are unchanged, as their training values do not spread and give no limits: {columns}.",
            len(names),
            columns=", ".join(f"'{name}'" for name in names),
        ),
    )


def marked(
    table: pd.DataFrame,
    action: Action,
    cells: Mapping[str, NDArray[np.float64] | pd.Series],
    outlying: Mapping[str, NDArray[np.bool_]],
    notes: tuple[Message, ...] = (),
) -> Applied:
    """Carry out the action: `cells` are columns as changed, `outlying` the outlying cells of each column with one."""
    counts = {name: int(mask.sum()) for name, mask in outlying.items()}
    rows = np.zeros(len(table), dtype=np.bool_)
    for mask in outlying.values():
        rows |= mask
    if action == "flag":
        return replace(applied(table, Change(flagged_cells=counts, notes=notes), flagged=rows), flagged_cells=outlying)
    if action == "real_event":
        return replace(applied(table, Change(event_cells=counts, notes=notes)), event_cells=outlying)
    if action == "drop_rows":
        return applied(table, Change(left_out_rows=int(rows.sum()), notes=notes), left_out=rows)
    return applied(with_cells(table, cells), Change(changed_cells=counts, notes=notes))


def z_limits(values: NDArray[np.float64], limit_sigma: float) -> Limits | None:
    """Mean ± limit_sigma standard deviations (ddof=1). None: fewer than two values, or constant."""
    if len(values) < 2:
        return None
    centre, sigma = float(np.mean(values)), float(np.std(values, ddof=1))
    return _spread_or_none(values, centre - limit_sigma * sigma, centre + limit_sigma * sigma, sigma)


def iqr_limits(values: NDArray[np.float64], fence: float) -> Limits | None:
    """Quartiles (linear method) ∓ fence × IQR (Tukey 1977). None: no values, or a middle half without width."""
    if not len(values):
        return None
    low, high = (float(q) for q in np.quantile(values, (0.25, 0.75)))
    return _spread_or_none(values, low - fence * (high - low), high + fence * (high - low), high - low)


def mad_limits(values: NDArray[np.float64], limit: float) -> Limits | None:
    """Median ∓ limit × MAD / 0.6745 (Iglewicz, Hoaglin 1993, "How to Detect and Handle Outliers", modified z-score).

    None: no values, or more than half of them equal, so that the median absolute deviation is zero.
    """
    if not len(values):
        return None
    centre = float(np.median(values))
    mad = float(np.median(np.abs(values - centre)))
    reach = limit * mad / 0.6745
    return _spread_or_none(values, centre - reach, centre + reach, mad)


def _spread_or_none(values: NDArray[np.float64], low: float, high: float, spread: float) -> Limits | None:
    """The limits, or None when the spread is nothing but rounding or the limits overflow."""
    rounding = 8 * np.finfo(np.float64).eps * float(np.max(np.abs(values)))
    return (low, high) if spread > rounding and np.isfinite(low) and np.isfinite(high) else None


@dataclass(frozen=True, slots=True)
class LimitOutliers:
    """Outliers of one column at a time.

    Empty cells are never outliers. A column without spread in training (all missing, one row, constant,
    or for IQR and MAD a middle half of equal values) has no limits: unchanged, with a note.
    """

    key: str
    title: Message
    summary: Message
    settings: type[Settings]
    fits_keys: bool = False

    def applies_to(self, column: Column) -> bool:
        return column.role == "sensor" and column.kind == "number"

    def fit(
        self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER
    ) -> FittedLimits:
        with np.errstate(over="ignore", invalid="ignore"):
            limits = {c.name: _limits(finite(train.table, c.name), settings) for c in columns}
        return FittedLimits(self.key, limits, settings.model_dump()["action"])

    def restore(self, state: Mapping[str, object]) -> FittedLimits:
        stored: Mapping[str, list[float] | None] = state["limits"]  # type: ignore[assignment]
        limits = {k: None if v is None else (v[0], v[1]) for k, v in stored.items()}
        return FittedLimits(self.key, limits, state["action"])  # type: ignore[arg-type]


def _limits(values: NDArray[np.float64], settings: Settings) -> Limits | None:
    if isinstance(settings, ZScoreSettings):
        return z_limits(values, settings.limit_sigma)
    if isinstance(settings, MadSettings):
        return mad_limits(values, settings.limit)
    return iqr_limits(values, IqrSettings.model_validate(settings.model_dump()).fence)


ZSCORE_OUTLIERS = LimitOutliers(
    "zscore_outliers",
    msg("Outliers by distance from the mean"),
    msg("Marks cells many standard deviations from the training mean. Large outliers widen the limits; IQR is safer."),
    ZScoreSettings,
)
IQR_OUTLIERS = LimitOutliers(
    "iqr_outliers",
    msg("Outliers by the middle half (IQR)"),
    msg("Marks cells far outside the middle half of the training values, as a box plot does."),
    IqrSettings,
)
MAD_OUTLIERS = LimitOutliers(
    "mad_outliers",
    msg("Outliers by distance from the median (modified z)"),
    msg("Marks cells far from the training median, in units of the median distance, which even many outliers hardly move."),
    MadSettings,
)
