"""Two datasets, or two versions of one, compared."""

from __future__ import annotations

from core.data.comparing import Comparison, compare
from core.data.dataset import Dataset
from core.errors import StoreProblem, unknown_dataset
from core.messages import Message, msg, msg_n
from core.store.problems import NOT_FOUND
from core.workflows.datasets import list_datasets, open_dataset
from core.workflows.workspace import Workspace


def compare_datasets(ws: Workspace, first: str, second: str) -> Comparison:
    """Compare what two texts name: an id or a name of a dataset, with ":VERSION" behind it if not the newest is meant.

    Raises:
        StoreProblem: there is no such dataset or version.
    """
    return compare(named_dataset(ws, first), named_dataset(ws, second))


def named_dataset(ws: Workspace, text: str) -> Dataset:
    """The dataset of that id or name and version; of two with one name the newest.

    Raises:
        DataProblem: there is none.
        StoreProblem: there is no such version.
    """
    head, _, tail = text.rpartition(":")
    name, version = (head, int(tail)) if head and tail.isdecimal() else (text, None)
    try:
        return open_dataset(ws, name, version)
    except StoreProblem as problem:
        if problem.values.get("reason") != NOT_FOUND:
            raise
        datasets = list_datasets(ws)
        found = next((d for d in datasets if d.name == name), None)
        if found is None and version is not None and any(d.id == name for d in datasets):
            raise
        if found is None:
            raise unknown_dataset(name, [d.name for d in datasets], may_be_file=False) from problem
        return open_dataset(ws, found.id, version)


def comparable(ws: Workspace, dataset: Dataset) -> tuple[Dataset, ...]:
    """What a dataset may be compared with, the likeliest first: its earlier versions, the newest of them first, then other
    datasets by the share of columns that both have, the newest first among equals."""
    earlier = [open_dataset(ws, dataset.id, version) for version in range(dataset.version - 1, 0, -1)]
    others = [d for d in list_datasets(ws) if d.id != dataset.id]
    names = {c.name for c in dataset.columns}

    def shared(other: Dataset) -> float:
        theirs = {c.name for c in other.columns}
        return len(names & theirs) / max(1, len(names | theirs))

    return (*earlier, *sorted(others, key=lambda d: -shared(d)))


def in_a_sentence(found: Comparison) -> Message:
    """What a comparison comes to."""
    if found.is_same_table:
        n = len(found.renamed_facts)
        if not n:
            return msg("Both are the same table")
        return msg_n("The same table; {n} column means something else", "The same table; {n} columns mean something else", n)
    n_schema = len(found.added) + len(found.removed) + len(found.renamed_facts)
    n_unknown = sum(c.verdict == "cannot_tell" for c in found.columns)
    n = len(found.shifted)
    compared = sum(c.verdict in ("alike", "shifted") for c in found.columns)
    if n_unknown and not compared:
        return msg("There are too few rows to tell whether the values differ")
    if not n and not n_schema:
        return msg("No column differs")
    if not n_schema:
        return msg_n(
            "{n} of {compared} compared columns is shifted",
            "{n} of {compared} compared columns are shifted",
            n,
            compared=compared,
        )
    return msg(
        "{n} of {compared} compared columns shifted; {changed} came, went or mean something else",
        n=n,
        compared=compared,
        changed=n_schema,
    )
