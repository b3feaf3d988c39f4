"""Stretches of a run's held-out normal rows, each with its history, as one table that faults can be put into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.anomalies.alarm_logic import AlarmLogic
from core.anomalies.seeding import FaultKind, draw_stretches, with_common_fault
from core.data.rows import take_rows
from core.data.split import TEST, TRAIN, VALIDATION
from core.errors import NotEnoughData
from core.features import Pipeline
from core.messages import Message, msg, msg_n
from core.serving import Bundle
from core.serving.pieces import PIECE, decide_pieces, judged_scores, piece_pipeline, rows_around, rows_before
from core.spc.serial import block_length
from core.workflows.results import Results
from core.workflows.similar_events import group_at, newest_by_rows, rows_of
from core.workflows.verdicts import list_verdicts
from core.workflows.workspace import Workspace

FEWEST_STRETCHES = 5


@dataclass(frozen=True, slots=True)
class Usable:
    """Rows that stretches may be drawn from, in order of group and time.

    `rows` (n,) row numbers, `mask` (n,) normal rows of the parts in `parts`, `first` (n,) the first row of the group of each.
    """

    rows: NDArray[np.int64]
    mask: NDArray[np.bool_]
    first: NDArray[np.int64]
    parts: tuple[int, ...]
    notes: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Pieces:
    """`n` stretches of `length` rows. `table` holds them one after another, each with `before` rows of history and `after` more.

    `starts` (n,) are the row numbers of their first rows; `first` (n,) the places of these in the table. `pipeline` is that of the bundle for pieces.
    """

    bundle: Bundle
    pipeline: Pipeline
    table: pd.DataFrame
    starts: NDArray[np.int64]
    first: NDArray[np.int64]
    length: int
    parts: tuple[int, ...]
    notes: tuple[Message, ...]

    @property
    def n(self) -> int:
        return len(self.first)

    def bounds(self, piece: int) -> tuple[int, int]:
        """Where a piece begins and ends in the table."""
        numbers = self.table[PIECE].to_numpy()
        return int(np.searchsorted(numbers, piece)), int(np.searchsorted(numbers, piece, side="right"))

    def scores(self, table: pd.DataFrame, logic: AlarmLogic) -> NDArray[np.float64]:
        """The scores of all stretches in a table like this one, (n, logic.n − 1 + length), with those that the logic looks back at."""
        at = self.first[:, None] + np.arange(1 - logic.n, self.length)
        wanted = np.zeros(len(table), dtype=bool)
        wanted[at] = True
        return judged_scores(decide_pieces(self.bundle, self.pipeline, table, wanted))[at]

    def seeded(self, fault: Fault, seed: int, others: NDArray[np.float64] | None, block: int) -> pd.DataFrame:
        """The table with a fault in each stretch.

        Args:
            others: (m, s) values of its sensors in normal rows.
        """
        names = list(fault.sensors)
        values = self.table[names].to_numpy(dtype=np.float64, na_value=np.nan).copy()
        sizes = np.array(fault.sizes)
        signs = np.random.default_rng((seed, 1)).permutation(np.where(np.arange(self.n) % 2, -1.0, 1.0))
        edges = np.searchsorted(self.table[PIECE].to_numpy(), np.arange(self.n + 1))
        for piece, (low, high) in enumerate(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)):
            start = int(self.first[piece])
            sign = signs[piece] if fault.direction == "both" else -1.0 if fault.direction == "down" else 1.0
            values[low:high] = with_common_fault(
                fault.kind,
                values[low:high],
                start - low,
                start - low + self.length,
                sizes * (sign if fault.kind in ("step", "drift", "spike") else 1.0),
                seed=(seed, 2, piece),
                others=others,
                block=block,
            )
        return self.table.assign(**{name: values[:, j] for j, name in enumerate(names)})


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault in the same rows of one or more sensors, with the size in each (0 where it has none)."""

    kind: FaultKind
    sensors: tuple[str, ...]
    sizes: tuple[float, ...]
    direction: str = "both"


def usable_rows(ws: Workspace, results: Results, part: str = "held_out") -> Usable:
    """Normal rows that the model has not learned from: not labelled bad, and not in an event that a person called real.

    Args:
        part: "held_out" for all such rows, "validation" or "test" for one part.

    Rows of training stand in where nothing is held out; a note says so.
    """
    given = results.ordered
    seen = _has_learned_validation(results)
    parts: tuple[int, ...] = {"validation": (VALIDATION,), "test": (TEST,)}.get(part, (TEST,) if seen else (VALIDATION, TEST))
    notes: list[Message] = []
    if not np.isin(given.parts, parts).any():
        parts = (TRAIN,)
        notes.append(msg("No row is held out: the stretches are rows that the model was trained on, which it finds too usual."))
    mask = np.isin(given.parts, parts)
    bad = np.zeros(len(mask), dtype=bool) if given.labels is None else given.labels == 1
    for verdict in newest_by_rows(results, list_verdicts(ws, results.run.id)):
        if verdict.is_bad:
            own = rows_of(results, verdict.first_row, verdict.last_row, group_at(results, verdict.first_row))
            bad |= np.isin(given.rows, own)
    n_bad = int((mask & bad).sum())
    if n_bad:
        notes.append(msg_n("{n} row is left out as known to be bad.", "{n} rows are left out as known to be bad.", n_bad))
    return Usable(given.rows, mask & ~bad, results.places.first, parts, tuple(notes))


def cut_pieces(
    results: Results, bundle: Bundle, usable: Usable, *, length: int, n: int, look_back: int, seed: int, lag: int = 0
) -> Pieces:
    """Draw the stretches and read their rows.

    Args:
        length: Rows of a stretch.
        n: Stretches that are asked for.
        look_back: Earlier scores that the alarm logic looks at.
        lag: Rows of history beyond what the model needs, so that a sensor can lag by as many.

    Raises:
        NotEnoughData: fewer than 5 stretches fit into the normal rows.
    """
    pipeline = piece_pipeline(bundle)
    around = rows_around(pipeline)
    needed = rows_before(pipeline) + look_back
    starts = draw_stretches(usable.mask, usable.first, before=needed, length=length, n=n, seed=seed, apart=pipeline.width)
    if len(starts) < FEWEST_STRETCHES:
        raise NotEnoughData(
            msg_n(
                "{n} stretch of {length} normal held-out rows in a row is there.",
                "{n} stretches of {length} normal held-out rows in a row are there.",
                len(starts),
                length=length,
            ),
            msg("Expected {n} or more, each with {before} rows of its group before it.", n=FEWEST_STRETCHES, before=needed),
            msg("Choose a shorter length, or a run with a larger validation or test part."),
        )
    ends = np.append(usable.first[np.flatnonzero(np.diff(usable.first, prepend=-1))][1:], len(usable.rows))
    places: list[NDArray[np.int64]] = []
    pieces: list[NDArray[np.int64]] = []
    first: list[int] = []
    for piece, start in enumerate(starts.tolist()):
        low = max(int(usable.first[start]), start - needed - around - lag)
        high = min(int(ends[np.searchsorted(ends, start, side="right")]), start + length + around)
        first.append(sum(len(earlier) for earlier in places) + start - low)
        places.append(np.arange(low, high))
        pieces.append(np.full(high - low, piece))
    rows = usable.rows[np.concatenate(places)]
    wanted = np.unique(rows)
    table = take_rows(results.dataset.rows(), wanted).iloc[np.searchsorted(wanted, rows)].reset_index(drop=True)
    return Pieces(
        bundle,
        pipeline,
        table.assign(**{PIECE: np.concatenate(pieces)}),
        usable.rows[starts],
        np.array(first, dtype=np.int64),
        length,
        usable.parts,
        usable.notes,
    )


@dataclass(frozen=True, slots=True)
class NormalValues:
    """Sensors in usable rows in order, (m, s); the rows after which all have forgotten; the standard deviation of each in the training part, (s,)."""

    values: NDArray[np.float64]
    block: int
    sigmas: tuple[float, ...]


def normal_values(results: Results, usable: Usable, sensors: Sequence[str]) -> NormalValues:
    """What faults in these sensors are made of and measured by."""
    found = [_normal_of(results, usable, sensor) for sensor in sensors]
    return NormalValues(
        np.column_stack([v for v, _ in found]), max(block_length(v) for v, _ in found), tuple(s for _, s in found)
    )


def _normal_of(results: Results, usable: Usable, sensor: str) -> tuple[NDArray[np.float64], float]:
    values = results.dataset.rows([sensor]).read()[sensor].to_numpy(dtype=np.float64, na_value=np.nan)
    given = results.ordered
    train = values[given.rows[(given.parts == TRAIN) & (True if given.labels is None else given.labels != 1)]]
    train = train[np.isfinite(train)]
    return values[usable.rows[usable.mask]], float(train.std(ddof=1)) if len(train) > 1 else 0.0


def _has_learned_validation(results: Results) -> bool:
    """Whether the last fit took the validation rows in."""
    told = [results.manifest.training, *(member.training for member in results.manifest.members)]
    return any("last_fit_rows" in facts for facts in told)
