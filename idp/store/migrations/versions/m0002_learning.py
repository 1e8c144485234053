# SPDX-License-Identifier: Apache-2.0
"""What people corrected, and what the models did with each document."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "corrections",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("document_id", sa.String, sa.ForeignKey("documents.id"), nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("reviewer", sa.String, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Double),
        sa.Column("complete", sa.Boolean, nullable=False),
        sa.Column("outcomes", sa.JSON, nullable=False),
        sa.Column("content_sha256", sa.String, nullable=False),
        sa.Column("result_sha256", sa.String, nullable=False),
        sa.Column("page_sha256s", sa.JSON, nullable=False),
        sa.UniqueConstraint("key", name="uq_corrections_key"),
    )
    op.create_index("ix_corrections_document", "corrections", ["document_id"])
    op.create_index("ix_corrections_made_at", "corrections", ["made_at"])
    op.create_table(
        "observations",
        sa.Column("document_id", sa.String, sa.ForeignKey("documents.id"), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("type", sa.String, nullable=False),
        sa.Column("models", sa.String, nullable=False),
        sa.Column("layout", sa.String, nullable=False),
        sa.Column("confidences", sa.JSON, nullable=False),
        sa.Column("missing", sa.JSON, nullable=False),
        sa.Column("challenger", sa.String),
        sa.Column("agreement", sa.JSON, nullable=False),
        sa.Column("shadow_error", sa.String),
        sa.Column("shadow_sha256", sa.String),
    )
    op.create_index("ix_observations_at", "observations", ["at"])
