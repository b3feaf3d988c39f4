"""Every screen in both languages, both themes, empty and loaded, at two sizes, to docs/screens. `make screens`.

The demo projects are built first; ANDON_SCREENS_HOME names a store folder that has them already. Part of a name as
argument takes only these pictures: `python -m benchmarks.screens home-en`.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from core import workflows as wf
from tests.browser.chromium import ARGUMENTS, find_chromium
from tests.browser.server import Server, wait_until
from tests.browser.watch import go

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "screens"
SIZES = {1366: 768, 1920: 1080}
LANGUAGES = {"en": "en-GB", "zh": "zh-CN"}
THEMES = ("light", "dark")
SCREENS = (
    "home",
    "data",
    "screening",
    "explore",
    "clean",
    "train",
    "runs",
    "predictions",
    "anomalies",
    "reports",
    "validation",
)
# Screens that look different with another run: name → (path, task, rest of the address).
LOADED = {
    name: ("" if name == "home" else name, "anomaly" if name == "anomalies" else "regression", "") for name in SCREENS
} | {
    "training": ("train", "regression", "&view=watch"),
    "classes": ("predictions", "classification", ""),
    "life": ("predictions", "rul", ""),
    "fleet": ("predictions", "rul", "&view=fleet"),
    "explore-many": ("explore", "regression", "&view=many"),
    "explore-capability": ("explore", "regression", "&view=capability"),
    "explore-gage": ("explore", "regression", "&view=gage"),
    "explore-relations": ("explore", "regression", "&view=relations"),
    "zones": ("predictions", "regression", "&view=zones"),
    "strata": ("predictions", "regression", "&view=strata"),
    "why-row": ("predictions", "regression", "&view=why"),
    "labels": ("predictions", "classification", "&view=labels"),
    "why-event": ("anomalies", "anomaly", "&view=why"),
    "seeded-faults": ("anomalies", "anomaly", "&view=seeded"),
    "challenge-set": ("anomalies", "anomaly", "&view=challenge"),
    "score-chart": ("anomalies", "anomaly", "&view=chart"),
    "alarm-budget": ("anomalies", "anomaly", "&view=budget"),
}
DEMO_SECONDS = 1_800.0
COLOURS = 256


@dataclass(frozen=True)
class Shot:
    """One picture: its file's name and the address to open."""

    name: str
    path: str


def main(arguments: Sequence[str]) -> int:
    """Take all pictures whose name holds one of the arguments."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    given = os.environ.get("ANDON_SCREENS_HOME")
    with tempfile.TemporaryDirectory(prefix="andon-screens-") as folder:
        empty = Server(Path(folder) / "empty")
        loaded = Server(Path(given) if given else Path(folder) / "loaded", demos=not given)
        loaded.log = Path(folder) / "loaded.log"
        try:
            taken = _walk(empty.start(), "empty", arguments)
        finally:
            empty.end()
        try:
            loaded.start()
            wait_for_demos(loaded.home)
            taken += _walk(loaded, "loaded", arguments)
        finally:
            loaded.end()
    size = sum(file.stat().st_size for file in FOLDER.glob("*.png"))
    print(f"{taken} pictures taken; {FOLDER.name} holds {size / 1e6:.1f} MB")
    return 0


def wait_for_demos(home: Path) -> None:
    """Until the demo projects of a store are built and nothing runs."""
    ws = wf.open_workspace(home)
    try:
        wait_until(
            lambda: all(card.state in ("ready", "absent") for card in wf.demo_cards(ws)) and not wf.jobs_overview(ws),
            seconds=DEMO_SECONDS,
            what="the demo projects",
            every=1.0,
        )
    finally:
        ws.store.engine.dispose()


def shots(state: str, language: str, home: Path) -> Iterator[Shot]:
    """The pictures of one language, without theme and size."""
    if state == "empty":
        for screen in SCREENS:
            yield Shot(screen, f"{'' if screen == 'home' else screen}?lang={language}")
        return
    ws = wf.open_workspace(home)
    runs = {run.task: run.id for run in reversed(wf.list_runs(ws)) if run.has_results and run.is_demo}
    ws.store.engine.dispose()
    for name, (path, task, more) in LOADED.items():
        yield Shot(name, f"{path}?run={runs[task]}&lang={language}{more}")


def _walk(server: Server, state: str, wanted: Sequence[str]) -> int:
    from playwright.sync_api import sync_playwright

    taken = 0
    with sync_playwright() as driver:
        path = find_chromium()
        if path is None:
            raise SystemExit("Pictures need Chromium or Chrome: install one, or set ANDON_CHROMIUM to its path.")
        browser = driver.chromium.launch(executable_path=path, args=ARGUMENTS)
        for language in LANGUAGES:
            found = list(shots(state, language, server.home))
            for theme in THEMES:
                for width in SIZES:
                    names = {shot: f"{shot.name}-{language}-{theme}-{state}-{width}.png" for shot in found}
                    chosen = {s: n for s, n in names.items() if not wanted or any(part in n for part in wanted)}
                    if chosen:
                        taken += _take(browser, server, chosen, language, theme, width)
        browser.close()
    return taken


def _take(browser: Browser, server: Server, chosen: dict[Shot, str], language: str, theme: str, width: int) -> int:
    context = browser.new_context(
        viewport={"width": width, "height": SIZES[width]},
        locale=LANGUAGES[language],
        color_scheme=theme,  # type: ignore[arg-type]
        timezone_id="Europe/Berlin",
        reduced_motion="reduce",
    )
    for shot, name in chosen.items():
        _picture(context, f"{server.url}/{shot.path}", FOLDER / name)
    context.close()
    return len(chosen)


def _picture(context: BrowserContext, url: str, file: Path) -> None:
    page = context.new_page()
    go(page, url)
    page.wait_for_function("() => [...document.querySelectorAll('.js-plotly-plot')].every(e => e.querySelector('.main-svg'))")
    page.wait_for_load_state("networkidle")
    picture = Image.open(io.BytesIO(page.screenshot(animations="disabled")))
    page.close()
    picture.convert("RGB").quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        file, optimize=True
    )
    print(f"{file.name}  {file.stat().st_size // 1024} KB", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
