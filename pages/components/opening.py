"""Whether this server has read its libraries and opened its store: the first page goes out before, its script waits.

Two threads that import the same large libraries at the same moment may see them half made, so one does and the other waits.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_ready = threading.Event()
_ready.set()


def begin() -> None:
    """From now on screens wait; called before the first request is served."""
    _ready.clear()


@contextmanager
def underway() -> Iterator[None]:
    """While this runs screens wait; after it they no longer do, however it ended."""
    try:
        yield
    finally:
        _ready.set()


def wait() -> None:
    """Until the server is ready; at once where no server is being opened."""
    _ready.wait()
