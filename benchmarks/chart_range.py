"""How long a range of a chart of 200,000 rows takes in a real Chromium. `make bench-range`.

From the click on "Show rows" to the drawn chart that begins with the first row of the range, on the Data screen.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import psutil

from benchmarks.common import median, publish, table
from tests.browser.chromium import ARGUMENTS, find_chromium
from tests.browser.server import Server, wait_until
from tests.browser.test_chart_range import ROWS, N, changed, long_table, open_chart, rows

RANGES = 9
TIMED = """(first) => {
  window.andonTook = null;
  document.addEventListener('click', () => {
    const began = performance.now();
    const look = () => {
      if ((ROWS)()[0] === first) window.andonTook = performance.now() - began;
      else requestAnimationFrame(look);
    };
    look();
  }, {once: true, capture: true});
}""".replace("ROWS", ROWS)


def main() -> int:
    """Measure and publish."""
    from playwright.sync_api import sync_playwright

    path = find_chromium()
    if path is None:
        raise SystemExit("This benchmark needs Chromium or Chrome: install one, or set ANDON_CHROMIUM to its path.")
    with tempfile.TemporaryDirectory(prefix="andon-bench-") as folder, sync_playwright() as driver:
        home = Path(folder) / "home"
        long_table(home)
        browser = driver.chromium.launch(executable_path=path, args=ARGUMENTS)
        server = Server(home)
        try:
            server.start()
            page = browser.new_page(viewport={"width": 1366, "height": 768}, locale="en-GB")
            open_chart(page, server)
            page.get_by_role("button", name="Rows", exact=True).click()
            taken, before, process = [], rows(page), psutil.Process(server.pid)
            began = sum(process.cpu_times()[:2])
            for i in range(1, RANGES + 1):
                first = i * N // (RANGES + 2)
                for label, row in (("First row", first), ("Last row", first + 4_000)):
                    page.get_by_role("spinbutton", name=label).fill(str(row))
                page.evaluate(TIMED, first)
                page.get_by_role("button", name="Show rows").click()
                wait_until(lambda: page.evaluate("window.andonTook"), seconds=30, what="the rows")
                taken.append(float(page.evaluate("window.andonTook")))
                before = changed(page, before)
            spent = (sum(process.cpu_times()[:2]) - began) / RANGES
        finally:
            browser.close()
            server.end()
    spread = f"{min(taken):.0f}-{max(taken):.0f} ms"
    measured = [
        ["a range of 4,000 of 200,000 rows", f"{median(taken):.0f} ms", spread, "≤ 500 ms"],
        ["of it processor time of the web process", f"{1000 * spent:.0f} ms", "", ""],
    ]
    publish("range", "make bench-range", table(["what", "median", "spread", "wanted"], measured))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
