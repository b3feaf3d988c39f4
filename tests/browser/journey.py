"""What a person does, step by step: the same gestures for the tests of whole journeys and for the benchmarks."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tests.browser.server import Server, wait_until
from tests.browser.watch import go, headline, settle

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

CAPTION = re.compile(r"^Epoch ([\d,]+) of [\d,]+ · loss")
FIRST_POINT = re.compile(r"^Epoch [\d,]+ of [\d,]+ · loss \d")


def german_file(path: Path, *, n: int = 6_000, seed: int = 5) -> Path:
    """A table as a German historian writes it: semicolons, decimal commas, a row of units, gaps in one column.

    Thickness = 2 + 0.03 temperature - 0.2 pressure + 0.3 sin(speed / 100), plus noise of 0.02 mm.
    """
    rng = np.random.default_rng(seed)
    temperature, pressure, speed = rng.normal(210, 4, n), rng.normal(6, 0.5, n), rng.uniform(900, 1500, n)
    thickness = 2 + 0.03 * temperature - 0.2 * pressure + 0.3 * np.sin(speed / 100) + rng.normal(0, 0.02, n)
    empty = rng.random(n) < 0.02
    lines = ["Zeit;Temperatur;Druck;Drehzahl;Dicke", ";°C;bar;1/min;mm"]
    for i in range(n):
        minute = f"{28 + i // 1440 // 2:02d}.01.2026 {i % 1440 // 60:02d}:{i % 60:02d}:{30 * (i // 1440 % 2):02d}"
        cells = [f"{temperature[i]:.2f}", "" if empty[i] else f"{pressure[i]:.3f}", f"{speed[i]:.1f}", f"{thickness[i]:.4f}"]
        lines.append(";".join([minute, *(cell.replace(".", ",") for cell in cells)]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def upload(page: Page, server: Server, file: Path) -> None:
    """Give a file to the Data screen and wait for its preview or for what is wrong with it."""
    go(page, f"{server.url}/data")
    page.locator("input[type=file]").first.set_input_files(file)
    page.get_by_role("heading", level=1, name=re.compile("is read, then import it")).wait_for()
    settle(page)


def import_upload(page: Page) -> None:
    """Import what the preview shows, and wait for the screening that follows."""
    page.get_by_role("button", name="Import file").click()
    page.get_by_test_id("stMetric").filter(has_text="Missing cells").wait_for(timeout=60_000)
    settle(page)


def screen(page: Page, name: str) -> None:
    """Go to a screen by the menu, as a person does; what is open stays open."""
    page.get_by_role("link", name=name, exact=True).click()
    page.wait_for_url(re.compile(f"/{name.lower()}"))
    settle(page)


# Until an element has stood in one place for a fifth of a second: what opens above it moves it.
STILL_BOX = """box => new Promise(done => {
  let place = '', since = performance.now();
  const look = () => {
    const {x, y} = box.getBoundingClientRect(), now = `${x} ${y}`;
    if (now !== place) { place = now; since = performance.now(); }
    if (performance.now() - since > 200) done(); else requestAnimationFrame(look);
  };
  look();
})"""


def choose(page: Page, label: str, option: str) -> None:
    """Pick an option of a select box by what stands on it.

    An open list closes when the page scrolls below it or is drawn again, and the scroll event of a click that first had to bring the box
    into view can come after the click: so the screen has to be still and the box in view before.
    """
    settle(page)
    box = page.get_by_role("combobox", name=re.compile(f"{re.escape(label)}$")).first
    box.scroll_into_view_if_needed()
    page.evaluate(STILL_BOX, box.element_handle())
    box.click()
    page.get_by_role("option", name=option, exact=True).first.click()


def figures(page: Page) -> dict[str, str]:
    """The headline figures: value by label."""
    found = page.get_by_test_id("stMetric").all()
    lines = [[line for line in figure.inner_text().splitlines() if line.strip()] for figure in found]
    return {line[0]: line[1] for line in lines if len(line) > 1}


def digits(text: str) -> float:
    """The number that a figure shows, without unit and thousands marks."""
    found = re.search(r"-?[\d,]*\.?\d+(?:e[-+]?\d+)?", text)
    assert found, f"no number in {text!r}"
    return float(found.group().replace(",", ""))


def train_button(page: Page) -> Locator:
    """The primary button of the Train screen."""
    return page.get_by_role("button", name="Train model")


def start_training(page: Page) -> None:
    """Press Train and wait until the run is shown. Pressing again is safe: the token of the form makes one job of it."""
    pressed = 0.0
    deadline = time.monotonic() + 60
    while not is_running(page):
        assert time.monotonic() < deadline, f"Train does not start: {headline(page)!r}"
        if time.monotonic() - pressed > 15 and train_button(page).count():
            train_button(page).click()
            pressed = time.monotonic()
        time.sleep(0.05)


def set_number(page: Page, label: str, value: float) -> None:
    """Write a number into a field of the open drawer."""
    field = page.get_by_role("spinbutton", name=re.compile(f"^{re.escape(label)}")).first
    field.fill(f"{value:g}")
    field.press("Enter")


def prepare_training(page: Page, *, target: str, epochs: int, batch: int, patience: int = 100_000) -> None:
    """On the Train screen: question, column, quick preset, and how long the fit may take."""
    page.get_by_text("Predict a quality value before it is measured").first.click()
    settle(page)
    choose(page, "Column to predict", target)
    settle(page)
    page.get_by_role("radio", name="quick").or_(page.get_by_role("button", name="quick")).first.click()
    settle(page)
    page.get_by_text("More settings").click()
    choose(page, "Model", "Dense network")  # the automatic choice would try several
    settle(page)
    for label, value in (("Batch", batch), ("Epochs", epochs), ("Patience", patience)):
        set_number(page, label, value)
        settle(page)


def shown_epoch(page: Page) -> int | None:
    """The epoch in the caption under the live curves, or None while there is none."""
    texts = page.get_by_text(CAPTION).all_inner_texts()
    found = CAPTION.match(texts[0]) if texts else None
    return int(found.group(1).replace(",", "")) if found else None


def is_running(page: Page) -> bool:
    """Whether the screen offers to stop the training."""
    return page.get_by_role("button", name="Stop training").count() > 0


@dataclass(frozen=True)
class Seen:
    """An epoch on the screen and when it was first seen."""

    epoch: int
    second: float


def watch_epochs(page: Page, *, at_least: int, seconds: float = 120.0) -> list[Seen]:
    """Follow the caption until so many different epochs were seen while the job runs."""
    seen: list[Seen] = []
    deadline = time.monotonic() + seconds
    while len(seen) < at_least:
        assert time.monotonic() < deadline, f"only {seen} in {seconds:g} s; the screen says {headline(page)!r}"
        epoch = shown_epoch(page)
        if epoch and is_running(page) and (not seen or epoch != seen[-1].epoch):
            seen.append(Seen(epoch, time.monotonic()))
        time.sleep(0.05)
    return seen


def wait_for_end(page: Page, *, seconds: float = 180.0) -> None:
    """Wait until the training has ended and the next step is offered."""
    wait_until(
        lambda: not is_running(page) and page.locator(".st-key-next_step").count(), seconds=seconds, what="the run's end"
    )
    settle(page)
