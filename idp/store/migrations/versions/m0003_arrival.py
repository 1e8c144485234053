# SPDX-License-Identifier: Apache-2.0
"""Parts of a file, sidecars, queues, what a read-only share holds, mails taken, likeness."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("arrivals") as arrivals:
        arrivals.add_column(sa.Column("queue", sa.String, nullable=False, server_default="process"))
        arrivals.add_column(sa.Column("site", sa.String))
        arrivals.add_column(sa.Column("sidecar_name", sa.String))
        arrivals.add_column(sa.Column("sidecar_sha256", sa.String))
        arrivals.create_index("ix_arrivals_name", ["name"])
    with op.batch_alter_table("documents") as documents:
        documents.add_column(sa.Column("part", sa.String))
        documents.add_column(sa.Column("like_document", sa.String))
        documents.add_column(sa.Column("likeness", sa.Double))
        documents.add_column(sa.Column("traits_sha256", sa.String))
    # A page's number counts within its part, so the part belongs to its key: a table of its own
    # kind, copied, since no database here changes a primary key in place.
    op.create_table(
        "pages_by_part",
        sa.Column("arrival_id", sa.String, sa.ForeignKey("arrivals.id"), primary_key=True),
        sa.Column("part", sa.String, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("image_sha256", sa.String),
        sa.Column("page_sha256", sa.String, nullable=False),
        sa.Column("grade", sa.String, nullable=False),
    )
    op.execute(
        "INSERT INTO pages_by_part (arrival_id, part, number, image_sha256, page_sha256, grade) "
        "SELECT arrival_id, '', number, image_sha256, page_sha256, grade FROM pages"
    )
    op.drop_table("pages")
    op.rename_table("pages_by_part", "pages")
    op.create_table(
        "ledger",
        sa.Column("channel", sa.String, primary_key=True),
        sa.Column("path", sa.String, primary_key=True),
        sa.Column("inode", sa.BigInteger, nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("modified_ns", sa.BigInteger, nullable=False),
        sa.Column("arrival_id", sa.String, sa.ForeignKey("arrivals.id"), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "fingerprints",
        sa.Column("document_id", sa.String, sa.ForeignKey("documents.id"), primary_key=True),
        sa.Column("band", sa.Integer, primary_key=True),
        sa.Column("bucket", sa.String, nullable=False),
    )
    op.create_index("ix_fingerprints_bucket", "fingerprints", ["band", "bucket", "document_id"])
