"""Likely wrong labels of a classification run, judged on rows that it had not seen, and blind answers of people on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.rows import take_rows
from core.data.split import TEST, VALIDATION
from core.errors import NotEnoughData, SettingProblem, unknown_choice
from core.evaluation.bootstrap import wilson_bounds
from core.evaluation.label_problems import LabelProblems, label_problems
from core.messages import Message, msg, msg_n
from core.settings import Settings, setting
from core.spc.individuals import NotDefined
from core.spc.kappa import Kappa, cohen_kappa
from core.workflows.csv_out import write_csv, write_csv_parts
from core.workflows.people import signed
from core.workflows.results import Results, remembered
from core.workflows.workspace import Workspace

NEIGHBOURS = 3
FEWEST_ROWS = 20
FEWEST_ANSWERS = 10
"""Below so many answered suspicions no share is told: at a half, Wilson's 95 % interval spans more than half of all shares."""


class LabelSettings(Settings):
    """Which labels are asked about."""

    most: int = setting(
        50, title="Suspected rows at most", help="Of the likely problems so many are asked about.", ge=1, le=5_000, expert=False
    )
    controls: bool = setting(
        True,
        title="Unsuspected rows between",
        help="As many rows without a suspicion, mixed in, so that nobody knows which is which.",
    )
    seed: int = setting(7, title="Seed", help="Order of the rows and which unsuspected ones.", ge=0)


@dataclass(frozen=True, slots=True)
class LabelProblem:
    """A row whose label is likely wrong: what it is labelled, what it is counted for, and how sure the model is of its label."""

    row: int
    label: str
    suggested: str
    self_confidence: float
    margin: float


@dataclass(frozen=True, slots=True)
class LabelView:
    """Likely problems of a run, the smallest margin first. `rows` (n,) are the rows that were judged, ascending, `labels` (n,) the places of
    their labels among `classes`; `part_counts` how many of each part.
    """

    run_id: str
    target: str
    classes: tuple[str, ...]
    rows: NDArray[np.int64]
    labels: NDArray[np.int64]
    found: LabelProblems
    problems: tuple[LabelProblem, ...]
    part_counts: Mapping[str, int]
    notes: tuple[Message, ...]

    def label_of(self, row: int) -> str | None:
        """What a row is labelled; None for one that was not judged."""
        place = int(np.searchsorted(self.rows, row))
        is_judged = place < len(self.rows) and self.rows[place] == row
        return self.classes[self.labels[place]] if is_judged else None

    @property
    def headline(self) -> Message:
        if not self.problems:
            return msg("No label of the judged rows is likely wrong")
        return msg_n(
            "{n} label is likely wrong; {percent} % of all are estimated to be",
            "{n} labels are likely wrong; {percent} % of all are estimated to be",
            len(self.problems),
            percent=round(100 * self.found.share, 1),
        )


@dataclass(frozen=True, slots=True)
class Relabelling:
    """What people answered so far. `queue` are the rows that are asked about, in order; `answers` the newest answer of each row.

    `n_suspected` of the queue are likely problems, of `n_found` in all, the others lie between. `suspected` (agree with the suggestion, with the label, asked) speaks of
    likely problems, `unsuspected` (with the label, asked) of rows mixed in between. `seen` are rows whose answer was taken back: who answers them
    again has seen the label, so that they are no longer blind and count in no agreement.
    `kappa` is the agreement of answers and labels over all blindly answered rows beyond chance, or why there is none.
    """

    queue: tuple[int, ...]
    n_suspected: int
    n_found: int
    answers: Mapping[int, str]
    seen: frozenset[int]
    suspected: tuple[int, int, int]
    unsuspected: tuple[int, int]
    kappa: Kappa | NotDefined

    @property
    def sentence(self) -> Message:
        """How many rows are asked about, and why so many."""
        return msg_n(
            "{n} row is asked about: {suspected} suspected of {found} that were found, and {calm} unsuspected between",
            "{n} rows are asked about: {suspected} suspected of {found} that were found, and {calm} unsuspected between",
            len(self.queue),
            suspected=self.n_suspected,
            found=self.n_found,
            calm=len(self.queue) - self.n_suspected,
        )

    @property
    def waiting(self) -> tuple[int, ...]:
        """Rows without an answer."""
        return tuple(row for row in self.queue if row not in self.answers)

    @property
    def is_few(self) -> bool:
        """Whether too few suspicions are answered to tell the share of those that were right."""
        return self.suspected[2] < FEWEST_ANSWERS

    @property
    def n_confirmed(self) -> int:
        """Answered suspicions in which the person did not give the label."""
        return self.suspected[2] - self.suspected[1]

    @property
    def confirmed(self) -> tuple[float | None, float | None, float | None]:
        """Share of answered suspicions in which the person did not give the label, with Wilson's interval; None without an answer."""
        asked = self.suspected[2]
        low, high = wilson_bounds(self.n_confirmed, asked)
        return (None, None, None) if not asked else (self.n_confirmed / asked, low, high)

    @property
    def told(self) -> Message:
        """How many suspicions were right so far: counts with Wilson's interval, and where there are too few that there are."""
        share, low, high = self.confirmed
        if share is None or low is None or high is None:
            return msg("no suspicion is answered yet")
        said = msg(
            "{n} of {of} answered suspicions confirmed, 95 % interval {low} to {high}",
            n=self.n_confirmed,
            of=self.suspected[2],
            low=f"{low:.0%}",
            high=f"{high:.0%}",
        )
        return msg("{said}: too few below {fewest}", said=said, fewest=FEWEST_ANSWERS) if self.is_few else said


def label_view(results: Results) -> LabelView:
    """The likely label problems of the validation and test rows of a run, found once while its results are open.

    Raises:
        SettingProblem: the run does not predict classes.
        NotEnoughData: fewer than 20 such rows have a label and probabilities.
    """
    if results.task != "classification":
        raise SettingProblem(
            msg("The run '{run}' answers another question ({task}).", run=results.run.name, task=results.task),
            msg("Labels are judged where a run predicts a class."),
            msg("Open another run."),
        )
    return remembered(results, "labels", lambda: _label_view(results))


def _label_view(results: Results) -> LabelView:
    classes = tuple((results.manifest.target or {})["classes"])
    truth = results.cells(["truth"])["truth"]
    codes = pd.Categorical(truth.astype("str"), categories=list(classes)).codes.astype(np.int64)
    codes[truth.isna().to_numpy()] = -1
    chances = np.stack([results.numbers(f"probability_{name}") for name in classes], axis=1)
    held = np.isin(results.parts, (VALIDATION, TEST)) & (codes >= 0) & np.isfinite(chances).all(axis=1)
    rows = np.flatnonzero(held)
    if len(rows) < FEWEST_ROWS:
        raise NotEnoughData(
            msg("{n} held-out rows have a label and probabilities.", n=len(rows)),
            msg("Expected {n} or more.", n=FEWEST_ROWS),
            msg("Choose a run with a larger validation or test part."),
        )
    found = label_problems(codes[rows], chances[rows])
    problems = tuple(
        LabelProblem(
            int(rows[i]),
            classes[codes[rows[i]]],
            classes[found.counted[i]],
            float(found.self_confidence[i]),
            float(found.margin[i]),
        )
        for i in found.order
    )
    counts = {name: int((results.parts[rows] == part).sum()) for name, part in (("validation", VALIDATION), ("test", TEST))}
    note = msg(
        "Only rows that the model was not fitted on are judged: {validation} of the validation part and {test} of the test part.",
        **counts,
    )
    target = str(results.manifest.target_column)
    return LabelView(results.run.id, target, classes, rows, codes[rows], found, problems, counts, (note,))


def relabelling(ws: Workspace, results: Results, view: LabelView, settings: LabelSettings | None = None) -> Relabelling:
    """The rows that a person is asked about, suspected and unsuspected ones mixed, and what came of it."""
    given = LabelSettings() if settings is None else settings
    queue = remembered(results, f"labels asked {given.model_dump_json()}", lambda: _queue(view, given))
    suggested = remembered(results, "labels suggested", lambda: {problem.row: problem.suggested for problem in view.problems})
    given_so_far = ws.store.list_relabels(view.run_id)
    answers, seen = _standing(given_so_far), frozenset(int(a["row"]) for a in given_so_far if "undoes" in a)
    known = {row: view.label_of(row) for row in answers}
    labels = {row: label for row, label in known.items() if label is not None}
    blind = [row for row in answers if row not in seen]
    of_suspected = [row for row in blind if row in suggested]
    of_calm = [row for row in blind if row in labels and row not in suggested]
    table = np.zeros((len(view.classes), len(view.classes)))
    for row in (*of_suspected, *of_calm):
        if answers[row] in view.classes:
            table[view.classes.index(labels[row]), view.classes.index(answers[row])] += 1
    return Relabelling(
        queue,
        min(given.most, len(view.problems)),
        len(view.problems),
        answers,
        seen,
        (
            sum(answers[row] == suggested[row] for row in of_suspected),
            sum(answers[row] == labels[row] for row in of_suspected),
            len(of_suspected),
        ),
        (sum(answers[row] == labels[row] for row in of_calm), len(of_calm)),
        cohen_kappa(table),
    )


def _queue(view: LabelView, given: LabelSettings) -> tuple[int, ...]:
    """The rows that are asked about in their order: suspected ones and as many others."""
    mixed = [problem.row for problem in view.problems[: given.most]]
    rng = np.random.default_rng(given.seed)
    calm = np.setdiff1d(view.rows, [problem.row for problem in view.problems])
    if given.controls and len(calm):
        mixed += rng.choice(calm, min(len(mixed), len(calm)), replace=False).tolist()
    return tuple(int(mixed[i]) for i in rng.permutation(len(mixed)))


def answer_row(ws: Workspace, view: LabelView, row: int, answer: str, *, by: str) -> None:
    """Append a person's answer on a row; nothing is overwritten.

    Raises:
        SettingProblem: no name, no such class, or a row that was not judged.
    """
    name = signed(ws, by)
    if answer not in view.classes:
        raise unknown_choice("class", answer, view.classes)
    if view.label_of(row) is None:
        raise SettingProblem(
            msg("Row {row} was not judged.", row=row + 1),
            msg("Expected a held-out row with a label."),
            msg("Choose another row."),
        )
    ws.store.add_relabel(view.run_id, {"row": int(row), "answer": answer, "by": name})


def undo_answer(ws: Workspace, view: LabelView, *, by: str | None = None) -> int:
    """Take back the newest answer that stands, whoever gave it; its row. That is an entry of its own: nothing is deleted.

    An answer that the row had before stands again.

    Args:
        by: Who takes it back; None, for programs: the owner of the store.

    Raises:
        SettingProblem: no answer stands, or a person without a name.
    """
    name = signed(ws, by)
    given = ws.store.list_relabels(view.run_id)
    standing = _numbers_standing(given)
    if not standing:
        raise SettingProblem(
            msg("No answer stands on a row of this run."), msg("Expected an answer to take back."), msg("Answer a row first.")
        )
    last = next(a for a in given if a["number"] == standing[-1])
    ws.store.add_relabel(view.run_id, {"row": int(last["row"]), "answer": "", "by": name, "undoes": int(last["number"])})
    return int(last["row"])


def _standing(given: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """The newest answer of each row that was not taken back."""
    numbers = set(_numbers_standing(given))
    return {int(a["row"]): str(a["answer"]) for a in given if a["number"] in numbers}


def _numbers_standing(given: Sequence[Mapping[str, Any]]) -> list[int]:
    undone = {int(a["undoes"]) for a in given if "undoes" in a}
    return [int(a["number"]) for a in given if "undoes" not in a and a["number"] not in undone]


def row_with_neighbours(results: Results, row: int, around: int = NEIGHBOURS) -> pd.DataFrame:
    """A row with those before and after it of the same group, all columns but the target; the index is the row number."""
    at, places = int(results.place_of_row[row]), results.places
    near = places.rows[max(int(places.first[at]), at - around) : min(int(places.stop[at]), at + around + 1)]
    names = [c.name for c in results.dataset.columns if c.name != results.manifest.target_column and c.role != "ignore"]
    some = np.sort(near)
    return take_rows(results.dataset.rows(names), some, names).set_axis(pd.Index(some)).loc[near]


def export_label_problems(view: LabelView, path: Path) -> None:
    """Every likely problem as a row of a CSV file; rows count from 1."""
    rows = [
        {"row": p.row + 1, "label": p.label, "suggested": p.suggested, "self_confidence": p.self_confidence, "margin": p.margin}
        for p in view.problems
    ]
    columns = ["row", "label", "suggested", "self_confidence", "margin"]
    write_csv(pd.DataFrame(rows, columns=columns), path, formula_safe=True)


def export_relabelled(ws: Workspace, results: Results, view: LabelView, path: Path) -> int:
    """The whole table as CSV with the answers in place of the labels, and the former ones in `<target>_before`; how many labels changed.

    A column of the table that has this name stays as it is; the former labels then have more underscores.
    """
    answers = _standing(ws.store.list_relabels(view.run_id))
    changed, former = 0, f"{view.target}_before"
    while former in {c.name for c in results.dataset.columns}:
        former += "_"

    def parts() -> Iterator[pd.DataFrame]:
        nonlocal changed
        changed, rows = 0, results.dataset.rows()
        for start, stop in rows.stretches():
            table = rows.read(None, start, stop)
            before = _texts(table[view.target])
            after = before.copy()
            for row, answer in answers.items():
                if start <= row < stop:
                    after[row - start] = answer
            changed += int((after != before).sum())
            yield table.assign(**{view.target: after, former: before})

    write_csv_parts(parts, path, formula_safe=True)
    return changed


def _texts(cells: pd.Series) -> NDArray[Any]:
    from core.features.targets import class_texts

    return np.asarray(class_texts(cells), dtype=object)
