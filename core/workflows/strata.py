"""A column by its categories: a Pareto of what occurs or costs most, and strata that tell which machine, lot or shift differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.dataset import Dataset
from core.errors import DataProblem, NotEnoughData
from core.messages import Message, msg, msg_n
from core.settings import Settings, setting
from core.spc.individuals import NotDefined
from core.spc.pareto import Pareto, pareto
from core.spc.strata import SIGNIFICANT, Strata, strata
from core.workflows.csv_out import write_csv
from core.workflows.labels import column_named, different, labels_of, number_column, percent

MOST_CATEGORIES, MOST_STRATA = 500, 50
CONFIDENCE = 0.95


class ParetoSettings(Settings):
    """What weighs in a Pareto."""

    cost_column: str | None = setting(
        None, title="Column of costs", help="What each row costs or counts. Empty: each row counts 1.", expert=False
    )
    share: float = setting(0.8, title="Share", help="How much of it is most.", gt=0, le=1)


@dataclass(frozen=True, slots=True)
class ParetoView:
    """A Pareto of one column; `unit` is that of the costs, empty for counts."""

    column: str
    cost: str | None
    unit: str
    pareto: Pareto
    notes: tuple[Message, ...]

    @property
    def headline(self) -> Message:
        found = self.pareto
        told: dict[str, str | int] = {
            "column": self.column,
            "n": found.n_few,
            "of": len(found.categories),
            "percent": percent(found.reached),
            "what": self.cost or "",
        }
        if self.cost is not None:
            return msg("'{column}': {n} of {of} categories make {percent} % of '{what}'", **told)
        return msg("'{column}': {n} of {of} categories make {percent} % of the rows", **told)


def pareto_view(dataset: Dataset, column: str, settings: ParetoSettings) -> ParetoView:
    """The categories of a column by count, or by what another column says they cost.

    Rows without a category or cost are left out and counted.

    Raises:
        DataProblem: a column is missing, has too many different values, or the costs are no numbers or below 0.
        NotEnoughData: nothing is left to weigh.
    """
    cost = settings.cost_column
    different({"column": column, "cost": cost})
    column_named(dataset, column)
    unit = "" if cost is None else number_column(dataset, cost, msg("Costs and counts are numbers.")).unit
    table = dataset.rows([name for name in (column, cost) if name is not None]).read()
    labels = labels_of(table[column])
    kept = labels != np.array(None)
    weights = None
    if cost is not None:
        weights = table[cost].to_numpy(dtype=np.float64, na_value=np.nan)
        kept &= np.isfinite(weights)
        weights = weights[kept]
        if (weights < 0).any():
            raise DataProblem(
                msg("Column '{column}' holds {value}.", column=cost, value=float(weights.min())),
                msg("Expected costs of 0 or more: shares of a whole have no negative part."),
                msg("Choose another column, or clean this one first."),
            )
    n_different = len(set(labels[kept]))
    if n_different > MOST_CATEGORIES:
        raise DataProblem(
            msg("Column '{column}' holds {n} different values.", column=column, n=n_different),
            msg("A Pareto shows {n} categories at most.", n=MOST_CATEGORIES),
            msg("Choose a column of categories."),
        )
    found = pareto(labels[kept], weights, settings.share)
    if isinstance(found, NotDefined):
        raise NotEnoughData(
            msg("There is no Pareto of these rows: {reason}.", reason=found.reason),
            msg("Expected rows with a category."),
            msg("Choose another column."),
        )
    notes: tuple[Message, ...] = (
        () if found.is_few else (msg("the weight is spread over many categories: no few of them stand out"),)
    )
    left_out = int((~kept).sum())
    if left_out:
        notes = (*notes, msg_n("{n} row without category or cost was left out", "{n} rows without category or cost were left out", left_out))  # fmt: skip
    return ParetoView(column, cost, unit, found, notes)


def export_pareto(view: ParetoView, path: Path) -> None:
    """The categories as CSV, one row each."""
    found = view.pareto
    table = pd.DataFrame({"category": found.categories, "rows": found.counts, "cumulative share": found.cumulative})
    if view.cost is not None:
        table.insert(2, view.cost, found.weights)
    write_csv(table, path, formula_safe=True)


@dataclass(frozen=True, slots=True)
class StrataView:
    """A column by one category column or by each of several, the one that tells most first.

    `found` is by name of the category column, in that order.
    """

    column: str
    unit: str
    found: Mapping[str, Strata]
    notes: tuple[Message, ...]

    def differs(self, by: str) -> bool:
        """Whether strata of that column differ by more than chance, with as many columns looked at."""
        told = self.found[by]
        p = [told.anova_p, told.kruskal_p]
        return all(value is not None and value * len(self.found) < SIGNIFICANT for value in p) or told.f is None

    def mean_intervals(self, by: str, confidence: float = CONFIDENCE) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Low and high end of the interval of each stratum's mean (k,), column unit, by Student's t from its own spread; NaN for one value."""
        from scipy.stats import t as t_distribution

        told = self.found[by].strata
        means = np.array([s.mean for s in told])
        half = np.array(
            [np.nan if s.sd is None else t_distribution.ppf((1 + confidence) / 2, s.n - 1) * s.sd / np.sqrt(s.n) for s in told]
        )
        return means - half, means + half

    @property
    def headline(self) -> Message:
        by = next((name for name in self.found if self.differs(name)), None)
        if by is None:
            names = ", ".join(f"'{name}'" for name in self.found)
            return msg("'{column}' does not differ by {names} more than by chance", column=self.column, names=names)
        told = self.found[by]
        first = told.strata[0]
        words: dict[str, str | float] = {
            "column": self.column,
            "by": by,
            "label": first.label,
            "difference": abs(first.difference),
            "unit": f" {self.unit}" if self.unit else "",
            "percent": percent(told.eta2),
        }
        if first.difference > 0:
            return msg(
                "'{column}' differs by '{by}' ({percent} % of its variance): '{label}' lies {difference}{unit} above the others",
                **words,
            )
        return msg(
            "'{column}' differs by '{by}' ({percent} % of its variance): '{label}' lies {difference}{unit} below the others",
            **words,
        )


def strata_view(dataset: Dataset, column: str, by: str | None = None) -> StrataView:
    """A number column by the values of a category column, or by each column with 2 to 50 different texts and the group column.

    Raises:
        DataProblem: a column is missing or named twice, holds no numbers, or has too many different values; or no column of
            categories is there.
        NotEnoughData: no column has strata that can be compared, with the reason.
    """
    measured = number_column(dataset, column, msg("Strata compare numbers."))
    different({"column": column, "by": by})
    if by is not None:
        column_named(dataset, by)
        names = [by]
    else:
        names = [
            c.name
            for c in dataset.columns
            if c.name != column and c.role != "ignore" and (c.kind == "text" or c.role == "group")
        ]
    table = dataset.rows([column, *names]).read()
    values = table[column].to_numpy(dtype=np.float64, na_value=np.nan)
    found: dict[str, Strata] = {}
    reason: Message | None = None
    looked_at = 0
    for name in names:
        n_different = int(table[name].nunique())
        if by is not None and n_different > MOST_STRATA:
            raise DataProblem(
                msg("Column '{column}' holds {n} different values.", column=name, n=n_different),
                msg("Strata are {n} at most.", n=MOST_STRATA),
                msg("Choose a column of categories."),
            )
        if by is None and not 2 <= n_different <= MOST_STRATA:
            continue
        looked_at += 1
        labels = labels_of(table[name])
        kept = labels != np.array(None)
        told = strata(values[kept], labels[kept], measured.lower_limit, measured.upper_limit)
        if isinstance(told, NotDefined):
            reason = told.reason
        else:
            found[name] = told
    if not looked_at:
        raise DataProblem(
            msg("No column of categories was found beside '{column}'.", column=column),
            msg("Expected a column with 2 to {n} different texts, such as machine, lot or shift.", n=MOST_STRATA),
            msg("Name one with by."),
        )
    if not found:
        raise NotEnoughData(
            msg("There are no strata to compare: {reason}.", reason=reason),
            msg("Expected two or more strata with two or more values that spread."),
            msg("Choose another column."),
        )
    ranked = dict(sorted(found.items(), key=lambda item: -item[1].beyond_chance))
    return StrataView(column, measured.unit, ranked, (_comparisons(len(found)),))


def _comparisons(n: int) -> Message:
    """How many comparisons were made and by which correction, so that the map of all pairs is not taken for the same question."""
    return msg_n(
        "{n} column of categories was compared with one column: it differs where both tests (F, Kruskal-Wallis) have p below {percent} %. "
        "Strata within a column: Holm. All pairs of columns are more comparisons with a higher bar, so that a pair may be missing there.",
        "{n} columns of categories were compared with one column: one differs where both tests (F, Kruskal-Wallis) have p × {n} below {percent} % (Bonferroni). "
        "Strata within a column: Holm. All pairs of columns are more comparisons with a higher bar, so that a pair may be missing there.",
        n,
        percent=f"{100 * SIGNIFICANT:g}",
    )


def export_strata(view: StrataView, path: Path) -> None:
    """Every stratum as CSV, one row each."""
    rows = [
        {
            "column": by,
            "stratum": s.label,
            "rows": s.n,
            "mean": s.mean,
            "standard deviation": np.nan if s.sd is None else s.sd,
            "median": s.median,
            "share outside": np.nan if s.outside is None else s.outside,
            "difference": s.difference,
            "effect": np.nan if s.effect is None else s.effect,
            "p": np.nan if s.p is None else s.p,
        }
        for by, told in view.found.items()
        for s in told.strata
    ]
    write_csv(pd.DataFrame(rows), path, formula_safe=True)
