"""What is asked of seeded faults and what came of it: settings, records, and the sentence of a fault."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from core.anomalies.detectability import Detectability
from core.anomalies.seeding import SIZED, FaultKind
from core.messages import Message, msg
from core.settings import Settings, setting
from core.workflows.csv_out import write_csv

FORMAT = 2
FAULT_TITLES: Mapping[str, Message] = {
    "step": msg("Step change"),
    "drift": msg("Drift"),
    "spike": msg("Spike"),
    "noise": msg("Noise"),
    "lag": msg("Lag"),
    "stuck": msg("Stuck value"),
    "lost_correlation": msg("Lost correlation"),
}


class SeedSettings(Settings):
    """Which faults are put into which sensors."""

    sensors: tuple[str, ...] = setting(
        (), title="Sensors", help="Empty: the first sensor of the model, or the column that is forecast.", expert=False
    )
    kinds: tuple[FaultKind, ...] = setting(("step",), title="Faults", help="One or more kinds.", expert=False)
    sizes: tuple[float, ...] = setting(
        (),
        title="Sizes",
        help="In the unit of the sensor, for a lag in rows. Empty: 0.5 to 8 standard deviations of the training part, and smaller or larger ones until the size found 80 % of the time lies between two.",
        expert=False,
    )
    scale: Literal["unit", "sigma"] = setting(
        "unit",
        title="Sizes in",
        help="The unit of each sensor, or its standard deviations in the training part; sensors with a common cause and without sizes take the latter.",
        expert=False,
    )
    together: bool = setting(
        False,
        title="Common cause",
        help="Each fault is put into all these sensors at once, in the same rows and the same direction. Without sensors: into all of the model.",
        expert=False,
    )
    length: int | None = setting(
        None,
        title="Length",
        help="Rows that a fault lasts. Empty: 30, or a window where that is longer.",
        unit="rows",
        ge=2,
        le=5_000,
        expert=False,
    )
    stretches: int = setting(60, title="Stretches", help="So many normal stretches get each fault.", ge=5, le=1_000)
    direction: Literal["both", "up", "down"] = setting(
        "both", title="Direction", help="Of a step, drift or spike; both: half of them up, half down."
    )
    part: Literal["held_out", "validation", "test"] = setting(
        "held_out", title="Rows", help="Which normal rows the stretches come from."
    )
    threshold: float | None = setting(None, title="Decision limit", help="Empty: that of the run.")
    k: int = setting(1, title="Scores above the limit", help="So many of the last scores make an alarm.", ge=1, le=1000)
    n: int = setting(1, title="Last scores", help="Among so many.", unit="rows", ge=1, le=1000)
    seed: int = setting(7, title="Seed", help="Which stretches are drawn.", ge=0)


@dataclass(frozen=True, slots=True)
class SeededFault:
    """What became of one kind of fault in one sensor, or in several at once.

    `sensor` names it or them, `sensors` are several that had it at once. `unit` is the sensor's, that of all where they agree, else "". Sizes are in
    `scale`: "unit", that of each sensor, or "sigma", the standard deviations of each in the training part. `sigma` is the latter of a single
    sensor, 0 for several; `judged` the rows in which an alarm counts.
    """

    sensor: str
    unit: str
    kind: FaultKind
    sigma: float
    judged: int
    found: Detectability
    sensors: tuple[str, ...] = ()
    scale: str = "unit"

    @property
    def size_unit(self) -> str:
        """The unit of sizes: that of the sensor, "σ", or for a lag "rows"; "" for kinds without a size, or where several units differ."""
        if self.kind == "lag" or self.kind not in SIZED:
            return "rows" if self.kind == "lag" else ""
        return "σ" if self.scale == "sigma" else self.unit

    @property
    def unit_words(self) -> Message | str:
        """`size_unit` as it is said."""
        if self.kind == "lag":
            return msg("rows")
        if len(self.sensors) > 1 and self.is_sized and not self.size_unit:
            return msg("in the unit of each")
        return self.size_unit

    def in_sigma(self, size: float | None) -> float | None:
        """A size in standard deviations; None where it has none, or they are those of several sensors."""
        if size is None or self.kind == "lag" or not self.is_sized:
            return None
        return size if self.scale == "sigma" else size / self.sigma if self.sigma > 0 else None

    @property
    def is_sized(self) -> bool:
        return self.kind in SIZED

    @property
    def largest(self) -> float | None:
        """The largest size that was tried."""
        return self.found.points[-1].size

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "found": self.found.to_json()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> SeededFault:
        several = tuple(stored.get("sensors", ()))
        return cls(**{**stored, "sensors": several, "found": Detectability.from_json(stored["found"])})


@dataclass(frozen=True, slots=True)
class SeededView:
    """The answers for all sensors and kinds that were asked for.

    `parts` names where the `n_stretches` stretches of `length` rows came from; `limit` and `logic` are the decision that was tested; `alarm_rate` is the
    share of rows that alarm without a fault. `n_said` is how many verdicts the run had when the rows were drawn.
    """

    run_id: str
    settings: SeedSettings
    faults: tuple[SeededFault, ...]
    parts: tuple[str, ...]
    n_stretches: int
    length: int
    limit: float
    alarm_rate: float
    n_alarmed: int
    bundle_sha256: str
    created: str
    notes: tuple[Message, ...]
    n_said: int

    @property
    def headline(self) -> Message:
        """The first fault in a sentence."""
        return fault_sentence(self.faults[0])

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            **{k: getattr(self, k) for k in self.__slots__ if k not in ("settings", "faults", "notes")},
            "settings": self.settings.model_dump(mode="json"),
            "faults": [fault.to_json() for fault in self.faults],
            "notes": [note.to_json() for note in self.notes],
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> SeededView:
        plain = {k: v for k, v in stored.items() if k != "format"}
        return cls(
            **{
                **plain,
                "parts": tuple(stored["parts"]),
                "settings": SeedSettings.read(stored["settings"]),
                "faults": tuple(SeededFault.from_json(fault) for fault in stored["faults"]),
                "notes": tuple(Message.from_json(note) for note in stored["notes"]),
            }
        )


def fault_sentence(fault: SeededFault, share: float = 0.9) -> Message:
    """What is found of one kind of fault in one sensor, in a sentence."""
    kind, found = FAULT_TITLES[fault.kind], fault.found
    reach = found.reach(share)
    if found.n_alarmed == found.n_stretches:
        return msg("{sensor}: every stretch alarms without a fault, so that nothing can be said", sensor=fault.sensor)
    if not fault.is_sized:
        point = found.points[0]
        return msg(
            "{kind} in {sensor}: found in {detected} of {n} cases", kind=kind, sensor=fault.sensor, detected=point.detected, n=point.n
        )  # fmt: skip
    percent = round(100 * share)
    told: dict[str, str | float | Message] = {"kind": kind, "sensor": fault.sensor, "percent": percent}
    if reach is None or reach.size is None:
        return msg(
            "{kind} in {sensor}: not found {percent} % of the time up to {size}", **told, size=_sized(fault.largest, fault)
        )
    if reach.size == found.points[0].size:  # nothing smaller was tried
        return msg(
            "{kind} in {sensor}: found {percent} % of the time at {size} already; smaller ones were not tried",
            **told,
            size=_sized(reach.size, fault),
        )
    return msg("{kind} in {sensor}: found {percent} % of the time from {size}", **told, size=_sized(reach.size, fault))


def _sized(size: float | None, fault: SeededFault) -> Message | str | float:
    """A size with its unit, where it has one."""
    value = 0.0 if size is None else size
    return msg("{size} {unit}", size=value, unit=fault.unit_words) if fault.unit_words else value


def export_seeding(view: SeededView, path: Path) -> None:
    """Every size as a row of a CSV file."""
    rows = [
        {
            "sensor": fault.sensor,
            "fault": fault.kind,
            "unit": fault.size_unit,
            **asdict(point),
            "sigma": fault.in_sigma(point.size),
            "judged_rows": fault.judged,
        }
        for fault in view.faults
        for point in fault.found.points
    ]
    write_csv(pd.DataFrame(rows), path, formula_safe=True)
