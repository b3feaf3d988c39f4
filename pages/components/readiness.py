"""How many columns are ready for training, in one sentence: the Data and the Screening screen say the same."""

from __future__ import annotations

from core import workflows as wf
from core.data.dataset import Dataset
from pages.components import state
from pages.components.text import t, tn


def finding(found: wf.Screened) -> str:
    """What the screening comes to, with what was decided about it."""
    if not found.screening.n_rows:
        return t("The table has no rows: there is nothing to train on.")
    grades = found.grades
    total, needing = sum(grades.values()), grades["B"] + grades["C"]
    if needing:
        return tn(
            "{n} of {total} columns needs attention before training",
            "{n} of {total} columns need attention before training",
            needing,
            total=total,
        )
    return tn("The only column is ready", "All {n} columns are ready", total - grades[""])


def finding_of(dataset: Dataset) -> str:
    """The same where the version is screened already; until then that it is not judged yet."""
    ws = state.workspace()
    if not dataset.n_rows:
        return t("The table has no rows: there is nothing to train on.")
    if wf.is_screened(ws, dataset.id, dataset.version):
        return finding(wf.screened(ws, dataset.id, dataset.version))
    n = len(dataset.columns)
    return tn("{n} column is read; the screening grades it", "{n} columns are read; the screening grades them", n)
