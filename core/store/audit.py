"""The audit trail: who, when, what, which object, its hash. Written in the transaction of what it tells; never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.store.engine import Database
from core.store.files import new_id
from core.store.models import AuditTable, ReportTable, RunTable

ACTIONS = (
    "imported",
    "changed",
    "renamed",
    "recipe_saved",
    "started",
    "made",
    "deleted",
    "deleted_with_all",
    "frozen",
    "withdrawn",
    "checked",
    "blocked",
    "released",
)
MAX_ENTRIES = 1_000


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One entry; `number` rises. `details` are counts, keys and names, never cells. `sha256` is that of the
    table, of the saved recipe or of the written report."""

    number: int
    created: datetime
    owner: str
    action: str
    kind: str
    object_id: str
    name: str
    sha256: str
    details: Mapping[str, Any]


class AuditStore(Database):
    """Adds and lists entries."""

    def list_audit(self, object_id: str | None = None, limit: int = MAX_ENTRIES) -> tuple[AuditEntry, ...]:
        """Entries of the workspace, newest first; of one object when it is given, of a dataset with its runs and their reports."""
        query = select(AuditTable).where(AuditTable.workspace == self.workspace).order_by(AuditTable.number.desc())
        if object_id is not None:
            runs = select(RunTable.id).where((RunTable.dataset_id == object_id) | (RunTable.id == object_id))
            # A report that speaks of the dataset as a fleet has its id in the file's name.
            is_of_it = or_(ReportTable.run_id.in_(runs), ReportTable.file.contains(object_id, autoescape=True))
            reports = select(ReportTable.id).where(is_of_it)
            of = AuditTable.object_id
            query = query.where((of == object_id) | of.in_(runs) | of.in_(reports))
        with self.reading() as session:
            return tuple(
                AuditEntry(r.number, r.created, r.owner, r.action, r.kind, r.object_id, r.name, r.sha256, r.details)
                for r in session.scalars(query.limit(limit))
            )

    def add_audit(
        self, session: Session, action: str, kind: str, object_id: str, *, name: str = "", sha256: str = "", **details: Any
    ) -> None:
        """Add an entry within a write transaction: both are kept or neither is."""
        session.add(
            AuditTable(
                **self.owned(),
                id=new_id(),
                action=action,
                kind=kind,
                object_id=object_id,
                name=name,
                sha256=sha256,
                details=details,
            )
        )
