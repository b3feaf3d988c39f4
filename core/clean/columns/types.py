"""What a column is: numbers out of a text column, and another name.

Cells that cannot be read become empty and are counted; nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clean.cells import applied, is_empty, with_cells
from core.clean.step import FILE_ORDER, Applied, Change, RowKeys
from core.data.dataset import Column
from core.data.split import TrainPart
from core.errors import SettingProblem, unknown_column
from core.messages import Message, msg, msg_n
from core.settings import Settings, setting

_SIGNS = re.compile(r"^\s*(?:[€$£¥₩₹%]|EUR|USD|CNY|RMB|GBP|JPY|CHF)\s*|\s*(?:[€$£¥₩₹%]|EUR|USD|CNY|RMB|GBP|JPY|CHF)\s*$")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")


class NumberSettings(Settings):
    """How the numbers are written."""

    decimal: Literal[".", ","] = setting(".", title="Decimal mark", help="The mark before the decimals.", expert=False)
    thousands: Literal["", ",", ".", " ", "'"] = setting(
        "", title="Thousands mark", help="The mark between thousands; empty: there is none.", expert=False
    )
    strip_signs: bool = setting(
        True,
        title="Take off % and currency",
        help="A percent sign or currency before or after the number is taken off; 12 % becomes 12.",
        expert=False,
    )


@dataclass(frozen=True, slots=True)
class FittedNumber:
    """Reads texts as numbers; a column that already holds numbers stays as it is."""

    columns: tuple[Column, ...]
    decimal: str
    thousands: str
    strip_signs: bool
    key: str = "to_number"
    uses_neighbours: bool = False

    def apply(self, table: pd.DataFrame) -> Applied:
        cells: dict[str, NDArray[np.float64] | pd.Series] = {}
        changed: dict[str, int] = {}
        notes: list[Message] = []
        for column in self.columns:
            empty = is_empty(table, column.name)
            if pd.api.types.is_numeric_dtype(table[column.name]):
                continue
            codes, different = pd.factorize(table[column.name])  # each spelling is read once
            read = np.array([read_number(str(text), self) for text in different] + [np.nan])
            cells[column.name] = read[codes]
            if not empty.all():
                changed[column.name] = int((~empty).sum())
            notes += _failed(column.name, table[column.name], np.isnan(read[codes]) & ~empty)
        notes += [] if self.columns else [no_columns()]
        change = Change(changed_cells=changed, columns=self.columns, notes=tuple(notes))
        return applied(with_cells(table, cells), change)

    def state(self) -> dict[str, object]:
        marks = {"decimal": self.decimal, "thousands": self.thousands, "strip_signs": self.strip_signs}
        return {"columns": [asdict(c) for c in self.columns], **marks}


def no_columns() -> Message:
    """The note of a step that has to be told its columns."""
    return msg("No column was named, so nothing was changed.")


def read_number(text: str, how: FittedNumber | NumberSettings) -> float:
    """The number that a text spells, or NaN.

    Example:
        >>> how = NumberSettings(decimal=",", thousands=".")
        >>> read_number("€ 1.234,5", how), read_number("1.23", how), read_number("n/a", how)
        (1234.5, nan, nan)
    """
    plain = text.strip()
    if how.strip_signs:
        plain = _SIGNS.sub("", _SIGNS.sub("", plain)).strip()
    if how.thousands and how.thousands != how.decimal:
        mark, point = re.escape(how.thousands), re.escape(how.decimal)
        if re.fullmatch(rf"[+-]?[0-9]{{1,3}}(?:{mark}[0-9]{{3}})+(?:{point}[0-9]*)?", plain):
            plain = plain.replace(how.thousands, "")
    if how.decimal == ",":
        plain = plain.replace(".", "x").replace(",", ".")
    return float(plain) if _NUMBER.fullmatch(plain) else float("nan")


def _failed(name: str, cells: pd.Series, failed: NDArray[np.bool_]) -> list[Message]:
    n = int(failed.sum())
    if not n:
        return []
    return [
        msg_n(
            "{n} cell of '{column}' is no number and becomes empty, for example '{example}'.",
            "{n} cells of '{column}' are no numbers and become empty, for example '{example}'.",
            n,
            column=name,
            example=str(cells[failed].iloc[0])[:40],
        )
    ]


@dataclass(frozen=True, slots=True)
class ToNumber:
    """Numbers out of texts. It learns nothing; a second time it finds numbers and changes nothing.

    It takes no column unasked: which texts are numbers is for people to say.
    """

    title: Message
    summary: Message
    key: str = "to_number"
    settings: type[Settings] = NumberSettings
    fits_keys: bool = False
    needs_columns: bool = True

    def applies_to(self, column: Column) -> bool:
        return column.role == "sensor" and column.kind == "text"

    def fit(
        self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER
    ) -> FittedNumber:
        chosen = NumberSettings.model_validate(settings.model_dump())
        after = tuple(replace(c, kind="number") for c in columns)
        return FittedNumber(after, chosen.decimal, chosen.thousands, chosen.strip_signs)

    def restore(self, state: Mapping[str, object]) -> FittedNumber:
        stored: Any = state
        columns = tuple(Column(**c) for c in stored["columns"])
        return FittedNumber(columns, stored["decimal"], stored["thousands"], stored["strip_signs"])


class RenameSettings(Settings):
    """New names."""

    names: tuple[str, ...] = setting(
        (), title="New names", help="One for each column, in the same order.", max_length=1000, expert=False
    )


@dataclass(frozen=True, slots=True)
class FittedRename:
    """Old names and what the columns are called afterwards."""

    columns: Mapping[str, Column]
    key: str = "rename"
    uses_neighbours: bool = False

    def apply(self, table: pd.DataFrame) -> Applied:
        for name in self.columns:
            if name not in table.columns:
                raise unknown_column(name, [str(c) for c in table.columns])
        renamed = {old: column.name for old, column in self.columns.items()}
        change = Change(
            added_columns=tuple(renamed.values()),
            removed_columns=tuple(renamed),
            columns=tuple(self.columns.values()),
            renamed=renamed,
            notes=() if renamed else (no_columns(),),
        )
        return applied(table.rename(columns=renamed) if renamed else table, change)

    def state(self) -> dict[str, object]:
        return {"columns": {old: asdict(column) for old, column in self.columns.items()}}


@dataclass(frozen=True, slots=True)
class Rename:
    """Other names in the same places. Applied twice it finds no such column, as the old names are gone.

    Without new names nothing happens.
    """

    title: Message
    summary: Message
    key: str = "rename"
    settings: type[Settings] = RenameSettings
    fits_keys: bool = False
    needs_columns: bool = True

    def applies_to(self, column: Column) -> bool:
        return column.role == "sensor"

    def fit(
        self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER
    ) -> FittedRename:
        names = [name.strip() for name in RenameSettings.model_validate(settings.model_dump()).names]
        if not names:
            return FittedRename({})
        others = {str(c) for c in train.table.columns} - {c.name for c in columns}
        wrong = [n for i, n in enumerate(names) if not n or n in others or n in names[:i]]
        if len(names) != len(columns) or wrong:
            raise SettingProblem(
                msg("{n} columns are to be called: {names}.", n=len(columns), names=", ".join(names)),
                msg("Expected one new name for each column, and none that another column has."),
                msg("Name the columns, and give as many new names in the same order."),
                name="names",
            )
        return FittedRename({c.name: replace(c, name=n) for c, n in zip(columns, names, strict=True) if n != c.name})

    def restore(self, state: Mapping[str, object]) -> FittedRename:
        stored: Any = state
        return FittedRename({old: Column(**column) for old, column in stored["columns"].items()})


TO_NUMBER = ToNumber(
    msg("Read text as numbers"),
    msg("Texts such as '1.234,5 €' or '12 %' become numbers; cells that are none become empty and are counted."),
)
RENAME = Rename(msg("Rename columns"), msg("Columns get other names; unit and specification limits stay with them."))
