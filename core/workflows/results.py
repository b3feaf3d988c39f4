"""Finished results as screens, the command line and reports show them: read from disk, judged at a threshold, worded.

The views hold figures and arrays, no sentences but messages. Those at the run's own threshold equal the run's stored
metrics, because both come from the same functions on the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar, cast

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from core.data.dataset import Dataset
from core.data.rows import ParquetRows
from core.data.split import PART_NAMES
from core.errors import NotEnoughData, unknown_choice
from core.jobs.judging import label_flags, resampling_blocks
from core.messages import msg
from core.serving import Manifest, load_bundle
from core.serving.raw import PADDED
from core.workflows.records import Run
from core.workflows.row_places import RowPlaces, first_places
from core.workflows.training import get_run
from core.workflows.workspace import Workspace

KEPT_CELLS = 10_000_000
MOST_KEPT = 16
T = TypeVar("T")
SCORED = ("truth", "prediction", "score", "flag")


@dataclass(frozen=True, slots=True)
class OrderedScores:
    """What the anomaly views at all limits share. Arrays are (n_rows,) in group and time order, labels NaN = unknown.

    `contributions` give (n, n_columns) for n places, None where the model has none. `judged` are the scores that may be flagged:
    NaN on padded windows, which are scored but never flagged.
    """

    rows: NDArray[np.int64]
    scores: NDArray[np.float64]
    judged: NDArray[np.float64]
    parts: NDArray[np.int8]
    times: NDArray
    groups: NDArray | None
    labels: NDArray[np.float64] | None
    contributions: Reordered | None


@dataclass(frozen=True, slots=True)
class Reordered:
    """Rows of a mapped array by their place in another order: only what is asked for is read. `rows` None: as they lie."""

    values: NDArray[np.float32]
    rows: NDArray[np.int64] | None

    def __getitem__(self, places: NDArray[np.int64]) -> NDArray[np.float32]:
        return self.values[places if self.rows is None else self.rows[places]]


@dataclass(frozen=True)
class Results:
    """A finished run's results on disk. Tables are read when asked for and kept while the object lives, if they are small."""

    run: Run
    manifest: Manifest
    dataset: Dataset
    folder: Path

    @property
    def task(self) -> str:
        return self.run.task

    @property
    def baseline(self) -> str:
        """Key of the baseline that stands beside, or "" where the run is a baseline itself."""
        return self.run.baseline

    @cached_property
    def scores(self) -> pd.DataFrame:
        """One row a dataset row: row, part, group and time columns, truth, then the scored columns of the task."""
        return self._kept(self.columns)

    @cached_property
    def _read_columns(self) -> dict[str, pd.Series]:
        """Columns of `scores` that were asked for, where the table is small enough to stay in memory."""
        return {}

    def _kept(self, names: Sequence[str]) -> pd.DataFrame:
        """Columns of `scores` from memory; what was not asked for before is read. One thread: a few columns are read before a second one has begun."""
        missing = [name for name in names if name not in self._read_columns]
        if missing:
            read = pq.read_table(self.folder / "scores.parquet", columns=missing, use_threads=False).to_pandas()
            self._read_columns.update({name: read[name] for name in missing})
        kept = {name: self._read_columns[name] for name in names}
        return pd.DataFrame(kept, index=pd.RangeIndex(self.n_rows), copy=False)

    @cached_property
    def _file(self) -> ParquetRows:
        path = self.folder / "scores.parquet"
        return ParquetRows(dict.fromkeys(pq.read_schema(path).names, path))

    @property
    def n_rows(self) -> int:
        return self._file.n_rows

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of `scores`."""
        return self._file.names

    def cells(self, names: Sequence[str], rows: NDArray[np.int64] | None = None) -> pd.DataFrame:
        """Some columns of `scores`, of some rows by number or all. Of a long table only these columns are read, one at a time."""
        if self.n_rows * len(self.columns) <= KEPT_CELLS:
            found = self._kept(names)
            return found if rows is None else found.iloc[rows]
        read = (self._file.read([name])[name] for name in names)
        index = pd.RangeIndex(self.n_rows) if rows is None else pd.Index(rows)
        parts = {cells.name: (cells if rows is None else cells.iloc[rows]).set_axis(index) for cells in read}
        return pd.DataFrame(parts, index=index)

    def stretches(self, names: Sequence[str] | None = None) -> Iterator[tuple[int, pd.DataFrame]]:
        """`scores`, or some columns of it, in parts of consecutive rows: (first row, part). A short table comes whole."""
        wanted = list(self.columns if names is None else names)
        if self.n_rows * len(self.columns) <= KEPT_CELLS:
            yield 0, self._kept(wanted)
            return
        for start, stop in self._file.stretches():
            yield start, self._file.read(wanted, start, stop)

    def numbers(self, name: str, rows: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
        """A column of numbers, NaN where empty."""
        return self.cells([name], rows)[name].to_numpy(dtype=np.float64)

    @cached_property
    def parts(self) -> NDArray[np.int8]:
        """The part of each row, (n_rows,)."""
        return self.cells(["part"])["part"].to_numpy()

    @cached_property
    def group_names(self) -> tuple[NDArray[np.int64], NDArray] | None:
        """A number for the group of each row, (n_rows,), and the groups by number; None without a group column."""
        if self.group is None:
            return None
        codes, names = pd.factorize(self.cells([self.group])[self.group], use_na_sentinel=False)
        return codes, np.asarray(names)

    @cached_property
    def judged(self) -> NDArray[np.float64]:
        """Anomaly scores in the order of the dataset, (n_rows,), NaN on padded windows: what any limit is held against."""
        padded = (self.cells(["why_not"])["why_not"] == PADDED).to_numpy(dtype=bool)
        return np.where(padded, np.nan, self.numbers("score"))

    @cached_property
    def baseline_scores(self) -> pd.DataFrame | None:
        """The same rows by the baseline: truth and what was scored, without keys, parts and reasons."""
        path = self.folder / "baseline_scores.parquet"
        if not path.exists():
            return None
        names = [
            name for name in pq.read_schema(path).names if name in SCORED or name.startswith(("probability_", "prediction_"))
        ]
        return pd.read_parquet(path, columns=names)

    @cached_property
    def contributions(self) -> NDArray[np.float32] | None:
        """(n_rows, n_columns) parts of each column in the score, never negative; None for other tasks than anomaly."""
        if self.task == "forecast":  # what is odd is the column that is forecast
            return np.nan_to_num(self.numbers("score")).astype(np.float32)[:, None] if "score" in self.columns else None
        path = self.folder / "contributions.npy"
        return np.load(path, mmap_mode="r", allow_pickle=False) if path.exists() else None

    @cached_property
    def row_order(self) -> NDArray[np.int64]:
        """Row numbers (n_rows,) in group and time order."""
        from core.features.pipeline import row_order

        return row_order(self.cells([name for name in (self.group, self.time) if name is not None]), self.group, self.time)[0]

    @cached_property
    def places(self) -> RowPlaces:
        """All rows in group and time order."""
        rows, groups = self.row_order, self.group_names
        return RowPlaces(rows, rows, first_places(None if groups is None else groups[0][rows], len(rows)))

    @cached_property
    def place_of_row(self) -> NDArray[np.int64]:
        """Where each row stands in group and time order, (n_rows,)."""
        places = np.empty(self.n_rows, dtype=np.int64)
        places[self.row_order] = np.arange(self.n_rows)
        return places

    def in_order(self, rows: NDArray[np.int64]) -> RowPlaces:
        """Some rows by number, such as those of a part, in group and time order."""
        order = np.argsort(self.place_of_row[rows], kind="stable")
        groups = self.group_names
        return RowPlaces(rows[order], order, first_places(None if groups is None else groups[0][rows[order]], len(rows)))

    @cached_property
    def ordered(self) -> OrderedScores:
        """The scores of an anomaly run, or the residuals of a forecast, in group and time order, put in order once: a moved limit changes none of it."""
        rows = self.row_order
        is_file_order = bool((np.diff(rows) == 1).all())
        has_labels = "truth" in self.columns and self.task == "anomaly"
        labels = label_flags(self.cells(["truth"])["truth"].to_numpy(dtype=object)) if has_labels else None
        found = self.contributions
        return OrderedScores(
            rows=rows,
            scores=self.numbers("score")[rows],
            judged=self.judged[rows],
            parts=self.parts[rows],
            times=self.positions(rows),
            groups=self.groups(rows),
            labels=None if labels is None else labels[rows],
            contributions=None if found is None else Reordered(found, None if is_file_order else rows),
        )

    @cached_property
    def kept(self) -> dict[str, object]:
        """What views remember of these results because no threshold changes it, such as the verdict."""
        return {}

    @property
    def sensor_names(self) -> tuple[str, ...]:
        """The columns of `contributions`."""
        if self.task == "forecast":
            return (self.manifest.target_column or "",)
        features = self.manifest.pipeline["features"]["features"]
        return tuple(dict.fromkeys(row[0] for row in features))

    @property
    def group(self) -> str | None:
        """The group column of the run."""
        return self.manifest.pipeline["group"]

    @property
    def time(self) -> str | None:
        """The time column of the run."""
        return self.manifest.pipeline["time"]

    @property
    def unit(self) -> str:
        """The target's unit; for a remaining life that of the time column, or "cycles"."""
        if self.task == "rul" and self.time is not None:
            return self.dataset.column(self.time).unit or "cycles"
        return "" if self.manifest.target_column is None else self.dataset.column(self.manifest.target_column).unit

    def part_rows(self, part: str) -> NDArray[np.int64]:
        """Row numbers of "train", "validation", "test", "gap" or "all"."""
        if part == "all":
            return np.arange(self.n_rows)
        if part not in PART_NAMES:
            raise unknown_choice("part", part, (*PART_NAMES, "all"))
        return np.flatnonzero(self.parts == PART_NAMES.index(part))

    def positions(self, rows: NDArray[np.int64]) -> NDArray:
        """Times of rows, or their numbers where the run has no time column."""
        return rows if self.time is None else self.cells([self.time], rows)[self.time].to_numpy()

    def groups(self, rows: NDArray[np.int64]) -> NDArray | None:
        """Groups of rows, or None."""
        found = self.group_names
        return None if found is None else found[1][found[0][rows]]

    def blocks(self, rows: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """What is drawn together when a difference is resampled; the same as for the run's stored intervals."""
        keys = self.cells([name for name in (self.group, self.time) if name is not None])
        return resampling_blocks(rows, keys, group=self.group, time=self.time, method=self.manifest.split["method"])


def remembered(results: Results, key: str, make: Callable[[], T]) -> T:
    """What `make` gives, made once while the results are open. The last 16 things are kept: a part of a million rows takes 50 MB."""
    if key not in results.kept:
        for old in list(results.kept)[: max(0, len(results.kept) + 1 - MOST_KEPT)]:
            results.kept.pop(old, None)
        results.kept[key] = make()
    return cast(T, results.kept[key])


def open_results(ws: Workspace, run_id: str) -> Results:
    """The results of a finished run.

    Raises:
        NotEnoughData: the run has none yet.
        StoreProblem: there is no such run.
    """
    run = get_run(ws, run_id)
    if not run.has_results:
        raise NotEnoughData(
            msg("The run '{run}' has no results.", run=run.name),
            msg("Results come when its training has ended."),
            msg("Wait for it, or open another run."),
        )
    bundle = load_bundle(ws.store.path(run_id, "bundle"), check=False)
    dataset = ws.store.get_dataset(run.dataset_id, run.dataset_version, deleted=True).to_dataset()
    return Results(run, bundle.manifest, dataset, ws.store.path(run_id, "results"))
