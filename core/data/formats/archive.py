"""ZIP archives, opened with suspicion: nothing is unpacked under its own name, and nothing beyond a ceiling.

The rules are those of every unpacker that was ever fooled: names that lead out of the folder, links, encrypted entries,
archives inside archives, and declared sizes, which may lie.
"""

from __future__ import annotations

import re
import stat
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.data.formats.magic import HEAD_BYTES, archive_word
from core.errors import DataProblem
from core.messages import Message, msg

_BLOCK = 1 << 20
_NO_TABLES = (
    ".pdf",
    ".doc",
    ".docx",
    ".md",
    ".png",
    ".jpg",
    ".jpeg",
    ".gif",
    ".xml",
    ".json",
    ".html",
    ".htm",
    ".py",
    ".m",
    ".mat",
)
_DRIVE = re.compile(r"^[A-Za-z]:")
_SMALL_BYTES = 10_000_000
_NAMED = 12


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """Ceilings of an archive. The ratios of unpacked to packed bytes count only above 10 MB unpacked: a small table of
    zeros packs 1,000 to 1 and harms nobody."""

    packed_bytes: int = 500_000_000
    unpacked_bytes: int = 2_000_000_000
    entries: int = 20_000
    entry_ratio: float = 100.0
    total_ratio: float = 20.0


def checked_entries(archive: zipfile.ZipFile, path: Path, limits: ArchiveLimits) -> list[zipfile.ZipInfo]:
    """The files of an archive that breaks no rule, folders left out.

    Raises:
        DataProblem: the first rule that is broken.
    """
    entries = archive.infolist()
    _keep(path, path.stat().st_size, limits.packed_bytes, msg("packed bytes"))
    _keep(path, len(entries), limits.entries, msg("files"))
    _keep(path, sum(e.file_size for e in entries), limits.unpacked_bytes, msg("unpacked bytes"))
    seen: set[str] = set()
    for entry in entries:
        _check_name(path, entry, seen)
        seen.add(entry.filename)
    files = [e for e in entries if not e.is_dir()]
    _check_ratios(path, files, limits)
    return files


def _check_name(path: Path, entry: zipfile.ZipInfo, seen: set[str]) -> None:
    # zipfile cuts a name at a NUL and turns the system's separator round; the rules look at what stands in the file.
    name = entry.orig_filename.replace("\\", "/")
    if name.startswith("/") or _DRIVE.match(name) or ".." in name.split("/") or "\x00" in name:
        raise _refused(path, entry, msg("its name leads out of the folder"))
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise _refused(path, entry, msg("it is a link and not a file"))
    if entry.filename in seen:
        raise _refused(path, entry, msg("its name occurs twice"))
    if entry.flag_bits & 0x1:
        raise _refused(path, entry, msg("it is encrypted"))


def _check_ratios(path: Path, files: list[zipfile.ZipInfo], limits: ArchiveLimits) -> None:
    for entry in files:
        if entry.file_size > max(_SMALL_BYTES, limits.entry_ratio * entry.compress_size):
            raise _refused(path, entry, msg("it unpacks to more than {n} times its size", n=int(limits.entry_ratio)))
    total, packed = sum(e.file_size for e in files), path.stat().st_size
    if total > max(_SMALL_BYTES, limits.total_ratio * packed):
        raise DataProblem(
            msg("'{file}' would unpack to {n} times its size.", file=path.name, n=total // max(1, packed)),
            msg("Expected at most {n} times.", n=int(limits.total_ratio)),
            msg("Unpack it yourself, look at what is inside, and import the table."),
        )


def _keep(path: Path, found: int, limit: int, what: Message) -> None:
    if found > limit:
        raise DataProblem(
            msg("'{file}' has {found} {what}.", file=path.name, found=found, what=what),
            msg("Expected at most {limit}.", limit=limit),
            msg("Unpack it yourself and import the table."),
        )


def _refused(path: Path, entry: zipfile.ZipInfo, why: Message) -> DataProblem:
    return DataProblem(
        msg("'{file}' holds '{entry}': {why}.", file=path.name, entry=entry.filename[:80], why=why),
        msg("Expected an archive of plain files, without a password."),
        msg("Pack the table again, or import it unpacked."),
    )


def open_archive(path: Path) -> zipfile.ZipFile:
    """The archive, its list of files read.

    Raises:
        DataProblem: it is damaged.
    """
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise damaged(path) from error


def damaged(path: Path) -> DataProblem:
    """The error for an archive that does not unpack."""
    return DataProblem(
        msg("The archive '{file}' is damaged.", file=path.name),
        msg("Expected a ZIP file that unpacks without errors."),
        msg("Copy or download it again."),
    )


def tables_in(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], path: Path) -> list[zipfile.ZipInfo]:
    """The files that may be tables: not hidden, not empty, not of a kind that never is, not archives themselves.

    Raises:
        DataProblem: there is none; an archive inside an archive is named as the reason.
    """
    wanted = [e for e in entries if e.file_size and not _is_aside(e.filename)]
    nested: list[zipfile.ZipInfo] = []
    tables: list[zipfile.ZipInfo] = []
    for entry in wanted:
        (nested if _is_archive(archive, entry, path) else tables).append(entry)
    if tables:
        return _with_best_names(tables)
    if nested:
        raise _refused(path, nested[0], msg("it is an archive inside an archive"))
    inside = ", ".join(e.filename for e in entries[:_NAMED])
    raise DataProblem(
        msg("There is no table in the archive '{file}'.", file=path.name),
        msg("Expected one CSV, TSV, TXT, XLSX or Parquet file in it."),
        msg("It holds: {names}.", names=inside) if inside else msg("It is empty: pack the table again."),
    )


def _is_aside(name: str) -> bool:
    parts = name.split("/")
    return any(p.startswith((".", "__MACOSX")) for p in parts) or name.lower().endswith(_NO_TABLES)


def _with_best_names(tables: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    """A README or licence beside files that are called tables is none."""
    named = [e for e in tables if re.search(r"\.(csv|tsv|tab|xlsx|xlsm|parquet|pq)$", e.filename, re.IGNORECASE)]
    return named or tables


def _is_archive(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> bool:
    """By its first bytes. A workbook is a ZIP too and is let through by its name; whether it is one is seen after unpacking."""
    try:
        with archive.open(entry) as file:
            word = archive_word(file.read(HEAD_BYTES))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        raise damaged(path) from error
    return bool(word) and not (word == "ZIP" and entry.filename.lower().endswith((".xlsx", ".xlsm")))


def unpack(
    archive: zipfile.ZipFile,
    entry: zipfile.ZipInfo,
    path: Path,
    target: Path,
    limits: ArchiveLimits,
    progress: Callable[[str, float], None],
) -> None:
    """Write one file of an archive to `target`, counting what really comes.

    Raises:
        DataProblem: it is damaged, or longer than it says or than the ceiling.
    """
    ceiling = min(entry.file_size, limits.unpacked_bytes)
    written = 0
    try:
        with archive.open(entry) as packed, target.open("xb") as out:
            while block := packed.read(_BLOCK):
                written += len(block)
                if written > ceiling:
                    raise _refused(path, entry, msg("it is longer than it says"))
                out.write(block)
                progress("unpacking", written / max(1, entry.file_size))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise damaged(path) from error
