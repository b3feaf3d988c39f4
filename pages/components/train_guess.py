"""The question that stands chosen when a dataset is opened for training, from its roles and its target."""

from __future__ import annotations

from core import workflows as wf
from core.data.dataset import Column, Dataset
from core.data.roles import words_of
from core.training.prepare import MAX_LABELS
from core.workflows.workspace import Workspace

FAULT_WORDS = frozenset(
    {
        "anomaly",
        "anomalies",
        "anomalous",
        "abnormal",
        "fault",
        "faults",
        "faulty",
        "outlier",
        "outliers",
        "alarm",
        "alarms",
        "attack",
    }
)
FAULT_SIGNS = ("异常", "故障", "报警", "告警")


def guess_task(ws: Workspace, dataset: Dataset) -> str:
    """A mark of faults asks for a warning, a text or two values for a class, another number for its value.

    A number over time with no sensor to predict it from asks for a forecast.

    Without a target: remaining life where units count cycles, else watching.
    """
    targets = dataset.with_role("target")
    if not targets:
        time, group = dataset.with_role("time"), dataset.with_role("group")
        return "rul" if time and group and time[0].kind == "number" else "anomaly"
    target = targets[0]
    n_values = _n_values(ws, dataset, target)
    if names_faults(target.name) and (n_values <= 2 or (target.kind == "number" and n_values <= MAX_LABELS)):
        return "anomaly"
    if target.kind == "text" or n_values == 2:
        return "classification"
    return "forecast" if dataset.with_role("time") and not dataset.with_role("sensor") else "regression"


def names_faults(name: str) -> bool:
    """Whether a column is called after faults: "anomaly", "is_fault", "Alarm 3", "异常"."""
    return bool(FAULT_WORDS & set(words_of(name))) or any(sign in name for sign in FAULT_SIGNS)


def _n_values(ws: Workspace, dataset: Dataset, column: Column) -> int:
    """Different values of a column, from the figures that are kept beside the table."""
    summary = wf.summarise_dataset(ws, dataset.id, dataset.version)
    return next(c.n_distinct for c in summary.columns if c.name == column.name)
