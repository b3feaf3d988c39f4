"""From a file to a dataset, and what a user changes about a dataset afterwards."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.data.dataset import Column, Dataset
from core.data.findings import Finding
from core.data.formats.records import SourceOptions, Unmatched
from core.data.options import LineCount, OddRow, Outcome, Preview, Question, Reading, ReadOptions
from core.data.reading import read_file
from core.data.sniffing import sniff
from core.data.source import check_packed
from core.errors import DataProblem, SettingProblem, StoreProblem
from core.messages import msg
from core.store import new_id, sha256_of
from core.store.problems import NOT_FOUND
from core.workflows.apart import Cancelled, Progress, expected_bytes, is_read_here, read_apart
from core.workflows.originals import keep_original, plain_name, same_original
from core.workflows.privacy import Treatment, check_choices, privacy_facts, protect, treated_columns, treated_findings
from core.workflows.workspace import Workspace

if TYPE_CHECKING:
    from core.data.summary import Summary

MAX_NAME = 100
MAX_REJECTED_KEPT = 10_000
MAX_FILE_BYTES = 2_000_000_000
SPACE_FACTOR = 3  # The cleaned text, the staged table and the finished one lie side by side for a moment.


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import gave. `dataset` is None when a question has to be answered first; `same_as` is the dataset that the
    same file gave before."""

    outcome: Outcome
    dataset: Dataset | None
    lines: LineCount
    findings: tuple[Finding, ...]
    rejected: tuple[OddRow, ...]
    questions: tuple[Question, ...]
    source: SourceOptions = SourceOptions()
    unmatched: tuple[Unmatched, ...] = ()
    repaired: tuple[OddRow, ...] = ()
    same_as: str | None = None


def preview_file(path: Path, options: ReadOptions | None = None, *, source_name: str | None = None) -> Preview:
    """The head of a file as it would be read, with what was decided and what is open.

    Args:
        options: How to read it; what is not set is found out.
        source_name: The file's name as the user knows it, when `path` is a temporary copy.

    Raises:
        DataProblem: the file cannot be read as a table.
    """
    shown = source_name or path.name
    with _told_as(path, shown):
        preview = sniff(path, options)
    return preview if preview.refusal is None else replace(preview, refusal=_renamed(preview.refusal, path, shown))


def import_file(
    ws: Workspace,
    path: Path,
    *,
    name: str | None = None,
    options: ReadOptions | None = None,
    columns: Sequence[Column] | None = None,
    source_name: str | None = None,
    source: SourceOptions | None = None,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
    privacy: Mapping[str, Treatment] | None = None,
) -> Imported:
    """Read a file into a new dataset: Parquet first, row second; nothing is kept when it fails or is refused.

    Args:
        name: The dataset's name; the file's name without its endings by default.
        options: How to read it; what is not set is found out.
        columns: Roles, units and limits that replace the guessed ones, by column name.
        source_name: The file's name as the user knows it, when `path` is a temporary copy.
        source: Which sheet or file inside is meant; asked where it is open.
        progress, cancelled: For reading in a child process, see `in_child`.
        privacy: Columns that are hashed or dropped before anything is stored; the original file is then not kept.

    Raises:
        DataProblem: the file cannot be read as a table, or `columns` or `privacy` names one that it does not have.
        SettingProblem: the name is empty.
        StoreProblem: the disk is full.
    """
    store, shown = ws.store, plain_name(source_name or path.name)
    title = checked_name(name or stem_of(shown))
    if path.is_file():
        try:
            store.need_space(SPACE_FACTOR * expected_bytes(path))
        except StoreProblem:
            with _told_as(path, shown):
                check_packed(path)
            raise
    used = source or SourceOptions()
    with store.scratch() as folder:
        table = folder / "table.parquet"
        with _told_as(path, shown):
            if is_read_here(path):
                reading = read_file(path, table, options)
            else:
                used, reading = read_apart(
                    path, table, shown=shown, options=options, source=source, progress=progress, cancelled=cancelled
                )
        imported = unstored(reading, used)
        if reading.outcome == "ask":
            return imported
        if privacy:
            reading, table = treated(ws, reading, table, privacy)
            imported = unstored(reading, used)
        keeping = None if progress is None else partial(progress, "keeping")
        kept = (None, sha256_of(path), shown) if privacy else (*keep_original(path, folder, keeping), shown)
        return stored(ws, title, table, reading, imported, kept, columns, privacy)


def stored(
    ws: Workspace,
    title: str,
    table: Path,
    reading: Reading,
    imported: Imported,
    kept: tuple[Path | None, str, str],
    columns: Sequence[Column] | None,
    privacy: Mapping[str, Treatment] | None,
) -> Imported:
    """Store what was read, and say so where the same file was imported before."""
    before = same_original(ws, kept[1])
    if before is not None:
        again = Finding("same_file", msg("The same file was imported before as '{name}'.", name=before.name), severity="info")
        reading = replace(reading, findings=(*reading.findings, again))
        imported = replace(imported, findings=(*imported.findings, again), same_as=before.id)
    return replace(imported, dataset=store_reading(ws, title, table, reading, imported.source, kept, columns, privacy))


def unstored(reading: Reading, source: SourceOptions) -> Imported:
    """What an import gave, before there is a dataset."""
    return Imported(
        reading.outcome,
        None,
        reading.lines,
        reading.findings,
        reading.rejected,
        reading.questions,
        source,
        repaired=reading.repaired,
    )


def store_reading(
    ws: Workspace,
    title: str,
    table: Path,
    reading: Reading,
    source: SourceOptions,
    kept: tuple[Path | None, str, str],
    columns: Sequence[Column] | None,
    privacy: Mapping[str, Treatment] | None = None,
) -> Dataset:
    """Take over the table and the original (its compressed copy unless columns were hidden, its hash, its name), then write
    the row."""
    store, dataset_id = ws.store, new_id()
    original, sha256, shown = kept
    chosen = source.model_dump(mode="json", exclude_none=True)
    facts: dict[str, Any] = {
        "n_rows": reading.n_rows,
        "columns": _merged(reading.columns, columns),
        "sha256": sha256_of(table),
        "options": reading.options.model_dump(mode="json") | ({"source": chosen} if chosen else {}),
        "findings": [finding.to_json() for finding in reading.findings],
        "lines": reading.lines.to_json(),
        "source_name": shown,
        "source_sha256": sha256,
        "privacy": privacy_facts(privacy or {}),
    }
    with kept_whole(ws, dataset_id):
        store.adopt_file(table, store.path(dataset_id, "parquet"))
        if original is not None:
            store.adopt_file(original, store.path(dataset_id, "source"))
        if reading.rejected or reading.repaired:
            store.write_bytes(store.path(dataset_id, "rejected"), _odd_rows_json(reading))
        row = store.add_dataset(dataset_id, title, **facts)
    return row.to_dataset()


def treated(ws: Workspace, reading: Reading, table: Path, privacy: Mapping[str, Treatment]) -> tuple[Reading, Path]:
    """The table without what must not be kept, and what may be said of it."""
    check_choices(privacy, [c.name for c in reading.columns])
    target = table.with_name("treated.parquet")
    protect(table, target, privacy, ws.store.files.secret("hashing.key"))
    table.unlink()
    columns = treated_columns(reading.columns, privacy)
    return replace(
        reading, columns=columns, findings=treated_findings(reading.findings, privacy), rejected=(), repaired=()
    ), target


@contextmanager
def _told_as(path: Path, shown: str) -> Iterator[None]:
    """A problem with a temporary copy names the file that the user chose."""
    try:
        yield
    except DataProblem as problem:
        raise _renamed(problem, path, shown) from problem


def _renamed(problem: DataProblem, path: Path, shown: str) -> DataProblem:
    if problem.what.values.get("file") != path.name:
        return problem
    what = replace(problem.what, values={**problem.what.values, "file": shown})
    return DataProblem(what, problem.expected, problem.fix, **problem.values)


@contextmanager
def kept_whole(ws: Workspace, dataset_id: str) -> Iterator[None]:
    """The files of a dataset stay only with its row: what fails in between takes them away again."""
    try:
        yield
    except BaseException:
        if not _may_have_row(ws, dataset_id):
            ws.store.discard(ws.store.path(dataset_id, "dataset"))
        raise


def _may_have_row(ws: Workspace, dataset_id: str) -> bool:
    """Whether the row was written; also when that cannot be known now, for a row must never point at nothing."""
    try:
        ws.store.get_dataset(dataset_id)
    except StoreProblem as problem:
        return problem.values.get("reason") != NOT_FOUND
    return True


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
    from core.store.files import disk_errors

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


def _merged(guessed: Sequence[Column], given: Sequence[Column] | None) -> tuple[Column, ...]:
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


def _odd_rows_json(reading: Reading) -> bytes:
    kept = {"rejected": reading.rejected[:MAX_REJECTED_KEPT], "repaired": reading.repaired[:MAX_REJECTED_KEPT]}
    return json.dumps({which: [row.to_json() for row in rows] for which, rows in kept.items()}).encode()


def stem_of(name: str) -> str:
    """A file's name without the endings of tables and archives."""
    return re.sub(r"(\.(csv|tsv|txt|tab|dat|xlsx|xlsm|parquet|pq))?(\.(gz|zip))?$", "", name, flags=re.IGNORECASE) or name
