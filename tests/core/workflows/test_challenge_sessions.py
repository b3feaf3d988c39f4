"""Challenge sets in several sessions at once: one name is taken once, and answers are remembered by one thread at a time."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

import pytest

from core import workflows as wf
from core.errors import StoreProblem
from core.store.challenges import ChallengeStore
from core.workflows import challenge
from core.workflows.workspace import Workspace
from tests.core.workflows.test_challenge import ANOMALY, imported, trained
from tests.synthetic import anomaly_table


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with an anomaly run."""
    home = tmp_path_factory.mktemp("sessions")
    ws = wf.open_workspace(home / "home")
    trained(ws, imported(ws, anomaly_table(1_600, 1_400), home), **ANOMALY)
    return home / "home"


@pytest.fixture
def ws(built: Path, home: Path) -> Workspace:
    shutil.copytree(built, home)
    return wf.open_workspace(home)


def results_of(ws: Workspace) -> wf.Results:
    return wf.open_results(ws, wf.list_runs(ws)[0].id)


def settings(name: str, row: int) -> wf.ChallengeSettings:
    return wf.ChallengeSettings(name=name, source="rows", rows=str(row), expect="flag")


def test_of_two_sessions_that_freeze_one_name_at_once_one_is_told(ws: Workspace, home: Path) -> None:
    """Each thread has a store of its own, as two processes have."""
    n, gate = 8, threading.Barrier(8)
    told: list[str] = []

    def freeze(i: int) -> None:
        own = wf.open_workspace(home)
        results, given = results_of(own), settings("rabbits", 1_400 + i)
        gate.wait()
        try:
            wf.add_challenge(own, results, given)
        except StoreProblem as problem:
            told.append(str(problem.what))

    threads = [threading.Thread(target=freeze, args=(i,)) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (kept,) = wf.list_challenges(ws, results_of(ws).run.dataset_id)
    assert told == ["There is a challenge set 'rabbits' already."] * (n - 1)
    assert wf.read_challenge(ws, kept)[1], "the files of the one that passed"
    assert {p.stem for p in home.rglob("challenge-*")} == {f"challenge-{kept.id}"}, "those of the others are gone"
    assert [e.name for e in ws.store.list_audit(kept.dataset_id) if e.action == "frozen"] == ["rabbits"]


def test_the_database_refuses_a_name_that_another_session_took_unseen(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a server database, where two transactions that run side by side do not see each other's rows."""
    wf.add_challenge(ws, results_of(ws), settings("rabbits", 1_400))
    monkeypatch.setattr(ChallengeStore, "_challenges", lambda self, session, dataset_id: [])
    with pytest.raises(StoreProblem, match="challenge set 'rabbits' already"):
        wf.add_challenge(ws, results_of(ws), settings("rabbits", 1_410))


def test_answers_are_remembered_by_many_threads_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a dictionary whose trimming waits in between, an unlocked one is emptied by two at once."""

    class Slow(dict):  # type: ignore[type-arg]
        def pop(self, *given: object) -> object:
            time.sleep(0.001)
            return super().pop(*given)

    slow = Slow({(str(i), "", ""): () for i in range(challenge.MOST_REMEMBERED)})
    monkeypatch.setattr(challenge, "_remembered", slow)
    faults: list[Exception] = []

    def remember(i: int) -> None:
        try:
            challenge._remember((f"new {i}", "", ""), ())
        except (KeyError, RuntimeError) as error:
            faults.append(error)

    threads = [threading.Thread(target=remember, args=(i,)) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults and len(slow) == challenge.MOST_REMEMBERED
    assert sum(key[0].startswith("new") for key in slow) == 20


def test_who_withdrew_a_set_is_known_after_thousands_of_other_entries(ws: Workspace) -> None:
    results = results_of(ws)
    one, _ = wf.add_challenge(ws, results, settings("one", 1_450))
    wf.withdraw_challenge(ws, one.id, by="Mei", reason="wrong")
    for _ in range(1_005):
        ws.store.log_challenge("checked", results.run.id, name="other", sha256="cd")
    (gone,) = wf.withdrawn_challenges(ws)
    assert (gone.by, gone.reason, gone.challenge.name) == ("Mei", "wrong", "one") and gone.when is not None
