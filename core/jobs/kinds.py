"""What can be run as a job: one line a kind. Functions stand as text, so that knowing a kind imports nothing."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.errors import unknown_choice


@dataclass(frozen=True, slots=True)
class JobKind:
    """A kind of job.

    Args:
        key: What stands in the job's row.
        target: "module:function"; the function takes a `JobContext` and returns nothing.
        preload: Modules that a spare worker imports before it has work.
        warm_up: "module:function" that it calls after that, or "".
    """

    key: str
    target: str
    preload: tuple[str, ...] = ()
    warm_up: str = ""


KINDS: tuple[JobKind, ...] = (
    JobKind(
        "train",
        "core.workflows.after_training:run",
        preload=(
            "pyarrow.parquet",
            "tensorflow",
            "keras",
            "core.jobs.train_job",
            "core.data.splitting",
            "sklearn.linear_model",
            "pyod.models.iforest",
            "onnxruntime",
            "tf2onnx.convert",
        ),
        warm_up="core.training.warmup:warm_up",
    ),
    JobKind("explain", "core.jobs.explain_job:run"),
    JobKind("study", "core.jobs.studies:run"),
    JobKind("screening", "core.workflows.screening_job:run"),
    JobKind("seeding", "core.workflows.seeding_job:run"),
    JobKind("demo", "core.workflows.demos:build_demo"),
    JobKind("selftest", "core.jobs.selftest_job:run", preload=("core.jobs.selftest_job",)),
)


def kind_by_key(key: str) -> JobKind:
    """The kind of that key.

    Raises:
        SettingProblem: there is none.
    """
    for kind in KINDS:
        if kind.key == key:
            return kind
    raise unknown_choice("kind", key, [kind.key for kind in KINDS])


def load(target: str) -> Callable[..., Any]:
    """The function that "module:function" names."""
    module, _, function = target.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found
