# SPDX-License-Identifier: Apache-2.0
"""By which numbers a document that was handed over is found again by one that belongs to it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "handover_numbers",
        sa.Column("document_id", sa.String, sa.ForeignKey("documents.id"), primary_key=True),
        sa.Column("type", sa.String, primary_key=True),
        sa.Column("field", sa.String, primary_key=True),
        sa.Column("value_sha256", sa.String, primary_key=True),
    )
    op.create_index(
        "ix_handover_numbers_value", "handover_numbers", ["value_sha256", "type", "field"]
    )
