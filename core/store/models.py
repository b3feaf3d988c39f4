"""The tables. Nothing here is particular to one database; times are UTC, ids are UUID4 texts, users are columns."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Boolean, DateTime, Float, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

LOCAL_OWNER = "local"
DEFAULT_WORKSPACE = "default"

type_json = JSON(none_as_null=True)


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC datetime, kept as UTC without a zone so that every database compares it alike."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """Parent of all tables."""


class Owned(Base):
    """What every row carries: who made it, in which workspace, when."""

    __abstract__ = True

    owner: Mapped[str] = mapped_column(String(200))
    workspace: Mapped[str] = mapped_column(String(200))
    created: Mapped[datetime] = mapped_column(UtcTime)


class Numbered(Owned):
    """A row with an id for the outside and a rising number for the order, which no clock can turn back."""

    __abstract__ = True
    __table_args__: Any = {"sqlite_autoincrement": True}

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(36), unique=True)


class DatasetTable(Numbered):
    __tablename__ = "datasets"

    name: Mapped[str] = mapped_column(Text)
    deleted: Mapped[datetime | None] = mapped_column(UtcTime)


class DatasetVersionTable(Owned):
    __tablename__ = "dataset_versions"

    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id"), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    file: Mapped[str] = mapped_column(String(80))
    n_rows: Mapped[int] = mapped_column(Integer)
    columns: Mapped[list[dict[str, Any]]] = mapped_column(type_json)
    sha256: Mapped[str] = mapped_column(String(64))
    options: Mapped[dict[str, Any]] = mapped_column(type_json)
    findings: Mapped[list[Any]] = mapped_column(type_json)
    lines: Mapped[dict[str, Any]] = mapped_column(type_json)
    source_name: Mapped[str] = mapped_column(Text)
    source_sha256: Mapped[str] = mapped_column(String(64))


class RecipeTable(Numbered):
    __tablename__ = "recipes"
    __table_args__ = (Index("ix_recipes_dataset", "dataset_id", "number"), {"sqlite_autoincrement": True})

    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id"))
    recipe: Mapped[dict[str, Any]] = mapped_column(type_json)


class JobTable(Numbered):
    __tablename__ = "jobs"
    __table_args__ = (
        UniqueConstraint("token", name="uq_jobs_token"),
        Index("ix_jobs_state", "state", "lane"),
        {"sqlite_autoincrement": True},
    )

    kind: Mapped[str] = mapped_column(String(40))
    lane: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(20))
    params: Mapped[dict[str, Any]] = mapped_column(type_json)
    priority: Mapped[int] = mapped_column(Integer)
    token: Mapped[str] = mapped_column(String(200))
    attempt: Mapped[int] = mapped_column(Integer)
    stop_requested: Mapped[bool] = mapped_column(Boolean)
    stop_asked: Mapped[datetime | None] = mapped_column(UtcTime)
    host: Mapped[str | None] = mapped_column(String(200))
    pid: Mapped[int | None] = mapped_column(Integer)
    pid_started: Mapped[float | None] = mapped_column(Float)
    heartbeat: Mapped[datetime | None] = mapped_column(UtcTime)
    started: Mapped[datetime | None] = mapped_column(UtcTime)
    finished: Mapped[datetime | None] = mapped_column(UtcTime)
    problem: Mapped[dict[str, Any] | None] = mapped_column(type_json)
    error_id: Mapped[str | None] = mapped_column(String(36))


class JobEventTable(Owned):
    __tablename__ = "job_events"
    __table_args__ = (Index("ix_job_events_job", "job_id", "seq"), {"sqlite_autoincrement": True})

    seq: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"))
    attempt: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(20))
    values_: Mapped[dict[str, Any]] = mapped_column("values_json", type_json)


class RunTable(Numbered):
    __tablename__ = "runs"
    __table_args__ = (Index("ix_runs_dataset", "dataset_id"), Index("ix_runs_demo", "demo"), {"sqlite_autoincrement": True})

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"))
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id"))
    dataset_version: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(Text)
    task: Mapped[str] = mapped_column(String(40))
    model: Mapped[str] = mapped_column(String(80))
    request: Mapped[dict[str, Any]] = mapped_column(type_json)
    metrics: Mapped[dict[str, Any] | None] = mapped_column(type_json)
    baseline: Mapped[dict[str, Any] | None] = mapped_column(type_json)
    summary: Mapped[dict[str, Any] | None] = mapped_column(type_json)
    demo: Mapped[str | None] = mapped_column(String(80))
    deleted: Mapped[datetime | None] = mapped_column(UtcTime)


class VerdictTable(Numbered):
    __tablename__ = "verdicts"
    __table_args__ = (Index("ix_verdicts_run", "run_id", "number"), {"sqlite_autoincrement": True})

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    first_row: Mapped[int] = mapped_column(Integer)
    last_row: Mapped[int] = mapped_column(Integer)
    verdict: Mapped[str] = mapped_column(String(40))
    comment: Mapped[str] = mapped_column(Text)
    cause: Mapped[str] = mapped_column(Text, server_default="")
    fix: Mapped[str] = mapped_column(Text, server_default="")
    assigned_to: Mapped[str] = mapped_column(String(200), server_default="")


class ReportTable(Numbered):
    __tablename__ = "reports"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"))
    file: Mapped[str] = mapped_column(String(80))
    title: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(String(20))
    deleted: Mapped[datetime | None] = mapped_column(UtcTime)


class AuditTable(Numbered):
    """Who did what to which object. The database refuses to change or delete a row."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_object", "object_id", "number"), {"sqlite_autoincrement": True})

    action: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(20))
    object_id: Mapped[str] = mapped_column(String(36))
    name: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    details: Mapped[dict[str, Any]] = mapped_column(type_json)


class SettingTable(Owned):
    """Small facts by key. The row `claims` is what claims of jobs are serialised on."""

    __tablename__ = "settings"

    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    value: Mapped[dict[str, Any]] = mapped_column(type_json)
