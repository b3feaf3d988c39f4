"""The web process in a real Chromium: start, memory, reruns, first point of a training, opening a demo. `make bench-web`.

Start: from starting `python -m core serve` to the headline of Home, on a store that exists. Memory: resident set of the web
process after a walk through all screens. Rerun: the hot key R on a warm screen, from the key to the end of the script as
Streamlit's own front end sees it, a table of 200,000 × 20 and runs on it open. First point: from the press on "Train model" to
the caption under the live curves, with the spare worker waiting. Demo: from the click on "Open result" on Home, in a tab opened 3 s
before, to the drawn chart of the result; the demo projects are built by real jobs before (ANDON_SCREENS_HOME names a store that
has them already).
"""

from __future__ import annotations

import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil

from benchmarks.common import median, publish, table
from benchmarks.screens import wait_for_demos
from core import workflows as wf
from core.data.demos import DEMOS
from core.jobs import wait_for_job
from core.training.request import TrainRequest
from tests.browser import journey
from tests.browser.chromium import ARGUMENTS, find_chromium
from tests.browser.server import Server, wait_until
from tests.browser.watch import go, settle

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

STARTS, CLICKS, RERUNS, OPENINGS = 3, 5, 20, 3
READING_SECONDS = 3.0  # nobody clicks a card in the moment in which it appears
ROWS, SENSORS = 200_000, 18
SCREENS = ("", "data", "clean", "train", "runs", "predictions", "anomalies", "reports")
# The script state is an attribute of Streamlit's root; it leaves "notRunning" with the key.
RERUN = """() => new Promise((done, fail) => {
  const app = document.querySelector('[data-test-script-state]');
  const began = performance.now();
  let ran = false;
  const watcher = new MutationObserver(() => {
    const state = app.dataset.testScriptState;
    ran = ran || state !== 'notRunning';
    if (ran && state === 'notRunning') { watcher.disconnect(); done(performance.now() - began); }
  });
  watcher.observe(app, {attributes: true, attributeFilter: ['data-test-script-state']});
  for (const kind of ['keydown', 'keyup']) {
    document.body.dispatchEvent(new KeyboardEvent(kind, {key: 'r', code: 'KeyR', keyCode: 82, bubbles: true}));
  }
  setTimeout(() => { watcher.disconnect(); fail(new Error('no rerun within 60 s')); }, 60000);
})"""


def main(arguments: Sequence[str]) -> int:
    """Measure everything, or only "web", "click" or "demo"."""
    from playwright.sync_api import sync_playwright

    wanted = set(arguments) or {"web", "click", "demo"}
    path = find_chromium()
    if path is None:
        raise SystemExit("This benchmark needs Chromium or Chrome: install one, or set ANDON_CHROMIUM to its path.")
    with tempfile.TemporaryDirectory(prefix="andon-bench-") as folder, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=ARGUMENTS)
        home = Path(folder) / "home"
        if "web" in wanted:
            _web(browser, home)
        if "click" in wanted:
            _click(browser, Path(folder) / "click")
        if "demo" in wanted:
            _demo(browser, Path(folder) / "demo")
        browser.close()
    return 0


def _page(browser: Browser) -> Page:
    page = browser.new_page(viewport={"width": 1366, "height": 768}, locale="en-GB")
    page.set_default_timeout(60_000)
    return page


def _web(browser: Browser, home: Path) -> None:
    runs = big_runs(home)
    starts = [start_seconds(browser, home) for _ in range(STARTS)]
    server = Server(home)
    try:
        server.start()
        page = _page(browser)
        for screen in SCREENS:
            go(page, address(server, screen, runs))
        megabytes = psutil.Process(server.pid).memory_info().rss / 2**20
        times = {screen: rerun_seconds(page, address(server, screen, runs)) for screen in SCREENS}
        page.close()
    finally:
        server.end()
    rows = [
        ["server start to first screen", f"{median(starts):.1f} s", f"{min(starts):.1f}–{max(starts):.1f} s", "≤ 5 s"],
        ["memory after all screens, big table open", f"{megabytes:.0f} MB", "", "≤ 350 MB"],
    ]
    for screen, values in times.items():
        worst = statistics.quantiles(values, n=20)[-1]
        name = screen.capitalize() or "Home"
        rows.append([f"warm rerun, {name}", f"{1000 * median(values):.0f} ms", f"p95 {1000 * worst:.0f} ms", "p95 ≤ 500 ms"])
    publish("web", "make bench-web", table(["what", "median", "spread", "wanted"], rows))


def big_runs(home: Path) -> dict[str, str]:
    """A table of 200,000 rows and 20 columns with a finished value run and a finished anomaly run; run ids by task."""
    import pandas as pd

    rng = np.random.default_rng(1)
    sensors = {f"s{i:02d}": rng.normal(i, 1, ROWS).round(4) for i in range(SENSORS)}
    times = pd.date_range("2026-01-01", periods=ROWS, freq="s").astype(str)
    frame = pd.DataFrame({"when": times, **sensors})
    frame["y"] = sum(frame[name] for name in list(sensors)[:5]) + rng.normal(0, 0.1, ROWS)
    home.mkdir(parents=True)
    frame.to_csv(home.parent / "big.csv", index=False)
    ws = wf.open_workspace(home)
    dataset = wf.import_file(ws, home.parent / "big.csv", name="big").dataset
    if dataset is None:
        raise RuntimeError("the table was not read in one way only")
    found = {}
    for task, model, target in (("regression", "ridge", "y"), ("anomaly", "pca_t2_spe", None)):
        request = TrainRequest(dataset_id=dataset.id, dataset_version=1, task=task, model=model, target=target, time="when")
        run = wf.start_training(ws, request)
        wait_for_job(ws.store, run.job_id)
        ended = wf.get_run(ws, run.id)
        if not ended.has_results:
            raise RuntimeError(f"{task}: {ended.problem or ended.state}")
        found[task] = run.id
    ws.store.engine.dispose()
    return found


def address(server: Server, screen: str, runs: dict[str, str]) -> str:
    """A screen with the run that it can show."""
    more = "&view=new" if screen == "train" else ""
    return f"{server.url}/{screen}?run={runs['anomaly' if screen == 'anomalies' else 'regression']}{more}"


def start_seconds(browser: Browser, home: Path) -> float:
    """From the start of the command to the headline of Home."""
    server = Server(home)
    page = _page(browser)
    began = time.monotonic()
    try:
        server.launch()
        wait_until(server.answers, seconds=60, what="the server to answer", every=0.05)
        page.goto(server.url, wait_until="commit")
        page.get_by_role("heading", level=1).first.wait_for()
        seconds = time.monotonic() - began
        print(f"started in {seconds:.1f} s", file=sys.stderr, flush=True)
        return seconds
    finally:
        page.close()
        server.end()


def rerun_seconds(page: Page, url: str) -> list[float]:
    """Reruns of a screen that has been shown before."""
    go(page, url)
    page.evaluate(RERUN)
    settle(page)
    found = [float(page.evaluate(RERUN)) / 1000 for _ in range(RERUNS)]
    print(f"{url}: {1000 * median(found):.0f} ms", file=sys.stderr, flush=True)
    return found


def _click(browser: Browser, home: Path) -> None:
    server = Server(home)
    try:
        server.start()
        page = _page(browser)
        journey.upload(page, server, journey.german_file(home.parent / "dicke.csv"))
        journey.import_upload(page)
        seconds = [first_point_seconds(page, server) for _ in range(CLICKS)]
        page.close()
    finally:
        server.end()
    rows = [["first loss point on screen", f"{median(seconds):.1f} s", f"{min(seconds):.1f}–{max(seconds):.1f} s", "≤ 3 s"]]
    publish("click", "make bench-web", table(["from the click", "median", "range", "wanted"], rows))


def _demo(browser: Browser, home: Path) -> None:
    given = os.environ.get("ANDON_SCREENS_HOME")
    server = Server(Path(given) if given else home, demos=not given)
    try:
        server.start()
        wait_for_demos(server.home)
        rows = []
        for demo in DEMOS:
            seconds = [opening_seconds(browser, server, demo.key) for _ in range(OPENINGS)]
            spread = f"{min(seconds):.1f}–{max(seconds):.1f} s"
            rows.append([demo.key.replace("_", " "), f"{median(seconds):.1f} s", spread, "< 3 s"])
    finally:
        server.end()
    publish("demo", "make bench-web", table(["demo project", "median", "range", "wanted"], rows))


def opening_seconds(browser: Browser, server: Server, key: str) -> float:
    """From the click on a demo's button to its first drawn chart."""
    page = _page(browser)
    try:
        go(page, server.url)
        time.sleep(READING_SECONDS)
        began = time.monotonic()
        page.locator(f".st-key-open_{key} button").click()
        page.wait_for_url(re.compile("/(predictions|anomalies)"))
        page.locator(".js-plotly-plot .main-svg").first.wait_for()
        return time.monotonic() - began
    finally:
        page.close()


def first_point_seconds(page: Page, server: Server) -> float:
    """From the press on "Train model" to the caption under the curves; then the run is stopped."""
    journey.screen(page, "Train")
    if page.locator(".st-key-to_new button").count():
        page.locator(".st-key-to_new button").click()
        journey.train_button(page).wait_for()
        settle(page)
    journey.prepare_training(page, target="Dicke (mm)", epochs=5_000, batch=16)
    _wait_for_spare(server)
    began = time.monotonic()
    journey.train_button(page).click()
    page.get_by_text(journey.FIRST_POINT).first.wait_for()
    seconds = time.monotonic() - began
    print(f"first point after {seconds:.1f} s", file=sys.stderr, flush=True)
    page.get_by_role("button", name="Stop training").click()
    journey.wait_for_end(page)
    return seconds


def _wait_for_spare(server: Server) -> None:
    """Until the spare worker has imported TensorFlow and waits: it uses no processor any more."""

    def waits() -> bool:
        spare = [p for p in server.workers() if "core.jobs.spare" in p.cmdline()]
        return len(spare) == 1 and spare[0].memory_info().rss > 300 * 2**20 and spare[0].cpu_percent(1.0) < 5

    wait_until(waits, seconds=120, what="the spare worker to wait")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
