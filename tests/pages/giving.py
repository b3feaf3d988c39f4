"""Gives a file to the Data screen as the upload component does: it arrives under the session's ticket."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from pages.components import uploads


def give(app: AppTest, content: bytes, name: str = "part.csv") -> AppTest:
    """Send the file in one chunk and let the screen take it."""
    place, ticket = uploads.incoming(), app.session_state["_ticket"]
    place.begin(ticket, "", [(name, len(content))])
    if content:
        with place.chunk(ticket, "", 0, 0, len(content)) as chunk:
            chunk.write(content)
    return app.run()
