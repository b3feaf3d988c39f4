"""Where faults of the command line are written down: one file in the store's folder, that only its owner may read."""

from __future__ import annotations

import os
import traceback
from datetime import UTC, datetime
from pathlib import Path

from core import __version__

LOGS, COMMAND_LINE = "logs", "command-line.log"


def write_fault(home: Path, error: BaseException, error_id: str) -> Path:
    """Append the traceback of a fault to the log of the command line, under its number.

    Returns:
        The log.

    Raises:
        OSError: the folder cannot be written.
    """
    log = home / LOGS / COMMAND_LINE
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lines = traceback.format_exception(error)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "a", encoding="utf-8") as out:
        out.write(
            f"{datetime.now(UTC).isoformat(timespec='seconds')} error {error_id}, Andon {__version__}\n{''.join(lines)}\n"
        )
    return log
