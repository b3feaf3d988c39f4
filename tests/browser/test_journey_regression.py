"""From a German CSV to a report: upload, roles, a cleaning step, a live training, figures that the command line confirms."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser import journey
from tests.browser.server import Server, wait_until
from tests.browser.watch import Watch, go, headline, no_traceback, settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(420)]

ENDLESS, EPOCHS, BATCH, PATIENCE = 5_000, 12, 16, 100_000
MARK = "e => { (e.querySelector('canvas') || e.querySelector('svg.marks')).andonMark = 'same node'; }"
MARKED = "e => (e.querySelector('canvas') || e.querySelector('svg.marks'))?.andonMark"


def test_from_a_file_to_a_report(server: Server, page: Page, tmp_path: Path, open_page: Callable[..., Page]) -> None:
    bring_in(server, page, tmp_path)
    clean(page)
    watch_it_learn(page)
    run = train_to_the_end(page)
    shown = judge(page)
    same_as_the_command_line(server, shown, run, tmp_path)
    report = take_report(page, tmp_path)
    opens_offline(report, open_page())


def bring_in(server: Server, page: Page, folder: Path) -> None:
    journey.upload(page, server, journey.german_file(folder / "dicke.csv"))
    assert page.get_by_role("combobox", name="Delimiter").input_value().startswith("semicolon")
    assert page.get_by_role("combobox", name="Decimal mark").input_value().startswith("comma")
    assert (
        page.get_by_role("checkbox", name="The row below holds units")
        .or_(page.get_by_role("switch", name="The row below holds units"))
        .last.is_checked()
    )
    page.locator("[role=columnheader]").first.wait_for(state="attached")
    heads = page.locator("[role=columnheader]").all_inner_texts()
    assert heads == ["Zeit", "Temperatur (°C)", "Druck (bar)", "Drehzahl (1/min)", "Dicke (mm)"]
    journey.import_upload(page)
    assert journey.figures(page)["Rows"] == "6,000"
    assert headline(page) == "2 of 5 columns need attention before training"
    journey.screen(page, "Data")
    cells = page.locator("[role=gridcell]")
    wait_until(lambda: "Dicke" in cells.all_inner_texts(), seconds=20, what="the table of columns")
    texts = cells.all_inner_texts()
    roles = {name: tuple(texts[texts.index(name) + 1 :][:2]) for name in ("Zeit", "Temperatur", "Druck", "Dicke")}
    assert roles == {
        "Zeit": ("time", ""),
        "Temperatur": ("sensor", "°C"),
        "Druck": ("sensor", "bar"),
        "Dicke": ("sensor", "mm"),
    }


def clean(page: Page) -> None:
    """A median for the gaps of the pressure: tried out, then applied."""
    journey.screen(page, "Clean")
    page.get_by_role("button", name="Add step").first.click()
    page.locator(".st-key-add_step_button button").click()
    page.get_by_role("heading", level=1, name=re.compile(r"^1 step changes \d+ cells$")).wait_for()
    settle(page)
    assert 80 <= journey.digits(journey.figures(page)["Cells changed"]) <= 160
    page.get_by_role("button", name="Apply recipe").click()
    page.get_by_text("Applied: the next training uses it.").wait_for()
    no_traceback(page)


def watch_it_learn(page: Page) -> None:
    """At least five epochs appear one after another in one and the same chart, which keeps its zoom; a reload changes nothing.

    The run would go on for longer than any machine needs to be watched; it is stopped at the end.
    """
    journey.screen(page, "Train")
    journey.prepare_training(page, target="Dicke (mm)", epochs=ENDLESS, batch=BATCH, patience=PATIENCE)
    assert "Dense network" in headline(page)
    journey.start_training(page)
    first = journey.watch_epochs(page, at_least=2)
    chart = page.locator(".st-key-live_loss")
    chart.evaluate(MARK)
    whole = axis(chart)
    chart.locator("canvas, svg.marks").first.hover()
    page.mouse.wheel(0, -400)
    wait_until(lambda: axis(chart) != whole, seconds=20, what="the zoom to be drawn")
    zoomed = settled_axis(chart)
    seen = first + journey.watch_epochs(page, at_least=4)
    epochs = [s.epoch for s in seen]
    assert len(set(epochs)) >= 5 and epochs == sorted(epochs), epochs
    assert chart.evaluate(MARKED) == "same node", "the chart was put in anew while it lived"
    # The same stretch may be labelled more or less densely; a lost zoom would show the whole range again.
    now, before = set(settled_axis(chart).split()), set(zoomed.split())
    assert (now <= before or before <= now) and now != set(whole.split()), "the chart has lost its zoom"
    run = shown_run(page)
    page.reload()
    settle(page)
    assert shown_run(page) == run
    assert journey.watch_epochs(page, at_least=1)[0].epoch >= epochs[-1]
    page.get_by_role("button", name="Stop training").click()
    journey.wait_for_end(page)
    assert headline(page).startswith("Stopped after epoch")
    no_traceback(page)


def train_to_the_end(page: Page) -> str:
    """A short training from the same form, whose figures any machine gives alike; the id of its run."""
    stopped = shown_run(page)
    page.locator(".st-key-to_new button").click()
    journey.train_button(page).wait_for()
    settle(page)
    journey.prepare_training(page, target="Dicke (mm)", epochs=EPOCHS, batch=BATCH, patience=PATIENCE)
    journey.train_button(page).click()
    page.wait_for_url(lambda url: stopped not in url)
    journey.wait_for_end(page)
    assert headline(page).startswith("Trained: RMSE")
    no_traceback(page)
    return shown_run(page)


def shown_run(page: Page) -> str:
    found = re.search(r"run=([0-9a-f-]{36})", page.url)
    assert found, page.url
    return found.group(1)


def settled_axis(chart: Any) -> str:
    """The numbers along the axes once they stand still: Vega draws a zoom in several steps."""
    seen: list[str] = []

    def stands() -> bool:
        seen.append(axis(chart))
        return len(seen) >= 4 and len(set(seen[-4:])) == 1

    wait_until(stands, seconds=20, what="the axes to stand still", every=0.25)
    return seen[-1]


def axis(chart: Any) -> str:
    """The numbers along the axes of the chart, as Vega draws them, or the picture itself where it paints on a canvas."""
    return str(chart.evaluate(AXIS))


AXIS = """e => {
  const svg = e.querySelector('svg.marks');
  return svg ? [...svg.querySelectorAll('.role-axis-label text')].map(t => t.textContent).join(' ') : null;
}"""


def judge(page: Page) -> dict[str, float]:
    page.locator(".st-key-next_step button").click()
    page.wait_for_url(re.compile("/predictions"))
    settle(page)
    no_traceback(page)
    assert headline(page)
    shown = journey.figures(page)
    assert shown["RMSE"].endswith("mm")
    return {key: journey.digits(shown[title]) for key, title in (("rmse", "RMSE"), ("mae", "MAE"), ("r2", "R²"))}


def same_as_the_command_line(server: Server, shown: dict[str, float], run: str, folder: Path) -> None:
    """The same request in another process gives the figures on the screen, to the digits shown."""
    from core import workflows as wf

    ws = wf.open_workspace(server.home)
    request = wf.get_run(ws, run).request
    ws.store.engine.dispose()
    recipe = folder / "recipe.json"
    recipe.write_text(json.dumps(request.recipe), "utf-8")
    assert request.recipe["steps"], "the applied recipe is part of the run"
    options = {"batch_size": BATCH, "epochs": EPOCHS, "patience": PATIENCE}
    settings = [part for name, value in options.items() for part in ("--set", f"{name}={value}")]
    answer = server.cli(
        *("train", "--data", request.dataset_id, "--task", "regression", "--target", "Dicke", "--time", "Zeit"),
        *("--model", request.model),
        *("--preset", "quick", "--recipe", str(recipe), "--out", str(folder / "bundle"), *settings),
    )
    metrics: Any = answer["metrics"]
    assert {key: float(f"{metrics[key]:.4g}") for key in shown} == shown
    opened = server.cli(
        *("score", "--bundle", str(folder / "bundle"), "--data", str(folder / "dicke.csv"), "--out", str(folder / "s.csv"))
    )
    assert opened["rows"] == 6_000


def take_report(page: Page, folder: Path) -> Path:
    journey.screen(page, "Reports")
    page.get_by_role("button", name="Make report").click()
    button = page.get_by_role("button", name="Download", exact=True)
    button.wait_for(timeout=60_000)
    settle(page)
    with page.expect_download() as given:
        button.click()
    file = folder / "report.html"
    given.value.save_as(file)
    no_traceback(page)
    return file


def opens_offline(report: Path, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.context.set_offline(True)
    page.goto(report.as_uri())
    page.locator(".plot .main-svg").first.wait_for(state="attached")
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    titles = page.locator(".modebar-btn").evaluate_all("bs => bs.map(b => b.dataset.title || '')")
    assert titles and not any("hare" in title or "loud" in title for title in titles)
    assert "Dicke" in page.locator("body").inner_text()


def test_an_address_with_a_screen_that_is_not_there_shows_home(server: Server, page: Page, watch: Watch) -> None:
    watch.allowed += ["404", "does not seem to exist"]
    go(page, f"{server.url}/no-such-screen")
    assert headline(page)
    no_traceback(page)
