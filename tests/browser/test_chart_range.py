"""A long chart: a range drawn on it, slid to or typed shows every row of it, and a period drawn on it takes no part any more."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from core import workflows as wf
from tests.browser.server import Server, wait_until
from tests.browser.watch import go, no_traceback, settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]
N, SPIKE = 200_000, 123_456
# Streamlit sends arrays as base64 of their bytes.
ROWS = """() => {
  const chart = [...document.querySelectorAll('.js-plotly-plot')].at(-1);
  const given = chart?.data?.[0]?.customdata;
  if (!given) return [];
  if (!given.bdata) return Array.from(given);
  const kinds = {u1: Uint8Array, i1: Int8Array, u2: Uint16Array, i2: Int16Array, u4: Uint32Array, i4: Int32Array, f8: Float64Array};
  return Array.from(new kinds[given.dtype](Uint8Array.from(atob(given.bdata), (c) => c.charCodeAt(0)).buffer));
}"""
SHAPES = "() => [...document.querySelectorAll('.js-plotly-plot')].at(-1).layout.shapes.length"


def long_table(home: Path) -> None:
    """Import a reading a second, 200,000 of them, with one spike."""
    rng = np.random.default_rng(3)
    values = 20 + np.sin(np.arange(N) / 4_000) + rng.normal(0, 0.1, N)
    values[SPIKE] = 40
    times = (np.datetime64("2026-03-01T00:00:00") + np.arange(N)).astype(str)
    path = home.parent / "pump.csv"
    path.write_text("time,pressure\n" + "".join(f"{t},{v:.4f}\n" for t, v in zip(times, values, strict=True)))
    ws = wf.open_workspace(home)
    assert wf.import_file(ws, path).dataset is not None
    ws.store.engine.dispose()


@pytest.fixture(scope="module")
def store_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one table: a reading a second, a spike in it."""
    home = tmp_path_factory.mktemp("store") / "home"
    long_table(home)
    return home


def open_chart(page: Page, server: Server, more: str = "") -> None:
    go(page, f"{server.url}/data{more}")
    page.get_by_text("Over time, and periods that are left out").click()
    wait_until(lambda: len(page.evaluate(ROWS)) > 0, seconds=60, what="the chart")
    settle(page)


def drag(page: Page, start: float, stop: float) -> None:
    """Draw a stretch on the chart, as shares of the plot's width."""
    plot = page.locator(".js-plotly-plot").last.locator(".nsewdrag").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + start * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + stop * box["width"], y, steps=6)
    page.mouse.up()


def rows(page: Page) -> list[int]:
    """The rows that are drawn, from 1 as people count them; addresses count from 0."""
    return [int(r) for r in page.evaluate(ROWS)]


def changed(page: Page, before: list[int]) -> list[int]:
    found: list[Any] = []

    def differs() -> bool:
        found[:] = rows(page)
        return bool(found) and found != before

    wait_until(differs, seconds=30, what="another range of the chart")
    settle(page)
    return rows(page)


def test_a_drawn_range_shows_the_rows_that_the_overview_left_out(server: Server, page: Page) -> None:
    open_chart(page, server)
    whole = rows(page)
    assert len(whole) <= 5_000
    assert {1, SPIKE + 1, N} <= set(whole), "the spike is seen from afar"
    drag(page, 0.60, 0.70)
    nearer = changed(page, whole)
    assert len(nearer) <= 5_000
    drag(page, 0.40, 0.60)
    part = changed(page, nearer)
    assert part == list(range(part[0], part[-1] + 1)), "every row of the range is drawn"
    assert nearer[0] < part[0] < part[-1] < nearer[-1]
    assert 0.55 * N < part[0] < 0.75 * N
    assert len(set(part) - set(whole)) > 1_000
    page.get_by_text(re.compile(r"rows [\d,]+ to [\d,]+ of 200,000 · every row is drawn")).wait_for()
    address = page.url
    assert f"range={part[0] - 1}-{part[-1]}" in address
    no_traceback(page)
    page.get_by_role("button", name="Whole range").click()
    assert changed(page, part) == whole
    assert "range=" not in page.url
    copied = page.context.new_page()
    go(copied, address)
    copied.get_by_text("Over time, and periods that are left out").click()
    wait_until(lambda: rows(copied) == part, seconds=60, what="the range of a copied address")
    copied.close()


def test_the_range_can_be_set_without_a_mouse(server: Server, page: Page) -> None:
    open_chart(page, server)
    thumb = page.get_by_role("slider").first

    def stepped() -> bool:
        thumb.focus()  # a rerun between two steps may take the focus away
        page.keyboard.press("ArrowRight")
        settle(page)
        return rows(page)[0] >= 5 * N // 1_000 - 5

    wait_until(stepped, seconds=90, what="five steps of the slider")
    assert rows(page)[-1] == N
    settle(page)
    page.get_by_role("button", name="Rows", exact=True).press("Enter")
    for label, row in (("First row", SPIKE - 50), ("Last row", SPIKE + 50)):
        page.get_by_role("spinbutton", name=label).fill(str(row))
    page.get_by_role("button", name="Show rows").press("Enter")
    wanted = list(range(SPIKE - 50, SPIKE + 51))  # a step of the slider may still be drawn in between
    wait_until(lambda: rows(page) == wanted, seconds=30, what="the rows that were asked for")


def test_a_period_drawn_on_the_chart_is_left_out_by_the_recipe(server: Server, page: Page) -> None:
    open_chart(page, server)
    page.get_by_text("Drawing on the chart leaves a period out").click()
    settle(page)
    drag(page, 0.25, 0.5)
    page.get_by_text("1 period left out").wait_for()
    settle(page)
    assert page.evaluate(SHAPES) == 1
    no_traceback(page)
    ws = wf.open_workspace(server.home)
    (dataset,) = wf.list_datasets(ws)
    (period,) = wf.periods_of(wf.get_recipe(ws, dataset.id))
    ws.store.engine.dispose()
    seconds = [(end - np.datetime64("2026-03-01")) / np.timedelta64(1, "s") for end in (period.start, period.stop)]
    # The axis has a little room at both ends for no line touches them; a stretch of a quarter is a quarter all the same.
    assert abs((seconds[1] - seconds[0]) / N - 0.25) < 0.03
    go(page, f"{server.url}/clean")
    settle(page)
    assert "Leave out periods" in page.locator("body").inner_text()
