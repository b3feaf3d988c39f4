"""The address for chunks: only pages of this server, only the browser with the ticket, and the bytes as they were."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import Any

import pytest
from starlette.applications import Starlette
from streamlit.web.server.starlette.starlette_app_utils import generate_xsrf_token_string
from streamlit.web.server.starlette.starlette_server_config import XSRF_COOKIE_NAME

from pages.components import upload_route, uploads

CONTENT = bytes(range(256)) * 8_000


class Browser:
    """A browser with a cookie of its own and a page of this server."""

    def __init__(self) -> None:
        self.token = generate_xsrf_token_string()
        self.app = Starlette(routes=upload_route.routes())
        self.ticket = uploads.incoming().issue(upload_route.holder_of(self.token))

    def ask(
        self,
        method: str,
        below: str = "",
        *,
        content: bytes | str = b"",
        headers: dict[str, str | None] | None = None,
        ticket: str = "",
        is_cut: bool = False,
    ) -> tuple[int, dict[str, Any]]:
        """One request in two messages; with `is_cut` the connection ends after the first."""
        body = content.encode() if isinstance(content, str) else content
        given = {
            "Host": "127.0.0.1:8501",
            "Origin": "http://127.0.0.1:8501",
            "Cookie": f"{XSRF_COOKIE_NAME}={self.token}",
            "X-Xsrftoken": self.token,
            "Content-Length": str(len(body)),
        }
        path, _, query = f"/upload/{ticket or self.ticket}{below}".partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": [(k.lower().encode(), v.encode()) for k, v in (given | (headers or {})).items() if v is not None],
        }
        half = len(body) * 2 // 3
        last = {"type": "http.disconnect"} if is_cut else {"type": "http.request", "body": body[half:], "more_body": False}
        coming: list[dict[str, Any]] = [{"type": "http.request", "body": body[:half], "more_body": True}, last]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return coming.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(self.app(scope, receive, send))
        return sent[0]["status"], json.loads(b"".join(m.get("body", b"") for m in sent[1:]))

    def begin(self, n_bytes: int = len(CONTENT), name: str = "part.csv") -> tuple[int, dict[str, Any]]:
        return self.ask("POST", content=json.dumps({"files": [{"name": name, "size": n_bytes}]}))

    def put(self, start: int, stop: int, **more: Any) -> tuple[int, dict[str, Any]]:
        return self.ask("PUT", f"/0?offset={start}", content=CONTENT[start:stop], **more)


@pytest.fixture
def browser() -> Browser:
    return Browser()


def test_a_file_in_chunks_is_equal_and_goes_on_from_where_it_was(browser: Browser) -> None:
    assert browser.begin() == (200, {"offsets": [0], "chunk": 8 << 20})
    assert browser.put(0, 1_500_000) == (200, {"offset": 1_500_000})
    assert browser.put(0, 10) == (409, {"why": "wrong_place", "detail": "1500000"})
    assert browser.ask("GET")[1]["offsets"] == [1_500_000]
    rest = {"X-Chunk-Sha256": hashlib.sha256(CONTENT[1_500_000:]).hexdigest()}
    assert browser.put(1_500_000, len(CONTENT), headers={"X-Chunk-Sha256": "0" * 64})[0] == 422
    assert browser.put(1_500_000, len(CONTENT), headers=rest) == (200, {"offset": len(CONTENT)})
    taken = uploads.incoming().take(browser.ticket)
    assert taken is not None
    assert taken[1][0].path.read_bytes() == CONTENT


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Xsrftoken": None},
        {"X-Xsrftoken": generate_xsrf_token_string()},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
    ],
)
def test_a_request_of_another_page_is_refused_whatever_it_asks(browser: Browser, headers: dict[str, str | None]) -> None:
    browser.begin()
    assert browser.put(0, 10, headers=headers)[0] == 403
    for method in ("POST", "GET", "DELETE"):
        assert browser.ask(method, headers=headers)[0] == 403
    assert browser.ask("GET")[1]["offsets"] == [0]


def test_a_ticket_serves_only_the_browser_it_was_given_to(browser: Browser) -> None:
    browser.begin()
    other = Browser()
    announced = json.dumps({"files": [{"name": "part.csv", "size": len(CONTENT)}]})
    for method, below, body in (("POST", "", announced), ("GET", "", ""), ("DELETE", "", ""), ("PUT", "/0?offset=0", "x")):
        assert other.ask(method, below, ticket=browser.ticket, content=body) == (403, {"why": "foreign", "detail": ""})
    assert browser.ask("GET", ticket="0" * 32)[0] == 404
    assert browser.ask("GET", ticket="..%2F..%2Fetc")[0] == 404


def test_what_does_not_fit_is_refused_in_a_word(browser: Browser) -> None:
    assert browser.begin(10**12)[1]["why"] == "too_large"
    assert browser.begin(-1)[0] == 400
    assert browser.ask("POST", content="{")[0] == 400
    assert browser.ask("POST", content="[" * 100_000)[0] == 400
    assert browser.begin()[0] == 200
    assert browser.ask("PUT", "/0?offset=-1", content=b"x")[0] == 409
    assert browser.ask("PUT", "/0", content=b"x")[0] == 409
    assert browser.ask("PUT", "/7?offset=0", content=b"x")[0] == 400
    assert browser.ask("PUT", "/0?offset=0", content=b"x", headers={"Content-Length": None})[0] == 400
    assert browser.ask("PUT", "/0?offset=0", content=b"xy", headers={"Content-Length": "1"})[0] == 400
    assert browser.ask("GET")[1]["offsets"] == [0]


def test_a_connection_that_ends_in_a_chunk_leaves_the_file_as_it_was(browser: Browser) -> None:
    browser.begin()
    browser.put(0, 1_000)
    assert browser.put(1_000, len(CONTENT), is_cut=True)[0] == 422
    assert browser.ask("GET")[1]["offsets"] == [1_000]
    assert browser.put(1_000, len(CONTENT))[0] == 200
    taken = uploads.incoming().take(browser.ticket)
    assert taken is not None
    assert taken[1][0].path.read_bytes() == CONTENT


def test_giving_up_removes_what_came(browser: Browser) -> None:
    browser.begin()
    browser.put(0, 1_000)
    assert browser.ask("DELETE")[0] == 200
    assert browser.ask("GET")[0] == 404
    home = uploads.incoming()._files.home
    assert not [p for p in (home / "incoming").rglob("*") if p.is_file()]


def test_below_a_base_path_the_routes_follow() -> None:
    assert {route.path for route in upload_route.routes("/andon/")} == {
        "/andon/upload/{ticket}",
        "/andon/upload/{ticket}/{number:int}",
    }
