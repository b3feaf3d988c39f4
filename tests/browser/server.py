"""A real server of our own on a fresh store: started, waited for, restarted, ended, and looked after for orphans."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import psutil

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 90.0
END_SECONDS = 30.0
T = TypeVar("T")


def wait_until(ask: Callable[[], T], *, seconds: float, what: str, every: float = 0.05) -> T:
    """The first true answer of `ask`.

    Raises:
        AssertionError: none came within `seconds`; names what was waited for and the last answer.
    """
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}; the last answer was {answer!r}"
        time.sleep(every)
    return answer


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """`python -m core serve` on a store folder.

    Args:
        home: The store folder.
        demos: Whether the demo projects are built at the start.
        environment: More variables for the server.
    """

    def __init__(self, home: Path, *, demos: bool = False, environment: Mapping[str, str] | None = None) -> None:
        self.home, self.port = home, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = home.parent / f"{home.name}.server.log"
        self._environment = dict(os.environ) | {"ANDON_HOME": str(home), "ANDON_DEMOS": "1" if demos else "0"}
        self._environment |= environment or {}
        self._environment.pop("ANDON_DATABASE_URL", None)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The web process."""
        assert self._process is not None, "the server was not started"
        return self._process.pid

    def start(self) -> Server:
        """Start and wait until it serves."""
        self.launch()
        wait_until(self.is_well, seconds=START_SECONDS, what=f"the server to start ({self.log})")
        return self

    def launch(self) -> None:
        """Start the process as `make run` does."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "core", "serve", "--port", str(self.port)],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def answers(self) -> bool:
        """Whether a browser would get the page."""
        try:
            with urllib.request.urlopen(self.url, timeout=5) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def is_well(self) -> bool:
        """Whether /healthz says ok."""
        assert self._process is None or self._process.poll() is None, f"the server ended: {self.log_text()[-2000:]}"
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as response:
                return bool(json.load(response)["status"] == "ok")
        except (urllib.error.URLError, OSError):
            return False

    def stop(self) -> None:
        """End the web process as Ctrl+C does; jobs go on."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the server did not end within {END_SECONDS:g} s of being asked") from None

    def workers(self) -> list[psutil.Process]:
        """The living workers of this store, a waiting spare worker included."""
        found = []
        for process in psutil.process_iter(["cmdline", "status"]):
            command = process.info["cmdline"] or []
            if str(self.home) in command and process.info["status"] != psutil.STATUS_ZOMBIE:
                found.append(process)
        return found

    def end(self) -> None:
        """Stop what runs, then the server.

        Raises:
            AssertionError: a process stays behind. It is killed all the same.
        """
        try:
            self._stop_jobs()
            self.stop()
            wait_until(lambda: not self.workers(), seconds=END_SECONDS, what="all workers to end with their server")
        finally:
            for process in self.workers():
                process.kill()

    def _stop_jobs(self) -> None:
        from core import workflows as wf

        ws = wf.open_workspace(self.home)
        try:
            for run in wf.jobs_overview(ws):
                wf.stop_run(ws, run.id)
            wait_until(lambda: not wf.jobs_overview(ws), seconds=END_SECONDS, what="the jobs to stop")
        finally:
            ws.store.engine.dispose()

    def log_text(self) -> str:
        """What the server has written so far."""
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    def cli(self, *arguments: str, seconds: float = 240.0) -> dict[str, object]:
        """Run a verb of the command line on this store, with `--json`, and return its answer; it must exit with 0."""
        done = subprocess.run(
            [sys.executable, "-m", "core", *arguments, "--json"],
            cwd=ROOT,
            env=self._environment | {"TF_NUM_INTRAOP_THREADS": "1"},
            capture_output=True,
            text=True,
            timeout=seconds,
        )
        assert done.returncode == 0, f"{arguments}: exit {done.returncode}\n{done.stdout[-1000:]}\n{done.stderr[-2000:]}"
        return dict(json.loads(done.stdout))
