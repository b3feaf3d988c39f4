"""What a control chart shows and where its limits come from: the settings of `core.workflows.control`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

from pydantic import field_validator

from core.errors import SettingProblem
from core.messages import msg
from core.settings import Settings, setting

ChartChoice = Literal["auto", "I-MR", "Xbar-R", "Xbar-S", "p", "np", "c", "u", "EWMA", "CUSUM", "run"]
WITHOUT_RULES = ("EWMA", "CUSUM", "run")
"""Charts that are judged by their limits or tests alone."""
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
    only_rules: tuple[str, ...] = setting(
        (),
        title="Single rules",
        help="Numbers of the book's rules that count, each with its own k if wanted: 1,2:8,5. Empty: all of them as they are.",
        expert=False,
    )
    left_out: tuple[str, ...] = setting(
        (),
        title="Left out of the limits",
        help="Rows and the cause, such as 31:sensor unplugged|40-45:tool change. Their points give no limits and are not judged, and stay drawn.",
        expert=False,
    )
    known_centre: float | None = setting(
        None,
        title="Known centre",
        help="Centre line that is known beforehand (I, X̄, EWMA, CUSUM), such as μ of a standard or a target. Empty: learned from the baseline.",
    )
    known_sigma: float | None = setting(
        None,
        title="Known sigma",
        help="Standard deviation of single values that is known beforehand (I, X̄, EWMA, CUSUM). Empty: learned from the baseline.",
        gt=0,
    )
    sigma: Literal["auto", "R-bar/d2", "S-bar/c4", "pooled"] = setting(
        "auto", title="Sigma", help="How the spread within subgroups becomes sigma. auto: as the chart's book does."
    )
    weight: float = setting(0.2, title="Weight", help="EWMA: weight of the newest point.", gt=0, le=1)
    width: float = setting(2.7, title="Width", help="EWMA: standard errors from the centre to a limit.", gt=0, le=10)
    interval: float = setting(5.0, title="Decision interval", help="CUSUM: h, in standard errors.", gt=0, le=100)
    allowance: float = setting(
        0.5, title="Allowance", help="CUSUM: k, half the shift to find, in standard errors.", ge=0, le=10
    )

    @property
    def has_subgroups(self) -> bool:
        """Whether several rows are one point."""
        return self.subgroup_column is not None or (self.subgroup or 1) > 1

    @property
    def is_known(self) -> bool:
        """Whether nothing has to be learned from the points."""
        return self.known_centre is not None and self.known_sigma is not None

    @field_validator("known_sigma", mode="before")
    @classmethod
    def _above_zero(cls, given: Any) -> Any:
        try:
            value = float(given)
        except (TypeError, ValueError):
            return given
        if value <= 0:
            raise SettingProblem(
                msg("The known sigma is {value}.", value=f"{value:g}"),
                msg("Expected a standard deviation: a number above 0, in the unit of the column."),
                msg("Enter one, or leave it empty to learn it from the points."),
                name="known_sigma",
                value=value,
            )
        return given

    @field_validator("only_rules", mode="before")
    @classmethod
    def _numbers(cls, value: Any) -> Any:
        return parts_of(value, ",") if isinstance(value, str) else value

    @field_validator("left_out", mode="before")
    @classmethod
    def _causes(cls, value: Any) -> Any:
        return parts_of(value, "|") if isinstance(value, str) else value


EXPERT_OF: dict[str, frozenset[str]] = {
    "EWMA": frozenset({"weight", "width"}),
    "CUSUM": frozenset({"interval", "allowance"}),
    "Xbar-R": frozenset({"sigma"}),
    "Xbar-S": frozenset({"sigma"}),
}
"""What few ask for, by the chart that uses it; sigma within subgroups also counts for EWMA and CUSUM of subgroups."""
OF_EXPERTS = ("sigma", "weight", "width", "interval", "allowance")


def used_by(chart: str, *, has_subgroups: bool) -> frozenset[str]:
    """Which of `OF_EXPERTS` a chart uses.

    Args:
        chart: Its name; auto of measurements is I-MR, or with subgroups a chart of means.
        has_subgroups: Whether several rows are one point.
    """
    name = "Xbar-S" if chart == "auto" and has_subgroups else chart
    own = EXPERT_OF.get(name, frozenset())
    return own | {"sigma"} if has_subgroups and name in ("EWMA", "CUSUM") else own


def check_used(names: Collection[str], chart: str, *, has_subgroups: bool) -> None:
    """Refuse settings that were given and change nothing of the chart that is drawn.

    Raises:
        SettingProblem: the first such setting, with the charts that use it.
    """
    used = used_by(chart, has_subgroups=has_subgroups)
    idle = [name for name in names if name in OF_EXPERTS and name not in used]
    if chart in WITHOUT_RULES:
        idle += [name for name in names if name in ("rules", "only_rules")]
    if not idle:
        return
    charts = [key for key, own in EXPERT_OF.items() if idle[0] in own]
    of = msg("charts of subgroups") if idle[0] == "sigma" else msg("charts of points that are judged one by one")
    raise SettingProblem(
        msg("{name} was given, and the chart {chart} does not use it.", name=idle[0], chart=chart),
        msg("{name} belongs to: {charts}.", name=idle[0], charts=", ".join(charts) if charts and idle[0] != "sigma" else of),
        msg("Leave {name} out, or choose such a chart.", name=idle[0]),
        name=idle[0],
    )


def parts_of(text: str, mark: str) -> tuple[str, ...]:
    """A list as it is written on a command line."""
    return tuple(part.strip() for part in text.split(mark) if part.strip())
