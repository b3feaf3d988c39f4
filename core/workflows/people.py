"""Who says something: answers on labels, verdicts, releases and withdrawals are signed."""

from __future__ import annotations

from core.errors import SettingProblem
from core.messages import msg
from core.store.models import LOCAL_OWNER
from core.workflows.workspace import Workspace

LONGEST_NAME = 200


def signed(ws: Workspace, by: str | None) -> str:
    """The name that stands under an entry: `by` without blanks around it; None, which only a program says, is the owner of the store.

    Raises:
        SettingProblem: a person gave no name.
    """
    if by is None:
        return ws.store.owner
    name = by.strip()[:LONGEST_NAME]
    if not name:
        raise SettingProblem(
            msg("No name was given."),
            msg("Expected who says it: what people say is kept under their name."),
            msg("Enter your name and try again."),
        )
    return name


def is_named(owner: str) -> bool:
    """Whether an entry is signed by a person; what programs and older versions wrote is not."""
    return owner not in ("", LOCAL_OWNER)
