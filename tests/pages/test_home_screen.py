"""Home: demo projects, recent work and the way in."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core import workflows as wf

Open = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def as_a_server_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANDON_DEMOS", raising=False)


def test_the_first_visit_shows_four_demo_projects_and_one_primary_button(open_app: Open) -> None:
    app = open_app()
    assert app.title[0].value.startswith("From a file to a model")
    cards = [b for b in app.button if b.key and b.key.startswith("open_")]
    assert len(cards) == 4
    assert all(card.disabled for card in cards)
    primary = [b.key for b in app.button if b.proto.type == "primary"]
    assert primary == ["use_my_file"]


def test_without_demos_nothing_waits_and_they_can_be_built_on_request(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    polls: list[object] = []
    fragment = st.fragment

    def watched(function: Callable[..., None], run_every: float | None = None) -> Callable[..., None]:
        polls.extend([run_every] if function.__name__ == "_cards" else [])
        return fragment(function, run_every=run_every)

    monkeypatch.setattr(st, "fragment", watched)
    monkeypatch.setenv("ANDON_DEMOS", "0")
    app = open_app()
    assert not [b for b in app.button if b.key and b.key.startswith("open_")]
    assert polls == []
    app.button(key="build_demos").click().run()
    assert not app.exception
    jobs = wf.open_workspace().store.list_jobs(("queued",))
    assert [j.kind for j in jobs] == ["demo"] * 4
    assert len([b for b in app.button if b.key and b.key.startswith("open_")]) == 4
    assert not [b for b in app.button if b.key == "build_demos"]
    assert polls == [3.0]


def test_demos_that_a_server_is_about_to_queue_are_waited_for(open_app: Open) -> None:
    app = open_app()
    assert not [b for b in app.button if b.key == "build_demos"]
    assert [card.state for card in wf.demo_cards(wf.open_workspace())] == ["waiting"] * 4


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
