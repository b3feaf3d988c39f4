"""First tables: datasets, recipes, jobs and their events, runs, verdicts, reports, settings."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table of the first version."""
    _datasets()
    _jobs()
    _runs()
    _settings()


def _owned() -> list[sa.Column[Any]]:
    return [
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("workspace", sa.String(200), nullable=False),
        sa.Column("created", sa.DateTime(), nullable=False),
    ]


def _numbered() -> list[sa.Column[Any]]:
    return [
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(36), nullable=False, unique=True),
        *_owned(),
    ]


def _datasets() -> None:
    op.create_table(
        "datasets",
        *_numbered(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("deleted", sa.DateTime()),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "dataset_versions",
        sa.Column("dataset_id", sa.String(36), sa.ForeignKey("datasets.id"), primary_key=True),
        sa.Column("version", sa.Integer(), primary_key=True, autoincrement=False),
        *_owned(),
        sa.Column("file", sa.String(80), nullable=False),
        sa.Column("n_rows", sa.Integer(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("source_name", sa.Text(), nullable=False),
        sa.Column("source_sha256", sa.String(64), nullable=False),
    )
    op.create_table(
        "recipes",
        *_numbered(),
        sa.Column("dataset_id", sa.String(36), sa.ForeignKey("datasets.id"), nullable=False),
        sa.Column("recipe", sa.JSON(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_recipes_dataset", "recipes", ["dataset_id", "number"])


def _jobs() -> None:
    op.create_table(
        "jobs",
        *_numbered(),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("lane", sa.String(10), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(200), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("stop_requested", sa.Boolean(), nullable=False),
        sa.Column("stop_asked", sa.DateTime()),
        sa.Column("host", sa.String(200)),
        sa.Column("pid", sa.Integer()),
        sa.Column("pid_started", sa.Float()),
        sa.Column("heartbeat", sa.DateTime()),
        sa.Column("started", sa.DateTime()),
        sa.Column("finished", sa.DateTime()),
        sa.Column("problem", sa.JSON()),
        sa.Column("error_id", sa.String(36)),
        sa.UniqueConstraint("token", name="uq_jobs_token"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_jobs_state", "jobs", ["state", "lane"])
    op.create_table(
        "job_events",
        sa.Column("seq", sa.Integer(), primary_key=True, autoincrement=True),
        *_owned(),
        sa.Column("job_id", sa.String(36), sa.ForeignKey("jobs.id"), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("values_json", sa.JSON(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_job_events_job", "job_events", ["job_id", "seq"])


def _runs() -> None:
    op.create_table(
        "runs",
        *_numbered(),
        sa.Column("job_id", sa.String(36), sa.ForeignKey("jobs.id"), nullable=False),
        sa.Column("dataset_id", sa.String(36), sa.ForeignKey("datasets.id"), nullable=False),
        sa.Column("dataset_version", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("task", sa.String(40), nullable=False),
        sa.Column("model", sa.String(80), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("metrics", sa.JSON()),
        sa.Column("baseline", sa.JSON()),
        sa.Column("summary", sa.JSON()),
        sa.Column("demo", sa.String(80)),
        sa.Column("deleted", sa.DateTime()),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_runs_dataset", "runs", ["dataset_id"])
    op.create_index("ix_runs_demo", "runs", ["demo"])
    op.create_table(
        "verdicts",
        *_numbered(),
        sa.Column("run_id", sa.String(36), sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("first_row", sa.Integer(), nullable=False),
        sa.Column("last_row", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(40), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_verdicts_run", "verdicts", ["run_id", "number"])
    op.create_table(
        "reports",
        *_numbered(),
        sa.Column("run_id", sa.String(36), sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("file", sa.String(80), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("language", sa.String(20), nullable=False),
        sa.Column("deleted", sa.DateTime()),
        sqlite_autoincrement=True,
    )


def _settings() -> None:
    settings = op.create_table(
        "settings",
        sa.Column("key", sa.String(120), primary_key=True),
        *_owned(),
        sa.Column("value", sa.JSON(), nullable=False),
    )
    created = datetime.now(UTC).replace(tzinfo=None)
    row = {"key": "claims", "owner": "local", "workspace": "default", "created": created, "value": {}}
    op.bulk_insert(settings, [row])
