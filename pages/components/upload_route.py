"""The address to which the upload component sends files in chunks: `/upload/{ticket}` and `/upload/{ticket}/{number}`.

POST announces the files and opens the delivery, PUT brings the next chunk of one, GET tells how far each is, DELETE gives
up. Requests must come from a page of this server (Origin), carry Streamlit's XSRF token, and belong to the browser that
got the ticket. A chunk goes to the disk in blocks of 1 MB; no file is ever held in memory.

The server serves before it has read `core`'s libraries, so that those are imported by the first request, not here.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from streamlit.web.server.server_util import is_allowed_origin, is_xsrf_enabled
from streamlit.web.server.starlette.starlette_app_utils import decode_xsrf_token_string, validate_xsrf_token
from streamlit.web.server.starlette.starlette_server_config import XSRF_COOKIE_NAME

from pages.components import opening

if TYPE_CHECKING:
    from core.workflows.incoming import Chunk, Incoming

BLOCK = 1 << 20
MOST_ANNOUNCED = 64 << 10  # bytes of the list of files
STATUS = {
    "unknown": 404,
    "foreign": 403,
    "bad": 400,
    "too_large": 413,
    "disk_full": 507,
    "wrong_place": 409,
    "busy": 409,
    "damaged": 422,
}


def holder_of(cookie: str | None) -> str:
    """Who a browser is, from its XSRF cookie: the same for all its tabs, and not the token itself. "" without a cookie."""
    token, _ = decode_xsrf_token_string(cookie or "")
    return hashlib.sha256(b"andon-upload" + token).hexdigest() if token else ""


def routes(base: str = "") -> list[Route]:
    """The routes below Streamlit's base path."""
    start = f"/{base.strip('/')}" if base.strip("/") else ""
    return [
        Route(f"{start}/upload/{{ticket}}", _served, methods=["POST", "GET", "DELETE"]),
        Route(f"{start}/upload/{{ticket}}/{{number:int}}", _served, methods=["PUT"]),
    ]


def _incoming() -> Incoming:
    opening.wait()
    from pages.components.uploads import incoming

    return incoming()


def _answer(why: str, detail: str = "") -> JSONResponse:
    return JSONResponse({"why": why, "detail": detail}, status_code=STATUS[why], headers={"Cache-Control": "no-store"})


def _is_ours(request: Request) -> bool:
    """From a page of this server, with its XSRF token."""
    origin = request.headers.get("origin")
    if origin and urlsplit(origin).netloc != request.headers.get("host") and not is_allowed_origin(origin):
        return False
    if not is_xsrf_enabled():
        return True
    return validate_xsrf_token(request.headers.get("x-xsrftoken"), request.cookies.get(XSRF_COOKIE_NAME))


async def _served(request: Request) -> JSONResponse:
    """Each request, checked first; what is refused is answered with a word."""
    if not _is_ours(request):
        return _answer("foreign")
    incoming = await anyio.to_thread.run_sync(_incoming)
    from core.workflows.incoming import NotTaken

    try:
        found = await (_put if request.method == "PUT" else _delivery)(request, incoming)
    except NotTaken as refusal:
        return _answer(refusal.why, refusal.detail)
    except ClientDisconnect:
        return _answer("damaged", "the connection ended")
    return JSONResponse(found, headers={"Cache-Control": "no-store"})


async def _delivery(request: Request, incoming: Incoming) -> dict[str, object]:
    from core.workflows.incoming import CHUNK_BYTES

    ticket, holder = request.path_params["ticket"], holder_of(request.cookies.get(XSRF_COOKIE_NAME))
    if request.method == "DELETE":
        await anyio.to_thread.run_sync(incoming.drop, ticket, holder)
        return {"offsets": []}
    if request.method == "POST":
        declared = _declared(await _body(request))
        offsets = await anyio.to_thread.run_sync(incoming.begin, ticket, holder, declared)
    else:
        offsets = incoming.offsets(ticket, holder)
    return {"offsets": offsets, "chunk": CHUNK_BYTES}


async def _body(request: Request) -> bytes:
    """The body of an announcement; one that is too long is no list of files, and cut off."""
    body = b""
    async for block in request.stream():
        body += block
        if len(body) > MOST_ANNOUNCED:
            return b""
    return body


def _declared(body: bytes) -> list[tuple[str, int]]:
    """The list of files; empty where it cannot be read, which is then refused like an empty one."""
    try:
        return [(str(one["name"]), int(one["size"])) for one in json.loads(body)["files"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []


async def _put(request: Request, incoming: Incoming) -> dict[str, object]:
    offset, n_bytes = _count(request.query_params.get("offset")), _count(request.headers.get("content-length"))
    holder, number = holder_of(request.cookies.get(XSRF_COOKIE_NAME)), request.path_params["number"]
    given = request.headers.get("x-chunk-sha256")
    await _receive(request, incoming.chunk(request.path_params["ticket"], holder, number, offset, n_bytes, given))
    return {"offset": offset + n_bytes}


def _count(text: str | None) -> int:
    """A number of bytes; -1, which fits nowhere, where there is none."""
    return int(text) if text and text.isdecimal() and len(text) < 20 else -1


async def _receive(request: Request, chunk: AbstractContextManager[Chunk]) -> None:
    """Write the body as it comes. The context ends in any case, so that a chunk cut short does not count."""
    written, waiting = await anyio.to_thread.run_sync(chunk.__enter__), bytearray()
    try:
        async for block in request.stream():
            waiting += block
            if len(waiting) >= BLOCK:
                await anyio.to_thread.run_sync(written.write, bytes(waiting))
                waiting.clear()
        if waiting:
            await anyio.to_thread.run_sync(written.write, bytes(waiting))
    except BaseException as error:  # a cancelled request too
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(chunk.__exit__, type(error), error, error.__traceback__)
        raise
    await anyio.to_thread.run_sync(chunk.__exit__, None, None, None)
