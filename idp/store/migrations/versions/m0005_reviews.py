# SPDX-License-Identifier: Apache-2.0
"""The review queue: which document is in Label Studio, and what was answered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "reviews",
        sa.Column("document_id", sa.String, sa.ForeignKey("documents.id"), primary_key=True),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("result_sha256", sa.String, nullable=False),
        sa.Column("came_back", sa.Boolean, nullable=False),
        sa.Column("project", sa.BigInteger),
        sa.Column("task_id", sa.BigInteger),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.Column("trouble", sa.String),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_reviews_state", "reviews", ["state", "due_at"])
    op.create_index("ix_reviews_project", "reviews", ["project", "state"])
    op.create_table(
        "review_answers",
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("document_id", sa.String, sa.ForeignKey("documents.id"), nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("reviewer", sa.String, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Double),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("note_sha256", sa.String),
    )
    op.create_index("ix_review_answers_document", "review_answers", ["document_id"])
    op.create_index("ix_review_answers_made_at", "review_answers", ["made_at"])
