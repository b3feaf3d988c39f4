"""The time column: gaps, irregular steps, double stamps, steps back, and the marks of daylight saving."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from core.messages import Message, msg, msg_n
from core.screening.order import MOST_PLACES, RowOrder, duration, median_step, stamp, steps_between, usual_step
from core.screening.records import Place, Reason

GAP_TIMES = 3.0  # steps longer than this many usual ones are gaps
REGULAR, NEAR = 0.9, 0.1  # share of steps within 10 % of the usual one that makes a clock regular
FEW_JUMPS = 0.001  # steps back up to this share of rows are a clock set back; more is a file that is not sorted
HOUR, MOST_OFF = 3600.0, 600.0  # seconds; a step over the change of an hour may be off by a usual step, at most 10 min


def every_text(times: NDArray, step: float | None) -> Message | None:
    """ "every 3 min", or "every 1" along a number."""
    if step is None:
        return None
    return msg("every {step}", step=duration(step) if times.dtype.kind == "M" else float(step))


def clock_reasons(name: str, in_file: NDArray, rows: RowOrder) -> tuple[Reason, ...]:
    """What is wrong with a time column.

    Args:
        in_file: Its cells (n,) in the order of the file.
        rows: The order found; double stamps and gaps are looked for in it, steps back in the file.
    """
    times, n = rows.times, rows.n
    if times is None:
        return ()
    found: list[Reason] = []
    empty = np.isnat(times) if times.dtype.kind == "M" else np.isnan(times)
    known = np.flatnonzero(~empty)
    if len(known) < 3:
        return ()
    if rows.is_one and rows.order is not None:
        found += _back(name, in_file)
    whole = times if len(known) == n else times[known]
    steps = steps_between(whole)
    inside = np.ones(len(steps), dtype=np.bool_)
    if not rows.is_one:
        borders = np.zeros(n + 1, dtype=np.bool_)
        borders[rows.starts] = True
        inside = ~borders[known[1:]]
    steps[~inside] = np.nan
    usual = median_step(steps)
    if usual is None:
        return tuple(found)
    found += _double(name, steps, known, rows)
    found += _gaps_and_rhythm(name, steps, usual, known, times, rows)
    return tuple(found)


def _back(name: str, in_file: NDArray) -> list[Reason]:
    """Steps back in the file: a clock that was set back, daylight saving, or rows that are not sorted."""
    steps = steps_between(in_file)
    back = np.flatnonzero(steps < 0) + 1
    if not len(back):
        return []
    places = tuple(Place(int(i), int(i), stamp(in_file[i])) for i in back[:MOST_PLACES])
    usual = usual_step(in_file) or 0.0
    is_clock = in_file.dtype.kind == "M"
    if is_clock and len(back) <= 20 and all(_is_repeated_hour(in_file[i], float(steps[i - 1]), usual) for i in back):
        message = msg(
            "the hour after {start} comes twice: the clock went back from daylight saving time", start=places[0].start
        )
        return [Reason("daylight_saving", "warn", message, name, places)]
    if len(back) <= max(3, FEW_JUMPS * len(in_file)):
        largest = int(back[np.argmin(steps[back - 1])])
        message = msg_n(
            "the clock jumps back {n} time, at row {row} to {start}",
            "the clock jumps back {n} times, most at row {row} to {start}",
            len(back),
            row=largest + 1,
            start=stamp(in_file[largest]),
        )
        return [Reason("clock_back", "warn", message, name, places)]
    message = msg_n("not sorted: it goes back {n} time", "not sorted: it goes back {n} times", len(back))
    return [Reason("unsorted", "warn", message, name, places)]


def _double(name: str, steps: NDArray[np.float64], known: NDArray[np.int64], rows: RowOrder) -> list[Reason]:
    same = np.flatnonzero(steps == 0)
    if not len(same):
        return []
    message = msg_n("{n} row has the time of the row before it", "{n} rows have the time of the row before them", len(same))
    places = tuple(rows.place(int(known[i + 1])) for i in same[:MOST_PLACES])
    return [Reason("double_time", "warn", message, name, places)]


def _gaps_and_rhythm(
    name: str, steps: NDArray[np.float64], usual: float, known: NDArray[np.int64], times: NDArray, rows: RowOrder
) -> list[Reason]:
    forward = steps[steps > 0]
    is_clock = times.dtype.kind == "M"
    if float(np.mean(np.abs(forward - usual) <= NEAR * usual)) < REGULAR:
        low, high = (float(q) for q in np.quantile(forward, (0.05, 0.95)))
        words = {"low": duration(low), "high": duration(high)} if is_clock else {"low": low, "high": high}
        return [Reason("irregular", "info", msg("irregular steps: nine in ten lie between {low} and {high}", **words), name)]
    long = np.flatnonzero(steps > GAP_TIMES * usual)
    found = []
    if is_clock:
        hour_more = np.abs(steps - usual - HOUR) <= min(usual, MOST_OFF)
        summer = [i for i in np.flatnonzero(hour_more) if _is_skipped_hour(times[known[i]])]
        if summer:
            places = tuple(rows.place(int(known[i]), int(known[i + 1])) for i in summer[:MOST_PLACES])
            message = msg("one hour is missing after {start}: the clock went to daylight saving time", start=places[0].start)
            found.append(Reason("daylight_saving", "warn", message, name, places))
        long = np.setdiff1d(long, summer)
    if not len(long):
        return found
    longest = int(long[np.argmax(steps[long])])
    length = duration(float(steps[longest])) if is_clock else msg("{n}", n=float(steps[longest]))
    message = msg_n(
        "{n} gap in time: {length} from {start}",
        "{n} gaps in time, the longest {length} from {start}",
        len(long),
        length=length,
        start=rows.since(int(known[longest])),
    )
    order = long[np.argsort(-steps[long], kind="stable")][:MOST_PLACES]
    places = tuple(rows.place(int(known[i]), int(known[i + 1])) for i in order)
    return [*found, Reason("time_gap", "warn" if len(long) <= 0.01 * len(steps) else "info", message, name, places)]


def _is_repeated_hour(first_after: np.datetime64, step: float, usual: float) -> bool:
    """A step back by one hour less a usual step, in the night of a change to winter time."""
    moment = first_after.astype("datetime64[s]").item()
    return (
        abs(step + HOUR - usual) <= max(1.0, min(usual, MOST_OFF))
        and moment.hour <= 3
        and _changes(moment.date(), to_summer=False)
    )


def _is_skipped_hour(last_before: np.datetime64) -> bool:
    """The last stamp before an hour that is missing, in the night of a change to summer time."""
    moment = last_before.astype("datetime64[s]").item()
    return moment.hour <= 3 and _changes(moment.date(), to_summer=True)


def _changes(day: date, *, to_summer: bool) -> bool:
    """Whether clocks change on that Sunday somewhere: Europe, North America, Australia and New Zealand.

    Europe: last Sunday of March and October (directive 2000/84/EC). United States and Canada: second Sunday of March, first
    of November (Energy Policy Act of 2005). Australia: first Sunday of October and April; New Zealand: last Sunday of
    September and first of April.
    """
    if day.weekday() != 6:
        return False
    number, is_last = (day.day - 1) // 7 + 1, (day + timedelta(days=7)).month != day.month
    summer = (day.month == 3 and (is_last or number == 2)) or (day.month == 10 and number == 1) or (day.month == 9 and is_last)
    winter = (day.month == 10 and is_last) or (day.month == 11 and number == 1) or (day.month == 4 and number == 1)
    return summer if to_summer else winter
