"""Where a messy file goes the straight way, its reading and its table are those of the careful way."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from benchmarks import fuzz
from core.data import reading as reading_module
from core.data import straight
from core.data.reading import Reading, read_file
from core.errors import Problem

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


class _NotStraight(Exception):
    """The straight way stepped back."""


def _read(path: Path, table: Path) -> tuple[Reading, dict[str, list[object]]]:
    reading = read_file(path, table)
    return reading, pq.read_table(table).to_pydict()


def _went_and_equal(path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    def step_back(*_: object) -> object:
        raise _NotStraight

    with monkeypatch.context() as patched:
        patched.setattr(straight, "SMALLEST", 0)
        patched.setattr(reading_module, "_careful_table", step_back)
        try:
            found = _read(path, folder / "straight.parquet")
        except (_NotStraight, Problem):
            return False
    assert _read(path, folder / "careful.parquet") == found, path.name
    return True


def test_files_of_the_collection(shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = sorted(p for p in (shared_data / "messy-csv").rglob("*") if p.is_file() and p.suffix in (".csv", ".tsv", ".txt"))
    went = [_went_and_equal(path, tmp_path, monkeypatch) for path in files[::8]]
    assert sum(went) > 15


def test_mutated_files(shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    originals = fuzz.originals()
    path = tmp_path / "a.csv"
    went = 0
    for seed in range(50_000, 50_100):
        path.write_bytes(fuzz.mutated(seed, originals))
        went += _went_and_equal(path, tmp_path, monkeypatch)
    assert went > 1
