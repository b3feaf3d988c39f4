"""Verdicts with a state, a cause, what fixed it and who works on it; "real" becomes "assignable_cause"."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns. What was asked for as "Assignable cause" until now was stored as the comment, so it moves where it belongs."""
    for name, kind in (("cause", sa.Text()), ("fix", sa.Text()), ("assigned_to", sa.String(200))):
        op.add_column("verdicts", sa.Column(name, kind, nullable=False, server_default=""))
    op.execute("UPDATE verdicts SET cause = comment, comment = '' WHERE verdict IN ('real', 'sensor_fault')")
    op.execute("UPDATE verdicts SET verdict = 'assignable_cause' WHERE verdict = 'real'")
