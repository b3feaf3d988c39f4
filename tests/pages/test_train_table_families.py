"""The families for tables on the Train screen: offered for their questions, with their settings, time and no false "weights"."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from streamlit.testing.v1 import AppTest

from core import workflows as wf
from core.models import MODELS, is_table, model_by_key
from core.store import open_store
from core.workflows.workspace import Workspace
from tests.synthetic import regression_table

Open = Callable[..., AppTest]
KINDS = ("number_input", "selectbox", "slider", "checkbox", "toggle", "radio", "button_group")


def test_table_families_can_be_chosen_and_set(open_app: Open, own_store: Path, tmp_path: Path) -> None:
    own_store.mkdir(parents=True, exist_ok=True)
    ws = Workspace(open_store(own_store))
    regression_table(200).to_csv(tmp_path / "table.csv", index=False)
    dataset = wf.import_file(ws, tmp_path / "table.csv").dataset
    assert dataset is not None
    app = open_app("learn/train.py", dataset=dataset.id)
    app.radio(key="train_task").set_value("regression").run()
    app.selectbox(key=f"train_target.{dataset.id}.regression").set_value("y").run()
    for key in [spec.key for spec in MODELS if is_table(spec) and "regression" in spec.tasks]:
        app.selectbox(key="train_model").set_value(key).run()
        assert not app.exception and not app.error, key
        shown = {str(w.label) for kind in KINDS for w in app.get(kind)}
        titles = {str(field.title) for field in model_by_key(key).settings.model_fields.values()}
        missing = {t for t in titles if not any(t in label for label in shown)}
        assert not missing, (key, missing)
        beside = {m.label: m.delta for m in app.metric}
        assert "weights" not in beside["Sensors"] and "of memory" in beside["Time"]
        assert not app.button(key="train_start").disabled
    app.selectbox(key="train_model").set_value("tabular").run()
    assert "weights" in next(m.delta for m in app.metric if m.label == "Sensors")
