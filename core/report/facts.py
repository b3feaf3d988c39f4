"""What a report says, before it is said: plain facts and messages, no layout and no language.

There is no field for a path, a host or an owner: what is not here cannot leak into a shared file. Free texts (notes,
comments, the source's name, settings) are scrubbed of paths and addresses when they are rendered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import plotly.graph_objects as go

from core.anomalies.records import AnomalyEvent
from core.data.dataset import Column
from core.evaluation.result import Metric
from core.messages import Message

Said = Message | str | int | float


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a list of facts."""

    name: Message
    value: Said


@dataclass(frozen=True, slots=True)
class DatasetFacts:
    """What was learned from. `source` is the file's name, `period` its first to last time.

    `sha256` is the hash of the table that was made of the file, `source_sha256` that of the file as it was given.
    """

    name: str
    version: int
    rows: int
    columns: tuple[Column, ...]
    sha256: str
    source: str = ""
    period: Message | None = None
    source_sha256: str = ""


@dataclass(frozen=True, slots=True)
class RecipeLine:
    """One cleaning step and what it did; no columns means all that it applies to."""

    title: Message
    columns: tuple[str, ...] = ()
    settings: tuple[Fact, ...] = ()
    changed_cells: int = 0
    flagged_cells: int = 0
    left_out_rows: int = 0
    notes: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class SplitFacts:
    """How rows were parted: the method, its reason, rows by part name (train, validation, test, gap)."""

    method: Message
    reason: Message
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class MetricLine:
    """A metric of the model beside the baseline's, on the same rows; `others` stand in the order of `other_baselines`."""

    title: Message
    metric: Metric
    baseline: Metric | None = None
    unit: str = ""
    others: tuple[Metric | None, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportFigure:
    """A chart with its caption line (n, period, limits from, exclusions)."""

    title: Message
    figure: go.Figure
    caption: Message


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """Everything one report says of one run. Empty parts are left out of the document.

    `created` is an aware datetime. `verdict` is the one sentence that the report opens with. `versions` and `hashes` map
    a name to a text. `choice` says why this model was kept, `candidates` what became of each that was tried. `lives` is how long units last,
    `judged` what else is known of its predictions, `control` its control chart, `seeded` what is found of seeded faults, `challenge` how the run answers its challenge sets.
    """

    title: Message | str
    created: datetime
    app_version: str
    verdict: Message
    dataset: DatasetFacts
    split: SplitFacts
    model_name: Message
    run: tuple[Fact, ...] = ()
    baseline_name: Message | None = None
    other_baselines: tuple[Message, ...] = ()
    metrics: tuple[MetricLine, ...] = ()
    recipe: tuple[RecipeLine, ...] = ()
    settings: tuple[Fact, ...] = ()
    threshold: tuple[Fact, ...] = ()
    events: tuple[AnomalyEvent, ...] = ()
    events_note: Message | None = None
    figures: tuple[ReportFigure, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[Message, ...] = ()
    choice: tuple[Message, ...] = ()
    candidates: tuple[Fact, ...] = ()
    lives: tuple[Fact, ...] = ()
    judged: tuple[Fact, ...] = ()
    control: tuple[Fact, ...] = ()
    seeded: tuple[Fact, ...] = ()
    challenge: tuple[Fact, ...] = ()
