# SPDX-License-Identifier: Apache-2.0
"""Decisions with what they were made from, urgency and clocks, quality samples."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("documents") as documents:
        documents.add_column(sa.Column("urgency", sa.String))
        documents.add_column(sa.Column("priority", sa.Integer))
        documents.add_column(sa.Column("clock", sa.String))
        documents.add_column(sa.Column("clock_starts_at", sa.DateTime(timezone=True)))
        documents.add_column(
            sa.Column("escalation", sa.Integer, nullable=False, server_default=sa.text("0"))
        )
        documents.add_column(sa.Column("escalate_at", sa.DateTime(timezone=True)))
        documents.add_column(
            sa.Column("sampled", sa.Boolean, nullable=False, server_default=sa.false())
        )
        documents.create_index("ix_documents_escalate_at", ["escalate_at"])
        documents.create_index("ix_documents_clock", ["state", "due_at", "escalation"])
        documents.create_index("ix_documents_priority", ["state", "priority", "due_at"])
    op.execute(
        "UPDATE documents SET priority = "
        "(SELECT priority FROM arrivals WHERE arrivals.id = documents.arrival_id)"
    )
    op.create_table(
        "decisions",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("document_id", sa.String, sa.ForeignKey("documents.id"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("decision", sa.String, nullable=False),
        sa.Column("release", sa.String),
        sa.Column("sampled", sa.Boolean, nullable=False),
        sa.Column("rules_version", sa.String, nullable=False),
        sa.Column("models", sa.JSON, nullable=False),
        sa.Column("rules", sa.JSON, nullable=False),
        sa.Column("result_sha256", sa.String, nullable=False),
    )
    op.create_index("ix_decisions_document", "decisions", ["document_id"])
    op.create_index("ix_decisions_at", "decisions", ["at"])
