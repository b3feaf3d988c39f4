"""Start the web app: says where it is, then becomes the Streamlit server. Imports no Streamlit itself."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from core.errors import SettingProblem
from core.messages import msg

OWN_CHOICE = "ANDON_OWN_CHOICE"
"""Names the variable that the server set for itself, which no process that it starts shall take for the user's."""
DEFAULT_PORT = 8501
ROOT = Path(__file__).resolve().parent.parent
# The web process gives memory back after a large table: two heaps for all threads, blocks above 128 KiB by the system.
FRUGAL = {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_TRIM_THRESHOLD_": "131072",
    "MALLOC_MMAP_THRESHOLD_": "131072",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}
# Its sums are short: a second thread of BLAS waits for a core that a training has, and a view takes four times as long.
ONE_THREAD = "OPENBLAS_NUM_THREADS"


def serve(port: int | None = None) -> int:
    """Run the server until it ends; `PORT` is honoured.

    Raises:
        SettingProblem: the port is not a number from 1 to 65535, or is in use.
    """
    chosen = checked_port(str(port) if port is not None else os.environ.get("PORT") or str(DEFAULT_PORT))
    print(f"Andon: http://localhost:{chosen}  (stop with Ctrl+C)", flush=True)
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(chosen)]
    environment = FRUGAL | dict(os.environ)
    if ONE_THREAD not in environment:  # for the pages alone: workers take the mark as the word to choose for themselves
        environment |= {ONE_THREAD: "1", OWN_CHOICE: ONE_THREAD}
    if os.name == "nt":
        return subprocess.call(command, cwd=ROOT, env=environment)
    os.chdir(ROOT)
    os.execve(sys.executable, command, environment)


def checked_port(text: str) -> int:
    """A port number that is free on this machine.

    Raises:
        SettingProblem: it is not one, or is in use.
    """
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise SettingProblem(
            msg("The port is '{text}'.", text=text),
            msg("Expected a whole number from 1 to 65535."),
            msg("Set PORT or --port to such a number."),
        )
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(text)))
        except OSError as error:
            raise SettingProblem(
                msg("Port {port} is in use.", port=text),
                msg("Expected a free port."),
                msg("Choose another one: make run PORT={other}, or close what uses it.", other=str(int(text) + 1)),
            ) from error
    return int(text)
