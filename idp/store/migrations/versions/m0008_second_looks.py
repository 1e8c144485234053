# SPDX-License-Identifier: Apache-2.0
"""Second looks at documents, what the quality sample shows, passwords that must be changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "second_looks",
        sa.Column("document_id", sa.String, sa.ForeignKey("documents.id"), primary_key=True),
        sa.Column("began_round", sa.Integer, primary_key=True),
        sa.Column("type", sa.String, nullable=False),
        sa.Column("base_sha256", sa.String, nullable=False),
        sa.Column("first_by", sa.String),
        sa.Column("first_at", sa.DateTime(timezone=True)),
        sa.Column("first_sha256", sa.String),
        sa.Column("second_by", sa.String),
        sa.Column("second_at", sa.DateTime(timezone=True)),
        sa.Column("second_sha256", sa.String),
        sa.Column("agreed", sa.Boolean),
        sa.Column("fields", sa.JSON, nullable=False),
        sa.Column("decided_by", sa.String),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
    )
    op.create_index("ix_second_looks_second_at", "second_looks", ["second_at"])
    op.create_index("ix_second_looks_ended_at", "second_looks", ["ended_at"])
    op.create_table(
        "quality_checks",
        sa.Column("document_id", sa.String, sa.ForeignKey("documents.id"), primary_key=True),
        sa.Column("base_sha256", sa.String, nullable=False),
        sa.Column("type", sa.String, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcomes", sa.JSON, nullable=False),
        sa.Column("unfit", sa.String, nullable=False),
        sa.Column("done", sa.Boolean, nullable=False),
    )
    with op.batch_alter_table("reviews") as table:
        table.add_column(sa.Column("look", sa.Integer, nullable=False, server_default=sa.text("1")))
    with op.batch_alter_table("people") as table:
        table.add_column(
            sa.Column("must_change", sa.Boolean, nullable=False, server_default=sa.false())
        )
