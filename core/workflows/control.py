"""Control charts of a column of a dataset: the rows in order, the chart proposed or chosen, the rules of a named book."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.dataset import Dataset
from core.errors import DataProblem, SettingProblem, unknown_column
from core.features.pipeline import row_order
from core.messages import Message, msg
from core.spc.attributes import defectives_chart, defects_chart
from core.spc.changes import lasting_shifts
from core.spc.chart import Chart, Phases, numbered, phases
from core.spc.individuals import NotDefined
from core.spc.proposal import ChartPair, propose_chart
from core.spc.rules import RuleBook, Signal, rule_book, signals
from core.spc.run_chart import RunsTest, run_chart
from core.spc.stability import judge_stability
from core.spc.subgroups import Subgroups, subgroups, subgroups_of_size
from core.spc.variables import (
    Process,
    SubgroupMethod,
    individuals,
    individuals_charts,
    known_process,
    mean_and_deviation_charts,
    mean_and_range_charts,
    subgroup_means,
)
from core.spc.weighted import cusum_charts, ewma_chart
from core.workflows.control_settings import OF_COUNTS, ChartChoice, ControlSettings
from core.workflows.control_words import hang_together, odd, refused, told
from core.workflows.csv_out import write_csv

UNLIKELY = 0.05
"""A chance of as few or as many runs below this is told as a finding."""


@dataclass(frozen=True, slots=True)
class ControlView:
    """Charts of one column, above each other, with the signals of each.

    `rows` (n_points,) is the row of the table at which each point ends, `times` (n_points,) its time, None without a time column.
    `why` says why this chart was taken, None where it was asked for. `shifts` are the points at which a new level begins
    (0-based), whether or not stages were made of them. `tests` are those of a run chart.
    """

    column: str
    unit: str
    charts: tuple[Chart, ...]
    signals: tuple[tuple[Signal, ...], ...]
    book: RuleBook
    rows: NDArray[np.int64]
    name: str
    why: Message | None
    notes: tuple[Message, ...]
    times: NDArray[np.generic] | None = None
    shifts: tuple[int, ...] = ()
    tests: tuple[RunsTest, ...] = ()

    @property
    def marks(self) -> NDArray[np.bool_]:
        """Points that complete a pattern of the book on any of the charts, bool (n_points,)."""
        found = [signal.found for of_chart in self.signals for signal in of_chart]
        return np.logical_or.reduce(found) if found else np.zeros(len(self.rows), np.bool_)

    @property
    def n_out(self) -> int:
        """Points that complete a pattern of the book on any of the charts."""
        return int(self.marks.sum())

    @property
    def headline(self) -> Message:
        """The finding in a sentence."""
        if self.name == "run":
            strange = [t for t in self.tests if min(t.p_few, t.p_many) < UNLIKELY]
            if not strange:
                return msg("'{column}' runs as chance would have it: neither too few runs nor too many", column=self.column)
            return msg(
                "'{column}' does not run as chance would have it: {finding}", column=self.column, finding=odd(strange[0])
            )
        facts: dict[str, str | int | Message] = {
            "column": self.column,
            "n": self.n_out,
            "of": self.n_points,
            "book": self.book.title,
        }
        if not self.is_zoned:
            if not self.n_out:
                return msg("'{column}' is in control: no point lies outside the limits", column=self.column)
            return msg("'{column}' is not in control: {n} of {of} points lie outside the limits", **facts)
        if not self.n_out:
            return msg("'{column}' is in control: no point breaks a rule of {book}", column=self.column, book=self.book.title)
        if self.is_chance:
            return msg(
                "'{column}' is in control: {n} of {of} points break a rule of {book}, no more than chance gives", **facts
            )
        return msg("'{column}' is not in control: {n} of {of} points break a rule of {book}", **facts)

    @property
    def n_points(self) -> int:
        """Points with a value."""
        return int(np.isfinite(self.charts[0].points).sum())

    @property
    def is_zoned(self) -> bool:
        """Whether the rules of the book are applied, and not the limits alone."""
        return self.charts[0].zoned

    @property
    def is_chance(self) -> bool:
        """Whether so many signals come of a stable process too: with eight rules most charts of some hundred points have one."""
        return self.is_zoned and judge_stability(self.charts, self.book).is_stable


def control_view(dataset: Dataset, column: str, settings: ControlSettings) -> ControlView:
    """The control charts of a number column, its rows in the order of the time column, else of the table.

    Raises:
        DataProblem: a column is missing, or the column holds no numbers.
        SettingProblem: settings that exclude each other.
        NotEnoughData: the chart is not defined for these values, with the reason.
    """
    unit = _checked(dataset, column, settings)
    time = next((c.name for c in dataset.with_role("time")), None)
    named = (settings.size_column, settings.subgroup_column, settings.stage_column, time)
    table = dataset.rows([column, *dict.fromkeys(n for n in named if n is not None and n != column)]).read()
    order, _ = row_order(table, None, time)
    table = table.iloc[order]
    values = table[column].to_numpy(dtype=np.float64, na_value=np.nan)
    if settings.counts != "measurement":
        return _of_counts(table, order, column, values, settings, time)
    points, ends = _points(table, values, settings)
    sizes: NDArray[np.float64] | float = 1.0 if points is None else points.sizes.astype(np.float64)
    name, why = _choice(settings, sizes)
    levels = values if points is None else points.means
    of, shifts = _phases(table, ends, levels, settings), lasting_shifts(levels)
    shown = _Shown(column, unit, order[ends], axis_times(table, time, ends), name, why, settings)
    if name == "run":
        return _of_runs(levels, of, shown, shifts)
    return _view(_MEASURED[name](values, points, of, settings), shown, shifts)


def export_control(view: ControlView, path: Path) -> None:
    """Points, limits and signals of each chart as CSV, one row a point."""
    table = pd.DataFrame({"row": view.rows + 1})
    for chart, found in zip(view.charts, view.signals, strict=True):
        for name, values in (("", chart.points), (" centre", chart.centre), (" lower", chart.lower), (" upper", chart.upper)):
            table[f"{chart.kind}{name}"] = values
        broken = [[str(s.number) for s in found if s.found[i]] for i in range(len(chart.points))]
        table[f"{chart.kind} rules"] = [" ".join(numbers) for numbers in broken]
    write_csv(table, path, formula_safe=True)


def _checked(dataset: Dataset, column: str, settings: ControlSettings) -> str:
    """The unit of the column, once names and settings are looked at."""
    by_name = {c.name: c for c in dataset.columns}
    for name in (column, settings.size_column, settings.subgroup_column, settings.stage_column):
        if name is not None and name not in by_name:
            raise unknown_column(name, by_name)
    for name in (column, settings.size_column):
        if name is not None and by_name[name].kind != "number":
            raise DataProblem(
                msg("Column '{column}' holds {kind}, not numbers.", column=name, kind=by_name[name].kind),
                msg("A control chart shows numbers in order."),
                msg("Choose a column of numbers."),
            )
    if settings.subgroup is not None and settings.subgroup_column is not None:
        raise SettingProblem(
            msg("A subgroup size and a column of subgroups were both given."),
            msg("One of them makes the subgroups."),
            msg("Leave out one."),
        )
    wanted = OF_COUNTS.get(settings.chart, "measurement")
    if settings.chart != "auto" and wanted != settings.counts:
        raise SettingProblem(
            msg(
                "The chart {chart} shows {wanted}, and the data are said to be {given}.",
                chart=settings.chart,
                wanted=wanted,
                given=settings.counts,
            ),
            msg("Chart and kind of data belong together."),
            msg("Set counts={wanted}, or choose another chart.", wanted=wanted),
        )
    if settings.counts == "defectives" and settings.size_column is None:
        raise SettingProblem(
            msg("Defective units were given without the number inspected."),
            msg("Expected a column of sizes: how many units each row inspected."),
            msg("Name that column (size_column)."),
        )
    return by_name[column].unit


def _points(
    table: pd.DataFrame, values: NDArray[np.float64], settings: ControlSettings
) -> tuple[Subgroups | None, NDArray[np.int64]]:
    """The subgroups, None for single values, and the place in `table` at which each point ends."""
    n = len(values)
    if settings.subgroup_column is not None:
        labels = table[settings.subgroup_column].astype("str").to_numpy()
        codes, names = numbered(labels)
        ends = np.zeros(len(names), np.int64)
        ends[codes] = np.arange(n)  # the last of each label stays
        return subgroups(values, labels), ends
    size = settings.subgroup or 1
    if size == 1 and settings.chart not in ("Xbar-R", "Xbar-S"):
        return None, np.arange(n)
    return subgroups_of_size(values, size), np.minimum(np.arange(size - 1, n + size - 1, size), n - 1)


def _choice(settings: ControlSettings, sizes: NDArray[np.float64] | float) -> tuple[ChartChoice, Message | None]:
    if settings.chart != "auto":
        return settings.chart, None
    proposal = propose_chart(settings.counts, sizes)
    if isinstance(proposal, NotDefined):
        raise refused(proposal)
    return proposal.chart, proposal.reason


def _phases(table: pd.DataFrame, ends: NDArray[np.int64], points: NDArray[np.float64], settings: ControlSettings) -> Phases:
    """Baseline and stages of the points that end at these places of the table."""
    n = len(ends)
    has_baseline = settings.baseline is not None or settings.baseline_start > 1
    if sum([has_baseline, settings.stage_column is not None, settings.shifts]) > 1:
        raise SettingProblem(
            msg("A baseline, a column of stages and stages from shifts exclude each other; more than one came."),
            msg("The points of one stage cannot give the limits of another."),
            msg("Leave out all but one of them."),
        )
    if settings.stage_column is not None:
        return phases(n, None, table[settings.stage_column].astype("str").to_numpy()[ends])
    if settings.shifts:
        stages = np.searchsorted(lasting_shifts(points), np.arange(n), side="right") + 1
        return phases(n, None, stages) if stages.max(initial=1) > 1 else phases(n)
    return baseline_phases(n, settings.baseline_start, settings.baseline)


def baseline_phases(n: int, start: int, count: int | None) -> Phases:
    """Phases of n points whose baseline has `count` points from point `start` on (1-based), all the rest without `count`.

    Raises:
        SettingProblem: it begins behind the last point.
    """
    if start > max(n, 1):
        raise SettingProblem(
            msg("The baseline begins at point {first}, and there are {n}.", first=start, n=n),
            msg("The baseline lies within the points of the chart."),
            msg("Begin it at an earlier point."),
        )
    if count is not None and start - 1 + count > n:
        raise SettingProblem(
            msg("The baseline has points {first} to {last}, and there are {n}.", first=start, last=start - 1 + count, n=n),
            msg("The baseline lies within the points of the chart."),
            msg("Make it shorter, or begin it at an earlier point."),
        )
    place = np.arange(n) - (start - 1)
    last = n if count is None else count
    return phases(n, (place >= 0) & (place < last)) if start > 1 or count is not None else phases(n)


def axis_times(table: pd.DataFrame, time: str | None, ends: NDArray[np.int64]) -> NDArray[np.generic] | None:
    """The time of each point, or None where there is no column of times, one is empty, or they do not ascend, as of subgroups that interleave."""
    if time is None or table[time].iloc[ends].isna().any():
        return None
    values = table[time].iloc[ends]
    found = values.to_numpy(dtype="datetime64[ms]") if values.dtype.kind == "M" else values.to_numpy(dtype=np.float64)
    return found if (found[1:] >= found[:-1]).all() else None


def _process(
    values: NDArray[np.float64], points: Subgroups | None, of: Phases, settings: ControlSettings
) -> Process | NotDefined:
    found = individuals(values, of) if points is None else subgroup_means(points, of, _sigma(settings, "S-bar/c4"))
    return found if isinstance(found, NotDefined) else known_process(found, target=settings.target)


def _ewma(
    values: NDArray[np.float64], points: Subgroups | None, of: Phases, settings: ControlSettings
) -> tuple[Chart, ...] | NotDefined:
    found = _process(values, points, of, settings)
    return found if isinstance(found, NotDefined) else (ewma_chart(found, weight=settings.weight, width=settings.width),)


def _cusum(
    values: NDArray[np.float64], points: Subgroups | None, of: Phases, settings: ControlSettings
) -> tuple[Chart, ...] | NotDefined:
    found = _process(values, points, of, settings)
    if isinstance(found, NotDefined):
        return found
    return cusum_charts(found, interval=settings.interval, allowance=settings.allowance)


Measured = Callable[[NDArray[np.float64], Subgroups | None, Phases, ControlSettings], tuple[Chart, ...] | NotDefined]
_MEASURED: dict[str, Measured] = {
    "I-MR": lambda values, points, of, settings: individuals_charts(values if points is None else points.means, of),
    "Xbar-R": lambda values, points, of, settings: mean_and_range_charts(_groups(points), of, _sigma(settings, "R-bar/d2")),
    "Xbar-S": lambda values, points, of, settings: mean_and_deviation_charts(_groups(points), of, _sigma(settings, "S-bar/c4")),
    "EWMA": _ewma,
    "CUSUM": _cusum,
}


def _groups(points: Subgroups | None) -> Subgroups:
    if points is None:
        raise AssertionError("a chart of subgroups has them")
    return points


def _sigma(settings: ControlSettings, usual: SubgroupMethod) -> SubgroupMethod:
    return usual if settings.sigma == "auto" else settings.sigma


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a view says of its charts, whichever they are."""

    column: str
    unit: str
    rows: NDArray[np.int64]
    times: NDArray[np.generic] | None
    name: ChartChoice | ChartPair
    why: Message | None
    settings: ControlSettings


def _of_counts(
    table: pd.DataFrame,
    order: NDArray[np.int64],
    column: str,
    values: NDArray[np.float64],
    settings: ControlSettings,
    time: str | None,
) -> ControlView:
    sizes: NDArray[np.float64] | float = 1.0
    if settings.size_column is not None:
        sizes = table[settings.size_column].to_numpy(dtype=np.float64, na_value=np.nan)
    name, why = _choice(settings, sizes)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(np.asarray(sizes) > 0, values / sizes, np.nan)
    every = np.arange(len(values))
    of = _phases(table, every, shares, settings)
    if name in ("p", "np"):
        chart = defectives_chart(values, sizes, of, kind="np" if name == "np" else "p")
    else:
        chart = defects_chart(values, sizes, of, kind="c" if name == "c" else "u")
    shown = _Shown(column, "", order, axis_times(table, time, every), name, why, settings)
    return _view(chart if isinstance(chart, NotDefined) else (chart,), shown, lasting_shifts(shares))


def _of_runs(values: NDArray[np.float64], of: Phases, shown: _Shown, shifts: NDArray[np.int64]) -> ControlView:
    """The run chart with what its two tests found, in words."""
    found = run_chart(values, of)
    if isinstance(found, NotDefined):
        raise refused(found)
    view = _view((found.chart,), shown, shifts)
    both = (found.median, found.direction)
    known = tuple(t for t in both if isinstance(t, RunsTest))
    missing = [msg("no test of runs: {reason}", reason=t.reason) for t in both if isinstance(t, NotDefined)]
    return replace(view, tests=known, notes=(*view.notes, *(told(t) for t in known), *missing))


def _view(charts: tuple[Chart, ...] | NotDefined, shown: _Shown, shifts: NDArray[np.int64]) -> ControlView:
    if isinstance(charts, NotDefined):
        raise refused(charts)
    book = rule_book(shown.settings.rules)
    notes = [note for chart in charts for note in chart.notes]
    return ControlView(
        column=shown.column,
        unit=shown.unit,
        charts=charts,
        signals=tuple(signals(chart, book) for chart in charts),
        book=book,
        rows=shown.rows,
        name=shown.name,
        why=shown.why,
        notes=tuple({str(note): note for note in [*hang_together(charts[0]), *notes]}.values()),
        times=shown.times,
        shifts=tuple(int(at) for at in shifts),
    )
