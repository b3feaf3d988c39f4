"""A published example of a control chart, and a column of a table on its way to one."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from core import workflows as wf
from core.data.dataset import Dataset

FLOWRATES = (49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1)
"""NIST/SEMATECH e-Handbook of Statistical Methods, section 6.3.2.2: MR-bar 1.8778, centre 50.81, limits 55.8041 and 45.8159."""


def imported(ws: wf.Workspace, folder: Path, **columns: object) -> Dataset:
    path = folder / "table.csv"
    pd.DataFrame(columns).to_csv(path, index=False)
    dataset = wf.import_file(ws, path).dataset
    assert dataset is not None
    return dataset


def view(dataset: Dataset, column: str, **settings: object) -> wf.ControlView:
    return wf.control_view(dataset, column, wf.ControlSettings.read(settings))
