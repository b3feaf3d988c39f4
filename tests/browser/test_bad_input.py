"""Files that are no table: one sentence that says what came, and nothing is stored."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core import workflows as wf
from tests.browser.server import Server
from tests.browser.watch import go, no_traceback, settle
from tests.stored import stored

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def png() -> bytes:
    """A real picture of one pixel."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\x00\xff\x00\x00")) + chunk(b"IEND", b"")


REFUSED = {
    "empty.csv": (b"", "empty"),
    "quote.csv": (b'time,temperature,pressure\n"1,2,3\n', "a quote opens"),
    "picture.csv": (png(), "not a text"),
    "blank.csv": (b"\n\n\n", "empty"),
}
TAKEN = {
    "one.csv": (b"temperature\n1.5\n2.5\n3.5\n", 1),
    "twice.csv": (b"a,a,b\n1,2,3\n4,5,6\n7,8,9\n", 3),
}


def give(page: Page, server: Server, folder: Path, name: str, content: bytes) -> str:
    """Upload a file, import it where that is offered; the text of the boxes on the screen."""
    file = folder / name
    file.write_bytes(content)
    go(page, f"{server.url}/data")
    page.locator("input[type=file]").first.set_input_files(file)
    page.get_by_role("button", name="Choose another file").wait_for()
    settle(page)
    button = page.get_by_role("button", name="Import file")
    if button.count() and button.is_enabled():
        button.click()
        page.get_by_role("alert").or_(page.get_by_test_id("stMetric")).first.wait_for()
        settle(page)
    no_traceback(page)
    return " ".join(page.get_by_role("alert").all_inner_texts())


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_table_is_refused_in_a_sentence(name: str, server: Server, page: Page, tmp_path: Path) -> None:
    content, word = REFUSED[name]
    before = stored(server.home)
    said = give(page, server, tmp_path, name, content)
    print(f"{name}: {said}")
    assert word in said.lower(), said
    assert 2 <= said.count(".") <= 8 and len(said) < 400, said
    assert stored(server.home) == before


@pytest.mark.parametrize("name", TAKEN)
def test_a_thin_or_doubled_table_is_read_and_says_so(name: str, server: Server, page: Page, tmp_path: Path) -> None:
    content, n_columns = TAKEN[name]
    said = give(page, server, tmp_path, name, content)
    ws = wf.open_workspace(server.home)
    found = wf.list_datasets(ws)
    assert [p for p in stored(server.home)["files"] if "/table.parquet" in p] != []  # what the refusals must not leave
    try:
        assert [len(d.columns) for d in found] == [n_columns], said
        names = [c.name for c in found[0].columns]
        assert len(set(names)) == n_columns
        if n_columns == 3:
            text = page.locator("body").inner_text()
            assert "more than once" in text or "twice" in text or "renamed" in text, names
    finally:
        for dataset in found:
            wf.delete_dataset(ws, dataset.id)
        ws.store.engine.dispose()
