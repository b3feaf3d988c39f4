"""Control charts of a column of a dataset: the rows in order, the chart proposed or chosen, the rules of a named book."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.dataset import Dataset
from core.errors import DataProblem, SettingProblem, unknown_column
from core.features.pipeline import row_order
from core.messages import Message, msg
from core.spc.attributes import defectives_chart, defects_chart
from core.spc.changes import lasting_shifts
from core.spc.chart import Chart, Phases, without
from core.spc.cusum_shifts import cusum_shifts
from core.spc.individuals import NotDefined
from core.spc.proposal import ChartPair, propose_chart
from core.spc.rules import chosen_rules, rule_book, signals
from core.spc.run_chart import RunsTest, run_chart
from core.spc.subgroups import Subgroups
from core.spc.variables import (
    Process,
    SubgroupMethod,
    given_process,
    individuals,
    individuals_pair,
    known_process,
    subgroup_means,
    subgroup_pair,
)
from core.spc.weighted import cusum_charts, ewma_chart
from core.workflows.control_points import axis_times, order_by, phases_of, points_of, stamps_of
from core.workflows.control_record import ControlView
from core.workflows.control_settings import OF_COUNTS, ChartChoice, ControlSettings
from core.workflows.control_words import hang_together, known_words, refused, told
from core.workflows.left_out import LeftOut, mask_of, read_left_out, told_left_out, with_points


def control_view(dataset: Dataset, column: str, settings: ControlSettings) -> ControlView:
    """The control charts of a number column, its rows in the order of the time column, else of the table.

    Raises:
        DataProblem: a column is missing, or the column holds no numbers.
        SettingProblem: settings that exclude each other.
        NotEnoughData: the chart is not defined for these values, with the reason.
    """
    unit = _checked(dataset, column, settings)
    group, time = order_by(dataset)
    named = (settings.size_column, settings.subgroup_column, settings.stage_column, group, time)
    table = dataset.rows([column, *dict.fromkeys(n for n in named if n is not None and n != column)]).read()
    order, _ = row_order(table, group, time)
    table = table.iloc[order]
    values = table[column].to_numpy(dtype=np.float64, na_value=np.nan)
    if settings.counts != "measurement":
        return _of_counts(table, order, column, values, settings, time)
    points, ends, place = points_of(table, values, settings)
    sizes: NDArray[np.float64] | float = 1.0 if points is None else points.sizes.astype(np.float64)
    name, why = _choice(settings, sizes)
    left = with_points(read_left_out(settings.left_out, len(table)), order, place)
    mask = mask_of(left, len(ends))
    levels = values if points is None else points.means
    kept = np.where(mask, np.nan, levels)
    of, shifts = without(phases_of(table, ends, kept, settings), mask), lasting_shifts(kept)
    times, stamps = axis_times(table, time, ends), stamps_of(table, time, ends)
    shown = _Shown(column, unit, order[ends], times, stamps, name, why, settings, left)
    if name == "run":
        return _of_runs(levels, of, shown, shifts)
    if name == "CUSUM":
        return _of_sums(values, points, of, shown, shifts)
    return _view(_MEASURED[name](values, points, of, settings), shown, shifts)


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
    if settings.known_centre is not None or settings.known_sigma is not None:
        _check_known(settings)
    if settings.counts == "defectives" and settings.size_column is None:
        raise SettingProblem(
            msg("Defective units were given without the number inspected."),
            msg("Expected a column of sizes: how many units each row inspected."),
            msg("Name that column (size_column)."),
        )
    return by_name[column].unit


def _check_known(settings: ControlSettings) -> None:
    if settings.counts != "measurement" or settings.chart == "run":
        raise SettingProblem(
            msg("A known centre or sigma was given for a chart that takes none."),
            msg("They are for charts of measurements with limits: I, X̄, EWMA and CUSUM."),
            msg("Leave out known_centre and known_sigma, or choose such a chart."),
        )


def _choice(settings: ControlSettings, sizes: NDArray[np.float64] | float) -> tuple[ChartChoice, Message | None]:
    if settings.chart != "auto":
        return settings.chart, None
    proposal = propose_chart(settings.counts, sizes)
    if isinstance(proposal, NotDefined):
        raise refused(proposal)
    return proposal.chart, proposal.reason


def _process(
    values: NDArray[np.float64],
    points: Subgroups | None,
    of: Phases,
    settings: ControlSettings,
    usual: SubgroupMethod = "S-bar/c4",
) -> Process | NotDefined:
    """Centre and sigma as they are known, and what is not known from the baseline."""
    centre, sigma = settings.known_centre, settings.known_sigma
    if centre is not None and sigma is not None:
        sizes = None if points is None else points.sizes
        return given_process(values if points is None else points.means, centre, sigma, of, sizes)
    found = individuals(values, of) if points is None else subgroup_means(points, of, _sigma(settings, usual))
    return found if isinstance(found, NotDefined) else known_process(found, target=centre, sigma=sigma)


def _individuals(
    values: NDArray[np.float64], points: Subgroups | None, of: Phases, settings: ControlSettings
) -> tuple[Chart, ...] | NotDefined:
    if points is not None and settings.known_sigma is not None and (points.sizes > 1).any():
        raise SettingProblem(
            msg("A known sigma was given for a chart on which means of several rows are single points."),
            msg("It is the standard deviation of single values, and does not say how such means spread."),
            msg("Choose Xbar-R or Xbar-S, or leave out known_sigma."),
        )
    found = _process(values if points is None else points.means, None, of, settings)
    return found if isinstance(found, NotDefined) else individuals_pair(found)


def _means(
    kind: Literal["R", "S"], values: NDArray[np.float64], points: Subgroups | None, of: Phases, settings: ControlSettings
) -> tuple[Chart, ...] | NotDefined:
    groups = _groups(points)
    found = _process(values, groups, of, settings, "R-bar/d2" if kind == "R" else "S-bar/c4")
    return found if isinstance(found, NotDefined) else subgroup_pair(found, groups, kind)


def _ewma(
    values: NDArray[np.float64], points: Subgroups | None, of: Phases, settings: ControlSettings
) -> tuple[Chart, ...] | NotDefined:
    found = _process(values, points, of, settings)
    return found if isinstance(found, NotDefined) else (ewma_chart(found, weight=settings.weight, width=settings.width),)


def _of_sums(
    values: NDArray[np.float64], points: Subgroups | None, of: Phases, shown: _Shown, shifts: NDArray[np.int64]
) -> ControlView:
    """The cumulative sums, with the start and the size of each shift that they signal."""
    settings = shown.settings
    process = _process(values, points, of, settings)
    if isinstance(process, NotDefined):
        raise refused(process)
    charts = cusum_charts(process, interval=settings.interval, allowance=settings.allowance)
    view = _view(charts, shown, shifts)
    found = cusum_shifts(process, view.charts, view.signals, settings.allowance)
    return replace(view, cusum=found, target=float(process.centre[-1]))


Measured = Callable[[NDArray[np.float64], Subgroups | None, Phases, ControlSettings], tuple[Chart, ...] | NotDefined]
_MEASURED: dict[str, Measured] = {
    "I-MR": _individuals,
    "Xbar-R": partial(_means, "R"),
    "Xbar-S": partial(_means, "S"),
    "EWMA": _ewma,
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
    stamps: NDArray[np.generic] | None
    name: ChartChoice | ChartPair
    why: Message | None
    settings: ControlSettings
    left_out: tuple[LeftOut, ...]


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
    left = with_points(read_left_out(settings.left_out, len(table)), order, every)
    mask = mask_of(left, len(values))
    shares = np.where(mask, np.nan, shares)
    of = without(phases_of(table, every, shares, settings), mask)
    if name in ("p", "np"):
        chart = defectives_chart(values, sizes, of, kind="np" if name == "np" else "p")
    else:
        chart = defects_chart(values, sizes, of, kind="c" if name == "c" else "u")
    times, stamps = axis_times(table, time, every), stamps_of(table, time, every)
    shown = _Shown(column, "", order, times, stamps, name, why, settings, left)
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
    whole = rule_book(shown.settings.rules)
    book = chosen_rules(whole, shown.settings.only_rules) if charts[0].zoned else whole
    notes = [*told_left_out(shown.left_out), *known_words(charts[0], shown.settings.known_centre)]
    notes += [*hang_together(charts[0]), *(note for chart in charts for note in chart.notes)]
    return ControlView(
        column=shown.column,
        unit=shown.unit,
        charts=charts,
        signals=tuple(signals(chart, book) for chart in charts),
        book=book,
        rows=shown.rows,
        name=shown.name,
        why=shown.why,
        notes=tuple({str(note): note for note in notes}.values()),
        times=shown.times,
        shifts=tuple(int(at) for at in shifts),
        left_out=shown.left_out,
        stamps=shown.stamps,
    )
