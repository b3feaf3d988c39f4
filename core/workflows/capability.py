"""Process capability of a column: stable or not, which distribution, the indices with intervals, and what a six-part view draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.dataset import Column, Dataset
from core.errors import DataProblem, NotEnoughData, SettingProblem, unknown_column
from core.features.pipeline import row_order
from core.messages import Message, msg, msg_n
from core.spc.capability import FEWEST_VALUES
from core.spc.capability_indices import (
    Indices,
    Outside,
    Specification,
    observed_outside,
    read_index,
    specification,
)
from core.spc.capability_sigma import Spread, overall_spread, within_spread
from core.spc.chart import Chart, Floats
from core.spc.distribution_fits import TRANSFORMATIONS, DistributionKey, choose, fit_all
from core.spc.distributions import Fit
from core.spc.index_intervals import RESAMPLES
from core.spc.individuals import NotDefined
from core.spc.normality import Normality, normality
from core.spc.percentiles import IndexMethod
from core.spc.probability_plot import ProbabilityPlot, probability_plot
from core.spc.rules import RuleBook, Signal, chosen_rules, rule_book, signals
from core.spc.stability import Stability, judge_stability
from core.spc.variables import SubgroupMethod
from core.workflows.capability_parts import (
    Asked,
    BreachLine,
    Density,
    Grouping,
    Judged,
    Stratum,
    chart_and_method,
    charts_of,
    histogram,
    judged,
    lines_of,
    strata_of,
    why_unstable,
)
from core.workflows.capability_settings import CapabilitySettings
from core.workflows.control_points import order_by

MOST_STRATA = 100
FARTHEST_SCORE = 9.0


@dataclass(frozen=True, slots=True)
class CapabilityView:
    """All that a six-part view of a column shows.

    `charts` of level and spread with their `signals`, in column unit, or of normal scores where `charted` is "scores"; `rows` (n_points,) is the row of the table at
    which each point ends. `recent` (r, 2) are place and value of the rows of the last 25 subgroups. `edges` (k + 1,) and `counts` (k,) are the histogram of `n`
    values, `n_empty` rows have none. `fits` holds every distribution or why it is none; `fit` is the one that is taken. `within`, `overall` and
    the expected parts per million are `NotDefined` where the process is not stable, unless performance was asked for anyway (`is_past_only`); `breaches` then say
    which rules are broken, how often and where.
    """

    column: str
    unit: str
    spec: Specification
    n: int
    n_empty: int
    mean: float
    sd: float
    sigma_within: Spread | NotDefined
    charts: tuple[Chart, ...]
    signals: tuple[tuple[Signal, ...], ...]
    charted: Literal["values", "scores"]
    book: RuleBook
    rows: NDArray[np.int64]
    name: str
    stability: Stability
    instability: Message | None
    breaches: tuple[BreachLine, ...]
    is_past_only: bool
    recent: Floats
    edges: Floats
    counts: NDArray[np.int64]
    densities: tuple[Density, ...]
    plot: ProbabilityPlot | NotDefined
    normality: Normality | NotDefined
    fits: dict[DistributionKey, Fit | NotDefined]
    fit: Fit | NotDefined
    why: Message
    method: IndexMethod
    confidence: float
    within: Indices | NotDefined
    overall: Indices | NotDefined
    observed: Outside
    expected_within: Outside | NotDefined
    expected_overall: Outside | NotDefined
    strata: tuple[Stratum, ...]
    notes: tuple[Message, ...]

    @property
    def parts_per_million(self) -> tuple[tuple[str, Outside | NotDefined], ...]:
        """The table of parts per million: observed, expected within, expected overall."""
        return (
            ("observed", self.observed),
            ("expected within", self.expected_within),
            ("expected overall", self.expected_overall),
        )

    @property
    def advice(self) -> Message | None:
        """What to do where the process is not stable."""
        if self.instability is None:
            return None
        return msg(
            "What a process that is not stable will make cannot be told. Find the causes, or look at a stable stretch or at one machine by itself."
        )

    @property
    def headline(self) -> Message:
        if self.instability is not None and not self.is_past_only and self.n >= FEWEST_VALUES:
            return msg("'{column}' is not stable, so that it has no capability", column=self.column)
        worst, reason = (None, self.overall.reason) if isinstance(self.overall, NotDefined) else read_index(self.overall.worse)
        if worst is None:
            return msg("The capability of '{column}' is not defined: {reason}", column=self.column, reason=reason or "")
        facts = {"column": self.column, "name": "Ppk", "value": f"{worst.value:.2f}"}
        if worst.low is not None and worst.high is not None:
            facts |= {"low": f"{worst.low:.2f}", "high": f"{worst.high:.2f}", "percent": f"{100 * self.confidence:g} %"}
            told = msg("{name} {value} ({percent}: {low} to {high})", **facts)
        else:
            told = msg("{name} {value}", **facts)
        if self.is_past_only:
            return msg(
                "'{column}' is not stable; its performance in the past was {index}, which promises nothing",
                column=self.column,
                index=told,
            )
        return msg("'{column}' is stable: {index}", column=self.column, index=told)


def capability_view(dataset: Dataset, column: str, settings: CapabilitySettings) -> CapabilityView:
    """Capability of a number column, its rows in the order of the time column, else of the table.

    An unstable process or too few values are no error: the view says so in place of the indices, with all charts.

    Raises:
        DataProblem: a column is missing, or the column holds no numbers, or no specification limit is known.
        SettingProblem: settings that exclude each other, or limits that do not ascend.
        NotEnoughData: there is no control chart of these values, with the reason.
    """
    chosen = _checked(dataset, column, settings)
    spec = _specification(chosen, settings)
    table, order = _in_order(dataset, column, settings)
    cells = table[column].to_numpy(dtype=np.float64, na_value=np.nan)
    cells = np.where(np.isfinite(cells), cells, np.nan)
    x = cells[~np.isnan(cells)]
    labels = None if settings.subgroup_column is None else table[settings.subgroup_column].astype("str").to_numpy()
    grouping = Grouping.of(len(cells), settings.subgroup, labels)
    name, method = chart_and_method(grouping.groups(cells), settings.sigma)
    book = chosen_rules(rule_book(settings.rules), settings.only_rules)
    test, fits = normality(x), fit_all(x)
    fit, why = _distribution(fits, test, settings)
    gate = _gate(cells, grouping, method, fit, book, settings)
    rows = order[grouping.ends]
    spread, within = overall_spread(x), within_spread(cells, grouping.groups(cells), method)
    asked = Asked(x, cells, grouping, method, spec, fit, spread, within, settings.method, settings.confidence)
    unstable = None if gate.stability.is_stable else why_unstable(gate.stability, rows)
    found = judged(asked, unstable, anyway=settings.unstable_anyway)
    edges, counts, densities = histogram(x, spec, spread, within, fit)
    return CapabilityView(
        column=column,
        unit=chosen.unit,
        spec=spec,
        n=len(x),
        n_empty=len(cells) - len(x),
        mean=float(x.mean()),
        sd=float(x.std(ddof=1)),
        sigma_within=within,
        charts=gate.charts,
        signals=tuple(signals(chart, book) for chart in gate.charts),
        charted=gate.charted,
        book=book,
        rows=rows,
        name=name,
        stability=gate.stability,
        instability=unstable,
        breaches=lines_of(gate.stability, rows),
        is_past_only=found.is_past_only,
        recent=grouping.recent(cells),
        edges=edges,
        counts=counts,
        densities=densities,
        plot=fit if isinstance(fit, NotDefined) else probability_plot(x, fit, settings.confidence),
        normality=test,
        fits=fits,
        fit=fit,
        why=why,
        method=settings.method,
        confidence=settings.confidence,
        within=found.within,
        overall=found.overall,
        observed=observed_outside(x, spec),
        expected_within=found.expected_within,
        expected_overall=found.expected_overall,
        strata=() if settings.by_column is None else strata_of(cells, table[settings.by_column], spec),
        notes=_notes(gate, fit, len(x), found),
    )


@dataclass(frozen=True, slots=True)
class _Gate:
    """The charts that were asked, and what they say."""

    charts: tuple[Chart, Chart]
    stability: Stability
    charted: Literal["values", "scores"]


def _gate(
    cells: Floats,
    grouping: Grouping,
    method: SubgroupMethod,
    fit: Fit | NotDefined,
    book: RuleBook,
    settings: CapabilitySettings,
) -> _Gate:
    """Stability by the charts of the values, else by those of their normal scores where a distribution other than the normal one was fitted.

    Skewed values lie outside limits that are made for normal ones; their scores do not, while a shift in time stays one in the scores. Rules that were
    chosen by themselves count whatever they tell of.
    """
    strict, every_rule = settings.stability == "strict", bool(settings.only_rules)
    charts = charts_of(cells, grouping.groups(cells), method)
    if isinstance(charts, NotDefined):
        raise NotEnoughData(
            msg("There is no control chart of these values: {reason}.", reason=charts.reason),
            msg("Capability is given for a stable process, which the chart shows."),
            msg("Choose another column, more rows, or other subgroups."),
        )
    found = _Gate(charts, judge_stability(charts, book, strict=strict, every_rule=every_rule), "values")
    if found.stability.is_stable or isinstance(fit, NotDefined) or fit.key == "normal":
        return found
    # A value where the distribution has nothing has an infinite score; it is to be a point outside, not an empty one.
    scores = np.clip(fit.scores(cells), -FARTHEST_SCORE, FARTHEST_SCORE)
    straight = charts_of(scores, grouping.groups(scores), method)
    if isinstance(straight, NotDefined):
        return found
    again = judge_stability(straight, book, strict=strict, every_rule=every_rule)
    return _Gate(straight, again, "scores") if again.is_stable else found


def _distribution(
    fits: dict[DistributionKey, Fit | NotDefined], test: Normality | NotDefined, settings: CapabilitySettings
) -> tuple[Fit | NotDefined, Message]:
    """The distribution that is taken, and why."""
    if settings.distribution != "auto":
        return fits[settings.distribution], msg("it was asked for")
    if isinstance(test, NotDefined):
        return test, test.reason
    choice = choose(fits, test)
    return (choice, choice.reason) if isinstance(choice, NotDefined) else (choice.fit, choice.why)


def _notes(gate: _Gate, fit: Fit | NotDefined, n: int, found: Judged) -> tuple[Message, ...]:
    has_intervals = isinstance(found.overall, Indices)
    notes = [note for chart in gate.charts for note in chart.notes]
    if gate.charted == "scores":
        notes.append(
            msg(
                "The charts show normal scores of the fitted distribution, because limits for normal values do not fit skewed ones."
            )
        )
    if gate.stability.is_stable and gate.stability.by_chance:
        few = gate.stability.by_chance
        notes.append(
            msg_n("{n} broken rule is no more than chance gives.", "{n} broken rules are no more than chance gives.", few)
        )
    if has_intervals and isinstance(fit, Fit) and fit.key != "normal" and fit.key not in TRANSFORMATIONS:
        notes.append(
            msg(
                "Intervals by a parametric bootstrap of {n} sets drawn from the fitted distribution. They hold only if that distribution is the right one.",
                n=RESAMPLES,
            )
        )
    if isinstance(fit, Fit) and fit.n < n:
        notes.append(msg("Distributions were fitted to {n} of the {of} values, evenly spread.", n=fit.n, of=n))
    return tuple({str(note): note for note in notes}.values())


def _in_order(dataset: Dataset, column: str, settings: CapabilitySettings) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """The columns that are needed, rows in the order of time, and the rows of the table that they were."""
    group, time = order_by(dataset)
    named = (settings.subgroup_column, settings.by_column, group, time)
    table = dataset.rows([column, *dict.fromkeys(n for n in named if n is not None and n != column)]).read()
    order, _ = row_order(table, group, time)
    return table.iloc[order], order


def _specification(column: Column, settings: CapabilitySettings) -> Specification:
    """The limits of the settings, else of the column."""
    lower = column.lower_limit if settings.lower is None else settings.lower
    target = column.nominal if settings.target is None else settings.target
    upper = column.upper_limit if settings.upper is None else settings.upper
    if lower is None and upper is None:
        raise DataProblem(
            msg("Column '{column}' has no specification limit.", column=column.name),
            msg("Capability compares the values with what the customer allows."),
            msg(
                "Enter the lower or the upper specification limit, here or for the column on the Data screen (lower or upper on the command line)."
            ),
        )
    found = specification(lower, target, upper)
    if isinstance(found, NotDefined):
        raise SettingProblem(
            msg(
                "The specification limits of '{column}' are {limits}.",
                column=column.name,
                limits=" / ".join(f"{v:g}" for v in (lower, target, upper) if v is not None),
            ),
            msg("They rise from the lower limit over the target to the upper limit."),
            msg("Correct the limits of this column, or give lower, target and upper."),
        )
    return found


def _checked(dataset: Dataset, name: str, settings: CapabilitySettings) -> Column:
    """The column, once names and settings are looked at."""
    by_name = {c.name: c for c in dataset.columns}
    for other in (name, settings.subgroup_column, settings.by_column):
        if other is not None and other not in by_name:
            raise unknown_column(other, by_name)
    column = by_name[name]
    if column.kind != "number":
        raise DataProblem(
            msg("Column '{column}' holds {kind}, not numbers.", column=name, kind=column.kind),
            msg("Capability is that of measured numbers."),
            msg("Choose a column of numbers."),
        )
    if settings.subgroup is not None and settings.subgroup_column is not None:
        raise SettingProblem(
            msg("A subgroup size and a column of subgroups were both given."),
            msg("One of them makes the subgroups."),
            msg("Leave out one."),
        )
    if settings.by_column is not None:
        n = dataset.rows([settings.by_column]).read()[settings.by_column].nunique(dropna=False)
        if n > MOST_STRATA:
            raise DataProblem(
                msg("Column '{column}' has {n} different values.", column=settings.by_column, n=int(n)),
                msg("Strata are machines, lots or shifts: at most {n} of them.", n=MOST_STRATA),
                msg("Choose another column of strata."),
            )
    return column
