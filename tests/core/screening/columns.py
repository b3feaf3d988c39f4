"""Columns with known truth, clean ones of many kinds, and what the screening says of one of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.signal import lfilter

from core.screening import ColumnScreen, Reason, Screening, screen
from tests.synthetic import as_dataset

N = 3_000
Make = Callable[[np.random.Generator, int], np.ndarray]


def autoregressive(phi: float) -> Make:
    return lambda rng, n: lfilter([1], [1, -phi], rng.normal(size=n + 1_000))[1_000:]


CLEAN: dict[str, Make] = {
    "normal": lambda rng, n: rng.normal(50, 2, n),
    "rounded": lambda rng, n: rng.normal(50, 2, n).round(0),
    "ar_0.5": autoregressive(0.5),
    "ar_0.9": autoregressive(0.9),
    "uniform": lambda rng, n: rng.uniform(0, 1, n),
    "exponential": lambda rng, n: rng.exponential(3, n),
    "lognormal": lambda rng, n: rng.lognormal(0, 1, n),
    "gamma": lambda rng, n: rng.gamma(0.5, 2, n),
    "poisson": lambda rng, n: rng.poisson(3, n).astype(float),
    "counts": lambda rng, n: rng.poisson(40, n).astype(float),
    "integers": lambda rng, n: rng.integers(0, 100, n).astype(float),
    "zero_one": lambda rng, n: (rng.random(n) < 0.03).astype(float),
    "setpoints": lambda rng, n: rng.choice([10.0, 20.0, 30.0], n),
    "daily": lambda rng, n: np.sin(np.arange(n) * 2 * np.pi / 96) + 0.2 * rng.normal(size=n),
}


def screened(folder: Path, table: pd.DataFrame, **roles: str) -> Screening:
    return screen(as_dataset(table, folder, **roles))


def timed(values: dict[str, object], n: int = N) -> pd.DataFrame:
    return pd.DataFrame({"when": pd.Timestamp("2026-02-01") + pd.to_timedelta(np.arange(n), unit="min"), **values})


def column(found: Screening, name: str) -> ColumnScreen:
    return next(c for c in found.columns if c.name == name)


def reason(found: Screening, name: str, code: str) -> Reason:
    by_code = {r.code: r for r in column(found, name).reasons}
    assert code in by_code, f"{name}: {[str(r.message) for r in by_code.values()]}"
    return by_code[code]


def one(folder: Path, values: np.ndarray) -> Screening:
    return screened(folder, timed({"x": values}, len(values)), when="time")
