"""Where a Chromium for the browser tests is; as a script, says so or what to install."""

from __future__ import annotations

import os
import shutil
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
)
# Chromium's own background traffic and sandbox have no place in a test, which often runs as root in a container.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium() -> str | None:
    """The path of a system Chromium or Chrome; ANDON_CHROMIUM names another."""
    named = os.environ.get("ANDON_CHROMIUM")
    found = [named] if named else [shutil.which(name) for name in NAMES] + [p for p in PLACES if os.path.exists(p)]
    return next((path for path in found if path), None)


if __name__ == "__main__":
    path = find_chromium()
    print(path or "The browser tests need Chromium or Chrome: install one, or set ANDON_CHROMIUM to its path.")
    sys.exit(0 if path else 1)
