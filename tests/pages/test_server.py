"""The server: health route, supervisor lifetime, settings of `.streamlit/config.toml`, and a light web process."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import tomllib
from pathlib import Path

import pytest

import app as server
import core
from core import workflows as wf
from core.errors import StoreProblem
from core.jobs import supervisor
from core.messages import msg
from pages.components import opening, state

ROOT = Path(__file__).resolve().parents[2]


def health() -> tuple[int, dict[str, object]]:
    response = asyncio.run(server.healthz(None))  # type: ignore[arg-type]
    return response.status_code, json.loads(response.body)


def test_healthz_tells_status_store_jobs_and_version(monkeypatch: pytest.MonkeyPatch) -> None:
    assert health() == (503, {"status": "degraded", "store": True, "jobs": False, "version": core.__version__})
    supervised = threading.Event()
    supervised.set()
    monkeypatch.setattr(server, "_supervised", supervised)
    assert health() == (200, {"status": "ok", "store": True, "jobs": True, "version": core.__version__})


def test_healthz_is_503_when_the_store_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(ws: object) -> None:
        raise StoreProblem(msg("The name is empty."), msg("Choose one of these."), msg("Choose one of them."))

    monkeypatch.setattr(wf, "jobs_overview", broken)
    status, body = health()
    assert (status, body["status"], body["store"]) == (503, "degraded", False)


def test_the_supervisor_lives_as_long_as_the_server_and_demos_are_queued(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    class Fake:
        def __init__(self, store: object) -> None:
            said.append("made")

        def start(self) -> None:
            said.append("started")

        def stop(self) -> None:
            said.append("stopped")

    monkeypatch.setattr(supervisor, "Supervisor", Fake)
    monkeypatch.setattr(wf, "ensure_demos", lambda ws: said.append("demos"))

    async def serve() -> None:
        async with server.lifespan(server.app):
            said.append("serving")
            for _ in range(200):
                if "demos" in said:
                    break
                await asyncio.sleep(0.01)

    asyncio.run(serve())
    # The store is opened beside serving: the first page does not wait for it.
    assert [word for word in said if word != "serving"] == ["made", "started", "demos", "stopped"]
    assert "serving" in said[:-1]


def test_a_store_that_cannot_be_opened_at_first_is_opened_later(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[str] = []
    real = state.workspace

    def late() -> object:
        tries.append("tried")
        if len(tries) < 3:
            raise StoreProblem(msg("The name is empty."), msg("Choose one of these."), msg("Choose one of them."))
        return real()

    def broken(ws: object) -> None:
        raise StoreProblem(msg("The name is empty."), msg("Choose one of these."), msg("Choose one of them."))

    monkeypatch.setattr(state, "workspace", late)
    monkeypatch.setattr(server, "AGAIN_SECONDS", 0.01)
    monkeypatch.setattr(wf, "ensure_demos", broken)  # a fault in the demo projects is no reason to leave jobs alone

    async def serve() -> bool:
        async with server.lifespan(server.app):
            for _ in range(1_000):
                await asyncio.sleep(0.01)
                if server._supervised.is_set() and len(tries) >= 3:
                    opening.wait()
                    return True
        return False

    assert asyncio.run(serve())
    assert not server._supervised.is_set(), "and it is looked after no longer than the server lives"


def test_the_server_is_closed_quiet_and_says_nothing_to_users_about_its_insides() -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    wanted = {
        "server": {
            "address": "127.0.0.1",
            "headless": True,
            "enableXsrfProtection": True,
            "enableCORS": True,
            "corsAllowedOrigins": [],
            "enableStaticServing": False,
            "maxUploadSize": 200,
            "maxMessageSize": 200,
            "maxWidgetStateSize": 25,
            "disconnectedSessionTTL": 120,
            "fileWatcherType": "none",
        },
        "client": {"showErrorDetails": "none", "toolbarMode": "viewer", "showErrorLinks": False},
        "browser": {"gatherUsageStats": False},
        "runner": {"magicEnabled": False},
    }
    assert {section: config[section] for section in wanted} == wanted
    assert {"light", "dark"} <= set(config["theme"])


def test_the_web_process_loads_no_heavy_library() -> None:
    code = (
        "import sys\n"
        "from streamlit.testing.v1 import AppTest\n"
        f"app = AppTest.from_file({str(ROOT / 'pages' / 'main.py')!r}, default_timeout=60).run()\n"
        "assert not app.exception\n"
        "heavy = {'tensorflow', 'keras', 'pyod', 'torch', 'sklearn', 'numba', 'scipy', 'onnxruntime'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"
