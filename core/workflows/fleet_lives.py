"""Lives of a fleet read from a dataset: which units there are, how old each is, which have failed, and by which rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.dataset import Dataset
from core.errors import DataProblem, SettingProblem, unknown_column
from core.evaluation.survival import Lives, SurvivalCurve, WeibullFit, fit_weibull, lives_of_units, survival_curve
from core.features.targets import class_texts, life_clock
from core.jobs.judging import label_flags
from core.messages import Message, msg, msg_n
from core.settings import Settings, setting

Ended = Literal["auto", "ended", "running", "column", "target"]
ROWS = "rows"
MAX_BEND = 0.1  # share of ages at which a Weibull curve may lie outside the 95 % band of what was seen


class FleetSettings(Settings):
    """How the lives of a fleet are read, and how far ahead to look."""

    within: float | None = setting(
        None,
        title="Look ahead",
        help="How far ahead: the chance to last so long is told for each unit. Empty: a tenth of a usual life, rounded.",
        unit="cycles",
        gt=0,
        expert=False,
    )
    failed: Ended = setting(
        "auto",
        title="A unit has failed",
        help="auto: where the known remaining life reaches 0, else every history that ends counts as failed. running: no unit has "
        "failed yet. column: where a column of events or states says so. target: where the known remaining life reaches 0.",
        expert=False,
    )
    failed_column: str | None = setting(
        None, title="Column of events or states", help="Which column says that a unit has failed.", expert=False
    )
    failed_value: str | None = setting(
        None,
        title="Value that means failed",
        help="Empty: every value but normal, ok, pass, 0, no, false and an empty cell.",
        expert=False,
    )
    ages: Literal["auto", "counter", "first_row"] = setting(
        "auto",
        title="Age counts from",
        help="counter: the time column is the age. first_row: age counts from a unit's first row. auto: the counter where it "
        "starts near 0.",
    )
    period: float | None = setting(
        None,
        title="Period of the plan",
        help="Units that fall due are counted by periods so long. Empty: as far as ahead.",
        gt=0,
    )


@dataclass(frozen=True, slots=True)
class UnitTable:
    """Units of one dataset. `codes` and `clock` are (n_rows,), all else (n_units,); `rule` says what counts as failed.

    `known_life` is the remaining life that a target column knows, (n_rows,), None without one.
    """

    names: NDArray[np.object_]
    lives: Lives
    codes: NDArray[np.int64]
    clock: NDArray[np.float64]
    rule: Message
    known_life: NDArray[np.float64] | None

    def row_ages(self) -> NDArray[np.float64]:
        """The age of its unit at each row, (n_rows,)."""
        if self.lives.from_counter:
            return self.clock
        begin = np.full(len(self.names), np.inf)
        known = np.isfinite(self.clock)
        np.minimum.at(begin, self.codes[known], self.clock[known])
        return self.clock - begin[self.codes]

    def remaining(self) -> NDArray[np.float64]:
        """The remaining life of each row that came, (n_rows,); NaN where the unit still runs, or after its failure."""
        if self.known_life is not None:
            return self.known_life
        left = self.seen_on()
        return np.where(self.lives.failed[self.codes] & (left >= 0), left, np.nan)

    def seen_on(self) -> NDArray[np.float64]:
        """How long the unit of each row is seen to go on from there, (n_rows,); to its failure where it has failed."""
        return self.lives.ages[self.codes] - self.row_ages()


@dataclass(frozen=True, slots=True)
class FleetLives:
    """How long units last: the curve of those seen, its Weibull fit, and in words what counts as failed and as age."""

    names: NDArray[np.object_]
    ages: NDArray[np.float64]
    failed: NDArray[np.bool_]
    curve: SurvivalCurve
    weibull: WeibullFit
    unit: str
    rule: Message
    counted: Message
    notes: tuple[Message, ...]

    @property
    def n_running(self) -> int:
        return int(np.count_nonzero(~self.failed))


def read_units(
    dataset: Dataset, group: str, time: str | None, settings: FleetSettings, target: str | None, *, in_service: bool = False
) -> UnitTable:
    """The units of a dataset.

    Args:
        target: The column of the known remaining life, None where it is made from group and time.
        in_service: The dataset is a fleet that is running: without a word to the contrary none of its units has failed.

    Raises:
        DataProblem: a column is missing, or there is no row.
        SettingProblem: a column is to say what has failed and none is named, or there is no known remaining life to ask.
    """
    names = {c.name for c in dataset.columns}
    known = target if target in names else None
    if in_service and settings.failed_column is not None and settings.failed_column not in names:
        settings = settings.with_values(failed="running", failed_column=None)  # units in service often have no such column
    wanted = [c for c in dict.fromkeys((group, time, known, settings.failed_column)) if c is not None]
    for name in wanted:
        if name not in names:
            raise unknown_column(name, [c.name for c in dataset.columns])
    table = dataset.table(wanted)
    if not len(table):
        raise DataProblem(
            msg("'{name}' has no row.", name=dataset.name), msg("Expected rows of units."), msg("Choose another dataset.")
        )
    codes, units = pd.factorize(table[group], use_na_sentinel=False)
    codes = codes.astype(np.int64)
    clock = life_clock(None if time is None else table[time], codes)
    life = None if known is None else table[known].to_numpy(dtype=np.float64, na_value=np.nan)
    failure, rule = _failure(table, life, settings, in_service)
    from_counter = {"auto": None, "counter": True, "first_row": False}[settings.ages]
    lives = lives_of_units(codes, clock, failure, from_counter=from_counter)
    return UnitTable(np.array([unit_name(u) for u in units], dtype=object), lives, codes, clock, rule, life)


def unit_name(cell: object) -> str:
    """A unit as it is called: 34.0 is "34", an empty cell "–"."""
    if cell is None or cell is pd.NaT or (isinstance(cell, float) and np.isnan(cell)):
        return "–"
    if not isinstance(cell, float):
        return str(cell)
    return str(int(cell)) if cell.is_integer() else repr(float(cell))


def _failure(
    table: pd.DataFrame, life: NDArray[np.float64] | None, settings: FleetSettings, in_service: bool
) -> tuple[NDArray[np.bool_] | None, Message]:
    """Which rows say that their unit has failed, None where every end is a failure; and the rule in words."""
    way = settings.failed
    if way == "auto":
        way = "target" if life is not None else "column" if settings.failed_column else "running" if in_service else "ended"
    if in_service and (way == "ended" or (way == "target" and life is None)):
        way = "running"
    if way == "column":
        return _by_column(table, settings)
    if way == "target":
        if life is None:
            raise SettingProblem(
                msg("There is no column of known remaining life."),
                msg("Expected a run whose target is the remaining life."),
                msg("Choose another rule for what has failed."),
            )
        return life <= 0, msg("A unit has failed where its known remaining life reaches 0.")
    if way == "running":
        return np.zeros(len(table), dtype=bool), msg("No unit has failed yet: each history ends because the unit still runs.")
    return None, msg("Every history that ends counts as failed.")


def _by_column(table: pd.DataFrame, settings: FleetSettings) -> tuple[NDArray[np.bool_], Message]:
    name, value = settings.failed_column, settings.failed_value
    if name is None:
        raise SettingProblem(
            msg("No column is named that says which units have failed."),
            msg("Expected a column of events or states."),
            msg("Choose the column, or another rule for what has failed."),
        )
    cells = (
        class_texts(table[name]) if table[name].dtype.kind != "M" else table[name].notna().astype(str).to_numpy(dtype=object)
    )
    if value is None:
        words = np.array(["" if c is None else c for c in cells], dtype=object)
        return label_flags(words) > 0, msg("A unit has failed where '{column}' says so.", column=name)
    return cells == value, msg("A unit has failed where '{column}' is '{value}'.", column=name, value=value)


def lives_of(tables: tuple[UnitTable, ...], unit: str) -> FleetLives:
    """The lives of one dataset, or of the one that was learned from and the fleet in service.

    A unit that still runs in the first and is seen again in the second is counted once, at its later age.
    """
    first, *others = tables
    again = {name for other in others for name in other.names}
    kept = np.array([first.lives.failed[i] or name not in again for i, name in enumerate(first.names)], dtype=bool)
    ages = np.concatenate([first.lives.ages[kept], *(o.lives.ages for o in others)])
    failed = np.concatenate([first.lives.failed[kept], *(o.lives.failed for o in others)])
    names = np.concatenate([first.names[kept], *(o.names for o in others)])
    curve, weibull = survival_curve(ages, failed), fit_weibull(ages, failed)
    counted = msg("Age counts from the first row of each unit.")
    if first.lives.from_counter:
        counted = msg("Age is the number of rows.") if unit == ROWS else msg("Age is what the counter says.")
    return FleetLives(
        names,
        ages,
        failed,
        curve,
        weibull,
        unit,
        first.rule,
        counted,
        (*_notes(tables), *weibull.notes, *_bend(curve, weibull)),
    )


def _notes(tables: tuple[UnitTable, ...]) -> tuple[Message, ...]:
    notes = []
    after, late = sum(t.lives.n_after for t in tables), tables[0].lives.n_late
    if after:
        notes.append(
            msg_n(
                "{n} unit has rows after its failure; its life ends at the failure.",
                "{n} units have rows after their failure; their lives end at the failure.",
                after,
            )
        )
    if late:
        notes.append(
            msg_n(
                "{n} unit is first seen at a later age; those like it that failed before are not seen, so that lives look longer.",
                "{n} units are first seen at a later age; those like them that failed before are not seen, so that lives look longer.",
                late,
            )
        )
    return tuple(notes)


def _bend(curve: SurvivalCurve, fit: WeibullFit) -> tuple[Message, ...]:
    """Said where the Weibull curve leaves the band of what was seen at more than a tenth of the ages."""
    known = np.isfinite(curve.low) & (curve.failures > 0)
    if fit.curve is None or not known.any():
        return ()
    fitted = fit.curve.survival(curve.ages[known])
    outside = int(np.count_nonzero((fitted < curve.low[known]) | (fitted > curve.high[known])))
    if outside <= MAX_BEND * known.sum():
        return ()
    return (
        msg(
            "The Weibull curve does not fit: at {n} of {total} ages it lies outside the 95 % band of what was seen.",
            n=outside,
            total=int(known.sum()),
        ),
    )


def life_unit(dataset: Dataset, time: str | None) -> str:
    """What lives are counted in: the unit of the counter, else "cycles"; "rows" where the time column holds no numbers."""
    if time is None or dataset.column(time).kind != "number":
        return ROWS
    return dataset.column(time).unit or "cycles"
