"""The original bytes of a dataset: kept compressed, found again by their hash, and given back for another reading."""

from __future__ import annotations

import hashlib
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from core.data.dataset import Dataset
from core.data.source import text_bytes
from core.durable import sha256_of
from core.errors import StoreProblem
from core.messages import msg
from core.store.files import SCRATCH, disk_errors
from core.store.incoming import ENDINGS
from core.store.problems import is_disk_full
from core.workflows.workspace import Workspace

_BLOCK = 1 << 20
_BEFORE = "source.gz"  # What the original was called while it was packed with gzip.
_ARCHIVE = b"ustar"
_PACKED = 5  # A table of numbers packs to 0.4 of its size, and an archive is unpacked twice.


@dataclass(frozen=True, slots=True)
class Original:
    """A file as it was sent: its place for now, the name that it had, and whether it was imported together with others."""

    path: Path
    name: str
    is_one_of_several: bool = False


def keep_original(path: Path, folder: Path, told: Callable[[float], None] | None = None) -> tuple[Path, str]:
    """A compressed copy of a file (zstd), and the file's hash, in one pass over its bytes.

    Args:
        told: Gets the share that is done, now and then.
    """
    kept, digest, size, done = folder / "source.zst", hashlib.sha256(), max(1, path.stat().st_size), 0
    with path.open("rb") as source, _packed(kept) as out:
        while block := source.read(_BLOCK):
            digest.update(block)
            out.write(block)
            done += len(block)
            if told is not None:
                told(min(1.0, done / size))
    return kept, digest.hexdigest()


def keep_originals(paths: Sequence[Path], names: Sequence[str], folder: Path) -> Path:
    """Several files as one compressed archive, in their order, with the names they had."""
    kept = folder / "source.zst"
    with _packed(kept) as out, tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        for n, (path, name) in enumerate(zip(paths, names, strict=True)):
            entry = tarfile.TarInfo(f"{n:04d}")
            entry.size, entry.pax_headers = path.stat().st_size, {"comment": name}
            with path.open("rb") as file:
                archive.addfile(entry, file)
    return kept


def plain_name(name: str) -> str:
    """A file's name as text that can be stored: bytes that were no text, and zeros, become question marks.

    >>> plain_name("M\\udce4rz.csv"), plain_name("März.csv")
    ('M?rz.csv', 'März.csv')
    """
    return name.encode("utf-8", "replace").decode().replace("\x00", "?")


def hash_of_all(paths: Sequence[Path]) -> str:
    """The hash of a file, or a hash over the hashes of several."""
    hashes = [sha256_of(p) for p in paths]
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


def same_original(ws: Workspace, sha256: str) -> Dataset | None:
    """The newest dataset that was made from a file (or files) with this hash."""
    row = ws.store.find_source(sha256)
    return None if row is None else row.to_dataset()


def has_original(ws: Workspace, dataset_id: str) -> bool:
    """Whether the original of a dataset is kept: not where columns were hidden, and not of what no file was read for."""
    return _kept(ws, dataset_id) is not None


@contextmanager
def original_files(ws: Workspace, dataset_id: str) -> Iterator[tuple[Original, ...]]:
    """The files that a dataset was read from, unpacked into a folder that is gone afterwards.

    Raises:
        StoreProblem: there is no such dataset, its original is not kept, or it is not what was imported.
    """
    with ws.store.scratch() as folder:
        yield unpack_original(ws, dataset_id, folder)


def take_original(ws: Workspace, dataset_id: str) -> tuple[Path, tuple[Original, ...]]:
    """The files that a dataset was read from, and the private folder on the store's disk that they lie in: the caller
    removes it.

    Raises:
        StoreProblem: as `original_files`.
    """
    place = ws.home / SCRATCH
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="again-", dir=place))
    try:
        return folder, unpack_original(ws, dataset_id, folder)
    except BaseException:  # an interruption leaves no unpacked file behind either
        shutil.rmtree(folder, ignore_errors=True)
        raise


def unpack_original(ws: Workspace, dataset_id: str, folder: Path) -> tuple[Original, ...]:
    """The files that a dataset was read from, unpacked into a folder.

    Raises:
        StoreProblem: as `original_files`.
    """
    row, kept = ws.store.get_dataset(dataset_id), _kept(ws, dataset_id)
    if kept is None:
        raise StoreProblem(
            msg("The original file of '{name}' is not kept.", name=row.name),
            msg("Expected a dataset that was imported from a file, with no column hidden."),
            msg("Import the file again."),
        )
    with disk_errors():
        ws.store.need_space(2 * text_bytes(kept) if kept.name == _BEFORE else _PACKED * kept.stat().st_size)
        try:
            found = _unpack(kept, folder, row.source_name, row.source_sha256)
        except (OSError, EOFError, tarfile.TarError) as error:
            if is_disk_full(error):
                raise
            raise _damaged(row.name) from error
    if found is None:
        raise _damaged(row.name)
    return found


def _damaged(name: str) -> StoreProblem:
    return StoreProblem(
        msg("The kept original of '{name}' is damaged.", name=name),
        msg("Expected the bytes that were imported."),
        msg("Import the file again, or take it from a backup."),
    )


def _unpack(kept: Path, folder: Path, name: str, sha256: str) -> tuple[Original, ...] | None:
    """The one file that was imported, or those of our archive: the hash tells; None where neither has it."""
    whole = folder / "whole"
    with _unpacked(kept) as source, whole.open("wb") as out:
        shutil.copyfileobj(source, out, _BLOCK)
    if sha256_of(whole) == sha256:
        return (Original(whole.rename(folder / f"original{_ending(name)}"), name),)
    with whole.open("rb") as file:
        if file.read(262)[257:] != _ARCHIVE:
            return None
    found = _members(whole, folder)
    return found if hash_of_all([o.path for o in found]) == sha256 else None


def _kept(ws: Workspace, dataset_id: str) -> Path | None:
    place = ws.store.path(dataset_id, "source")
    return next((p for p in (place, place.with_name(_BEFORE)) if p.is_file()), None)


def _ending(name: str) -> str:
    """The known endings of a file's name, which say what it is; the rest of a name never becomes a path."""
    return next((ending for ending in ENDINGS if name.lower().endswith(ending)), "")


def _members(whole: Path, folder: Path) -> tuple[Original, ...]:
    found = []
    with tarfile.open(whole) as archive:
        for n, member in enumerate(archive):
            name = member.pax_headers.get("comment", member.name)
            place = folder / f"{n:04d}{_ending(name)}"
            content = archive.extractfile(member)
            if content is not None:
                with place.open("wb") as out:
                    shutil.copyfileobj(content, out, _BLOCK)
                found.append(Original(place, name, is_one_of_several=True))
    whole.unlink()
    return tuple(found)


def _packed(target: Path) -> pa.NativeFile:
    return pa.output_stream(str(target), compression="zstd")


def _unpacked(kept: Path) -> pa.NativeFile:
    return pa.input_stream(str(kept), compression="gzip" if kept.name == _BEFORE else "zstd")
