"""The datasets of a store: found, opened, looked through, and what a user changes about one."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from core.data.dataset import Column, Dataset
from core.data.findings import Finding
from core.data.options import LineCount, OddRow
from core.errors import DataProblem, SettingProblem
from core.messages import msg
from core.store.files import disk_errors
from core.workflows.workspace import Workspace

if TYPE_CHECKING:
    from core.data.summary import Summary

MAX_NAME = 100


def rejected_rows(ws: Workspace, dataset_id: str) -> tuple[OddRow, ...]:
    """The rows of the file that were not loaded, in its order, at most 10,000 of them; `dataset_lines` counts all.

    Raises:
        StoreProblem: there is no such dataset.
    """
    return _odd_rows(ws, dataset_id, "rejected")


def repaired_rows(ws: Workspace, dataset_id: str) -> tuple[OddRow, ...]:
    """The rows that were loaded in a corrected form, as they stood in the file, at most 10,000 of them.

    Raises:
        StoreProblem: there is no such dataset.
    """
    return _odd_rows(ws, dataset_id, "repaired")


def _odd_rows(ws: Workspace, dataset_id: str, which: str) -> tuple[OddRow, ...]:
    ws.store.get_dataset(dataset_id)
    kept = ws.store.path(dataset_id, "rejected")
    if not kept.is_file():
        return ()
    stored = json.loads(kept.read_text(encoding="utf-8"))
    rows = stored.get(which, ()) if isinstance(stored, dict) else stored if which == "rejected" else ()
    return tuple(OddRow.from_json(row) for row in rows)


def list_datasets(ws: Workspace) -> tuple[Dataset, ...]:
    """The newest version of each dataset, newest first."""
    return tuple(row.to_dataset() for row in ws.store.list_datasets())


def open_dataset(ws: Workspace, dataset_id: str, version: int | None = None) -> Dataset:
    """A dataset by id.

    Raises:
        StoreProblem: there is none.
    """
    return ws.store.get_dataset(dataset_id, version).to_dataset()


def dataset_findings(ws: Workspace, dataset_id: str) -> tuple[Finding, ...]:
    """What the import found and repaired."""
    return tuple(Finding.from_json(found) for found in ws.store.get_dataset(dataset_id).findings)


def dataset_lines(ws: Workspace, dataset_id: str) -> LineCount | None:
    """Where each line of the imported file went; None for a table that was not read from a file."""
    lines = ws.store.get_dataset(dataset_id).lines
    return LineCount.from_json(lines) if lines else None


def change_columns(ws: Workspace, dataset_id: str, columns: Sequence[Column]) -> Dataset:
    """A new version with other roles, units or limits.

    Raises:
        SettingProblem: limits in the wrong order, or two columns for a role that only one can have.
    """
    current = open_dataset(ws, dataset_id)
    by_name = {column.name: column for column in columns}
    merged = [by_name.get(column.name, column) for column in current.columns]
    for role in ("time", "group"):
        named = [column.name for column in merged if column.role == role]
        if len(named) > 1:
            raise SettingProblem(
                msg("{n} columns have the role '{role}': {columns}.", n=len(named), role=role, columns=", ".join(named)),
                msg("One column can have it."),
                msg("Choose one of them."),
            )
    for column in merged:
        _check_limits(column)
    return ws.store.add_version(dataset_id, merged).to_dataset()


def summarise_dataset(ws: Workspace, dataset_id: str, version: int | None = None) -> Summary:
    """The figures of every column; computed once a version and kept beside the table."""
    from core.data.summary import FORMAT, Summary, summarise

    dataset = open_dataset(ws, dataset_id, version)
    kept = ws.store.path(dataset_id, "dataset", f"summary-{FORMAT}-{dataset.version}.json")
    if kept.is_file():
        return Summary.from_json(json.loads(kept.read_text(encoding="utf-8")))
    with disk_errors():
        summary = summarise(dataset)
    ws.store.write_bytes(kept, json.dumps(summary.to_json()).encode())
    return summary


def rename_dataset(ws: Workspace, dataset_id: str, name: str) -> None:
    """Give a dataset another name."""
    ws.store.rename_dataset(dataset_id, checked_name(name))


def delete_dataset(ws: Workspace, dataset_id: str) -> None:
    """Delete a dataset.

    Raises:
        StoreProblem: a running job uses it.
    """
    ws.store.delete_dataset(dataset_id)


def checked_name(name: str) -> str:
    """A name without control characters, at most 100 characters long.

    Raises:
        SettingProblem: nothing is left of it.
    """
    cleaned = re.sub(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]", "", name).strip()[:MAX_NAME]
    if not cleaned:
        raise SettingProblem(
            msg("The name is empty."), msg("Expected 1 to {n} characters.", n=MAX_NAME), msg("Type a name and try again.")
        )
    return cleaned


def _check_limits(column: Column) -> None:
    values = [v for v in (column.lower_limit, column.nominal, column.upper_limit) if v is not None]
    if values != sorted(values):
        raise SettingProblem(
            msg(
                "The specification limits of '{column}' are {limits}.",
                column=column.name,
                limits=" / ".join(f"{v:g}" for v in values),
            ),
            msg("They rise from the lower limit over the nominal value to the upper limit."),
            msg("Correct the limits of this column."),
        )


def merged_columns(guessed: Sequence[Column], given: Sequence[Column] | None) -> tuple[Column, ...]:
    """The guessed columns with the given roles, units and limits; kinds stay as they were read."""
    by_name = {column.name: column for column in given or ()}
    unknown = [name for name in by_name if name not in {c.name for c in guessed}]
    if unknown:
        raise DataProblem(
            msg("There is no column '{column}'.", column=unknown[0]),
            msg("The table has: {columns}.", columns=", ".join(c.name for c in guessed)),
            msg("Check the spelling of the column."),
        )
    return tuple(replace(by_name[c.name], kind=c.kind) if c.name in by_name else c for c in guessed)
