# SPDX-License-Identifier: Apache-2.0
"""Packets that people cut by hand."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "cuts",
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("arrival_id", sa.String, sa.ForeignKey("arrivals.id"), nullable=False),
        sa.Column("document_id", sa.String, sa.ForeignKey("documents.id"), nullable=False),
        sa.Column("reviewer", sa.String, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Double),
        sa.Column("whole", sa.Boolean, nullable=False),
        sa.Column("pages", sa.Integer, nullable=False),
        sa.Column("documents", sa.Integer, nullable=False),
        sa.Column("content_sha256", sa.String, nullable=False),
    )
    op.create_index("ix_cuts_arrival", "cuts", ["arrival_id"])
    op.create_index("ix_cuts_made_at", "cuts", ["made_at"])
    with op.batch_alter_table("reviews") as reviews:
        reviews.add_column(sa.Column("cut", sa.Boolean, nullable=False, server_default=sa.false()))
