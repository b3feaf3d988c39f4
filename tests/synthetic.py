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
