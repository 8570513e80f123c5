"""The tables of the first version.

Revision: key_accounts_0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugins.key_accounts import ddl

revision = "key_accounts_0001"
down_revision = None
branch_labels = ("key_accounts",)
depends_on = "portal"


def upgrade() -> None:
    op.create_table(
        "key_accounts_tier",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tier", sa.String(length=10), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("role_customers", sa.Boolean(), nullable=False),
        sa.Column("role_reputation", sa.Boolean(), nullable=False),
        sa.Column("role_direction", sa.Boolean(), nullable=False),
        sa.Column("role_region", sa.Boolean(), nullable=False),
        sa.Column("ease", sa.Integer(), nullable=True),
        sa.Column("ease_note", sa.String(length=300), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("tier IN ('key', 'important', 'ordinary')", name=op.f("ck_key_accounts_tier_tier")),
        sa.CheckConstraint("ease IS NULL OR ease BETWEEN 1 AND 5", name=op.f("ck_key_accounts_tier_ease")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_key_accounts_tier_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["org_user.id"], name=op.f("fk_key_accounts_tier_decided_by_id_org_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_tier")),
        sa.UniqueConstraint("customer_id", name=op.f("uq_key_accounts_tier_customer_id")),
    )
    with op.batch_alter_table("key_accounts_tier", schema=None) as batch_op:
        batch_op.create_index("ix_key_accounts_tier_tier_customer", ["tier", "customer_id"], unique=False)

    op.create_table(
        "key_accounts_tier_decision",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("from_tier", sa.String(length=10), nullable=False),
        sa.Column("to_tier", sa.String(length=10), nullable=False),
        sa.Column("proposed", sa.String(length=10), nullable=False),
        sa.Column("answer", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("sales", sa.BigInteger(), nullable=False),
        sa.Column("profit", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint(
            "answer IN ('accepted', 'declined', 'other', 'by_hand')", name=op.f("ck_key_accounts_tier_decision_answer")
        ),
        sa.CheckConstraint(
            "answer NOT IN ('declined', 'other') OR reason <> ''",
            name=op.f("ck_key_accounts_tier_decision_refusal_has_reason"),
        ),
        sa.CheckConstraint(
            "to_tier IN ('key', 'important', 'ordinary')", name=op.f("ck_key_accounts_tier_decision_to_tier")
        ),
        sa.ForeignKeyConstraint(["by_id"], ["org_user.id"], name=op.f("fk_key_accounts_tier_decision_by_id_org_user")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_key_accounts_tier_decision_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_tier_decision")),
    )
    with op.batch_alter_table("key_accounts_tier_decision", schema=None) as batch_op:
        batch_op.create_index("ix_key_accounts_tier_decision_at", ["at", "id"], unique=False)
        batch_op.create_index("ix_key_accounts_tier_decision_customer", ["customer_id", "at", "id"], unique=False)
    dialect = op.get_bind().dialect.name
    for table in ddl.TABLES:
        for statement in ddl.statements(dialect, table):
            op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    dialect = op.get_bind().dialect.name
    for table in ddl.TABLES:
        for statement in ddl.drop_statements(dialect, table):
            op.get_bind().exec_driver_sql(statement)
    with op.batch_alter_table("key_accounts_tier_decision", schema=None) as batch_op:
        batch_op.drop_index("ix_key_accounts_tier_decision_customer")
        batch_op.drop_index("ix_key_accounts_tier_decision_at")

    op.drop_table("key_accounts_tier_decision")
    with op.batch_alter_table("key_accounts_tier", schema=None) as batch_op:
        batch_op.drop_index("ix_key_accounts_tier_tier_customer")

    op.drop_table("key_accounts_tier")
