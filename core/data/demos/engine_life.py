"""A fleet of turbofan engines run to failure: how many cycles are left?

Damage follows the exponential form of Saxena, Goebel, Simon & Eklund, "Damage propagation modeling for aircraft engine
run-to-failure simulation", PHM 2008: each engine starts with a small unknown wear; efficiency and flow of the compressor
are lost as exp(a·tᵇ) − 1 with its own rates; it fails when its health reaches 0. How long that takes follows the
take-off thrust at which the engine is flown, as life ∝ thrust⁻⁶ (an inverse power law, the usual form for load and
life), with scatter. Twelve sensors answer linearly to both losses and to altitude, with sensor noise; three of them
carry no information, as in real fleets.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.data.dataset import Column
from core.data.demos.demo import Demo
from core.messages import msg

Array = NDArray[np.float64]

N_ENGINES = 80
SHORTEST, LONGEST = 130, 300
START_RATE = 0.05
TYPICAL_LIFE, TYPICAL_THRUST, THRUST_POWER, LIFE_SCATTER = 198.0, 92.0, 6.0, 0.07
# name: (unit, healthy value, change at full loss of efficiency, at full loss of flow, noise sd, change per km of altitude)
SENSORS: dict[str, tuple[str, float, float, float, float, float]] = {
    "fan_inlet_temp": ("°C", 15.2, 0.0, 0.0, 0.25, -0.9),
    "lpc_outlet_temp": ("°C", 369.5, 1.2, 0.7, 0.45, -1.1),
    "hpc_outlet_temp": ("°C", 1315.0, 15.0, 6.0, 4.0, -2.5),
    "lpt_outlet_temp": ("°C", 1129.0, 24.0, 9.0, 4.5, -2.0),
    "hpc_outlet_pressure": ("kPa", 3816.0, -14.0, -9.0, 3.4, -8.0),
    "fan_speed": ("1/min", 2388.0, 0.10, 0.12, 0.05, 0.02),
    "core_speed": ("1/min", 9055.0, 30.0, 34.0, 8.0, 1.5),
    "bypass_ratio": ("", 8.42, 0.075, 0.045, 0.022, 0.002),
    "fuel_flow_ratio": ("", 521.8, -1.6, -1.0, 0.45, 0.05),
    "bleed_enthalpy": ("", 392.3, 2.3, 1.1, 0.95, 0.0),
    "fan_inlet_pressure": ("kPa", 100.9, 0.0, 0.0, 0.06, -0.3),
    "engine_pressure_ratio": ("", 1.30, 0.0, 0.0, 0.002, 0.0),
}


def loss(cycle: Array, life: float, start: float, power: float) -> Array:
    """Relative loss (n_cycles,): `start` when new, exactly 1 at cycle = `life`, exp(a·tᵇ) − 1 between.

    `cycle` counts from 1. The rate a is the one that reaches 1 at `life`.
    """
    rate = np.log1p((1.0 - start) / START_RATE) / life**power
    return start + START_RATE * np.expm1(rate * np.asarray(cycle, dtype=float) ** power)


def typical_life(thrust: float) -> float:
    """Flights to failure of a typical engine flown at `thrust`, per cent of rated take-off thrust."""
    return TYPICAL_LIFE * (thrust / TYPICAL_THRUST) ** -THRUST_POWER


def make(seed: int = 7) -> pd.DataFrame:
    """About 16,000 rows: 80 engines, one row a cycle, the last row of each engine is its last flight."""
    rng = np.random.default_rng(seed)
    engines = [_engine(rng, f"E{number:03d}") for number in range(1, N_ENGINES + 1)]
    table = pd.concat(engines, ignore_index=True)
    lost = rng.choice(len(table), 60, replace=False)
    table.loc[lost[:40], "bleed_enthalpy"] = np.nan
    table.loc[lost[40:], "bypass_ratio"] = np.nan
    return table


def _engine(rng: np.random.Generator, name: str) -> pd.DataFrame:
    thrust = rng.uniform(86.0, 98.0)
    life = int(np.clip(typical_life(thrust) * rng.lognormal(0.0, LIFE_SCATTER), SHORTEST, LONGEST))
    cycle = np.arange(1.0, life + 1.0)
    start, power = rng.uniform(0.0, 0.10, 2), rng.uniform(0.95, 1.15, 2)
    efficiency = loss(cycle, life, start[0], power[0])
    flow = loss(cycle, life, start[1], power[1])
    altitude = np.clip(rng.normal(10.6, 0.4, life), 9.4, 11.9).round(2)
    table = {"engine": np.full(life, name, dtype=object), "cycle": cycle, "altitude": altitude}
    table["takeoff_thrust"] = (thrust + rng.normal(0.0, 0.8, life)).round(1)
    for column, (_, base, by_efficiency, by_flow, sd, by_altitude) in SENSORS.items():
        unit_offset = rng.normal(0.0, 0.5 * sd)
        signal = base + unit_offset + by_efficiency * efficiency + by_flow * flow + by_altitude * (altitude - 10.6)
        digits = max(0, int(np.ceil(1.0 - np.log10(sd))))
        table[column] = (signal + rng.normal(0.0, sd, life)).round(digits)
    return pd.DataFrame(table).astype({"engine": str})


COLUMNS = (
    Column("engine", "text", "group"),
    Column("cycle", "number", "time"),
    Column("altitude", "number", unit="km"),
    Column("takeoff_thrust", "number", unit="%"),
    *(Column(name, "number", unit=facts[0]) for name, facts in SENSORS.items()),
)

DEMO = Demo(
    key="engine_life",
    title=msg("Engines: how long will they last?"),
    summary=msg(
        "80 turbofan engines run to failure, 130 to 300 flights each. Predict the flights that are left from 12 sensors and how the engine is flown."
    ),
    task="rul",
    make=make,
    columns=COLUMNS,
    request={
        "task": "rul",
        "model": "lstm",
        "time": "cycle",
        "group": "engine",
        "preset": "quick",
        "options": {"cap": 125, "window": 30},
    },
)
