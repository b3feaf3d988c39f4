"""Fixtures of the browser tests: a real server on a fresh store, and a Chromium whose doings are recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core import workflows as wf
from tests.browser.chromium import ARGUMENTS, find_chromium
from tests.browser.server import Server
from tests.browser.watch import Watch

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

VIEWPORT = {"width": 1366, "height": 768}


@pytest.fixture(scope="module")
def store_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the server's store, empty; a file that wants something in it has a fixture of this name."""
    return tmp_path_factory.mktemp("store") / "home"


@pytest.fixture(scope="module")
def server_environment() -> dict[str, str]:
    """What a file sets for its server, none."""
    return {}


@pytest.fixture(scope="module")
def server(store_home: Path, server_environment: dict[str, str]) -> Iterator[Server]:
    """A server on that store without demo projects, for all tests of a file."""
    running = Server(store_home, environment=server_environment)
    try:
        yield running.start()
    finally:
        running.end()


@pytest.fixture(scope="module")
def runs(server: Server) -> dict[str, str]:
    """The finished run of each question."""
    ws = wf.open_workspace(server.home)
    found = {run.task: run.id for run in wf.list_runs(ws)}
    ws.store.engine.dispose()
    return found


# A file and not a session long: Playwright's loop would stand in the way of other tests of the same process.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a window."""
    from playwright.sync_api import sync_playwright

    path = find_chromium()
    assert path, "Install Chromium or Chrome, or name it in ANDON_CHROMIUM."
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def watch() -> Watch:
    """What the browser of this test does; checked at its end."""
    return Watch()


@pytest.fixture
def open_page(browser: Browser, watch: Watch, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Opens pages in fresh contexts; takes the options of `Browser.new_context`. At the end the record is checked."""
    contexts: list[Any] = []

    def open_one(**options: Any) -> Page:
        chosen = {"viewport": VIEWPORT, "locale": "en-GB", "timezone_id": "UTC", "reduced_motion": "reduce"} | options
        context = browser.new_context(**chosen)
        contexts.append(context)
        watch.follow(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        return page

    yield open_one
    for number, context in enumerate(contexts):
        for page in context.pages:
            page.screenshot(path=tmp_path / f"end-{number}.png")
        context.close()
    watch.check()


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    """One page at 1366 × 768, English."""
    return open_page()
