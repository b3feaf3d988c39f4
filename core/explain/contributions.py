"""Which sensors made an event, how far they went, and what is normal for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.anomalies.events import sensor_shares
from core.anomalies.records import AnomalyEvent, SensorShare

LOW_QUANTILE, HIGH_QUANTILE = 0.005, 0.995


@dataclass(frozen=True, slots=True)
class NormalBand:
    """What is normal for f columns in the training part: the 0.5 % and 99.5 % quantiles and the median.

    `low`, `centre`, `high` are (f,) in column units, NaN where the training part has no value.
    """

    columns: tuple[str, ...]
    low: NDArray[np.float64]
    centre: NDArray[np.float64]
    high: NDArray[np.float64]
    units: tuple[str, ...] = ()


def normal_band(train: pd.DataFrame, columns: Sequence[str], units: Mapping[str, str] | None = None) -> NormalBand:
    """The band of `columns` in the training rows; empty cells are left out. `units` maps a column to its unit."""
    values = train[list(columns)].to_numpy(np.float64)
    empty = np.full(len(columns), np.nan)
    quantiles = [empty, empty, empty]
    if len(values):
        filled = np.isfinite(values).any(axis=0)
        safe = np.where(filled, values, 0.0)
        quantiles = [np.where(filled, np.nanquantile(safe, q, axis=0), np.nan) for q in (LOW_QUANTILE, 0.5, HIGH_QUANTILE)]
    names = tuple((units or {}).get(column, "") for column in columns)
    return NormalBand(tuple(columns), quantiles[0], quantiles[1], quantiles[2], names)


def event_sensors(
    event: AnomalyEvent, contributions: NDArray[np.floating[Any]], table: pd.DataFrame, band: NormalBand
) -> tuple[SensorShare, ...]:
    """The event's sensors, largest share first; the shares sum to 1.

    Args:
        event: Its rows `first_row` to `last_row` count, both included.
        contributions: (len(table), f), never negative, in the order of `band.columns`.
        table: Rows of the dataset with its row numbers as index; holds the columns of the band.
        band: The normal band of the training part.

    Returns:
        Empty where no row of the event has a contribution. `deviation` is the largest distance from the band's
        centre in the event, with its sign; None where the column is empty there.
    """
    index = table.index.to_numpy()
    inside = (index >= event.first_row) & (index <= event.last_row)
    shares = sensor_shares(np.asarray(contributions)[inside], band.columns)
    values = table.loc[inside, list(band.columns)].to_numpy(np.float64)
    return tuple(_with_band(share, values, band) for share in shares)


def by_column(contributions: NDArray[np.floating[Any]], source: Sequence[str], columns: Sequence[str]) -> NDArray[np.float64]:
    """Contributions of features (n, n_features) summed to their columns (n, n_columns).

    `source` names the column of each feature, as a one-hot encoded column has several; features of other columns are
    left out.
    """
    where = {column: i for i, column in enumerate(columns)}
    summed = np.zeros((len(contributions), len(columns)))
    for feature, column in enumerate(source):
        if column in where:
            summed[:, where[column]] += np.asarray(contributions)[:, feature]
    return summed


def _with_band(share: SensorShare, values: NDArray[np.float64], band: NormalBand) -> SensorShare:
    at = band.columns.index(share.column)
    distance = values[:, at] - band.centre[at]
    known = distance[np.isfinite(distance)]
    return replace(
        share,
        deviation=float(known[np.argmax(np.abs(known))]) if len(known) else None,
        unit=band.units[at] if band.units else "",
        normal_low=_known(band.low[at]),
        normal_high=_known(band.high[at]),
    )


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
