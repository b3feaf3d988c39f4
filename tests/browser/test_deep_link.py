"""A deep link as the very first request of a fresh server shows the shell and that screen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.server import Server
from tests.browser.watch import go, headline, no_traceback

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FIRST = {"anomalies": "There are no events yet", "clean": "There is nothing to clean yet"}
OTHERS = {
    "": "From a file to a model you can defend, in five minutes",
    "data": "Bring a table: one row a part, a cycle or a moment",
    "train": "There is no data to learn from yet",
    "runs": "No model was trained yet",
    "predictions": "There are no predictions yet",
    "reports": "There is nothing to report yet",
}


@pytest.mark.parametrize("screen", FIRST)
def test_the_first_request_of_a_server_may_be_any_screen(screen: str, tmp_path: Path, open_page: Callable[..., Page]) -> None:
    server = Server(tmp_path / "home")
    try:
        server.start()
        shows(open_page(), server, screen, FIRST[screen])
        if screen == "clean":
            for path, finding in OTHERS.items():
                shows(open_page(), server, path, finding)
    finally:
        server.end()


def shows(page: Page, server: Server, path: str, finding: str) -> None:
    """The screen with its menu and its own first line, and nothing that says it is not there."""
    go(page, f"{server.url}/{path}")
    assert headline(page) == finding
    assert page.get_by_role("dialog").count() == 0
    assert page.get_by_text("Page not found").count() == 0
    assert page.get_by_role("link", name="Anomalies").count() == 1
    no_traceback(page)
    page.context.close()
