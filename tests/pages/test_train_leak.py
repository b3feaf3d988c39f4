"""A column that may give the answer away: named before the training, and taken out by one click."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from streamlit.testing.v1 import AppTest

from core import workflows as wf
from tests.synthetic import regression_table


def test_a_leaking_column_is_ignored_by_one_click(open_app: Callable[..., AppTest], own_store: Path) -> None:
    own_store.mkdir(parents=True)
    table = regression_table(300)
    table["gage_inch"] = table["y"] / 25.4 + np.random.default_rng(1).normal(0, 1e-6, 300)
    table.to_csv(own_store / "data.csv", index=False)
    ws = wf.open_workspace(own_store)
    dataset = wf.import_file(ws, own_store / "data.csv").dataset
    assert dataset is not None
    app = open_app("learn/train.py", dataset=dataset.id)
    app.radio(key="train_task").set_value("regression").run()
    app.selectbox(key=f"train_target.{dataset.id}.regression").set_value("y").run()
    (warning,) = [w.value.replace("\\", "") for w in app.warning if "give the answer away" in w.value]
    assert warning.startswith("'gage_inch' may give the answer away")
    app.button(key="ignore.gage_inch").click().run()
    assert not app.exception
    now = wf.open_dataset(ws, dataset.id)
    assert (now.version, now.column("gage_inch").role) == (2, "ignore")
    assert not [w for w in app.warning if "give the answer away" in w.value]
