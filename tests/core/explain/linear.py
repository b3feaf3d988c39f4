"""An additive model whose every explanation is known: output = 3 + Σ weight of a cell × cell, over windows (n, rows, f)."""

from __future__ import annotations

import numpy as np

from core.explain.columns import InputColumn, Move

ROWS, WEIGHTS = 2, np.array([[1.0, 0.0, -0.5], [2.0, 0.0, 0.5]])  # (rows, features): a weighs 1 + 2, b nothing, c -0.5 + 0.5
COLUMNS = (
    InputColumn("a", (0,), (0.0,), "bar", Move(10.0, 2.0), 4.0, 16.0),
    InputColumn("b", (1,), (0.0,), "", Move(0.0, 1.0), -3.0, 3.0),
    InputColumn("c", (2,), (0.0,), "", Move(0.0, 1.0), -3.0, 3.0),
)


def predict(windows):
    return 3 + np.einsum("nrf,rf->n", np.asarray(windows, dtype=np.float64), WEIGHTS)


def windows(n: int, seed: int = 5):
    return np.random.default_rng(seed).normal(size=(n, ROWS, 3)).astype(np.float32)
