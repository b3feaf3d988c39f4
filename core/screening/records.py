"""The records of a screening: what was found in each column, where, and what would mend it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from core.clean.recipe import RecipeStep
from core.data.dataset import Role
from core.data.findings import Severity
from core.messages import Message, msg

Grade = Literal["A", "B", "C", ""]
GRADES: tuple[Grade, ...] = ("C", "B", "A", "")
FORMAT = 4
WHY_IGNORED = frozenset(["constant", "all_missing", "id_like", "mixed_types"])  # what is still said of an ignored column


@dataclass(frozen=True, slots=True)
class Place:
    """Rows `first` to `last` of the dataset, both included; `start` and `end` are their times or numbers as text, "" without."""

    first: int
    last: int
    start: str = ""
    end: str = ""


@dataclass(frozen=True, slots=True)
class Fix:
    """What one click would do: cleaning steps for the recipe, or another role of the column.

    `caution` says when not to do it, where the data alone cannot tell a fault from the truth: such a fix is asked for one
    by one, and leaving the reason as it is stands first.
    """

    title: Message
    steps: tuple[RecipeStep, ...] = ()
    role: Role | None = None
    caution: Message | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing found. `code` is stable for scripts; `column` is "" where the rows of the whole table are meant.

    Severity "stop" makes grade C, "warn" grade B, "info" leaves A. `places` holds at most 20: the largest, or some of all.
    """

    code: str
    severity: Severity
    message: Message
    column: str = ""
    places: tuple[Place, ...] = ()
    fix: Fix | None = None


@dataclass(frozen=True, slots=True)
class ClassCount:
    """A text or class and the rows that hold it."""

    value: str
    n: int


@dataclass(frozen=True, slots=True)
class ColumnScreen:
    """One column. Figures are None where they are not defined for it.

    `in_control` is the share of rows (0 to 1) that signal none of Nelson's rules 1 to 4 against limits from the baseline
    period; `limits` are those limits (lower, centre, upper). `shifts` counts lasting changes of level. `sparkline` holds
    at most 40 means of equal stretches of rows; `edges` (n + 1) and `counts` (n) are a histogram without disguised codes;
    `classes` are the most frequent texts.
    """

    name: str
    kind: str
    role: str
    unit: str
    missing: float
    distinct: int
    reasons: tuple[Reason, ...] = ()
    in_control: float | None = None
    limits: tuple[float, float, float] | None = None
    shifts: int | None = None
    ppk: float | None = None
    ppk_low: float | None = None
    ppk_high: float | None = None
    ppk_n: int = 0
    no_ppk: Message | None = None
    sparkline: tuple[float, ...] = ()
    edges: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    classes: tuple[ClassCount, ...] = ()

    @property
    def grade(self) -> Grade:
        """A ready, B usable with care, C act first; "" for a column that is ignored."""
        return grade_of(self, self.reasons)


@dataclass(frozen=True, slots=True)
class Screening:
    """A dataset screened. `baseline_rows` is the number of rows in time order from which control limits come."""

    n_rows: int
    columns: tuple[ColumnScreen, ...]
    reasons: tuple[Reason, ...]
    missing: float
    first: str
    last: str
    every: Message | None
    longest_gap: Message | None
    baseline_rows: int
    notes: tuple[Message, ...] = field(default=())

    def all_reasons(self) -> Iterable[Reason]:
        """Those of the rows, then those of the columns in table order."""
        yield from self.reasons
        for column in self.columns:
            yield from column.reasons

    def to_json(self) -> dict[str, Any]:
        """The form that is kept beside the table."""
        return {"format": FORMAT, **_plain(self)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Screening:
        """The screening that `to_json` wrote.

        Raises:
            ValueError: another version wrote it; screen again.
        """
        if stored.get("format") != FORMAT:
            raise ValueError("another format of a screening")
        return cls(
            n_rows=stored["n_rows"],
            columns=tuple(_column(c) for c in stored["columns"]),
            reasons=tuple(_reason(r) for r in stored["reasons"]),
            missing=stored["missing"],
            first=stored["first"],
            last=stored["last"],
            every=_message(stored["every"]),
            longest_gap=_message(stored["longest_gap"]),
            baseline_rows=stored["baseline_rows"],
            notes=tuple(Message.from_json(m) for m in stored["notes"]),
        )


def grade_of(column: ColumnScreen, reasons: Iterable[Reason]) -> Grade:
    """The grade that a column has for some of its reasons, for example those that nobody has decided to leave."""
    if column.role == "ignore":
        return ""
    found = {reason.severity for reason in reasons}
    return "C" if "stop" in found else "B" if "warn" in found else "A"


def without_columns(screening: Screening, names: Collection[str]) -> Screening:
    """The screening once these columns are ignored: what was found in the others does not change."""
    columns = tuple(
        replace(c, role="ignore", reasons=tuple(r for r in c.reasons if r.code in WHY_IGNORED)) if c.name in names else c
        for c in screening.columns
    )
    return replace(screening, columns=columns)


def ignore(column_is_key: bool = False) -> Fix | None:
    """The fix that takes a column out of training; none for time, group and target."""
    return None if column_is_key else Fix(msg("Ignore this column"), role="ignore")


def _plain(value: Any) -> Any:
    """Records, messages and steps as JSON; NaN as None."""
    if isinstance(value, Message):
        return value.to_json()
    if isinstance(value, RecipeStep):
        return value.model_dump(mode="json")
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    return None if isinstance(value, float) and value != value else value


def _message(stored: Mapping[str, object] | None) -> Message | None:
    return None if stored is None else Message.from_json(stored)


def _reason(stored: Mapping[str, Any]) -> Reason:
    fix = stored["fix"]
    return Reason(
        stored["code"],
        stored["severity"],
        Message.from_json(stored["message"]),
        stored["column"],
        tuple(Place(**p) for p in stored["places"]),
        None if fix is None else _fix(fix),
    )


def _fix(stored: Mapping[str, Any]) -> Fix:
    steps = tuple(RecipeStep.model_validate(s) for s in stored["steps"])
    return Fix(Message.from_json(stored["title"]), steps, stored["role"], _message(stored["caution"]))


def _column(stored: Mapping[str, Any]) -> ColumnScreen:
    values = dict(stored)
    values["reasons"] = tuple(_reason(r) for r in stored["reasons"])
    values["limits"] = None if stored["limits"] is None else tuple(stored["limits"])
    values["no_ppk"] = _message(stored["no_ppk"])
    values["sparkline"] = tuple(float("nan") if v is None else v for v in stored["sparkline"])
    values["edges"], values["counts"] = tuple(stored["edges"]), tuple(stored["counts"])
    values["classes"] = tuple(ClassCount(**c) for c in stored["classes"])
    return ColumnScreen(**values)
