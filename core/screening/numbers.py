"""One number column screened: its reasons, control chart figures, capability and histogram."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.data.dataset import Column
from core.messages import Message, msg, msg_n
from core.screening.fixes import (
    SHORT_GAP,
    Gap,
    empty_and_fill,
    empty_clipped,
    empty_codes,
    empty_ends,
    empty_spikes,
    empty_stuck,
)
from core.screening.gaps import percent_text
from core.screening.levels import Levels, Shift, blocks_of, find_levels, find_noise_changes
from core.screening.order import MOST_PLACES, RowOrder
from core.screening.records import Fix, Place, Reason, Severity, ignore
from core.screening.stretches import noise_fix, shift_fix, slow_level_fix, unit_fix
from core.screening.units import unit_change
from core.screening.values import (
    NATURAL_ENDS,
    Clipped,
    Code,
    find_clipping,
    find_codes,
    find_spikes,
    find_stuck,
    has_few_values,
    true_runs,
)
from core.spc.capability import Capability, capability
from core.spc.individuals import Limits, individuals_limits, nelson_rules

BASELINE_SHARE = 0.6
BINS = 30
MOST_NAMED = 3
MOST_GROUPS = 50  # in each of which the level is followed by itself
LONG_STUCK = 0.01  # share of all rows from which a stuck sensor is graded C
CAPABLE = 1.33
AT_ONCE = 1_000_000

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class NumberScreen:
    """What a number column's cells give. `clean` (n,) are they in order, without disguised codes."""

    reasons: tuple[Reason, ...]
    clean: Numbers
    in_control: float | None
    limits: tuple[float, float, float] | None
    shifts: int | None
    ppk: Capability | None
    no_ppk: Message | None
    edges: tuple[float, ...]
    counts: tuple[int, ...]


def screen_numbers(values: Numbers, column: Column, rows: RowOrder) -> NumberScreen:
    """Screen the cells (n,) of a number column in the order of `rows`."""
    reasons: list[Reason] = []
    codes = find_codes(values)
    clean = values
    if codes:
        bad = np.isin(values, [c.value for c in codes])
        clean = np.where(bad, np.nan, values)
        reasons += [_code_reason(code, codes, column, values, rows) for code in codes]
    is_discrete = has_few_values(clean)
    in_control, limits, shifts = None, None, None
    if _is_constant(clean):
        if np.isfinite(clean).sum() > 1:
            reasons.append(_constant(column, clean))
    elif not is_discrete:
        reasons += _stuck_reasons(clean, values, column, rows)
        reasons += _clip_reasons(clean, column, rows)
        spikes = find_spikes(clean, np.zeros(1, dtype=np.int64) if rows.is_one else rows.starts)
        if len(spikes):
            reasons.append(_spike_reason(spikes, clean, column, rows))
        if rows.is_one:
            found, shifts = _level_reasons(_without(clean, spikes), column, rows)
            reasons += found
            in_control, limits = _control(clean)
        else:
            reasons += _group_shifts(_without(clean, spikes), column, rows)
    ppk, no_ppk = _ppk(clean, column, reasons)
    edges, counts = _histogram(clean)
    return NumberScreen(tuple(reasons), clean, in_control, limits, shifts, ppk, no_ppk, edges, counts)


def _is_constant(values: Numbers) -> bool:
    known = values[np.isfinite(values)]
    return len(known) == 0 or bool(known.min() == known.max())


def _is_key(column: Column) -> bool:
    return column.role in ("time", "group", "target")


def _constant(column: Column, values: Numbers) -> Reason:
    value = float(values[np.isfinite(values)][0])
    return Reason("constant", "stop", msg("it is always {value}", value=value), column.name, (), ignore(_is_key(column)))


def _code_reason(code: Code, codes: tuple[Code, ...], column: Column, values: Numbers, rows: RowOrder) -> Reason:
    at = np.flatnonzero(values == code.value)
    percent = percent_text(code.n / rows.n)
    message = (
        msg_n(
            "0 in {n} row ({percent}), all others {low} to {high}: standstill or a missing code?",
            "0 in {n} rows ({percent}), all others {low} to {high}: standstill or a missing code?",
            code.n,
            percent=percent,
            low=code.low,
            high=code.high,
        )
        if code.value == 0
        else msg_n(
            "{value} used as a code in {n} row ({percent}); all others are {low} to {high}",
            "{value} used as a code in {n} rows ({percent}); all others are {low} to {high}",
            code.n,
            value=code.value,
            percent=percent,
            low=code.low,
            high=code.high,
        )
    )
    every = np.isin(values, [c.value for c in codes if c.value != 0 or code.value == 0])
    fix = None
    if column.role == "sensor":
        shortest, longest = _shortest_and_longest(every)
        gap = Gap(rows.has_neighbours, longest, empty_ends(every, rows.starts), shortest, rows.interval)
        fix = empty_and_fill(column.name, values, every, gap) or empty_codes(
            column.name, np.unique(values[every]), code.low, gap
        )
    severity: Severity = "warn" if code.value == 0 else "stop"
    return Reason("missing_code", severity, message, column.name, _places(at, rows), fix)


def _shortest_and_longest(mask: NDArray[np.bool_]) -> tuple[int, int]:
    lengths = true_runs(mask)[1]
    return int(lengths.min()), int(lengths.max())


def _places(at: NDArray[np.int64], rows: RowOrder) -> tuple[Place, ...]:
    """At most 20 of these positions, spread over all of them."""
    some = np.linspace(0, len(at) - 1, min(MOST_PLACES, len(at))).astype(np.int64)
    return tuple(rows.place(int(i)) for i in at[some])


def _stuck_reasons(values: Numbers, with_codes: Numbers, column: Column, rows: RowOrder) -> Iterator[Reason]:
    runs = find_stuck(values, rows.starts, has_time=rows.has_time)
    if not runs:
        return
    longest, total = runs[0], sum(run.length for run in runs)
    message = msg(
        "stuck at {value} for {length} from {start}",
        value=longest.value,
        length=rows.length(longest.first, longest.last),
        start=rows.since(longest.first),
    )
    if len(runs) > 1:
        message = msg_n("{first}, and {n} more time", "{first}, and {n} more times", len(runs) - 1, first=message)
    is_certain = rows.has_time and longest.value != 0  # zero is more often a standstill than a broken sensor
    severity: Severity = "stop" if is_certain and total >= LONG_STUCK * rows.n else "warn"
    if longest.value == 0 and not rows.has_time:
        severity = "info"
    places = tuple(rows.place(run.first, run.last) for run in runs[:MOST_PLACES])
    fix = None
    if column.role == "sensor":
        fix = empty_stuck(column.name, with_codes, runs, rows.starts, has_time=rows.has_time)
    yield Reason("stuck", severity, message, column.name, places, fix)


def _clip_reasons(values: Numbers, column: Column, rows: RowOrder) -> Iterator[Reason]:
    """Both ends are one decision, so that both have the same fix; natural ends such as 0 and 100 % have none."""
    found = find_clipping(values)
    ends = tuple(clip for clip in found if clip.value not in NATURAL_ENDS)
    fix = empty_clipped(column.name, ends) if column.role == "sensor" else None
    for clip in found:
        yield _clip_reason(clip, values, column, rows, fix if clip in ends else None)


def _clip_reason(clip: Clipped, values: Numbers, column: Column, rows: RowOrder, fix: Fix | None) -> Reason:
    at = np.flatnonzero(values == clip.value)
    value, percent = clip.value, percent_text(clip.n / rows.n)
    if value in NATURAL_ENDS:
        message = msg(
            "{percent} of the rows stand exactly at {value}, the end of its range: this may be a natural limit",
            percent=percent,
            value=value,
        )
        return Reason("clipped", "info", message, column.name, _places(at, rows), fix)
    message = (
        msg("clipped at {value}: {percent} of the rows stand at this largest value", value=value, percent=percent)
        if clip.is_upper
        else msg("clipped at {value}: {percent} of the rows stand at this smallest value", value=value, percent=percent)
    )
    return Reason("clipped", "warn", message, column.name, _places(at, rows), fix)


def _spike_reason(spikes: NDArray[np.int64], values: Numbers, column: Column, rows: RowOrder) -> Reason:
    middle = float(np.nanmedian(values[:: max(1, len(values) // 100_000)]))
    biggest = int(spikes[np.argmax(np.abs(values[spikes] - middle))])
    message = msg_n(
        "{n} spike: {value} at {start}",
        "{n} spikes, the largest {value} at {start}",
        len(spikes),
        value=float(values[biggest]),
        start=rows.since(biggest),
    )
    bad = np.zeros(len(values), dtype=np.bool_)
    bad[spikes] = True
    fix = None
    if column.role == "sensor":
        gap = Gap(rows.has_neighbours, SHORT_GAP, empty_ends(bad, rows.starts), interval=rows.interval)
        fix = empty_and_fill(column.name, values, bad, gap)
        fix = fix or empty_spikes(column.name, values, bad, rows.starts, gap)
    order = spikes[np.argsort(-np.abs(values[spikes] - middle), kind="stable")]
    return Reason("spikes", "warn", message, column.name, _places(order[:MOST_PLACES], rows), fix)


def _without(values: Numbers, spikes: NDArray[np.int64]) -> Numbers:
    if not len(spikes):
        return values
    kept = values.copy()
    kept[spikes] = np.nan
    return kept


def _level_reasons(values: Numbers, column: Column, rows: RowOrder) -> tuple[list[Reason], int | None]:
    """Unit changes, shifts, drift and noise changes, and the number of shifts; None where there are too few rows.

    Without a time column the order of the rows may mean nothing, so that shifts are only to know.
    """
    blocks = blocks_of(values)
    if blocks is None:
        return [], None
    severity: Severity = "warn" if rows.has_time else "info"
    levels = find_levels(values, blocks)
    found = []
    unit = _unit_reason(values, levels, column, rows)
    if unit is not None:
        found.append(unit)
    elif levels.shifts:
        found.append(_shift_reason(levels, column, rows, severity))
    if levels.drift is not None:
        whole = rows.place(0, rows.n - 1)
        times = abs(levels.drift) / levels.sd
        change = f"{levels.drift:+.4g} {column.unit}".strip()
        message = msg(
            "drifts by {change} from start to end, {times} times its spread",
            change=change,
            times=f"{times:.1f}" if times < 99 else "> 99",
        )
        fix = slow_level_fix(column, rows) if column.role == "sensor" else None
        found.append(Reason("drift", severity, message, column.name, (whole,), fix))
    noise = find_noise_changes(blocks) if unit is None else ()
    if noise:
        found.append(_noise_reason(noise, column, rows, severity))
    return found, len(levels.shifts)


def _unit_reason(values: Numbers, levels: Levels, column: Column, rows: RowOrder) -> Reason | None:
    edges = [0, *(s.position for s in levels.shifts), len(values)]
    changes = [
        unit_change(values, *cut, has_time=rows.has_time) for cut in zip(edges[:-2], edges[1:-1], edges[2:], strict=True)
    ]
    found = [(i, c) for i, c in enumerate(changes) if c is not None]
    if not found:
        return None
    i, change = found[0]
    message = msg("the unit seems to change ({words}) from {start} on", words=change.words, start=rows.since(change.position))
    places = tuple(rows.place(edges[k + 1], edges[k + 2] - 1) for k, _ in found[:MOST_PLACES])
    fix = None
    if column.role == "sensor":
        fix = unit_fix(
            column,
            [0, *(c.position if c else s.position for c, s in zip(changes, levels.shifts, strict=True)), rows.n],
            changes,
            rows,
        )
    return Reason("unit_change", "stop", message, column.name, places, fix)


def _shift_reason(levels: Levels, column: Column, rows: RowOrder, severity: Severity) -> Reason:
    shifts = levels.shifts
    largest = max(shifts, key=lambda s: abs(s.after - s.before))
    message = msg_n(
        "{n} level shift: {before} → {after} at {start}",
        "{n} level shifts, the largest {before} → {after} at {start}",
        len(shifts),
        before=largest.before,
        after=largest.after,
        start=rows.since(largest.position),
    )
    places = tuple(rows.place(s.position) for s in shifts[:MOST_PLACES])
    fix = shift_fix(column, levels, rows) if column.role == "sensor" else None
    return Reason("shift", severity, message, column.name, places, fix)


def _group_shifts(values: Numbers, column: Column, rows: RowOrder) -> Iterator[Reason]:
    """Level shifts within the groups (machines, lots), each looked at by itself; without a fix, as it would need a period
    of one group. Where most groups shift, that is how the process runs, and only to know."""
    if len(rows.starts) > MOST_GROUPS or rows.times is None:
        return
    found: list[tuple[float, Shift, int]] = []
    stops = np.append(rows.starts[1:], len(values))
    n_shifted = 0
    for start, stop in zip(rows.starts.tolist(), stops.tolist(), strict=True):
        part = values[start:stop]
        blocks = blocks_of(part)
        shifts = find_levels(part, blocks).shifts if blocks is not None else ()
        n_shifted += bool(shifts)
        found += [(abs(s.after - s.before), s, start + s.position) for s in shifts]
    if not found:
        return
    _, largest, position = max(found, key=lambda f: f[0])
    message = msg_n(
        "{n} level shift within a group: {before} → {after} at {start}",
        "{n} level shifts within groups, the largest {before} → {after} at {start}",
        len(found),
        before=largest.before,
        after=largest.after,
        start=rows.since(position),
    )
    severity: Severity = "warn" if n_shifted <= len(rows.starts) / 2 else "info"
    places = tuple(rows.place(p) for _, _, p in found[:MOST_PLACES])
    yield Reason("shift", severity, message, column.name, places, None)


def _noise_reason(changes: tuple[tuple[int, float], ...], column: Column, rows: RowOrder, severity: Severity) -> Reason:
    position, ratio = max(changes, key=lambda c: abs(np.log(c[1])))
    times, start = round(ratio if ratio > 1 else 1 / ratio, 1), rows.since(position)
    message = (
        msg("its noise becomes {times} times as large at {start}", times=times, start=start)
        if ratio > 1
        else msg("its noise becomes {times} times smaller at {start}", times=times, start=start)
    )
    if len(changes) > 1:
        message = msg_n("{first}, and changes {n} more time", "{first}, and changes {n} more times", len(changes) - 1, first=message)  # fmt: skip
    places = tuple(rows.place(p) for p, _ in changes[:MOST_PLACES])
    fix = noise_fix(column, changes, rows) if column.role == "sensor" else None
    return Reason("noise_change", severity, message, column.name, places, fix)


def _control(values: Numbers) -> tuple[float | None, tuple[float, float, float] | None]:
    """Share of rows without a signal of rules 1 to 4, and the limits from the first 60 %; looked at a million rows at a time."""
    limits = individuals_limits(values[: int(BASELINE_SHARE * len(values))])
    if not isinstance(limits, Limits):
        return None, None
    known = values[np.isfinite(values)]
    signals, reach = 0, 20  # a pattern is complete after 14 values: 20 before a part decide what is in it
    for start in range(0, len(known), AT_ONCE):
        lead = min(reach, start)
        some = np.logical_or.reduce(nelson_rules(known[start - lead : start + AT_ONCE], limits))
        signals += int(np.count_nonzero(some[lead:]))
    return 1 - signals / len(known), (limits.lower, limits.centre, limits.upper)


def _ppk(values: Numbers, column: Column, reasons: list[Reason]) -> tuple[Capability | None, Message | None]:
    if column.lower_limit is None and column.upper_limit is None:
        return None, None
    found = capability(values, column.lower_limit, column.upper_limit)
    if not isinstance(found, Capability):
        return None, found.reason
    if found.ppk < CAPABLE:
        message = msg(
            "Ppk {ppk} (95 %: {low} to {high}, n = {n}): {percent} of the rows lie outside the specification limits",
            ppk=round(found.ppk, 2),
            low=round(found.ppk_low, 2),
            high=round(found.ppk_high, 2),
            n=found.n,
            percent=percent_text(found.outside),
        )
        reasons.append(Reason("ppk", "info", message, column.name))
    return found, None


def _histogram(values: Numbers) -> tuple[tuple[float, ...], tuple[int, ...]]:
    known = values[np.isfinite(values)]
    if not len(known):
        return (), ()
    low, high = float(known.min()), float(known.max())
    if not high > low:
        return (low, low), (len(known),)
    counts, edges = np.histogram(known, bins=BINS, range=(low, high))
    return tuple(edges.tolist()), tuple(counts.tolist())
