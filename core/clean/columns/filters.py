"""Rows kept or left out by conditions: a column, a comparison from a fixed list, a value. No text is ever evaluated.

Rows that are left out stay in the table and are marked. A condition on an empty cell does not hold, except "is empty".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clean.cells import applied, is_empty, numbers
from core.clean.step import FILE_ORDER, Applied, Change, RowKeys
from core.data.dataset import Column, Kind
from core.data.split import TrainPart
from core.errors import SettingProblem, unknown_column
from core.messages import Message, msg
from core.settings import Settings, setting

Bools = NDArray[np.bool_]
Operator = Literal[
    "equals",
    "differs_from",
    "below",
    "at_most",
    "above",
    "at_least",
    "between",
    "one_of",
    "contains",
    "is_empty",
    "is_not_empty",
]
_WITHOUT_VALUE = ("is_empty", "is_not_empty")
_FOR_KIND: Mapping[str, tuple[str, ...]] = {
    "number": ("equals", "differs_from", "below", "at_most", "above", "at_least", "between", "one_of", *_WITHOUT_VALUE),
    "time": ("equals", "differs_from", "below", "at_most", "above", "at_least", "between", *_WITHOUT_VALUE),
    "text": ("equals", "differs_from", "one_of", "contains", *_WITHOUT_VALUE),
}


class Condition(Settings):
    """One condition. `value` is a number, a time (2024-05-01 06:00) or a text, as the column holds."""

    column: str = setting("", title="Column", help="The column to look at.", expert=False)
    operator: Operator = setting("equals", title="Comparison", help="How the cell is compared with the value.", expert=False)
    value: str = setting(
        "",
        title="Value",
        help="Two values with … between them for 'between'; several with ; between them for 'one of'.",
        max_length=500,
        expert=False,
    )


class FilterSettings(Settings):
    """Conditions and what happens to the rows."""

    action: Literal["keep", "leave_out"] = setting(
        "leave_out", title="Rows that fit", help="Keep only these rows, or leave them out.", expert=False
    )
    match: Literal["all_conditions", "any_condition"] = setting(
        "all_conditions", title="A row fits if", help="All conditions hold, or any of them.", expert=False
    )
    conditions: tuple[Condition, ...] = setting(
        (), title="Conditions", help="Each looks at one column.", max_length=50, expert=False
    )


@dataclass(frozen=True, slots=True)
class ReadCondition:
    """A condition with its values read: numbers, texts, or times as ISO texts."""

    column: str
    kind: Kind
    operator: Operator
    values: tuple[float | str, ...]

    def holds(self, table: pd.DataFrame) -> Bools:
        """Whether the condition holds, (n_rows,)."""
        empty = is_empty(table, self.column)
        if self.operator in _WITHOUT_VALUE:
            return empty if self.operator == "is_empty" else ~empty
        if self.kind == "text":
            return _of_text(table[self.column], self.operator, self.values) & ~empty
        cells, values = self._comparable(table)
        return _of_order(cells, self.operator, values) & ~empty

    def _comparable(self, table: pd.DataFrame) -> tuple[NDArray[np.float64], list[float]]:
        """Cells and values on one scale; times in microseconds, which float64 holds exactly."""
        if self.kind == "number":
            return numbers(table, self.column), [float(v) for v in self.values]
        times = pd.to_datetime(table[self.column], errors="coerce").to_numpy().astype("datetime64[us]")
        return times.astype(np.int64).astype(np.float64), [
            float(np.datetime64(str(v), "us").astype(np.int64)) for v in self.values
        ]


def _of_order(cells: NDArray[np.float64], operator: str, values: list[float]) -> Bools:
    if operator == "between":
        return (cells >= values[0]) & (cells <= values[1])
    if operator == "one_of":
        return np.isin(cells, values)
    value = values[0]
    found: dict[str, Bools] = {
        "equals": cells == value,
        "differs_from": cells != value,
        "below": cells < value,
        "at_most": cells <= value,
        "above": cells > value,
        "at_least": cells >= value,
    }
    return found[operator]


def _of_text(cells: pd.Series, operator: str, values: tuple[float | str, ...]) -> Bools:
    texts = cells.astype(object).map(str)
    if operator == "contains":
        return np.asarray(texts.str.contains(str(values[0]), regex=False), dtype=np.bool_)
    inside = np.asarray(texts.isin([str(v) for v in values]), dtype=np.bool_)
    return ~inside if operator == "differs_from" else inside


@dataclass(frozen=True, slots=True)
class FittedFilter:
    """Marks rows; it has learned only what kind each column is."""

    tests: tuple[ReadCondition, ...]
    action: Literal["keep", "leave_out"]
    match: Literal["all_conditions", "any_condition"]
    key: str = "filter_rows"
    uses_neighbours: bool = False

    def apply(self, table: pd.DataFrame) -> Applied:
        if not self.tests:
            return applied(table, Change(notes=(msg("There is no condition, so every row stays."),)))
        for test in self.tests:
            if test.column not in table.columns:
                raise unknown_column(test.column, [str(c) for c in table.columns])
        held = np.stack([test.holds(table) for test in self.tests])
        fits = np.asarray(held.all(axis=0) if self.match == "all_conditions" else held.any(axis=0), dtype=np.bool_)
        left_out = ~fits if self.action == "keep" else fits
        return applied(table, Change(left_out_rows=int(left_out.sum())), left_out=left_out)

    def state(self) -> dict[str, object]:
        tests = [[t.column, t.kind, t.operator, list(t.values)] for t in self.tests]
        return {"tests": tests, "action": self.action, "match": self.match}


@dataclass(frozen=True, slots=True)
class FilterRows:
    """Leave out rows by conditions on any columns but the target, which new rows do not have. Applied twice it marks the same."""

    title: Message
    summary: Message
    key: str = "filter_rows"
    settings: type[Settings] = FilterSettings
    fits_keys: bool = True

    def applies_to(self, column: Column) -> bool:
        """Columns are named by the conditions."""
        return False

    def fit(
        self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER
    ) -> FittedFilter:
        chosen = FilterSettings.model_validate(settings.model_dump())
        tests = tuple(_test(c, train.table, keys) for c in chosen.conditions)
        return FittedFilter(tests, chosen.action, chosen.match)

    def restore(self, state: Mapping[str, object]) -> FittedFilter:
        stored: Any = state
        tests = tuple(
            ReadCondition(column, kind, operator, tuple(values)) for column, kind, operator, values in stored["tests"]
        )
        return FittedFilter(tests, stored["action"], stored["match"])


def _test(condition: Condition, table: pd.DataFrame, keys: RowKeys) -> ReadCondition:
    """The condition with its values read as the column holds them.

    Raises:
        DataProblem: there is no such column.
        SettingProblem: the target, a comparison that the column has not, or a value of another kind.
    """
    name = condition.column
    if name not in table.columns:
        raise unknown_column(name, [str(c) for c in table.columns])
    if name == keys.target:
        raise SettingProblem(
            msg("The condition looks at the target '{column}'.", column=name),
            msg("Expected a column that new rows have too."),
            msg("Choose another column."),
            column=name,
        )
    kind = _kind(table[name])
    if condition.operator not in _FOR_KIND[kind]:
        raise SettingProblem(
            msg("'{operator}' was asked of column '{column}'.", operator=condition.operator.replace("_", " "), column=name),
            msg("Expected one of: {choices}.", choices=", ".join(o.replace("_", " ") for o in _FOR_KIND[kind])),
            msg("Choose another comparison."),
            column=name,
        )
    return ReadCondition(name, kind, condition.operator, _values(condition, kind))


def _kind(cells: pd.Series) -> Kind:
    if pd.api.types.is_datetime64_any_dtype(cells):
        return "time"
    return "number" if pd.api.types.is_numeric_dtype(cells) else "text"


def _values(condition: Condition, kind: Kind) -> tuple[float | str, ...]:
    if condition.operator in _WITHOUT_VALUE:
        return ()
    parts = {"between": "…", "one_of": ";"}.get(condition.operator)
    texts = [condition.value] if parts is None else condition.value.replace("...", "…").split(parts)
    values = [_value(text.strip() if kind != "text" or parts else text, kind, condition) for text in texts]
    if condition.operator == "between" and len(values) != 2:
        raise _bad_value(condition, msg("two values with … between them"))
    return tuple(values)


def _value(text: str, kind: Kind, condition: Condition) -> float | str:
    if kind == "text":
        return text
    try:
        if kind == "number":
            found = float(text)
            if not np.isfinite(found):
                raise ValueError(text)
            return found
        return pd.Timestamp(text).tz_localize(None).isoformat()
    except (ValueError, OverflowError) as error:
        wanted = msg("a number such as 1.5") if kind == "number" else msg("a time such as 2024-05-01 06:00")
        raise _bad_value(condition, wanted) from error


def _bad_value(condition: Condition, wanted: Message) -> SettingProblem:
    return SettingProblem(
        msg("The value for '{column}' is '{value}'.", column=condition.column, value=condition.value[:80]),
        msg("Expected: {rule}.", rule=wanted),
        msg("Correct the value of the condition."),
        name="conditions",
        value=condition.value,
    )


FILTER_ROWS = FilterRows(
    msg("Filter rows"),
    msg("Rows that fit conditions on columns are left out, or the only ones kept. They are marked, never removed."),
)
