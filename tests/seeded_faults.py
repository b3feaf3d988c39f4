"""Faults of known sensors among correlated ones, at the size that a model detects 80 % of the time: is the right one named?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core import workflows as wf
from core.anomalies.records import AnomalyEvent
from core.training.request import TrainRequest

SENSORS, FACTORS, NORMAL, FAULTS, LASTS, BETWEEN = 25, 5, 3000, 120, 20, 60
DETECTED = 0.8


@dataclass(frozen=True, slots=True)
class Plant:
    """Scaled rows (n, sensors): a normal part, then faults that last 20 rows with 60 normal ones before each."""

    rows: np.ndarray
    begins: np.ndarray
    sensor: np.ndarray
    sign: np.ndarray

    def table(self, size: float) -> pd.DataFrame:
        """The measurements with faults of `size` standard deviations, in units of 3 around 50."""
        rows = self.rows.copy()
        for begin, sensor, sign in zip(self.begins, self.sensor, self.sign, strict=True):
            rows[begin : begin + LASTS, sensor] += sign * size
        return pd.DataFrame(50 + 3 * rows, columns=[f"s{i:02d}" for i in range(self.rows.shape[1])])


def plant(seed: int = 11) -> Plant:
    """Factor model: 5 autocorrelated factors (0.9 a row) explain 60 to 90 % of each of 25 sensors, the rest is noise of its own."""
    rng = np.random.default_rng(seed)
    n = NORMAL + FAULTS * (LASTS + BETWEEN)
    loadings = rng.normal(size=(FACTORS, SENSORS))
    loadings /= np.sqrt((loadings**2).sum(axis=0))
    common = rng.uniform(0.6, 0.9, SENSORS)
    factors = np.empty((n, FACTORS))
    factors[0] = rng.normal(size=FACTORS)
    for i in range(1, n):
        factors[i] = 0.9 * factors[i - 1] + np.sqrt(1 - 0.81) * rng.normal(size=FACTORS)
    rows = factors @ loadings * np.sqrt(common) + np.sqrt(1 - common) * rng.normal(size=(n, SENSORS))
    begins = NORMAL + BETWEEN + np.arange(FAULTS) * (LASTS + BETWEEN)
    return Plant(rows, begins, rng.integers(0, SENSORS, FAULTS), rng.choice([-1, 1], FAULTS))


@dataclass(frozen=True, slots=True)
class Found:
    """What was named: the size in standard deviations, the share detected, and how often the true sensor came first or in the first three."""

    size: float
    detected: float
    n: int
    hit_1: float
    hit_3: float

    @property
    def chance_3(self) -> float:
        return 3 / SENSORS


def trained(
    ws: wf.Workspace, folder: Path, table: pd.DataFrame, name: str, work_off: Callable[..., None], **asked: object
) -> str:
    """A run on the normal part; its id."""
    table.to_csv(folder / f"{name}.csv", index=False)
    dataset = wf.import_file(ws, folder / f"{name}.csv").dataset
    assert dataset is not None
    split = {"method": "first", "first": NORMAL}
    request = {"dataset_id": dataset.id, "dataset_version": 1, "task": "anomaly", "split": split, **asked}
    run = wf.start_training(ws, TrainRequest.read(request), token=name)
    work_off(ws.store)
    ended = wf.get_run(ws, run.id)
    assert ended.state == "succeeded", ended.problem
    return str(run.id)


def named(ws: wf.Workspace, folder: Path, model: str, work_off: Callable[..., None], seed: int = 11, **asked: object) -> Found:
    """Calibrate the size on the faults, then look at what the events of the Anomalies screen name first."""
    made = plant(seed)
    bundle = wf.resolve_bundle(ws, trained(ws, folder, made.table(0.0), f"{model}-clean", work_off, model=model, **asked))

    def detected(size: float) -> float:
        flags = bundle.score(made.table(size))["flag"].fillna(False).to_numpy(dtype=bool)
        return float(np.mean([flags[begin : begin + LASTS].any() for begin in made.begins]))

    low, high = 0.0, 12.0
    for _ in range(9):
        middle = (low + high) / 2
        low, high = (middle, high) if detected(middle) < DETECTED else (low, middle)
    run = trained(ws, folder, made.table(high), f"{model}-faults", work_off, model=model, **asked)
    events = wf.anomaly_view(ws, wf.open_results(ws, run)).events
    places = [_place(made, events, i) for i in range(FAULTS)]
    known = np.array([place for place in places if place is not None])
    return Found(high, len(known) / FAULTS, len(known), float(np.mean(known < 1)), float(np.mean(known < 3)))


def _place(made: Plant, events: tuple[AnomalyEvent, ...], number: int) -> int | None:
    """The place of the true sensor, 0 for the first, in the event that meets a fault; None where none does. Ties count against it."""
    begin = int(made.begins[number])
    met = [e for e in events if e.first_row < begin + LASTS and e.last_row >= begin]
    if not met:
        return None
    shares = {share.column: share.share for share in met[0].sensors}
    own = shares.get(f"s{made.sensor[number]:02d}", 0.0)
    return sum(share >= own for share in shares.values()) - 1 if own > 0 else SENSORS
