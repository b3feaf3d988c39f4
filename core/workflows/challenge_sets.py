"""Challenge sets: known cases with the answer that each must get, frozen with a hash, so that nobody moves the goal afterwards.

A case is a piece of the table: rows that are judged, and the rows before them that a model looks back at. It must be flagged, must not be
flagged, or must be called a class. The pieces lie as Parquet, what is expected as JSON, both in the folder of the dataset; the store's register
holds their hashes.

In quality engineering such a case is a "red rabbit": a part that is known to be bad, run through an inspection station to prove that
it still finds it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.rows import take_rows
from core.errors import DataProblem, NotEnoughData, SettingProblem, StoreProblem
from core.messages import Message, msg
from core.serving import load_bundle
from core.serving.pieces import PIECE, piece_pipeline, rows_around, rows_before
from core.store import new_id
from core.workflows.results import Results
from core.workflows.workspace import Workspace

FORMAT = 1
Expected = Literal["flag", "quiet", "class"]
SMALLEST_HISTORY = 100
MOST_JUDGED = 2_000
MOST_ROWS = 500_000


@dataclass(frozen=True, slots=True)
class Case:
    """One case: rows `start` to `stop` (exclusive) of its piece are judged, or only `judged` of them where others lie between.

    `value` is the class that is expected, else "".
    """

    number: int
    title: Message
    expected: Expected
    value: str
    start: int
    stop: int
    judged: tuple[int, ...] = ()

    @property
    def places(self) -> NDArray[np.int64]:
        """The rows of the piece that are judged."""
        return np.array(self.judged, np.int64) if self.judged else np.arange(self.start, self.stop)

    @property
    def must(self) -> Message:
        """What the answer must be."""
        if self.expected == "class":
            return msg("must be called '{name}'", name=self.value)
        return msg("must be flagged") if self.expected == "flag" else msg("must not be flagged")

    def to_json(self) -> dict[str, Any]:
        told = {name: getattr(self, name) for name in self.__slots__ if name != "judged" or self.judged}
        return {**told, "title": self.title.to_json()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Case:
        return cls(**{**stored, "title": Message.from_json(stored["title"]), "judged": tuple(stored.get("judged", ()))})


@dataclass(frozen=True, slots=True)
class ChallengeSet:
    """A frozen set. `run_id` is the one run that it speaks of, None for all of the dataset. `source` says where the cases come from.

    `sha256` is the hash of both files, as the register has it. `missed` counts known cases that were left out because the run that the set was
    made from missed them; None where an older version froze it and did not keep the number.
    """

    id: str
    dataset_id: str
    run_id: str | None
    task: str
    target: str | None
    name: str
    source: str
    sha256: str
    created: str
    n_cases: int
    missed: int | None = None


@dataclass(frozen=True, slots=True)
class KeptSet:
    """A set that counts, with the name of its dataset, which may be deleted while copies of its models are still used."""

    challenge: ChallengeSet
    dataset_name: str
    is_deleted: bool


@dataclass(frozen=True, slots=True)
class WithdrawnSet:
    """A set that counts no longer: who withdrew it, when (aware UTC) and why, as the audit trail has it; empty where it has no such entry."""

    challenge: ChallengeSet
    by: str
    when: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A case before it is frozen: its judged rows as row numbers of one group in order."""

    title: Message
    expected: Expected
    value: str
    rows: NDArray[np.int64]


def freeze(
    ws: Workspace, results: Results, name: str, source: str, drafts: Sequence[Draft], *, run_only: bool = False, missed: int = 0
) -> ChallengeSet:
    """Freeze cases that are rows of the run's table, each with the rows that its score depends on, so that it scores as in the run.

    Raises:
        NotEnoughData: there is no case.
        SettingProblem: a set needs a name; more rows than a set may hold, noticed before any is read.
    """
    if not drafts:
        raise _no_case(results.run.name)
    before, after = _reach(ws, results)
    first, stop = results.places.first, results.places.stop
    pieces, cases, n_rows = [], [], 0
    for number, draft in enumerate(drafts, start=1):
        at = np.sort(results.place_of_row[draft.rows])
        piece = _with_neighbours(at, before, after, int(first[at[0]]), int(stop[at[0]]))
        judged = np.searchsorted(piece, at)
        is_whole = len(judged) == judged[-1] - judged[0] + 1
        some = () if is_whole else tuple(judged.tolist())
        n_rows += len(piece)
        check_room(n_rows)
        pieces.append(piece)
        cases.append(Case(number, draft.title, draft.expected, draft.value, int(judged[0]), int(judged[-1]) + 1, some))
    wanted_rows = results.row_order[np.concatenate(pieces)]
    unique = np.unique(wanted_rows)
    table = take_rows(results.dataset.rows(), unique).iloc[np.searchsorted(unique, wanted_rows)].reset_index(drop=True)
    numbers = np.repeat(np.arange(1, len(pieces) + 1), [len(piece) for piece in pieces])
    return keep(ws, results, name, source, table.assign(**{PIECE: numbers}), cases, run_only=run_only, missed=missed)


def keep(
    ws: Workspace,
    results: Results,
    name: str,
    source: str,
    table: pd.DataFrame,
    cases: Sequence[Case],
    *,
    run_only: bool,
    missed: int = 0,
) -> ChallengeSet:
    """Write a set and register it. `table` holds the pieces with the number of their case in `PIECE`.

    Raises:
        NotEnoughData: there is no case.
        SettingProblem: it has no name, or too many rows.
        StoreProblem: a set of the dataset has this name, also where another session has just taken it.
    """
    if not cases:
        raise _no_case(results.run.name)
    if not name.strip():
        raise SettingProblem(msg("The challenge set has no name."), msg("A name tells sets apart."), msg("Give it one."))
    check_room(len(table))
    set_id, target = new_id(), results.manifest.target_column if results.task in ("classification", "forecast") else None
    told = {
        "format": FORMAT,
        "id": set_id,
        "dataset_id": results.run.dataset_id,
        "run_id": results.run.id if run_only else None,
        "task": results.task,
        "target": target,
        "name": name.strip()[:200],
        "source": source,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "missed": missed,
        "cases": [case.to_json() for case in cases],
    }
    packed = BytesIO()
    table.to_parquet(packed, index=False)
    said = json.dumps(told, ensure_ascii=False).encode()
    parquet, words = _paths(ws, results.run.dataset_id, set_id)
    ws.store.write_bytes(parquet, packed.getvalue())
    ws.store.write_bytes(words, said)
    kept = {key: value for key, value in told.items() if key not in ("cases", "format")}
    value = {**kept, "sha256": _hash(packed.getvalue(), said), "n_cases": len(cases)}
    try:
        ws.store.add_challenge(set_id, value)
    except StoreProblem:
        for path in (parquet, words):
            path.unlink(missing_ok=True)
        raise
    return _record(value)


def check_room(n_rows: int, most: int | None = None) -> None:
    """Refuse cases of more rows than a set may hold.

    Raises:
        SettingProblem: too many.
    """
    most = MOST_ROWS if most is None else most
    if n_rows > most:
        raise SettingProblem(
            msg("The cases have {n} rows.", n=n_rows), msg("Expected at most {n}.", n=most), msg("Choose fewer cases.")
        )


def list_challenges(ws: Workspace, dataset_id: str, run_id: str | None = None) -> tuple[ChallengeSet, ...]:
    """The sets of a dataset that count, oldest first; with a run those that speak of it."""
    found = [_record(value) for value in ws.store.list_challenges(dataset_id)]
    return tuple(s for s in found if run_id is None or s.run_id in (None, run_id))


def kept_challenges(ws: Workspace) -> tuple[KeptSet, ...]:
    """Every set that counts, oldest first, those of deleted datasets too: a bundle that was taken out is still held against them."""
    there = {row.id for row in ws.store.list_datasets()}
    found = []
    for challenge in (_record(value) for value in ws.store.list_challenges()):
        try:
            name = ws.store.get_dataset(challenge.dataset_id, deleted=True).name
        except StoreProblem:
            name = ""
        found.append(KeptSet(challenge, name, challenge.dataset_id not in there))
    return tuple(found)


def withdrawn_challenges(ws: Workspace, dataset_id: str | None = None) -> tuple[WithdrawnSet, ...]:
    """The sets that were withdrawn, the newest withdrawal first; of one dataset when it is given."""
    found = []
    for value in ws.store.list_challenges(dataset_id, withdrawn=True):
        one, told = _record(value), value["withdrawn"]
        if isinstance(told, Mapping):
            found.append(WithdrawnSet(one, told["by"], datetime.fromisoformat(told["when"]), told["reason"]))
        else:
            found.append(_from_audit(ws, one))
    return tuple(sorted(found, key=lambda s: (s.when is not None, s.when), reverse=True))


def _from_audit(ws: Workspace, one: ChallengeSet) -> WithdrawnSet:
    """Who withdrew a set of an older version, which its record does not say."""
    for entry in ws.store.list_audit(one.dataset_id):
        if (entry.kind, entry.action, entry.sha256) == ("challenge", "withdrawn", one.sha256):
            return WithdrawnSet(one, str(entry.details.get("by", "")), entry.created, str(entry.details.get("reason", "")))
    return WithdrawnSet(one, "", None, "")


def read_challenge(ws: Workspace, challenge: ChallengeSet) -> tuple[pd.DataFrame, tuple[Case, ...]]:
    """The pieces and cases of a set, its hash checked.

    Raises:
        DataProblem: a file is missing or was changed.
    """
    parquet, words = (path for path in _paths(ws, challenge.dataset_id, challenge.id))
    try:
        packed, said = parquet.read_bytes(), words.read_bytes()
    except OSError as error:
        raise _changed(challenge) from error
    if _hash(packed, said) != challenge.sha256:
        raise _changed(challenge)
    told = json.loads(said)
    return pd.read_parquet(BytesIO(packed)), tuple(Case.from_json(case) for case in told["cases"])


def _reach(ws: Workspace, results: Results) -> tuple[int, int]:
    """Rows before and after a judged row that its score depends on: what windows and seasons look back at, and what cleaning looks at.

    At least four windows before, because another run of the dataset may have a longer one.
    """
    pipeline = piece_pipeline(load_bundle(ws.store.path(results.run.id, "bundle")))
    around = rows_around(pipeline)
    return max(SMALLEST_HISTORY, 4 * pipeline.width, rows_before(pipeline) + around), around


def _with_neighbours(at: NDArray[np.int64], before: int, after: int, low: int, high: int) -> NDArray[np.int64]:
    """Places (m,) with those `before` and `after` each of them, ascending, from `low` to `high` (exclusive)."""
    gaps = np.flatnonzero(np.diff(at) > before + after + 1)
    starts, stops = at[np.append(0, gaps + 1)] - before, at[np.append(gaps, len(at) - 1)] + after + 1
    return np.concatenate([np.arange(max(low, a), min(high, b)) for a, b in zip(starts.tolist(), stops.tolist(), strict=True)])


def _paths(ws: Workspace, dataset_id: str, set_id: str):  # type: ignore[no-untyped-def]
    return tuple(ws.store.path(dataset_id, "dataset", f"challenge-{set_id}.{end}") for end in ("parquet", "json"))


def _hash(packed: bytes, said: bytes) -> str:
    return hashlib.sha256(hashlib.sha256(packed).digest() + hashlib.sha256(said).digest()).hexdigest()


def _record(value: Mapping[str, Any]) -> ChallengeSet:
    return ChallengeSet(**{name: value[name] for name in ChallengeSet.__slots__ if name in value})


def _changed(challenge: ChallengeSet) -> DataProblem:
    return DataProblem(
        msg("The challenge set '{name}' is missing or was changed.", name=challenge.name),
        msg("Its hash must be the one that it was frozen with."),
        msg("Put the files back, or withdraw the set under Runs or with 'challenge withdraw', which need no run of it."),
    )


def _no_case(run: str) -> NotEnoughData:
    return NotEnoughData(
        msg("There is no case to freeze for '{run}'.", run=run),
        msg("Expected events with a verdict, labelled rows, rows, seeded faults or a file."),
        msg("Choose another source."),
    )
