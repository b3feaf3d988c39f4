"""The error tree, split by who can fix it.

Each error says what came, what was expected and what to do, as untranslated messages, and keeps its values as
data. Everything that is not a `Problem` is a bug and stays an ordinary exception; the job runner and the shell
of the pages are the only places that catch those.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import ClassVar

from core.messages import Message, msg


class Problem(Exception):
    """Something the user can fix. `what` came, `expected` was wanted, `fix` is the way out."""

    kind: ClassVar[str] = "problem"

    def __init__(self, what: Message, expected: Message, fix: Message, **values: object) -> None:
        super().__init__(what, expected, fix)
        self.what, self.expected, self.fix, self.values = what, expected, fix, values

    def __str__(self) -> str:
        return f"{self.what} {self.expected} {self.fix}"

    def to_json(self) -> dict[str, object]:
        """The form that is stored with a failed job."""
        return {"kind": self.kind, "what": self.what.to_json(), "expected": self.expected.to_json(), "fix": self.fix.to_json()}


class DataProblem(Problem):
    """The file or table: a column, rows, example values."""

    kind = "data"


class SettingProblem(Problem):
    """The choice: its name, its value, what is allowed."""

    kind = "setting"


class NotEnoughData(Problem):
    """There is less than the method needs: how much is needed, how much came."""

    kind = "not_enough_data"


class TrainingProblem(Problem):
    """The training diverged or ran out of memory; the last good epoch is named."""

    kind = "training"


class StoreProblem(Problem):
    """The store cannot keep or find something: disk full, damaged, deleted."""

    kind = "store"


class EscapeProblem(Problem):
    """A model answers a case of a challenge set otherwise than it must: it may not be used until that is put right or released."""

    kind = "escape"


class ColumnRefused(Exception):
    """A method declines one column; the caller decides whether that is an error or "leave unchanged"."""

    def __init__(self, column: str, reason: Message) -> None:
        super().__init__(column, reason)
        self.column, self.reason = column, reason


_KINDS: dict[str, type[Problem]] = {
    c.kind: c for c in (Problem, DataProblem, SettingProblem, NotEnoughData, TrainingProblem, StoreProblem, EscapeProblem)
}


def problem_from_json(stored: Mapping[str, object]) -> Problem:
    """The problem that `Problem.to_json` wrote."""
    what, expected, fix = (Message.from_json(stored[k]) for k in ("what", "expected", "fix"))  # type: ignore[arg-type]
    return _KINDS.get(str(stored.get("kind")), Problem)(what, expected, fix)


def unknown_choice(name: str, value: object, allowed: Iterable[str]) -> SettingProblem:
    """The error for a word that is not in a catalogue: lists the live choices and names the closest."""
    choices = tuple(allowed)
    close = get_close_matches(str(value), choices, n=1)
    fix = msg("Did you mean '{close}'?", close=close[0]) if close else msg("Choose one of these.")
    return SettingProblem(
        msg("{name} is '{value}'.", name=name, value=str(value)),
        msg("Expected one of: {choices}.", choices=", ".join(choices)),
        fix,
        name=name,
        value=value,
        allowed=choices,
    )


def unknown_dataset(text: str, names: Iterable[str], *, may_be_file: bool) -> DataProblem:
    """The error for a name that is no dataset, and no file either where one may be named: lists the datasets there are."""
    known = tuple(dict.fromkeys(names))
    close = get_close_matches(text, known, n=1, cutoff=0.5)
    listed = ", ".join(known[:12]) + (" …" if len(known) > 12 else "")
    there = msg("the name of a dataset: {names}", names=listed) if known else msg("the name of a dataset; there are none yet")
    fix = msg("Check the name.")
    if close:
        fix = msg("Did you mean '{close}'?", close=close[0])
    elif not known:
        fix = msg("Bring one with 'import FILE'.")
    elif may_be_file:
        fix = msg("Check the name, and the place of the file.")
    return DataProblem(
        msg("There is no file or dataset '{name}'.", name=text)
        if may_be_file
        else msg("There is no dataset '{name}'.", name=text),
        msg("Expected a file, or {there}.", there=there) if may_be_file else msg("Expected {there}.", there=there),
        fix,
        name=text,
        datasets=known,
    )


def unknown_column(column: str, columns: Iterable[str]) -> DataProblem:
    """The error for a column that the table does not have."""
    names = tuple(columns)
    close = get_close_matches(column, names, n=1, cutoff=0.5)
    shown = ", ".join(names[:12]) + (" …" if len(names) > 12 else "")
    fix = msg("Did you mean '{close}'?", close=close[0]) if close else msg("Check the spelling of the column.")
    return DataProblem(
        msg("There is no column '{column}'.", column=column),
        msg("The table has: {columns}.", columns=shown),
        fix,
        column=column,
        columns=names,
    )
