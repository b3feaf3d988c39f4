"""A gage study of a dataset's column: parts, operators and repeats from its rows, the tolerance from its limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.dataset import Column, Dataset
from core.errors import DataProblem, NotEnoughData
from core.messages import Message, msg, msg_n
from core.settings import Settings, setting
from core.spc.crossed import cross
from core.spc.gage import Gage, Name, Verdict, average_and_range, gage_study
from core.spc.individuals import NotDefined
from core.workflows.csv_out import write_csv
from core.workflows.labels import column_named, different, labels_of, number_column, percent

COMPONENT_TITLES: Mapping[Name, Message] = {
    "GRR": msg("gage R&R"),
    "EV": msg("repeatability (EV)"),
    "AV": msg("reproducibility (AV)"),
    "operator": msg("operators"),
    "interaction": msg("interaction of parts and operators"),
    "PV": msg("parts (PV)"),
    "TV": msg("total (TV)"),
}
VERDICT_WORDS: Mapping[Verdict, Message] = {
    "acceptable": msg("below 10 %, the gage is acceptable"),
    "conditional": msg("between 10 and 30 %, the gage may do, depending on what it is for and what a better one costs"),
    "unacceptable": msg("above 30 %, the gage has to be improved"),
}


class GageSettings(Settings):
    """How a gage study is judged."""

    tolerance: float | None = setting(
        None,
        title="Specification tolerance",
        help="Upper less lower limit, in the unit of the column. Empty: from the column's limits, where both are known.",
        gt=0,
        expert=False,
    )
    study: Literal["6", "5.15"] = setting(
        "6",
        title="Study variation",
        help="How many standard deviations a variation spans: 6 is 99.73 % of values, 5.15 is 99 %, as in older editions of AIAG's manual.",
        expert=False,
    )
    pooled_above: float = setting(
        0.25,
        title="Pool above",
        help="p-value of the interaction above which it counts as repeatability. 1 keeps it always, 0 never.",
        ge=0,
        le=1,
    )
    confidence: float = setting(0.95, title="Confidence", help="Of the intervals.", ge=0.5, le=0.999)
    seed: int = setting(7, title="Seed", help="Of the draws behind the intervals.", ge=0)


@dataclass(frozen=True, slots=True)
class GageView:
    """A gage study in the unit of its column. `check` are standard deviations by mean ranges, None with one repeat.

    `values` (parts, operators, repeats) are the measurements, `rows` likewise their rows in the table, 0-based.
    """

    column: str
    unit: str
    part: str
    operator: str | None
    gage: Gage
    tolerance: float | None
    study_sigmas: float
    check: Mapping[Name, float] | None
    values: NDArray[np.float64]
    rows: NDArray[np.int64]
    notes: tuple[Message, ...]

    @property
    def headline(self) -> Message:
        grr = self.gage["GRR"]
        return msg(
            "'{column}': gage R&R is {percent} % of the variation ({low} to {high} %): {verdict}",
            column=self.column,
            percent=percent(grr.study),
            low=percent(grr.study_low),
            high=percent(grr.study_high),
            verdict=VERDICT_WORDS[self.gage.verdict],
        )

    @property
    def tolerance_line(self) -> Message | None:
        """The same against the tolerance, None where that is not known."""
        share, verdict = self.gage["GRR"].tolerance, self.gage.tolerance_verdict
        if share is None or verdict is None:
            return None
        return msg("Of the tolerance it takes {percent} %: {verdict}", percent=percent(share), verdict=VERDICT_WORDS[verdict])


def gage_view(dataset: Dataset, column: str, part: str, operator: str | None, settings: GageSettings) -> GageView:
    """Gage R&R of a number column: each row is one measurement of a part by an operator.

    Rows without value, part or operator are left out and counted. What is left must be complete: each operator measured each part equally
    often.

    Raises:
        DataProblem: a column is missing or named twice, the column holds no numbers, or part/operator cells are missing or
            have other numbers of rows, named.
        NotEnoughData: there is nothing that tells the error of the gage, with the reason.
    """
    measured = number_column(dataset, column, msg("A gage study is made of measurements."))
    different({"column": column, "part": part, "operator": operator})
    for name in (part, operator):
        if name is not None:
            column_named(dataset, name)
    table = dataset.rows([name for name in (column, part, operator) if name is not None]).read()
    values = table[column].to_numpy(dtype=np.float64, na_value=np.nan)
    parts, operators = labels_of(table[part]), None if operator is None else labels_of(table[operator])
    kept = np.isfinite(values) & (parts != np.array(None))
    if operators is not None:
        kept &= operators != np.array(None)
    layout = cross(parts[kept], None if operators is None else operators[kept])
    if isinstance(layout, NotDefined):
        raise DataProblem(
            msg("This is no complete gage study: {reason}.", reason=layout.reason),
            msg("Expected each operator to measure each part equally often, one measurement a row."),
            msg("Measure what is missing, or leave out the parts or operators named."),
        )
    tolerance, notes = _tolerance(measured, settings)
    found = gage_study(
        values[kept],
        layout,
        study_sigmas=float(settings.study),
        tolerance=tolerance,
        pooled_above=settings.pooled_above,
        confidence=settings.confidence,
        seed=settings.seed,
    )
    if isinstance(found, NotDefined):
        raise NotEnoughData(
            msg("There is no gage study of these values: {reason}.", reason=found.reason),
            msg("The error of a gage shows where a part is measured more than once."),
            msg("Measure each part two or three times."),
        )
    check = average_and_range(values[kept], layout)
    left_out = int((~kept).sum())
    if left_out:
        notes = (
            *notes,
            msg_n("{n} row without value, part or operator was left out", "{n} rows without value, part or operator were left out", left_out),
        )  # fmt: skip
    return GageView(
        column,
        measured.unit,
        part,
        operator,
        found,
        tolerance,
        float(settings.study),
        None if isinstance(check, NotDefined) else check,
        values[kept][layout.rows],
        np.flatnonzero(kept)[layout.rows],
        (*found.notes, *notes),
    )


def export_gage(view: GageView, path: Path) -> None:
    """The components as CSV, one row each."""
    rows = [
        {
            "component": c.name,
            "standard deviation": c.sd,
            "variance": c.variance,
            "variance low": c.low,
            "variance high": c.high,
            "share of variance": c.contribution,
            "share of study variation": c.study,
            "share low": c.study_low,
            "share high": c.study_high,
            "study variation": c.spread,
            "share of tolerance": np.nan if c.tolerance is None else c.tolerance,
        }
        for c in view.gage.components
    ]
    write_csv(pd.DataFrame(rows), path, formula_safe=True)


def _tolerance(column: Column, settings: GageSettings) -> tuple[float | None, tuple[Message, ...]]:
    if settings.tolerance is not None:
        return settings.tolerance, ()
    lower, upper = column.lower_limit, column.upper_limit
    if lower is not None and upper is not None and upper > lower:
        return upper - lower, ()
    if lower is None and upper is None:
        return None, (msg("there is no tolerance, so that the gage is judged by the spread of these parts alone"),)
    return None, (msg("only one specification limit is known; a share of the tolerance needs both"),)
