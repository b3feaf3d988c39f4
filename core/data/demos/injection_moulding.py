"""Injection moulding, shot by shot: the width of a part from the settings and sensors of its shot.

The model is the usual pvT account of shrinkage. Specific volume follows the two-domain Tait equation (form: Zoller &
Walsh, Standard Pressure-Volume-Temperature Data for Polymers, 1995), mean part temperature the one-term solution of
one-dimensional cooling behind the cooling-time equation of Ballman & Shusman (1959). While the gate is open the hold
pressure packs the cavity; at gate freeze mass is fixed; to ejection the part shrinks against the mould (a fraction
`CONSTRAINT` of the volume change appears in the plane), after it freely. Constants are typical of ABS, chosen here.

What no sensor sees is the viscosity of a material lot; it shows in the peak injection pressure.
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

N_LOTS, SHOTS_PER_LOT = 30, 200
GAGE_SD_MM = 0.008
CAVITY_WIDTH_MM = {"A": 48.338, "B": 48.346}
ROOM_C = 23.0
DIFFUSIVITY_MM2_S = 0.09
WALL_MM, GATE_MM = 2.5, 1.5
FREEZE_C = 115.0
GATE_SPREAD_S = 0.22
CONSTRAINT = 0.17
EXPANSION_PER_K = 7.0e-5
TAIT_C = 0.0894
TAIT_MELT = (0.9829, 6.7e-4, 190.0, 4.5e-3)
TAIT_SOLID = (0.9829, 2.9e-4, 230.0, 3.6e-3)
GLASS_C, GLASS_K_PER_MPA = 100.0, 0.30


def specific_volume(temperature_c: Array, pressure_mpa: Array) -> Array:
    """Specific volume in cm³/g by the two-domain Tait equation; arrays broadcast."""
    above = np.asarray(temperature_c) - GLASS_C
    molten = above > GLASS_K_PER_MPA * np.asarray(pressure_mpa)

    def branch(b1: float, b2: float, b3: float, b4: float) -> Array:
        return (b1 + b2 * above) * (1.0 - TAIT_C * np.log1p(pressure_mpa / (b3 * np.exp(-b4 * above))))

    return np.where(molten, branch(*TAIT_MELT), branch(*TAIT_SOLID))


def mean_temperature(melt_c: Array, mould_c: Array, seconds: Array) -> Array:
    """Mean temperature in °C across the wall after `seconds` of cooling (first term of the series)."""
    rate = np.pi**2 * DIFFUSIVITY_MM2_S / WALL_MM**2
    return mould_c + 8.0 / np.pi**2 * (melt_c - mould_c) * np.exp(-rate * seconds)


def gate_freeze_time(melt_c: Array, mould_c: Array) -> Array:
    """Seconds until the centre of the gate falls to the freezing temperature (Ballman & Shusman)."""
    ratio = 4.0 / np.pi * (melt_c - mould_c) / (FREEZE_C - mould_c)
    return GATE_MM**2 / (np.pi**2 * DIFFUSIVITY_MM2_S) * np.log(ratio)


def true_width(table: pd.DataFrame, viscosity: Array) -> Array:
    """Width in mm before the gage, (n_rows,). `viscosity` is relative to the reference lot (1 = equal)."""
    melt, mould = table["melt_temp"].to_numpy(), table["mould_temp"].to_numpy()
    gate = gate_freeze_time(melt, mould)
    cushion_loss = 0.05 * np.clip(3.2 - table["cushion"].to_numpy(), 0.0, None)
    transmitted = 0.84 - 0.35 * (viscosity - 1.0) - cushion_loss
    sealed = 1.0 / (1.0 + np.exp(-(table["hold_time"].to_numpy() - gate) / GATE_SPREAD_S))
    pressure = np.clip(table["hold_pressure"].to_numpy() / 10.0 * transmitted * sealed, 0.1, None)
    frozen = specific_volume(mean_temperature(melt, mould, gate), pressure)
    ejected_c = mean_temperature(melt, mould, table["hold_time"].to_numpy() + table["cooling_time"].to_numpy())
    in_mould = CONSTRAINT * (1.0 - specific_volume(ejected_c, np.full(len(table), 0.1)) / frozen)
    free = EXPANSION_PER_K * (ejected_c - ROOM_C)
    return table["cavity"].map(CAVITY_WIDTH_MM).to_numpy(dtype=float) * (1.0 - in_mould - free)


def simulate(seed: int = 7) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table before any cell is lost, and its truth: columns `viscosity` and `width_mm` (without the gage)."""
    rng = np.random.default_rng(seed)
    n = N_LOTS * SHOTS_PER_LOT
    lot = np.repeat(np.arange(N_LOTS), SHOTS_PER_LOT)
    viscosity = np.clip(1.0 + 0.06 * rng.standard_normal(N_LOTS), 0.85, 1.15)[lot]
    restarts = np.zeros(n, bool)
    restarts[np.arange(0, n, SHOTS_PER_LOT)] = True
    restarts[rng.choice(np.arange(120, n, 7), 9, replace=False)] = True
    table = pd.DataFrame({"time": _clock(rng, restarts), "lot": [f"L{2401 + i}" for i in lot]})
    table["cavity"] = np.where(rng.random(n) < 0.5, "A", "B")
    table["melt_temp"] = (234.0 + rng.normal(0, 2.5, N_LOTS)[lot] + ar1(rng, n, 0.97, 1.6)).round(1)
    table["mould_temp"] = (_mould_temperature(rng, lot, restarts)).round(1)
    table["hold_pressure"] = (rng.choice([430, 460, 490, 520], N_LOTS)[lot] + rng.normal(0, 8.0, n)).round(0)
    table["hold_time"] = (rng.choice([3.6, 4.0, 4.4, 5.0], N_LOTS)[lot] + rng.normal(0, 0.14, n)).round(2)
    table["cooling_time"] = (rng.choice([16.0, 17.0, 18.0], N_LOTS)[lot] + rng.normal(0, 0.25, n)).round(2)
    table["cushion"] = (4.6 - 1.4 * np.arange(n) / n + ar1(rng, n, 0.9, 0.45)).round(2)
    table["screw_speed"] = (rng.choice([110, 120, 130], N_LOTS)[lot] + rng.normal(0, 1.2, n)).round(0)
    peak = 860.0 * viscosity - 2.2 * (table["melt_temp"] - 234.0) + 0.6 * (table["screw_speed"] - 120.0)
    table["peak_pressure"] = (peak + rng.normal(0, 7.0, n)).round(0)
    width = true_width(table, viscosity)
    table["width_A"] = (width + rng.normal(0, GAGE_SD_MM, n)).round(3)
    return table, pd.DataFrame({"viscosity": viscosity, "width_mm": width})


def make(seed: int = 7) -> pd.DataFrame:
    """6,000 shots of 30 lots; three lost stretches of sensor cells and 24 parts that were never measured."""
    table, _ = simulate(seed)
    rng = np.random.default_rng(seed + 1)
    lose_cells(table, "cushion", [(815, 851), (4_102, 4_118)])
    lose_cells(table, "mould_temp", [(2_940, 2_962)])
    lose_cells(table, "width_A", [(int(i), int(i) + 1) for i in rng.choice(len(table), 24, replace=False)])
    return table


def _clock(rng: np.random.Generator, restarts: NDArray[np.bool_]) -> NDArray[np.datetime64]:
    """A shot about every 35 s; every restart follows a stop of 0.5 to 6 hours."""
    seconds = np.clip(rng.normal(35.0, 0.6, len(restarts)), 32.0, None)
    seconds[restarts] += rng.uniform(1_800, 21_600, int(restarts.sum()))
    return np.datetime64("2024-03-04T06:00:00", "us") + (np.cumsum(seconds) * 1e6).astype("timedelta64[us]")


def _mould_temperature(rng: np.random.Generator, lot: NDArray[np.int64], restarts: NDArray[np.bool_]) -> Array:
    """Setting per lot, slow wander, warm-up after each stop, and one disturbance of the cooling water."""
    n = len(lot)
    since = np.arange(n) - np.maximum.accumulate(np.where(restarts, np.arange(n), 0))
    values = rng.choice([56.0, 60.0, 64.0], N_LOTS)[lot] + ar1(rng, n, 0.98, 1.0) - 7.0 * np.exp(-since / 9.0)
    hot = (np.arange(n) >= 4_440) & (np.arange(n) < 4_760)
    return values + np.where(hot, 6.0, 0.0)


COLUMNS = (
    Column("time", "time", "time"),
    Column("lot", "text", "group"),
    Column("cavity", "text"),
    Column("melt_temp", "number", unit="°C"),
    Column("mould_temp", "number", unit="°C"),
    Column("hold_pressure", "number", unit="bar"),
    Column("hold_time", "number", unit="s"),
    Column("cooling_time", "number", unit="s"),
    Column("cushion", "number", unit="mm"),
    Column("screw_speed", "number", unit="1/min"),
    Column("peak_pressure", "number", unit="bar"),
    Column("width_A", "number", "target", unit="mm", lower_limit=47.90, nominal=48.00, upper_limit=48.10),
)

DEMO = Demo(
    key="injection_moulding",
    title=msg("Injection moulding: predict the part width"),
    summary=msg(
        "6,000 shots of 30 material lots. Predict the width (48.00 ± 0.10 mm) from the shot's settings and sensors, before the gage."
    ),
    task="regression",
    make=make,
    columns=COLUMNS,
    request={"task": "regression", "model": "dense", "target": "width_A", "time": "time", "group": "lot", "preset": "quick"},
)
