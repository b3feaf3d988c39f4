"""A file in many chunks through a real browser: equal at the end, given up at any point without a trace, taken up again."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from core import workflows as wf
from tests.browser import journey
from tests.browser.server import Server, wait_until
from tests.browser.watch import Watch, go, settle

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = [pytest.mark.browser, pytest.mark.slow]
CHUNK, LIMIT_MB = 8 << 20, 40
Arriving = Callable[[], list[Path]]
N_ROWS = 2_200_000


@pytest.fixture(scope="module")
def server_environment() -> dict[str, str]:
    """The server takes 40 MB at most."""
    return {"ANDON_MAX_UPLOAD_MB": str(LIMIT_MB)}


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of 30 MB: four chunks."""
    path = tmp_path_factory.mktemp("large") / "Linie 3 – März.csv"
    block = "".join(f"{i},{i * 7 % 1000},{i % 17 / 4}\n" for i in range(1000, 9_000))
    path.write_text("t,a,b\n" + block * (N_ROWS // 8_000) + f"{'7' * 40},1,2\n", encoding="utf-8")
    assert 3 * CHUNK < path.stat().st_size < 4 * CHUNK
    return path


@pytest.fixture
def arriving(server: Server) -> Callable[[], list[Path]]:
    """The files on their way in, but for those of earlier tests, whose sessions the server keeps for two minutes."""

    def found() -> set[Path]:
        return {p for p in (server.home / "incoming").rglob("*") if p.is_file()}

    before = found()
    return lambda: sorted(found() - before)


def choose(page: Page, server: Server, file: Path) -> None:
    go(page, f"{server.url}/data")
    page.locator("input[type=file]").first.set_input_files(file)


def is_ready(page: Page) -> bool:
    return page.get_by_role("button", name="Import file").count() > 0


def test_the_bytes_on_the_disk_are_the_bytes_of_the_file(server: Server, page: Page, large: Path, arriving: Arriving) -> None:
    choose(page, server, large)
    wait_until(lambda: is_ready(page), seconds=120, what="the preview")
    (kept,) = arriving()
    assert hashlib.sha256(kept.read_bytes()).digest() == hashlib.sha256(large.read_bytes()).digest()
    settle(page)
    page.get_by_role("button", name="Choose another file").click()
    page.get_by_role("button", name="Choose a file").wait_for()
    settle(page)
    assert not arriving()


def test_reading_a_large_file_can_be_stopped_and_leaves_nothing(server: Server, page: Page, large: Path) -> None:
    """Its last cell is a number too long for arithmetic, so that it takes the careful way, which takes seconds."""
    choose(page, server, large)
    wait_until(lambda: is_ready(page), seconds=120, what="the preview")
    settle(page)
    page.get_by_role("button", name="Import file").click()
    page.get_by_role("button", name="Stop reading").click(timeout=60_000)
    page.get_by_role("button", name="Stop reading").wait_for(state="detached", timeout=30_000)
    wait_until(lambda: is_ready(page), seconds=60, what="the preview again")
    settle(page)
    wait_until(lambda: not readers(server), seconds=10, what="the end of the child")
    assert not wf.list_datasets(wf.open_workspace(server.home))
    wait_until(lambda: not [p for p in (server.home / "tmp").rglob("*") if p.is_file()], seconds=10, what="an empty folder")


def test_streamlits_own_stop_leaves_a_page_that_goes_on(server: Server, page: Page, large: Path) -> None:
    choose(page, server, large)
    wait_until(lambda: is_ready(page), seconds=120, what="the preview")
    settle(page)
    page.get_by_role("button", name="Import file").click()
    page.get_by_role("button", name="Stop reading").wait_for(timeout=60_000)
    page.get_by_test_id("stStatusWidget").get_by_role("button", name="Stop").click()
    page.get_by_text("Reading was stopped; nothing was stored.").first.wait_for(timeout=30_000)
    page.get_by_role("progressbar").wait_for(state="detached", timeout=30_000)
    page.get_by_role("button", name="Go on").click()
    wait_until(lambda: is_ready(page), seconds=60, what="the preview again")
    settle(page)
    wait_until(lambda: not readers(server), seconds=10, what="the end of the child")
    assert not wf.list_datasets(wf.open_workspace(server.home))


def readers(server: Server) -> list[str]:
    """Children of the server that read a file."""
    lines = []
    for child in psutil.Process(server.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # ended between the two looks, or a zombie, which reads nothing
            lines.append(" ".join(child.cmdline()))
    return [line for line in lines if "core.confined.main" in line]


@pytest.mark.parametrize("after", [0, 1, 3])
def test_given_up_after_some_chunks_nothing_stays_and_another_file_can_be_sent(
    after: int, server: Server, page: Page, large: Path, tmp_path: Path, arriving: Arriving
) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        place = re.search(r"offset=(\d+)", route.request.url)
        assert place
        if int(place[1]) < after * CHUNK:
            route.continue_()
        else:
            held.append(route)

    page.route(re.compile("/upload/.*offset="), hold)
    choose(page, server, large)
    wait_until(lambda: _pump(page) and held, seconds=60, what="the chunk that is held back")
    (kept,) = arriving()
    assert kept.stat().st_size == after * CHUNK
    assert page.get_by_role("progressbar").first.evaluate("bar => bar.value") == pytest.approx(
        after * CHUNK / large.stat().st_size
    )
    page.get_by_role("button", name="Cancel").click()
    wait_until(lambda: _pump(page) and not arriving(), seconds=30, what="the rest to be removed")
    page.unroute_all(behavior="ignoreErrors")
    settle(page)
    small = journey.german_file(tmp_path / "Dicke.csv", n=200)
    page.locator("input[type=file]").first.set_input_files(small)
    wait_until(lambda: _pump(page) and is_ready(page), seconds=60, what="the preview of the next file")


def test_a_lost_connection_is_taken_up_where_it_was(
    server: Server, page: Page, watch: Watch, large: Path, arriving: Arriving
) -> None:
    watch.allowed += [r"ERR_(FAILED|CONNECTION|INTERNET)"]
    lost: list[str] = []

    def lose(route: Route) -> None:
        if len(lost) < 3 and "offset=0" not in route.request.url:
            lost.append(route.request.url)
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route(re.compile("/upload/.*offset="), lose)
    choose(page, server, large)
    wait_until(lambda: _pump(page) and is_ready(page), seconds=120, what="the preview")
    assert len(lost) == 3
    (kept,) = arriving()
    assert hashlib.sha256(kept.read_bytes()).digest() == hashlib.sha256(large.read_bytes()).digest()


def test_too_large_a_file_is_refused_before_a_byte_is_sent(server: Server, page: Page, watch: Watch, tmp_path: Path) -> None:
    file = tmp_path / "huge.csv"
    with file.open("wb") as out:
        out.truncate((LIMIT_MB + 1) * 1_000_000)
    choose(page, server, file)
    said = page.get_by_role("alert").filter(has_text="larger than")
    said.wait_for()
    assert "40 MB" in said.inner_text()
    assert not [url for url in watch.requests if "/upload/" in url and "_stcore" not in url]


def test_leaving_the_screen_removes_what_was_sent(server: Server, page: Page, large: Path, arriving: Arriving) -> None:
    held: list[Any] = []
    page.route(re.compile(r"/upload/.*offset=[1-9]"), lambda route: held.append(route))
    choose(page, server, large)
    wait_until(lambda: _pump(page) and held, seconds=60, what="the second chunk")
    page.get_by_role("link", name="Runs", exact=True).click()
    wait_until(lambda: _pump(page) and not arriving(), seconds=30, what="the rest to be removed")
    page.unroute_all(behavior="ignoreErrors")


def test_a_file_on_this_machine_is_read_where_it_is(server: Server, page: Page, tmp_path: Path, arriving: Arriving) -> None:
    file = journey.german_file(tmp_path / "Dicke.csv", n=300)
    go(page, f"{server.url}/data")
    page.get_by_text("Read a file on this machine without sending it").click()
    page.get_by_role("textbox", name="Path of the file").fill(str(file))
    page.get_by_role("button", name="Read file").click()
    page.get_by_role("button", name="Import file").wait_for()
    settle(page)
    assert not arriving()
    journey.import_upload(page)
    assert file.is_file()
    ws = wf.open_workspace(server.home)
    (dataset,) = wf.list_datasets(ws)
    assert (dataset.name, dataset.n_rows) == ("Dicke", 300)
    wf.delete_dataset(ws, dataset.id)
    ws.store.engine.dispose()


def _pump(page: Page) -> bool:
    """Playwright answers held requests only while it is asked something."""
    page.evaluate("1")
    return True
