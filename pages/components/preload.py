"""Tells the browser, with the first page already, which large scripts of Streamlit it will need a click later.

A chart or a table is drawn by a script that Streamlit's page asks for when the first one arrives; that of Plotly has
4.7 MB. With a `Link` header the browser fetches and compiles them while somebody reads the first screen.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ELEMENTS = (*("PlotlyChart", "arrowFormatUtils", "DataFrame", "Metric", "Selectbox", "Radio", "Slider", "DownloadButton"),)


@cache
def link_header() -> bytes:
    """The value of the header; empty where this Streamlit has no such scripts."""
    scripts = Path(streamlit.__file__).parent / "static" / "static" / "js"
    names = [file.name for element in ELEMENTS for file in sorted(scripts.glob(f"{element}.*.js"))]
    return ", ".join(f"<./static/js/{name}>; rel=modulepreload; fetchpriority=low" for name in names).encode()


class Preload:
    """ASGI middleware: adds the header to HTML pages, and touches nothing else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, with the header added where the answer is a page."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def add_header(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_page(message) and link_header():
                message["headers"] = [*message["headers"], (b"link", link_header())]
            await send(message)

        await self._app(scope, receive, add_header)


def _is_page(message: Message) -> bool:
    return any(name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in message["headers"])
