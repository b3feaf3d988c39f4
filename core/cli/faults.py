"""How the command line ends when something is wrong: sentences on standard error, the same as JSON, the exit code."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.errors import DataProblem, Problem
from core.messages import Message, msg


class Bug(Exception):
    """A fault of ours that a job has already written down: its number, and the log with its traceback."""

    def __init__(self, error_id: str, log: Path) -> None:
        super().__init__(error_id, log)
        self.error_id, self.log = error_id, log


def without_results(work: Any, number: str, log: Path, stopped: Problem) -> Exception:
    """Why a run or study that has ended has no results: stopped, a problem that the user can mend, or a fault of ours.

    Args:
        work: With `state`, `problem` and `error_id`.
        number: What a fault without a number of its own is called.
        stopped: What is said where somebody stopped it.
    """
    if work.problem is None and work.state in ("cancelled", "interrupted"):
        return stopped
    if work.problem is None or work.error_id:
        return Bug(work.error_id or number, log)
    problem: Problem = work.problem
    return problem


def body(problem: Problem) -> dict[str, object]:
    """What every error has as JSON."""
    return {"what": str(problem.what), "expected": str(problem.expected), "fix": str(problem.fix)}


def refuse(problem: Problem, as_json: bool) -> int:
    """The user can fix it."""
    extra = {"outcome": "reject"} if isinstance(problem, DataProblem) else {}
    return _say(problem, {**extra, **body(problem)}, as_json, 2)


def own_fault(error: Exception, as_json: bool) -> int:
    """Nobody expected it: a sentence with a number, the traceback in the log. A full disk is no fault of ours."""
    from core.store.problems import disk_full, is_disk_full

    if is_disk_full(error):
        return refuse(disk_full(), as_json)
    error_id = error.error_id if isinstance(error, Bug) else secrets.token_hex(4)
    problem = Problem(
        msg("Andon itself made an error, number {error_id}.", error_id=error_id),
        msg("This should not have happened; your data and earlier results are untouched."),
        msg("Report it with this number; {where}", where=_written_down(error, error_id)),
    )
    return _say(problem, {**body(problem), "error_id": error_id}, as_json, 1)


def _written_down(error: Exception, error_id: str) -> Message:
    """Where the traceback is."""
    from core.store import default_home
    from core.store.logs import write_fault

    try:
        log = error.log if isinstance(error, Bug) else write_fault(default_home(), error, error_id)
    except OSError as refused:
        return msg("the log could not be written: {reason}.", reason=refused.strerror or str(refused))
    return msg("the details are in {log}.", log=str(log))


def _say(problem: Problem, answer: Mapping[str, object], as_json: bool, code: int) -> int:
    print(problem, file=sys.stderr)
    if as_json:
        print(json.dumps(answer, ensure_ascii=False))
    return code
