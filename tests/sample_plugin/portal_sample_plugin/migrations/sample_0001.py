"""The tables of the first version.

Revision: sample_0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "sample_0001"
down_revision = None
branch_labels = ("sample",)
depends_on = "portal"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "sample_delivery",
        sa.Column("id", BIG, nullable=False),
        sa.Column("customer_id", BIG, nullable=False),
        sa.Column("product", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("request_id", BIG, nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by_id", BIG, nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("photo_key", sa.String(length=120), nullable=False),
        sa.CheckConstraint("state IN ('asked', 'sent', 'refused')", name=op.f("ck_sample_delivery_state")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_sample_delivery_customer_id_customer")),
        sa.ForeignKeyConstraint(
            ["request_id"], ["approval_request.id"], name=op.f("fk_sample_delivery_request_id_approval_request")
        ),
        sa.ForeignKeyConstraint(["asked_by_id"], ["org_user.id"], name=op.f("fk_sample_delivery_asked_by_id_org_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sample_delivery")),
        sa.UniqueConstraint("request_id", name=op.f("uq_sample_delivery_request_id")),
    )
    op.create_index("ix_sample_delivery_customer_id_id", "sample_delivery", ["customer_id", "id"])
    op.create_table(
        "sample_diary",
        sa.Column("id", BIG, nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("about", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sample_diary")),
    )


def downgrade() -> None:
    op.drop_table("sample_diary")
    op.drop_table("sample_delivery")
