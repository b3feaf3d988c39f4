"""What a training run was asked to do: everything the worker needs, as JSON, with nothing left to guess."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from core.data.known_normal import KnownNormal
from core.data.split import SplitSettings
from core.settings import Settings, setting

Preset = Literal["quick", "normal", "thorough"]


class TrainRequest(Settings):
    """One training run. Roles given here override those of the dataset for this run only.

    `recipe` is the JSON of a `core.clean.Recipe`; `options` holds model settings and task settings by name, as the
    command line's `--set key=value` and the expert drawer give them (window, epochs, cap, false_alarms_per_week …);
    a name that neither the model nor the task declares is refused. `known_normal` are rows of false alarms that train as normal
    rows and leave the test part; `known_normal_of` is the run whose false alarms they were.
    """

    dataset_id: str
    dataset_version: int
    task: str
    model: str = "auto"
    target: str | None = None
    time: str | None = None
    group: str | None = None
    ignore: tuple[str, ...] = ()
    recipe: dict[str, Any] = Field(default_factory=dict)
    split: SplitSettings | None = None
    preset: Preset = setting(
        "normal", title="How thorough", help="Sets epochs, patience, batch and learning rate from the size of the data."
    )
    options: dict[str, Any] = Field(default_factory=dict)
    seed: int = setting(
        7, title="Seed", help="Same seed and same data give the same model on the same machine.", ge=0, le=2**31 - 1
    )
    budget_minutes: float = setting(
        10.0,
        title="Time budget",
        help="The longest a training may take; the fit's own setting counts where it is given.",
        unit="min",
        gt=0,
    )
    search: bool = setting(
        False, title="Search settings", help="Try settings of the family within the time budget and keep the best."
    )
    known_normal: tuple[KnownNormal, ...] = ()
    known_normal_of: str | None = None
    name: str = ""
