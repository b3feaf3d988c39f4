"""How long a screening takes and how much memory it needs: `python -m benchmarks.screening [ROWSxCOLUMNS ...]`.

Each table is made in one process and screened in another, so that the peak is that of the screening. CPU seconds are given beside
wall seconds: they do not depend on what else the machine does.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.common import publish, table
from core.data.dataset import Column, Dataset
from core.screening import screen

TABLES = ("10000x20", "200000x20", "10000x1000", "100000x6", "1000000x6", "10000000x6")
ROW_GROUP = 122_880


def main(arguments: Sequence[str]) -> int:
    """Measure each table; with two arguments that are a step and a path, be one of the child processes."""
    if len(arguments) == 3 and arguments[0] in ("make", "run"):
        step, size, path = arguments
        (make if step == "make" else run)(size, Path(path))
        return 0
    rows = [_measured(size) for size in arguments or TABLES]
    text = table(("rows", "columns", "CPU", "wall", "memory before", "peak"), rows)
    if arguments:
        print(text)
    else:
        publish("screening", "make bench-screening", text)
    return 0


def _measured(size: str) -> list[str]:
    """The line of a table, from two processes of its own."""
    with tempfile.TemporaryDirectory(prefix="andon-screening-") as folder:
        for step in ("make", "run"):
            command = [sys.executable, "-m", "benchmarks.screening", step, size, str(Path(folder) / "table.parquet")]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    print(done.stdout.strip(), file=sys.stderr, flush=True)
    return done.stdout.strip().split(" | ")


def columns_of(size: str) -> tuple[int, tuple[Column, ...]]:
    """Rows, and the columns: a clock, a text, a target and sensors."""
    rows, count = map(int, size.split("x"))
    sensors = tuple(Column(f"p{i}", "number", "target" if i == 1 else "sensor") for i in range(count - 2))
    return rows, (Column("when", "time", "time"), Column("line", "text"), *sensors)


def make(size: str, path: Path) -> None:
    """A second between rows; every fifth sensor is rounded to 0.1, every seventh misses 1 % of its cells."""
    n, columns = columns_of(size)
    rng = np.random.default_rng(1)
    cells: dict[str, pa.Array] = {}
    for i, column in enumerate(columns):
        if column.kind == "time":
            cells[column.name] = pa.array(np.datetime64("2026-01-01", "us") + np.arange(n) * np.timedelta64(1, "s"))
        elif column.kind == "text":
            cells[column.name] = pa.array(rng.choice(["A", "B", "C"], n))
        else:
            values = rng.normal(i, 1, n)
            values = values.round(1) if i % 5 == 0 else values
            values[rng.random(n) < (0.01 if i % 7 == 0 else 0.0)] = np.nan
            cells[column.name] = pa.array(values, from_pandas=True)
    pq.write_table(pa.table(cells), path, row_group_size=ROW_GROUP)


def run(size: str, path: Path) -> None:
    """Screen the table and print a line of the result."""
    n, columns = columns_of(size)
    dataset = Dataset("benchmark", 1, size, path, n, columns, "")
    before, cpu, began = _peak(), time.process_time(), time.perf_counter()
    screen(dataset)
    took = (f"{time.process_time() - cpu:.1f} s", f"{time.perf_counter() - began:.1f} s")
    print(" | ".join((f"{n:,}", str(len(columns)), *took, f"{before} MB", f"{_peak()} MB")), flush=True)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
