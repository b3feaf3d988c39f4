"""Do the limits of an alarm logic keep their two promises? k of n scores and quiet rows, on processes that stay as they were.

Each draw calibrates on normal rows of its own; one long series of the same process, drawn apart, tells how many alarms a row each limit
gives. The promise on average is held against the mean over draws, the one with 95 % confidence against the share of draws that keep it.

`make bench-promise` runs it after the charts; alone: `python -m benchmarks.promised_alarms`.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence

import numpy as np

from benchmarks.common import publish, table
from benchmarks.promised_rate import BURN, PROCESSES, SEED
from core.anomalies.alarm_logic import AlarmLogic, alarm_limit
from core.anomalies.promises import Promise

NAMES = (
    "independent normal",
    "independent lognormal",
    "AR(1) 0.6",
    "AR(1) 0.9",
    "volatility, GARCH 0.1, 0.85",
    "score of overlapping windows",
)
LOGICS = (AlarmLogic(), AlarmLogic(1, 1, 49), AlarmLogic(2, 3, 49), AlarmLogic(3, 5, 99))
LATER = 300_000


def kept(name: str, logic: AlarmLogic, draws: int, n: int, rate: float) -> list[str]:
    """A line of the table: alarms a row on average, and the share of calibrations that keep the promise, each with its 95 % interval."""
    seed = [SEED, n, *name.encode()]
    later = PROCESSES[name](np.random.default_rng([*seed, draws]), BURN + LATER)[BURN:]
    statistic = logic.statistic(later)
    found: dict[Promise, list[float]] = {"on_average": [], "confident": []}
    blocks: list[int] = []
    for draw in range(draws):
        scores = PROCESSES[name](np.random.default_rng([*seed, draw]), BURN + n)[BURN:]
        for promise, rates in found.items():
            limit = alarm_limit(scores, logic, rate, promise)
            if promise == "on_average":
                blocks.append(limit.block)
            if limit.value is None:
                continue
            alarms = logic.alarms(statistic, limit.value)
            if not limit.counts_alarms:  # runs of alarms within a block are one
                alarms = AlarmLogic(hold_off=limit.block - 1).alarms(statistic, limit.value)
            rates.append(len(alarms) / len(later))
    mean, sure = np.array(found["on_average"]), np.array(found["confident"])
    half = 1.96 * float(mean.std(ddof=1)) / math.sqrt(len(mean)) if len(mean) > 1 else math.nan
    share = float(np.mean(sure <= rate)) if len(sure) else math.nan
    spread = 1.96 * math.sqrt(share * (1 - share) / len(sure)) if len(sure) else math.nan
    return [
        name,
        f"{logic.k} of {logic.n}, {logic.hold_off}",
        f"{int(np.median(blocks))}",
        "–"
        if not len(mean)
        else f"{1000 * mean.mean():.2f} ± {1000 * half:.2f}{'' if mean.mean() - half <= rate else ' **above**'}",
        f"{len(sure)} of {draws}",
        "–" if not len(sure) else f"{share:.1%} ± {spread:.1%}{'' if share + spread >= 0.95 else ' **below**'}",
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure every process and logic and put the table into the page."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--rate", type=float, default=0.002)
    options = parser.parse_args(arguments)
    begun, lines = time.monotonic(), []
    for name in NAMES:
        for logic in LOGICS:
            lines.append(kept(name, logic, options.draws, options.rows, options.rate))
            print(*lines[-1], sep=" | ", flush=True)
    head = [
        "process",
        "k of n, quiet rows",
        "block (median)",
        "on average: alarms ‰",
        "95 %: limits given",
        "95 %: calibrations that keep it",
    ]
    text = f"{table(head, lines)}\n\n{options.draws} calibrations on {options.rows:,} rows, promised {1000 * options.rate:g} ‰; {time.monotonic() - begun:.0f} s."
    publish("promise-alarms", "make bench-promise", text)


if __name__ == "__main__":
    main()
