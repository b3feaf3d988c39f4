"""A hydraulic pump at one row a minute: healthy for two thirds of the record, then four faults.

The normal behaviour is the steady energy balance of a positive-displacement pump (form: Ivantysyn & Ivantysynova,
Hydrostatic Pumps and Motors, 2001): flow = displacement × speed − leakage, leakage proportional to pressure and
growing as the oil warms; shaft power = pressure × flow / efficiency; motor current proportional to shaft power; oil and
bearing temperatures follow the losses with first-order lags. Constants are those of a pump of about 20 kW, chosen here.

Faults act on the physics, not on the label: a growing seal leak, a burst of cavitation, a discharge pressure sensor that
sticks, a bearing that warms. `fault` is 1 while one is present; it is for judging, never for training.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.dataset import Column
from core.data.demos.demo import Demo
from core.data.demos.noise import ar1, lag, lose_cells
from core.messages import msg

Array = NDArray[np.float64]

N_ROWS = 20_000
NORMAL_ROWS = 13_000
FAULTS = {
    "seal_leak": (13_400, 14_900),
    "cavitation": (15_900, 16_080),
    "stuck_sensor": (16_900, 17_500),
    "bearing_drift": (18_200, 19_700),
}
IDEAL_FLOW = 98.0
LEAK_PER_BAR = 0.020
EFFICIENCY = 0.88
AMPERE_PER_KW = 1.72
IDLE_AMPERE = 4.5


def _ramp(fault: str) -> Array:
    """0 outside the fault, growing from 0 to 1 over it, (N_ROWS,)."""
    start, stop = FAULTS[fault]
    values = np.zeros(N_ROWS)
    values[start:stop] = np.linspace(0.0, 1.0, stop - start)
    return values


def _during(fault: str) -> NDArray[np.bool_]:
    rows = np.arange(N_ROWS)
    return (rows >= FAULTS[fault][0]) & (rows < FAULTS[fault][1])


def expected_flow(pressure: Array, oil_temp: Array) -> Array:
    """Flow in L/min of a healthy pump: ideal flow less internal leakage, which grows 1.5 % per K of oil."""
    return IDEAL_FLOW - LEAK_PER_BAR * pressure * (1.0 + 0.015 * (oil_temp - 45.0))


def expected_current(pressure: Array, flow: Array) -> Array:
    """Motor current in A: shaft power p·Q/(600·η) in kW, with p in bar and Q in L/min."""
    return IDLE_AMPERE + AMPERE_PER_KW * pressure * flow / (600.0 * EFFICIENCY)


def make(seed: int = 7) -> pd.DataFrame:
    """20,000 minutes of 8 sensors with two stops (missing minutes) and three stretches of lost cells."""
    rng = np.random.default_rng(seed)
    minutes = _clock(rng)
    load = _load(rng, minutes)
    ambient = 22.0 + 4.0 * np.sin(2 * np.pi * (minutes / 1440.0 - 0.38)) + ar1(rng, N_ROWS, 0.999, 0.8)
    pressure = 150.0 * load
    oil = lag(ambient + 12.0 + 16.0 * load, 55.0)
    extra_leak = 9.0 * _ramp("seal_leak") ** 1.5
    flow = expected_flow(pressure, oil) - extra_leak
    cavitating = _during("cavitation") * np.abs(rng.normal(1.0, 0.35, N_ROWS))
    flow = flow - 5.0 * cavitating
    shaft_pressure = pressure - 6.0 * cavitating
    current = expected_current(shaft_pressure, flow + extra_leak)
    wear = _ramp("bearing_drift")
    bearing = lag(ambient + 18.0 + 0.55 * current, 35.0) + 11.0 * wear**1.2
    vibration = 1.1 + 0.9 * load + 2.4 * cavitating + 0.55 * wear
    noise = rng.standard_normal((8, N_ROWS))
    table = pd.DataFrame(
        {
            "time": np.datetime64("2024-05-06T00:00:00", "us") + (minutes * 60e6).astype("timedelta64[us]"),
            "discharge_pressure": (shaft_pressure + 0.9 * noise[0]).round(1),
            "suction_pressure": (0.92 - 0.10 * load - 0.28 * cavitating + 0.012 * noise[1]).round(3),
            "flow": (flow + 0.35 * noise[2]).round(2),
            "case_drain_flow": (np.clip(IDEAL_FLOW - flow - 5.0 * cavitating, 0, None) * 0.8 + 0.08 * noise[3]).round(2),
            "motor_current": (current + 0.30 * noise[4]).round(2),
            "oil_temp": (oil + 0.15 * noise[5]).round(1),
            "bearing_temp": (bearing + 0.25 * noise[6]).round(1),
            "vibration": (np.clip(vibration + 0.09 * noise[7], 0.05, None)).round(3),
        }
    )
    start, stop = FAULTS["stuck_sensor"]
    table.loc[start : stop - 1, "discharge_pressure"] = table["discharge_pressure"].iloc[start]
    return _finish(table)


def _finish(table: pd.DataFrame) -> pd.DataFrame:
    names = np.full(N_ROWS, "healthy", dtype=object)
    for name, (start, stop) in FAULTS.items():
        names[start:stop] = name
    lose_cells(table, "flow", [(3_310, 3_334)])
    lose_cells(table, "vibration", [(7_020, 7_065)])
    lose_cells(table, "oil_temp", [(15_240, 15_246)])
    table["fault"] = (names != "healthy").astype(float)
    table["fault_name"] = pd.Series(names).astype(str)
    return table


def _clock(rng: np.random.Generator) -> Array:
    """Minutes since the start (N_ROWS,), with two planned stops of 2 to 5 hours."""
    minutes = np.arange(N_ROWS, dtype=float)
    for row in (5_040, 11_520):
        minutes[row:] += np.round(rng.uniform(120, 300))
    return minutes


def _load(rng: np.random.Generator, minutes: Array) -> Array:
    """Relative load 0.4 to 1.2: two working shifts a day, products that change every few hours, slow wander."""
    hour = (minutes / 60.0) % 24.0
    shift = np.where((hour >= 6) & (hour < 22), 0.92, 0.68)
    changes = np.cumsum(rng.random(N_ROWS) < 1.0 / 200.0)
    product = rng.normal(0.0, 0.07, changes[-1] + 1)[changes]
    return np.clip(lag(shift + product, 6.0) + ar1(rng, N_ROWS, 0.92, 0.02), 0.4, 1.2)


COLUMNS = (
    Column("time", "time", "time"),
    Column("discharge_pressure", "number", unit="bar"),
    Column("suction_pressure", "number", unit="bar"),
    Column("flow", "number", unit="L/min"),
    Column("case_drain_flow", "number", unit="L/min"),
    Column("motor_current", "number", unit="A"),
    Column("oil_temp", "number", unit="°C"),
    Column("bearing_temp", "number", unit="°C"),
    Column("vibration", "number", unit="mm/s"),
    Column("fault", "number", "target"),
    Column("fault_name", "text", "ignore"),
)

DEMO = Demo(
    key="hydraulic_pump",
    title=msg("Hydraulic pump: warn when something is off"),
    summary=msg(
        "Two weeks of 8 sensors, one row a minute. Learn the healthy pump, then find a leak, cavitation, a stuck sensor and a warm bearing."
    ),
    task="anomaly",
    make=make,
    columns=COLUMNS,
    request={
        "task": "anomaly",
        "model": "dense_autoencoder",
        "target": "fault",
        "time": "time",
        "ignore": ("fault_name",),
        "split": {"method": "first", "first": 12_000},
        "preset": "quick",
        "options": {"false_alarms_per_week": 2},
    },
)
