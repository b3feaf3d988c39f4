"""From a file to its screening: what needs attention, one click that mends it, a decision that stays; the command line agrees."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.browser import journey
from tests.browser.server import Server, wait_until
from tests.browser.watch import headline, no_traceback, settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]

N = 3_000


def historian_file(path: Path) -> Path:
    """Five sensors a minute apart: one clean, one with −999 in 30 rows, one stuck for 2 hours, one shifted, one with gaps."""
    rng = np.random.default_rng(8)
    sensors = {name: rng.normal(50, 2, N).round(3) for name in ("clean", "code", "stuck", "shift", "gaps")}
    sensors["code"][rng.choice(N, 30, replace=False)] = -999
    sensors["stuck"][1_000:1_120] = sensors["stuck"][1_000]
    sensors["shift"][2_000:] += 8
    empty = rng.random(N) < 0.05
    lines = [",".join(("time", *sensors))]
    for i in range(N):
        cells = [f"{values[i]:.3f}" if name != "gaps" or not empty[i] else "" for name, values in sensors.items()]
        lines.append(",".join((f"2026-03-{2 + i // 1440:02d} {i % 1440 // 60:02d}:{i % 60:02d}", *cells)))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_from_a_file_to_a_mended_table(server: Server, page: Page, tmp_path: Path) -> None:
    journey.upload(page, server, historian_file(tmp_path / "line.csv"))
    journey.import_upload(page)
    assert "/screening" in page.url
    assert headline(page) == "4 of 6 columns need attention before training"
    shown = journey.figures(page)
    assert (shown["Rows"], shown["Grade A / B / C"]) == ("3,000", "2 / 2 / 2")

    look_at(page, "stuck")
    card = page.get_by_text(re.compile(r"stuck at [\d.]+ for 2 h 0 min from 2026-03-02 16:40"))
    assert card.count() >= 1
    assert page.locator(".st-key-screening_course .main-svg").count() >= 1
    page.get_by_role("button", name="Leave", exact=True).click()
    page.get_by_role("heading", level=1, name="3 of 6 columns need attention before training").wait_for()
    settle(page)
    no_traceback(page)

    page.get_by_role("button", name="Apply 2 proposed fixes").click()
    page.get_by_role("heading", level=1, name="1 of 6 columns needs attention before training").wait_for()
    page.reload()
    settle(page)
    assert headline(page) == "1 of 6 columns needs attention before training"

    answer: dict[str, Any] = server.cli("profile", opened(page))
    states = {c["name"]: [(r["code"], r["state"]) for r in c["reasons"]] for c in answer["columns"]}
    assert states == {
        "time": [],
        "clean": [],
        "code": [("missing_code", "fixed")],
        "stuck": [("stuck", "left")],
        "shift": [("shift", "open")],
        "gaps": [("missing", "fixed")],
    }
    page.locator(".st-key-next_step button").click()
    page.wait_for_url(re.compile("/clean"))
    settle(page)
    assert headline(page).startswith("2 steps change ")
    no_traceback(page)


def look_at(page: Page, column: str) -> None:
    """Find a column by its name; the first row of the table opens its detail."""
    field = page.get_by_placeholder("Find a column")
    field.fill(column)
    field.press("Enter")
    wait_until(
        lambda: page.get_by_role("heading", level=3, name=column, exact=True).count(),
        seconds=20,
        what=f"the detail of {column}",
    )
    settle(page)


def opened(page: Page) -> str:
    found = re.search(r"dataset=([0-9a-f-]{36})", page.url)
    assert found, page.url
    return found.group(1)
