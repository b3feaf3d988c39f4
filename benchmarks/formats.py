"""Reading workbooks, Parquet and several files in the child process: seconds and peak memory. `make bench-formats`.

A fresh process a line, so that its peak is its own; the two libraries for workbooks read the same file into the same text.
"""

from __future__ import annotations

import contextlib
import csv
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from benchmarks.common import publish, table

ROWS, COLUMNS = 100_000, 20
PARQUET_ROWS = 1_000_000


def main(arguments: list[str]) -> int:
    """Measure all, or, called with a name and a folder, one in this process."""
    if arguments:
        return _one(*arguments)
    with tempfile.TemporaryDirectory(prefix="andon-formats-") as folder:
        subprocess.run([sys.executable, "-m", "benchmarks.formats", "make", folder], check=True)
        lines = [[title, *_measured(name, folder)] for name, title in TITLES.items()]
    publish("formats", "make bench-formats", table(["", "seconds", "computing", "peak memory"], lines))
    return 0


TITLES = {
    "start": "a child that starts and reads 20 rows",
    "here": "the same 20 rows without a child",
    "workbook": f"XLSX, {ROWS:,} × {COLUMNS}: imported, in the child",
    "calamine": "the same cells as text, python-calamine alone",
    "openpyxl": "the same cells as text, openpyxl read-only alone",
    "parquet": f"Parquet, {PARQUET_ROWS:,} × {COLUMNS}: imported, in the child",
    "stack": "34 CSV files of 1,100 rows stacked",
}


def _measured(name: str, folder: str) -> list[str]:
    """Seconds, processor seconds and peak memory of the process that works: the child where there is one."""
    done = subprocess.run([sys.executable, "-m", "benchmarks.formats", name, folder], check=True, capture_output=True)
    found = json.loads(done.stdout.splitlines()[-1])
    return [f"{found['seconds']:.1f} s", f"{found['computing']:.1f} s", f"{found['peak_mb']:.0f} MB"]


def _one(name: str, folder: str) -> int:
    import resource

    work: dict[str, Callable[[Path], None]] = {
        "make": _make,
        "start": lambda f: _import(f / "small.csv", apart=True),
        "here": lambda f: _import(f / "small.csv", apart=False),
        "workbook": lambda f: _import(f / "big.xlsx", apart=True),
        "calamine": _calamine,
        "openpyxl": _openpyxl,
        "parquet": lambda f: _import(f / "big.parquet", apart=True),
        "stack": _stack,
    }
    if name in ("start", "here", "workbook", "parquet", "stack"):
        import core.workflows  # noqa: F401  the server has it already
    in_child = name in ("start", "workbook", "parquet", "stack")
    who = resource.RUSAGE_CHILDREN if in_child else resource.RUSAGE_SELF
    before, began = resource.getrusage(who), time.perf_counter()
    with _Peak(in_child) as peak:
        work[name](Path(folder))
    seconds, used = time.perf_counter() - began, resource.getrusage(who)
    computing = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"seconds": seconds, "computing": computing, "peak_mb": peak.most / 2**20}))
    return 0


class _Peak:
    """The most memory that this process or its children had at any look; the system's own mark is inherited at a fork."""

    def __init__(self, of_children: bool) -> None:
        self.most, self._of_children, self._over = 0, of_children, threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> _Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        own = psutil.Process()
        while not self._over.wait(0.02):
            for process in own.children() if self._of_children else [own]:
                with contextlib.suppress(psutil.Error):
                    self.most = max(self.most, process.memory_info().rss)


def _make(folder: Path) -> None:
    _make_workbook(folder / "big.xlsx")
    _make_parquet(folder / "big.parquet")
    _make_parts(folder)


def _import(path: Path, *, apart: bool) -> None:
    from core.data.reading import read_file
    from core.workflows.apart import read_apart

    with tempfile.TemporaryDirectory(dir=path.parent) as place:
        if apart:
            read_apart(path, Path(place) / "t.parquet", shown=path.name, options=None, source=None)
        else:
            read_file(path, Path(place) / "t.parquet")


def _stack(folder: Path) -> None:
    from core import workflows as wf

    with tempfile.TemporaryDirectory(dir=folder) as place:
        wf.prepare_files(sorted(folder.glob("part-*.csv")), Path(place))


def _calamine(folder: Path) -> None:
    import python_calamine

    sheet = python_calamine.CalamineWorkbook.from_path(folder / "big.xlsx").get_sheet_by_index(0)
    with (folder / "calamine.csv").open("w", newline="") as out:
        csv.writer(out).writerows(sheet.iter_rows())


def _openpyxl(folder: Path) -> None:
    import openpyxl

    sheet = openpyxl.load_workbook(folder / "big.xlsx", read_only=True, data_only=True).active
    with (folder / "openpyxl.csv").open("w", newline="") as out:
        csv.writer(out).writerows(sheet.iter_rows(values_only=True))


def _make_workbook(path: Path) -> None:
    import datetime as dt

    import xlsxwriter

    rng = random.Random(1)
    book = xlsxwriter.Workbook(path, {"constant_memory": True, "default_date_format": "yyyy-mm-dd hh:mm:ss"})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["time", "lot", *(f"s{k}" for k in range(COLUMNS - 2))])
    start = dt.datetime(2024, 1, 1)
    for n in range(ROWS):
        sheet.write_datetime(n + 1, 0, start + dt.timedelta(seconds=n))
        sheet.write_string(n + 1, 1, f"L{n // 1000:04d}")
        sheet.write_row(n + 1, 2, [rng.gauss(0, 1) for _ in range(COLUMNS - 2)])
    book.close()


def _make_parquet(path: Path) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(1)
    columns = {f"s{k}": pa.array(rng.normal(size=PARQUET_ROWS)) for k in range(COLUMNS - 1)}
    pq.write_table(pa.table({"n": pa.array(np.arange(PARQUET_ROWS)), **columns}), path, row_group_size=200_000)


def _make_parts(folder: Path) -> None:
    rng = random.Random(2)
    head = "time,p,t,flow\n"
    for part in range(34):
        rows = (f"{n},{rng.gauss(5, 1):.4f},{rng.gauss(40, 2):.3f},{rng.random():.5f}\n" for n in range(1_100))
        (folder / f"part-{part:02d}.csv").write_text(head + "".join(rows))
    (folder / "small.csv").write_text(head + "".join(f"{n},{n}.5,{n},{n}\n" for n in range(20)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
