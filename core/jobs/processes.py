"""Operating-system processes: who am I, is that one still alive, start one, end one with its children.

A process is known by its number and its start time, because numbers are used again.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import IO

import psutil

import core
from core.store import Store

SAME_START_SECONDS = 2.0
MIN_FREE_BYTES = 256 * 2**20
_ROOT = Path(core.__file__).resolve().parent.parent


def host_name() -> str:
    """The machine, as it stands in the rows of its jobs."""
    return socket.gethostname()


def own_identity() -> tuple[int, float]:
    """Number and start time of this process."""
    return os.getpid(), psutil.Process().create_time()


def start_time(pid: int) -> float | None:
    """When a process was started, or None when it is gone."""
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return None


def find_process(pid: int, started: float | None) -> psutil.Process | None:
    """The living process of that number and start time; a zombie is dead, a reused number is another process."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        is_other = started is not None and abs(process.create_time() - started) > SAME_START_SECONDS
    except psutil.NoSuchProcess:
        return None
    except psutil.AccessDenied:
        return process  # it is there; that is all that may be known of somebody else's process
    return None if is_other else process


def start_python(
    store: Store, module: str, *arguments: str, log: Path | None, stdin: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    """Start `python -m module` on a store, in a session of its own, so that it outlives whoever started it.

    Args:
        log: The file that its output is appended to; None throws it away.
    """
    output: int | IO[bytes] = subprocess.DEVNULL
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
        output = log.open("ab")
    try:
        return subprocess.Popen(
            [sys.executable, "-m", module, "--home", str(store.home), *arguments],
            cwd=_ROOT,
            env=worker_environment(store),
            stdin=stdin,
            stdout=output,
            stderr=output,
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
    finally:
        if not isinstance(output, int):
            output.close()


def worker_environment(store: Store, cores: int | None = None) -> dict[str, str]:
    """The environment of workers: one core is left to the pages; what the user set himself is kept."""
    threads = str(max(1, (cores or os.cpu_count() or 1) - 1))
    defaults = {"TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONUTF8": "1", "TF_NUM_INTEROP_THREADS": "1"}
    defaults |= dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), threads)
    given = dict(os.environ)
    given.pop(given.pop("ANDON_OWN_CHOICE", ""), None)  # what the server chose for its pages, see core/serve.py
    environment = defaults | given
    environment.pop("ANDON_DATABASE_URL", None)
    if store.engine.dialect.name != "sqlite":
        environment["ANDON_DATABASE_URL"] = store.engine.url.render_as_string(hide_password=False)
    return environment


def terminate(process: psutil.Process) -> None:
    """Ask a process to end. On Windows there is no such signal; the stop flag alone asks there."""
    if os.name != "nt":
        try:
            process.terminate()
        except psutil.NoSuchProcess:
            return


def kill_tree(process: psutil.Process) -> None:
    """End a process and all that it started, at once."""
    try:
        family = [*process.children(recursive=True), process]
    except psutil.NoSuchProcess:
        return
    for member in family:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(family, timeout=3)


def memory_is_short() -> bool:
    """Whether so little memory is free that the system may be ending processes."""
    return bool(psutil.virtual_memory().available < MIN_FREE_BYTES)
