"""Memory of the web process while a real Chromium sends it a large file. `make bench-upload`.

Growth: the resident set of the web process, read every 20 ms, above what it was with the Data screen open, until the last
byte lies on the disk; then until the preview of the file is shown. A small file is sent and dropped before, so that
libraries that any upload loads are not counted. ANDON_BENCH_MB sets the size (1,000 by default).
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from benchmarks.common import publish, table
from tests.browser.chromium import ARGUMENTS, find_chromium
from tests.browser.server import Server, wait_until
from tests.browser.watch import go, settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

MEGABYTES = int(os.environ.get("ANDON_BENCH_MB", "1000"))


def main() -> int:
    """Send the file once and publish the figures."""
    from playwright.sync_api import sync_playwright

    path = find_chromium()
    if path is None:
        raise SystemExit("This benchmark needs Chromium or Chrome: install one, or set ANDON_CHROMIUM to its path.")
    with tempfile.TemporaryDirectory(prefix="andon-bench-") as folder, sync_playwright() as driver:
        large, small = Path(folder) / "large.csv", Path(folder) / "small.csv"
        n_bytes = write_table(large, MEGABYTES * 1_000_000)
        write_table(small, 10_000_000)
        browser = driver.chromium.launch(executable_path=path, args=ARGUMENTS)
        server = Server(Path(folder) / "home")
        try:
            server.start()
            page = browser.new_page(viewport={"width": 1366, "height": 768}, locale="en-GB")
            page.set_default_timeout(600_000)
            send(page, server, small)
            page.get_by_role("button", name="Choose another file").click()
            settle(page)
            rows = measure(page, server, large, n_bytes)
        finally:
            browser.close()
            server.end()
    publish("upload", "make bench-upload", table(["what", "measured", "wanted"], rows))
    return 0


def write_table(path: Path, n_bytes: int) -> int:
    """A CSV of about that size: blocks of numbers over and over."""
    block = "".join(f"{i},{i * 7 % 1000 / 3:.4f},{i % 17},{i * i % 9973 / 11:.3f}\n" for i in range(50_000)).encode()
    with path.open("wb") as out:
        out.write(b"t,a,b,c\n")
        while out.tell() < n_bytes:
            out.write(block)
    return path.stat().st_size


def send(page: Page, server: Server, file: Path) -> None:
    """Choose a file and wait for its preview."""
    go(page, f"{server.url}/data")
    page.locator("input[type=file]").first.set_input_files(file)
    page.get_by_role("button", name="Import file").wait_for()
    settle(page)


def measure(page: Page, server: Server, file: Path, n_bytes: int) -> list[list[str]]:
    """Rows of the table: growth while it is sent and until it is previewed, seconds."""
    process = psutil.Process(server.pid)
    before = process.memory_info().rss
    with peaks(process) as seen:
        began = time.monotonic()
        page.locator("input[type=file]").first.set_input_files(file)
        wait_until(lambda: on_disk(server.home) >= n_bytes, seconds=600, what="the whole file")
        seconds, sending = time.monotonic() - began, max(seen)
        page.get_by_role("button", name="Import file").wait_for()
        settle(page)
        shown = max(seen)
    return [
        [f"growth of the web process while {n_bytes / 1e6:,.0f} MB are sent", f"{(sending - before) / 1e6:.0f} MB", "≤ 50 MB"],
        ["growth until the preview is shown", f"{(shown - before) / 1e6:.0f} MB", ""],
        ["speed, browser and server on one machine", f"{n_bytes / 1e6 / seconds:.0f} MB/s", ""],
    ]


def on_disk(home: Path) -> int:
    """Bytes of the upload so far."""
    return max((p.stat().st_size for p in (home / "incoming").rglob("file-*")), default=0)


@contextmanager
def peaks(process: psutil.Process) -> Iterator[list[int]]:
    """Resident sets, read every 20 ms while the block runs."""
    seen, ended = [process.memory_info().rss], threading.Event()

    def watch() -> None:
        while not ended.wait(0.02):
            seen.append(process.memory_info().rss)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        ended.set()
        watcher.join()


if __name__ == "__main__":
    raise SystemExit(main())
