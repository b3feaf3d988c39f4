"""How columns of a dataset hang together: all pairs on a sample of rows, and two sensors at a distance in time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.dataset import Dataset
from core.data.rows import Rows
from core.errors import DataProblem, NotEnoughData
from core.features.pipeline import row_order
from core.messages import Message, msg, msg_n
from core.settings import Settings, setting
from core.spc.dependence import FEWEST_ROWS, SIGNIFICANT, Pair, pairs
from core.spc.individuals import NotDefined
from core.spc.lags import LaggedCorrelation, lagged_correlation
from core.workflows.csv_out import write_csv
from core.workflows.labels import column_named, different, number_column

MOST_COLUMNS, MOST_CATEGORIES, MOST_ROWS = 60, 30, 100_000
UNEVEN = 0.05


class RelationsSettings(Settings):
    """Which columns are compared, and on how many rows."""

    columns: str | None = setting(
        None, title="Columns", help="Names with commas. Empty: all but times and ignored ones, 60 at most.", expert=False
    )
    rows: int = setting(
        5000, title="Rows", help="So many, drawn evenly from all, are compared.", ge=50, le=100_000, expert=False
    )
    seed: int = setting(7, title="Seed", help="Of the draw of rows.", ge=0)


class LagSettings(Settings):
    """How far apart two sensors are compared."""

    most_lag: int = setting(
        100, title="Largest lag", help="So many rows to either side are tried.", unit="rows", ge=0, le=2000, expert=False
    )
    changes: bool = setting(
        False, title="Changes", help="Compare changes from row to row instead of levels, for sensors that wander.", expert=False
    )


@dataclass(frozen=True, slots=True)
class RelationsView:
    """All pairs of columns, the closest first; `n_rows` of `of_rows` were compared."""

    columns: tuple[str, ...]
    pairs: tuple[Pair, ...]
    n_rows: int
    of_rows: int
    notes: tuple[Message, ...]

    def is_clear(self, pair: Pair) -> bool:
        """Whether a pair hangs together by more than chance, with as many pairs looked at."""
        return pair.p * len(self.pairs) < SIGNIFICANT

    @property
    def clear(self) -> tuple[Pair, ...]:
        return tuple(pair for pair in self.pairs if self.is_clear(pair))

    @property
    def headline(self) -> Message:
        clear = self.clear
        if not clear:
            return msg("No two of {n} columns hang together by more than chance", n=len(self.columns))
        return msg(
            "{n} of {of} pairs of columns hang together by more than chance; closest are '{one}' and '{other}' ({strength})",
            n=len(clear),
            of=len(self.pairs),
            one=clear[0].one,
            other=clear[0].other,
            strength=f"{clear[0].strength:.2f}",
        )


@dataclass(frozen=True, slots=True)
class LagView:
    """Two sensors at a distance. `step` is the usual step of time, in `step_unit` ("s" for times of day); None without a time column."""

    column: str
    other: str
    lagged: LaggedCorrelation
    step: float | None
    step_unit: str
    notes: tuple[Message, ...]

    @property
    def time(self) -> float | None:
        """The best lag in `step_unit`."""
        return None if self.step is None else self.lagged.best * self.step

    @property
    def headline(self) -> Message:
        found = self.lagged
        words: dict[str, str] = {
            "one": self.column,
            "other": self.other,
            "r": f"{found.r_best:.2f}",
            "band": f"{found.band:.2f}",
            "time": "" if self.time is None else f" ({abs(self.time):.6g} {self.step_unit})".rstrip(),
        }
        if not found.is_clear:
            return msg(
                "'{one}' and '{other}' hang together at no lag by more than chance (largest r {r}, chance reaches {band})",
                **words,
            )
        if found.best == 0:
            return msg("'{one}' and '{other}' move together at once (r {r}, chance reaches {band})", **words)
        if found.best > 0:
            return msg_n(
                "'{other}' follows '{one}' by {n} row{time} (r {r}, chance reaches {band})",
                "'{other}' follows '{one}' by {n} rows{time} (r {r}, chance reaches {band})",
                found.best,
                **words,
            )
        return msg_n(
            "'{one}' follows '{other}' by {n} row{time} (r {r}, chance reaches {band})",
            "'{one}' follows '{other}' by {n} rows{time} (r {r}, chance reaches {band})",
            -found.best,
            **words,
        )


def relations_view(dataset: Dataset, settings: RelationsSettings) -> RelationsView:
    """All pairs of number columns, and of columns with 2 to 30 different texts, on a seeded sample of rows.

    Raises:
        DataProblem: a named column is missing or is no number and no category, or fewer than two can be compared.
        NotEnoughData: fewer than 20 rows.
    """
    numbers, texts, notes = _chosen(dataset, settings)
    rows = dataset.rows([*numbers, *texts])
    table = _sampled(rows, settings.rows, settings.seed)
    if len(table) < FEWEST_ROWS:
        raise NotEnoughData(
            msg("The table has {n} rows.", n=len(table)),
            msg("Pairs of columns are compared on {n} rows or more.", n=FEWEST_ROWS),
            msg("Choose a longer table."),
        )
    columns = {name: table[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in numbers}
    categories: dict[str, NDArray[np.int64]] = {}
    for name in texts:
        codes, found = pd.factorize(table[name])
        if 2 <= len(found) <= MOST_CATEGORIES:
            categories[name] = codes.astype(np.int64)
    used = (*columns, *categories)
    if len(used) < 2:
        raise DataProblem(
            msg("There are fewer than two columns to compare."),
            msg("Expected columns of numbers, or of 2 to {n} different texts.", n=MOST_CATEGORIES),
            msg("Choose other columns."),
        )
    if dataset.with_role("time"):
        notes = (*notes, msg("rows that follow each other in time are alike, so that the p-values here are too small"))
    found = pairs(columns, categories)
    return RelationsView(used, found, len(table), rows.n_rows, (*_comparisons(len(found)), *notes))


def _comparisons(n: int) -> tuple[Message, ...]:
    """How many comparisons were made and by which correction, so that strata of one column are not taken for the same question."""
    if not n:
        return ()
    return (
        msg_n(
            "{n} pair was compared: it counts where its p is below {percent} %.",
            "{n} pairs were compared: one counts where p × {n} is below {percent} % (Bonferroni). One column by its strata is fewer comparisons "
            "with a lower bar, so that a difference may be told there and not here.",
            n,
            percent=f"{100 * SIGNIFICANT:g}",
        ),
    )


def export_relations(view: RelationsView, path: Path) -> None:
    """The pairs as CSV, the closest first."""
    rows = [
        {
            "column": pair.one,
            "other": pair.other,
            "rows": pair.n,
            "pearson": np.nan if pair.pearson is None else pair.pearson,
            "spearman": np.nan if pair.spearman is None else pair.spearman,
            "information": pair.information,
            "p": pair.p,
            "more than chance": view.is_clear(pair),
        }
        for pair in view.pairs
    ]
    names = ["column", "other", "rows", "pearson", "spearman", "information", "p", "more than chance"]
    write_csv(pd.DataFrame(rows, columns=names), path, formula_safe=True)


def lag_view(dataset: Dataset, column: str, other: str, settings: LagSettings) -> LagView:
    """Two number columns at each lag, their rows in the order of the time column, machines apart where there is a group column.

    Of more than 100,000 rows the last ones are compared.

    Raises:
        DataProblem: a column is missing or named twice, or holds no numbers.
        NotEnoughData: too few rows, or a column that does not vary.
    """
    for name in (column, other):
        number_column(dataset, name, msg("A correlation is one of numbers."))
    different({"one": column, "other": other})
    time = next((c for c in dataset.with_role("time") if c.name not in (column, other)), None)
    group = next((c.name for c in dataset.with_role("group") if c.name not in (column, other)), None)
    names = [column, other, *(name for name in (None if time is None else time.name, group) if name is not None)]
    table = dataset.rows(names).read()
    order, codes = row_order(table, group, None if time is None else time.name)
    order = order[-MOST_ROWS:]
    notes: tuple[Message, ...] = ()
    if len(table) > MOST_ROWS:
        notes = (msg("the last {n} of {of} rows were compared", n=MOST_ROWS, of=len(table)),)
    table = table.iloc[order]
    stretches = _stretches(codes[order] if codes is not None else np.zeros(len(order), np.int64))
    values = [table[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in (column, other)]
    found = lagged_correlation(values[0], values[1], settings.most_lag, stretches=stretches, changes=settings.changes)
    if isinstance(found, NotDefined):
        raise NotEnoughData(
            msg("There is no correlation of these columns: {reason}.", reason=found.reason),
            msg("Expected two columns that vary, on enough common rows."),
            msg("Choose other columns, more rows, or a smaller largest lag."),
        )
    step, is_even = (None, True) if time is None else _step(table[time.name], stretches)
    if not is_even:
        notes = (
            *notes,
            msg("the steps of time differ: a lag in rows is not always the same time, and that told is the usual one"),
        )
    unit = "" if time is None else "s" if time.kind == "time" else time.unit
    return LagView(column, other, found, step, unit, (*found.notes, *notes))


def export_lags(view: LagView, path: Path) -> None:
    """The correlation at each lag as CSV."""
    table = pd.DataFrame({"lag": view.lagged.lags, "r": view.lagged.r, "band": np.full(len(view.lagged.r), view.lagged.band)})
    if view.step is not None:
        table.insert(1, f"time ({view.step_unit})" if view.step_unit else "time", view.lagged.lags * view.step)
    write_csv(table, path, formula_safe=True)


def _chosen(dataset: Dataset, settings: RelationsSettings) -> tuple[list[str], list[str], tuple[Message, ...]]:
    """Number columns and text columns to compare, and what is to be said of the choice."""
    if settings.columns is not None:
        asked = _names_in(settings.columns, {c.name for c in dataset.columns})
        named = [column_named(dataset, name) for name in asked]
        for column in named:
            if column.kind == "time":
                raise DataProblem(
                    msg("Column '{column}' holds {kind}, not numbers.", column=column.name, kind=column.kind),
                    msg("Numbers and categories are compared."),
                    msg("Leave it out."),
                )
        chosen = named
    else:
        chosen = [c for c in dataset.columns if c.kind != "time" and c.role not in ("time", "ignore")]
    notes: tuple[Message, ...] = ()
    if len(chosen) > MOST_COLUMNS:
        notes = (msg("the first {n} of {of} columns were compared; name others with columns", n=MOST_COLUMNS, of=len(chosen)),)
        chosen = chosen[:MOST_COLUMNS]
    return [c.name for c in chosen if c.kind == "number"], [c.name for c in chosen if c.kind == "text"], notes


def _names_in(text: str, known: Collection[str]) -> list[str]:
    """Names with commas between them, each once; a column whose own name has a comma is found too."""
    parts, found, start = text.split(","), [], 0
    while start < len(parts):
        whole = (stop for stop in range(len(parts), start, -1) if ",".join(parts[start:stop]).strip() in known)
        stop = next(whole, start + 1)
        found.append(",".join(parts[start:stop]).strip())
        start = stop
    return list(dict.fromkeys(name for name in found if name))


def _sampled(rows: Rows, most: int, seed: int) -> pd.DataFrame:
    """At most `most` rows, drawn with a seed, in their order; read stretch by stretch."""
    if rows.n_rows <= most:
        return rows.read()
    taken = np.sort(np.random.default_rng(seed).choice(rows.n_rows, most, replace=False))
    parts = []
    for start, stop in rows.stretches():
        own = taken[(taken >= start) & (taken < stop)] - start
        if len(own):
            parts.append(rows.read(None, start, stop).iloc[own])
    return pd.concat(parts) if len(parts) > 1 else parts[0]


def _stretches(codes: NDArray[np.int64]) -> Sequence[slice]:
    """Stretches of equal codes (n,), in order."""
    ends = [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist(), len(codes)]
    return [slice(a, b) for a, b in zip(ends[:-1], ends[1:], strict=True) if b > a]


def _step(cells: pd.Series, stretches: Sequence[slice]) -> tuple[float | None, bool]:
    """The median step from row to row, seconds for times, and whether nearly all steps are that; None where there is none."""
    if pd.api.types.is_datetime64_any_dtype(cells):
        stamps = cells.to_numpy().astype("datetime64[us]")
        moments = stamps.astype(np.int64).astype(np.float64) / 1e6
        moments[np.isnat(stamps)] = np.nan
    elif pd.api.types.is_numeric_dtype(cells):
        moments = cells.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        return None, True
    steps = np.concatenate([np.diff(moments[part]) for part in stretches])
    steps = steps[np.isfinite(steps)]
    if not len(steps):
        return None, True
    usual = float(np.median(steps))
    if usual <= 0:
        return None, True
    return usual, bool((np.abs(steps - usual) > UNEVEN * usual).mean() <= UNEVEN)
