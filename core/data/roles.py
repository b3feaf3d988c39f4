"""What each column is probably for: time, group, target, sensor or ignore. Suggestions that a person can change."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from core.data.dataset import Column, Kind, Role
from core.data.findings import Finding
from core.data.footer import read_footer, steps_back
from core.data.free_text import holds_remarks
from core.messages import msg

TIME_WORDS = frozenset(
    [
        "cycle",
        "cycles",
        "time",
        "step",
        "steps",
        "timestamp",
        "index",
        "t",
        "datetime",
        "date",
        "seconds",
        "hours",
        "elapsed",
        "tick",
        "epoch",
        "minute",
        "minutes",
    ]
)
GROUP_WORDS = frozenset(
    [
        "unit",
        "lot",
        "batch",
        "serial",
        "machine",
        "engine",
        "equipment",
        "device",
        "asset",
        "wafer",
        "vehicle",
        "patient",
        "run",
        "bearing",
        "station",
        "charge",
        "coil",
        "heat",
    ]
)
_FILLERS = frozenset(["id", "no", "nr", "num", "number", "name", "code", "key"])
_TARGET_WORDS = frozenset(
    [
        "target",
        "label",
        "class",
        "failure",
        "anomaly",
        "quality",
        "y",
        "rul",
        "defect",
        "defects",
        "fault",
        "outcome",
        "verdict",
    ]
)
_LAST_TARGET_WORDS = frozenset(["target", "label", "class", "failure", "anomaly", "rul", "defect", "fault"])
_MARK_WORDS = frozenset(["changepoint", "anomaly", "event", "alarm", "flag", "label", "fault", "failure", "outlier", "attack"])
_PART_WORDS = frozenset({"train", "training", "test", "validation", "val", "valid"})

MAX_GUESSED = 1_000
MOST_CATEGORIES = 50
"""Different texts up to which a column is one of categories; above, each would become a column of its own."""
_HEAD_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class _Facts:
    """Counts of one column: filled cells, different values, whole numbers only, lowest, highest, never going back."""

    filled: int
    distinct: int
    whole: bool
    low: float
    high: float


def guess_columns(parquet: Path, names: Sequence[str], kinds: Sequence[Kind], units: Sequence[str]) -> tuple[Column, ...]:
    """Columns with guessed roles, in table order.

    Args:
        parquet: The table.
        names, kinds, units: One entry a column.
    """
    return guess_roles(parquet, names, kinds, units)[0]


def guess_roles(
    parquet: Path,
    names: Sequence[str],
    kinds: Sequence[Kind],
    units: Sequence[str],
    connection: duckdb.DuckDBPyConnection | None = None,
) -> tuple[tuple[Column, ...], tuple[Finding, ...]]:
    """`guess_columns` with the reasons why columns are ignored, and a finding where time is not sorted.

    Of more than 1,000 columns nothing is guessed: all are sensors, and a finding says so.
    """
    if len(names) > MAX_GUESSED:
        message = msg("With {n} columns no roles are guessed; choose target, time and group yourself.", n=len(names))
        sensors = tuple(Column(n, k, "sensor", u) for n, k, u in zip(names, kinds, units, strict=True))
        return sensors, (Finding("not_guessed", message, severity="info"),)
    with duckdb.connect() if connection is None else nullcontext(connection) as open_one:
        if connection is None:
            open_one.execute("SET memory_limit = '512MB'")
        guess = _Guess(open_one, parquet, tuple(names), tuple(kinds))
        roles = guess.roles()
        columns = tuple(Column(n, k, roles.get(n, "sensor"), u) for n, k, u in zip(names, kinds, units, strict=True))
        return columns, tuple(guess.findings)


def words_of(name: str) -> list[str]:
    """The lower-case words of a column name, without brackets: "Machine failure" → machine, failure."""
    bare = re.sub(r"[\[(].*?[\])]", " ", name)
    split = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", bare)
    return [w for w in re.split(r"[^a-z0-9]+", split.lower()) if w]


class _Guess:
    def __init__(
        self, connection: duckdb.DuckDBPyConnection, parquet: Path, names: tuple[str, ...], kinds: tuple[Kind, ...]
    ) -> None:
        self.connection, self.names = connection, names
        self.kind = dict(zip(names, kinds, strict=True))
        self.parquet = parquet
        self.source = "read_parquet('" + str(parquet).replace("'", "''") + "', file_row_number = true)"
        self.n_rows, self.facts = self._facts()
        self.findings: list[Finding] = []

    def roles(self) -> dict[str, Role]:
        """The role of each column that is not a sensor."""
        roles: dict[str, Role] = {}
        target = self._target()
        if target:
            roles[target] = "target"
        group = self._group(roles)
        if group:
            roles[group] = "group"
        time = self._time(roles, group)
        if time:
            roles[time] = "time"
            self._check_sorted(time, group)
        for name in self.names:
            if name in roles:
                continue
            if self._is_free_text(name):
                message = msg("'{column}' is free text; models that read words can learn from it.", column=name)
                self.findings.append(Finding("free_text", message, name, "info"))
            elif reason := self._why_ignored(name, target, time):
                roles[name] = "ignore"
                self.findings.append(reason)
        return roles

    def _facts(self) -> tuple[int, dict[str, _Facts]]:
        footer = read_footer(self.parquet)
        filled = dict(zip(self.names, footer.filled, strict=True))
        extremes = {name: known or self._extremes(name) for name, known in zip(self.names, footer.extremes, strict=True)}
        whole = self._whole()
        # Measured values are no ids, groups or labels: of them only whether they vary is asked, which the extremes tell.
        counted = [name for name in self.names if self.kind[name] != "number" or name in whole]
        found = {name: (filled[name], *extremes[name], name in whole) for name in self.names}
        distinct = self._distinct(counted, found, footer.rows)
        facts = {}
        for name, (n_filled, low, high, is_whole) in found.items():
            n = distinct.get(name, n_filled if low != high else min(n_filled, 1))
            facts[name] = _Facts(n_filled, n, is_whole, low or 0.0, high or 0.0)
        return footer.rows, facts

    def _extremes(self, name: str) -> tuple[float, float]:
        """Lowest and highest value of a number column whose footer does not tell; of others nothing is asked."""
        if self.kind[name] != "number":
            return 0.0, 1.0
        row = self.connection.execute(f"SELECT min({_quoted(name)}), max({_quoted(name)}) FROM {self.source}").fetchone()
        return (math.nan, math.nan) if row is None or row[0] is None else (float(row[0]), float(row[1]))

    def _whole(self) -> set[str]:
        """The number columns that hold whole numbers only: those whose first rows do are asked as a whole."""
        numbers = [name for name in self.names if self.kind[name] == "number"]
        head = self._all_whole(numbers, f"WHERE file_row_number < {_HEAD_ROWS}")
        return self._all_whole(sorted(head), "")

    def _all_whole(self, names: Sequence[str], where: str) -> set[str]:
        if not names:
            return set()
        parts = ", ".join(f"coalesce(bool_and({_quoted(name)} = floor({_quoted(name)})), true)" for name in names)
        row = self.connection.execute(f"SELECT {parts} FROM {self.source} {where}").fetchone() or ()
        return {name for name, is_whole in zip(names, row, strict=True) if is_whole}

    def _distinct(self, names: Sequence[str], found: Mapping[str, Sequence[Any]], n_rows: int) -> dict[str, int]:
        """Different values of some columns: estimated (HyperLogLog), and counted where the exact number decides."""
        if not names:
            return {}
        estimates = ", ".join(f"approx_count_distinct({_quoted(name)})" for name in names)
        counts = dict(
            zip(names, self.connection.execute(f"SELECT {estimates} FROM {self.source}").fetchone() or (), strict=True)
        )
        for name in names:
            filled, low, high, whole = found[name]
            near_all = counts[name] > 0.8 * filled and self._may_be_id(name, bool(whole), low, high, n_rows)
            if counts[name] <= 3 or near_all:
                exact = self.connection.execute(f"SELECT count(DISTINCT {_quoted(name)}) FROM {self.source}").fetchone()
                counts[name] = exact[0] if exact else counts[name]
        return counts

    def _may_be_id(self, name: str, whole: bool, low: float | None, high: float | None, n_rows: int) -> bool:
        """Whether an exact count of different values could make this an id; of ten million measured values it takes minutes."""
        if self.kind[name] == "text":
            return True
        return whole and low is not None and high is not None and high - low == n_rows - 1

    def _target(self) -> str | None:
        """An obviously named target: the whole name first, then the last word of a name."""
        for wanted, words in ((True, _TARGET_WORDS), (False, _LAST_TARGET_WORDS)):
            for name in self.names:
                parts = words_of(name)
                if self.kind[name] == "time" or not parts:
                    continue
                if (len(parts) == 1 if wanted else True) and parts[-1] in words:
                    return name
        return None

    def _group(self, roles: dict[str, Role]) -> str | None:
        """A column named like a unit or lot whose values repeat."""
        for name in self.names:
            words = set(words_of(name))
            facts = self.facts[name]
            named = bool(words & GROUP_WORDS) and words <= GROUP_WORDS | _FILLERS
            discrete = self.kind[name] == "text" or (self.kind[name] == "number" and facts.whole)
            if name not in roles and named and discrete and 2 <= facts.distinct <= facts.filled / 2:
                return name
        return None

    def _time(self, roles: dict[str, Role], group: str | None) -> str | None:
        """The first column of times, else a counter of that name that always rises (within groups)."""
        for name in self.names:
            if name not in roles and self.kind[name] == "time" and self.facts[name].distinct > 1:
                return name
        for name in self.names:
            if name in roles or self.kind[name] != "number" or not set(words_of(name)) & TIME_WORDS:
                continue
            if (
                len(words_of(name)) <= 2
                and self.facts[name].filled == self.n_rows > 1
                and self._steps_back(name, group, "<=") == 0
            ):
                return name
        return None

    def _steps_back(self, name: str, group: str | None, comparison: str) -> int:
        """How often a value is smaller than ("<") or not above ("<=") the one before it, within its group.

        What never steps back in the whole table never does within a group; only else the groups are looked at one by one.
        """
        back = steps_back(self.parquet, name, or_equal=comparison == "<=")
        if not back or group is None:
            return back
        q = _quoted(name)
        steps = (
            f"SELECT {q} {comparison} lag({q}) OVER (PARTITION BY {_quoted(group)} ORDER BY file_row_number) AS back "
            f"FROM {self.source} WHERE {q} IS NOT NULL"
        )
        row = self.connection.execute(f"SELECT count(*) FILTER (back) FROM ({steps})").fetchone()
        return int(row[0]) if row else 0

    def _check_sorted(self, time: str, group: str | None) -> None:
        back = self._steps_back(time, group, "<")
        if back:
            message = msg("Time column '{column}' is not sorted: it goes back {n} times.", column=time, n=back)
            self.findings.append(Finding("time_not_sorted", message, time))

    def _why_ignored(self, name: str, target: str | None, time: str | None) -> Finding | None:
        facts = self.facts[name]
        if facts.filled == 0:
            return Finding("ignored_empty", msg("'{column}' is ignored: it has no values.", column=name), name, "info")
        if facts.distinct == 1 and self.n_rows > 1:
            return Finding("constant", msg("'{column}' is ignored: it never changes.", column=name), name, "info")
        if self.kind[name] == "time":
            message = msg("'{column}' is ignored: there is another time column, '{time}'.", column=name, time=time or "")
            return Finding("second_time", message, name, "info")
        if self._is_id(name):
            return Finding("id_like", msg("'{column}' is ignored: it is different in every row.", column=name), name, "info")
        if target and facts.distinct == 2 and set(words_of(name)) & _MARK_WORDS:
            message = msg("'{column}' is ignored: it looks like a second label beside '{target}'.", column=name, target=target)
            return Finding("second_label", message, name, "info")
        if self.kind[name] == "text" and facts.distinct > MOST_CATEGORIES:
            message = msg(
                "'{column}' is ignored: it holds {n} different texts, too many for categories.", column=name, n=facts.distinct
            )
            return Finding("many_texts", message, name, "info")
        if self.kind[name] == "text" and self._holds_parts(name):
            message = msg(
                "'{column}' is ignored: it says which rows train and test. It can be chosen as the split.", column=name
            )
            return Finding("split_column", message, name, "info")
        return None

    def _is_free_text(self, name: str) -> bool:
        """Whether a column that is too varied for categories holds remarks."""
        facts = self.facts[name]
        if self.kind[name] != "text" or (facts.distinct <= MOST_CATEGORIES and not self._is_id(name)):
            return False
        return holds_remarks(self.connection, self.source, name, facts.distinct)

    def _is_id(self, name: str) -> bool:
        facts = self.facts[name]
        if facts.filled < self.n_rows or self.n_rows < 10:
            return False
        if self.kind[name] == "text":
            return facts.distinct > 0.95 * self.n_rows
        counts_rows = facts.whole and facts.distinct == self.n_rows and facts.high - facts.low == self.n_rows - 1
        return counts_rows and self._steps_back(name, None, "<") == 0

    def _holds_parts(self, name: str) -> bool:
        if not 2 <= self.facts[name].distinct <= 4:
            return False
        rows = self.connection.execute(f"SELECT DISTINCT lower({_quoted(name)}) FROM {self.source}").fetchall()
        return {str(r[0]) for r in rows if r[0] is not None} <= _PART_WORDS


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
