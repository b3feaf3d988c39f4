"""Forecasts: electricity of a steel plant and series of the Numenta benchmark, beside the value one season ago.

No published figures stand beside them: NAB judges alarms and not forecasts, and the steel plant's were made on random splits.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.accuracy.cells import DataSet, Figures, trained
from core import workflows as wf

SERIES = (
    "realKnownCause/nyc_taxi.csv.gz",
    "realKnownCause/ambient_temperature_system_failure.csv.gz",
    "realKnownCause/machine_temperature_system_failure.csv.gz",
    "realKnownCause/ec2_request_latency_system_failure.csv.gz",
    "realAWSCloudwatch/elb_request_count_8c0756.csv.gz",
    "artificialNoAnomaly/art_daily_small_noise.csv.gz",
)
MODELS = ("auto", "ridge", "gradient_boosting", "minirocket", "dense", "gru")


def nab(ws: wf.Workspace, folder: Path, case: str, model: str, seed: int) -> Figures:
    """The next 24 values of one series, judged on its latest fifth."""
    return _figures(trained(ws, folder / "data" / case, target="value", time="timestamp", **_asked(model, seed)))


def steel(ws: wf.Workspace, folder: Path, case: str, model: str, seed: int) -> Figures:
    """The next 24 quarters of an hour of the plant's use, from all its columns."""
    file = folder / "Steel_industry_data.csv"
    return _figures(trained(ws, file, target="Usage_kWh", time="date", **_asked(model, seed)))


def _asked(model: str, seed: int) -> dict[str, object]:
    return {"task": "forecast", "model": model, "seed": seed}


def _figures(run: wf.Run) -> Figures:
    """The run's own figures, and its average error as a share of that of one season ago and of the last value."""
    found = {key: metric.value for key, metric in run.metrics.items()}
    season = run.baseline_metrics["mae"].value if run.baseline == "season_ago" else found["mae"]
    found["of_season"] = found["mae"] / season if found["mae"] is not None and season else None
    return {key: float(value) for key, value in found.items() if value is not None}


def together(cells: Sequence[Figures]) -> Figures:
    """The geometric mean of the shares, and on how many series the model is better than one season ago."""
    shares = np.array([c["of_season"] for c in cells])
    return {
        "of_season": float(np.exp(np.log(shares).mean())),
        "better_on": float((shares < 1).sum()),
        "series": float(len(shares)),
    }


SETS = (
    DataSet(
        key="forecast_nab",
        folder="nab",
        title="NAB series, forecast",
        protocol="Six series, the next 24 values, judged on the latest fifth of each; all settings default. "
        "of_season: average error as a share of that of the value one season ago (geometric mean), better_on: series on which it is below 1.",
        figures=("of_season", "better_on", "series", "mase", "coverage"),
        models=MODELS,
        published=(),
        measure=nab,
        cases=SERIES,
        seeds=(7,),
        summary=together,
        digits={"better_on": 0, "series": 0, "of_season": 3},
    ),
    DataSet(
        key="forecast_steel",
        folder="steel_energy",
        title="Steel plant, forecast",
        protocol="The next 24 quarters of an hour of electricity use (6 hours), judged on the latest fifth of the year; all settings default.",
        figures=("mae", "of_season", "mase", "skill", "coverage"),
        models=MODELS,
        published=(),
        measure=steel,
        digits={"mae": 2},
    ),
)
