"""The report in a real browser: every chart drawn under its policy, no error, no request, no upload button."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.report import render_html
from tests.browser.chromium import ARGUMENTS, find_chromium
from tests.core.report.sample import sample_facts

pytestmark = pytest.mark.browser


def test_report_opens_without_errors_or_requests(tmp_path: Path) -> None:
    from playwright import sync_api as playwright

    browser_path = find_chromium()
    assert browser_path, "Install Chromium or Chrome, or name it in ANDON_CHROMIUM."
    file = tmp_path / "report.html"
    file.write_text(render_html(sample_facts(column="<b>p</b> & %{x}")), "utf-8")
    said: list[str] = []
    asked: list[str] = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=browser_path, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(file.as_uri())
        page.locator(".plot .main-svg").nth(7).wait_for(state="attached", timeout=20_000)
        assert page.locator(".plot .plot-container").count() == 4
        page.locator(".plot").first.hover()
        buttons = page.locator(".plot").first.locator(".modebar-btn").evaluate_all("bs => bs.map(b => b.dataset.title || '')")
        assert buttons and not any("hare" in title or "loud" in title for title in buttons)
        assert page.locator(".plot b").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        shot = os.environ.get("ANDON_REPORT_SHOT")
        if shot:
            page.screenshot(path=shot, full_page=True)
        browser.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
