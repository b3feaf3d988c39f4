"""Gives a file to the Data screen as the upload component does: it arrives under the session's ticket."""

from __future__ import annotations

from collections.abc import Sequence

from streamlit.testing.v1 import AppTest

from pages.components import uploads


def give(app: AppTest, content: bytes, name: str = "part.csv") -> AppTest:
    """Send the file in one chunk and let the screen take it."""
    return give_all(app, [(name, content)])


def give_all(app: AppTest, files: Sequence[tuple[str, bytes]]) -> AppTest:
    """Send several files, each in one chunk."""
    place, ticket = uploads.incoming(), app.session_state["_ticket"]
    place.begin(ticket, "", [(name, len(content)) for name, content in files])
    for number, (_, content) in enumerate(files):
        if content:
            with place.chunk(ticket, "", number, 0, len(content)) as chunk:
                chunk.write(content)
    return app.run(timeout=60)
