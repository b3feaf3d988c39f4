"""Two datasets, or two versions of one, compared."""

from __future__ import annotations

from core.data.comparing import Comparison, compare
from core.data.dataset import Dataset
from core.errors import StoreProblem
from core.messages import Message, msg, msg_n
from core.store.problems import NOT_FOUND
from core.workflows.importing import list_datasets, open_dataset
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
        StoreProblem: there is none.
    """
    head, _, tail = text.rpartition(":")
    name, version = (head, int(tail)) if head and tail.isdecimal() else (text, None)
    try:
        return open_dataset(ws, name, version)
    except StoreProblem as problem:
        if problem.values.get("reason") != NOT_FOUND:
            raise
        found = next((d for d in list_datasets(ws) if d.name == name), None)
        if found is None:
            raise
        return open_dataset(ws, found.id, version)


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
