"""The register of challenge sets and of releases. Each is a row of the table of settings; what happens to them goes into the audit trail.

The files of a set lie in the folder of its dataset; the register holds their hashes, so that a set that is missing or changed is noticed.
It also holds the hashes of the files of each run's bundle, by which a copy is known again.

The name of a set that counts is a row of its own, whose key is the dataset and the name: of two sessions that freeze one name at once the
database lets one pass.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.store.audit import AuditStore
from core.store.models import RunTable, SettingTable
from core.store.problems import name_taken, not_found

CHALLENGE, NAME, RELEASE, BUNDLE = "challenge:", "challenge-name:", "release:", "bundle:"


def forget_challenges(session: Session, dataset_id: str, run_ids: list[str]) -> None:
    """Sets of a dataset, releases of its runs and the hashes of their files go: they name its columns and rows."""
    for row in session.scalars(select(SettingTable).where(SettingTable.key.startswith(CHALLENGE))):
        if row.value.get("dataset_id") == dataset_id:
            session.delete(row)
    session.execute(delete(SettingTable).where(SettingTable.key.startswith(f"{NAME}{dataset_id}:")))
    for run_id in run_ids:
        for row in session.scalars(
            select(SettingTable).where(SettingTable.key.in_((f"{RELEASE}{run_id}", f"{BUNDLE}{run_id}")))
        ):
            session.delete(row)


class ChallengeStore(AuditStore):
    """Keeps what sets there are and which runs were released in spite of one."""

    def add_challenge(self, set_id: str, value: Mapping[str, Any]) -> None:
        """Register a set whose files are in their place; `value` has dataset_id, name, sha256, n_cases and what the workflow needs.

        Raises:
            StoreProblem: a set of the dataset that counts has this name, also where another session has just taken it.
        """
        dataset_id, name = str(value["dataset_id"]), str(value["name"])
        try:
            with self.writing() as session:
                # A set of an older version has no row for its name.
                if name in {known["name"] for known in self._challenges(session, dataset_id) if not known.get("withdrawn")}:
                    raise name_taken(name)
                session.add(SettingTable(**self.owned(), key=_name_key(dataset_id, name), value={"set": set_id}))
                session.merge(SettingTable(**self.owned(), key=f"{CHALLENGE}{set_id}", value={**value, "id": set_id}))
                self.add_audit(
                    session,
                    "frozen",
                    "challenge",
                    dataset_id,
                    name=name,
                    sha256=str(value["sha256"]),
                    cases=int(value["n_cases"]),
                )
        except IntegrityError as error:
            raise name_taken(name) from error

    def list_challenges(self, dataset_id: str | None = None, *, withdrawn: bool = False) -> tuple[Mapping[str, Any], ...]:
        """The sets that count, or those that were withdrawn, oldest first; of one dataset when it is given, whether or not it was deleted."""
        with self.reading() as session:
            found = self._challenges(session, dataset_id)
            return tuple(value for value in found if bool(value.get("withdrawn")) == withdrawn)

    def _challenges(self, session: Session, dataset_id: str | None) -> list[Mapping[str, Any]]:
        query = select(SettingTable).where(SettingTable.key.startswith(CHALLENGE), SettingTable.workspace == self.workspace)
        rows = sorted(session.scalars(query), key=lambda row: (row.created, row.key))
        return [row.value for row in rows if dataset_id in (None, row.value["dataset_id"])]

    def withdraw_challenge(self, set_id: str, *, by: str, reason: str) -> None:
        """A set counts no longer and its name is free again; its files stay. Who, when and why are in its record and in the audit trail.

        Raises:
            StoreProblem: there is no such set.
        """
        with self.writing() as session:
            row = session.get(SettingTable, f"{CHALLENGE}{set_id}")
            if row is None or row.value.get("withdrawn"):
                raise not_found("challenge set", set_id)
            told = {"by": by, "reason": reason, "when": datetime.now(UTC).isoformat(timespec="seconds")}
            row.value = {**row.value, "withdrawn": told}
            session.execute(
                delete(SettingTable).where(SettingTable.key == _name_key(row.value["dataset_id"], row.value["name"]))
            )
            self.add_audit(
                session, "withdrawn", "challenge", row.value["dataset_id"], name=row.value["name"],
                sha256=row.value["sha256"], by=by, reason=reason,
            )  # fmt: skip

    def add_bundle(self, run_id: str, value: Mapping[str, Any]) -> None:
        """Keep which files a run's bundle has, by their hashes; it stays when the run is deleted, because copies of it do."""
        with self.writing() as session:
            session.merge(SettingTable(**self.owned(), key=f"{BUNDLE}{run_id}", value=dict(value)))

    def list_bundles(self) -> tuple[Mapping[str, Any], ...]:
        """The files of all runs that are known, oldest first."""
        query = select(SettingTable).where(SettingTable.key.startswith(BUNDLE), SettingTable.workspace == self.workspace)
        with self.reading() as session:
            return tuple(row.value for row in sorted(session.scalars(query), key=lambda row: (row.created, row.key)))

    def log_challenge(self, action: str, run_id: str, *, name: str, sha256: str, **details: Any) -> None:
        """An entry of the audit trail of a run: "checked" or "blocked"; `sha256` is that of the set."""
        with self.writing() as session:
            self.add_audit(session, action, "run", run_id, name=name, sha256=sha256, **details)

    def add_release(self, run_id: str, release: Mapping[str, Any], *, name: str, sha256: str, **details: Any) -> None:
        """Keep that somebody released a run in spite of cases that it fails; earlier releases stay."""
        with self.writing() as session:
            key = f"{RELEASE}{run_id}"
            row = session.get(SettingTable, key)
            given = [] if row is None else list(row.value["releases"])
            session.merge(SettingTable(**self.owned(), key=key, value={"releases": [*given, dict(release)]}))
            self.add_audit(session, "released", "run", run_id, name=name, sha256=sha256, **details)

    def list_releases(self, run_id: str) -> tuple[Mapping[str, Any], ...]:
        """The releases of a run, oldest first."""
        with self.reading() as session:
            row = session.get(SettingTable, f"{RELEASE}{run_id}")
            return () if row is None else tuple(row.value["releases"])

    def add_run_note(self, run_id: str, note: Mapping[str, Any]) -> None:
        """Add to what a finished run says of itself."""
        with self.writing() as session:
            run = session.scalar(select(RunTable).where(RunTable.id == run_id, RunTable.workspace == self.workspace))
            if run is None or run.summary is None:
                raise not_found("run", run_id)
            summary = {**run.summary, "notes": [*run.summary.get("notes", []), dict(note)]}
            session.execute(update(RunTable).where(RunTable.id == run_id).values(summary=summary))


def _name_key(dataset_id: str, name: str) -> str:
    """By its hash: a name may be longer than a key."""
    return f"{NAME}{dataset_id}:{hashlib.sha256(name.encode()).hexdigest()}"
