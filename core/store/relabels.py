"""Answers of people who label rows anew. Each is a row of its own in the table of settings and is never changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.store.audit import AuditStore
from core.store.models import SettingTable

RELABEL = "relabel:"


def forget_relabels(session: Session, run_ids: list[str]) -> None:
    """The answers on rows of some runs go: they hold classes of the table."""
    for run_id in run_ids:
        session.execute(delete(SettingTable).where(SettingTable.key.startswith(f"{RELABEL}{run_id}:", autoescape=True)))


class RelabelStore(AuditStore):
    """Appends and lists answers."""

    def add_relabel(self, run_id: str, answer: Mapping[str, Any]) -> int:
        """Append an answer on a run's row; its number, from 1. Of two on one row the later counts."""
        with self.writing() as session:
            prefix = f"{RELABEL}{run_id}:"
            number = len(session.scalars(select(SettingTable.key).where(SettingTable.key.startswith(prefix))).all()) + 1
            session.add(SettingTable(**self.owned(), key=f"{prefix}{number:08d}", value={**answer, "number": number}))
            return number

    def list_relabels(self, run_id: str) -> tuple[Mapping[str, Any], ...]:
        """Every answer on a run's rows, oldest first."""
        query = select(SettingTable).where(SettingTable.key.startswith(f"{RELABEL}{run_id}:")).order_by(SettingTable.key)
        with self.reading() as session:
            return tuple({**row.value, "created": row.created.isoformat(timespec="seconds")} for row in session.scalars(query))
