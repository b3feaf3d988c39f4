"""A valve assembly line: which parts will fail the final leak test? About 3 % do.

The leak rate of a sealed joint follows compression of the O-ring: clamping falls off exponentially with contact
pressure (form: Roth, Vacuum Technology, ch. on seals, leak ∝ exp(−3·p/R)). Compression comes from ring thickness and
the gap seen by the camera; a joint that was cross-threaded (high torque at a small angle) leaks whatever its ring; cold
adhesive in the night shift adds a little. The part fails when the leak rate, with test noise, is above the limit. The leak
rate itself is no column: it is the result, and a model that saw it would know the answer.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.dataset import Column
from core.data.demos.demo import Demo
from core.data.demos.noise import ar1, lose_cells
from core.messages import msg

Array = NDArray[np.float64]

N_PARTS = 12_000
RING_MM = {"Norda": 2.62, "Kyokko": 2.575}
LEAK_LIMIT = 0.50
CROSS_THREAD_RATE = 0.012
TEST_SD_LOG = 0.25


def leak_rate(compression: Array, adhesive_temp: Array, crossed: NDArray[np.bool_]) -> Array:
    """Leak in mL/min, (n,): exponential in relative compression of the ring, with two additive causes.

    `compression` is the fraction by which the ring is squeezed (0.20 is the design value).
    """
    seal = 0.15 * np.exp(-(compression - 0.20) / 0.0155)
    cold = 0.05 * np.clip(21.0 - adhesive_temp, 0.0, None)
    return seal * (1.0 + cold) + np.where(crossed, 0.9, 0.0)


def simulate(seed: int = 7) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table and its truth: `leak` (mL/min, before test noise), `compression`, `crossed`."""
    rng = np.random.default_rng(seed)
    rows = np.arange(N_PARTS)
    seconds = np.cumsum(rng.uniform(38.0, 46.0, N_PARTS))
    hour = (6.0 + seconds / 3600.0) % 24.0
    shift = np.select([(hour >= 6) & (hour < 14), (hour >= 14) & (hour < 22)], ["early", "late"], "night")
    supplier = np.where(rng.random(48)[rows // 250] < 0.5, "Norda", "Kyokko")
    ring = pd.Series(supplier).map(RING_MM).to_numpy(dtype=float) + rng.normal(0, 0.012, N_PARTS)
    gap = 2.072 + ar1(rng, N_PARTS, 0.995, 0.008) + rng.normal(0, 0.014, N_PARTS)
    adhesive = np.where(shift == "night", 19.6, 22.4) + ar1(rng, N_PARTS, 0.998, 0.9)
    crossed = rng.random(N_PARTS) < CROSS_THREAD_RATE
    torque = np.where(crossed, rng.normal(12.55, 0.32, N_PARTS), rng.normal(12.0, 0.30, N_PARTS))
    angle = np.where(crossed, rng.normal(155.0, 10.0, N_PARTS), 180.0 + 9.0 * (torque - 12.0) + rng.normal(0, 5.5, N_PARTS))
    compression = (ring - gap) / ring
    leak = leak_rate(compression, adhesive, crossed)
    measured = leak * np.exp(rng.normal(0.0, TEST_SD_LOG, N_PARTS))
    table = pd.DataFrame(
        {
            "time": np.datetime64("2024-09-02T06:00:00", "us") + (seconds * 1e6).astype("timedelta64[us]"),
            "supplier": supplier,
            "shift": shift,
            "ring_thickness": (ring + rng.normal(0, 0.004, N_PARTS)).round(3),
            "optical_gap": (gap + rng.normal(0, 0.004, N_PARTS)).round(3),
            "torque": (torque + rng.normal(0, 0.05, N_PARTS)).round(2),
            "torque_angle": angle.round(1),
            "adhesive_temp": (adhesive + rng.normal(0, 0.1, N_PARTS)).round(1),
            "press_force": (4.2 + 0.10 * rng.standard_normal(N_PARTS)).round(2),
            "humidity": (44.0 + ar1(rng, N_PARTS, 0.999, 6.0)).round(0),
            "leak_test": np.where(measured > LEAK_LIMIT, "fail", "pass"),
        }
    )
    return table, pd.DataFrame({"leak": leak, "compression": compression, "crossed": crossed})


def make(seed: int = 7) -> pd.DataFrame:
    """12,000 parts, about 3 % fail; two stretches of lost cells."""
    table, _ = simulate(seed)
    lose_cells(table, "optical_gap", [(2_210, 2_228)])
    lose_cells(table, "humidity", [(6_400, 6_530)])
    return table


COLUMNS = (
    Column("time", "time", "time"),
    Column("supplier", "text"),
    Column("shift", "text"),
    Column("ring_thickness", "number", unit="mm"),
    Column("optical_gap", "number", unit="mm", lower_limit=2.00, nominal=2.07, upper_limit=2.14),
    Column("torque", "number", unit="N·m", lower_limit=11.0, nominal=12.0, upper_limit=13.0),
    Column("torque_angle", "number", unit="°"),
    Column("adhesive_temp", "number", unit="°C", lower_limit=18.0, upper_limit=26.0),
    Column("press_force", "number", unit="kN"),
    Column("humidity", "number", unit="%"),
    Column("leak_test", "text", "target"),
)

DEMO = Demo(
    key="inspection",
    title=msg("Inspection: which parts will fail the leak test?"),
    summary=msg(
        "12,000 assembled valves, about 3 % fail. Predict the failures from torque, camera and supplier, before the test."
    ),
    task="classification",
    make=make,
    columns=COLUMNS,
    request={"task": "classification", "model": "dense", "target": "leak_test", "time": "time", "preset": "quick"},
)
