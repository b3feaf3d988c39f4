"""Events are listed, the decision limit moves without training again, and a verdict stays, in English and in Chinese."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from core import workflows as wf
from tests.browser import journey
from tests.browser.server import Server, wait_until
from tests.browser.watch import go, headline, no_traceback, settle
from tests.synthetic import anomaly_table

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def run(server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A control chart on principal components over a table with a fault from row 960 on, made by the command line."""
    path = tmp_path_factory.mktemp("data") / "pump.csv"
    anomaly_table(1_200, 960).to_csv(path, index=False)
    imported = server.cli("import", str(path), "--name", "pump")
    trained = server.cli(
        *("train", "--data", str(imported["dataset"]), "--task", "anomaly", "--time", "when", "--target", "label"),
        *("--model", "pca_t2_spe", "--split", "first:700"),
    )
    return str(trained["run"])


def n_events(page: Page) -> int:
    return int(journey.digits(journey.figures(page)["Events"]))


def test_the_limit_moves_without_training_and_a_verdict_stays(server: Server, run: str, page: Page) -> None:
    go(page, f"{server.url}/anomalies?run={run}")
    no_traceback(page)
    assert n_events(page) >= 1
    listed = page.get_by_role("heading").filter(has_text=re.compile(r"\d+ events?, most severe first"))
    before = listed.inner_text()
    move_limit(page)
    ws = wf.open_workspace(server.home)
    assert len(wf.list_runs(ws)) == 1 and not wf.jobs_overview(ws), "nothing was trained again"
    page.get_by_role("button", name=re.compile("^Back to")).click()
    wait_until(lambda: listed.inner_text() == before, seconds=30, what="the limit of the run to come back")

    journey.choose(page, "Verdict", "assignable cause")
    page.get_by_role("textbox", name="Assignable cause (needed)").fill("seal leak <b>& more</b>")
    page.get_by_role("textbox", name="Your name").fill("Mei")  # taken though the click on the button is what ends the typing
    page.get_by_role("button", name="Save verdict").click()
    wait_until(lambda: len(wf.list_verdicts(ws, run)) == 1, seconds=30, what="the verdict to be stored")
    given = wf.list_verdicts(ws, run)[0]
    ws.store.engine.dispose()
    assert (given.verdict, given.cause, given.owner) == ("assignable_cause", "seal leak <b>& more</b>", "Mei")
    page.reload()
    settle(page)
    page.get_by_text("Verdicts so far (1)").wait_for()
    assert "1 with a verdict" in page.get_by_test_id("stMetric").filter(has_text="Events").first.inner_text()
    event = page.get_by_role("combobox", name="Event").input_value()

    page.get_by_text("中文").click()
    page.get_by_role("link", name="异常").wait_for()
    settle(page)
    assert "lang=zh" in page.url
    go(page, page.url)
    assert re.search("[一-鿿]", headline(page))
    assert page.get_by_text("Verdicts so far").count() == 0
    assert event.split(" ")[0] in page.get_by_role("combobox").nth(0).input_value()
    no_traceback(page)


def move_limit(page: Page) -> None:
    """Push the limit towards the lowest scores: other rows are flagged."""
    flagged = page.get_by_text(re.compile("flagged")).first
    before = (journey.figures(page), flagged.inner_text() if flagged.count() else "")
    slider = page.get_by_role("slider")
    slider.first.focus()
    slider.first.press("Home")
    page.get_by_text("limit moved by hand").first.wait_for()
    settle(page)
    assert journey.figures(page) != before[0]
    assert journey.figures(page)["False alarms"] == "no promise"


def open_event(page: Page) -> str:
    """The number of the event that is open, by its box."""
    return page.get_by_role("combobox", name="Event", exact=False).first.input_value().split(" ")[0]


def test_a_row_of_the_list_opens_its_event_and_why_explains_it(server: Server, run: str, page: Page) -> None:
    go(page, f"{server.url}/anomalies?run={run}")
    slider = page.get_by_role("slider").first
    slider.focus()
    for _ in range(6):  # a few steps below the run's own limit there are five events
        slider.press("ArrowLeft")
    page.get_by_text("limit moved by hand").first.wait_for()
    settle(page)
    assert n_events(page) >= 2
    opened = open_event(page)
    place = 1 if opened == "1" else 0  # another row than that of the open event
    table = page.locator(".st-key-event_table")
    table.scroll_into_view_if_needed()
    settle(page)
    box = table.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 18, box["y"] + 35 * (place + 1) + 17)  # the box at the left end of the row
    wait_until(lambda: open_event(page) == str(place + 1), seconds=30, what="the clicked event to open")
    settle(page)
    page.get_by_role("radio", name="Why").click()
    wait_until(lambda: headline(page).startswith(f"Event {place + 1}:"), seconds=30, what="the event to be explained")
    assert f"event={place + 1}" in page.url and open_event(page) == str(place + 1)
    page.get_by_text("limit moved by hand").first.wait_for()
    page.get_by_role("radio", name="Events").click()
    page.get_by_text("most severe first").first.wait_for()
    settle(page)
    assert open_event(page) == str(place + 1)
    no_traceback(page)
