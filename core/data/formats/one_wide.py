"""One wide file → its parts: the series that its column names number, what holds for a whole cycle, what names the cycle.

"p_0, p_1, …, t_0, t_1, …" are two sensors; "0, 1, 2, …" is one. Columns that are not numbered are facts of the cycle; where
no columns are numbered, every column of numbers is a step. Columns of one series count as they are numbered, not as they
stand: an export in alphabetical order puts 10 before 2.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from core.data.dataset import Column
from core.data.findings import Finding
from core.data.formats.parts import Part
from core.data.roles import GROUP_WORDS, TIME_WORDS, words_of
from core.messages import msg, msg_n

MIN_STEPS = 3
SUGGESTED_STEPS, SUGGESTED_SHARE = 10, 0.5
_NUMBERED = re.compile(r"(.*?)(\d+(?:\.\d+)?)\D{0,4}")
_AROUND = " _-.:=@[(#"
_SHOWN = 6
_WORD = 3
_GENERAL = frozenset(["column", "col", "step", "steps", "time", "sample", "point", "value", "cycle", "row", "var", "feature"])


@dataclass(frozen=True, slots=True)
class OneWide:
    """The parts of one wide file, as if each had come as a file of its own; `cycle` names the cycles, if a column does."""

    sensors: tuple[Part, ...]
    facts: tuple[Part, ...]
    cycle: str | None
    findings: tuple[Finding, ...]


def taken_apart(part: Part, key: str | None, cycle_words: frozenset[str], is_unique: Callable[[str], bool]) -> OneWide:
    """Take a wide file apart by its column names.

    Args:
        part: The file.
        key: The column that names the cycle, where it is known.
        cycle_words: Words in the name of a column that may name cycles.
        is_unique: Whether a column has another value in every row.
    """
    by_name = part.columns
    series = numbered([name for name in by_name if name != key])
    series = {prefix: names for prefix, names in series.items() if any(by_name[n].kind == "number" for n in names)}
    steps = max(map(len, series.values()), default=0)
    chosen = {prefix: names for prefix, names in series.items() if len(names) == steps}
    if not chosen:
        chosen = {"": [n for n, c in by_name.items() if c.kind == "number" and n != key]}
    rest = [n for n in by_name if not any(n in names for names in chosen.values())]
    cycle = key or _names_cycles(rest or list(by_name), cycle_words, is_unique)
    chosen = {prefix: [n for n in names if n != cycle] for prefix, names in chosen.items()}
    facts = [n for n in rest if n != cycle]
    sensors = tuple(_cut(part, _sensor_name(prefix, part.name, len(chosen)), names, cycle) for prefix, names in chosen.items())
    fewer = [names for prefix, names in series.items() if prefix not in chosen]
    findings = (*_facts_found(facts), *(_fewer_found(names, steps) for names in fewer))
    return OneWide(sensors, (_cut(part, part.name, facts, cycle),) if facts else (), cycle, findings)


def numbered(names: Sequence[str]) -> dict[str, list[str]]:
    """Names that differ only in a number, by what stands before it, in the order of the numbers; three at least.

    Example:
        >>> numbered(["lot", "p_1", "p_10", "p_2", "0.5 s", "1.0 s", "1.5 s", "x1"])
        {'p': ['p_1', 'p_2', 'p_10'], '': ['0.5 s', '1.0 s', '1.5 s']}
    """
    found: dict[str, dict[float, str]] = {}
    repeated = set()
    for name in names:
        match = _NUMBERED.fullmatch(name)
        if match is None:
            continue
        prefix, number = match.group(1).strip(_AROUND), float(match.group(2))
        if number in found.setdefault(prefix, {}):
            repeated.add(prefix)
        found[prefix][number] = name
    return {
        prefix: [by_number[number] for number in sorted(by_number)]
        for prefix, by_number in found.items()
        if len(by_number) >= MIN_STEPS and prefix not in repeated
    }


def looks_wide(names: Sequence[str]) -> tuple[str, ...]:
    """The columns that are probably the time steps of one cycle a row, in order; none where the names do not say so.

    At least ten columns, and half of all, numbered without a gap from 0 or 1 on: "t1" to "t40", "0" to "39". Where other
    columns name a clock as well as a unit or lot, each row is a step already and the numbers are those of sensors.

    Example:
        >>> looks_wide(["part", *(f"t{k}" for k in range(1, 41))])[::39]
        ('t1', 't40')
        >>> looks_wide(["unit", "cycle", *(f"s{k}" for k in range(1, 22))])
        ()
    """
    series = max(numbered(names).values(), key=len, default=[])
    numbers = [float(_NUMBERED.fullmatch(name).group(2)) for name in series]  # type: ignore[union-attr]
    whole_run = numbers == [numbers[0] + k for k in range(len(numbers))] if numbers else False
    if not whole_run or numbers[0] not in (0, 1) or len(series) < max(SUGGESTED_STEPS, SUGGESTED_SHARE * len(names)):
        return ()
    taken = set(series)
    words = {word for name in names if name not in taken for word in words_of(name)}
    return () if words & TIME_WORDS and words & GROUP_WORDS else tuple(series)


def _sensor_name(prefix: str, file: str, n_series: int) -> str:
    """What a series is called: by its columns, unless their name says nothing of what was measured."""
    says_something = len(prefix) >= _WORD and not set(words_of(prefix)) & _GENERAL
    return prefix if prefix and (n_series > 1 or says_something) else file


def _names_cycles(names: Sequence[str], cycle_words: frozenset[str], is_unique: Callable[[str], bool]) -> str | None:
    return next((n for n in names if set(words_of(n)) & cycle_words and is_unique(n)), None)


def _cut(part: Part, name: str, names: Sequence[str], cycle: str | None) -> Part:
    """The part with some of its columns, in this order, after the one that names the cycle."""
    by_name = part.columns
    columns: list[Column] = [by_name[n] for n in ((cycle, *names) if cycle is not None else names)]
    return replace(part, name=name, reading=replace(part.reading, columns=tuple(columns)))


def _facts_found(facts: Sequence[str]) -> list[Finding]:
    if not facts:
        return []
    shown = ", ".join(facts[:_SHOWN]) + (" …" if len(facts) > _SHOWN else "")
    message = msg_n(
        "{n} column holds for a whole cycle and is repeated over its steps: {columns}.",
        "{n} columns hold for a whole cycle and are repeated over its steps: {columns}.",
        len(facts),
        columns=shown,
    )
    return [Finding("wide_facts", message, severity="info")]


def _fewer_found(names: Sequence[str], steps: int) -> Finding:
    message = msg(
        "'{first}' to '{last}' are numbered too, but they are {n} columns and not {steps}: they count as facts of the cycle.",
        first=names[0],
        last=names[-1],
        n=len(names),
        steps=steps,
    )
    return Finding("fewer_steps", message)
