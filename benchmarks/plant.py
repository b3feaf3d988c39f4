"""A made-up plant of any length, written in chunks: the same seed gives the same rows, and a shorter file is the head of a longer one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv

SENSORS = 17
CHUNK = 50_000
ROWS_A_CAMPAIGN = 5_000
MACHINES = 40
TARGET = "thickness"


def write_plant(path: Path, n_rows: int) -> None:
    """`n_rows` × 20 as CSV: time, machine, 17 sensors and a target that 1 of 200 rows lacks; 350 bytes a row."""
    writer: csv.CSVWriter | None = None
    with path.open("wb") as out:
        for start in range(0, n_rows, CHUNK):
            table = pa.Table.from_pandas(_rows(start, min(start + CHUNK, n_rows)), preserve_index=False)
            writer = writer or csv.CSVWriter(out, table.schema, write_options=csv.WriteOptions(quoting_style="needed"))
            writer.write_table(table)
        if writer is not None:
            writer.close()


def _rows(start: int, stop: int) -> pd.DataFrame:
    """A shift a day, noise, a few empty cells in three sensors, a rare disturbance of 50 rows in the fifth."""
    rng = np.random.default_rng([7, start])
    row = np.arange(start, stop)
    table: dict[str, object] = {
        "when": (np.datetime64("2020-01-01T00:00:00") + row.astype("timedelta64[s]")).astype("datetime64[s]").astype(str),
        "machine": np.char.add("press-", ((row // ROWS_A_CAMPAIGN) % MACHINES + 1).astype(str)),
    }
    day = np.sin(2 * np.pi * row / 86_400)
    sensors = []
    for k in range(SENSORS):
        cells = 100 + 10 * k + (k % 3) * day + rng.normal(0, 1 + 0.1 * k, len(row))
        cells[(row % 20_000) < 50 * (k == 5)] += 12
        sensors.append(cells.copy())
        if k in (3, 8, 13):
            cells[rng.random(len(row)) < 0.01] = np.nan
        table[f"sensor_{k:02d}"] = cells
    target = 5 + 0.02 * sensors[0] - 0.01 * sensors[1] + 0.03 * np.roll(sensors[2], 3) + rng.normal(0, 0.02, len(row))
    table[TARGET] = np.where(rng.random(len(row)) < 0.005, np.nan, target)
    return pd.DataFrame(table)
