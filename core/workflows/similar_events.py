"""Past events that look like one event, in its run and in other runs of the same dataset, with what was said of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.anomalies.events import sensor_shares
from core.anomalies.records import AnomalyEvent, Verdict
from core.anomalies.similar import ALIKE, Signature, likeness
from core.workflows.results import Results, open_results
from core.workflows.training import list_runs
from core.workflows.verdicts import list_verdicts
from core.workflows.workspace import Workspace

MOST_EVENTS, MOST_OTHERS = 200, 20
MOST_SHOWN = 5
MOST_CELLS = 50_000_000
LEADING = 10
"""Sensors whose deviations are looked at where the table is too long to read all columns for a list."""


@dataclass(frozen=True, slots=True)
class PastEvent:
    """An event that was looked at before: of this run (`number`), or of another one, known there by its verdict (`number` None)."""

    run_id: str
    run_name: str
    number: int | None
    first_row: int
    last_row: int
    group: str
    began: Any
    verdict: Verdict | None
    signature: Signature


@dataclass(frozen=True, slots=True)
class SimilarEvent:
    """A past event and how alike it is, −1 to 1."""

    past: PastEvent
    likeness: float


@dataclass(frozen=True, slots=True)
class SimilarEvents:
    """Those at or above the bar, most alike first; `nearest` is the best of all, None where there is no other event.

    `same` are the event itself as other runs of the dataset flagged it, with what was said of it there.
    """

    found: tuple[SimilarEvent, ...]
    nearest: SimilarEvent | None
    n_compared: int
    same: tuple[PastEvent, ...] = ()
    bar: float = ALIKE


def past_events(ws: Workspace, results: Results, events: Sequence[AnomalyEvent]) -> tuple[PastEvent, ...]:
    """The events of a run, the 200 most severe, and those of other runs of its dataset that have a verdict, each with its signature.

    Args:
        events: Those of the run, at the decision limit that is looked at.
    """
    own = list(events[:MOST_EVENTS])
    spans = [rows_of(results, e.first_row, e.last_row, e.group) for e in own]
    away = _away(results, spans, own)
    found = [
        PastEvent(
            results.run.id,
            results.run.name,
            event.number,
            event.first_row,
            event.last_row,
            event.group,
            event.began,
            event.verdict,
            Signature(away[i], {s.column: s.share for s in event.sensors}),
        )
        for i, event in enumerate(own)
    ]
    for run in _other_runs(ws, results):
        found += _of_other(ws, results, run.id)
    return tuple(found)


def similar_events(past: Sequence[PastEvent], run_id: str, event: AnomalyEvent) -> SimilarEvents:
    """The events most like one of a run. What overlaps it in the same rows is the same event, and not a past one."""
    own = next((p for p in past if p.run_id == run_id and p.number == event.number), None)
    if own is None:
        return SimilarEvents((), None, 0)
    others = [p for p in past if p is not own and not _is_same(p, own, run_id)]
    compared = [(p, likeness(own.signature, p.signature)) for p in others]
    ranked = sorted((SimilarEvent(p, v) for p, v in compared if v is not None), key=lambda s: -s.likeness)
    return SimilarEvents(
        tuple(s for s in ranked if s.likeness >= ALIKE)[:MOST_SHOWN],
        ranked[0] if ranked else None,
        len(ranked),
        tuple(p for p in past if p is not own and _is_same(p, own, run_id)),
    )


def _is_same(one: PastEvent, own: PastEvent, run_id: str) -> bool:
    overlap = one.first_row <= own.last_row and one.last_row >= own.first_row
    return one.run_id != run_id and one.group == own.group and overlap


def _other_runs(ws: Workspace, results: Results) -> list[Any]:
    own = results.run
    runs = [r for r in list_runs(ws, own.dataset_id) if r.id != own.id and r.has_results and r.task == own.task]
    return runs[:MOST_OTHERS]


def _of_other(ws: Workspace, results: Results, run_id: str) -> list[PastEvent]:
    """The rows that have a verdict in another run, each stretch once with its newest."""
    given = list_verdicts(ws, run_id)
    if not given:
        return []
    other = open_results(ws, run_id)
    newest = newest_by_rows(other, given)
    spans = [rows_of(other, v.first_row, v.last_row, group_at(other, v.first_row)) for v in newest]
    away = _away(results, spans, ())
    parts, names = other.contributions, other.sensor_names
    found = []
    for verdict, rows, deviations in zip(newest, spans, away, strict=True):
        shares = () if parts is None else sensor_shares(np.asarray(parts[rows]), names)
        began = other.positions(rows[:1])[0] if other.time is not None else int(rows[0])
        signature, group = Signature(deviations, {s.column: s.share for s in shares}), group_at(other, verdict.first_row)
        found.append(
            PastEvent(run_id, other.run.name, None, verdict.first_row, verdict.last_row, group, began, verdict, signature)
        )
    return found


def newest_by_rows(results: Results, verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """Of verdicts that overlap each other in rows of one group only the newest, oldest first."""
    kept: list[Verdict] = []
    for verdict in reversed(verdicts):
        overlapping = (k for k in kept if verdict.first_row <= k.last_row and verdict.last_row >= k.first_row)
        if not any(group_at(results, k.first_row) == group_at(results, verdict.first_row) for k in overlapping):
            kept.append(verdict)
    return tuple(reversed(kept))


def group_at(results: Results, row: int) -> str:
    """The group of a row, "" without a group column."""
    if results.group_names is None:
        return ""
    codes, names = results.group_names
    return str(names[codes[row]])


def rows_of(results: Results, first: int, last: int, group: str) -> NDArray[np.int64]:
    """Row numbers from `first` to `last`, those of the group where there is one."""
    rows = np.arange(first, min(last, results.n_rows - 1) + 1)
    if results.group_names is None:
        return rows
    codes, names = results.group_names
    return rows[names[codes[rows]].astype(str) == group]


def _away(results: Results, spans: Sequence[NDArray[np.int64]], events: Sequence[AnomalyEvent]) -> list[dict[str, float]]:
    """The mean deviation of each span in half widths of the normal band, by column; column by column, each read once."""
    facts = [c for c in results.manifest.columns if c.low is not None and c.high is not None and c.role != "target"]
    if results.n_rows * len(facts) > MOST_CELLS:
        leading = {s.column for e in events for s in e.sensors[:LEADING]}
        facts = [c for c in facts if c.name in leading] or facts[:LEADING]
    found: list[dict[str, float]] = [{} for _ in spans]
    for column in facts if spans else ():
        low, high = float(column.low or 0.0), float(column.high or 0.0)
        values = results.dataset.table([column.name])[column.name].to_numpy(dtype=np.float64)
        half = (high - low) / 2 or max(abs(high), 1.0) * 1e-3
        for i, rows in enumerate(spans):
            known = values[rows][np.isfinite(values[rows])]
            if len(known):
                found[i][column.name] = float((known.mean() - (low + high) / 2) / half)
    return found
