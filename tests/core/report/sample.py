"""A full set of facts, for the report's tests and its browser check."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd

from core import charts
from core.anomalies.records import AnomalyEvent, SensorShare, Verdict
from core.data.dataset import Column
from core.evaluation.result import Metric, not_defined
from core.messages import msg
from core.report import DatasetFacts, Fact, MetricLine, RecipeLine, ReportFacts, ReportFigure, SplitFacts

NOW = datetime(2024, 5, 20, 14, 3, tzinfo=UTC)


def sample_facts(
    *, dataset: str = "Hydraulic pump", column: str = "discharge_pressure", comment: str = "seal replaced", unit: str = "bar"
) -> ReportFacts:
    """An anomaly run with three charts, two events and a recipe; the arguments are what users may type."""
    return ReportFacts(
        title=msg("Report on run '{name}'", name="LSTM autoencoder, run 12"),
        created=NOW,
        app_version="0.1.0",
        verdict=msg("{n} of {faults} faults were found; T²/SPE finds as many.", n=3, faults=4),
        dataset=DatasetFacts(
            dataset,
            3,
            20_000,
            _columns(column, unit),
            "ab" * 32,
            "pump.csv",
            msg("{a} to {b}", a="2024-05-06", b="2024-05-20"),
            "ef" * 32,
        ),
        split=SplitFacts(
            msg("first rows"),
            msg("The first {n} rows train.", n=12_000),
            {"train": 10_200, "validation": 1_800, "test": 8_000, "gap": 0},
        ),
        model_name=msg("LSTM autoencoder"),
        baseline_name=msg("T²/SPE"),
        other_baselines=(msg("Isolation forest"),),
        metrics=(
            MetricLine(
                msg("Defects caught"),
                Metric("recall", 0.8123, 8_000, 0.79, 0.83),
                Metric("recall", 0.74, 8_000, 0.71, 0.77),
                others=(Metric("recall", 0.6789, 8_000, 0.65, 0.7),),
            ),
            MetricLine(
                msg("Error (RMSE)"),
                Metric("rmse", 0.02134, 8_000, 0.0204, 0.0223),
                Metric("rmse", 0.029, 8_000),
                unit=unit,
                others=(Metric("rmse", 0.0345, 8_000),),
            ),
            MetricLine(msg("AUC"), not_defined("roc_auc", 8_000, msg("only one class in the test part")), None, others=(None,)),
        ),
        recipe=(
            RecipeLine(
                msg("Fill gaps"),
                (column,),
                (Fact(msg("method"), "linear"), Fact(msg("limit"), 5)),
                24,
                0,
                3,
                (msg("{n} gap left", n=1),),
            ),
        ),
        settings=(Fact(msg("window"), 30), Fact(msg("learning rate"), 0.001), Fact(msg("comment"), comment)),
        threshold=(Fact(msg("decision limit"), 1.92), Fact(msg("from"), msg("1,800 normal rows, at most 2 a week"))),
        events=(
            _event(
                1,
                column,
                unit,
                Verdict(120, 260, "assignable_cause", comment, "ann@plant.example", NOW, "worn seal", "new seal from store 3"),
            ),
            _event(2, column, unit, None),
        ),
        figures=_figures(column, unit),
        versions={"tensorflow": "2.21.0", "numpy": "2.4"},
        hashes={"model.onnx": "cd" * 32},
        notes=(msg("{comment}", comment=comment), msg("Read from {path}.", path="/srv/plant/line4/pump.csv")),
        run=(Fact(msg("Seed"), "7"), Fact(msg("Duration"), "41 s")),
    )


def _columns(column: str, unit: str) -> tuple[Column, ...]:
    return (
        Column("time", "time", "time"),
        Column(column, "number", "sensor", unit, 100.0, 140.0, 180.0),
        Column("fault", "number", "target"),
    )


def _event(number: int, column: str, unit: str, verdict: Verdict | None) -> AnomalyEvent:
    sensors = (SensorShare(column, 0.61, -0.44, unit, 3.95, 4.25), SensorShare("motor_current", 0.22, 1.8, "A"))
    began, ended = pd.Timestamp("2024-05-11T06:42"), pd.Timestamp("2024-05-11T20:30")
    return AnomalyEvent(number, 120, 260, 200, began, ended, 141, 7.9, 4.1, sensors, verdict)


def _figures(column: str, unit: str) -> tuple[ReportFigure, ...]:
    rng = np.random.default_rng(1)
    at = np.datetime64("2024-05-06", "us") + np.arange(20_000) * np.timedelta64(60_000_000, "us")
    scores = np.abs(1 + 0.3 * rng.standard_normal(20_000))
    scores[13_400:14_000] += np.linspace(0, 3, 600)
    parts = np.repeat([0, 1, 2], [10_200, 1_800, 8_000])
    timeline = charts.score_timeline(scores=scores, limit=2.4, x=at, parts=parts)
    sensor = charts.sensor_band(
        values=4.1 - 0.05 * scores[13_000:13_800], column=column, unit=unit, x=at[13_000:13_800], low=3.98, high=4.1
    )
    share = np.linspace(0, 1, 60)
    curve = charts.roc(curve=(share, share**0.1), baseline=(share, share**0.4), operating_point=(0.05, 0.05**0.1))
    counts = charts.confusion_matrix(counts=[[7_000, 20], [180, 800]], classes=["normal", column])
    return (
        ReportFigure(
            msg("Score over time"), timeline, charts.caption_score_timeline(20_000, at, msg("limit from 1,800 normal rows"))
        ),
        ReportFigure(
            msg("{column} around the event", column=column), sensor, charts.caption_sensor_band(800, at[13_000:13_800])
        ),
        ReportFigure(msg("ROC"), curve, charts.caption_curve(8_000, 980, column)),
        ReportFigure(msg("True and predicted classes"), counts, charts.caption_curve(8_000, 980, column)),
    )
