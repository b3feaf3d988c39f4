"""How far forecast values are from what came, over all steps ahead and step by step.

Sources: Hyndman, Koehler (2006), Another look at measures of forecast accuracy, International Journal of Forecasting 22(4),
679–688 (MASE); Murphy (1988), Monthly Weather Review 116, 2417–2424 (skill against a reference forecast).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.evaluation.bootstrap import percentile_bounds, resampling, wilson_bounds
from core.evaluation.result import Metric, not_defined
from core.messages import Message, msg

ROUNDING = 1e-6  # forecasts come from float32 features; the last value repeated has a skill of 0 and not of 1e-9


@dataclass(frozen=True, slots=True)
class StepFigures:
    """The figures of one step ahead over the rows that have one; None where not defined. `n` counts values."""

    step: int
    n: int
    mae: float | None
    rmse: float | None
    mase: float | None
    skill: float | None
    coverage: float | None


def naive_scale(series: list[NDArray[np.float64]], season: int) -> float | None:
    """The mean of |y_t − y_{t−m}| over the training rows of all series: what MASE divides by; None where it is 0 or has no row.

    Args:
        series: The target of each unbroken series of the training part, (n,) each; NaN unknown.
        season: m in rows, 1 for none (Hyndman & Koehler's one-step naive forecast).

    Example:
        >>> naive_scale([np.array([1.0, 3.0, 2.0])], 1)
        1.5
    """
    differences = [np.abs(values[season:] - values[:-season]) for values in series if len(values) > season]
    known = np.concatenate(differences) if differences else np.empty(0)
    known = known[np.isfinite(known)]
    found = float(known.mean()) if known.size else 0.0
    return found if found > 0 else None


def forecast_metrics(
    truth: NDArray[np.float64],
    prediction: NDArray[np.float64],
    last: NDArray[np.float64],
    *,
    scale: float | None,
    half_widths: NDArray[np.float64] | None = None,
    blocks: NDArray[np.generic] | None = None,
    n_boot: int = 500,
    seed: int = 0,
) -> tuple[Metric, ...]:
    """MAE, RMSE, MASE, skill and coverage over all steps, with 95 % bootstrap intervals over blocks of rows, in this order.

    With e = prediction − truth over the n known values: mae = Σ|e|/n, rmse = √(Σe²/n), mase = mae / scale, skill = 1 − mae /
    (mean |last − truth|), coverage the share with |e| ≤ half width of its step.

    Args:
        truth, prediction: (n_rows, h) in the target's unit; NaN is left out.
        last: (n_rows,) the last known value at each row, the reference of the skill.
        scale: `naive_scale` of the training part.
        half_widths: (h,), None without bands.
        blocks: (n_rows,) rows of one block are drawn together: forecasts of neighbouring rows share most of their truth.

    Degenerate cases: no known value: nothing is defined. scale None: no MASE. A last value that is always right: no skill.
    """
    keys = ("mae", "rmse", "mase", "skill", *(() if half_widths is None else ("coverage",)))
    error = prediction - truth
    known = np.isfinite(error)
    n = int(known.sum())
    if n == 0:
        why = msg("There is no row with both a true value and a prediction.")
        return tuple(not_defined(key, 0, why) for key in keys)
    reference = np.abs(last[:, None] - truth)
    known_reference = known & np.isfinite(reference)
    sums = np.column_stack(
        [
            known.sum(axis=1),
            np.where(known, np.abs(error), 0).sum(axis=1),
            np.where(known, error**2, 0).sum(axis=1),
            np.where(known_reference, np.abs(error), 0).sum(axis=1),
            np.where(known_reference, reference, 0).sum(axis=1),
        ]
    )
    value = _from_sums(sums.sum(axis=0, keepdims=True), scale)
    drawn = _from_sums(resampling(len(truth), blocks, n_boot, seed).sums(sums), scale)
    reasons: dict[str, Message] = {}
    if scale is None:
        reasons["mase"] = msg("The training part does not change from one season to the next, so there is no scale.")
    if not np.isfinite(value["skill"][0]):
        reasons["skill"] = msg("The last value is always right here, and nothing can be better.")
    found = [
        not_defined(key, n, reasons[key])
        if key in reasons
        else Metric(key, float(value[key][0]), n, *percentile_bounds(drawn[key]))
        for key in keys[:4]
    ]
    if half_widths is not None:
        inside = int(np.count_nonzero((np.abs(error) <= half_widths) & known))
        units = len(np.unique(blocks)) if blocks is not None else len(truth)
        # Overlapping forecasts are no independent trials: the interval is that of as many as there are blocks.
        found.append(Metric("coverage", inside / n, n, *wilson_bounds(inside / n * min(units, n), min(units, n))))
    return tuple(found)


def _from_sums(sums: NDArray[np.float64], scale: float | None) -> dict[str, NDArray[np.float64]]:
    n, absolute, squared, ours, reference = (np.maximum(c, 0) for c in sums.T)
    mae = absolute / np.maximum(n, 1)
    skill = 1 - np.divide(ours, reference, out=np.full_like(ours, np.nan), where=reference > 0)
    skill = np.where(np.abs(skill) < ROUNDING, 0.0, skill)
    mase = np.full_like(mae, np.nan) if scale is None else mae / scale
    return {
        "mae": mae,
        "rmse": np.sqrt(squared / np.maximum(n, 1)),
        "mase": mase,
        "skill": skill,
    }


def step_figures(
    truth: NDArray[np.float64],
    prediction: NDArray[np.float64],
    last: NDArray[np.float64],
    *,
    scale: float | None,
    half_widths: NDArray[np.float64] | None = None,
) -> tuple[StepFigures, ...]:
    """The same figures for each step ahead alone, without intervals; arguments as `forecast_metrics`."""
    found = []
    for step in range(truth.shape[1]):
        width = None if half_widths is None else half_widths[step : step + 1]
        one = slice(step, step + 1)
        values = {
            m.key: m.value
            for m in forecast_metrics(truth[:, one], prediction[:, one], last, scale=scale, half_widths=width, n_boot=0)
        }
        n = int(np.isfinite(prediction[:, step] - truth[:, step]).sum())
        found.append(
            StepFigures(
                step + 1,
                n,
                values["mae"],
                values["rmse"],
                values["mase"],
                values["skill"],
                values.get("coverage"),
            )
        )
    return tuple(found)
