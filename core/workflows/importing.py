"""From a file to a dataset."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from core.data.dataset import Column, Dataset
from core.data.findings import Finding
from core.data.formats.records import SourceOptions, Unmatched
from core.data.options import LineCount, OddRow, Outcome, Preview, Question, Reading, ReadOptions
from core.data.reading import read_file
from core.data.sniffing import sniff
from core.data.source import check_packed
from core.durable import sha256_of
from core.errors import DataProblem, StoreProblem
from core.messages import msg
from core.store import new_id
from core.store.problems import NOT_FOUND
from core.workflows.apart import Cancelled, Progress, expected_bytes, is_read_here, read_apart
from core.workflows.datasets import checked_name, merged_columns
from core.workflows.originals import keep_original, plain_name, same_original
from core.workflows.privacy import Treatment, check_choices, privacy_facts, protect, treated_columns, treated_findings
from core.workflows.workspace import Workspace

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
        "columns": merged_columns(reading.columns, columns),
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
    except BaseException:  # an interruption leaves no files without a row either
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


def _odd_rows_json(reading: Reading) -> bytes:
    kept = {"rejected": reading.rejected[:MAX_REJECTED_KEPT], "repaired": reading.repaired[:MAX_REJECTED_KEPT]}
    return json.dumps({which: [row.to_json() for row in rows] for which, rows in kept.items()}).encode()


def stem_of(name: str) -> str:
    """A file's name without the endings of tables and archives."""
    return re.sub(r"(\.(csv|tsv|txt|tab|dat|xlsx|xlsm|parquet|pq))?(\.(gz|zip))?$", "", name, flags=re.IGNORECASE) or name
