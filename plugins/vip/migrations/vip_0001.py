"""The tables of the first version.

Revision: vip_0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugins.vip import ddl

revision = "vip_0001"
down_revision = None
branch_labels = ("vip",)
depends_on = "portal"


def upgrade() -> None:
    op.create_table(
        "vip_benefit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("description", sa.String(length=500), nullable=False),
        sa.Column("level", sa.String(length=10), nullable=False),
        sa.Column("cost", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("cost >= 0", name=op.f("ck_vip_benefit_cost")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vip_benefit")),
        sa.UniqueConstraint("name", name=op.f("uq_vip_benefit_name")),
    )
    op.create_table(
        "vip_candidate",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("condition", sa.String(length=10), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("found_on", sa.Date(), nullable=False),
        sa.Column("seen_on", sa.Date(), nullable=False),
        sa.Column("dismissed_reason", sa.String(length=500), nullable=False),
        sa.Column("dismissed_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_vip_candidate_contact_id_contact")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_vip_candidate_customer_id_customer")),
        sa.ForeignKeyConstraint(
            ["dismissed_by_id"], ["org_user.id"], name=op.f("fk_vip_candidate_dismissed_by_id_org_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vip_candidate")),
    )
    with op.batch_alter_table("vip_candidate", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_vip_candidate_contact_id"), ["contact_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_vip_candidate_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index("ix_vip_candidate_state_amount_id", ["state", "amount", "id"], unique=False)
        batch_op.create_index(
            "uq_vip_candidate_contact",
            ["contact_id"],
            unique=True,
            postgresql_where=sa.text("contact_id IS NOT NULL"),
            sqlite_where=sa.text("contact_id IS NOT NULL"),
        )
        batch_op.create_index(
            "uq_vip_candidate_customer",
            ["customer_id"],
            unique=True,
            postgresql_where=sa.text("contact_id IS NULL"),
            sqlite_where=sa.text("contact_id IS NULL"),
        )

    op.create_table(
        "vip_membership",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=30), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("level", sa.String(length=10), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("condition", sa.String(length=10), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('active', 'suspended', 'withdrawn', 'lapsed')", name=op.f("ck_vip_membership_state")
        ),
        sa.CheckConstraint("points >= 0", name=op.f("ck_vip_membership_points_not_negative")),
        sa.CheckConstraint("valid_from <= valid_until", name=op.f("ck_vip_membership_term")),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_vip_membership_contact_id_contact")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_vip_membership_customer_id_customer")),
        sa.ForeignKeyConstraint(
            ["request_id"], ["approval_request.id"], name=op.f("fk_vip_membership_request_id_approval_request")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vip_membership")),
        sa.UniqueConstraint("number", name=op.f("uq_vip_membership_number")),
        sa.UniqueConstraint("request_id", name=op.f("uq_vip_membership_request_id")),
    )
    with op.batch_alter_table("vip_membership", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_vip_membership_contact_id"), ["contact_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_vip_membership_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index("ix_vip_membership_state_valid_until", ["state", "valid_until", "id"], unique=False)
        batch_op.create_index("ix_vip_membership_valid_until_id", ["valid_until", "id"], unique=False)
        batch_op.create_index(
            "uq_vip_membership_live_contact",
            ["contact_id"],
            unique=True,
            postgresql_where=sa.text("contact_id IS NOT NULL AND state IN ('active', 'suspended')"),
            sqlite_where=sa.text("contact_id IS NOT NULL AND state IN ('active', 'suspended')"),
        )
        batch_op.create_index(
            "uq_vip_membership_live_customer",
            ["customer_id"],
            unique=True,
            postgresql_where=sa.text("contact_id IS NULL AND state IN ('active', 'suspended')"),
            sqlite_where=sa.text("contact_id IS NULL AND state IN ('active', 'suspended')"),
        )

    op.create_table(
        "vip_application",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("route", sa.String(length=10), nullable=False),
        sa.Column("condition", sa.String(length=10), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("period_first", sa.Date(), nullable=True),
        sa.Column("period_last", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("level", sa.String(length=10), nullable=False),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("membership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint(
            "condition <> 'exception' OR reason <> ''", name=op.f("ck_vip_application_exception_has_reason")
        ),
        sa.CheckConstraint(
            "condition <> 'rank' OR contact_id IS NOT NULL", name=op.f("ck_vip_application_rank_has_person")
        ),
        sa.CheckConstraint(
            "condition IN ('single', 'period', 'rank', 'exception')", name=op.f("ck_vip_application_condition")
        ),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_vip_application_contact_id_contact")),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["org_user.id"], name=op.f("fk_vip_application_created_by_id_org_user")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_vip_application_customer_id_customer")),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["vip_membership.id"], name=op.f("fk_vip_application_membership_id_vip_membership")
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["approval_request.id"], name=op.f("fk_vip_application_request_id_approval_request")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vip_application")),
    )
    with op.batch_alter_table("vip_application", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_vip_application_contact_id"), ["contact_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_vip_application_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_vip_application_membership_id"), ["membership_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_vip_application_request_id"), ["request_id"], unique=False)

    op.create_table(
        "vip_membership_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("membership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["org_user.id"], name=op.f("fk_vip_membership_event_by_id_org_user")),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["vip_membership.id"], name=op.f("fk_vip_membership_event_membership_id_vip_membership")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vip_membership_event")),
    )
    with op.batch_alter_table("vip_membership_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_vip_membership_event_membership_id"), ["membership_id"], unique=False)

    op.create_table(
        "vip_point_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("membership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("balance", sa.Integer(), nullable=False),
        sa.Column("purchase_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("benefit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("token", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("balance >= 0", name=op.f("ck_vip_point_entry_balance_not_negative")),
        sa.CheckConstraint("points <> 0", name=op.f("ck_vip_point_entry_points")),
        sa.ForeignKeyConstraint(
            ["benefit_id"], ["vip_benefit.id"], name=op.f("fk_vip_point_entry_benefit_id_vip_benefit")
        ),
        sa.ForeignKeyConstraint(["by_id"], ["org_user.id"], name=op.f("fk_vip_point_entry_by_id_org_user")),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["vip_membership.id"], name=op.f("fk_vip_point_entry_membership_id_vip_membership")
        ),
        sa.ForeignKeyConstraint(["purchase_id"], ["purchase.id"], name=op.f("fk_vip_point_entry_purchase_id_purchase")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vip_point_entry")),
        sa.UniqueConstraint("token", name=op.f("uq_vip_point_entry_token")),
    )
    with op.batch_alter_table("vip_point_entry", schema=None) as batch_op:
        batch_op.create_index("ix_vip_point_entry_membership_id_id", ["membership_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_vip_point_entry_purchase_id"), ["purchase_id"], unique=False)

    op.create_table(
        "vip_evidence",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("application_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("purchase_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=60), nullable=False),
        sa.Column("purchased_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["vip_application.id"],
            name=op.f("fk_vip_evidence_application_id_vip_application"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["purchase_id"], ["purchase.id"], name=op.f("fk_vip_evidence_purchase_id_purchase")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vip_evidence")),
        sa.UniqueConstraint("application_id", "purchase_id", name=op.f("uq_vip_evidence_application_id_purchase_id")),
    )
    with op.batch_alter_table("vip_evidence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_vip_evidence_application_id"), ["application_id"], unique=False)
    dialect = op.get_bind().dialect.name
    for table in ddl.TABLES:
        for statement in ddl.statements(dialect, table):
            op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    dialect = op.get_bind().dialect.name
    for table in ddl.TABLES:
        for statement in ddl.drop_statements(dialect, table):
            op.get_bind().exec_driver_sql(statement)
    with op.batch_alter_table("vip_evidence", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_vip_evidence_application_id"))

    op.drop_table("vip_evidence")
    with op.batch_alter_table("vip_point_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_vip_point_entry_purchase_id"))
        batch_op.drop_index("ix_vip_point_entry_membership_id_id")

    op.drop_table("vip_point_entry")
    with op.batch_alter_table("vip_membership_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_vip_membership_event_membership_id"))

    op.drop_table("vip_membership_event")
    with op.batch_alter_table("vip_application", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_vip_application_request_id"))
        batch_op.drop_index(batch_op.f("ix_vip_application_membership_id"))
        batch_op.drop_index(batch_op.f("ix_vip_application_customer_id"))
        batch_op.drop_index(batch_op.f("ix_vip_application_contact_id"))

    op.drop_table("vip_application")
    with op.batch_alter_table("vip_membership", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_vip_membership_live_customer",
            postgresql_where=sa.text("contact_id IS NULL AND state IN ('active', 'suspended')"),
            sqlite_where=sa.text("contact_id IS NULL AND state IN ('active', 'suspended')"),
        )
        batch_op.drop_index(
            "uq_vip_membership_live_contact",
            postgresql_where=sa.text("contact_id IS NOT NULL AND state IN ('active', 'suspended')"),
            sqlite_where=sa.text("contact_id IS NOT NULL AND state IN ('active', 'suspended')"),
        )
        batch_op.drop_index("ix_vip_membership_valid_until_id")
        batch_op.drop_index("ix_vip_membership_state_valid_until")
        batch_op.drop_index(batch_op.f("ix_vip_membership_customer_id"))
        batch_op.drop_index(batch_op.f("ix_vip_membership_contact_id"))

    op.drop_table("vip_membership")
    with op.batch_alter_table("vip_candidate", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_vip_candidate_customer",
            postgresql_where=sa.text("contact_id IS NULL"),
            sqlite_where=sa.text("contact_id IS NULL"),
        )
        batch_op.drop_index(
            "uq_vip_candidate_contact",
            postgresql_where=sa.text("contact_id IS NOT NULL"),
            sqlite_where=sa.text("contact_id IS NOT NULL"),
        )
        batch_op.drop_index("ix_vip_candidate_state_amount_id")
        batch_op.drop_index(batch_op.f("ix_vip_candidate_customer_id"))
        batch_op.drop_index(batch_op.f("ix_vip_candidate_contact_id"))

    op.drop_table("vip_candidate")
    op.drop_table("vip_benefit")
