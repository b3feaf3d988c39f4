"""A disk without room: every way to it ends in one sentence, and nothing half-written stays."""

from __future__ import annotations

import errno
import gzip
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from core import workflows as wf
from core.cli.train import _copy_bundle
from core.data.source import text_bytes
from core.errors import DataProblem, StoreProblem
from core.jobs.processes import host_name
from core.jobs.worker import run_job
from core.store import Store, open_store
from core.store.problems import is_disk_full
from core.workflows.csv_out import write_csv
from core.workflows.scoring import read_table
from tests.stored import NOTHING, stored

ROOT = Path(__file__).resolve().parents[1]
SENTENCE = "The disk is full; nothing was saved."
# What DuckDB 2.0 said when it wrote to a full tmpfs and under RLIMIT_FSIZE.
WRITING = (
    "IO Error: Async write failed for range [offset=983147, size=983097]: "
    '{"exception_type":"IO","exception_message":"Could not write file \\"x.parquet\\": No space left on device","errno":"28"}'
)
TOO_LARGE = 'IO Error: Could not write file "x/duckdb_temp_9400_0_storage_DEFAULT-0.tmp": File too large'
MOVING_OUT = (
    "Out of Memory Error: failed to offload data block of size 256.0 KiB (768.0 KiB/921.5 KiB used).\n"
    "This limit was set by the 'max_temp_directory_size' setting."
)


def table_text(n: int) -> bytes:
    """About 60 bytes a row that do not compress well."""
    rng = random.Random(5)
    rows = (f"{i},{rng.random():.15f},{rng.random():.15f},{rng.random():.15f}\n" for i in range(n))
    return ("part,prediction,lower,upper\n" + "".join(rows)).encode()


def in_two_parts(text: bytes) -> bytes:
    """A gzip file whose last part is small, so that its end tells little of its size."""
    return gzip.compress(text[:-20], 1) + gzip.compress(text[-20:], 1)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        duckdb.IOException(WRITING),
        duckdb.IOException(TOO_LARGE),
        duckdb.OutOfMemoryException(MOVING_OUT),
        OSError("1000000 requested and 131056 written"),
    ],
    ids=["system", "duckdb-writing", "duckdb-file-too-large", "duckdb-moving-out", "numpy"],
)
def test_a_full_disk_is_known_by_whoever_meets_it(error: Exception) -> None:
    assert is_disk_full(error)


@pytest.mark.parametrize(
    "error",
    [
        duckdb.IOException('IO Error: No files found that match the pattern "x.parquet"'),
        duckdb.OutOfMemoryException("Out of Memory Error: could not allocate block of size 256.0 KiB (49.9 MiB/50.0 MiB used)"),
        PermissionError(errno.EACCES, "Permission denied"),
        ValueError("No space left on device"),
    ],
)
def test_other_errors_are_no_full_disk(error: Exception) -> None:
    assert not is_disk_full(error)


def test_a_packed_file_counts_with_what_it_unpacks_to(tmp_path: Path) -> None:
    plain, packed, parts = tmp_path / "a.csv", tmp_path / "a.csv.gz", tmp_path / "b.csv.gz"
    plain.write_bytes(b"a" * 1_000_000)
    packed.write_bytes(gzip.compress(b"a" * 1_000_000))
    parts.write_bytes(in_two_parts(table_text(1_000)))
    assert (text_bytes(plain), text_bytes(packed)) == (1_000_000, 1_000_000)
    assert text_bytes(parts) == 4 * parts.stat().st_size


@pytest.mark.parametrize("name", ["big.csv", "big.csv.gz"])
def test_an_import_that_cannot_fit_is_refused_before_the_work(
    tiny_disk: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.workflows.importing.read_file", lambda *_: pytest.fail("the work was begun"))
    ws = wf.open_workspace(tiny_disk)
    monkeypatch.setattr(ws.store.files, "_reserve", 0)
    path, text = tmp_path / name, b"a,b\n" + b"1,2\n" * 500_000
    path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    with pytest.raises(StoreProblem, match=SENTENCE):
        wf.import_file(ws, path)
    ws.store.engine.dispose()


def test_an_import_that_fills_the_disk_leaves_nothing(tiny_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ws = wf.open_workspace(tiny_disk)
    monkeypatch.setattr(ws.store.files, "_reserve", 0)
    monkeypatch.setattr("core.workflows.importing.SPACE_FACTOR", 0)
    before = stored(tiny_disk)
    path = tmp_path / "big.csv.gz"
    path.write_bytes(in_two_parts(table_text(60_000)))
    with pytest.raises(StoreProblem, match=SENTENCE):
        wf.import_file(ws, path)
    assert stored(tiny_disk) == before == NOTHING
    ws.store.engine.dispose()


def test_reading_a_table_needs_room_for_temporary_files(
    tiny_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "big.csv"
    path.write_bytes(table_text(90_000))
    monkeypatch.setattr(tempfile, "tempdir", str(tiny_disk))
    with pytest.raises(StoreProblem, match=SENTENCE):
        read_table(path)
    assert list(tiny_disk.iterdir()) == []


@pytest.mark.parametrize("name", ["scores.csv", "deeper/scores.csv"])
def test_scores_are_written_whole_or_not_at_all(tiny_disk: Path, name: str) -> None:
    rng = random.Random(5)
    with pytest.raises(StoreProblem, match=SENTENCE):
        write_csv(pd.DataFrame({"a": [rng.random() for _ in range(300_000)]}), tiny_disk / name)
    assert [p for p in tiny_disk.rglob("*") if p.is_file()] == []


@pytest.mark.parametrize("name", ["bundle", "bundle.zip"])
def test_a_bundle_is_copied_whole_or_not_at_all(tiny_disk: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(random.Random(5).randbytes(5 << 20))
    with pytest.raises(StoreProblem, match=SENTENCE):
        _copy_bundle(folder, tiny_disk / name)
    assert list(tiny_disk.iterdir()) == []


@pytest.mark.parametrize("error", [duckdb.IOException(WRITING), OSError("20 requested and 0 written")])
def test_a_job_that_meets_a_full_disk_can_be_resumed(tmp_path: Path, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def meets_it(_: object) -> None:
        raise error

    assert ended_with(open_store(tmp_path / "home"), meets_it, monkeypatch) == ("interrupted", SENTENCE)


def test_a_checkpoint_without_room_can_be_resumed_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.training.checkpoint import Snapshot, write_checkpoint
    from core.training.progress import Progress

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def trains(_: object) -> None:
        monkeypatch.setattr("core.training.checkpoint.os.fsync", full)
        try:
            write_checkpoint(tmp_path / "checkpoints", Snapshot(Progress(), [], [], []), "abc")
        finally:
            monkeypatch.undo()

    store = open_store(tmp_path / "home")
    assert ended_with(store, trains, monkeypatch) == ("interrupted", SENTENCE)


def ended_with(store: Store, work: Callable[[object], None], monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """The state and the sentence that a job of this work ends with."""
    submitted, _ = store.submit_job("selftest", lane="short", params={})
    store.claim_next("short", host=host_name(), limit=1)
    monkeypatch.setattr("core.jobs.worker.load", lambda _: work)
    assert run_job(store, submitted.id, 1) == 28
    job = store.get_job(submitted.id)
    assert job.problem is not None
    return job.state, job.problem["what"]["id"]


LIMITED = """
import resource, signal, sys
from core.cli import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.skipif(os.name == "nt", reason="needs resource limits")
@pytest.mark.parametrize("verb", ["import", "evaluate"])
def test_the_command_line_says_that_the_disk_is_full(tmp_path: Path, verb: str) -> None:
    home, data = tmp_path / "home", tmp_path / "big.csv"
    data.write_bytes(table_text(40_000))
    given = {"import": [str(data)], "evaluate": ["--scores", str(data), "--truth", f"{data}:lower"]}[verb]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, verb, *given, "--json"],
        cwd=ROOT,
        env={**os.environ, "ANDON_HOME": str(home)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith(SENTENCE) and "Traceback" not in done.stderr
    assert json.loads(done.stdout)["what"] == SENTENCE
    assert stored(home) == NOTHING


@pytest.mark.parametrize("lost", range(100, 1_100, 100))
def test_a_packed_file_that_was_cut_off_is_damaged_whatever_size_its_end_tells(tmp_path: Path, lost: int) -> None:
    ws = wf.open_workspace(tmp_path / "home")
    packed = gzip.compress(table_text(20_000))
    path = tmp_path / "cut.csv.gz"
    path.write_bytes(packed[:-lost])
    with pytest.raises(DataProblem, match="is damaged"):
        wf.import_file(ws, path)
    ws.store.engine.dispose()
