"""What a browser does behind a page: which addresses it asks, what it complains of; and waiting for Streamlit to be done."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from playwright.sync_api import TimeoutError as PageTimeout

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, WebSocket

HERE = {"127.0.0.1", "localhost"}
INNER = {"data", "blob", "about", "file"}
SHOWN_SECONDS = 60.0

# Console errors that are none of ours, each with its reason.
ALWAYS_ALLOWED: tuple[str, ...] = ()


@dataclass
class Watch:
    """The record of one browser context.

    Args:
        allowed: Patterns of console errors that this test expects, for example while the server is away.
    """

    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=lambda: list(ALWAYS_ALLOWED))

    def follow(self, context: BrowserContext) -> None:
        """Record everything that pages of this context do."""
        context.on("request", self._asked)
        context.on("console", self._said)
        context.on("weberror", lambda error: self.errors.append(f"uncaught: {error.error}"))
        context.on("page", lambda page: page.on("websocket", self._connected))

    def _asked(self, request: Request) -> None:
        self.requests.append(request.url)

    def _connected(self, socket: WebSocket) -> None:
        self.requests.append(socket.url)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location.get('url', '')})")

    def foreign(self) -> list[str]:
        """Addresses on other machines that were asked."""
        parts = [(url, urlsplit(url)) for url in self.requests]
        return [url for url, part in parts if part.scheme not in INNER and part.hostname not in HERE]

    def complaints(self) -> list[str]:
        """Console errors and uncaught exceptions that nobody expected."""
        return [error for error in self.errors if not any(re.search(pattern, error) for pattern in self.allowed)]

    def check(self) -> None:
        """Nothing left the machine, nothing went wrong in the browser."""
        assert not self.foreign(), f"asked other machines: {self.foreign()[:5]}"
        assert not self.complaints(), f"the browser complains: {self.complaints()[:5]}"


# Still for a quarter of a second, because a click needs a moment until the script starts.
STILL = """() => {
  const state = document.querySelector('[data-test-script-state]')?.dataset.testScriptState;
  const still = state === 'notRunning' && !document.querySelector('[data-stale=true], [data-testid=stSkeleton]');
  window.andonStill = still ? (window.andonStill ?? performance.now()) : null;
  return still && performance.now() - window.andonStill > 250;
}"""


def settle(page: Page, *, seconds: float = SHOWN_SECONDS) -> None:
    """Wait until the screen has its headline and its script has ended, fragments that poll aside."""
    page.get_by_role("heading", level=1).first.wait_for(timeout=seconds * 1000)
    page.evaluate("window.andonStill = null")
    try:
        page.wait_for_function(STILL, timeout=seconds * 1000, polling=50)
    except PageTimeout:
        # A screen that polls on a busy machine may never rest; what a test looks for next has its own deadline.
        page.get_by_role("heading", level=1).first.wait_for(timeout=seconds * 1000)


def go(page: Page, url: str, *, seconds: float = SHOWN_SECONDS) -> None:
    """Open an address and wait for its screen."""
    page.goto(url, wait_until="domcontentloaded", timeout=seconds * 1000)
    settle(page, seconds=seconds)


def headline(page: Page) -> str:
    """The finding of the screen."""
    return page.get_by_role("heading", level=1).first.inner_text()


def no_traceback(page: Page) -> None:
    """Neither Streamlit's error boxes nor ours for faults of the program, nor the words of a traceback."""
    assert page.locator(".stException").count() == 0
    text = page.locator("body").inner_text()
    assert "Traceback" not in text
    assert "fault in the program" not in text and "程序出错" not in text, text[-2000:]
