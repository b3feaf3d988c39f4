"""How far predicted numbers are from the truth."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.evaluation.bootstrap import Resampling, percentile_bounds, resampling
from core.evaluation.result import Metric, not_defined
from core.messages import Message, msg, msg_n

KEYS = ("rmse", "mae", "r2", "mape")


def regression_metrics(
    truth: ArrayLike,
    prediction: ArrayLike,
    *,
    n_boot: int = 500,
    seed: int = 0,
    blocks: NDArray[np.generic] | None = None,
) -> tuple[Metric, ...]:
    """RMSE, MAE, R² and MAPE with 95 % bootstrap intervals, in this order.

    Let e = prediction - truth and y = truth over n rows: rmse = √(Σe²/n), mae = Σ|e|/n, r2 = 1 - Σe²/Σ(y-ȳ)²,
    mape = Σ|e/y|/n as a fraction.

    Args:
        truth, prediction: (n_rows,) in the unit of the target. Rows where either is NaN are left out; `n` counts the rest.
        blocks: (n_rows,) group or time block of each row; rows of a block are resampled together.

    Degenerate cases: no rows: nothing is defined. An infinite value: nothing is defined. One row or constant truth:
    r2 is not defined. A truth of 0: mape is not defined. Fewer than 5 rows or blocks: no intervals.

    Example:
        >>> rmse, mae, r2, mape = regression_metrics([1.0, 2.0, 3.0], [1.0, 2.0, 6.0])
        >>> mae.value, r2.value
        (1.0, -3.5)
    """
    y, p = np.asarray(truth, dtype=np.float64), np.asarray(prediction, dtype=np.float64)
    known = ~(np.isnan(y) | np.isnan(p))
    y, p, n = y[known], p[known], int(known.sum())
    reasons = _reasons(y, p)
    if len(reasons) == len(KEYS):
        return tuple(not_defined(key, n, reasons[key]) for key in KEYS)
    sums = _row_sums(y, p)
    value = _from_sums(sums.sum(axis=0, keepdims=True))
    resampled = _from_sums(resampling(n, None if blocks is None else np.asarray(blocks)[known], n_boot, seed).sums(sums))
    return tuple(
        not_defined(key, n, reasons[key])
        if key in reasons
        else Metric(key, float(value[key][0]), n, *percentile_bounds(resampled[key]))
        for key in KEYS
    )


def regression_resamples(
    truth: NDArray[np.float64], prediction: NDArray[np.float64], drawn: Resampling
) -> dict[str, NDArray[np.float64]]:
    """Resampled values (n_boot,) of each metric, for paired comparison; no NaN may come in."""
    return _from_sums(drawn.sums(_row_sums(truth, prediction)))


def _row_sums(y: NDArray[np.float64], p: NDArray[np.float64]) -> NDArray[np.float64]:
    """What is summed over rows: 1, e², |e|, y and y² around the mean, |e/y| (0 where the truth is 0)."""
    error = p - y
    centred = y - y.mean() if len(y) else y
    relative = np.abs(np.divide(error, y, out=np.zeros_like(error), where=y != 0))
    return np.column_stack([np.ones(len(y)), error**2, np.abs(error), centred, centred**2, relative])


def _from_sums(sums: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    n, squared, absolute, first, second, relative = sums.T
    spread = second - first**2 / np.maximum(n, 1)
    r2 = 1 - np.divide(squared, spread, out=np.full_like(squared, np.nan), where=spread > 0)
    return {"rmse": np.sqrt(squared / n), "mae": absolute / n, "r2": r2, "mape": relative / n}


def _reasons(y: NDArray[np.float64], p: NDArray[np.float64]) -> dict[str, Message]:
    """Why a metric is not defined on these rows, by key."""
    if not len(y):
        return dict.fromkeys(KEYS, msg("There is no row with both a true value and a prediction."))
    if not (np.isfinite(y).all() and np.isfinite(p).all()):
        return dict.fromkeys(KEYS, msg("A true value or a prediction is infinite."))
    reasons: dict[str, Message] = {}
    if len(y) < 2:
        reasons["r2"] = msg("R² needs at least two rows.")
    elif np.ptp(y) <= 8 * np.finfo(np.float64).eps * np.max(np.abs(y)):
        reasons["r2"] = msg("The true value is the same in every row, so there is no variation to explain.")
    zeros = int(np.count_nonzero(y == 0))
    if zeros:
        reasons["mape"] = msg_n(
            "{n} true value is zero; a share of zero is not defined.",
            "{n} true values are zero; a share of zero is not defined.",
            zeros,
        )
    return reasons
