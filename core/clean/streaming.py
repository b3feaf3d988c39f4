"""A fitted recipe on a table of any length: the same cells, counts and notes as `FittedRecipe.apply`, a part at a time.

Steps that look at one row go through the file stretch by stretch, all columns at once. Steps that look at neighbours go
column by column: rows in order of group and time, in bundles that reach over their ends by `OVERLAP_ROWS` and on to the
next filled cell, so that what is filled at an edge is filled from the same neighbours as in one piece. Each change goes
into a file of its own; the file that came in is never written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clean.catalogue import step_by_key
from core.clean.fitted_recipe import FittedRecipe, apply_step
from core.clean.step import Applied, Change, FittedStep
from core.data.room import Room
from core.data.rows import FrameRows, ParquetRows, Rows, RowsWriter
from core.messages import Message
from core.watching import Watch, unwatched

BUNDLE_ROWS = 500_000
OVERLAP_ROWS = 10_000
"""How far a step that looks at neighbours may look to either side, unless it says that it looks further."""


@dataclass(frozen=True, slots=True)
class CleanedRows:
    """A table after a recipe: same rows, same order.

    `left_out_by` (n_rows,) int16: 1 + the place of the step that left the row out first, 0 where it is kept; `keys` are the
    steps' keys. `flagged` (n_rows,) bool: rows with an outlier that was only marked. `changes` has one entry a step. `real_event` (n_rows,) bool: rows that a step
    labelled as a real event; None where no step of the recipe labels.
    """

    rows: Rows
    left_out_by: NDArray[np.int16]
    keys: tuple[str, ...]
    flagged: NDArray[np.bool_]
    changes: tuple[Change, ...]
    real_event: NDArray[np.bool_] | None = None

    @property
    def left_out(self) -> NDArray[np.bool_]:
        return self.left_out_by > 0

    def column(self, name: str) -> pd.Series:
        """A whole column as the fits after the recipe see it: empty where the row was left out."""
        cells = self.rows.read([name])[name]
        return cells.mask(self.left_out) if self.left_out_by.any() else cells


def clean_rows(
    recipe: FittedRecipe, rows: Rows, room: Room, watch: Watch = unwatched, *, in_training: bool = False
) -> CleanedRows:
    """Clean a table; one in memory in one piece, others in parts with their files in `room`.

    Args:
        watch: Told the share that is done, 0 to 1; what it raises ends the work.
        in_training: The table is the one whose training part the recipe was fitted on; see `FittedRecipe.apply`.

    Raises:
        DataProblem: a column that a step needs is not there, or holds text where numbers are expected.
    """
    keys = tuple(step.key for step in recipe.steps)
    if isinstance(rows, FrameRows):
        done = recipe.apply(rows.table, in_training=in_training)
        place = {key: i for i, key in reversed(list(enumerate(keys, start=1)))}
        by = np.zeros(len(rows.table), dtype=np.int16)
        for key in dict.fromkeys(keys):
            by[done.left_out_by == key] = place[key]
        return CleanedRows(FrameRows(done.table), by, keys, done.flagged, done.changes, done.real_event)
    return _Cleaning(recipe, rows, room, watch, in_training).run(keys)


@dataclass(slots=True)
class _Cleaning:
    recipe: FittedRecipe
    rows: Rows
    room: Room
    watch: Watch
    in_training: bool
    left_out_by: NDArray[np.int16] = field(init=False)
    flagged: NDArray[np.bool_] = field(init=False)
    events: NDArray[np.bool_] = field(init=False)
    changes: list[Change] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.left_out_by = np.zeros(self.rows.n_rows, dtype=np.int16)
        self.flagged = np.zeros(self.rows.n_rows, dtype=np.bool_)
        self.events = np.zeros(self.rows.n_rows, dtype=np.bool_)

    def run(self, keys: tuple[str, ...]) -> CleanedRows:
        self.changes = [Change() for _ in self.recipe.steps]
        steps = list(enumerate(self.recipe.steps))
        for looks_around, some in groupby(steps, key=lambda item: item[1].uses_neighbours):
            if looks_around:
                for i, step in some:
                    self._by_column(i, step)
            else:
                self._by_stretch(list(some))
        events = self.events if self.recipe.labels_events else None
        return CleanedRows(self.rows, self.left_out_by, keys, self.flagged, tuple(self.changes), events)

    def _tell(self, first: int, n: int, share: float) -> None:
        self.watch((first + n * share) / len(self.recipe.steps))

    def _by_stretch(self, steps: Sequence[tuple[int, FittedStep]]) -> None:
        """Steps of single rows, one after another on each stretch."""
        writer, n_rows = RowsWriter(self.room.file(".parquet")), self.rows.n_rows
        names: tuple[str, ...] = self.rows.names
        for start, stop in self.rows.stretches():
            table = self.rows.read(None, start, stop)
            by = self.left_out_by[start:stop]
            for i, step in steps:
                done = apply_step(step, table, self.in_training)
                new = done.left_out & (by == 0)
                by[new] = i + 1
                self.flagged[start:stop] |= done.flagged
                for mask in done.event_cells.values():
                    self.events[start:stop] |= mask
                self.changes[i] = joined(self.changes[i], replace(done.change, left_out_rows=int(new.sum())), _counting(done))
                table = done.table
            names = tuple(str(name) for name in table.columns)
            writer.write(table)
            if steps:
                self._tell(steps[0][0], len(steps), stop / n_rows)
        writer.close()
        self.rows = ParquetRows(dict.fromkeys(names, writer.path))

    def _by_column(self, i: int, step: FittedStep) -> None:
        """A step that looks at neighbours, one of its columns at a time."""
        order = _Order.of(self.rows, self.recipe, np.flatnonzero(self.left_out_by == 0))
        if not isinstance(self.rows, ParquetRows):  # its cells change as they are read: they are laid down as they come
            self._by_stretch(())
        files = dict(self.rows.files) if isinstance(self.rows, ParquetRows) else {}
        left_out = np.zeros(self.rows.n_rows, dtype=np.bool_)
        names = columns_of(step)
        for done, name in enumerate(names):
            change, made = self._one_column(only(step, name), name, order, left_out)
            self.changes[i] = joined(self.changes[i], change)
            for column, cells in made.items():
                files[column] = self._written(column, cells)
            for column in change.removed_columns:
                files.pop(column, None)
            self._tell(i, 1, (done + 1) / len(names))
        new = left_out & (self.left_out_by == 0)
        self.left_out_by[new] = i + 1
        self.changes[i] = replace(self.changes[i], left_out_rows=int(new.sum()))
        self.rows = ParquetRows(files)

    def _one_column(
        self, step: FittedStep, name: str, order: _Order, left_out: NDArray[np.bool_]
    ) -> tuple[Change, dict[str, pd.Series]]:
        """The change, and the columns that came out different or new."""
        cells = self.rows.read([name])[name]
        total, ended = Change(), list[NDArray[np.int64]]()
        parts: dict[str, list[pd.Series]] = {}
        whole = name in (order.group, order.time)
        if whole:  # A key is filled in the order of the other key, which only the step knows: all rows as they stand.
            order = replace(order, places=np.sort(order.places))
        for inner, outer in _bundles(cells, order, whole, step):
            table = order.frame(outer, cells, name, self.rows if whole else None)
            done = step.apply(table)
            inside = slice(inner.start - outer.start, inner.stop - outer.start)
            places = order.places[inner]
            self.flagged[places] |= done.flagged[inside]
            left_out[places] |= done.left_out[inside]
            for mask in done.event_cells.values():
                self.events[places] |= mask[inside]
            total = joined(total, _counted(done, table, inside), _counting(done))
            ended.append(places)
            for column in (name, *done.change.added_columns):
                if column in done.table:
                    parts.setdefault(column, []).append(done.table[column].iloc[inside])
        if not ended:
            return total, {}
        at = np.concatenate(ended)
        made = {column: _put(cells if column == name else None, at, pieces, len(cells)) for column, pieces in parts.items()}
        return total, {c: v for c, v in made.items() if c != name or total.changed_cells}

    def _written(self, name: str, cells: pd.Series) -> Path:
        writer = RowsWriter(self.room.file(".parquet"))
        for start, stop in self.rows.stretches():
            writer.write(pd.DataFrame({name: cells.iloc[start:stop]}))
        writer.close()
        return writer.path


@dataclass(frozen=True, slots=True)
class _Order:
    """Rows in order of group and time: `places` (n_kept,) row numbers, `codes` and `times` in that order, None without."""

    places: NDArray[np.int64]
    group: str | None
    time: str | None
    codes: NDArray[np.int32] | None
    times: NDArray[Any] | None

    @classmethod
    def of(cls, rows: Rows, recipe: FittedRecipe, kept: NDArray[np.int64]) -> _Order:
        group = recipe.group if recipe.group in rows.names else None
        time = next((c.name for c in recipe.columns if c.role == "time" and c.name in rows.names), None)
        codes: NDArray[np.int32] | None = None
        times: NDArray[Any] | None = None
        by: list[NDArray[Any]] = []
        if time is not None:
            times = rows.read([time])[time].to_numpy()[kept]
            if not _rises(times):
                by.append(times)
        if group is not None:
            codes = np.asarray(pd.factorize(rows.read([group])[group])[0], dtype=np.int32)[kept]
            if not _rises(codes):
                by.append(codes)
        if not by:
            return cls(kept, group, time, codes, times)
        order = np.lexsort(by) if len(by) > 1 else np.argsort(by[0], kind="stable")
        return cls(kept[order], group, time, None if codes is None else codes[order], None if times is None else times[order])

    def frame(self, outer: slice, cells: pd.Series, name: str, rows: Rows | None) -> pd.DataFrame:
        """Keys and one column of a bundle. A group stands as its number, which is the same for steps and faster to compare;
        where the column is itself a key, both keys are as they are (`rows`)."""
        places = self.places[outer]
        if rows is not None:
            names = [n for n in (self.group, self.time) if n is not None]
            return rows.read(names).iloc[places]
        table = {} if self.group is None or self.codes is None else {self.group: self.codes[outer]}
        if self.time is not None and self.times is not None:
            table[self.time] = self.times[outer]  # type: ignore[assignment]
        return pd.DataFrame({**table, name: cells.to_numpy()[places] if _is_number(cells) else cells.iloc[places].array})

    def group_start(self, place: int) -> int:
        """The first place of the group of a place."""
        return 0 if self.codes is None else int(np.searchsorted(self.codes, self.codes[place]))

    def beginning(self, first: int, start: int, step: FittedStep) -> int:
        """Where a bundle from `start` on is read from, at `first` or earlier: as far back in time as the step looks, and
        a whole number of its phases after the beginning of a group."""
        span, phase = getattr(step, "reach_time", None), getattr(step, "phase", 1)
        if span is not None and self.times is not None and not pd.isna(self.times[start]):
            group = self.group_start(start)
            is_time = np.issubdtype(self.times.dtype, np.datetime64)
            back = np.timedelta64(int(span * 1e6) + 1, "us") if is_time else span
            earlier = np.searchsorted(self.times[group : start + 1], self.times[start] - back, side="right") - 1
            first = min(first, group + max(0, int(earlier)))
        if phase > 1:
            group = self.group_start(first)
            first = group + (first - group) // phase * phase
        return first


def _rises(values: NDArray[Any]) -> bool:
    """Whether the values never fall; False with an empty one among them."""
    return bool((values[1:] >= values[:-1]).all()) and not (len(values) and bool(pd.isna(values[-1:]).any()))


def _is_number(cells: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(cells.dtype))


def _bundles(cells: pd.Series, order: _Order, whole: bool, step: FittedStep) -> Iterator[tuple[slice, slice]]:
    """Bundles of rows in order, and what is read around each of them."""
    n = len(order.places)
    if whole or n <= BUNDLE_ROWS:
        yield slice(0, n), slice(0, n)
        return
    empty = ~np.isfinite(cells.to_numpy(dtype=np.float64, na_value=np.nan)) if _is_number(cells) else cells.isna().to_numpy()
    filled = np.flatnonzero(~empty[order.places])
    reach = max(OVERLAP_ROWS, getattr(step, "reach_rows", 0))
    more = getattr(step, "reach_filled", 1)
    for start in range(0, n, BUNDLE_ROWS):
        stop = min(start + BUNDLE_ROWS, n)
        before = np.searchsorted(filled, max(0, start - reach), side="right") - more
        after = np.searchsorted(filled, min(n - 1, stop + reach)) + more - 1
        first = int(filled[before]) if before >= 0 else 0
        last = int(filled[after]) + 1 if after < len(filled) else n
        yield slice(start, stop), slice(order.beginning(min(first, start), start, step), max(last, stop))


def _put(cells: pd.Series | None, at: NDArray[np.int64], pieces: list[pd.Series], n: int) -> pd.Series:
    """Pieces in order put back to their rows, between rows that stay as they are (empty in a new column)."""
    if all(_is_number(piece) for piece in pieces):
        values = np.full(n, np.nan) if cells is None else cells.to_numpy(dtype=np.float64, na_value=np.nan).copy()
        values[at] = np.concatenate([piece.to_numpy(dtype=np.float64, na_value=np.nan) for piece in pieces])
        return pd.Series(values)
    rest = np.setdiff1d(np.arange(n), at, assume_unique=True)
    between = [] if cells is None or not len(rest) else [cells.iloc[rest]]
    together = pd.concat([*pieces, *between], ignore_index=True)
    return together.take(np.argsort(np.concatenate([at, rest]) if between else at, kind="stable")).reset_index(drop=True)


def _counted(done: Applied, before: pd.DataFrame, inside: slice) -> Change:
    """A bundle's change without what lies in its overlap."""
    change, after = done.change, done.table
    changed = {}
    for name in change.changed_cells:
        old, new = before[name].iloc[inside], after[name].iloc[inside]
        n = int(((old != new) & ~(old.isna() & new.isna())).sum())
        if n:
            changed[name] = n
    notes = []
    for note in change.notes:
        rows = next((mask for other, mask in done.row_notes if other == note), None)
        n = note.n if rows is None else int(rows[inside].sum())
        if rows is None:
            notes.append(note)
        elif n:
            notes.append(replace(note, n=n, values={**note.values, "n": n}))
    return replace(
        change,
        changed_cells=changed,
        flagged_cells=_marked(done.flagged_cells, inside),
        event_cells=_marked(done.event_cells, inside),
        notes=tuple(notes),
    )


def _marked(cells: Mapping[str, NDArray[np.bool_]], inside: slice) -> dict[str, int]:
    return {name: int(mask[inside].sum()) for name, mask in cells.items() if mask[inside].any()}


def columns_of(step: FittedStep) -> tuple[str, ...]:
    """The columns that a step that looks at neighbours works on: its state names them under "columns"."""
    return tuple(step.state()["columns"])  # type: ignore[arg-type]


def only(step: FittedStep, name: str) -> FittedStep:
    """The same fitted step for one of its columns."""
    state = step.state()
    given = state["columns"]
    one = {name: given[name]} if isinstance(given, Mapping) else [name]
    return step_by_key(step.key).restore({**state, "columns": one})


def _counting(done: Applied) -> frozenset[str]:
    """The notes that count rows, by their text: of parts with other rows they are added up."""
    return frozenset(note.id for note, _ in done.row_notes)


def joined(a: Change, b: Change, counting: Collection[str] = ()) -> Change:
    """The change of two parts of a table as the change of both; `counting` are notes that count rows of their part."""
    return Change(
        changed_cells=_sums(a.changed_cells, b.changed_cells),
        flagged_cells=_sums(a.flagged_cells, b.flagged_cells),
        left_out_rows=a.left_out_rows + b.left_out_rows,
        added_columns=tuple(dict.fromkeys((*a.added_columns, *b.added_columns))),
        removed_columns=tuple(dict.fromkeys((*a.removed_columns, *b.removed_columns))),
        notes=_notes(a.notes, b.notes, counting),
        event_cells=_sums(a.event_cells, b.event_cells),
        columns=tuple({c.name: c for c in (*a.columns, *b.columns)}.values()),
        renamed={**a.renamed, **b.renamed},
    )


def _sums(a: Mapping[str, int], b: Mapping[str, int]) -> dict[str, int]:
    return {name: a.get(name, 0) + b.get(name, 0) for name in dict.fromkeys((*a, *b))}


def _notes(a: tuple[Message, ...], b: tuple[Message, ...], counting: Collection[str]) -> tuple[Message, ...]:
    """Notes of two parts: a count of rows of one 'column' is added up, and so is one that is `counting`.

    Every other note is the same in all parts.
    """
    found: dict[object, Message] = {}
    for note in (*a, *b):
        others = {k: v for k, v in note.values.items() if k not in ("n", "example")}
        key = (note.id, tuple(sorted((k, str(v)) for k, v in others.items())))
        earlier = found.get(key)
        if earlier is not None and "example" in earlier.values:  # that of the first part
            note = replace(note, values={**note.values, "example": earlier.values["example"]})
        if earlier is not None and note.plural and ("column" in others or note.id in counting):
            n = earlier.n + note.n
            note = replace(note, n=n, values={**note.values, "n": n})
        found[key] = note
    return tuple(found.values())
