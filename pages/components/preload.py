"""Tells the browser, with the first page already, which large scripts of Streamlit it will need a click later.

A chart or a table is drawn by a script that Streamlit's page asks for when the first one arrives; that of Plotly has
4.7 MB. With a `Link` header the browser fetches and compiles them while somebody reads the first screen, and a line in
the page runs Plotly's once the browser is idle: that alone holds up the first chart for more than a second.

A second line says where the server is. On a deep link Streamlit's script looks for it below that screen first, and the browser
complains of two addresses that are not there.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ELEMENTS = ("PlotlyChart", "arrowFormatUtils", "DataFrame", "Metric", "Selectbox", "Radio", "Slider", "DownloadButton")
IDLE_AFTER_MS = 1_500
FIRST = ("predictions", "anomalies")
"""Screens that open with a chart, which their server needs a moment for: the script runs in that moment, once the screen was asked for."""
END_OF_HEAD, STREAMLIT_ROOT = b"</head>", b'<div id="root">'


@cache
def scripts(element: str) -> tuple[str, ...]:
    """The addresses of an element's scripts; none where this Streamlit has no such scripts."""
    folder = Path(streamlit.__file__).parent / "static" / "static" / "js"
    return tuple(f"./static/js/{file.name}" for file in sorted(folder.glob(f"{element}.*.js")))


@cache
def link_header() -> bytes:
    """The value of the header; empty where this Streamlit has no such scripts."""
    addresses = [address for element in ELEMENTS for address in scripts(element)]
    return ", ".join(f"<{address}>; rel=modulepreload; fetchpriority=low" for address in addresses).encode()


@cache
def idle_script() -> bytes:
    """The line that runs Plotly's script when the browser has nothing else to do; empty without such a script.

    Not before the first headline is there: a browser that waits for the server is idle too, and would then make it wait.
    """
    wanted = "".join(f"import('{address}');" for address in scripts("PlotlyChart"))
    if not wanted:
        return b""
    idle = f"(window.requestIdleCallback || setTimeout)(() => {{{wanted}}})"
    look = f"document.querySelector('h1') ? setTimeout(() => {idle}, {IDLE_AFTER_MS}) : setTimeout(look, 250)"
    soon = f"document.querySelector('[data-test-script-state=running]') ? (() => {{{wanted}}})() : setTimeout(soon, 20)"
    first = f"/{'|'.join(FIRST)}/.test(location.pathname) ? soon() : look()"
    return f'<script type="module">const look = () => {look}; const soon = () => {soon}; {first};</script>'.encode()


def base_script() -> bytes:
    """The line that names the server's address: the folder of the page, from which the page takes its scripts too.

    So it also holds behind a proxy that puts a path in front. It runs before Streamlit's script, which is a module and waits for the whole page.
    """
    return b"<script>window.__streamlit={BACKEND_BASE_URL:new URL('./',location.href).href,...window.__streamlit}</script>"


class Preload:
    """ASGI middleware: adds header and lines to Streamlit's page, and touches nothing else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, changed where the answer is a page."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        page = _Page(send)
        await self._app(_uncompressed(scope), receive, page.send)


class _Page:
    """One answer on its way. The start of a page waits for its body, whose length it tells."""

    def __init__(self, send: Send) -> None:
        self._send, self._body = send, b""
        self._start: Message | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_page(message):
            self._start = message
        elif message["type"] == "http.response.body" and self._start is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._finish(self._start)
        else:
            await self._send(message)

    async def _finish(self, start: Message) -> None:
        body, headers = self._body, list(start["headers"])
        if STREAMLIT_ROOT in body:
            body = body.replace(END_OF_HEAD, base_script() + idle_script() + END_OF_HEAD, 1)
            headers = [(name, value) for name, value in headers if name.lower() != b"content-length"]
            headers += [(b"content-length", str(len(body)).encode()), (b"link", link_header())]
        await self._send({**start, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})


def _uncompressed(scope: Scope) -> Scope:
    """The request of a page without its offer to unpack, as nothing can be added to a packed one; a page has 8 kB. Other requests stay."""
    headers = scope["headers"]
    if not any(name.lower() == b"accept" and b"text/html" in value for name, value in headers):
        return scope
    return {**scope, "headers": [(name, value) for name, value in headers if name.lower() != b"accept-encoding"]}


def _is_page(message: Message) -> bool:
    names = {name.lower(): value for name, value in message["headers"]}
    return names.get(b"content-type", b"").startswith(b"text/html") and b"content-encoding" not in names
