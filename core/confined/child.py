"""One function in a process of its own that has little memory, time and disk, and knows no secrets.

Files come from anywhere, and the libraries that take them apart are large. What eats memory, spins or crashes there ends
one child and becomes one sentence; the server and its other work go on. The child is a fresh interpreter that is told
one function by name with plain (JSON) arguments and answers in JSON lines: nothing is pickled, and neither the
server's main module nor its environment comes along, as they would with `multiprocessing`.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import core
from core.data.formats.plain import from_plain, to_plain
from core.errors import DataProblem
from core.messages import Message, msg

_ROOT = Path(core.__file__).resolve().parent.parent
_KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "LD_LIBRARY_PATH")
_LOOK_SECONDS = 0.1
_LAST_SECONDS = 2.0
_ERROR_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may use.

    `memory_mb` is address space, which is more than what is really used; `cpu_seconds` and `wall_seconds` are of the whole
    child; `file_mb` is the largest file that it may write. A platform without such limits (Windows) keeps to `wall_seconds`.
    """

    memory_mb: int = 4_000
    cpu_seconds: int = 1_800
    wall_seconds: float = 3_600.0
    file_mb: int = 8_000
    open_files: int = 256


@dataclass(frozen=True, slots=True)
class _Told:
    """A line from the child: progress, the result or a problem."""

    kind: str
    value: Any


def in_child(
    target: str,
    arguments: Mapping[str, Any],
    *,
    subject: str,
    limits: Limits | None = None,
    progress: Callable[[str, float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Any:
    """Run "module:function" with plain arguments in a child and return its result.

    Args:
        target: The function; it takes `arguments` by name and `progress(stage, fraction)`.
        arguments: Plain values and records of `core.data.formats.plain`, as in the result. Sequences arrive as tuples.
        subject: What is being worked on (a file's name), for the sentences about the child's death.
        limits: What the child may use.
        progress: Gets each stage and fraction that the function tells, in this thread.
        cancelled: Asked ten times a second; true ends the child.

    Raises:
        Problem: what the function raised.
        DataProblem: the child went beyond a limit, was ended from outside, died, or was cancelled.
        OSError: the system refused something, for example a full disk; with the system's number where there is one.
        RuntimeError: the function has a fault; its traceback is the text.
    """
    allowed = limits or Limits()
    with tempfile.TemporaryFile() as errors:
        child = _start(errors)
        try:
            told = _follow(child, target, dict(arguments), subject, allowed, progress, cancelled)
        finally:
            _end(child)
        if told is None:
            raise _died(child.returncode, subject, allowed, _tail(errors))
    if told.kind == "result":
        return from_plain(told.value)
    if told.kind == "problem":
        raise from_plain(told.value)
    if told.kind == "limit":
        raise _over(told.value, subject, allowed)
    if told.kind == "os":
        raise OSError(*[part for part in told.value if part is not None])
    raise RuntimeError(str(told.value))


def child_environment() -> dict[str, str]:
    """What a child knows of the environment: where programs and the language are, no address, key or password."""
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return kept | {"PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def _start(errors: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "core.confined.main"],
        cwd=_ROOT,
        env=child_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )


def _follow(
    child: subprocess.Popen[bytes],
    target: str,
    arguments: dict[str, Any],
    subject: str,
    limits: Limits,
    progress: Callable[[str, float], None] | None,
    cancelled: Callable[[], bool] | None,
) -> _Told | None:
    """The child's last word; None where it died without one."""
    lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(child, lines), daemon=True).start()
    order = {"target": target, "arguments": to_plain(arguments), "limits": asdict(limits)}
    try:
        _pipe(child.stdin).write(json.dumps(order).encode() + b"\n")
        _pipe(child.stdin).flush()  # It stays open: its end tells the child that we are gone.
    except BrokenPipeError:
        return None
    until = time.monotonic() + limits.wall_seconds
    while True:
        if cancelled is not None and cancelled():
            raise was_cancelled(subject)
        if time.monotonic() > until:
            raise _over("wall", subject, limits)
        try:
            line = lines.get(timeout=_LOOK_SECONDS)
        except queue.Empty:
            continue
        if line is None:
            return None
        told = json.loads(line)
        if told["kind"] != "progress":
            return _Told(told["kind"], told["value"])
        if progress is not None:
            progress(str(told["value"][0]), float(told["value"][1]))


def _listen(child: subprocess.Popen[bytes], lines: queue.SimpleQueue[bytes | None]) -> None:
    for line in _pipe(child.stdout):
        lines.put(line)
    lines.put(None)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    """The pipe that `Popen` was asked for."""
    if pipe is None:
        raise RuntimeError("The child has no pipe.")
    return pipe


def _end(child: subprocess.Popen[bytes]) -> None:
    """Let go of the child: one that has spoken its last word ends by itself, any other is ended."""
    try:
        _pipe(child.stdin).close()
        child.wait(timeout=_LAST_SECONDS)
    except (BrokenPipeError, subprocess.TimeoutExpired):
        child.kill()
        child.wait()


def _tail(errors: IO[bytes]) -> str:
    errors.seek(0, os.SEEK_END)
    errors.seek(max(0, errors.tell() - _ERROR_CHARS))
    return errors.read().decode("utf-8", "replace")


def _died(code: int, subject: str, limits: Limits, errors: str) -> DataProblem:
    """The sentence for a child without a last word."""
    words = errors.lower()
    if "memory allocation" in words or "bad_alloc" in words or "memoryerror" in words or "cannot allocate memory" in words:
        return _over("memory", subject, limits)
    if code == -getattr(signal, "SIGXCPU", 24):
        return _over("cpu", subject, limits)
    return DataProblem(
        msg("Reading '{file}' was ended from outside or broke down.", file=subject),
        msg("Expected a file that can be read with the memory of this machine."),
        msg("Try again with fewer programs open; if it happens again, save the file in another format, such as CSV."),
        child=code,
        errors=errors,
    )


def _over(limit: str, subject: str, limits: Limits) -> DataProblem:
    """The sentence for a limit that was reached; nothing of the file was kept."""
    words: dict[str, tuple[Message, Message]] = {
        "memory": (
            msg("'{file}' needs more memory than reading may use.", file=subject),
            msg("Expected a file that can be read with {n} MB.", n=limits.memory_mb),
        ),
        "cpu": (
            msg("Reading '{file}' took too long.", file=subject),
            msg("Expected at most {n} s of computing.", n=limits.cpu_seconds),
        ),
        "wall": (
            msg("Reading '{file}' took too long.", file=subject),
            msg("Expected at most {n} s.", n=int(limits.wall_seconds)),
        ),
        "file": (
            msg("'{file}' unpacks to more than may be written.", file=subject),
            msg("Expected at most {n} MB.", n=limits.file_mb),
        ),
    }
    what, expected = words[limit]
    return DataProblem(what, expected, msg("Split the file, leave out columns, or export it as CSV."), limit=limit)


def was_cancelled(subject: str) -> DataProblem:
    return DataProblem(
        msg("Reading '{file}' was stopped.", file=subject),
        msg("Expected: the file is read to its end."),
        msg("Nothing was stored; import it again when you want."),
        cancelled=True,
    )
