"""What other runs said of the rows of a run's events, so that a new training does not begin without it.

Such a verdict is shown with the event, to be confirmed or changed. Until then it is nobody's verdict of this run: the event stays open,
and neither false alarms that train as normal nor challenge sets nor seeded faults take it in. (Causes are counted over all runs of a
dataset anyway, each event once.) Two tables meet in rows that have the same time, group and cells, not in row numbers: an export that
begins later or goes on longer holds the same rows at other places.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.anomalies.records import AnomalyEvent, Earlier, EarlierVerdict, Verdict
from core.data.dataset import Dataset
from core.store import RunRow
from core.workflows.results import Results, remembered
from core.workflows.similar_events import group_at
from core.workflows.verdicts import verdict_record
from core.workflows.workspace import Workspace

MOST_FOUND = 300
"""Verdicts on other tables that are looked for by their rows, the newest first: each costs the reading of its few rows."""


def with_earlier(ws: Workspace, results: Results, events: Sequence[AnomalyEvent]) -> tuple[AnomalyEvent, ...]:
    """The events with what other runs of the same task and group column said of their rows, on this table or one that shares rows with it."""
    said = earlier_verdicts(ws, results)
    if not said:
        return tuple(events)
    newest = _newest(results, said)
    found = {e.number: _of(results, e, newest) for e in events}
    holders: dict[tuple[str, int, int], list[int]] = {}
    for number, ones in found.items():
        for one in ones:
            holders.setdefault(_rows_key(one), []).append(number)
    made = []
    for event in events:
        ones = found[event.number]
        if ones:
            also = sorted({n for one in ones for n in holders[_rows_key(one)] if n != event.number})
            event = replace(event, earlier=Earlier(_of(results, event, said), ones, tuple(also)))
        made.append(event)
    return tuple(made)


def earlier_verdicts(ws: Workspace, results: Results) -> tuple[EarlierVerdict, ...]:
    """Every verdict of other runs that speaks of rows of this table, oldest first; read again when there is a new one or a run is gone."""
    key = f"earlier_verdicts.{ws.store.verdict_state()}"
    return remembered(results, key, lambda: _read(ws, results))


def _read(ws: Workspace, results: Results) -> tuple[EarlierVerdict, ...]:
    own = results.run
    given = [v for v in ws.store.list_task_verdicts(own.task) if v.run_id != own.id]
    if not given:
        return ()
    runs = {run.id: run for run in ws.store.list_runs() if run.request.get("group") == own.request.group}
    tables: dict[tuple[str, int], _OtherTable | None] = {}
    found: list[EarlierVerdict] = []
    left = MOST_FOUND
    for row in reversed(given):
        run = runs.get(row.run_id)
        if run is None:
            continue
        verdict = verdict_record(row)
        if run.dataset_id == own.dataset_id:
            found.append(EarlierVerdict(run.id, _name(run), verdict))
            continue
        place = run.dataset_id, run.dataset_version
        if place not in tables:
            tables[place] = _other_table(ws, results, run)
        table = tables[place]
        if table is not None and left > 0:
            left -= 1
            rows = table.find(results, verdict)
            if len(rows):
                moved = replace(verdict, first_row=int(rows.min()), last_row=int(rows.max()))
                found.append(EarlierVerdict(run.id, _name(run), moved, table.dataset.name))
    return tuple(reversed(found))


def _name(run: RunRow) -> str:
    """A run that the command line trained has no name: its family and number tell it from others."""
    return run.name or f"{run.model} {run.number}"


class _OtherTable:
    """Another dataset with the same columns, in which rows of this one are looked for."""

    def __init__(self, dataset: Dataset, results: Results) -> None:
        self.dataset = dataset
        # Labels may have been put right between two exports; what was measured was not.
        self.names = [
            c.name for c in results.dataset.columns if c.role != "target" and c.name != results.manifest.target_column
        ]
        self.is_same_file = dataset.sha256 == results.dataset.sha256

    def find(self, results: Results, verdict: Verdict) -> NDArray[np.int64]:
        """The rows of this run's table that are those of the verdict: same time, same group, same cells."""
        if self.is_same_file:
            return np.arange(verdict.first_row, verdict.last_row + 1)
        then = self.dataset.table(self.names, verdict.first_row, verdict.last_row + 1)
        if results.group is not None:
            then = then[then[results.group].astype(str) == str(then[results.group].iloc[0])]
        times, now = then[results.time].dropna().to_numpy(), results.ordered
        if not len(times):
            return np.zeros(0, np.int64)
        inside = (now.times >= times.min()) & (now.times <= times.max())
        rows = np.sort(now.rows[inside])
        if not len(rows):
            return rows
        here = results.dataset.table(self.names, int(rows[0]), int(rows[-1]) + 1).iloc[rows - rows[0]]
        return rows[np.isin(_digests(here), _digests(then))]


def _digests(table: pd.DataFrame) -> NDArray[np.uint64]:
    return pd.util.hash_pandas_object(table, index=False).to_numpy()


def _other_table(ws: Workspace, results: Results, run: RunRow) -> _OtherTable | None:
    """The table of another run, if its rows can be told apart and found again here: same columns, and a time or the same file."""
    row = ws.store.get_dataset(run.dataset_id, run.dataset_version, deleted=True)
    if row.is_damaged:
        return None
    dataset = row.to_dataset()
    if {(c.name, c.kind) for c in dataset.columns} != {(c.name, c.kind) for c in results.dataset.columns}:
        return None
    other = _OtherTable(dataset, results)
    return other if other.is_same_file or results.time is not None else None


def _newest(results: Results, said: Sequence[EarlierVerdict]) -> tuple[EarlierVerdict, ...]:
    """Of verdicts that overlap each other in rows of one group only the newest, oldest first."""
    kept: list[EarlierVerdict] = []
    for one in reversed(said):
        group = group_at(results, one.verdict.first_row)
        if not any(_overlap(k.verdict, one.verdict) and group_at(results, k.verdict.first_row) == group for k in kept):
            kept.append(one)
    return tuple(reversed(kept))


def _of(results: Results, event: AnomalyEvent, said: Iterable[EarlierVerdict]) -> tuple[EarlierVerdict, ...]:
    over = (one for one in said if _overlap(one.verdict, event))
    return tuple(one for one in over if group_at(results, one.verdict.first_row) == event.group)


def _overlap(one: Verdict, other: Verdict | AnomalyEvent) -> bool:
    return one.first_row <= other.last_row and one.last_row >= other.first_row


def _rows_key(one: EarlierVerdict) -> tuple[str, int, int]:
    return one.run_id, one.verdict.first_row, one.verdict.last_row
