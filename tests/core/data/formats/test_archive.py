"""The ZIP suite: what a hostile or broken archive may try, and that nothing of it lands outside the folder or beyond a ceiling."""

from __future__ import annotations

import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.data.formats import archive as module
from core.data.formats.archive import ArchiveLimits
from core.errors import DataProblem
from tests.core.data.formats.making import read_any, write_workbook

TABLE = "a,b\n" + "".join(f"{n},{n * 0.5}\n" for n in range(20))


def packed(path: Path, *files: tuple[str | zipfile.ZipInfo, str | bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in files:
            if isinstance(name, zipfile.ZipInfo):
                name.compress_type = compression
            archive.writestr(name, content)
    return path


def named(name: str, mode: int = 0o644) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("placeholder")
    info.filename = info.orig_filename = name
    info.external_attr = (stat.S_IFREG | mode) << 16
    return info


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return info


def patched(path: Path, change: Callable[[bytearray], None]) -> Path:
    content = bytearray(path.read_bytes())
    change(content)
    path.write_bytes(content)
    return path


def set_flags(content: bytearray, flag: int) -> None:
    content[6] |= flag
    content[content.index(b"PK\x01\x02") + 8] |= flag


def set_declared_size(content: bytearray, size: int) -> None:
    struct.pack_into("<I", content, 22, size)
    struct.pack_into("<I", content, content.index(b"PK\x01\x02") + 24, size)


def set_method(content: bytearray, method: int) -> None:
    struct.pack_into("<H", content, 8, method)
    struct.pack_into("<H", content, content.index(b"PK\x01\x02") + 10, method)


def inner_zip(tmp_path: Path) -> bytes:
    return packed(tmp_path / "inner", ("t.csv", TABLE)).read_bytes()


BAD: dict[str, tuple[Callable[[Path, Path], Path], str]] = {
    "parent": (lambda p, t: packed(p, (named("../evil.csv"), TABLE)), "leads out of the folder"),
    "parent_in_the_middle": (lambda p, t: packed(p, (named("x/../../evil.csv"), TABLE)), "leads out of the folder"),
    "absolute": (lambda p, t: packed(p, (named("/tmp/evil.csv"), TABLE)), "leads out of the folder"),
    "drive": (lambda p, t: packed(p, (named("C:\\evil.csv"), TABLE)), "leads out of the folder"),
    "backslashes": (lambda p, t: packed(p, (named("..\\..\\evil.csv"), TABLE)), "leads out of the folder"),
    "share": (lambda p, t: packed(p, (named("\\\\host\\share\\evil.csv"), TABLE)), "leads out of the folder"),
    "link": (lambda p, t: packed(p, (link("t.csv"), "/etc/passwd")), "is a link"),
    "twice": (lambda p, t: packed(p, (named("t.csv"), TABLE), (named("t.csv"), TABLE)), "occurs twice"),
    "encrypted": (lambda p, t: patched(packed(p, ("t.csv", TABLE)), lambda c: set_flags(c, 1)), "is encrypted"),
    "nested": (lambda p, t: packed(p, ("inner.zip", inner_zip(t))), "archive inside an archive"),
    "nested_under_another_name": (lambda p, t: packed(p, ("table.csv", inner_zip(t))), "archive inside an archive"),
    "nested_as_workbook": (lambda p, t: packed(p, ("table.xlsx", inner_zip(t))), "archive inside an archive"),
    "gzip_inside": (lambda p, t: packed(p, ("t.csv.gz", b"\x1f\x8b\x08" + bytes(60))), "archive inside an archive"),
    "bomb": (lambda p, t: packed(p, ("t.csv", b"0" * 40_000_000)), "unpacks to more than 100 times its size"),
    "many_small_bombs": (
        lambda p, t: packed(p, *((f"t{n}.csv", b"1,2,3\n" * 60_000) for n in range(60))),
        "would unpack to [0-9,]+ times its size",
    ),
    "lies_about_its_size": (
        lambda p, t: patched(packed(p, ("t.csv", TABLE * 50)), lambda c: set_declared_size(c, 40)),
        "damaged|longer than it says",
    ),
    "damaged_bytes": (
        lambda p, t: patched(packed(p, ("t.csv", TABLE * 50)), lambda c: c.__setitem__(slice(60, 90), bytes(30))),
        "damaged",
    ),
    "wrong_checksum": (
        lambda p, t: patched(packed(p, ("t.csv", TABLE), compression=zipfile.ZIP_STORED), lambda c: c.__setitem__(50, 0x39)),
        "damaged",
    ),
    "cut_off": (
        lambda p, t: patched(packed(p, ("t.csv", TABLE)), lambda c: c.__delitem__(slice(len(c) // 2, None))),
        "damaged",
    ),
    "unknown_method": (lambda p, t: patched(packed(p, ("t.csv", TABLE)), lambda c: set_method(c, 77)), "damaged"),
    "no_table": (
        lambda p, t: packed(p, ("readme.md", "hello"), ("picture.png", b"\x89PNG")),
        "There is no table .* It holds: readme.md",
    ),
    "empty": (lambda p, t: packed(p), "There is no table in the archive"),
    "folders_only": (lambda p, t: packed(p, ("a/", ""), ("a/b/", "")), "There is no table in the archive"),
    "empty_file": (lambda p, t: packed(p, ("t.csv", "")), "There is no table in the archive"),
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("kind", BAD)
def test_a_bad_archive_is_refused_in_one_sentence_and_writes_nothing_outside(tmp_path: Path, kind: str) -> None:
    make, words = BAD[kind]
    work = tmp_path / "work" / "deep"
    work.mkdir(parents=True)
    path = make(work / "a.zip", tmp_path)
    before = set(tmp_path.rglob("*"))
    with pytest.raises(DataProblem, match=words):
        read_any(path, work)
    new = set(tmp_path.rglob("*")) - before
    assert all(p.is_relative_to(work / "opened") for p in new)
    assert not list(Path("/tmp").glob("evil.csv"))
    assert sum(p.stat().st_size for p in new if p.is_file()) <= 2_000_000


def test_ceilings_name_what_was_exceeded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = packed(tmp_path / "a.zip", *((f"t{n}.csv", TABLE) for n in range(5)))
    unpacked = 5 * len(TABLE)
    for limits, words in (
        (ArchiveLimits(entries=4), "'a.zip' has 5 files. Expected at most 4"),
        (ArchiveLimits(packed_bytes=100), "packed bytes. Expected at most 100"),
        (ArchiveLimits(unpacked_bytes=unpacked - 1), f"has {unpacked:,} unpacked bytes"),
    ):
        with zipfile.ZipFile(path) as archive, pytest.raises(DataProblem, match=words):
            module.checked_entries(archive, path, limits)


def test_the_disk_is_bounded_by_what_really_comes(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", ("t.csv", TABLE * 400))
    target = tmp_path / "out"
    with zipfile.ZipFile(path) as archive:
        entry = archive.infolist()[0]
        limits = ArchiveLimits(unpacked_bytes=1_000)
        with pytest.raises(DataProblem, match="longer than it says"):
            module.unpack(archive, entry, path, target, limits, lambda stage, part: None)
    assert target.stat().st_size <= 1_000


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_one_table_is_read_however_it_is_packed(tmp_path: Path, method: int) -> None:
    path = packed(
        tmp_path / "a.zip",
        ("data/t.csv", TABLE),
        ("__MACOSX/data/._t.csv", b"\x00\x05"),
        (".DS_Store", "x"),
        compression=method,
    )
    opened, reading, rows = read_any(path, tmp_path)
    assert rows == [(float(n), n * 0.5) for n in range(20)]
    assert (opened.members, reading.outcome, reading.lines.total) == (("data/t.csv",), "load", 21)


def test_a_workbook_and_a_parquet_inside(tmp_path: Path) -> None:
    book = write_workbook(tmp_path / "b.xlsx", {"S": [["a", "b"], [1, 2.5], [3, 4.5]]}).read_bytes()
    pq.write_table(pa.table({"a": [1.0, 2.0]}), tmp_path / "t.parquet")
    (tmp_path / "one").mkdir()
    assert read_any(packed(tmp_path / "a.zip", ("b.xlsx", book)), tmp_path / "one")[2] == [(1.0, 2.5), (3.0, 4.5)]
    (tmp_path / "two").mkdir()
    inside = (tmp_path / "t.parquet").read_bytes()
    assert read_any(packed(tmp_path / "c.zip", ("t.parquet", inside)), tmp_path / "two")[2] == [(1.0,), (2.0,)]


def test_several_tables_are_offered(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", ("b.csv", TABLE), ("LICENSE", "words"), ("a.csv", "x,y\n1,2\n3,4\n"))
    opened, reading, _ = read_any(path, tmp_path)
    assert reading.outcome == "ask"
    assert [str(label) for _, label in reading.questions[0].options] == ["b.csv", "a.csv", "all of them, one below the other"]
    assert reading.questions[0].options[1][0].member == "a.csv"  # type: ignore[attr-defined]
    (tmp_path / "more").mkdir()
    assert read_any(path, tmp_path / "more", member="a.csv")[2] == [(1.0, 2.0), (3.0, 4.0)]
    with pytest.raises(DataProblem, match="There is no file 'c.csv' in 'a.zip'. It has: b.csv, a.csv"):
        read_any(path, tmp_path / "more" / "opened", member="c.csv")


def test_a_name_inside_is_data_and_never_a_path(tmp_path: Path) -> None:
    name = "x\u202e" + "y" * 200 + ".csv"
    opened, _, rows = read_any(packed(tmp_path / "a.zip", (named(name), TABLE)), tmp_path)
    assert len(rows) == 20 and opened.members == (name,)
    assert opened.file.relative_to(tmp_path) == Path("opened/member-0/table")
