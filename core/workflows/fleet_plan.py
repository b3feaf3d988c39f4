"""The table, the plan and the sentence of a fleet, from its lives and what is predicted for the units that run."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.evaluation.survival import ChanceQuality, Count, HeldOut, count_by_lives, count_failures, due_times
from core.messages import Message, Value, msg, msg_n
from core.workflows.fleet_lives import FleetLives, FleetSettings
from core.workflows.unit_words import unit_words

N_PERIODS = 6
MOST_DRAWN = 2_000  # beyond so many units the chances are taken as they are: drawing them anew would take minutes
DISAGREE = 0.5  # chances of model and age that lie so far apart tell opposite things


@dataclass(frozen=True, slots=True)
class FleetView:
    """A fleet today.

    `units` has one row a running unit, the most urgent first: unit, age, prediction, lower, upper (remaining life), chance
    (to last `within` by the model), chance_by_age (by the Weibull curve at its age), due (end of the period by which it has
    more probably failed than not, NaN beyond the plan), hint ("faster": the model sees an earlier end than age does, "slower",
    or ""), at_cap, why_not. Columns of the model are NaN without one. `plan` has a row a period: from, to, due, cumulated,
    expected, low, high (expected failures up to there with a 95 % interval). `quality` judges the model's chances on units that
    it had not learned from, `quality_by_age` those of age alone on the same rows; None where nothing is known of such units.
    `judged` and `judged_by_age` are the same for the fleet in service, where what came is known.
    """

    headline: Message
    lives: FleetLives
    within: float
    units: pd.DataFrame
    plan: pd.DataFrame
    expected: Count | None
    expected_by_age: Count | None
    cap: float | None
    held_out: int
    notes: tuple[Message, ...]
    quality: ChanceQuality | None = None
    quality_by_age: ChanceQuality | None = None
    judged: ChanceQuality | None = None
    judged_by_age: ChanceQuality | None = None

    @property
    def unit(self) -> str:
        return self.lives.unit

    @property
    def has_model(self) -> bool:
        """Whether the chances are the model's; else they are those of age alone."""
        return self.expected is not None

    @property
    def n_disagree(self) -> int:
        """How many units the model and age alone judge in opposite ways."""
        return int((self.units["hint"] != "").sum())


def look_ahead(settings: FleetSettings, lives: FleetLives) -> float:
    """How far ahead: as set, else a tenth of the age that half reach (or of the usual age), rounded down to 1, 2 or 5 · 10ⁿ."""
    if settings.within is not None:
        return settings.within
    known = lives.ages[np.isfinite(lives.ages) & (lives.ages > 0)]
    usual = lives.curve.median.value or (float(np.median(known)) if len(known) else 10.0)
    return rounded_down(usual / 10)


def rounded_down(value: float) -> float:
    """The largest of 1, 2 or 5 times a power of ten that is not above a positive value.

    Example:
        >>> rounded_down(19.9)
        10.0
    """
    power = 10.0 ** math.floor(math.log10(value) + 1e-9)
    return power * max(digit for digit in (1, 2, 5) if digit * power <= value * (1 + 1e-9))


def view_of(
    lives: FleetLives,
    running: pd.DataFrame,
    within: float,
    period: float | None,
    held_out: HeldOut | None = None,
    cap: float | None = None,
    reach: float | None = None,
) -> FleetView:
    """The view of the units that run.

    Args:
        running: A row a unit: unit, age, prediction, lower, upper, why_not, part, place.
        held_out: What the model predicted elsewhere and what came; None, or too few rows: chances by age alone.
        cap: Above it the model predicts nothing.
        reach: How far ahead it tells lives apart; further, what it predicts at the cap may have failed as well. None: the cap.
    """
    has_model = held_out is not None and held_out.is_enough
    reach = cap if reach is None else reach
    horizons = np.concatenate([[within], _periods(period or within, reach if has_model else None)])
    age = running["age"].to_numpy(dtype=np.float64)
    by_age = np.full((len(running), len(horizons)), np.nan)
    if lives.weibull.curve is not None and len(running):
        by_age = lives.weibull.curve.chance_to_last(age[:, None], horizons[None, :])
    prediction, drawn = running["prediction"].to_numpy(dtype=np.float64), None
    chance = np.full_like(by_age, np.nan)
    if held_out is not None:
        chance = held_out.chance_to_last(prediction, horizons)
        drawn = 1 - held_out.drawn_chances(prediction, horizons) if has_model and len(running) <= MOST_DRAWN else None
    used = chance if has_model else by_age
    places = due_times(used[:, 1:], horizons[1:])
    ends = np.append(horizons[1:], np.nan)
    units = running.assign(
        chance=chance[:, 0],
        chance_by_age=by_age[:, 0],
        due=ends[places],
        hint=_hints(chance[:, 0], by_age[:, 0]),
        at_cap=prediction >= cap * (1 - 1e-6) if cap is not None else False,
    )
    order = np.lexsort((-age, np.nan_to_num(prediction, nan=np.inf), np.nan_to_num(used[:, 0], nan=np.inf)))
    units = units.iloc[order].reset_index(drop=True)
    expected = count_failures(1 - chance[:, 0], None if drawn is None else drawn[:, :, 0]) if has_model else None
    return FleetView(
        headline=_headline(lives, units, used[order, 0], within),
        lives=lives,
        within=within,
        units=units,
        plan=_plan(used[:, 1:], places, horizons[1:], None if drawn is None else drawn[:, :, 1:]),
        expected=expected,
        expected_by_age=count_by_lives(lives.weibull, age, within),
        cap=cap,
        held_out=0 if held_out is None else held_out.n,
        notes=(*lives.notes, *_notes(units, within, held_out, cap, reach)),
    )


def _periods(length: float, reach: float | None) -> NDArray[np.float64]:
    """Ends of the periods of the plan; none further ahead than a model reaches, but one at least."""
    ends = length * np.arange(1, N_PERIODS + 1, dtype=np.float64)
    return ends if reach is None else ends[: max(1, int(np.count_nonzero(ends <= reach * (1 + 1e-9))))]


def _hints(model: NDArray[np.float64], by_age: NDArray[np.float64]) -> NDArray[np.object_]:
    apart = np.nan_to_num(model - by_age)
    return np.where(apart <= -DISAGREE, "faster", np.where(apart >= DISAGREE, "slower", "")).astype(object)


def _plan(
    chances: NDArray[np.float64], places: NDArray[np.int64], ends: NDArray[np.float64], drawn: NDArray[np.float64] | None
) -> pd.DataFrame:
    """Units that fall due in each period, and the failures to expect up to its end."""
    ends = ends[: len(ends) if np.isfinite(chances).any() else 0]
    due = np.bincount(places, minlength=len(ends) + 1)[: len(ends)]
    counts = [count_failures(1 - chances[:, j], None if drawn is None else drawn[:, :, j]) for j in range(len(ends))]
    return pd.DataFrame(
        {
            "from": np.concatenate([[0.0], ends])[: len(ends)],
            "to": ends,
            "due": due,
            "cumulated": np.cumsum(due),
            "expected": [c.expected for c in counts],
            "low": [c.low for c in counts],
            "high": [c.high for c in counts],
        }
    )


def _headline(lives: FleetLives, units: pd.DataFrame, chance: NDArray[np.float64], within: float) -> Message:
    """One sentence: how many units will probably need work, and which is the most urgent."""
    if not len(units):
        return _all_failed(lives)
    known = int(np.isfinite(chance).sum())
    ahead: dict[str, Value] = {"within": within, "unit": unit_words(lives.unit), "total": len(units)}
    if not known:
        return msg_n("{n} unit runs; its chances cannot be told.", "{n} units run; their chances cannot be told.", len(units))
    n, name = int(np.count_nonzero(chance < 0.5)), str(units["unit"].iloc[0])
    if not n:
        return msg(
            "None of {total} running units will probably need work within {within} {unit}; first in line: unit {name}",
            name=name,
            **ahead,
        )
    return msg_n(
        "{n} of {total} running units will probably need work within {within} {unit}; most urgent: unit {name}",
        "{n} of {total} running units will probably need work within {within} {unit}; most urgent: unit {name}",
        n,
        name=name,
        **ahead,
    )


def _all_failed(lives: FleetLives) -> Message:
    median = lives.curve.median
    if median.value is None:
        return msg("No unit is running")
    facts: dict[str, Value] = {"median": median.value, "unit": unit_words(lives.unit)}
    if median.low is None or median.high is None:
        return msg_n(
            "The only unit has failed; it lasted {median} {unit}",
            "All {n} units have failed; half lasted {median} {unit}",
            lives.curve.n,
            **facts,
        )
    return msg(
        "All {n} units have failed; half lasted {median} {unit} ({low} to {high})",
        n=lives.curve.n,
        low=median.low,
        high=median.high,
        **facts,
    )


def _notes(
    units: pd.DataFrame, within: float, held_out: HeldOut | None, cap: float | None, reach: float | None
) -> tuple[Message, ...]:
    notes = []
    if held_out is not None and cap is not None and reach is not None and within > reach:
        notes.append(
            msg(
                "Chances to last more than {reach} lean on the cap of {cap}, above which the model tells no lives apart.",
                reach=reach,
                cap=cap,
            )
        )
    n_cap, n_none = int(units["at_cap"].sum()), int(units["prediction"].isna().sum())
    if n_cap and cap is not None:
        notes.append(
            msg_n(
                "{n} unit is predicted at the cap of {cap}: it lasts so long or longer.",
                "{n} units are predicted at the cap of {cap}: they last so long or longer.",
                n_cap,
                cap=cap,
            )
        )
    if held_out is not None and n_none:
        notes.append(
            msg_n(
                "For {n} unit the model gives no prediction at its last row.",
                "For {n} units the model gives no prediction at their last row.",
                n_none,
            )
        )
    if held_out is not None and not held_out.is_enough:
        notes.append(
            msg(
                "Too few held-out rows ({n}) have a known end, so the chances are those of age alone.",
                n=held_out.n,
            )
        )
    return tuple(notes)
