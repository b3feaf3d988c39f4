"""Settings that belong to the question and not to a model family: window, rows ahead, life cap, alarm budget, interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from core.settings import Settings, setting

_OF_FORECAST = ("horizon", "season", "anchor")
_OF_TEXT = ("text_column", "text_tokens")
NOT_ASKED: Mapping[str, tuple[str, ...]] = {
    "regression": ("cap", "own_start", "false_alarms_per_week", "oversample", "unknown_rate", *_OF_FORECAST),
    "classification": ("cap", "own_start", "false_alarms_per_week", "interval_miss_rate", *_OF_FORECAST),
    "anomaly": (
        "cap",
        "own_start",
        "interval_miss_rate",
        "oversample",
        "unknown_rate",
        "last_fit",
        "straighten",
        *_OF_TEXT,
        *_OF_FORECAST,
    ),
    "rul": ("straighten", "false_alarms_per_week", "oversample", "unknown_rate", *_OF_TEXT, *_OF_FORECAST),
    "forecast": ("straighten", "cap", "own_start", "oversample", "unknown_rate", *_OF_TEXT),
}
"""Settings that mean nothing to a task, by task."""


class TaskSettings(Settings):
    """What a run may set beside the model's and the fit's own settings."""

    window: int | None = setting(
        None,
        title="Window",
        help="How many rows the model looks back. Empty: chosen from the data and the family.",
        unit="rows",
        ge=1,
        le=2000,
    )
    horizon: int = setting(
        24,
        title="Rows ahead",
        help="How many next values are forecast, each by its own output of one model.",
        unit="rows",
        ge=1,
        le=500,
        expert=False,
    )
    season: int | None = setting(
        None,
        title="Season",
        help="After how many rows the series repeats itself, as 96 quarters of an hour in a day; 1: not at all. Empty: found from "
        "the autocorrelation of the training part.",
        unit="rows",
        ge=1,
        le=20_000,
    )
    anchor: Literal["last", "season", "level"] = setting(
        "last",
        title="Forecast as a difference from",
        help="What the model adds its answer to: the last known value, the value one season before, or the average level.",
    )
    cap: float = setting(
        125.0,
        title="Life cap",
        help="Remaining life above this counts as this: a healthy machine does not age visibly.",
        unit="cycles",
        gt=0,
    )
    own_start: bool = setting(
        False,
        title="Compare with the unit's own start",
        help="Each sensor is also given as its difference from the unit's first rows, and the unit's age. For units that differ in "
        "level more than they wear; every history has to begin with the unit's life, in training and later.",
    )
    false_alarms_per_week: float = setting(
        2.0,
        title="False alarms allowed a week",
        help="The decision limit is set from held-out normal rows to keep this promise.",
        unit="1/week",
        gt=0,
        le=10_000,
        expert=False,
    )
    interval_miss_rate: float = setting(
        0.1, title="Interval miss rate", help="Share of rows that may lie outside the prediction interval.", gt=0, lt=0.5
    )
    unknown_rate: float = setting(
        0.01,
        title="None of the known classes",
        help="Share of ordinary rows that may be called unlike every known class, so that a new kind of fault is noticed; 0: off.",
        ge=0,
        lt=0.5,
    )
    oversample: bool = setting(
        False,
        title="Repeat rare classes",
        help="Training windows of rare classes are repeated until all classes are equally frequent, for the model and its "
        "baselines alike. Validation and test part stay as they are.",
    )
    straighten: bool = setting(
        True,
        title="Straighten skewed columns",
        help="Number columns whose values crowd at one end are also given after a power transform (Box-Cox, Yeo-Johnson), so that "
        "their small values count too. Trees gain nothing by it; networks, support vectors, neighbours and straight lines do.",
    )
    last_fit: bool = setting(
        True,
        title="Fit once more at the end",
        help="Once everything is chosen, the model is fitted once more with the rows of the validation part, which are a fifth of "
        "what is known. Interval and decision stay as the fit before gave them.",
    )
    text_column: str | None = setting(
        None,
        title="Column of free text",
        help="Remarks that the text families read. Empty: the column with the most words a cell, if there is one of free text.",
    )
    text_tokens: int = setting(
        64,
        title="Longest text",
        help="Words (of Chinese: characters) that are read of a remark at most; fewer where 99 % of remarks are shorter.",
        unit="words",
        ge=1,
        le=512,
    )
