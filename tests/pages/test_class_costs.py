"""The confusion matrix in money: what the workflow says, with prices from the address, and refused prices left alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import quote

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core import workflows as wf
from core.workflows.workspace import Workspace
from pages.components import class_prices
from tests.pages import finished_runs

Open = Callable[..., AppTest]
PAGE = "judge/predictions.py"


def plain(words: str) -> str:
    return words.replace("\\", "")


@pytest.fixture
def results(ws: Workspace) -> wf.Results:
    return wf.open_results(ws, finished_runs.run_of(ws, "classification").id)


def test_rows_become_money_and_back(open_app: Open, results: wf.Results) -> None:
    app = open_app(PAGE, run=results.run.id)
    unit = next(c for c in app.get("button_group") if str(c.key).startswith("confusion_unit."))
    assert not any("1,000 rows cost" in plain(m.value) for m in app.markdown)
    unit.set_value("money").run()
    assert not app.exception and not app.error
    assert any(str(wf.cost_view(results).headline) in plain(m.value) for m in app.markdown)
    next(c for c in app.get("button_group") if str(c.key).startswith("confusion_unit.")).set_value("rows").run()
    assert not any("1,000 rows cost" in plain(m.value) for m in app.markdown)


def test_prices_of_the_address_are_used_at_the_limit_that_is_shown(open_app: Open, results: wf.Results) -> None:
    classes = wf.classification_view(results).classes
    costs = json.dumps({classes[0]: {classes[1]: 7.0}, classes[1]: {classes[0]: 90.0}})
    app = open_app(PAGE, run=results.run.id, set=f"costs={quote(costs, safe=' ')}")
    view = wf.cost_view(results, wf.CostSettings(costs=costs))
    assert any(str(view.headline) in plain(m.value) for m in app.markdown)
    app.slider[0].set_value(0.9).run()
    moved = wf.cost_view(results, wf.CostSettings(costs=costs), threshold=0.9)
    assert moved.own.mean != view.own.mean
    assert any(str(moved.headline) in plain(m.value) for m in app.markdown)


def test_a_price_of_the_rule_is_one_of_the_money_view_and_back(open_app: Open, results: wf.Results) -> None:
    view = wf.classification_view(results)
    other = next(c for c in view.classes if c != view.positive)
    app = open_app(PAGE, run=results.run.id)
    next(w for w in app.number_input if str(w.key).endswith(".missed")).set_value(50.0).run()
    next(c for c in app.get("button_group") if str(c.key).startswith("confusion_unit.")).set_value("money").run()
    dear = wf.CostSettings(costs=json.dumps({view.positive: {other: 50.0}}))
    assert any(str(wf.cost_view(results, dear).headline) in plain(m.value) for m in app.markdown)
    costs = json.dumps({view.positive: {other: 7.0}, other: {view.positive: 3.0}})
    app = open_app(PAGE, run=results.run.id, set=f"costs={quote(costs, safe=' ')}")
    fields = {str(w.key).rpartition(".")[2]: w.value for w in app.number_input}
    assert (fields["missed"], fields["rejected"]) == (7.0, 3.0)
    app.session_state[f"prices.{results.run.id}"] = np.array(
        wf.with_limit_prices(view.classes, 1.0 - np.eye(2), view.positive, 9.0, 2.0)
    )
    app.run()
    fields = {str(w.key).rpartition(".")[2]: w.value for w in app.number_input}
    assert (fields["missed"], fields["rejected"]) == (9.0, 2.0), "what is typed into the table reaches the rule"


def test_edits_of_the_table_keep_what_is_no_number() -> None:
    start = 1.0 - np.eye(2)
    edited = {0: {"b": 12, "true class": "a"}, 1: {"a": None}}
    assert class_prices.with_edits(start, edited, ("a", "b")).tolist() == [[0.0, 12.0], [1.0, 0.0]]
    assert start.tolist() == [[0.0, 1.0], [1.0, 0.0]]


def test_prices_that_cannot_be_read_say_so_and_leave_the_screen(open_app: Open, results: wf.Results) -> None:
    app = open_app(PAGE, run=results.run.id, set=f"costs={quote('{', safe=' ')}")
    assert not app.exception and any("cannot be read" in plain(e.value) for e in [*app.error, *app.warning, *app.markdown])
    assert app.slider
