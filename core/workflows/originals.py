"""The original bytes of a dataset: kept compressed, found again by their hash, and given back for another reading."""

from __future__ import annotations

import hashlib
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pyarrow as pa

from core.data.dataset import Dataset
from core.errors import StoreProblem
from core.messages import msg
from core.store import sha256_of
from core.store.files import SCRATCH
from core.workflows.workspace import Workspace

_BLOCK = 1 << 20
_BEFORE = "source.gz"  # What the original was called while it was packed with gzip.
_ARCHIVE = b"ustar"


@dataclass(frozen=True, slots=True)
class Original:
    """A file as it was sent: its place for now, and the name that it had."""

    path: Path
    name: str


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
    except BaseException:
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
    with _unpacked(kept) as source:
        whole = folder / "whole"
        with whole.open("wb") as out:
            shutil.copyfileobj(source, out, _BLOCK)
    found = _members(whole, folder) if _is_archive(whole, row.options) else (_named(whole, row.source_name, folder),)
    if hash_of_all([o.path for o in found]) != row.source_sha256:
        raise StoreProblem(
            msg("The kept original of '{name}' is damaged.", name=row.name),
            msg("Expected the bytes that were imported."),
            msg("Import the file again, or take it from a backup."),
        )
    return found


def _kept(ws: Workspace, dataset_id: str) -> Path | None:
    place = ws.store.path(dataset_id, "source")
    return next((p for p in (place, place.with_name(_BEFORE)) if p.is_file()), None)


def _is_archive(whole: Path, options: object) -> bool:
    """Whether the kept bytes are our archive of several files: the import says how they went together."""
    source = options.get("source", {}) if isinstance(options, dict) else {}
    with whole.open("rb") as file:
        return bool(source.get("combine")) and not source.get("member") and file.read(262)[257:] == _ARCHIVE


def _named(whole: Path, name: str, folder: Path) -> Original:
    """Under the name it had, for the endings say what a file is; never outside the folder."""
    shown = PurePosixPath(name.replace("\\", "/")).name or "original"
    place = folder / ("f-" + shown[-100:])
    return Original(whole.rename(place), name or shown)


def _members(whole: Path, folder: Path) -> tuple[Original, ...]:
    found = []
    with tarfile.open(whole) as archive:
        for n, member in enumerate(archive):
            name = member.pax_headers.get("comment", member.name)
            place = folder / f"{n:04d}-{PurePosixPath(name).name[-100:]}"
            content = archive.extractfile(member)
            if content is not None:
                with place.open("wb") as out:
                    shutil.copyfileobj(content, out, _BLOCK)
                found.append(Original(place, name))
    whole.unlink()
    return tuple(found)


def _packed(target: Path) -> pa.NativeFile:
    return pa.output_stream(str(target), compression="zstd")


def _unpacked(kept: Path) -> pa.NativeFile:
    return pa.input_stream(str(kept), compression="gzip" if kept.name == _BEFORE else "zstd")
