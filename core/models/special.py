"""Names that stand where a family's name stands and are none: the choice among families, and the average of several models.

They are not in `MODELS`: nobody fits them. `core/jobs/auto.py` chooses, `core/serving/predictors.py` averages.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.messages import Message, msg
from core.models.spec import TASKS, Engine, Role, Task
from core.settings import Settings

AUTO_KEY, ENSEMBLE_KEY = "auto", "ensemble"


class NoSettings(Settings):
    """Nothing to set."""


@dataclass(frozen=True, slots=True)
class Special:
    """A title and a summary under a key, with the fields that every family has."""

    key: str
    title: Message
    summary: Message
    tasks: tuple[Task, ...]
    source: str = ""
    role: Role = "network"
    engine: Engine = "arrays"
    windowed: bool = False
    settings: type[Settings] = NoSettings
    smallest_rows: int = 1


AUTO = Special(
    AUTO_KEY,
    msg("Automatic choice"),
    msg("Tries several families within the time given and keeps what predicts the validation part best."),
    TASKS,
)
ENSEMBLE = Special(
    ENSEMBLE_KEY,
    msg("Ensemble"),
    msg("The average of a few models that err in different ways."),
    (),
    "Caruana et al. (2004), ICML",
)
