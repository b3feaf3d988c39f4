"""Every screen in both languages and both themes: no English sentence left in Chinese, the language in the address."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.languages import catalogue_path
from tests.browser.server import Server
from tests.browser.watch import go, headline, no_traceback, settle
from tests.pages.finished_runs import build

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SCREENS = {
    "": "regression",
    "data": "regression",
    "screening": "regression",
    "explore": "regression",
    "clean": "regression",
    "train": "regression",
    "runs": "regression",
    "predictions": "classification",
    "anomalies": "anomaly",
    "reports": "regression",
    "validation": "regression",
}
CHINESE = re.compile("[\u4e00-\u9fff]")
WORDS = re.compile(r"[A-Za-z]{2,}(?: +[A-Za-z]{2,}){2,}")
PLACEHOLDER = re.compile(r"\{\w+\}")
# Streamlit's own words, which cannot be translated, and names that are the user's or the demo tables'.
STREAMLIT = {
    "Skip to main content",
    "Navigate to home page",
    "Drag and drop file here",
    "Browse files",
    "Limit",
    "per file",
    "Press Enter to apply",
}


@pytest.fixture(scope="module")
def store_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a finished run of each question."""
    home = tmp_path_factory.mktemp("store") / "home"
    build(home)
    return home


def english_sentences() -> list[re.Pattern[str]]:
    """The English texts of three words or more that have another text in Chinese, as patterns with holes for values."""
    from babel.messages.pofile import read_po

    with catalogue_path("zh").open("rb") as file:
        catalogue = read_po(file)
    found = []
    for message in catalogue:
        ids, strings = (m if isinstance(m, tuple) else (m,) for m in (message.id, message.string))
        for text in ids:
            fixed = PLACEHOLDER.sub("", text)
            if WORDS.search(fixed) and text not in strings:
                parts = PLACEHOLDER.split(text)
                found.append(re.compile("^" + ".+".join(map(re.escape, parts)) + "$"))
    return found


def visible_lines(page: Page) -> set[str]:
    """What stands on the screen outside tables and drawings, and the names of things for screen readers."""
    names = page.locator("[aria-label], [title], [placeholder]").evaluate_all(
        "es => es.flatMap(e => ['aria-label', 'title', 'placeholder'].map(a => e.getAttribute(a) || ''))"
    )
    lines = page.locator("body").inner_text().splitlines() + names
    return {line.strip() for line in lines if line.strip()}


def test_chinese_leaves_no_english_sentence(server: Server, runs: dict[str, str], page: Page) -> None:
    sentences = english_sentences()
    assert len(sentences) > 200
    left: dict[str, list[str]] = {}
    for screen, task in SCREENS.items():
        go(page, f"{server.url}/{screen}?run={runs[task]}&lang=zh")
        no_traceback(page)
        assert CHINESE.search(headline(page)), (screen, headline(page))
        lines = visible_lines(page)
        known = [line for line in lines if not CHINESE.search(line) and any(s.match(line) for s in sentences)]
        loose = [line for line in lines if not CHINESE.search(line) and is_sentence(line)]
        if known or loose:
            left[screen] = sorted({*known, *loose})
    assert not left, left


def is_sentence(line: str) -> bool:
    """Four English words in a row that are not Streamlit's."""
    return bool(re.search(r"(?:[A-Za-z]{2,} +){3,}[A-Za-z]{2,}", line)) and not any(word in line for word in STREAMLIT)


def test_english_shows_no_chinese(server: Server, runs: dict[str, str], page: Page) -> None:
    for screen, task in SCREENS.items():
        go(page, f"{server.url}/{screen}?run={runs[task]}&lang=en")
        no_traceback(page)
        left = [line for line in visible_lines(page) if CHINESE.search(line) and line != "中文"]
        assert not left, (screen, left)


def test_what_was_chosen_stays_chosen_in_the_other_language(server: Server, runs: dict[str, str], page: Page) -> None:
    go(page, f"{server.url}/predictions?run={runs['regression']}&lang=en")
    page.get_by_test_id("stMain").get_by_text("Error over time", exact=True).first.click()
    settle(page)
    chosen = page.get_by_test_id("stMain").locator("input[type=radio]:checked")
    before = chosen.get_attribute("value")
    assert before != "0"
    page.get_by_role("button", name="中文").or_(page.get_by_role("radio", name="中文")).first.click()
    page.get_by_role("link", name="数据").first.wait_for()
    settle(page)
    assert chosen.get_attribute("value") == before


def test_the_language_is_the_browsers_and_stays_in_the_address(server: Server, open_page: Callable[..., Page]) -> None:
    page = open_page(locale="zh-CN")
    go(page, server.url)
    assert CHINESE.search(headline(page))
    assert "lang=zh" in page.url
    page.get_by_role("link", name="数据").first.click()
    page.wait_for_url(re.compile("/data"))
    page.wait_for_url(re.compile("lang=zh"))
    page.get_by_text("English", exact=True).click()
    page.get_by_role("link", name="Data", exact=True).wait_for()
    page.wait_for_url(re.compile("lang=en"))
    copied = open_page(locale="zh-CN")
    go(copied, page.url)
    assert not CHINESE.search(headline(copied))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_dark_theme_is_dark_with_light_words(
    language: str, server: Server, runs: dict[str, str], open_page: Callable[..., Page]
) -> None:
    page = open_page(color_scheme="dark")
    for screen in ("predictions", "anomalies"):
        go(page, f"{server.url}/{screen}?run={runs[SCREENS[screen]]}&lang={language}")
        no_traceback(page)
        ground = page.locator(".stApp").evaluate(LIGHTNESS, "backgroundColor")
        words = page.get_by_role("heading", level=1).first.evaluate(LIGHTNESS, "color")
        assert ground < 60 and words > 180, (ground, words)
        page.locator(".js-plotly-plot .main-svg").first.wait_for(state="attached")
        title = page.locator(".js-plotly-plot .gtitle, .js-plotly-plot .xtitle").first
        assert title.evaluate(LIGHTNESS, "fill") > 110


LIGHTNESS = "(e, what) => { const c = getComputedStyle(e)[what].match(/\\d+/g).map(Number); return (c[0] + c[1] + c[2]) / 3; }"
