"""`manifest.json`: what a bundle is, in numbers and names. Unknown keys are refused, every file has its hash."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from core.settings import Settings

FORMAT_VERSION = 1


class ColumnFacts(Settings):
    """One input column as the training part showed it."""

    name: str
    kind: str
    role: str
    unit: str = ""
    lower_limit: float | None = None
    nominal: float | None = None
    upper_limit: float | None = None
    low: float | None = None
    high: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    missing_fraction: float = 0.0


class IntervalFacts(Settings):
    """Split conformal interval: prediction ± half_width covers 1 - alpha of new rows, from n validation rows."""

    half_width: float
    alpha: float
    n: int


class UnknownFacts(Settings):
    """When a row is none of the known classes: its distance to known rows is above `limit`.

    At most `miss_rate` of rows like the `n` held-out ones is called so; `limit` is None where n is too small to promise that.
    """

    limit: float | None
    miss_rate: float
    n: int


class MemberFacts(Settings):
    """One model of an ensemble: its family, its kind of predictor, its share of the average, its settings and what its fit told.

    Its files are named `member<place>` where those of a single model are named `model`. It reads the last `width` rows of
    the ensemble's window, without their first `skipped` values: token numbers of free text, for one that does not read it.
    """

    model: str
    predictor: str
    weight: float
    width: int
    skipped: int = 0
    settings: dict[str, Any] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)


class Manifest(Settings):
    """Everything that scoring and a report need besides the weights.

    `bands` are the intervals of a forecast, one a step ahead; none where the validation part is too small to promise one.
    `score_columns` are those of the file that scoring writes, where it is not one row an input row. `residual_scale` is the spread of its residuals one step ahead in the training part, in the target's unit.
    `members` are the models of an ensemble, none for a single model. `choice` is how the model was chosen among others
    (`core/jobs/choice.py`), empty where it was asked for by name. `positive` is the class to catch; with a `decision` it is
    called where its probability is above it, without one the most probable class is called.
    """

    format_version: int = FORMAT_VERSION
    task: str
    model: str
    predictor: str
    settings: dict[str, Any]
    pipeline: dict[str, Any]
    target: dict[str, Any] | None = None
    target_column: str | None = None
    key_columns: tuple[str, ...] = ()
    columns: tuple[ColumnFacts, ...]
    dataset: dict[str, Any] = Field(default_factory=dict)
    split: dict[str, Any] = Field(default_factory=dict)
    seed: int = 0
    threshold: dict[str, Any] | None = None
    positive: str | None = None
    decision: float | None = None
    interval: IntervalFacts | None = None
    bands: tuple[IntervalFacts, ...] = ()
    residual_scale: float | None = None
    score_columns: tuple[str, ...] = ()
    metrics: dict[str, Any] = Field(default_factory=dict)
    baseline: dict[str, Any] = Field(default_factory=dict)
    request: dict[str, Any] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)
    created: str = ""
    run: str = ""
    files: dict[str, str] = Field(default_factory=dict)
    unknown: UnknownFacts | None = None
    members: tuple[MemberFacts, ...] = ()
    choice: dict[str, Any] = Field(default_factory=dict)
