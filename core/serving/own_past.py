"""Predictors of a forecast: the shallow ones read columns of the target's own past, and two repeat earlier values."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.features.forecast_target import ForecastTarget
from core.models.own_past_columns import own_past_columns

ON_COLUMNS = ("linear", "onnx")  # kinds that see columns; the others read windows


class _Predictor(Protocol):
    def predict(self, windows: NDArray[np.float32]) -> NDArray[np.float64]: ...


class EarlierValues:
    """Repeats earlier values: it needs to know what the outputs of a forecast mean, which `of_forecast` tells it."""

    def __init__(self, arrays: dict[str, NDArray[np.float64]], target: ForecastTarget | None = None) -> None:
        self.arrays, self._target = arrays, target

    def predict(self, windows: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, width, n_features) → (n, horizon) in the units of the forecast's outputs."""
        target = self._target
        if target is None:
            raise TypeError("Earlier values are repeated for a forecast only.")
        values = target.values(windows, "season" if self.arrays["is_season"] else "last")
        return (values - target.values(windows, target.anchor)) / target.scale


class OnColumns:
    """A family of tables on the columns of `own_past_columns`, handed to it as a window of one row."""

    def __init__(self, inner: _Predictor, target: ForecastTarget) -> None:
        self._inner, self._target = inner, target

    def predict(self, windows: NDArray[np.float32]) -> NDArray[np.float64]:
        columns = own_past_columns(windows, self._target.horizon, self._target.has_season_feature)
        return self._inner.predict(columns[:, None, :].astype(np.float32))


def of_forecast(predictor: _Predictor, kind: str, target: object) -> _Predictor:
    """The predictor as a forecast uses it; any other question's as it is.

    Args:
        kind: The manifest's `predictor`, or that of a member.
        target: What the outputs mean.
    """
    if not isinstance(target, ForecastTarget):
        return predictor
    if isinstance(predictor, EarlierValues):
        return EarlierValues(predictor.arrays, target)
    return OnColumns(predictor, target) if kind in ON_COLUMNS else predictor
