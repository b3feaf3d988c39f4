"""Control charts of several columns at once: Hotelling's T², MEWMA, or T² and SPE over principal components, and which columns did it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.dataset import Dataset
from core.errors import DataProblem, NotEnoughData, unknown_column
from core.features.pca import score_pca
from core.features.pipeline import row_order
from core.messages import Message, msg, msg_n
from core.settings import Settings, setting
from core.spc.chart import Chart, Kind, Phases
from core.spc.decomposition import t2_drops
from core.spc.individuals import NotDefined
from core.spc.multivariate import t2_spe_fit
from core.spc.rules import RuleBook, Signal, rule_book, signals
from core.spc.stability import LEVEL, is_no_more_than_chance
from core.spc.vectors import ALPHA, WEIGHT, mewma_chart, t2_individuals
from core.workflows.control_points import axis_times, baseline_phases, order_by
from core.workflows.csv_out import write_csv

MOST_FOR_T2 = 10
"""Columns; above it the inverse of their covariance turns mostly on noise, and principal components are charted."""


class ManySettings(Settings):
    """Which columns are charted together, how, and where the limits come from."""

    columns: tuple[str, ...] = setting((), title="Columns", help="Columns of numbers; empty takes all sensors.", expert=False)
    chart: Literal["auto", "T2", "MEWMA", "PCA"] = setting(
        "auto",
        title="Chart",
        help="T2: one row at a time. MEWMA: small lasting shifts. PCA: T² and SPE over principal components, for many columns.",
        expert=False,
    )
    baseline: int | None = setting(
        None,
        title="Baseline",
        help="The limits come from so many rows and stay as they are for the others. Empty: from all rows.",
        unit="rows",
        ge=2,
        expert=False,
    )
    baseline_start: int = setting(
        1,
        title="Baseline from",
        help="The first row of the baseline; rows before it give no limits.",
        unit="row",
        ge=1,
        expert=False,
    )
    alpha: float = setting(
        ALPHA, title="False alarms a point", help="Share of points of a steady process above the limit.", gt=0, lt=0.5
    )
    weight: float = setting(WEIGHT, title="Weight", help="MEWMA: weight of the newest row.", ge=0.01, le=1)
    explained: float = setting(0.9, title="Explained", help="PCA: share of the variance that the components keep.", gt=0, lt=1)


@dataclass(frozen=True, slots=True)
class ManyView:
    """Charts of several columns with their signals.

    `rows` (n,) are rows of the table in the order of the chart, `times` (n,) their times or None. `table` (n, p) has the columns'
    values, `centre` and `spread` (p,) their mean and standard deviation in the baseline.
    """

    columns: tuple[str, ...]
    units: tuple[str, ...]
    charts: tuple[Chart, ...]
    signals: tuple[tuple[Signal, ...], ...]
    book: RuleBook
    rows: NDArray[np.int64]
    name: str
    why: Message | None
    notes: tuple[Message, ...]
    times: NDArray[np.generic] | None
    table: NDArray[np.float64]
    centre: NDArray[np.float64]
    spread: NDArray[np.float64]
    settings: ManySettings

    @property
    def marks(self) -> NDArray[np.bool_]:
        """Points above the limit of any of the charts, bool (n,)."""
        return np.logical_or.reduce([chart.outside for chart in self.charts])

    @property
    def headline(self) -> Message:
        """The finding in a sentence."""
        n, p = int(self.marks.sum()), len(self.columns)
        of = int(np.isfinite(self.charts[0].points).sum())
        if not n:
            return msg("{p} columns together are in control: no row lies above the limit", p=p)
        if self.is_chance:
            return msg_n(
                "{p} columns together are in control: {n} of {of} rows lies above the limit, no more than chance gives",
                "{p} columns together are in control: {n} of {of} rows lie above the limit, no more than chance gives",
                n,
                p=p,
                of=of,
            )
        return msg_n(
            "{p} columns together are not in control: {n} of {of} rows lies above the limit",
            "{p} columns together are not in control: {n} of {of} rows lie above the limit",
            n,
            p=p,
            of=of,
        )

    @property
    def is_chance(self) -> bool:
        """Whether a steady process shows as many rows above the limit, and one as far above it, in 2 % of cases or more, on each chart.

        How far the farthest of n is comes from the χ² distribution with a degree of freedom a column, which T² has in a long baseline.
        """
        from scipy.stats import chi2

        n, alpha = int(np.isfinite(self.charts[0].points).sum()), self.settings.alpha
        farthest = float(chi2.isf(LEVEL / max(n, 1), len(self.columns)) / chi2.isf(alpha, len(self.columns)))
        return all(
            is_no_more_than_chance(int(chart.outside.sum()), alpha * n) and not (chart.points > farthest * chart.upper).any()
            for chart in self.charts
        )


@dataclass(frozen=True, slots=True)
class Contribution:
    """One column of a point: its value, what is usual for it, and its share of what lifts the point."""

    column: str
    unit: str
    value: float
    centre: float
    spread: float
    size: float
    share: float

    @property
    def sigmas(self) -> float:
        """How far the value lies from the baseline's mean, in standard deviations."""
        return (self.value - self.centre) / self.spread if self.spread > 0 else float("nan")


def control_many(dataset: Dataset, settings: ManySettings) -> ManyView:
    """The charts of columns of numbers, rows in the order of the time column, else of the table.

    Raises:
        DataProblem: a column is missing or holds no numbers, or there are fewer than two.
        SettingProblem: a baseline beyond the rows.
        NotEnoughData: the chart is not defined for these values, with the reason.
    """
    columns = _columns(dataset, settings)
    group, time = order_by(dataset)
    table = dataset.rows([*dict.fromkeys([*columns, *(name for name in (group, time) if name is not None)])]).read()
    order, _ = row_order(table, group, time)
    table = table.iloc[order]
    values = table[list(columns)].to_numpy(dtype=np.float64, na_value=np.nan)
    of = baseline_phases(len(values), settings.baseline_start, settings.baseline)
    name, why = _choice(settings, len(columns))
    charts = _pca_charts(values, of, settings) if name == "PCA" else _vector_chart(values, of, name, settings)
    if isinstance(charts, NotDefined):
        raise NotEnoughData(
            msg("There is no chart of these columns together: {reason}.", reason=charts.reason),
            msg("Limits come from complete rows of columns that vary, none of which the others determine."),
            msg("Leave out such columns, take more rows, or chart principal components (chart=PCA)."),
        )
    units = {c.name: c.unit for c in dataset.columns}
    book = rule_book("nelson")
    known = of.baseline & np.isfinite(values).all(axis=1)
    return ManyView(
        columns=columns,
        units=tuple(units[c] for c in columns),
        charts=charts,
        signals=tuple(signals(chart, book) for chart in charts),
        book=book,
        rows=order,
        name=name,
        why=why,
        notes=tuple({str(n): n for chart in charts for n in chart.notes}.values()),
        times=axis_times(table, time, np.arange(len(table))),
        table=values,
        centre=values[known].mean(axis=0),
        spread=values[known].std(axis=0, ddof=1),
        settings=settings,
    )


def point_contributions(view: ManyView, point: int) -> tuple[Contribution, ...]:
    """The columns of one point, the largest contribution first; none where the point has an empty cell.

    T² and MEWMA: how much the statistic falls without the column. PCA: its part of the statistic that is further above its limit.
    """
    parts = _parts(view, point)
    if parts is None or not np.isfinite(parts).all():
        return ()
    total = float(parts.sum()) or 1.0
    order = np.argsort(-parts, kind="stable")
    return tuple(
        Contribution(
            view.columns[j],
            view.units[j],
            float(view.table[point, j]),
            float(view.centre[j]),
            float(view.spread[j]),
            float(parts[j]),
            float(parts[j] / total),
        )
        for j in order
    )


def export_many(view: ManyView, path: Path) -> None:
    """Points, limits and whether they are above, as CSV, one row a point, with its time where the times ascend."""
    table = pd.DataFrame({"row": view.rows + 1, **({} if view.times is None else {"time": view.times})})
    table["baseline"] = view.charts[0].phases.baseline
    for chart in view.charts:
        table[chart.kind], table[f"{chart.kind} upper"] = chart.points, chart.upper
        table[f"{chart.kind} above"] = chart.outside.astype(int)
    write_csv(table, path, formula_safe=True)


def _columns(dataset: Dataset, settings: ManySettings) -> tuple[str, ...]:
    by_name = {c.name: c for c in dataset.columns}
    sensors = [c.name for c in dataset.columns if c.kind == "number" and c.role == "sensor"]
    chosen = tuple(dict.fromkeys(settings.columns or sensors))
    for name in chosen:
        if name not in by_name:
            raise unknown_column(name, by_name)
        if by_name[name].kind != "number":
            raise DataProblem(
                msg("Column '{column}' holds {kind}, not numbers.", column=name, kind=by_name[name].kind),
                msg("A control chart shows numbers in order."),
                msg("Choose columns of numbers."),
            )
    if len(chosen) < 2:
        raise DataProblem(
            msg("There are {n} columns to chart together.", n=len(chosen)),
            msg("A chart of several columns needs at least two columns of numbers."),
            msg("Choose more columns, or chart the one by itself."),
        )
    return chosen


def _choice(settings: ManySettings, p: int) -> tuple[Literal["T2", "MEWMA", "PCA"], Message | None]:
    if settings.chart != "auto":
        return settings.chart, None
    if p <= MOST_FOR_T2:
        return "T2", msg("{p} columns are few enough for the inverse of their covariance", p=p)
    return "PCA", msg("of {p} columns many say the same; principal components keep what they say together", p=p)


def _vector_chart(
    values: NDArray[np.float64], of: Phases, name: Literal["T2", "MEWMA"], settings: ManySettings
) -> tuple[Chart, ...] | NotDefined:
    if name == "T2":
        found = t2_individuals(values, of, alpha=settings.alpha)
    else:
        found = mewma_chart(values, of, weight=settings.weight, run_length=1 / settings.alpha)
    return found if isinstance(found, NotDefined) else (found,)


def _pca_charts(values: NDArray[np.float64], of: Phases, settings: ManySettings) -> tuple[Chart, ...] | NotDefined:
    known = of.baseline & np.isfinite(values).all(axis=1)
    try:
        model = t2_spe_fit(pd.DataFrame(values[known]), explained=settings.explained, confidence=1 - settings.alpha)
    except NotEnoughData as problem:
        return NotDefined(problem.what)
    scores, n = score_pca(model, values), len(values)
    none, ones = np.full(n, np.nan), np.ones(n)

    def chart(kind: Kind, statistic: Message, points: NDArray[np.float64], limit: float) -> Chart:
        upper = np.full(n, limit)
        return Chart(
            kind,
            statistic,
            points.copy(),
            none.copy(),
            none.copy(),
            upper,
            none.copy(),
            none.copy(),
            "covariance",
            ones.copy(),
            of,
        )

    k = len(model.eigenvalues)
    return (
        chart("T2", msg("T² of {k} principal components", k=k), scores.t2, model.t2_limit),
        chart("SPE", msg("distance from the {k} principal components (SPE)", k=k), scores.spe, model.spe_limit),
    )


def _parts(view: ManyView, point: int) -> NDArray[np.float64] | None:
    of, settings = view.charts[0].phases, view.settings
    if view.name == "PCA":
        known = of.baseline & np.isfinite(view.table).all(axis=1)
        model = t2_spe_fit(pd.DataFrame(view.table[known]), explained=settings.explained, confidence=1 - settings.alpha)
        return np.asarray(score_pca(model, view.table[[point]]).contributions[0])
    weight = settings.weight if view.name == "MEWMA" else 1.0
    found = t2_drops(view.table, of, rows=np.array([point]), weight=weight)
    return None if isinstance(found, NotDefined) else found[0]
