"""What is open stays open: the dataset and run change only when somebody chooses another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser import journey
from tests.browser.server import Server, wait_until
from tests.browser.watch import go, headline, no_traceback, settle
from tests.synthetic import anomaly_table, regression_table

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def older(server: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A dataset with a run, and a newer dataset that must not push itself forward."""
    folder = tmp_path_factory.mktemp("data")
    anomaly_table(900, 700).to_csv(folder / "pump.csv", index=False)
    regression_table(200).to_csv(folder / "newer.csv", index=False)
    imported = server.cli("import", str(folder / "pump.csv"), "--name", "pump")
    trained = server.cli(
        *("train", "--data", str(imported["dataset"]), "--task", "anomaly", "--time", "when", "--target", "label"),
        *("--model", "pca_t2_spe", "--split", "first:600"),
    )
    server.cli("import", str(folder / "newer.csv"), "--name", "newer")
    return {"dataset": str(imported["dataset"]), "run": str(trained["run"])}


def test_the_menu_keeps_what_is_open_after_a_choice_on_the_screen(server: Server, older: dict[str, str], page: Page) -> None:
    go(page, f"{server.url}/clean?dataset={older['dataset']}")
    journey.choose(page, "Column", "p2")
    settle(page)
    for name in ("Train", "Data", "Runs"):
        journey.screen(page, name)
        wait_until(lambda: "dataset=" in page.url, seconds=30, what="the address to name a dataset")
        assert older["dataset"] in page.url, name


def test_a_report_is_made_of_the_run_whose_event_was_chosen(server: Server, older: dict[str, str], page: Page) -> None:
    go(page, f"{server.url}/anomalies?dataset={older['dataset']}&run={older['run']}")
    wait_until(lambda: "event=" in page.url, seconds=30, what="the address to name the event")
    page.get_by_role("button", name="Make a report").click()
    page.wait_for_url("**/reports**")
    settle(page)
    no_traceback(page)
    wait_until(lambda: older["run"] in page.url, seconds=30, what="the address to name the run")
    assert "pca_t2_spe" in headline(page) or "ready to be reported" in headline(page)
