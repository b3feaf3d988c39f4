"""Control charts of a column of a dataset: the rows in order, the chart proposed or chosen, the rules of a named book."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.dataset import Dataset
from core.errors import DataProblem, NotEnoughData, SettingProblem, unknown_column
from core.features.pipeline import row_order
from core.messages import Message, msg
from core.settings import Settings, setting
from core.spc.attributes import defectives_chart, defects_chart
from core.spc.chart import Chart, Phases, numbered, phases
from core.spc.individuals import NotDefined
from core.spc.proposal import ChartPair, propose_chart
from core.spc.rules import RuleBook, Signal, rule_book, signals
from core.spc.subgroups import Subgroups, subgroups, subgroups_of_size
from core.spc.variables import (
    Process,
    individuals,
    individuals_charts,
    known_process,
    mean_and_deviation_charts,
    mean_and_range_charts,
    subgroup_means,
)
from core.spc.weighted import cusum_charts, ewma_chart
from core.workflows.csv_out import write_csv

ChartChoice = Literal["auto", "I-MR", "Xbar-R", "Xbar-S", "p", "np", "c", "u", "EWMA", "CUSUM"]
_OF_COUNTS: dict[str, str] = {"p": "defectives", "np": "defectives", "c": "defects", "u": "defects"}


class ControlSettings(Settings):
    """What a control chart shows, and where its limits come from."""

    chart: ChartChoice = setting("auto", title="Chart", help="auto: from the kind of data and the sizes.", expert=False)
    counts: Literal["measurement", "defectives", "defects"] = setting(
        "measurement",
        title="Kind of data",
        help="measurement: measured values. defectives: units found bad among those inspected. defects: defects found on an area.",
        expert=False,
    )
    size_column: str | None = setting(
        None,
        title="Column of sizes",
        help="Inspected units of each row, or its area. Empty: one area each (defects).",
        expert=False,
    )
    subgroup: int | None = setting(
        None, title="Rows in a subgroup", help="So many rows in order are one point.", unit="rows", ge=1, le=1000, expert=False
    )
    subgroup_column: str | None = setting(
        None, title="Column of subgroups", help="Rows with the same value are one point.", expert=False
    )
    baseline: int | None = setting(
        None,
        title="Baseline",
        help="The limits come from the first so many points and stay as they are for the later ones. Empty: from all points.",
        unit="points",
        ge=2,
        expert=False,
    )
    stage_column: str | None = setting(
        None, title="Column of stages", help="Each value has limits of its own, as before and after a change.", expert=False
    )
    rules: Literal["nelson", "western_electric", "aiag", "montgomery"] = setting(
        "nelson", title="Rules", help="Which book's patterns count as signals.", expert=False
    )
    target: float | None = setting(None, title="Target", help="Centre line of EWMA and CUSUM. Empty: the mean of the baseline.")
    weight: float = setting(0.2, title="Weight", help="EWMA: weight of the newest point.", gt=0, le=1)
    width: float = setting(2.7, title="Width", help="EWMA: standard errors from the centre to a limit.", gt=0, le=10)
    interval: float = setting(5.0, title="Decision interval", help="CUSUM: h, in standard errors.", gt=0, le=100)
    allowance: float = setting(
        0.5, title="Allowance", help="CUSUM: k, half the shift to find, in standard errors.", ge=0, le=10
    )


@dataclass(frozen=True, slots=True)
class ControlView:
    """Charts of one column, above each other, with the signals of each.

    `rows` (n_points,) is the row of the table at which each point ends. `why` says why this chart was taken, None where it was asked for.
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

    @property
    def n_out(self) -> int:
        """Points that complete a pattern of the book on any of the charts."""
        marks = [signal.found for found in self.signals for signal in found]
        return int(np.logical_or.reduce(marks).sum()) if marks else 0

    @property
    def headline(self) -> Message:
        if not self.n_out:
            return msg("'{column}' is in control: no point breaks a rule of {book}", column=self.column, book=self.book.title)
        return msg(
            "'{column}' is not in control: {n} of {of} points break a rule of {book}",
            column=self.column,
            n=self.n_out,
            of=len(self.rows),
            book=self.book.title,
        )


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
        return _of_counts(table, order, column, values, settings)
    points, ends = _points(table, values, settings)
    sizes: NDArray[np.float64] | float = 1.0 if points is None else points.sizes.astype(np.float64)
    name, why = _choice(settings, sizes)
    of = _phases(table, ends, settings)
    found = _MEASURED[name](values, points, of, settings)
    return _view(column, unit, found, order[ends], name, why, settings)


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
    wanted = _OF_COUNTS.get(settings.chart, "measurement")
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
            msg("Name it with size_column."),
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
        raise _refused(proposal)
    return proposal.chart, proposal.reason


def _phases(table: pd.DataFrame, ends: NDArray[np.int64], settings: ControlSettings) -> Phases:
    n = len(ends)
    baseline = None if settings.baseline is None else np.arange(n) < settings.baseline
    stages = None if settings.stage_column is None else table[settings.stage_column].astype("str").to_numpy()[ends]
    if baseline is not None and stages is not None:
        raise SettingProblem(
            msg("A baseline and a column of stages were both given."),
            msg("The first points cannot give the limits of later stages."),
            msg("Leave out one of them."),
        )
    return phases(n, baseline, stages)


def _of_counts(
    table: pd.DataFrame, order: NDArray[np.int64], column: str, values: NDArray[np.float64], settings: ControlSettings
) -> ControlView:
    sizes: NDArray[np.float64] | float = 1.0
    if settings.size_column is not None:
        sizes = table[settings.size_column].to_numpy(dtype=np.float64, na_value=np.nan)
    name, why = _choice(settings, sizes)
    of = _phases(table, np.arange(len(values)), settings)
    if name in ("p", "np"):
        chart = defectives_chart(values, sizes, of, kind="np" if name == "np" else "p")
    else:
        chart = defects_chart(values, sizes, of, kind="c" if name == "c" else "u")
    return _view(column, "", chart if isinstance(chart, NotDefined) else (chart,), order, name, why, settings)


def _process(
    values: NDArray[np.float64], points: Subgroups | None, of: Phases, settings: ControlSettings
) -> Process | NotDefined:
    found = individuals(values, of) if points is None else subgroup_means(points, of)
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
    "Xbar-R": lambda values, points, of, settings: mean_and_range_charts(_groups(points), of),
    "Xbar-S": lambda values, points, of, settings: mean_and_deviation_charts(_groups(points), of),
    "EWMA": _ewma,
    "CUSUM": _cusum,
}


def _groups(points: Subgroups | None) -> Subgroups:
    if points is None:
        raise AssertionError("a chart of subgroups has them")
    return points


def _view(
    column: str,
    unit: str,
    charts: tuple[Chart, ...] | NotDefined,
    rows: NDArray[np.int64],
    name: ChartChoice | ChartPair,
    why: Message | None,
    settings: ControlSettings,
) -> ControlView:
    if isinstance(charts, NotDefined):
        raise _refused(charts)
    book = rule_book(settings.rules)
    notes = tuple({str(note): note for chart in charts for note in chart.notes}.values())
    return ControlView(column, unit, charts, tuple(signals(c, book) for c in charts), book, rows, name, why, notes)


def _refused(found: NotDefined) -> NotEnoughData:
    return NotEnoughData(
        msg("There is no control chart of these values: {reason}.", reason=found.reason),
        msg("Limits come from values that were measured and that vary."),
        msg("Choose another column, more rows, or other subgroups."),
    )
