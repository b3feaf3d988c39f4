"""Challenge sets on the Anomalies and Predictions screens: frozen, blocked, released, logged, as the command line does it."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core import workflows as wf
from core.workflows import challenge
from core.workflows.workspace import Workspace
from tests.pages import finished_runs

Open = Callable[..., AppTest]


def plain(words: str) -> str:
    return words.replace("\\", "")


def test_a_set_is_frozen_blocks_and_is_released(open_app: Open, ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "anomaly")
    results = wf.open_results(ws, run.id)
    app = open_app("judge/anomalies.py", run=run.id, view="challenge")
    assert plain(app.title[0].value) == "There is no challenge set yet" and not app.error
    app.selectbox(key=f"challenge.{run.id}.source").set_value("labelled").run()
    app.button(key="challenge_freeze").click().run()
    assert "has no name" in plain(app.error[0].value)
    app.text_input(key=f"challenge.{run.id}.name").set_value("rabbits").run()
    app.button(key="challenge_freeze").click().run()
    (check,) = wf.check_run(ws, run.id)
    assert not app.exception and app.title[0].value.startswith("All ")
    assert len(app.dataframe[0].value) == len(check.results)

    quiet = int(np.nanargmin(results.judged))
    wf.add_challenge(ws, results, wf.ChallengeSettings(name="hard", source="rows", rows=str(quiet + 1), expect="flag"))
    app.run()
    assert plain(app.title[0].value) == "This run may not be used: 1 known case escapes it"
    assert app.dataframe[0].value["state"].tolist() == ["✕ escape"]
    app.button(key="challenge_release").click().run()
    assert "no name or no reason" in plain(app.error[0].value)
    app.text_input(key="challenge.by").set_value("Mei").run()
    app.text_input(key="challenge.reason").set_value("trial").run()
    app.button(key="challenge_release").click().run()
    assert "released in spite" in app.title[0].value and wf.released_by(ws, run.id)[0]["by"] == "Mei"
    log = app.dataframe[1].value
    assert log["what"][0] == "run released" and "reason: trial" in log["details"][0]
    assert any("'hard' with its case counts no longer" in plain(m.value) for m in app.markdown), "said before it is done"
    app.button(key="challenge_withdraw").click().run()
    assert [s.name for s in wf.list_challenges(ws, run.dataset_id)] == ["rabbits"]
    gone = next(d.value for d in app.dataframe if "why" in d.value)
    assert gone[["name", "who", "why", "cases"]].values.tolist() == [["hard", "Mei", "trial", 1]]


def test_classes_have_their_challenge_set_too(open_app: Open, ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "classification")
    wf.add_challenge(ws, wf.open_results(ws, run.id), wf.ChallengeSettings(name="parts", source="labelled", most=3))
    app = open_app("judge/predictions.py", run=run.id, view="challenge")
    assert not app.error and app.title[0].value.startswith("All ")
    assert {must.split("'")[0] for must in app.dataframe[0].value["must"]} == {"must be called "}


def test_a_changed_set_is_said_on_the_screen(open_app: Open, ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "anomaly")
    made, _ = wf.add_challenge(ws, wf.open_results(ws, run.id), wf.ChallengeSettings(name="parts", source="labelled", most=3))
    path = ws.store.path(made.dataset_id, "dataset", f"challenge-{made.id}.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "name": "other"}))
    app = open_app("judge/anomalies.py", run=run.id, view="challenge")
    assert "missing or was changed" in plain(app.error[0].value) and "may not be used" in app.title[0].value


def test_a_set_of_a_deleted_dataset_is_withdrawn_under_runs(open_app: Open, ws: Workspace) -> None:
    run = finished_runs.run_of(ws, "anomaly")
    wf.add_challenge(ws, wf.open_results(ws, run.id), wf.ChallengeSettings(name="parts", source="labelled", most=3))
    wf.delete_dataset(ws, run.dataset_id)
    for one in wf.list_runs(ws):
        wf.delete_run(ws, one.id)
    app = open_app("learn/runs.py")
    table = app.dataframe[0].value
    assert table["name"].tolist() == ["parts"] and table["state"].tolist() == ["dataset deleted"]
    app.button(key="challenge_register_withdraw").click().run()
    assert "without a name or a reason" in plain(app.error[0].value)
    app.text_input(key="challenge_register.by").set_value("Mei").run()
    app.text_input(key="challenge_register.reason").set_value("line gone").run()
    app.button(key="challenge_register_withdraw").click().run()
    assert not app.exception and not wf.kept_challenges(ws)
    assert [d.value[["name", "who", "why"]].values.tolist() for d in app.dataframe] == [[["parts", "Mei", "line gone"]]]
    entry = wf.list_audit(ws, run.dataset_id)[0]
    assert (entry.action, entry.details["by"], entry.details["reason"]) == ("withdrawn", "Mei", "line gone")


def test_a_set_is_checked_now_and_says_how_many_known_cases_it_lacks(
    open_app: Open, ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = finished_runs.run_of(ws, "classification")
    results = wf.open_results(ws, run.id)
    wf.add_challenge(ws, results, wf.ChallengeSettings(name="parts", source="labelled", most=3))
    held = results.scores[results.scores["part"] > 0]
    missed = int((held["truth"] != held["prediction"]).sum())
    app = open_app("judge/predictions.py", run=run.id, view="challenge")
    left_out = f"{missed:,} known case" + ("s" if missed != 1 else "") + " left out"
    assert missed > 0 and any(left_out in plain(c.value) for c in app.caption)

    scored: list[int] = []
    judge = challenge.judge_cases
    monkeypatch.setattr(challenge, "judge_cases", lambda *given: (scored.append(1), judge(*given))[1])
    app.run()
    assert not scored, "a look takes what is remembered"
    before = [e.action for e in wf.list_audit(ws, run.id)].count("checked")
    app.button(key="challenge_check").click().run()
    assert not app.exception and scored == [1]
    assert [e.action for e in wf.list_audit(ws, run.id)].count("checked") == before + 1
