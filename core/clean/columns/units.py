"""Number columns in another unit: values, specification limits and the unit's name change together.

Pint knows the units; what is kept is a factor and an offset, so that applying needs NumPy only.
"""

from __future__ import annotations

import math
import re
import tokenize
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clean.cells import applied, count_changed, numbers, with_cells
from core.clean.step import FILE_ORDER, Applied, Change, RowKeys
from core.data.cells import unit_in_name
from core.data.dataset import Column
from core.data.split import TrainPart
from core.errors import SettingProblem
from core.messages import Message, msg, msg_n
from core.settings import Settings, setting

_ALLOWED = re.compile(r"[\w\s°²³⁻¹µμΩ·*/^().%\"'+-]{1,40}")
_POWER_OF_NUMBER = re.compile(r"[\d)]\s*(\*\*|\^)|(\*\*|\^)\s*[+-]?\d{3}")
# Pint's reader checks little; these are what it lets through, its own assertions among them.
_UNREADABLE = (ValueError, TypeError, AttributeError, SyntaxError, ArithmeticError, AssertionError, RecursionError)
_SPELLINGS = {
    "U/min": "rpm",
    "r/min": "rpm",
    "Nm": "N*m",
    "min-1": "1/min",
    "min⁻¹": "1/min",
    "Ohm": "ohm",
    "C": "degC",
    "F": "degF",
}
"""Spellings of the shop floor that pint does not know or takes for something else (C is the coulomb there)."""


class UnitSettings(Settings):
    """From which unit to which."""

    to: str = setting("", title="New unit", help="For example kPa, mm, °C or l/min.", max_length=40, expert=False)
    source: str = setting("", title="Present unit", help="Empty: the unit of the column.", max_length=40, expert=False)


@dataclass(frozen=True, slots=True)
class Conversion:
    """new = old · factor + offset; `column` is what the column holds afterwards."""

    factor: float
    offset: float
    column: Column


@dataclass(frozen=True, slots=True)
class FittedUnits:
    """A conversion a column; `without` names columns that have no unit to convert from."""

    conversions: Mapping[str, Conversion]
    without: tuple[str, ...] = ()
    key: str = "convert_unit"
    uses_neighbours: bool = False

    def apply(self, table: pd.DataFrame) -> Applied:
        cells: dict[str, NDArray[np.float64] | pd.Series] = {}
        changed: dict[str, int] = {}
        for name, conversion in self.conversions.items():
            before = numbers(table, name)
            with np.errstate(over="ignore", invalid="ignore"):
                after = before * conversion.factor + conversion.offset
            n_changed = count_changed(before, after)
            if n_changed:
                cells[name], changed[name] = after, n_changed
        columns = tuple(conversion.column for conversion in self.conversions.values())
        notes = (*self._notes(), *self._names_that_lie())
        return applied(with_cells(table, cells), Change(changed_cells=changed, columns=columns, notes=notes))

    def _names_that_lie(self) -> list[Message]:
        """Columns whose name carries the unit that they no longer have."""
        held = [(name, unit_in_name(name), c.column.unit) for name, c in self.conversions.items()]
        return [
            msg(
                "The name '{column}' still says {old}, and its values are in {unit}: rename it.",
                column=name,
                old=old,
                unit=unit,
            )
            for name, old, unit in held
            if old and old != unit
        ]

    def _notes(self) -> tuple[Message, ...]:
        if not self.without:
            return () if self.conversions else (msg("No unit was chosen, so nothing was converted."),)
        return (
            msg_n(
                "Column {columns} is unchanged: it has no unit.",
                "{n} columns are unchanged, as they have no unit: {columns}.",
                len(self.without),
                columns=", ".join(f"'{name}'" for name in self.without),
            ),
        )

    def state(self) -> dict[str, object]:
        stored = {name: [c.factor, c.offset, asdict(c.column)] for name, c in self.conversions.items()}
        return {"conversions": stored, "without": list(self.without)}


def factor_and_offset(source: str, to: str) -> tuple[float, float]:
    """What to multiply by and add to come from one unit to another.

    Raises:
        SettingProblem: a text that is no unit, units of different kinds, or a scale that is not linear (dB).

    Example:
        >>> factor_and_offset("bar", "kPa")
        (100.0, 0.0)
        >>> factor_and_offset("°C", "°F")
        (1.8, 32.0)
    """
    import pint

    old, new = _unit(source), _unit(to)
    try:
        offset, one, many = _tried(old, new)
    except pint.DimensionalityError as error:
        raise SettingProblem(
            msg("'{source}' cannot become '{to}'.", source=source, to=to),
            msg("Expected two units of the same kind, such as two pressures."),
            msg("Choose another unit, or name only the columns to convert."),
            name="to",
            value=to,
        ) from error
    except (pint.PintError, ArithmeticError, ValueError) as error:
        raise _not_linear(source, to) from error
    # The rounding of the offset shrinks with the size of what it is taken from.
    factor = one if offset == 0 else float(f"{(many - offset) / 1e6:.15g}")
    if not math.isfinite(factor) or not math.isclose(one, factor + offset, rel_tol=1e-9):
        raise _not_linear(source, to)
    short = float(f"{offset:.12g}")
    return factor, short if math.isclose(short, offset, rel_tol=1e-14) else offset


def _tried(old: Any, new: Any) -> tuple[float, float, float]:
    """What 0, 1 and a million of the old unit are in the new one.

    To pint an angle is a bare number, so that 60 rpm would be 6.28 Hz. Here one turn is one cycle: 60 rpm are 1 Hz, and so
    are 2π rad/s.
    """
    units = _registry()
    turns = _angles(old) - _angles(new)
    target = new * units.turn**turns if turns else new
    with np.errstate(over="ignore"):
        first, second, third = (float(units.Quantity(x, old).to(target).magnitude) for x in (0.0, 1.0, 1e6))
    return first, second, third


def _angles(unit: Any) -> int:
    """The power of the radian in a unit: 1 in rpm, 0 in Hz."""
    root = _registry().get_root_units(unit, check_nonmult=False)[1]
    return int(dict(root._units).get("radian", 0))


def _not_linear(source: str, to: str) -> SettingProblem:
    return SettingProblem(
        msg("'{source}' cannot become '{to}'.", source=source, to=to),
        msg("Expected units that differ by a factor and an offset."),
        msg("Choose another unit."),
        name="to",
        value=to,
    )


@lru_cache(maxsize=1)
def _registry() -> Any:
    """Pint's units, read once: it takes a third of a second."""
    import pint

    return pint.UnitRegistry()


def _unit(text: str) -> Any:
    """The unit that a text names. Pint reads products and powers of names; nothing is evaluated."""
    import pint

    unreadable = (pint.PintError, tokenize.TokenError, *_UNREADABLE)
    wanted = text.strip()
    spelled = _SPELLINGS.get(wanted, wanted).replace("·", "*").replace("²", "**2").replace("³", "**3")
    spelled = re.sub(r"([A-Za-z])([23])\b", r"\1**\2", spelled)
    try:
        if not _ALLOWED.fullmatch(wanted) or _POWER_OF_NUMBER.search(wanted):
            raise ValueError(text)
        return _registry().parse_units(spelled)
    except unreadable as error:
        raise SettingProblem(
            msg("'{text}' is not a unit.", text=text),
            msg("Expected a unit such as bar, kPa, mm/s, °C, l/min or N·m."),
            msg("Check the spelling; capital letters matter."),
            name="to",
            value=text,
        ) from error


@dataclass(frozen=True, slots=True)
class ConvertUnit:
    """Another unit. It learns nothing from cells. Applied twice it converts twice, as it does not look at the unit again.

    A column without a unit stays as it is, with a note; one whose unit is of another kind is refused.
    """

    title: Message
    summary: Message
    key: str = "convert_unit"
    settings: type[Settings] = UnitSettings
    fits_keys: bool = False

    def applies_to(self, column: Column) -> bool:
        return column.role == "sensor" and column.kind == "number"

    def fit(self, train: TrainPart, columns: tuple[Column, ...], settings: Settings, keys: RowKeys = FILE_ORDER) -> FittedUnits:
        chosen = UnitSettings.model_validate(settings.model_dump())
        if not chosen.to.strip():
            return FittedUnits({})
        source = {c.name: chosen.source.strip() or c.unit for c in columns}
        without = tuple(c.name for c in columns if not source[c.name])
        found = {c.name: _converted(c, source[c.name], chosen.to.strip()) for c in columns if source[c.name]}
        return FittedUnits(found, without)

    def restore(self, state: Mapping[str, object]) -> FittedUnits:
        stored: Any = state
        found = {name: Conversion(factor, offset, Column(**c)) for name, (factor, offset, c) in stored["conversions"].items()}
        return FittedUnits(found, tuple(stored["without"]))


def _converted(column: Column, source: str, to: str) -> Conversion:
    factor, offset = factor_and_offset(source, to)
    lower, nominal, upper = (
        None if limit is None else limit * factor + offset for limit in (column.lower_limit, column.nominal, column.upper_limit)
    )
    if factor < 0:
        lower, upper = upper, lower
    return Conversion(factor, offset, replace(column, unit=to, lower_limit=lower, nominal=nominal, upper_limit=upper))


CONVERT_UNIT = ConvertUnit(
    msg("Convert the unit"),
    msg("Values, specification limits and the unit's name change together, for example from bar to kPa."),
)
