"""The views of a run with 1,000,000 scored rows in a real Chromium: opened, and a click answered. `make bench-judging`.

Open: from the address to the still screen, the first time that a server that has been up for some seconds shows the run. Click: a step of the decision limit, or where
a view has none a rerun of the whole screen, from the key to the end of the script as Streamlit's own front end sees it.
ANDON_JUDGING_FOLDER names the store of `benchmarks.judging`, which is made where it is missing; a number as argument is rows.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.common import median, publish, table
from benchmarks.judging import SIZES, make
from benchmarks.web import RERUN
from core import workflows as wf
from tests.browser.chromium import ARGUMENTS, find_chromium
from tests.browser.server import Server
from tests.browser.watch import go, settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

CLICKS = 60  # the 95th percentile of twenty would be the slowest, which is the first
WARM_SECONDS = 8.0  # a server reads its libraries beside its start; how long that takes is measured by `make bench-web`
LIMIT = "Decision limit"
STILL_SECONDS = 0.25  # `settle` waits so long for a screen to stay still
VIEWS = (
    ("classes", "classification", "predictions", ""),
    ("where it errs", "classification", "predictions", "strata"),
    ("control chart", "classification", "predictions", "chart"),
    ("values", "regression", "predictions", ""),
    ("accept or measure", "regression", "predictions", "zones&set=lower=12;upper=14"),
    ("where it errs, values", "regression", "predictions", "strata"),
    ("events", "anomaly", "anomalies", ""),
    ("chart of scores", "anomaly", "anomalies", "chart"),
    ("alarm budget", "anomaly", "anomalies", "budget"),
)
# The end of the script that a key starts; the watcher stands before the key is pressed.
WATCH = """() => {
  const app = document.querySelector('[data-test-script-state]');
  let ran = false;
  window.andonEnd = new Promise((done) => {
    const watcher = new MutationObserver(() => {
      const state = app.dataset.testScriptState;
      if (state !== 'notRunning' && !ran) { ran = true; }
      if (ran && state === 'notRunning') { watcher.disconnect(); done(performance.now()); }
    });
    watcher.observe(app, {attributes: true, attributeFilter: ['data-test-script-state']});
    setTimeout(() => { watcher.disconnect(); done(NaN); }, 60000);
  });
  window.andonBegan = performance.now();
}"""


def main(arguments: Sequence[str]) -> int:
    """Open and click every view."""
    from playwright.sync_api import sync_playwright

    path = find_chromium()
    if path is None:
        raise SystemExit("This benchmark needs Chromium or Chrome: install one, or set ANDON_CHROMIUM to its path.")
    n = next((int(a) for a in arguments if a.isdecimal()), SIZES[-1])
    kept = os.environ.get("ANDON_JUDGING_FOLDER")
    with tempfile.TemporaryDirectory(prefix="andon-judging-") as folder, sync_playwright() as driver:
        home = Path(kept or folder) / str(n)
        make(home, n)
        runs = {run.task: run.id for run in wf.list_runs(wf.open_workspace(home)) if run.has_results}
        browser = driver.chromium.launch(executable_path=path, args=ARGUMENTS)
        server, rows = Server(home), []
        try:
            server.start()
            time.sleep(WARM_SECONDS)
            for name, task, screen, view in VIEWS:
                page = browser.new_page(viewport={"width": 1366, "height": 768}, locale="en-GB")
                page.set_default_timeout(60_000)
                go(page, server.url)
                began = time.monotonic()
                go(page, f"{server.url}/{screen}?run={runs[task]}" + (f"&view={view}" if view else ""))
                opened = time.monotonic() - began - STILL_SECONDS
                taken = _clicks(page)
                page.close()
                p95 = statistics.quantiles(taken, n=20)[-1]
                rows.append([name, f"{opened:.1f} s", f"{1000 * median(taken):.0f} ms", f"{1000 * p95:.0f} ms"])
                print(*rows[-1], file=sys.stderr, flush=True)
        finally:
            server.end()
            browser.close()
    publish("judging-web", "make bench-judging", table([f"view, {n:,} rows", "opened", "click", "p95"], rows))
    return 0


def _clicks(page: Page) -> list[float]:
    slider = page.locator('[data-testid="stSlider"]').filter(has_text=LIMIT).locator('input[type="range"]').first
    if not slider.count():
        return [float(page.evaluate(RERUN)) / 1000 for _ in range(CLICKS)]
    found = []
    for i in range(CLICKS):
        slider.focus()
        page.evaluate(WATCH)
        page.keyboard.press("ArrowRight" if i % 4 < 2 else "ArrowLeft")
        found.append(float(page.evaluate("async () => (await window.andonEnd) - window.andonBegan")) / 1000)
        settle(page)
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
