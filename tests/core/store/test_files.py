from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from core.durable import sha256_of
from core.errors import StoreProblem
from core.store import Store, new_id
from core.store import files as files_module

ROOT = Path(__file__).resolve().parents[3]


class FailingCalls:
    """Counts the calls that reach the disk and fails the k-th with an error number."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fail_at: int, number: int) -> None:
        self.count, self._fail_at, self._number = 0, fail_at, number
        for name in ("fsync", "replace"):
            monkeypatch.setattr(files_module.os, name, self._wrap(getattr(os, name)))

    def _wrap(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            self.count += 1
            if self.count == self._fail_at:
                raise OSError(self._number, os.strerror(self._number))
            return real(*arguments)

        return call


def leftovers(store: Store) -> list[Path]:
    return [p for p in store.home.rglob("*") if p.name.endswith(".tmp") or p.parent == store.home / "tmp"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_the_home_is_only_for_its_owner(store: Store) -> None:
    assert stat.S_IMODE(store.home.stat().st_mode) == 0o700


def test_a_path_is_made_of_the_id_and_stays_in_the_home(store: Store) -> None:
    id = new_id()
    assert store.path(id, "parquet") == store.home / "data" / id / "table.parquet"
    assert store.path(id, "report", "report.html").parent == store.home / "reports" / id


@pytest.mark.parametrize(
    "bad",
    ["", "..", "../../etc", "a/b", "CON", "x\x00", "\\\\host\\share", "C:", "AAAAAAAA-0000-4000-8000-000000000000", "0" * 36],
)
def test_what_is_not_an_id_is_refused(store: Store, bad: str) -> None:
    with pytest.raises(StoreProblem, match="There is no file"):
        store.path(bad, "parquet")


@pytest.mark.parametrize("bad", ["..", ".", "a/b", "a\\b", "a:b", "x\x00", "ü.html", "n" * 81, ".hidden", "a\n"])
def test_a_name_that_could_lead_elsewhere_is_refused(store: Store, bad: str) -> None:
    with pytest.raises(StoreProblem, match="There is no file"):
        store.path(new_id(), "report", bad)


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_link_in_the_way_is_refused(store: Store, tmp_path: Path) -> None:
    id = new_id()
    (store.home / "data").mkdir()
    (store.home / "data" / id).symlink_to(tmp_path)
    with pytest.raises(StoreProblem, match="There is no file"):
        store.path(id, "parquet")


def test_nothing_is_written_outside(store: Store, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="outside the store"):
        store.write_bytes(tmp_path / "elsewhere" / "x", b"1")


@pytest.mark.parametrize("fail_at", [1, 2, 3])
def test_a_full_disk_at_any_call_leaves_the_old_file_or_the_new_one_whole(
    store: Store, monkeypatch: pytest.MonkeyPatch, fail_at: int
) -> None:
    target = store.path(new_id(), "parquet")
    store.write_bytes(target, b"old")
    with monkeypatch.context() as patch:
        calls = FailingCalls(patch, fail_at, errno.ENOSPC)
        with pytest.raises(StoreProblem, match="The disk is full; nothing was saved"):
            store.write_bytes(target, b"new content")
    assert calls.count == fail_at
    assert target.read_bytes() == (b"old" if fail_at < 3 else b"new content")
    assert leftovers(store) == []


def test_a_writer_that_meets_a_full_disk_halfway_leaves_nothing(store: Store) -> None:
    def writer(handle: BinaryIO) -> None:
        handle.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    target = store.path(new_id(), "parquet")
    with pytest.raises(StoreProblem, match="disk is full"):
        store.write_file(target, writer)
    assert not target.exists()
    assert leftovers(store) == []


def test_a_failed_sync_is_an_error_and_is_not_tried_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    target = store.path(new_id(), "parquet")
    with monkeypatch.context() as patch:
        calls = FailingCalls(patch, 1, errno.EIO)
        with pytest.raises(OSError, match="Input/output error"):
            store.write_bytes(target, b"x")
    assert calls.count == 1
    assert not target.exists()


@pytest.mark.parametrize("fail_at", range(1, 9))
def test_a_folder_is_adopted_whole_or_not_at_all(store: Store, monkeypatch: pytest.MonkeyPatch, fail_at: int) -> None:
    target = store.path(new_id(), "bundle")
    with store.scratch() as folder:
        (folder / "b" / "inner").mkdir(parents=True)
        (folder / "b" / "model.onnx").write_bytes(b"onnx")
        (folder / "b" / "inner" / "x.json").write_bytes(b"{}")
        with monkeypatch.context() as patch:
            calls = FailingCalls(patch, fail_at, errno.ENOSPC)
            try:
                store.adopt_folder(folder / "b", target)
            except StoreProblem as problem:
                assert "disk is full" in str(problem)
    names = {p.name for p in target.rglob("*")} if target.exists() else None
    assert names in (None, {"model.onnx", "inner", "x.json"})
    assert (names is not None) == (calls.count >= 6)  # 2 files and 2 folders synced, moved, then the parent synced
    assert leftovers(store) == []


def test_a_newer_folder_sends_the_former_to_the_trash(store: Store) -> None:
    target = store.path(new_id(), "bundle")
    for content in (b"1", b"2"):
        with store.scratch() as folder:
            (folder / "b").mkdir()
            (folder / "b" / "manifest.json").write_bytes(content)
            store.adopt_folder(folder / "b", target)
    assert (target / "manifest.json").read_bytes() == b"2"
    assert [p.read_bytes() for p in (store.home / "trash").rglob("manifest.json")] == [b"1"]


def test_too_little_space_is_refused_before_the_work(store: Store) -> None:
    with pytest.raises(StoreProblem, match=r"MB are free, 1,048,608 MB are needed"):
        store.need_space(2**40)


def test_the_hash_is_that_of_the_content(store: Store) -> None:
    path = store.write_bytes(store.path(new_id(), "parquet"), b"abc")
    # FIPS 180-2, appendix B.1
    assert sha256_of(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.fixture
def small_disk() -> Iterator[str]:
    yield (
        "import resource, sys; from pathlib import Path; from core.store import open_store, new_id;"
        "from core.errors import StoreProblem; from core.training.events import Event;"
        "store = open_store(Path(sys.argv[1])); job, _ = store.submit_job('selftest', lane='short', params={});"
        "store.append_events(job.id, [Event('note', {'n': 1})]); print(job.id);"
        "size = (store.home / 'andon.db').stat().st_size;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (size, size));"
    )


@pytest.mark.skipif(os.name == "nt", reason="needs resource limits")
def test_the_system_s_own_limit_on_a_file_reads_as_a_full_disk(store: Store, small_disk: str) -> None:
    code = small_disk + (
        "target = store.path(new_id(), 'parquet')\n"
        "try: store.write_bytes(target, b'x' * 10 * size)\n"
        "except StoreProblem as problem: print(problem.values['reason'], target.exists(), list(target.parent.iterdir()))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(store.home)], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1] == "disk_full False []"


@pytest.mark.skipif(os.name == "nt", reason="needs resource limits")
def test_a_database_that_cannot_grow_keeps_what_it_has(store: Store, small_disk: str) -> None:
    code = small_disk + (
        "\ntry: store.append_events(job.id, [Event('note', {'text': 'x' * 5000}) for _ in range(50)])\n"
        "except StoreProblem as problem: print(problem.values['reason'])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(store.home)], cwd=ROOT, capture_output=True, text=True, check=True)
    job_id, reason = done.stdout.splitlines()
    assert reason in ("disk_full", "unusable")
    store.check()
    assert [e.values for e in store.events_after(job_id)] == [{"n": 1}]
