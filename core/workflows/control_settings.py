"""What a control chart shows and where its limits come from: the settings of `core.workflows.control`."""

from __future__ import annotations

from typing import Literal

from core.settings import Settings, setting

ChartChoice = Literal["auto", "I-MR", "Xbar-R", "Xbar-S", "p", "np", "c", "u", "EWMA", "CUSUM", "run"]
OF_COUNTS: dict[str, str] = {"p": "defectives", "np": "defectives", "c": "defects", "u": "defects"}


class ControlSettings(Settings):
    """What a control chart shows, and where its limits come from."""

    chart: ChartChoice = setting("auto", title="Chart", help="auto: from the kind of data and the sizes.", expert=False)
    counts: Literal["measurement", "defectives", "defects"] = setting(
        "measurement",
        title="Kind of data",
        help="measurement: measured values. defectives: units found bad among those inspected. defects: defects found on an area.",
        expert=False,
    )
    size_column: str | None = setting(
        None,
        title="Column of sizes",
        help="Inspected units of each row, or its area. Empty: one area each (defects).",
        expert=False,
    )
    subgroup: int | None = setting(
        None, title="Rows in a subgroup", help="So many rows in order are one point.", unit="rows", ge=1, le=1000, expert=False
    )
    subgroup_column: str | None = setting(
        None, title="Column of subgroups", help="Rows with the same value are one point.", expert=False
    )
    baseline: int | None = setting(
        None,
        title="Baseline",
        help="The limits come from the first so many points and stay as they are for the later ones. Empty: from all points.",
        unit="points",
        ge=2,
        expert=False,
    )
    baseline_start: int = setting(
        1,
        title="Baseline from",
        help="The first point of the baseline; points before it give no limits.",
        unit="point",
        ge=1,
        expert=False,
    )
    stage_column: str | None = setting(
        None, title="Column of stages", help="Each value has limits of its own, as before and after a change.", expert=False
    )
    shifts: bool = setting(
        False,
        title="A stage from each lasting shift",
        help="Each lasting shift of the level begins a stage with limits of its own. Only where the cause of the shift is known.",
        expert=False,
    )
    rules: Literal["nelson", "western_electric", "aiag", "montgomery"] = setting(
        "nelson", title="Rules", help="Which book's patterns count as signals.", expert=False
    )
    sigma: Literal["auto", "R-bar/d2", "S-bar/c4", "pooled"] = setting(
        "auto", title="Sigma", help="How the spread within subgroups becomes sigma. auto: as the chart's book does."
    )
    target: float | None = setting(None, title="Target", help="Centre line of EWMA and CUSUM. Empty: the mean of the baseline.")
    weight: float = setting(0.2, title="Weight", help="EWMA: weight of the newest point.", gt=0, le=1)
    width: float = setting(2.7, title="Width", help="EWMA: standard errors from the centre to a limit.", gt=0, le=10)
    interval: float = setting(5.0, title="Decision interval", help="CUSUM: h, in standard errors.", gt=0, le=100)
    allowance: float = setting(
        0.5, title="Allowance", help="CUSUM: k, half the shift to find, in standard errors.", ge=0, le=10
    )
