"""Against which limits a column is judged, and how: the settings of `core.workflows.capability`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import field_validator

from core.settings import Settings, setting
from core.workflows.control_settings import parts_of


class CapabilitySettings(Settings):
    """Against which limits a column is judged, and how."""

    lower: float | None = setting(None, title="Lower specification limit", help="Empty: that of the column.", expert=False)
    target: float | None = setting(None, title="Target", help="For Cpm. Empty: the nominal value of the column.", expert=False)
    upper: float | None = setting(None, title="Upper specification limit", help="Empty: that of the column.", expert=False)
    subgroup: int | None = setting(
        None, title="Rows in a subgroup", help="So many rows in order are one point.", unit="rows", ge=1, le=1000, expert=False
    )
    subgroup_column: str | None = setting(
        None, title="Column of subgroups", help="Rows with the same value are one point.", expert=False
    )
    by_column: str | None = setting(
        None,
        title="Column of strata",
        help="Machine, lot or shift: mean, spread and Ppk of each beside one another.",
        expert=False,
    )
    distribution: Literal[
        "auto",
        "normal",
        "exponential",
        "lognormal",
        "weibull",
        "gamma",
        "loglogistic",
        "logistic",
        "smallest_extreme",
        "largest_extreme",
        "lognormal3",
        "weibull3",
        "box_cox",
        "johnson",
    ] = setting(
        "auto",
        title="Distribution",
        help="auto: normal where nothing or little speaks against it, else the best fit. Box-Cox and Johnson only where asked for.",
        expert=False,
    )
    method: Literal["percentile", "z"] = setting(
        "percentile",
        title="Indices of a distribution",
        help="percentile: ISO 22514-2, from the 0.135 and 99.865 % points. z: from the normal scores of the limits.",
    )
    sigma: Literal["auto", "R-bar/d2", "S-bar/c4", "pooled"] = setting(
        "auto",
        title="Spread within subgroups",
        help="auto: ranges up to 8 rows a subgroup, else standard deviations. Single rows have moving ranges.",
    )
    rules: Literal["nelson", "western_electric", "aiag", "montgomery"] = setting(
        "nelson", title="Rules", help="Which book's patterns count as signals.", expert=False
    )
    only_rules: tuple[str, ...] = setting(
        (),
        title="Single rules",
        help="Numbers of the book's rules that count, each with its own k if wanted: 1,2:8,5. Empty: all that tell of changes.",
        expert=False,
    )
    stability: Literal["chance", "strict"] = setting(
        "chance",
        title="Stable",
        help="chance: broken rules count where there are more than chance gives. strict: every one counts.",
    )
    unstable_anyway: bool = setting(
        False,
        title="Performance although unstable",
        help="Tell Pp and Ppk of a process that is not stable. They describe the past and promise nothing.",
    )
    confidence: float = setting(0.95, title="Confidence", help="Of the two-sided intervals.", gt=0.5, lt=1)

    @field_validator("only_rules", mode="before")
    @classmethod
    def _numbers(cls, value: Any) -> Any:
        return parts_of(value, ",") if isinstance(value, str) else value
