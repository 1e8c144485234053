# SPDX-License-Identifier: Apache-2.0
"""The first tables: arrivals, documents, pages, deliveries, events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _work() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("job", sa.String),
        sa.Column("job_number", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.Column("trouble", sa.String),
    )


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "arrivals",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("channel", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("sha256", sa.String, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("duplicate_of", sa.String, sa.ForeignKey("arrivals.id")),
        *_work(),
    )
    op.create_index("ix_arrivals_sha256", "arrivals", ["sha256"])
    op.create_index("ix_arrivals_received_at", "arrivals", ["received_at"])
    op.create_table(
        "documents",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("arrival_id", sa.String, sa.ForeignKey("arrivals.id"), nullable=False),
        sa.Column("ordinal", sa.Integer, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("type", sa.String),
        sa.Column("subtype", sa.String),
        sa.Column("pages", sa.JSON, nullable=False),
        sa.Column("decision", sa.String),
        sa.Column("missing", sa.Integer, nullable=False),
        sa.Column("reasons", sa.JSON, nullable=False),
        sa.Column("error", sa.String),
        sa.Column("hint", sa.String),
        sa.Column("result_sha256", sa.String),
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("arrival_id", "ordinal", name="uq_documents_arrival_ordinal"),
    )
    op.create_index("ix_documents_state", "documents", ["state", "changed_at"])
    op.create_index("ix_documents_changed_at", "documents", ["changed_at"])
    op.create_table(
        "pages",
        sa.Column("arrival_id", sa.String, sa.ForeignKey("arrivals.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("image_sha256", sa.String),
        sa.Column("page_sha256", sa.String, nullable=False),
        sa.Column("grade", sa.String, nullable=False),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("document_id", sa.String, sa.ForeignKey("documents.id"), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("done", sa.Boolean, nullable=False),
        sa.Column("location", sa.String),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True)),
        *_work(),
        sa.UniqueConstraint("document_id", "version", name="uq_deliveries_document_version"),
        sa.UniqueConstraint("key", name="uq_deliveries_key"),
    )
    op.create_index("ix_deliveries_done", "deliveries", ["done"])
    op.create_table(
        "events",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String, nullable=False),
        sa.Column("action", sa.String, nullable=False),
        sa.Column("arrival_id", sa.String),
        sa.Column("document_id", sa.String),
        sa.Column("before", sa.String),
        sa.Column("after", sa.String),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.Column("hash", sa.String, nullable=False),
    )
    op.create_index("ix_events_document", "events", ["document_id"])
    op.create_index("ix_events_arrival", "events", ["arrival_id"])
