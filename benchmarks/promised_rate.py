"""Does a chart of scores keep the share of false alarms that it promises? Simulated processes that stay as they were.

Each process is drawn many times: Phase I gives the limits, Phase II, which follows it without a break, is judged by them. Nothing changes
between the two, so that every point outside is a false alarm. Realised is the mean share over the draws, with its 95 % interval
from the spread between draws. A promise holds where it lies within or above that interval. The EWMA beside the chart has the same promise.

`make bench-promise`; `--draws` for fewer.
"""

from __future__ import annotations

import argparse
import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.common import publish, table
from core.anomalies.score_chart import RATE, Prefer, ScoreChart, score_chart
from core.anomalies.score_limits import Side
from core.spc.chart import Floats, phases
from core.spc.individuals import NotDefined

Rng = np.random.Generator
BURN, LATER, SEED = 300, 2_000, 20_261_126


def filtered(noise: Floats, ar: Sequence[float] = (), ma: Sequence[float] = ()) -> Floats:
    """Σ over the past: x_t = Σ ar_i x_{t−i} + e_t + Σ ma_j e_{t−j}."""
    from scipy.signal import lfilter

    return np.asarray(lfilter([1, *ma], [1, *(-np.asarray(ar))], noise))


def sine(n: int, period: int, size: float) -> Floats:
    return size * np.sin(2 * np.pi * np.arange(n) / period)


def garch(rng: Rng, n: int, alpha: float = 0.1, beta: float = 0.85) -> Floats:
    """Normal values whose variance is 1 − α − β + α x² + β of the variance before."""
    noise, found, variance = rng.normal(size=n), np.empty(n), 1.0
    for t in range(n):
        found[t] = noise[t] * math.sqrt(variance)
        variance = 1 - alpha - beta + alpha * found[t] ** 2 + beta * variance
    return found


def batches(rng: Rng, n: int, size: int = 8, between: float = 0.5) -> Floats:
    """Small batches with a level of their own."""
    return np.repeat(rng.normal(0, between, n // size + 1), size)[:n] + rng.normal(size=n)


def smooth_score(rng: Rng, n: int, width: int = 10) -> Floats:
    """An anomaly score of overlapping windows: the mean square of the last `width` values."""
    return np.convolve(rng.normal(size=n + width - 1) ** 2, np.full(width, 1 / width), "valid")


PROCESSES: dict[str, Callable[[Rng, int], Floats]] = {
    "independent normal": lambda r, n: r.normal(size=n),
    "independent t, 3 degrees": lambda r, n: r.standard_t(3, n),
    "independent t, 20 degrees": lambda r, n: r.standard_t(20, n),
    "independent lognormal": lambda r, n: r.lognormal(size=n),
    "independent exponential": lambda r, n: r.exponential(size=n),
    "independent uniform": lambda r, n: r.uniform(size=n),
    "normal, rounded to 1 σ": lambda r, n: np.rint(r.normal(size=n)),
    "counts, Poisson 3": lambda r, n: r.poisson(3, n).astype(np.float64),
    "AR(1) 0.3": lambda r, n: filtered(r.normal(size=n), [0.3]),
    "AR(1) 0.6": lambda r, n: filtered(r.normal(size=n), [0.6]),
    "AR(1) 0.9": lambda r, n: filtered(r.normal(size=n), [0.9]),
    "AR(1) −0.5": lambda r, n: filtered(r.normal(size=n), [-0.5]),
    "AR(2) 1.2 −0.5": lambda r, n: filtered(r.normal(size=n), [1.2, -0.5]),
    "ARMA(1,1) 0.8, 0.4": lambda r, n: filtered(r.normal(size=n), [0.8], [0.4]),
    "MA(1) 0.6": lambda r, n: filtered(r.normal(size=n), [], [0.6]),
    "AR(1) 0.6, noise t 3": lambda r, n: filtered(r.standard_t(3, n), [0.6]),
    "AR(1) 0.6, noise lognormal": lambda r, n: filtered(r.lognormal(size=n), [0.6]),
    "sine of 24 rows + normal": lambda r, n: sine(n, 24, 1.5) + r.normal(size=n),
    "sine of 24 rows + AR(1) 0.6": lambda r, n: sine(n, 24, 2.0) + filtered(r.normal(size=n), [0.6]),
    "batches of 8 with own levels": batches,
    "wandering level + noise": lambda r, n: np.cumsum(r.normal(0, 0.2, n)) + r.normal(size=n),
    "volatility, GARCH 0.1, 0.85": garch,
    "score of overlapping windows": smooth_score,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Realised:
    """Shares of false alarms of many draws: mean, half of its 95 % interval, and the mean promise; the same of the EWMA,
    and how many of its limits were estimates."""

    name: str
    methods: Counter[str]
    promised: float
    rate: float
    half: float
    twin: float
    twin_half: float
    estimates: float

    @property
    def holds(self) -> bool:
        return self.rate - self.half <= self.promised

    @property
    def twin_holds(self) -> bool:
        return self.twin - self.twin_half <= self.promised


def charted(values: Floats, n: int, rate: float, side: Side, prefer: Prefer) -> ScoreChart:
    """The chart of a series of which the first n rows are Phase I."""
    found = score_chart(values, phases(len(values), np.arange(len(values)) < n), rate=rate, side=side, prefer=prefer)
    assert not isinstance(found, NotDefined), found.reason
    return found


def realised(
    name: str,
    draws: int,
    n: int = 1_000,
    *,
    rate: float = RATE,
    side: Side = "both",
    prefer: Prefer = "residual",
    later: int = LATER,
) -> Realised:
    """What comes true of the promise for a process, seeded by its name."""
    shares, twins, promises, estimates, methods = [], [], [], [], Counter[str]()
    for draw in range(draws):
        rng = np.random.default_rng([SEED, draw, n, *name.encode()])
        found = charted(PROCESSES[name](rng, BURN + n + later)[BURN:], n, rate, side, prefer)
        methods[f"{found.method}, {found.limits.shape}"] += 1
        promises.append(found.limits.rate)
        estimates.append(found.twin_is_estimate)
        shares.append(found.chart.outside[n:].mean())
        twins.append(found.twin.outside[n:].mean())
    half, twin_half = (1.96 * float(np.std(x, ddof=1)) / math.sqrt(draws) for x in (shares, twins))
    return Realised(
        name,
        methods,
        float(np.mean(promises)),
        float(np.mean(shares)),
        half,
        float(np.mean(twins)),
        twin_half,
        float(np.mean(estimates)),
    )


def line(found: Realised, n: int, side: str) -> list[str]:
    """A line of the table, shares in ‰."""
    ways = "; ".join(f"{key} {round(100 * count / found.methods.total())} %" for key, count in found.methods.most_common(3))

    def share(value: float, half: float, holds: bool) -> str:
        return f"{1000 * value:.2f} ± {1000 * half:.2f}{'' if holds else ' **above**'}"

    return [
        found.name,
        side,
        f"{n:,}",
        ways,
        f"{1000 * found.promised:.2f}",
        share(found.rate, found.half, found.holds),
        share(found.twin, found.twin_half, found.twin_holds) + (" (estimate)" if found.estimates > 0.5 else ""),
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure every process and put the table into the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--rows", type=int, nargs="*", default=[500, 1_000, 2_000])
    parser.add_argument("--only", nargs="*", help="names of processes")
    options = parser.parse_args(arguments)
    names = options.only or list(PROCESSES)
    begun, lines = time.monotonic(), []
    cases: list[tuple[int, Side, Prefer]] = [(n, "both", "residual") for n in options.rows]
    cases.append((1_000, "upper", "level"))
    for n, side, prefer in cases:
        for name in names:
            found = realised(name, options.draws, n, side=side, prefer=prefer)
            lines.append(line(found, n, "both sides" if side == "both" else "upper, level first"))
            print(*lines[-1], sep=" | ", flush=True)
    head = ["process", "judged", "rows of Phase I", "method chosen", "promised ‰", "realised ‰", "EWMA ‰"]
    above = sum("above" in cell for row in lines for cell in row[5:])
    text = f"{table(head, lines)}\n\n{options.draws} draws each with {LATER:,} rows of Phase II; {above} of {2 * len(lines)} above their promise; {time.monotonic() - begun:.0f} s."
    if not options.only:
        publish("promise", "make bench-promise", text)


if __name__ == "__main__":
    main()
