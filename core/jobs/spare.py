"""A spare worker: has imported what a training needs, and waits for a line with the job it shall run.

It waits on its input, which ends when its server ends, however that happens; then it ends too. Once it has a job it
is an ordinary worker and no longer listens, so that it outlives the server.
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import os
import queue
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from core.jobs.kinds import JobKind, kind_by_key, load
from core.jobs.worker import offer_to_be_killed_first, run_job, start_logging
from core.store import open_store

log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """The entry of the process."""
    parser = argparse.ArgumentParser(prog="core.jobs.spare")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--kind", required=True)
    given = parser.parse_args(arguments)
    start_logging()
    offer_to_be_killed_first()
    orders: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_listen, args=(orders,), name="andon-orders", daemon=True).start()
    store = open_store(given.home)
    _prepare(kind_by_key(given.kind))
    order = json.loads(orders.get())
    _detach(store.path(order["job"], "log"))
    return run_job(store, order["job"], order["attempt"])


def _listen(orders: queue.Queue[str]) -> None:
    """Pass on the first line; at the end of the input end the process, even in the middle of an import."""
    line = sys.stdin.readline()
    if not line:
        os._exit(0)
    orders.put(line)


def _prepare(kind: JobKind) -> None:
    for module in kind.preload:
        try:
            importlib.import_module(module)
        except ImportError:
            log.exception("A spare worker could not import %s", module)
    if kind.warm_up:
        try:
            load(kind.warm_up)()
        except Exception:
            # A cold worker is still a worker; what is broken fails again in its job, with its sentence.
            log.exception("A spare worker could not warm up")


def _detach(log_file: Path) -> None:
    """Let go of the server: the input is closed, the output goes to the job's log."""
    log_file.parent.mkdir(parents=True, exist_ok=True)
    output = os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    for descriptor in (1, 2):
        os.dup2(output, descriptor)
    os.close(output)
    os.close(nothing)


if __name__ == "__main__":
    sys.exit(main())
