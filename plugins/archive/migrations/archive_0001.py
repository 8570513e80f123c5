"""The tables of the first version.

Revision: archive_0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugins.archive import ddl

revision = "archive_0001"
down_revision = None
branch_labels = ("archive",)
depends_on = "portal"


def upgrade() -> None:
    op.create_table(
        "archive_content",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("storage_key", sa.String(length=120), nullable=False),
        sa.Column("reserved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trouble", sa.String(length=10), nullable=False),
        sa.CheckConstraint("trouble IN ('', 'missing', 'damaged')", name=op.f("ck_archive_content_trouble")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_archive_content")),
    )
    with op.batch_alter_table("archive_content", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_archive_content_reserved_at"), ["reserved_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_archive_content_storage_key"), ["storage_key"], unique=False)

    op.create_table(
        "archive_forecast",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("owner", sa.String(length=30), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_month", sa.Date(), nullable=False),
        sa.Column("method", sa.String(length=60), nullable=False),
        sa.Column("error", sa.Double(), nullable=True),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_forecast")),
    )
    with op.batch_alter_table("archive_forecast", schema=None) as batch_op:
        batch_op.create_index("ix_archive_forecast_owner_id", ["owner", "id"], unique=False)

    op.create_table(
        "archive_alarm",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("customers", sa.Integer(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["org_user.id"], name=op.f("fk_archive_alarm_user_id_org_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_alarm")),
        sa.UniqueConstraint("user_id", "day", name=op.f("uq_archive_alarm_user_id_day")),
    )
    op.create_table(
        "archive_target",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("department_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("owner", sa.String(length=30), nullable=False),
        sa.Column("period", sa.String(length=8), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("period IN ('month', 'quarter', 'year')", name=op.f("ck_archive_target_period")),
        sa.CheckConstraint("(user_id IS NULL) <> (department_id IS NULL)", name=op.f("ck_archive_target_owner")),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_archive_target_not_negative")),
        sa.CheckConstraint("number BETWEEN 1 AND 12", name=op.f("ck_archive_target_number")),
        sa.ForeignKeyConstraint(
            ["department_id"], ["org_department.id"], name=op.f("fk_archive_target_department_id_org_department")
        ),
        sa.ForeignKeyConstraint(["set_by_id"], ["org_user.id"], name=op.f("fk_archive_target_set_by_id_org_user")),
        sa.ForeignKeyConstraint(["user_id"], ["org_user.id"], name=op.f("fk_archive_target_user_id_org_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_target")),
        sa.UniqueConstraint(
            "owner", "period", "year", "number", name=op.f("uq_archive_target_owner_period_year_number")
        ),
    )
    with op.batch_alter_table("archive_target", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_archive_target_department_id"), ["department_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_archive_target_user_id"), ["user_id"], unique=False)

    op.create_table(
        "archive_dossier",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=30), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_archive_dossier_customer_id_customer")),
        sa.ForeignKeyConstraint(
            ["opened_by_id"], ["org_user.id"], name=op.f("fk_archive_dossier_opened_by_id_org_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_dossier")),
        sa.UniqueConstraint("customer_id", name=op.f("uq_archive_dossier_customer_id")),
        sa.UniqueConstraint("number", name=op.f("uq_archive_dossier_number")),
    )
    with op.batch_alter_table("archive_dossier", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_archive_dossier_changed_at"), ["changed_at"], unique=False)

    op.create_table(
        "archive_file",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("part", sa.String(length=12), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("number", sa.String(length=100), nullable=False),
        sa.Column("parties", sa.String(length=400), nullable=False),
        sa.Column("dated_on", sa.Date(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("period_first", sa.Date(), nullable=True),
        sa.Column("period_last", sa.Date(), nullable=True),
        sa.Column("is_copy", sa.Boolean(), nullable=False),
        sa.Column("remarks", sa.String(length=500), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.String(length=20), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("origin", sa.String(length=10), nullable=False),
        sa.Column("original_name", sa.String(length=200), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("state_reason", sa.String(length=500), nullable=False),
        sa.Column("state_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replaces_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("token", sa.String(length=64), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "media_type IN ('application/pdf', 'image/jpeg', 'image/png')", name=op.f("ck_archive_file_media_type")
        ),
        sa.CheckConstraint("origin IN ('uploaded', 'produced')", name=op.f("ck_archive_file_origin")),
        sa.CheckConstraint(
            "part IN ('card', 'assessment', 'contract', 'statistics')", name=op.f("ck_archive_file_part")
        ),
        sa.CheckConstraint(
            "state IN ('current', 'superseded', 'withdrawn', 'quarantined')", name=op.f("ck_archive_file_state")
        ),
        sa.CheckConstraint("pages > 0 AND size > 0", name=op.f("ck_archive_file_not_empty")),
        sa.CheckConstraint(
            "valid_from IS NULL OR valid_until IS NULL OR valid_from <= valid_until",
            name=op.f("ck_archive_file_validity"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_archive_file_customer_id_customer")),
        sa.ForeignKeyConstraint(
            ["digest"], ["archive_content.digest"], name=op.f("fk_archive_file_digest_archive_content")
        ),
        sa.ForeignKeyConstraint(["made_by_id"], ["org_user.id"], name=op.f("fk_archive_file_made_by_id_org_user")),
        sa.ForeignKeyConstraint(
            ["replaces_id"], ["archive_file.id"], name=op.f("fk_archive_file_replaces_id_archive_file")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_file")),
        sa.UniqueConstraint("token", name=op.f("uq_archive_file_token")),
    )
    with op.batch_alter_table("archive_file", schema=None) as batch_op:
        batch_op.create_index(
            "ix_archive_file_customer_id_part_state", ["customer_id", "part", "state", "dated_on"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_archive_file_digest"), ["digest"], unique=False)
        batch_op.create_index(batch_op.f("ix_archive_file_replaces_id"), ["replaces_id"], unique=False)
        batch_op.create_index("ix_archive_file_state_part_valid_until", ["state", "part", "valid_until"], unique=False)

    op.create_table(
        "archive_outlook",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rate", sa.Double(), nullable=False),
        sa.Column("error", sa.Double(), nullable=False),
        sa.Column("basis", sa.String(length=10), nullable=False),
        sa.Column("stock", sa.Double(), nullable=False),
        sa.Column("is_counted", sa.Boolean(), nullable=False),
        sa.Column("runs_out", sa.Date(), nullable=False),
        sa.Column("earliest", sa.Date(), nullable=True),
        sa.Column("latest", sa.Date(), nullable=True),
        sa.Column("last_bought", sa.Date(), nullable=True),
        sa.Column("counted_on", sa.Date(), nullable=True),
        sa.Column("counted", sa.Integer(), nullable=True),
        sa.Column("computed_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_archive_outlook_customer_id_customer")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_archive_outlook_product_id_product")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_outlook")),
        sa.UniqueConstraint("customer_id", "product_id", name=op.f("uq_archive_outlook_customer_id_product_id")),
    )
    with op.batch_alter_table("archive_outlook", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_archive_outlook_product_id"), ["product_id"], unique=False)
        batch_op.create_index("ix_archive_outlook_runs_out_id", ["runs_out", "id"], unique=False)

    op.create_table(
        "archive_change",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("department_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("replaced", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("kind = 'new' OR customer_id IS NOT NULL", name=op.f("ck_archive_change_customer")),
        sa.CheckConstraint("kind IN ('new', 'change', 'supplement')", name=op.f("ck_archive_change_kind")),
        sa.CheckConstraint("state IN ('open', 'posted', 'refused', 'withdrawn')", name=op.f("ck_archive_change_state")),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["org_user.id"], name=op.f("fk_archive_change_created_by_id_org_user")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_archive_change_customer_id_customer")),
        sa.ForeignKeyConstraint(
            ["department_id"], ["org_department.id"], name=op.f("fk_archive_change_department_id_org_department")
        ),
        sa.ForeignKeyConstraint(["ended_by_id"], ["org_user.id"], name=op.f("fk_archive_change_ended_by_id_org_user")),
        sa.ForeignKeyConstraint(
            ["request_id"], ["approval_request.id"], name=op.f("fk_archive_change_request_id_approval_request")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_change")),
    )
    with op.batch_alter_table("archive_change", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_archive_change_created_by_id"), ["created_by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_archive_change_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(
            "ix_archive_change_open",
            ["created_at", "id"],
            unique=False,
            postgresql_where=sa.text("state = 'open'"),
            sqlite_where=sa.text("state = 'open'"),
        )
        batch_op.create_index(batch_op.f("ix_archive_change_request_id"), ["request_id"], unique=False)

    op.create_table(
        "archive_lookup",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=30), nullable=False),
        sa.Column("applicant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("department_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("parts", sa.String(length=60), nullable=False),
        sa.Column("purpose", sa.String(length=500), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("mode IN ('view', 'paper')", name=op.f("ck_archive_lookup_mode")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_archive_lookup_quantity")),
        sa.ForeignKeyConstraint(
            ["applicant_id"], ["org_user.id"], name=op.f("fk_archive_lookup_applicant_id_org_user")
        ),
        sa.ForeignKeyConstraint(
            ["department_id"], ["org_department.id"], name=op.f("fk_archive_lookup_department_id_org_department")
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["approval_request.id"], name=op.f("fk_archive_lookup_request_id_approval_request")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_lookup")),
        sa.UniqueConstraint("number", name=op.f("uq_archive_lookup_number")),
    )
    with op.batch_alter_table("archive_lookup", schema=None) as batch_op:
        batch_op.create_index("ix_archive_lookup_applicant_id", ["applicant_id", "created_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_archive_lookup_request_id"), ["request_id"], unique=False)

    op.create_table(
        "archive_report",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("remarks", sa.String(length=2000), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'returned', 'accepted')", name=op.f("ck_archive_report_state")
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["approval_request.id"], name=op.f("fk_archive_report_request_id_approval_request")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["org_user.id"], name=op.f("fk_archive_report_user_id_org_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_report")),
        sa.UniqueConstraint("user_id", "week", name=op.f("uq_archive_report_user_id_week")),
    )
    with op.batch_alter_table("archive_report", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_archive_report_request_id"), ["request_id"], unique=False)
        batch_op.create_index("ix_archive_report_week_user_id", ["week", "user_id"], unique=False)

    op.create_table(
        "archive_grant",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lookup_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("holder_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("parts", sa.String(length=60), nullable=False),
        sa.Column("quota", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("begins_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("ended_how", sa.String(length=10), nullable=False),
        sa.Column("ended_why", sa.String(length=500), nullable=False),
        sa.Column("is_settled", sa.Boolean(), nullable=False),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_how = '')", name=op.f("ck_archive_grant_ended")),
        sa.CheckConstraint(
            "ended_how IN ('', 'revoked', 'given_back', 'left')", name=op.f("ck_archive_grant_ended_how")
        ),
        sa.CheckConstraint("mode IN ('view', 'paper')", name=op.f("ck_archive_grant_mode")),
        sa.CheckConstraint("begins_at < ends_at", name=op.f("ck_archive_grant_period")),
        sa.CheckConstraint("used >= 0 AND used <= quota", name=op.f("ck_archive_grant_used")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_archive_grant_customer_id_customer")),
        sa.ForeignKeyConstraint(["ended_by_id"], ["org_user.id"], name=op.f("fk_archive_grant_ended_by_id_org_user")),
        sa.ForeignKeyConstraint(["holder_id"], ["org_user.id"], name=op.f("fk_archive_grant_holder_id_org_user")),
        sa.ForeignKeyConstraint(
            ["lookup_id"], ["archive_lookup.id"], name=op.f("fk_archive_grant_lookup_id_archive_lookup")
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["approval_request.id"], name=op.f("fk_archive_grant_request_id_approval_request")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_grant")),
    )
    with op.batch_alter_table("archive_grant", schema=None) as batch_op:
        batch_op.create_index("ix_archive_grant_customer_id", ["customer_id", "ends_at", "id"], unique=False)
        batch_op.create_index("ix_archive_grant_ends_at", ["ends_at", "id"], unique=False)
        batch_op.create_index("ix_archive_grant_holder_id", ["holder_id", "ends_at", "id"], unique=False)
        batch_op.create_index("ix_archive_grant_is_settled", ["is_settled", "ends_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_archive_grant_lookup_id"), ["lookup_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_archive_grant_request_id"), ["request_id"], unique=False)

    op.create_table(
        "archive_lookup_customer",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lookup_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("department_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_archive_lookup_customer_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["org_department.id"],
            name=op.f("fk_archive_lookup_customer_department_id_org_department"),
        ),
        sa.ForeignKeyConstraint(
            ["lookup_id"], ["archive_lookup.id"], name=op.f("fk_archive_lookup_customer_lookup_id_archive_lookup")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_lookup_customer")),
    )
    with op.batch_alter_table("archive_lookup_customer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_archive_lookup_customer_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_archive_lookup_customer_lookup_id"), ["lookup_id"], unique=False)

    op.create_table(
        "archive_report_line",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("report_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("bought", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("stock", sa.Integer(), nullable=True),
        sa.Column("expected", sa.Integer(), nullable=True),
        sa.Column("remarks", sa.String(length=300), nullable=False),
        sa.CheckConstraint(
            "bought >= 0 AND (stock IS NULL OR stock >= 0)", name=op.f("ck_archive_report_line_not_negative")
        ),
        sa.CheckConstraint(
            "expected IS NULL OR expected >= 0", name=op.f("ck_archive_report_line_expected_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_archive_report_line_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_archive_report_line_product_id_product")),
        sa.ForeignKeyConstraint(
            ["report_id"],
            ["archive_report.id"],
            name=op.f("fk_archive_report_line_report_id_archive_report"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_report_line")),
        sa.UniqueConstraint(
            "report_id",
            "customer_id",
            "product_id",
            name=op.f("uq_archive_report_line_report_id_customer_id_product_id"),
        ),
    )
    with op.batch_alter_table("archive_report_line", schema=None) as batch_op:
        batch_op.create_index(
            "ix_archive_report_line_customer_id_product_id", ["customer_id", "product_id", "report_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_archive_report_line_product_id"), ["product_id"], unique=False)

    op.create_table(
        "archive_supplement",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("change_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("phase", sa.String(length=14), nullable=False),
        sa.Column("dated_on", sa.Date(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("written_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("posted_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint(
            "phase IN ('prospect', 'first_contact', 'contract', 'daily_care')", name=op.f("ck_archive_supplement_phase")
        ),
        sa.ForeignKeyConstraint(
            ["change_id"], ["archive_change.id"], name=op.f("fk_archive_supplement_change_id_archive_change")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_archive_supplement_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["posted_by_id"], ["org_user.id"], name=op.f("fk_archive_supplement_posted_by_id_org_user")
        ),
        sa.ForeignKeyConstraint(
            ["written_by_id"], ["org_user.id"], name=op.f("fk_archive_supplement_written_by_id_org_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_supplement")),
        sa.UniqueConstraint("change_id", name=op.f("uq_archive_supplement_change_id")),
    )
    with op.batch_alter_table("archive_supplement", schema=None) as batch_op:
        batch_op.create_index(
            "ix_archive_supplement_customer_id_dated_on", ["customer_id", "dated_on", "id"], unique=False
        )

    op.create_table(
        "archive_access",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("department_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("detail", sa.String(length=300), nullable=False),
        sa.Column("is_quiet", sa.Boolean(), nullable=False),
        sa.Column("grant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_archive_access_customer_id_customer")),
        sa.ForeignKeyConstraint(
            ["department_id"], ["org_department.id"], name=op.f("fk_archive_access_department_id_org_department")
        ),
        sa.ForeignKeyConstraint(
            ["grant_id"], ["archive_grant.id"], name=op.f("fk_archive_access_grant_id_archive_grant")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["org_user.id"], name=op.f("fk_archive_access_user_id_org_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_access")),
    )
    with op.batch_alter_table("archive_access", schema=None) as batch_op:
        batch_op.create_index("ix_archive_access_at", ["at", "id"], unique=False)
        batch_op.create_index("ix_archive_access_customer_id", ["customer_id", "at", "id"], unique=False)
        batch_op.create_index("ix_archive_access_department_id", ["department_id", "at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_archive_access_grant_id"), ["grant_id"], unique=False)
        batch_op.create_index("ix_archive_access_user_id", ["user_id", "at"], unique=False)

    op.create_table(
        "archive_copy",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=30), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("grant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("holder_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("holder_name", sa.String(length=100), nullable=False),
        sa.Column("holder_department", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reserved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reserved_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("issued_how", sa.String(length=10), nullable=False),
        sa.Column("recalled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recall_reason", sa.String(length=300), nullable=False),
        sa.Column("replaces_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("problem", sa.String(length=500), nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("seal", sa.LargeBinary(), nullable=True),
        sa.Column("form_token", sa.String(length=64), nullable=False),
        sa.Column("reminders", sa.Integer(), nullable=False),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state <> 'issued' OR issued_at IS NOT NULL", name=op.f("ck_archive_copy_issued")),
        sa.CheckConstraint(
            "state IN ('reserved', 'ready', 'sent', 'suspect', 'printed', 'offered', 'issued', 'returned', 'lost', 'spoiled', 'void', 'destroyed', 'cancelled')",
            name=op.f("ck_archive_copy_state"),
        ),
        sa.CheckConstraint("pages >= 0", name=op.f("ck_archive_copy_pages")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_archive_copy_customer_id_customer")),
        sa.ForeignKeyConstraint(
            ["grant_id"], ["archive_grant.id"], name=op.f("fk_archive_copy_grant_id_archive_grant")
        ),
        sa.ForeignKeyConstraint(["holder_id"], ["org_user.id"], name=op.f("fk_archive_copy_holder_id_org_user")),
        sa.ForeignKeyConstraint(
            ["replaces_id"], ["archive_copy.id"], name=op.f("fk_archive_copy_replaces_id_archive_copy")
        ),
        sa.ForeignKeyConstraint(
            ["reserved_by_id"], ["org_user.id"], name=op.f("fk_archive_copy_reserved_by_id_org_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_copy")),
        sa.UniqueConstraint("form_token", name=op.f("uq_archive_copy_form_token")),
        sa.UniqueConstraint("number", name=op.f("uq_archive_copy_number")),
        sa.UniqueConstraint("token", name=op.f("uq_archive_copy_token")),
    )
    with op.batch_alter_table("archive_copy", schema=None) as batch_op:
        batch_op.create_index("ix_archive_copy_customer_id", ["customer_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_archive_copy_grant_id"), ["grant_id"], unique=False)
        batch_op.create_index("ix_archive_copy_holder_id", ["holder_id", "state", "due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_archive_copy_replaces_id"), ["replaces_id"], unique=False)
        batch_op.create_index("ix_archive_copy_reserved_at", ["reserved_at", "id"], unique=False)
        batch_op.create_index("ix_archive_copy_state", ["state", "due_at", "id"], unique=False)

    op.create_table(
        "archive_view",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("grant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["grant_id"], ["archive_grant.id"], name=op.f("fk_archive_view_grant_id_archive_grant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_view")),
        sa.UniqueConstraint("token", name=op.f("uq_archive_view_token")),
    )
    with op.batch_alter_table("archive_view", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_archive_view_grant_id"), ["grant_id"], unique=False)

    op.create_table(
        "archive_copy_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("copy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("step", sa.String(length=10), nullable=False),
        sa.Column("state_before", sa.String(length=10), nullable=False),
        sa.Column("state_after", sa.String(length=10), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("witness_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("sheets", sa.Integer(), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.CheckConstraint("witness_id IS NULL OR witness_id <> by_id", name=op.f("ck_archive_copy_event_witness")),
        sa.ForeignKeyConstraint(["by_id"], ["org_user.id"], name=op.f("fk_archive_copy_event_by_id_org_user")),
        sa.ForeignKeyConstraint(
            ["copy_id"], ["archive_copy.id"], name=op.f("fk_archive_copy_event_copy_id_archive_copy")
        ),
        sa.ForeignKeyConstraint(
            ["witness_id"], ["org_user.id"], name=op.f("fk_archive_copy_event_witness_id_org_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_copy_event")),
    )
    with op.batch_alter_table("archive_copy_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_archive_copy_event_copy_id"), ["copy_id"], unique=False)

    op.create_table(
        "archive_copy_file",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("copy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("part", sa.String(length=12), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=20), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["copy_id"], ["archive_copy.id"], name=op.f("fk_archive_copy_file_copy_id_archive_copy")
        ),
        sa.ForeignKeyConstraint(
            ["digest"], ["archive_content.digest"], name=op.f("fk_archive_copy_file_digest_archive_content")
        ),
        sa.ForeignKeyConstraint(
            ["file_id"], ["archive_file.id"], name=op.f("fk_archive_copy_file_file_id_archive_file")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_copy_file")),
        sa.UniqueConstraint("copy_id", "position", name=op.f("uq_archive_copy_file_copy_id_position")),
    )
    with op.batch_alter_table("archive_copy_file", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_archive_copy_file_digest"), ["digest"], unique=False)
        batch_op.create_index(batch_op.f("ix_archive_copy_file_file_id"), ["file_id"], unique=False)
    dialect = op.get_bind().dialect.name
    for table in ddl.TABLES:
        for statement in ddl.statements(dialect, table):
            op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    dialect = op.get_bind().dialect.name
    for table in ddl.TABLES:
        for statement in ddl.drop_statements(dialect, table):
            op.get_bind().exec_driver_sql(statement)
    with op.batch_alter_table("archive_copy_file", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_archive_copy_file_file_id"))
        batch_op.drop_index(batch_op.f("ix_archive_copy_file_digest"))

    op.drop_table("archive_copy_file")
    with op.batch_alter_table("archive_copy_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_archive_copy_event_copy_id"))

    op.drop_table("archive_copy_event")
    with op.batch_alter_table("archive_view", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_archive_view_grant_id"))

    op.drop_table("archive_view")
    with op.batch_alter_table("archive_copy", schema=None) as batch_op:
        batch_op.drop_index("ix_archive_copy_state")
        batch_op.drop_index("ix_archive_copy_reserved_at")
        batch_op.drop_index(batch_op.f("ix_archive_copy_replaces_id"))
        batch_op.drop_index("ix_archive_copy_holder_id")
        batch_op.drop_index(batch_op.f("ix_archive_copy_grant_id"))
        batch_op.drop_index("ix_archive_copy_customer_id")

    op.drop_table("archive_copy")
    with op.batch_alter_table("archive_access", schema=None) as batch_op:
        batch_op.drop_index("ix_archive_access_user_id")
        batch_op.drop_index(batch_op.f("ix_archive_access_grant_id"))
        batch_op.drop_index("ix_archive_access_department_id")
        batch_op.drop_index("ix_archive_access_customer_id")
        batch_op.drop_index("ix_archive_access_at")

    op.drop_table("archive_access")
    with op.batch_alter_table("archive_supplement", schema=None) as batch_op:
        batch_op.drop_index("ix_archive_supplement_customer_id_dated_on")

    op.drop_table("archive_supplement")
    with op.batch_alter_table("archive_report_line", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_archive_report_line_product_id"))
        batch_op.drop_index("ix_archive_report_line_customer_id_product_id")

    op.drop_table("archive_report_line")
    with op.batch_alter_table("archive_lookup_customer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_archive_lookup_customer_lookup_id"))
        batch_op.drop_index(batch_op.f("ix_archive_lookup_customer_customer_id"))

    op.drop_table("archive_lookup_customer")
    with op.batch_alter_table("archive_grant", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_archive_grant_request_id"))
        batch_op.drop_index(batch_op.f("ix_archive_grant_lookup_id"))
        batch_op.drop_index("ix_archive_grant_is_settled")
        batch_op.drop_index("ix_archive_grant_holder_id")
        batch_op.drop_index("ix_archive_grant_ends_at")
        batch_op.drop_index("ix_archive_grant_customer_id")

    op.drop_table("archive_grant")
    with op.batch_alter_table("archive_report", schema=None) as batch_op:
        batch_op.drop_index("ix_archive_report_week_user_id")
        batch_op.drop_index(batch_op.f("ix_archive_report_request_id"))

    op.drop_table("archive_report")
    with op.batch_alter_table("archive_lookup", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_archive_lookup_request_id"))
        batch_op.drop_index("ix_archive_lookup_applicant_id")

    op.drop_table("archive_lookup")
    with op.batch_alter_table("archive_change", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_archive_change_request_id"))
        batch_op.drop_index(
            "ix_archive_change_open", postgresql_where=sa.text("state = 'open'"), sqlite_where=sa.text("state = 'open'")
        )
        batch_op.drop_index(batch_op.f("ix_archive_change_customer_id"))
        batch_op.drop_index(batch_op.f("ix_archive_change_created_by_id"))

    op.drop_table("archive_change")
    with op.batch_alter_table("archive_outlook", schema=None) as batch_op:
        batch_op.drop_index("ix_archive_outlook_runs_out_id")
        batch_op.drop_index(batch_op.f("ix_archive_outlook_product_id"))

    op.drop_table("archive_outlook")
    with op.batch_alter_table("archive_file", schema=None) as batch_op:
        batch_op.drop_index("ix_archive_file_state_part_valid_until")
        batch_op.drop_index(batch_op.f("ix_archive_file_replaces_id"))
        batch_op.drop_index(batch_op.f("ix_archive_file_digest"))
        batch_op.drop_index("ix_archive_file_customer_id_part_state")

    op.drop_table("archive_file")
    with op.batch_alter_table("archive_dossier", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_archive_dossier_changed_at"))

    op.drop_table("archive_dossier")
    with op.batch_alter_table("archive_target", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_archive_target_user_id"))
        batch_op.drop_index(batch_op.f("ix_archive_target_department_id"))

    op.drop_table("archive_target")
    op.drop_table("archive_alarm")
    with op.batch_alter_table("archive_forecast", schema=None) as batch_op:
        batch_op.drop_index("ix_archive_forecast_owner_id")

    op.drop_table("archive_forecast")
    with op.batch_alter_table("archive_content", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_archive_content_storage_key"))
        batch_op.drop_index(batch_op.f("ix_archive_content_reserved_at"))

    op.drop_table("archive_content")
