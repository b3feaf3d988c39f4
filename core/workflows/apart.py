"""Files read in a child process with limits: what is no plain text, what is large, and several files together.

A plain text file below 1 MB is read here: our own scanner and DuckDB's CSV reader take a moment for it, a child needs
half a second to begin. What a child wrote lies in a folder that the caller owns; nothing is stored by it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.confined import Limits, in_child, was_cancelled
from core.data.formats.magic import is_plain_text
from core.data.formats.opening import preview_opened, read_opened
from core.data.formats.plain import from_plain, to_plain
from core.data.formats.records import Combination, Opened, SourceOptions
from core.data.options import Preview, Reading, ReadOptions
from core.data.source import check_file, text_bytes
from core.errors import DataProblem
from core.store.files import SCRATCH, disk_errors
from core.workflows.workspace import Workspace

Progress = Callable[[str, float], None]
Cancelled = Callable[[], bool]
IN_PROCESS_BYTES = 1_000_000
LIMITS = Limits()
_PLACES = threading.BoundedSemaphore(2)
_WAIT_SECONDS = 0.5
_OF_ALL_LINES = frozenset({"rejected", "repaired", "totals", "blank_lines", "comments", "zero_characters", "bad_characters"})
_OPEN = "core.data.formats.opening"
_COMBINE = "core.data.formats.combining"


@dataclass(frozen=True, slots=True)
class Prepared:
    """Several files as one table, made but not stored: to be looked at, then imported as it is."""

    combination: Combination
    table: Path


def is_read_here(path: Path) -> bool:
    """Whether a file is read in this process: small plain text, also packed; and what is no file at all."""
    return not path.is_file() or (is_plain_text(path) and text_bytes(path) <= IN_PROCESS_BYTES)


def expected_bytes(path: Path) -> int:
    """About how many bytes a file has as text. Workbooks and archives tell it nowhere that could be believed; Parquet and
    the XML of sheets shrink a table about as much as gzip does."""
    return text_bytes(path) if is_plain_text(path) else 4 * path.stat().st_size


def workplace(ws: Workspace) -> tempfile.TemporaryDirectory[str]:
    """A private folder on the store's disk for files that are taken apart before anything is stored."""
    place = ws.home / SCRATCH
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(prefix="apart-", dir=place)


def open_file(
    path: Path,
    folder: Path,
    source: SourceOptions | None = None,
    *,
    source_name: str | None = None,
    progress: Progress | None = None,
) -> Opened:
    """A file taken apart as far as one table; done once for each choice, as the copy stays in `folder`.

    Raises:
        DataProblem: it cannot be opened, or holds no table.
    """
    asked, shown = source or SourceOptions(), source_name or path.name
    if is_plain_text(path):
        return Opened(str(path), "text", ReadOptions(), asked, label=shown)
    choice = hashlib.sha256(json.dumps([str(path), asked.sheet, asked.member]).encode()).hexdigest()[:16]
    place = folder / f"opened-{choice}"
    kept = place / "opened.json"
    if kept.is_file():
        found: Opened = from_plain(json.loads(kept.read_text(encoding="utf-8")))
        return found
    fresh = folder / f"opening-{uuid.uuid4().hex}"
    fresh.mkdir(mode=0o700)
    arguments = {"path": str(path), "folder": str(fresh), "source": asked, "shown": shown}
    opened: Opened = _in_child(f"{_OPEN}:open_source", arguments, shown, progress)
    fresh.rename(place)
    opened = _moved(opened, fresh, place)
    kept.write_text(json.dumps(to_plain(opened)), encoding="utf-8")
    return opened


def _moved(opened: Opened, before: Path, now: Path) -> Opened:
    file = opened.file
    moved = now / file.relative_to(before) if file.is_relative_to(before) else file
    return replace(opened, path=str(moved), more=tuple(_moved(one, before, now) for one in opened.more))


def preview_table(opened: Opened, options: ReadOptions | None = None) -> Preview:
    """The first rows of an opened file, and what is open. Text is looked at here, Parquet in a child.

    Raises:
        DataProblem: it cannot be read as a table.
    """
    if opened.kind == "text":
        preview = preview_opened(opened, options)
        return preview if text_bytes(opened.file) > IN_PROCESS_BYTES else _foreseen(opened, options, preview)
    arguments = {"opened": opened, "options": options}
    found: Preview = _in_child(f"{_OPEN}:preview_opened", arguments, opened.label)
    return found


def _foreseen(opened: Opened, options: ReadOptions | None, preview: Preview) -> Preview:
    """The preview of a small text with what only reading all of it tells: rejected and repaired rows, and open questions."""
    with tempfile.TemporaryDirectory(prefix="andon-preview-") as folder, disk_errors():
        try:
            reading = read_opened(opened, str(Path(folder, "table.parquet")), options)
        except DataProblem as problem:
            return replace(preview, refusal=preview.refusal or problem)
    told = {f.code for f in preview.findings}
    more = tuple(f for f in reading.findings if f.code in _OF_ALL_LINES and f.code not in told)
    return replace(preview, findings=(*preview.findings, *more), questions=reading.questions or preview.questions)


def read_apart(
    path: Path,
    table: Path,
    *,
    shown: str,
    options: ReadOptions | None,
    source: SourceOptions | None,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> tuple[SourceOptions, Reading]:
    """Read a file of any kind into a Parquet table, in a child; what was chosen inside it, and the reading.

    Raises:
        DataProblem: it cannot be read, or reading it went beyond a limit.
    """
    folder = table.parent / f"apart-{uuid.uuid4().hex}"
    folder.mkdir(mode=0o700)
    arguments = {
        "path": str(path.resolve()),
        "folder": str(folder),
        "parquet": str(table),
        "source": source or SourceOptions(),
        "options": options or ReadOptions(),
        "shown": shown,
    }
    opened, reading = _in_child(f"{_COMBINE}:import_source", arguments, shown, progress, cancelled)
    return opened.source, reading


def prepare_files(
    paths: Sequence[Path],
    folder: Path,
    *,
    names: Sequence[str] | None = None,
    options: ReadOptions | None = None,
    source: SourceOptions | None = None,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Prepared:
    """Put several files together without storing them.

    Args:
        paths: The files, in the order in which they are stacked or joined.
        folder: A private folder of the caller's, where the table stays.
        names: What the files are called; as many folders of their paths as tell them apart by default.

    Raises:
        DataProblem: a file cannot be read, or they do not go together.
    """
    for path in paths:
        if not path.is_file():
            check_file(path)
    place = folder / f"prepared-{uuid.uuid4().hex}"
    place.mkdir(mode=0o700)
    table = place / "table.parquet"
    arguments = {
        "paths": [str(p.resolve()) for p in paths],
        "names": list(names or [p.as_posix() for p in paths]),
        "folder": str(place),
        "parquet": str(table),
        "options": options or ReadOptions(),
        "source": source or SourceOptions(),
    }
    subject = arguments["names"][0]  # type: ignore[index]
    try:
        made: Combination = _in_child(f"{_COMBINE}:combine_files", arguments, subject, progress, cancelled)
    except DataProblem:
        _empty(place)
        raise
    for rest in place.iterdir():
        if rest != table:
            _empty(rest)
    return Prepared(made, table)


def _in_child(
    target: str,
    arguments: Mapping[str, Any],
    subject: str,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> Any:
    """`in_child` once one of two places is free: more readings at once would only take the memory of each other."""
    while not _PLACES.acquire(timeout=_WAIT_SECONDS):
        if progress is not None:
            progress("waiting", 0.0)
        if cancelled is not None and cancelled():
            raise was_cancelled(subject)
    try:
        return in_child(target, arguments, subject=subject, limits=LIMITS, progress=progress, cancelled=cancelled)
    finally:
        _PLACES.release()


def _empty(place: Path) -> None:
    """Remove what is not needed any more; the rest goes with the caller's folder."""
    if place.is_dir():
        shutil.rmtree(place, ignore_errors=True)
    else:
        place.unlink(missing_ok=True)
