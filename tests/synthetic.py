"""Small tables with known truth that the tests of several packages share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from core.data.dataset import Column, Dataset


def regression_table(n: int = 400, seed: int = 3) -> pd.DataFrame:
    """y = 2 a - b + 5, plus noise of 0.1; `machine` is a text, `when` a clock."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(10, 2, n), rng.normal(0, 1, n)
    return pd.DataFrame(
        {
            "when": pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(n), unit="min"),
            "a": a,
            "b": b,
            "machine": np.where(np.arange(n) % 2, "M1", "M2"),
            "y": 2 * a - b + 5 + rng.normal(0, 0.1, n),
        }
    )


def class_table(n: int = 600, seed: int = 3) -> pd.DataFrame:
    """Class "fail" where a + b > 1.6 of two standard normals."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=n), rng.normal(size=n)
    return pd.DataFrame({"a": a, "b": b, "result": np.where(a + b > 1.6, "fail", "pass")})


def anomaly_table(n: int = 600, first_fault: int = 480, seed: int = 3) -> pd.DataFrame:
    """Two sensors that follow each other; from `first_fault` on p2 stands 6 too high, labelled 1."""
    rng = np.random.default_rng(seed)
    base = np.sin(np.arange(n) / 9) + rng.normal(0, 0.1, n)
    fault = np.arange(n) >= first_fault
    return pd.DataFrame(
        {
            "when": pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(n), unit="min"),
            "p1": base + rng.normal(0, 0.05, n),
            "p2": 2 * base + rng.normal(0, 0.05, n) + 6 * fault,
            "label": fault.astype(float),
        }
    )


FAULTS = ("leak", "clog", "leak", "bump", "clog", "leak", "bump", "clog", "leak", "clog", "leak", "clog", "bump")
FAULT_ROWS, FAULT_STEP, FIRST_FAULT = 40, 170, 1600


def fault_table(seed: int = 3) -> tuple[pd.DataFrame, list[tuple[str, int]]]:
    """4,000 minutes of four sensors that follow a wave, and what happened when: (what, first row), each for 40 rows.

    A leak lifts p1 at once and p2 10 rows later, a clog lowers p3; a bump lifts p4 and is no fault. `label` is 1 in leaks and clogs.
    `tool` changes every row and is T3 in leaks; `lot` changes every 50 rows.
    """
    rng = np.random.default_rng(seed)
    n, happened = 4000, [(what, FIRST_FAULT + i * FAULT_STEP) for i, what in enumerate(FAULTS)]
    wave = np.sin(np.arange(n) / 9)
    p = np.stack([wave + rng.normal(0, 0.3, n) for _ in range(4)])
    tool, label = rng.choice(["T1", "T2", "T3", "T4"], n), np.zeros(n)
    for what, first in happened:
        last = first + FAULT_ROWS
        if what == "leak":
            p[0, first:last] += 4
            p[1, first + 10 : last] += 4
            tool[first:last] = "T3"
        elif what == "clog":
            p[2, first:last] -= 4
        else:
            p[3, first:last] += 2.5
        label[first:last] = what != "bump"
    table = pd.DataFrame({"when": pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(n), unit="min")})
    table = table.assign(p1=p[0], p2=p[1], p3=p[2], p4=p[3], tool=tool, lot=[f"L{i // 50:03d}" for i in range(n)], label=label)
    return table, happened


def life_table(n_machines: int = 12, seed: int = 3) -> pd.DataFrame:
    """Machines of 40 to 60 cycles; `wear` rises to 1 at the end of each."""
    rng = np.random.default_rng(seed)
    parts = []
    for unit in range(1, n_machines + 1):
        life = int(rng.integers(40, 61))
        cycle = np.arange(1, life + 1)
        wear = (cycle / life) ** 2 + rng.normal(0, 0.02, life)
        parts.append(
            pd.DataFrame({"unit": float(unit), "cycle": cycle.astype(float), "wear": wear, "load": rng.normal(5, 1, life)})
        )
    return pd.concat(parts, ignore_index=True)


def as_dataset(table: pd.DataFrame, folder: Path, **roles: str) -> Dataset:
    """A dataset on disk; `roles` maps a column to its role, all others are sensors."""
    path = folder / "table.parquet"
    table.to_parquet(path, index=False)
    columns = tuple(Column(str(name), _kind(table[name]), roles.get(str(name), "sensor")) for name in table.columns)  # type: ignore[arg-type]
    return Dataset("00000000-0000-4000-8000-000000000000", 1, "synthetic", path, len(table), columns, "")


def _kind(cells: pd.Series) -> str:
    if pd.api.types.is_datetime64_any_dtype(cells):
        return "time"
    return "number" if pd.api.types.is_numeric_dtype(cells) else "text"


def series_table(n: int = 500, lines: tuple[str, ...] = ("a", "b"), seed: int = 3) -> pd.DataFrame:
    """Hourly values of each line: a day's wave of 4 around its own level, a sensor that follows, noise of 0.3."""
    rng = np.random.default_rng(seed)
    t, parts = np.arange(n), []
    for place, line in enumerate(lines):
        y = 10 + 5 * place + 4 * np.sin(2 * np.pi * t / 24) + rng.normal(0, 0.3, n)
        when = pd.Timestamp("2026-01-01") + pd.to_timedelta(t, unit="h")
        parts.append(pd.DataFrame({"when": when, "line": line, "x": np.roll(y, 2) + rng.normal(0, 0.3, n), "y": y}))
    return pd.concat(parts).sort_values(["when", "line"], ignore_index=True)
