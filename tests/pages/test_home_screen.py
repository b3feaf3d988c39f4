"""Home: demo projects, recent work and the way in."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core import workflows as wf

Open = Callable[..., AppTest]


def test_the_first_visit_shows_four_demo_projects_and_one_primary_button(open_app: Open) -> None:
    app = open_app()
    assert app.title[0].value.startswith("From a file to a model")
    cards = [b for b in app.button if b.key and b.key.startswith("open_")]
    assert len(cards) == 4
    assert all(card.disabled for card in cards)
    primary = [b.key for b in app.button if b.proto.type == "primary"]
    assert primary == ["use_my_file"]


def test_use_my_file_leads_to_the_upload(open_app: Open) -> None:
    app = open_app()
    app.button(key="use_my_file").click().run()
    assert not app.exception
    assert app.title[0].value.startswith("Bring a table")


def test_a_finished_demo_opens_with_one_click(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    card = wf.demo_cards(wf.open_workspace())[0]
    opened: list[str] = []
    ready = type(card)(
        **{f: getattr(card, f) for f in card.__dataclass_fields__} | {"state": "ready", "run_id": "r1", "dataset_id": "d1"}
    )
    monkeypatch.setattr(wf, "demo_cards", lambda ws: (ready,))
    monkeypatch.setattr("pages.components.state.go", lambda page, **open_: opened.append(f"{page} {open_['run']}"))
    app = open_app()
    app.button(key=f"open_{card.key}").click().run()
    expected = "judge/anomalies.py" if card.task == "anomaly" else "judge/predictions.py"
    assert opened == [f"{expected} r1"]
