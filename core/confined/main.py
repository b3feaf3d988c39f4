"""The child of `core.confined.child`: one order on standard input, JSON lines on standard output. Limits come first."""

from __future__ import annotations

import errno
import importlib
import json
import os
import sys
import threading
import traceback
from typing import IO, Any

_TEXT = 4_000


def main() -> None:
    """Read the order, shut the door behind it, do the work, say how it ended."""
    answers = _take_over_output()
    order = json.loads(sys.stdin.buffer.readline())
    _set_limits(order["limits"])
    threading.Thread(target=_end_with_parent, daemon=True).start()
    kind, value = _run(order, answers)
    _say(answers, kind, value)
    answers.flush()
    os._exit(0)  # Threads of libraries have nothing left to do, and some wait long for their end.


def _take_over_output() -> IO[bytes]:
    """The pipe to the parent for our lines only; whatever a library prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _set_limits(limits: dict[str, Any]) -> None:
    """Where the system knows limits. The soft end of the processor time is a signal that ends us, the hard end follows."""
    try:
        import resource
    except ImportError:  # Windows
        return
    wanted = (
        (resource.RLIMIT_AS, int(limits["memory_mb"]) << 20, 0),
        (resource.RLIMIT_CPU, int(limits["cpu_seconds"]), 5),
        (resource.RLIMIT_FSIZE, int(limits["file_mb"]) << 20, 0),
        (resource.RLIMIT_NOFILE, int(limits["open_files"]), 0),
        (resource.RLIMIT_CORE, 0, 0),
    )
    for what, soft, more in wanted:
        now, hard = resource.getrlimit(what)
        ceiling = soft + more if hard == resource.RLIM_INFINITY else min(soft + more, hard)
        soft = soft if now == resource.RLIM_INFINITY else min(soft, now)  # What we were given already is never raised.
        resource.setrlimit(what, (min(soft, ceiling), ceiling))


def _is_own_file_limit(limits: dict[str, Any]) -> bool:
    """Whether the largest file is ours to name; a smaller one is a quota, which is a full disk to people."""
    import resource

    return resource.getrlimit(resource.RLIMIT_FSIZE)[0] == int(limits["file_mb"]) << 20


def _end_with_parent() -> None:
    """The parent holds our standard input open as long as it wants the answer."""
    sys.stdin.buffer.read()
    os._exit(1)


def _run(order: dict[str, Any], answers: IO[bytes]) -> tuple[str, Any]:
    """The work; how it ended and what came of it."""
    try:
        from core.data.formats.plain import from_plain, to_plain
        from core.errors import Problem

        module, _, name = str(order["target"]).partition(":")
        function = getattr(importlib.import_module(module), name)
        arguments = from_plain(order["arguments"])
        try:
            done = function(**arguments, progress=lambda stage, part: _say(answers, "progress", [stage, part]))
            return "result", to_plain(done)
        except Problem as problem:
            return "problem", to_plain(problem)
    except MemoryError:
        return "limit", "memory"
    except Exception as error:  # noqa: BLE001  the last place of this process: the parent tells it as a fault
        return _fault(error, order["limits"])


def _fault(error: Exception, limits: dict[str, Any]) -> tuple[str, Any]:
    """An error that is no `Problem`: a limit, the system's, or a fault with its traceback.

    DuckDB words the system's errors itself; they travel as such, so that a full disk is known as one.
    """
    if isinstance(error, OSError):
        if error.errno == errno.ENOMEM:
            return "limit", "memory"
        if error.errno == errno.EFBIG and _is_own_file_limit(limits):
            return "limit", "file"
        return "os", [error.errno, error.strerror or str(error)]
    if isinstance(error, ImportError) and ("map segment" in str(error) or "allocate memory" in str(error)):
        return "limit", "memory"
    if "OutOfMemory" in type(error).__name__ and "max_temp_directory_size" not in str(error):
        return "limit", "memory"
    if type(error).__module__.lstrip("_").startswith("duckdb"):
        return "os", [None, str(error)[:_TEXT]]
    return "fault", traceback.format_exc()[-_TEXT:]


def _say(answers: IO[bytes], kind: str, value: Any) -> None:
    answers.write(json.dumps({"kind": kind, "value": value}).encode() + b"\n")
    answers.flush()


if __name__ == "__main__":
    main()
