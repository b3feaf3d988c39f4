"""What a study is asked to do: which measurement is repeated, and of which training."""

from __future__ import annotations

from typing import Literal

from core.settings import Settings, setting
from core.training.request import TrainRequest

StudyMethod = Literal["cross_validate", "seeds", "learning_curve", "worth", "optimism"]
METHODS: tuple[StudyMethod, ...] = ("cross_validate", "seeds", "learning_curve", "worth", "optimism")


class StudyRequest(Settings):
    """One study. `request` names the training that is repeated; "auto" stands for the family that is recommended.

    cross_validate: folds, each tested once. seeds: the same split, other seeds. learning_curve: an eighth, a quarter, half and
    all of the training part. worth: the baseline, gradient boosting and a network beside each other. optimism: the same
    family judged by a split at random, by time and by group.
    """

    method: StudyMethod
    request: TrainRequest
    folds: int = setting(5, title="Folds", help="Parts that each test once.", ge=2, le=50)
    repeats: int = setting(5, title="Seeds", help="Trainings with another seed each.", ge=2, le=50)
