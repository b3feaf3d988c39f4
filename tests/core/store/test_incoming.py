"""Files that come in chunks: what has come is always a true beginning of the file, and nothing else stays on the disk."""

from __future__ import annotations

import errno
import hashlib
import io
import random
import shutil
from collections import namedtuple
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.store import incoming as module
from core.store.files import Files
from core.store.incoming import Incoming, NotTaken

CONTENT = random.Random(3).randbytes(10_000)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def place(tmp_path: Path, clock: Clock) -> Incoming:
    return Incoming(Files(tmp_path / "home"), max_bytes=20_000, clock=clock)


def opened(place: Incoming, *sizes: int) -> str:
    ticket = place.issue("me")
    place.begin(ticket, "me", [(f"file {i}.csv", n) for i, n in enumerate(sizes or (len(CONTENT),))])
    return ticket


def send(place: Incoming, ticket: str, start: int, stop: int, *, number: int = 0, announced: int | None = None) -> None:
    with place.chunk(ticket, "me", number, start, stop - start if announced is None else announced) as chunk:
        for at in range(start, stop, 700):
            chunk.write(CONTENT[at : min(at + 700, stop)])


def left(place: Incoming) -> list[Path]:
    return [p for p in place._files.home.rglob("*") if p.is_file()]


def refused(why: str):  # type: ignore[no-untyped-def]
    return pytest.raises(NotTaken, match=why)


def test_chunks_in_order_give_the_file_its_hash_and_a_private_place(place: Incoming) -> None:
    ticket = opened(place)
    for start in range(0, 10_000, 3_000):
        assert not place.is_whole(ticket)
        assert place.take(ticket) is None
        send(place, ticket, start, min(start + 3_000, 10_000))
    taken = place.take(ticket)
    assert taken is not None
    folder, (file,) = taken
    assert file.path.read_bytes() == CONTENT
    assert (file.name, file.n_bytes, file.sha256) == ("file 0.csv", 10_000, hashlib.sha256(CONTENT).hexdigest())
    assert folder.stat().st_mode & 0o077 == 0
    assert place.take(ticket) is None, "a ticket is good for one delivery"
    with refused("unknown"):
        place.offsets(ticket, "me")


def test_several_files_come_under_one_ticket_and_keep_the_ending_that_tells_what_they_are(place: Incoming) -> None:
    ticket = place.issue()
    place.begin(ticket, "me", [("a/../../etc/passwd.csv.GZ", 10), ("no ending", 20), ("leer.txt", 0)])
    send(place, ticket, 0, 20, number=1)
    send(place, ticket, 0, 10, number=0)
    taken = place.take(ticket)
    assert taken is not None
    folder, files = taken
    assert [f.path.name for f in files] == ["file-0.csv.gz", "file-1.csv", "file-2.txt"]
    assert [f.path.read_bytes() for f in files] == [CONTENT[:10], CONTENT[:20], b""]
    assert {f.path.parent for f in files} == {folder}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 4_000), st.sampled_from(["whole", "cut", "lies", "dies"])), max_size=25))
def test_whatever_breaks_on_the_way_the_file_comes_out_equal(tmp_path_factory, tries) -> None:  # type: ignore[no-untyped-def]
    place = Incoming(Files(tmp_path_factory.mktemp("in") / "home"))
    ticket = opened(place)
    for n, fate in tries:
        (start,) = place.offsets(ticket, "me")
        stop = min(start + n, 10_000)
        if start == 10_000:
            break
        if fate == "whole":
            send(place, ticket, start, stop)
        elif fate == "cut":
            with refused("damaged"):
                send(place, ticket, start, start + (stop - start) // 2, announced=stop - start)
        elif fate == "lies":
            with refused("damaged"), place.chunk(ticket, "me", 0, start, stop - start, "00" * 32) as chunk:
                chunk.write(b"x" * (stop - start))
        else:
            with pytest.raises(ConnectionError), place.chunk(ticket, "me", 0, start, stop - start) as chunk:
                chunk.write(b"x" * ((stop - start) // 2))
                raise ConnectionError
        assert place.offsets(ticket, "me") == (stop if fate == "whole" else start,)
    (start,) = place.offsets(ticket, "me")
    if start < 10_000:
        send(place, ticket, start, 10_000)
    taken = place.take(ticket)
    assert taken is not None
    assert taken[1][0].path.read_bytes() == CONTENT
    assert taken[1][0].sha256 == hashlib.sha256(CONTENT).hexdigest()


def test_a_wrong_ticket_holder_file_or_place_is_refused(place: Incoming) -> None:
    ticket = opened(place)
    send(place, ticket, 0, 100)
    for why, arguments in {
        "unknown": ("0" * 32, "me", 0, 100, 10),
        "foreign": (ticket, "you", 0, 100, 10),
        "bad": (ticket, "me", 1, 100, 10),
        "wrong_place": (ticket, "me", 0, 0, 10),
    }.items():
        with refused(why), place.chunk(*arguments):
            pass
    with refused("wrong_place"), place.chunk(ticket, "me", 0, 200, 10):
        pass
    assert place.offsets(ticket, "me") == (100,)


def test_more_than_was_announced_is_refused(place: Incoming, monkeypatch: pytest.MonkeyPatch) -> None:
    with refused("too_large"):
        place.begin(place.issue("me"), "me", [("a.csv", 15_000), ("b.csv", 5_001)])
    ticket = opened(place)
    with refused("bad"), place.chunk(ticket, "me", 0, 0, 10_001):
        pass
    with refused("bad"):
        send(place, ticket, 0, 200, announced=100)
    monkeypatch.setattr(module, "CHUNK_BYTES", 50)
    with refused("bad"), place.chunk(ticket, "me", 0, 0, 51):
        pass
    assert place.offsets(ticket, "me") == (0,)


@pytest.mark.parametrize("declared", [[], [("", 1)], [("a\x00b", 1)], [("a" * 256, 1)], [("a.csv", -1)], [("a.csv", 1)] * 501])
def test_a_list_of_files_that_is_none_is_refused(place: Incoming, declared: list[tuple[str, int]]) -> None:
    with refused("bad"):
        place.begin(place.issue("me"), "me", declared)
    assert not left(place)


def test_the_same_list_goes_on_and_another_is_refused(place: Incoming) -> None:
    ticket = opened(place)
    send(place, ticket, 0, 1_000)
    assert place.begin(ticket, "me", [("file 0.csv", 10_000)]) == (1_000,)
    with refused("bad"):
        place.begin(ticket, "me", [("file 0.csv", 9_999)])


class Broken(io.BytesIO):
    """A file on a disk that answers with an error of that number."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def write(self, block: object) -> int:
        raise OSError(self.number, "told by the disk")


def test_only_a_full_disk_is_called_full(place: Incoming, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = opened(place)
    for number, raised in ((errno.ENOSPC, refused("disk_full")), (errno.EIO, pytest.raises(OSError, match="told by"))):
        with raised, place.chunk(ticket, "me", 0, 0, 700) as chunk:
            monkeypatch.setattr(chunk, "_out", Broken(number))
            chunk.write(CONTENT[:700])
        assert place.offsets(ticket, "me") == (0,)


def test_three_times_the_file_and_a_gigabyte_must_be_free_beside_what_others_will_send(
    place: Incoming, monkeypatch: pytest.MonkeyPatch
) -> None:
    Usage = namedtuple("Usage", "total used free")
    free = 3 * 10_000 + 2**30
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, free))
    ticket = opened(place)
    with refused("disk_full"):
        opened(place)
    send(place, ticket, 0, 10_000)
    opened(place)
    with refused("disk_full"):
        opened(place, 10_001)


def test_one_chunk_at_a_time_and_a_dropped_one_is_removed_when_it_ends(place: Incoming) -> None:
    ticket = opened(place)
    with place.chunk(ticket, "me", 0, 0, 700) as chunk:
        with refused("busy"), place.chunk(ticket, "me", 0, 0, 10):
            pass
        place.drop(ticket, "me")
        assert left(place), "nothing is pulled away from under the writer"
        chunk.write(CONTENT[:700])
    assert not left(place)


def test_what_is_given_up_left_alone_or_open_at_the_end_leaves_nothing(place: Incoming, clock: Clock) -> None:
    given_up, forgotten, fresh = opened(place), opened(place), place.issue("me")
    send(place, given_up, 0, 500)
    with refused("foreign"):
        place.drop(given_up, "you")
    place.drop(given_up, "me")
    place.drop(given_up, "me")
    assert len(left(place)) == 1
    clock.now = module.IDLE_SECONDS + 1
    assert place.sweep() == 1
    assert not left(place)
    assert not place.knows(forgotten)
    assert place.knows(fresh), "a page may stand open for hours before a file is chosen"
    opened(place)
    place.close()
    assert not left(place)
    assert not list((place._files.home / "incoming").iterdir())
