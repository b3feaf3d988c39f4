"""An event in a sentence: "X3 (bar) +2.8 sigma for 14 min; next: X7"."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.messages import Message, msg, msg_n
from core.screening.order import duration, median_step, steps_between

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Excursion:
    """How far a sensor went in an event, and for how long.

    `sigma` is the largest distance from the training part's mean, with its sign, in standard deviations of the training part,
    NaN where the sensor has no value. `n_outside` is the longest stretch of rows outside the normal band that meets the event;
    `seconds` (or units of a counter) how long it lasts, NaN without a usable time.
    """

    sigma: float
    n_outside: int
    seconds: float = float("nan")


def excursion(
    values: Floats, inside: NDArray[np.bool_], mean: float, scale: float, low: float, high: float, times: NDArray | None = None
) -> Excursion:
    """How far a sensor went.

    Args:
        values: (n,) rows around an event in order of time, in column units; `inside` (n,) marks those of the event.
        mean: Of the training part, as `scale`, its standard deviation; `low` to `high` is the normal band.
        times: (n,) times or numbers; None where the rows have none.
    """
    known = np.isfinite(values)
    own = (values - mean)[inside & known]
    if not len(own) or not scale > 0:
        return Excursion(float("nan"), 0)
    sigma = float(own[np.argmax(np.abs(own))] / scale)
    first, stop = _longest(known & ((values < low) | (values > high)), inside)
    if stop == first:
        return Excursion(sigma, 0)
    return Excursion(sigma, stop - first, _lasted(times, first, stop))


def event_sentence(first: str, found: Excursion, following: str | None, *, is_clock: bool, unexpected: float | None) -> Message:
    """The sentence of an event.

    Args:
        first: The largest sensor with its unit, as "X3 (bar)"; `following` the next one, None where there is none.
        is_clock: Whether `Excursion.seconds` are seconds; else the length is said in rows.
        unexpected: For a sensor within its band: how far it lies from what the other sensors say, in sigma of that; None unknown.
    """
    sigma = "–" if np.isnan(found.sigma) else f"{found.sigma:+.1f}"
    if found.n_outside:
        long: Message = (
            duration(found.seconds)
            if is_clock and np.isfinite(found.seconds)
            else msg_n("{n} row", "{n} rows", found.n_outside)
        )
        said = msg("{sensor} {sigma} sigma for {time}", sensor=first, sigma=sigma, time=long)
    elif unexpected is not None:
        said = msg(
            "{sensor} within its normal band, but {sigma} sigma from what the other sensors say",
            sensor=first,
            sigma=f"{unexpected:+.1f}",
        )
    else:
        said = msg("{sensor} {sigma} sigma, within its normal band", sensor=first, sigma=sigma)
    return said if following is None else msg("{said}; next: {sensor}", said=said, sensor=following)


def _longest(outside: NDArray[np.bool_], inside: NDArray[np.bool_]) -> tuple[int, int]:
    """First and one past the last place of the longest stretch outside that has a row in the event; (0, 0) where none has."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], outside.astype(np.int8), [0]])))
    runs = [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True) if inside[a:b].any()]
    return max(runs, key=lambda run: run[1] - run[0], default=(0, 0))


def _lasted(times: NDArray | None, first: int, stop: int) -> float:
    """From the first row to the one after the last; where there is none after, one usual step is added."""
    if times is None or len(times) < 2:
        return float("nan")
    steps = steps_between(times)
    usual = median_step(steps)
    if usual is None:
        return float("nan")
    lasted = float(np.nansum(steps[first : stop - 1]))
    after = steps[stop - 1] if stop - 1 < len(steps) else float("nan")
    return lasted + (float(after) if np.isfinite(after) and 0 < after <= 2 * usual else usual)
