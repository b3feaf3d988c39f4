"""A recorded run of a real pump (SKAB) by browser: semicolons, known faults, first 400 rows; the command line finds the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser import journey
from tests.browser.server import Server
from tests.browser.watch import headline, no_traceback, settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]


def test_a_recorded_pump_run_from_file_to_events(server: Server, page: Page, shared_data: Path) -> None:
    file = shared_data / "skab" / "valve1" / "0.csv"
    journey.upload(page, server, file)
    assert page.get_by_role("combobox", name="Delimiter").input_value().startswith("semicolon")
    journey.import_upload(page)
    assert journey.figures(page)["Rows"] == f"{sum(1 for _ in file.open()) - 1:,}"

    journey.screen(page, "Train")
    page.get_by_text("Warn me when something is off").first.click()
    settle(page)
    journey.choose(page, "Known faults, for judging only", "anomaly")
    settle(page)
    page.get_by_role("radio", name="quick").or_(page.get_by_role("button", name="quick")).first.click()
    settle(page)
    page.get_by_text("More settings").click()
    journey.choose(page, "Split", "first rows")
    settle(page)
    journey.set_number(page, "Training rows", 400)
    settle(page)
    assert "Distance to the nearest neighbours" in headline(page)
    journey.start_training(page)
    journey.wait_for_end(page)
    page.locator(".st-key-next_step button").click()
    page.wait_for_url(re.compile("/anomalies"))
    settle(page)
    no_traceback(page)
    shown = journey.figures(page)

    answer: dict[str, Any] = server.cli(
        *("train", "--data", str(file), "--task", "anomaly", "--target", "anomaly", "--time", "datetime"),
        *("--split", "first:400", "--preset", "quick"),
    )
    assert answer["model"] == "knn_distance"
    assert journey.digits(shown["F1"]) == float(f"{answer['metrics']['f1']:.4g}")
