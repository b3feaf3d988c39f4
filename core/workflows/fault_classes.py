"""From events with a known cause to a classifier of causes: the cases, the labelled dataset, and its training.

A case is an event, in this run or another one of the dataset, whose newest verdict names a cause. Its rows become rows of that class, and
stretches of normal rows as long as a usual event become the class "normal". Every event and every normal stretch is a group of its own, and
the split is by group, so that no event lies in two parts. Rows unlike all classes are called so by the classifier (`core.serving.unknown`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.anomalies.records import NEEDS_CAUSE, Verdict
from core.data.dataset import Column, Dataset
from core.data.findings import Finding
from core.data.split import GAP
from core.durable import sha256_of
from core.errors import NotEnoughData, SettingProblem
from core.messages import Message, msg, msg_n
from core.store import new_id
from core.training.request import TrainRequest
from core.workflows.anomalies import AnomalyView
from core.workflows.datasets import checked_name
from core.workflows.importing import kept_whole
from core.workflows.privacy import delete_with_everything
from core.workflows.records import Run
from core.workflows.results import Results
from core.workflows.similar_events import group_at, newest_by_rows, rows_of
from core.workflows.training import find_started, list_runs, start_training
from core.workflows.verdicts import list_verdicts
from core.workflows.workspace import Workspace

FEWEST_CASES = 5
"""Cases of one cause that make a classifier worth training."""
FEWEST_BESIDE = 3
"""Cases that every further cause needs: one in each part of the split."""
NORMAL = "normal"
NORMAL_TIMES = 2
"""Normal stretches for each event."""
FEWEST_NORMAL = 10


@dataclass(frozen=True, slots=True)
class Case:
    """An event with a known cause: its rows, `first_row` to `last_row` of a group."""

    first_row: int
    last_row: int
    group: str


@dataclass(frozen=True, slots=True)
class CauseCases:
    """A cause as it was written first, and its cases. `is_taken`: it has enough of them to be a class."""

    cause: str
    cases: tuple[Case, ...]

    @property
    def is_taken(self) -> bool:
        return len(self.cases) >= FEWEST_BESIDE


@dataclass(frozen=True, slots=True)
class FaultClasses:
    """The causes of a dataset's events, that with most cases first, and why they are not enough to learn from (None: they are)."""

    causes: tuple[CauseCases, ...]
    why_not: Message | None

    @property
    def taken(self) -> tuple[CauseCases, ...]:
        return tuple(c for c in self.causes if c.is_taken)

    @property
    def left_out(self) -> tuple[CauseCases, ...]:
        return tuple(c for c in self.causes if not c.is_taken)


def fault_classes(ws: Workspace, results: Results) -> FaultClasses:
    """The cases of each cause, over all runs of the dataset with the same group column; what two runs flagged counts once."""
    verdicts = [v for run in reversed(_runs(ws, results)) for v in list_verdicts(ws, run.id)]
    newest = newest_by_rows(results, sorted(verdicts, key=lambda v: v.created))
    found: dict[str, list[Case]] = {}
    titles: dict[str, str] = {}
    for verdict in newest:
        if verdict.verdict not in NEEDS_CAUSE or not verdict.cause.strip():
            continue
        key = " ".join(verdict.cause.split()).casefold()
        titles.setdefault(key, " ".join(verdict.cause.split()))
        found.setdefault(key, []).append(_case(results, verdict))
    ranked = sorted(found, key=lambda key: (-len(found[key]), key))
    causes = tuple(CauseCases(titles[key], tuple(found[key])) for key in ranked)
    return FaultClasses(causes, _why_not(causes))


def train_fault_classes(
    ws: Workspace, results: Results, view: AnomalyView, *, model: str = "auto", token: str | None = None
) -> Run:
    """Make the labelled dataset and start the classification of it; what is refused leaves no dataset behind.

    Args:
        view: The events of the run, which no normal row may lie in.
        token: The same one gives the same run and dataset, while that run has not failed or been deleted.

    Raises:
        NotEnoughData: no cause has 5 cases, or there is only one cause with enough of them; or no normal stretch is left.
        SettingProblem: a cause is called "normal".
    """
    classes = fault_classes(ws, results)
    if classes.why_not is not None:
        raise NotEnoughData(
            classes.why_not,
            msg("Expected {n} cases of one cause and {m} of a second one.", n=FEWEST_CASES, m=FEWEST_BESIDE),
            msg("Give events the verdict 'assignable cause' with their cause, in the same words for the same cause."),
        )
    started = None if token is None else find_started(ws, token)
    if started is not None:
        return started
    dataset, cause, event = cause_dataset(ws, results, view, classes)
    request = TrainRequest.read(
        {
            "dataset_id": dataset.id,
            "dataset_version": dataset.version,
            "task": "classification",
            "model": model,
            "target": cause,
            "group": event,
            "split": {"method": "group"},
            "seed": results.run.request.seed,
            "name": dataset.name,
        }
    )
    try:
        run = start_training(ws, request, token=token)
    except BaseException:
        delete_with_everything(ws, dataset.id)
        raise
    if run.dataset_id != dataset.id:  # another click came first
        delete_with_everything(ws, dataset.id)
    return run


def cause_dataset(ws: Workspace, results: Results, view: AnomalyView, classes: FaultClasses) -> tuple[Dataset, str, str]:
    """The dataset of events with their cause, and the names of its columns of the cause and of the event.

    The label of the table is left out, for it would give the cause away; a column of machines or lots stays, ignored.
    """
    rows, causes, events = _labelled(results, view, classes.taken)
    source = results.dataset
    names = [c.name for c in source.columns]
    cause, event = _free("cause", names), _free("event", names)
    kept = [c for c in source.columns if c.role != "target" and c.name != results.manifest.target_column]
    columns = [replace(c, role="ignore") if c.role == "group" or c.name == results.group else c for c in kept]
    table = source.table([c.name for c in kept]).iloc[rows].reset_index(drop=True)
    table[cause], table[event] = causes, events
    columns += [Column(cause, "text", "target"), Column(event, "text", "group")]
    note = _note(classes, len(set(events)), rows)
    origin = {
        "operation": "causes",
        "settings": {"causes": [c.cause for c in classes.taken], "run": results.run.id},
        "parents": [{"id": source.id, "version": source.version, "name": source.name, "sha256": source.sha256}],
        "n_before": source.n_rows,
        "unit": "",
        "notes": [note.to_json()],
    }
    dataset_id = new_id()
    with ws.store.scratch() as folder:
        target = folder / "table.parquet"
        table.to_parquet(target, index=False)
        with kept_whole(ws, dataset_id):
            digest = sha256_of(target)
            ws.store.adopt_file(target, ws.store.path(dataset_id, "parquet"))
            made = ws.store.add_dataset(
                dataset_id,
                checked_name(f"{source.name} causes"),
                n_rows=len(table),
                columns=columns,
                sha256=digest,
                options={"origin": origin},
                findings=[Finding("shaped", note, severity="info").to_json()],
            )
    return made.to_dataset(), cause, event


def _labelled(
    results: Results, view: AnomalyView, taken: Sequence[CauseCases]
) -> tuple[NDArray[np.int64], list[str], list[str]]:
    """Row numbers with their class and their event, events first."""
    if any(c.cause.casefold() == NORMAL for c in taken):
        raise SettingProblem(
            msg("A cause is called '{cause}'.", cause=NORMAL),
            msg("That word stands for the rows without a fault."),
            msg("Give the cause another name in the verdicts."),
        )
    spans, causes, events = [], [], []
    for one in taken:
        for number, case in enumerate(one.cases, start=1):
            rows = rows_of(results, case.first_row, case.last_row, case.group)
            spans.append(rows)
            causes += [one.cause] * len(rows)
            events += [f"{one.cause} {number}"] * len(rows)
    usual = max(1, int(np.median([len(rows) for rows in spans])))
    wanted = max(FEWEST_NORMAL, NORMAL_TIMES * len(spans))
    for number, rows in enumerate(_normal_stretches(results, view, spans, usual, wanted), start=1):
        spans.append(rows)
        causes += [NORMAL] * len(rows)
        events += [f"{NORMAL} {number}"] * len(rows)
    return np.concatenate(spans), causes, events


def _normal_stretches(
    results: Results, view: AnomalyView, spans: Sequence[NDArray[np.int64]], length: int, wanted: int
) -> list[NDArray[np.int64]]:
    """Stretches of rows that follow each other and are a window away from every flag and every case, evenly spread."""
    reach = int(results.manifest.pipeline["width"])
    odd = view.flags.copy()
    of_case = np.zeros(results.n_rows, dtype=bool)
    of_case[np.concatenate(spans)] = True
    odd |= of_case[view.rows]
    near = np.convolve(odd, np.ones(2 * reach + 1), "same") > 0 if len(odd) > 2 * reach + 1 else odd
    free = ~near & np.isfinite(view.scores) & (view.parts != GAP)
    codes = np.zeros(len(free), np.int64) if view.groups is None else pd.factorize(view.groups.astype(str))[0]
    breaks = np.flatnonzero((np.diff(free.astype(np.int8)) != 0) | (np.diff(codes) != 0)) + 1
    found: list[NDArray[np.int64]] = []
    for places in np.split(np.arange(len(free)), breaks):
        if free[places[0]]:
            found += [view.rows[places[i : i + length]] for i in range(0, len(places) - length + 1, length)]
    if len(found) < FEWEST_BESIDE:
        raise NotEnoughData(
            msg_n(
                "There is {n} normal stretch of {rows} rows.",
                "There are {n} normal stretches of {rows} rows.",
                len(found),
                rows=length,
            ),
            msg("Expected at least {n}, one in each part of the split.", n=FEWEST_BESIDE),
            msg("Raise the decision limit, so that fewer rows are flagged, and try again."),
        )
    chosen = np.unique(np.linspace(0, len(found) - 1, min(wanted, len(found))).round().astype(np.int64))
    return [found[i] for i in chosen]


def _runs(ws: Workspace, results: Results) -> list[Run]:
    """The runs whose verdicts count, newest first: of the same dataset, with results, and with the same groups."""
    runs = [r for r in list_runs(ws, results.run.dataset_id) if r.has_results and r.task == results.task]
    return [r for r in runs if r.id == results.run.id or r.request.group == results.run.request.group]


def _case(results: Results, verdict: Verdict) -> Case:
    return Case(verdict.first_row, verdict.last_row, group_at(results, verdict.first_row))


def _why_not(causes: Sequence[CauseCases]) -> Message | None:
    most = max((len(c.cases) for c in causes), default=0)
    if most < FEWEST_CASES:
        return msg_n(
            "The most frequent cause has {n} case, too few to train a classifier of faults.",
            "The most frequent cause has {n} cases, too few to train a classifier of faults.",
            most,
        )
    if sum(c.is_taken for c in causes) < 2:
        return msg("Only the cause '{cause}' has enough cases: there is nothing to tell it from.", cause=causes[0].cause)
    return None


def _note(classes: FaultClasses, n_groups: int, rows: NDArray[np.int64]) -> Message:
    counted = ", ".join(f"{c.cause} {len(c.cases)}" for c in classes.taken)
    if not classes.left_out:
        return msg("Cases: {cases}. {rows} rows in {n} stretches.", cases=counted, rows=len(rows), n=n_groups)
    return msg(
        "Cases: {cases}. {rows} rows in {n} stretches. Left out with too few cases: {left}.",
        cases=counted,
        rows=len(rows),
        n=n_groups,
        left=", ".join(c.cause for c in classes.left_out),
    )


def _free(name: str, taken: Sequence[str]) -> str:
    """The name, with a number behind it where a column has it already."""
    found, number = name, 2
    while found in taken:
        found, number = f"{name} {number}", number + 1
    return found
