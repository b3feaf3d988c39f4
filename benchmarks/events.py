"""Is it true what is said of an event? Onset, lead and lag, and likeness, on seeded changes whose truth is known.

`make bench-events` runs it, in about a minute.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import publish, table
from core.anomalies.lead_lag import Lag, confidence_of, lag_between, lead_lag
from core.anomalies.onset import Onset, find_onset
from core.anomalies.similar import ALIKE, Signature, likeness

SEED = 20_261_127
MEMORIES = (0.0, 0.5, 0.9)
SIZES = (
    ("step", 1.5),
    ("step", 3.0),
    ("step", 6.0),
    ("ramp", 1.0),
    ("ramp", 3.0),
    ("ramp", 6.0),
    ("growth", 3.0),
    ("noise", 0.0),
)
LAGS = (0, 5, -8, None)
CAUSES: tuple[dict[int, float], ...] = ({0: 1}, {1: -1}, {0: 1, 2: -1}, {3: 1, 4: 1}, {5: -1}, {6: 1, 7: 0.6}, {2: -1, 5: 0.8})
BARS = (0.6, 0.65, 0.7, 0.75, 0.8)


def series(rng: np.random.Generator, n: int, memory: float) -> NDArray[np.float64]:
    """AR(1) with standard deviation 1."""
    x, e = np.zeros(n), rng.normal(size=n) * np.sqrt(1 - memory**2)
    for i in range(1, n):
        x[i] = memory * x[i - 1] + e[i]
    return x


def onsets(kind: str, size: float, memory: float, draws: int) -> list[str]:
    """Onsets of changes that are flagged 2 to 29 rows late; a ramp or a growth with the square of time has come to `size` after 20 rows."""
    errors, held = [], 0
    for draw in range(draws):
        rng = np.random.default_rng([SEED, draw])
        x, truth = series(rng, 500, memory), int(rng.integers(300, 400))
        since = np.arange(500) - truth
        x += size * (since >= 0 if kind == "step" else np.clip((since + 1) / 20, 0, None) ** (2 if kind == "growth" else 1))
        flag = truth + int(rng.integers(2, 30))
        found = find_onset(x, flag, flag + 30)
        if isinstance(found, Onset):
            errors.append(found.at - truth)
            held += found.low <= truth <= found.high
    told, off = len(errors), np.abs(errors)
    name = "no change" if kind == "noise" else f"{kind} of {size:g} σ"
    if kind == "noise":
        return [name, f"{memory:g}", f"{told / draws:.0%}", "–", "–", "–", "–"]
    shares = [f"{(off <= n).sum() / draws:.0%}" for n in (3, 5)]
    return [
        name,
        f"{memory:g}",
        f"{told / draws:.0%}",
        f"{np.median(errors):+g}, {np.median(off):g}",
        *shares,
        f"{held / told:.0%}",
    ]


def lags(lag: int | None, memory: float, draws: int) -> list[str]:
    """Pairs of 300 rows, each with noise of 0.7 of its own, the second one `lag` rows later; None: unrelated pairs."""
    found = []
    for draw in range(draws):
        rng = np.random.default_rng([SEED, draw])
        base = series(rng, 360, memory)
        x, y = base[30:330], series(rng, 300, memory)
        if lag is not None:
            x, y = x + 0.7 * rng.normal(size=300), base[30 - lag : 330 - lag] + 0.7 * rng.normal(size=300)
        answer = lag_between(x, y)
        found.append((answer.rows == lag, True, answer.differs) if isinstance(answer, Lag) else (False, False, False))
    exact, told, differs = np.mean(np.array(found, float), axis=0)
    name = "unrelated" if lag is None else f"{lag:+d} rows"
    return [name, f"{memory:g}", "–" if lag is None else f"{exact:.0%}", f"{told:.0%}", f"{differs:.0%}"]


def orders(kind: str, late: int, memory: float, draws: int) -> list[str]:
    """Four sensors that change at 300, the last three `late` rows later; a ramp rests after 20 rows at 6 σ, a growth has sizes of its own."""
    found = []
    for draw in range(draws):
        rng, sensors = np.random.default_rng([SEED, draw]), {}
        for i in range(4):
            since = np.arange(420) - 300 - (late if i else 0)
            rise = {
                "step": 6.0 * (since >= 0),
                "ramp": 6 * np.clip((since + 1) / 20, 0, 1),
                "growth": (4 + 8 * i) * np.clip((since + 1) / 50, 0, None) ** 2,
            }[kind]
            sensors[f"s{i}"] = series(rng, 420, memory) + rise
        sure = confidence_of(len(sensors))
        order = lead_lag(
            sensors, {name: find_onset(x, 310 + late, 400, until=400, confidence=sure) for name, x in sensors.items()}
        )
        lags = [f.lag for f in order.followers if isinstance(f.lag, Lag)]
        found.append((order.first == "s0", any(lag.differs for lag in lags)))
    first, claimed = np.mean(np.array(found, float), axis=0)
    return [kind, f"{late}", f"{memory:g}", f"{first:.0%}", f"{claimed:.0%}"]


def event(rng: np.random.Generator, cause: dict[int, float]) -> Signature:
    """Deviations of 1.5 to 6 half widths over a wobble of 0.2; parts as squares of them, a quarter of each smeared at random."""
    away, size = rng.normal(0, 0.2, 8), rng.uniform(1.5, 6)
    for sensor, part in cause.items():
        away[sensor] += size * part * rng.uniform(0.8, 1.2)
    shares = 0.75 * away**2 / (away**2).sum() + 0.25 * rng.dirichlet(np.ones(8))
    return Signature({f"s{i}": v for i, v in enumerate(away)}, {f"s{i}": v for i, v in enumerate(shares)})


def bars(pairs: int) -> list[list[str]]:
    """How many pairs of the same and of different causes reach each bar."""
    rng, same, other = np.random.default_rng(SEED), [], []
    for _ in range(pairs):
        i, j = rng.choice(len(CAUSES), 2, replace=False)
        same.append(likeness(event(rng, CAUSES[i]), event(rng, CAUSES[i])) or 0.0)
        other.append(likeness(event(rng, CAUSES[i]), event(rng, CAUSES[j])) or 0.0)
    return [
        [f"{bar:g}" + (" (used)" if bar == ALIKE else ""), f"{np.mean(np.array(same) >= bar):.1%}", f"{np.mean(np.array(other) >= bar):.1%}"]
        for bar in BARS
    ]  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure all three and put the tables into the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--pairs", type=int, default=4_000)
    options = parser.parse_args(arguments)
    begun = time.monotonic()
    first = [onsets(kind, size, memory, options.draws) for memory in MEMORIES for kind, size in SIZES]
    order = [
        orders(kind, late, memory, options.draws)
        for memory in MEMORIES
        for kind in ("step", "ramp", "growth")
        for late in (0, 12)
    ]
    second = [lags(lag, memory, options.draws) for memory in MEMORIES for lag in LAGS]
    text = "\n\n".join(
        [
            table(["change", "r of neighbours", "told", "error in rows: median, median size", "within 3", "within 5", "truth is plausible"], first),
            table(["four sensors", "three follow by", "r of neighbours", "first one is said", "any order is said"], order),
            table(["true lag", "r of neighbours", "exact", "told", "differs from 0"], second),
            table(["likeness from", "same cause", "different causes"], bars(options.pairs)),
            f"{options.draws} changes and pairs a line, {options.pairs:,} pairs of events; {time.monotonic() - begun:.0f} s.",
        ]
    )  # fmt: skip
    publish("events", "make bench-events", text)


if __name__ == "__main__":
    main()
