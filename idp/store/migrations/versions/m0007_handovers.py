# SPDX-License-Identifier: Apache-2.0
"""What was handed over to another system, and what became of it there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "handovers",
        sa.Column("server", sa.String, primary_key=True),
        sa.Column("external_id", sa.String, primary_key=True),
        sa.Column("document_id", sa.String, sa.ForeignKey("documents.id"), nullable=False),
        sa.Column("role", sa.String, nullable=False),
        sa.Column("model", sa.String, nullable=False),
        sa.Column("record_id", sa.BigInteger),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("content_sha256", sa.String),
        sa.Column("gone", sa.Boolean, nullable=False),
        sa.Column("intended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True)),
        sa.Column("state", sa.String),
        sa.Column("stage", sa.String),
        sa.Column("assignee", sa.String),
        sa.Column("assigned_at", sa.DateTime(timezone=True)),
        sa.Column("completed_at", sa.DateTime(timezone=True)),
        sa.Column("changed_at", sa.DateTime(timezone=True)),
        sa.Column("seen_at", sa.DateTime(timezone=True)),
    )
    op.create_index("ix_handovers_document", "handovers", ["document_id"])
    op.create_index("ix_handovers_state", "handovers", ["server", "state"])
