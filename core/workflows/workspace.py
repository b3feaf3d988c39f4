"""The workspace: an open store, and the processes that do its jobs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.store import Store, open_store


@dataclass(frozen=True)
class Workspace:
    """What every workflow works on."""

    store: Store

    @property
    def home(self) -> Path:
        """The store's folder."""
        return self.store.files.home


def open_workspace(home: Path | None = None, database_url: str | None = None) -> Workspace:
    """Open the workspace of a folder; `ANDON_HOME` and `ANDON_DATABASE_URL` are honoured.

    Raises:
        StoreProblem: the store cannot be opened.
    """
    return Workspace(open_store(home, database_url))
