"""What children of the tests do."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.errors import DataProblem
from core.messages import msg

Progress = Callable[[str, float], None]


def echo(value: Any, progress: Progress) -> Any:
    progress("half", 0.5)
    print("This line is no answer.")
    return value


def refuse(progress: Progress) -> None:
    raise DataProblem(msg("'{file}' is odd.", file="a"), msg("Expected even."), msg("Add one."), n=3)


def break_down(progress: Progress) -> None:
    raise KeyError("a fault")


def eat_memory(progress: Progress) -> int:
    eaten = []
    while True:
        eaten.append(bytearray(16 << 20))


def spin(progress: Progress) -> None:
    while True:
        pass


def sleep(pid_file: str, progress: Progress) -> None:
    Path(pid_file).write_text(str(os.getpid()))
    progress("asleep", 0.0)
    time.sleep(60)


def write_much(path: str, progress: Progress) -> None:
    with open(path, "wb") as file:
        for _ in range(64):
            file.write(bytes(1 << 20))


def fill_disk(progress: Progress) -> None:
    import errno

    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def abort(progress: Progress) -> None:
    os.abort()


def environment(progress: Progress) -> list[str]:
    return sorted(os.environ)


def limits(progress: Progress) -> list[int]:
    import resource

    names = ("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_CORE")
    return [resource.getrlimit(getattr(resource, name))[0] for name in names]
