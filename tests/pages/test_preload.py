"""The first page names the large scripts that later screens need; other answers stay as they are."""

from __future__ import annotations

import asyncio

import pytest
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Message, Receive, Scope, Send

from pages.components import preload, warmup


def links(response: Response) -> list[str]:
    """The `Link` headers of an answer that went through the middleware."""
    sent: list[Message] = []

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await response(scope, receive, send)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(preload.Preload(answer)({"type": "http", "method": "GET", "path": "/", "headers": []}, receive, send))
    return [value.decode() for name, value in sent[0]["headers"] if name == b"link"]


def test_a_page_preloads_the_scripts_of_charts_and_of_tables() -> None:
    (header,) = links(HTMLResponse("<p>page</p>"))
    assert header.count("rel=modulepreload") >= len(preload.ELEMENTS)
    assert "<./static/js/PlotlyChart." in header and "<./static/js/DataFrame." in header


def test_other_answers_have_no_link() -> None:
    assert links(JSONResponse({})) == []


def test_the_header_stays_below_the_smallest_buffer_of_proxies() -> None:
    assert 0 < len(preload.link_header()) < 2_000


def test_the_warm_up_draws_without_a_session(caplog: pytest.LogCaptureFixture) -> None:
    warmup.read_words()
    warmup.warm_up()
    warmup.cool_down()
    assert "did not end" not in caplog.text
