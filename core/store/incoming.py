"""Files on their way into the store, in chunks: who may send what, what has come, and what is taken away again.

A ticket is a random name that a page gives out; with it one delivery of declared files may be sent. A chunk counts
whole or not at all, so that what has come is always a true beginning of the file: after a dropped connection the sender
asks for the place and goes on. A delivery that nobody sends to any more is removed.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal

from core.errors import StoreProblem
from core.store.files import Files, disk_errors

CHUNK_BYTES = 8 << 20
MAX_BYTES = 10_000_000_000
MOST_FILES, MOST_DELIVERIES = 500, 200
SPACE_FACTOR, SPACE_RESERVE = 3, 1 << 30  # what an import needs beside the file itself
IDLE_SECONDS, UNUSED_SECONDS = 15 * 60.0, 24 * 3600.0
ENDINGS = (".csv.gz", ".tsv.gz", ".txt.gz", ".csv", ".tsv", ".txt", ".gz", ".xlsx", ".parquet", ".zip")
_MAX_NAME = 255

Why = Literal["unknown", "foreign", "bad", "too_large", "disk_full", "wrong_place", "busy", "damaged"]


class NotTaken(Exception):
    """A chunk or a file that is not accepted. `why` is a word for the sender, who has the sentence in its language."""

    def __init__(self, why: Why, detail: str = "") -> None:
        super().__init__(why, detail)
        self.why, self.detail = why, detail


@dataclass(frozen=True, slots=True)
class Arrived:
    """A whole file as it lies on the disk, under a name of our own."""

    path: Path
    name: str
    n_bytes: int
    sha256: str


@dataclass
class _File:
    path: Path
    name: str
    n_bytes: int
    offset: int = 0
    hash: hashlib._Hash = field(default_factory=hashlib.sha256)


@dataclass
class _Delivery:
    holder: str
    seen: float
    folder: Path | None = None
    files: tuple[_File, ...] = ()
    receiving: bool = False

    @property
    def is_whole(self) -> bool:
        return bool(self.files) and all(f.offset == f.n_bytes for f in self.files)

    @property
    def missing(self) -> int:
        return sum(f.n_bytes - f.offset for f in self.files)


class Chunk:
    """A chunk that is being written; see `Incoming.chunk`."""

    def __init__(self, out: BinaryIO, file: _File, most: int) -> None:
        self._out, self._most = out, most
        self.n_bytes, self.hash, self.own_hash = 0, file.hash.copy(), hashlib.sha256()

    def write(self, block: bytes) -> None:
        """Add a block.

        Raises:
            NotTaken: more has come than was announced, or the disk is full.
        """
        if self.n_bytes + len(block) > self._most:
            raise NotTaken("bad", "more bytes than announced")
        try:
            with disk_errors():
                self._out.write(block)
        except StoreProblem as error:
            raise NotTaken("disk_full") from error
        self.n_bytes += len(block)
        self.hash.update(block)
        self.own_hash.update(block)


class Incoming:
    """All deliveries of one server. Its methods may be called from any thread."""

    def __init__(self, files: Files, *, max_bytes: int = MAX_BYTES, clock: Callable[[], float] = time.monotonic) -> None:
        self._files, self._clock, self.max_bytes = files, clock, max_bytes
        self._lock = threading.Lock()
        self._open: dict[str, _Delivery] = {}

    def issue(self, holder: str = "") -> str:
        """A new ticket. Only requests of this holder are served; "" binds it to the first that comes.

        The oldest ticket without a file goes when there are too many.
        """
        self.sweep()
        ticket = secrets.token_hex(16)
        with self._lock:
            unused = [t for t, d in self._open.items() if not d.files]
            for old in unused[: max(0, len(unused) - MOST_DELIVERIES + 1)]:
                del self._open[old]
            self._open[ticket] = _Delivery(holder, self._clock())
        return ticket

    def begin(self, ticket: str, holder: str, declared: Sequence[tuple[str, int]]) -> tuple[int, ...]:
        """Announce the files as (name, bytes); how many bytes of each have come. The same list again goes on.

        Raises:
            NotTaken: no such ticket, another holder, too large, no room on the disk, or another list than before.
        """
        _check_declared(declared, self.max_bytes)
        with self._lock:
            delivery = self._find(ticket, holder)
            if delivery.files:
                if [(f.name, f.n_bytes) for f in delivery.files] != list(declared):
                    raise NotTaken("bad", "another list of files than before")
                return tuple(f.offset for f in delivery.files)
            self._need_space(sum(n for _, n in declared))
            with disk_errors():
                delivery.folder = self._files.incoming()
                delivery.files = tuple(
                    _File(delivery.folder / f"file-{i}{_ending(name)}", name, n) for i, (name, n) in enumerate(declared)
                )
                for file in delivery.files:
                    file.path.touch(mode=0o600)
            delivery.holder = holder
            return (0,) * len(declared)

    def offsets(self, ticket: str, holder: str) -> tuple[int, ...]:
        """How many bytes of each file have come.

        Raises:
            NotTaken: no such ticket, or another holder.
        """
        with self._lock:
            return tuple(f.offset for f in self._find(ticket, holder).files)

    @contextmanager
    def chunk(
        self, ticket: str, holder: str, number: int, offset: int, n_bytes: int, sha256: str | None = None
    ) -> Iterator[Chunk]:
        """Write the next `n_bytes` of a file at `offset`; it counts when the block ends with all bytes there.

        Raises:
            NotTaken: no such ticket, file or place, another chunk is under way, too many bytes, too few, or a wrong hash.
        """
        with self._lock:
            delivery = self._find(ticket, holder)
            if delivery.receiving:
                raise NotTaken("busy")
            if not 0 <= number < len(delivery.files):
                raise NotTaken("bad", "no such file")
            file = delivery.files[number]
            if offset != file.offset:
                raise NotTaken("wrong_place", str(file.offset))
            if not 0 < n_bytes <= min(CHUNK_BYTES, file.n_bytes - file.offset):
                raise NotTaken("bad", "a chunk of this size does not fit")
            delivery.receiving = True
        try:
            with file.path.open("r+b") as out:
                out.truncate(offset)
                out.seek(offset)
                written = Chunk(out, file, n_bytes)
                yield written
            if written.n_bytes != n_bytes or (sha256 and written.own_hash.hexdigest() != sha256.lower()):
                raise NotTaken("damaged")
            with self._lock:
                file.offset, file.hash = offset + n_bytes, written.hash
        finally:
            with self._lock:
                delivery.receiving, delivery.seen = False, self._clock()
                is_gone = self._open.get(ticket) is not delivery
            if is_gone:
                _remove(delivery)

    def knows(self, ticket: str) -> bool:
        """Whether the ticket may still be used."""
        with self._lock:
            return ticket in self._open

    def is_whole(self, ticket: str) -> bool:
        """Whether every file of the delivery has come; False for a ticket that is not known."""
        with self._lock:
            delivery = self._open.get(ticket)
            return delivery is not None and delivery.is_whole

    def take(self, ticket: str) -> tuple[Path, tuple[Arrived, ...]] | None:
        """The folder and the files of a whole delivery, which is the caller's from now on; the ticket is used up.

        None when there is no such delivery or something is missing.
        """
        with self._lock:
            delivery = self._open.get(ticket)
            if delivery is None or delivery.folder is None or delivery.receiving or not delivery.is_whole:
                return None
            del self._open[ticket]
        files = tuple(Arrived(f.path, f.name, f.n_bytes, f.hash.hexdigest()) for f in delivery.files)
        return delivery.folder, files

    def drop(self, ticket: str, holder: str | None = None) -> None:
        """Forget a ticket and remove what came with it; nothing happens when there is none.

        Raises:
            NotTaken: it is another holder's; None is the page itself.
        """
        with self._lock:
            if ticket not in self._open:
                return
            delivery = self._open[ticket] if holder is None else self._find(ticket, holder)
            del self._open[ticket]
            if delivery.receiving:
                return  # the chunk that is being written sees that it is gone, and removes the folder itself
        _remove(delivery)

    def sweep(self) -> int:
        """Remove deliveries that nobody has sent to for a while; how many."""
        now = self._clock()
        with self._lock:
            old = [
                ticket
                for ticket, d in self._open.items()
                if not d.receiving and now - d.seen > (IDLE_SECONDS if d.files else UNUSED_SECONDS)
            ]
            gone = [self._open.pop(ticket) for ticket in old]
        for delivery in gone:
            _remove(delivery)
        return len(gone)

    def close(self) -> None:
        """Remove everything, at the end of the server."""
        with self._lock:
            gone = list(self._open.values())
            self._open.clear()
        for delivery in gone:
            _remove(delivery)

    def _find(self, ticket: str, holder: str) -> _Delivery:
        delivery = self._open.get(ticket)
        if delivery is None:
            raise NotTaken("unknown")
        if delivery.holder and not secrets.compare_digest(delivery.holder, holder):
            raise NotTaken("foreign")
        delivery.seen = self._clock()
        return delivery

    def _need_space(self, n_bytes: int) -> None:
        """Room for an import of this size beside what other deliveries have announced and not sent yet."""
        others = sum(d.missing for d in self._open.values())
        free = shutil.disk_usage(self._files.home).free
        if free < SPACE_FACTOR * n_bytes + SPACE_RESERVE + others:
            raise NotTaken("disk_full", f"{free} free")


def _check_declared(declared: Sequence[tuple[str, int]], most: int) -> None:
    if not 0 < len(declared) <= MOST_FILES:
        raise NotTaken("bad", "no file, or too many")
    for name, n_bytes in declared:
        if not name or len(name) > _MAX_NAME or any(ord(c) < 32 or ord(c) == 127 for c in name):
            raise NotTaken("bad", "a name that is none")
        if n_bytes < 0:
            raise NotTaken("bad", "a negative size")
    if sum(n for _, n in declared) > most:
        raise NotTaken("too_large", str(most))


def _ending(name: str) -> str:
    """The ending that tells the reader what it is, from our own list: nothing of a user's name becomes a path."""
    return next((ending for ending in ENDINGS if name.lower().endswith(ending)), ".csv")


def _remove(delivery: _Delivery) -> None:
    if delivery.folder is not None:
        shutil.rmtree(delivery.folder, ignore_errors=True)
