"""The first page names the large scripts that later screens need; other answers stay as they are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from pages.components import preload, warmup
from tests.browser.server import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real server on an empty store."""
    started = Server(tmp_path_factory.mktemp("preload") / "home").start()
    yield started.url
    started.end()


PAGE = '<html><head><title>x</title></head><body><div id="root"></div></body></html>'


def through(response: Response) -> tuple[dict[bytes, bytes], bytes]:
    """Headers and body of an answer that went through the middleware."""
    sent: list[Message] = []

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await response(scope, receive, send)

    async def receive() -> Message:
        await asyncio.Event().wait()  # nobody goes away
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(preload.Preload(answer)({"type": "http", "method": "GET", "path": "/", "headers": []}, receive, send))
    return dict(sent[0]["headers"]), b"".join(m.get("body", b"") for m in sent[1:])


def test_a_page_preloads_the_scripts_of_charts_and_of_tables_and_runs_the_large_one_when_idle() -> None:
    headers, body = through(HTMLResponse(PAGE))
    assert headers[b"link"].decode().count("rel=modulepreload") >= len(preload.ELEMENTS)
    assert b"<./static/js/PlotlyChart." in headers[b"link"] and b"<./static/js/DataFrame." in headers[b"link"]
    assert int(headers[b"content-length"]) == len(body)
    assert body.replace(preload.base_script() + preload.idle_script(), b"") == PAGE.encode()
    (address,) = preload.scripts("PlotlyChart")
    assert f"import('{address}')".encode() in body and b"requestIdleCallback" in body


@pytest.mark.parametrize("path", ["", "data", "predictions", "anomalies?run=x"])
def test_a_browser_gets_the_line_on_every_screen_of_the_real_app(server: str, path: str) -> None:
    """A browser offers to unpack, and Streamlit packs its page; a packed one can take no line."""
    sent = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Encoding": "gzip, deflate, br"}
    with urlopen(Request(f"{server}/{path}", headers=sent)) as answer:
        assert answer.headers.get("Content-Encoding") is None
        page = answer.read()
    assert preload.idle_script() in page and "modulepreload" in answer.headers["Link"]
    assert page.index(b"BACKEND_BASE_URL") < page.index(b'<div id="root">'), "a deep link asks for nothing that is not there"


def test_judging_screens_run_the_script_of_charts_at_once() -> None:
    line = preload.idle_script().decode()
    (address,) = preload.scripts("PlotlyChart")
    for screen in preload.FIRST:
        assert (Path(__file__).parents[2] / "pages" / "judge" / f"{screen}.py").exists() and screen in line
    assert line.count(f"import('{address}')") == 2


async def in_pieces() -> AsyncIterator[str]:
    yield PAGE[:40]
    yield PAGE[40:]


def test_a_page_that_comes_in_pieces_arrives_whole() -> None:
    headers, body = through(StreamingResponse(in_pieces(), media_type="text/html"))
    assert body.replace(preload.base_script() + preload.idle_script(), b"") == PAGE.encode() != body
    assert int(headers[b"content-length"]) == len(body)


@pytest.mark.parametrize("response", [JSONResponse({"a": 1}), HTMLResponse("<head></head><p>a report</p>")])
def test_other_answers_stay_as_they_are(response: Response) -> None:
    headers, body = through(response)
    assert b"link" not in headers and body == response.body


def test_the_header_stays_below_the_smallest_buffer_of_proxies() -> None:
    assert 0 < len(preload.link_header()) < 2_000


def test_the_warm_up_draws_without_a_session(caplog: pytest.LogCaptureFixture) -> None:
    warmup.read_words()
    warmup.warm_up()
    warmup.cool_down()
    assert "did not end" not in caplog.text
