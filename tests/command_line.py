"""The command line as scripts call it: in this process, or in one of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.cli import main

Capture = pytest.CaptureFixture[str]
IMPORT_KEYS = {"outcome", "dataset", "rows", "columns", "findings", "rejected"}


def called(capsys: Capture, *words: str, code: int = 0) -> dict[str, Any]:
    """The JSON of a verb that runs in this process and ends with that exit code."""
    ended = main([*words, "--json"])
    said = capsys.readouterr()
    assert ended == code, said.err or said.out
    return dict(json.loads(said.out))


def refused(capsys: Capture, *words: str) -> dict[str, Any]:
    """What a verb refuses, in this process; exit code 2, the sentence on standard error, only JSON on standard output."""
    assert main([*words, "--json"]) == 2
    said = capsys.readouterr()
    body = json.loads(said.out)
    assert set(body) >= {"what", "expected", "fix"}
    assert said.err.strip() == f"{body['what']} {body['expected']} {body['fix']}"
    return dict(body)


def run_cli(*words: str, home: Path) -> tuple[int, dict[str, Any], str]:
    """Exit code, the JSON on standard output and what stood on standard error, of a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "core", *words, "--json"],
        capture_output=True,
        text=True,
        env={**os.environ, "ANDON_HOME": str(home)},
        timeout=240,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout), done.stderr
