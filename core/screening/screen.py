"""A dataset screened column by column: what `core.screening` is called for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from core.data.dataset import Column, Dataset
from core.data.findings import Finding
from core.messages import Message
from core.screening import repeats, texts
from core.screening.clock import clock_reasons, every_text
from core.screening.gaps import NO_GAPS, Gaps, find_gaps, missing_reason
from core.screening.numbers import BASELINE_SHARE, screen_numbers
from core.screening.order import RowOrder, connect, numbers_of, quoted, row_order, stamp, times_of, usual_step
from core.screening.records import WHY_IGNORED, ClassCount, ColumnScreen, Reason, Screening, Severity
from core.screening.target import TargetSample, imbalance, leak_reason, sample_of, target_sample

SPARK_POINTS = 40
_AT_ONCE = 100
_EXACT_ROWS = 1_000_000
_IMPORT_CODES: Mapping[str, Severity] = {
    "mixed": "warn", "infinite": "warn", "other_decimal": "warn", "not_a_value": "info", "kept_as_text": "info",
    "duplicate_name": "info", "name_cleaned": "info",
}  # fmt: skip
_MIXED = frozenset(["mixed", "not_a_value", "kept_as_text"])

Progress = Callable[[int, int], None]


def screen(dataset: Dataset, findings: Sequence[Finding] = (), progress: Progress | None = None) -> Screening:
    """Screen every column of a dataset, its rows, its clock and its target.

    Args:
        findings: What the import found; what speaks of mixed types becomes a reason.
        progress: Called with columns done and columns in all, at least once a column.

    One column is in memory at a time (8 bytes a row, a few times), never the table.
    A dataset without rows gives records without figures and reasons.
    """
    file = pq.ParquetFile(dataset.path)
    rows = row_order(dataset, file)
    connection, source = connect(dataset)
    with connection:
        distinct = _distinct(connection, source, dataset)
        names = [c.name for c in dataset.columns if c.kind == "text"]
        frequent = texts.frequent_texts(connection, source, names)
        remarks = texts.free_texts(connection, source, dataset.columns, distinct)
        work = _Work(dataset, file, rows, distinct, frequent, findings, remarks)
        screened = []
        for i, column in enumerate(dataset.columns):
            if progress is not None:
                progress(i, len(dataset.columns))
            screened.append(work.column(column))
        # What was not read as it stood in the file comes first: the screening is what is seen after an import.
        table_reasons = [
            Reason(f"import_{f.code}", "warn", f.message) for f in findings if not f.column and f.severity != "info"
        ]
        table_reasons += repeats.row_reasons(connection, source, dataset, distinct)
    if progress is not None:
        progress(len(dataset.columns), len(dataset.columns))
    return work.finished(screened, table_reasons)


@dataclass
class _Work:
    """What is known while the columns are gone through, and what is gathered on the way."""

    dataset: Dataset
    file: pq.ParquetFile
    rows: RowOrder
    distinct: Mapping[str, int]
    frequent: Mapping[str, tuple[ClassCount, ...]]
    findings: Sequence[Finding]
    remarks: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = self.rows.n
        self.baseline = int(BASELINE_SHARE * n)
        self.gaps: dict[str, Gaps] = {}
        self.samples: dict[str, NDArray[np.float64]] = {}
        self.spread = np.arange(0, n, max(1, -(-n // repeats.SAMPLE)))
        self.target: TargetSample | None = target_sample(self.dataset, self.file, self.rows, self.baseline)
        self.target_gaps = NO_GAPS
        self.in_file = np.zeros(0)  # the cells of the number column that is being looked at
        if self.target is not None:
            self.target_gaps = find_gaps(self.rows.arranged(self._empty(self.target.column)), self.rows.starts)

    def column(self, column: Column) -> ColumnScreen:
        """One column, but for what only shows beside the others."""
        reasons = [self._imported(f) for f in self.findings if f.column == column.name and f.code in _IMPORT_CODES]
        facts: dict[str, object] = {}
        if column.kind == "number":
            found, facts = self._number(column)
            reasons += found
        elif column.role == "time":
            self.gaps[column.name] = find_gaps(self.rows.arranged(self._empty(column)), self.rows.starts)
        else:
            self.gaps[column.name] = find_gaps(self.rows.arranged(self._empty(column)), self.rows.starts)
            filled = self.rows.n - self.gaps[column.name].n
            if column.kind == "text":
                words = self.remarks.get(column.name)
                reasons += texts.text_reasons(column, self.distinct[column.name], filled, self.rows.n, words)
            facts = {"classes": self.frequent.get(column.name, ())}
        if column.role == "time" and self.rows.times is not None:
            reasons += clock_reasons(column.name, times_of(self.file, column.name, column.kind), self.rows)
        reasons += self._about_target(column)
        gaps = self.gaps[column.name]
        missing = gaps.n / self.rows.n if self.rows.n else 0.0
        return ColumnScreen(
            column.name,
            column.kind,
            column.role,
            column.unit,
            missing,
            self.distinct[column.name],
            tuple(reasons),
            **facts,  # type: ignore[arg-type]
        )

    def finished(self, screened: Sequence[ColumnScreen], table_reasons: Sequence[Reason]) -> Screening:
        """The columns with what shows beside each other, and the facts of the table."""
        twins = repeats.column_reasons(
            [c for c in self.dataset.columns if c.role != "ignore"], self.samples, lambda name: numbers_of(self.file, name)
        )
        shared = defaultdict(list)
        for name, gaps in self.gaps.items():
            if gaps.n >= 3:
                shared[gaps.key].append(name)
        columns = []
        for column, record in zip(self.dataset.columns, screened, strict=True):
            gaps = self.gaps[column.name]
            together = [name for name in shared[gaps.key] if name != column.name] if gaps.n >= 3 else []
            missing = missing_reason(column, gaps, self.rows, together) if self.rows.n else None
            more = [r for r in twins if r.column == column.name] + ([] if missing is None else [missing])
            reasons = [r for r in (*record.reasons, *more) if column.role != "ignore" or r.code in WHY_IGNORED]
            columns.append(replace(record, reasons=ordered(reasons)))
        cells = sum(c.missing for c in columns) / len(columns) if columns else 0.0
        first, last, every = self._clock()
        return Screening(
            self.rows.n, tuple(columns), tuple(table_reasons), cells, first, last, every, self._longest_gap(), self.baseline
        )

    def _number(self, column: Column) -> tuple[list[Reason], dict[str, object]]:
        in_file = self.in_file = numbers_of(self.file, column.name)
        values = self.rows.arranged(in_file)
        self.gaps[column.name] = find_gaps(np.isnan(values), self.rows.starts)
        facts: dict[str, object] = {"sparkline": _spark(values)}
        if column.role in ("time", "group") or not len(values):
            return [], facts
        counts_rows = texts.counter_reason(column, in_file, self.distinct[column.name])
        if counts_rows is not None:
            return [counts_rows], facts
        found = screen_numbers(values, column, self.rows)
        sampled = found.clean[self.spread]
        if np.isfinite(sampled).any() and np.nanmin(sampled) < np.nanmax(sampled):
            self.samples[column.name] = sampled
        facts |= {
            "sparkline": _spark(found.clean),
            "in_control": found.in_control,
            "limits": found.limits,
            "shifts": found.shifts,
            "no_ppk": found.no_ppk,
            "edges": found.edges,
            "counts": found.counts,
        }
        if found.ppk is not None:
            facts |= {"ppk": found.ppk.ppk, "ppk_low": found.ppk.ppk_low, "ppk_high": found.ppk.ppk_high, "ppk_n": found.ppk.n}
        return list(found.reasons), facts

    def _about_target(self, column: Column) -> list[Reason]:
        if self.target is None:
            return []
        if column.name == self.target.column.name:
            found = imbalance(self.target, self.dataset)
        elif column.role == "sensor" and column.kind != "time":
            if column.kind == "number":
                cells = pd.Series(self.in_file[self.target.rows])
            else:
                cells = sample_of(self.file, column.name, self.target.rows)
            found = leak_reason(column, cells, self.target, self.gaps[column.name], self.target_gaps)
        else:
            found = None
        return [] if found is None else [found]

    def _empty(self, column: Column) -> NDArray[np.bool_]:
        if column.kind == "number":
            return np.isnan(numbers_of(self.file, column.name))
        return self.file.read(columns=[column.name], use_threads=False).column(0).is_null().to_numpy()

    def _imported(self, finding: Finding) -> Reason:
        code = "mixed_types" if finding.code in _MIXED else finding.code
        return Reason(code, _IMPORT_CODES[finding.code], finding.message, finding.column)

    def _clock(self) -> tuple[str, str, Message | None]:
        times = self.rows.times
        if times is None or not self.rows.n:
            return "", "", None
        known = times[~(np.isnat(times) if times.dtype.kind == "M" else np.isnan(times))]
        if not len(known):
            return "", "", None
        step = usual_step(known) if self.rows.is_one else None
        return stamp(known.min()), stamp(known.max()), every_text(known, step)

    def _longest_gap(self) -> Message | None:
        """The longest stretch that any column misses."""
        gaps = max(self.gaps.values(), key=lambda g: g.longest, default=NO_GAPS)
        return None if gaps.longest == 0 else self.rows.length(gaps.first, gaps.first + gaps.longest - 1)


def ordered(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    """The serious ones first, else as they were found."""
    return tuple(sorted(reasons, key=lambda r: {"stop": 0, "warn": 1, "info": 2}[r.severity]))


def _spark(values: NDArray[np.float64]) -> tuple[float, ...]:
    """Means of up to 40 equal stretches, NaN for one without values."""
    n = len(values)
    if not n:
        return ()
    edges = np.linspace(0, n, min(SPARK_POINTS, n) + 1).astype(np.int64)[:-1]
    known = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.add.reduceat(np.where(known, values, 0.0), edges) / np.add.reduceat(known, edges, dtype=np.float64)
    return tuple(means.tolist())


def _distinct(connection: duckdb.DuckDBPyConnection, source: str, dataset: Dataset) -> dict[str, int]:
    """Different values of each column: exact for texts of up to a million rows, else a HyperLogLog estimate."""
    found: dict[str, int] = {}
    for start in range(0, len(dataset.columns), _AT_ONCE):
        some = dataset.columns[start : start + _AT_ONCE]
        exact = dataset.n_rows <= _EXACT_ROWS
        parts = [
            f"count(DISTINCT {quoted(c.name)})" if exact and c.kind == "text" else f"approx_count_distinct({quoted(c.name)})"
            for c in some
        ]
        row = connection.execute(f"SELECT {', '.join(parts)} FROM {source}").fetchone() or ()
        found |= {c.name: min(int(n), dataset.n_rows) for c, n in zip(some, row, strict=True)}
    return found
