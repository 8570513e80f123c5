"""The tables of the first version.

Revision: portal_0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from portal.approvals import ddl as approvals
from portal.audit import ddl as audit
from portal.purchases import ddl as purchases

revision = "portal_0001"
down_revision = None
branch_labels = ("portal",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_check",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_whole", sa.Boolean(), nullable=False),
        sa.Column("entries", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("broken_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("problem", sa.String(length=40), nullable=False),
        sa.Column("anchor_seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_check")),
    )
    op.create_table(
        "audit_entry",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("actor_name", sa.String(length=100), nullable=False),
        sa.Column("on_behalf_of_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("action", sa.String(length=100), nullable=False),
        sa.Column("object_type", sa.String(length=50), nullable=False),
        sa.Column("object_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("object_label", sa.String(length=300), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("old_values", sa.Text(), nullable=True),
        sa.Column("new_values", sa.Text(), nullable=True),
        sa.Column("private", sa.Text(), nullable=True),
        sa.Column("private_salt", sa.String(length=32), nullable=True),
        sa.Column("private_hash", sa.String(length=64), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=False),
        sa.Column("session_hint", sa.String(length=12), nullable=False),
        sa.Column("result", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("result IN ('ok', 'refused', 'failed')", name=op.f("ck_audit_entry_result")),
        sa.CheckConstraint("seq > 0", name=op.f("ck_audit_entry_seq")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_entry")),
    )
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.create_index("ix_audit_entry_action", ["action", "seq"], unique=False)
        batch_op.create_index("ix_audit_entry_actor", ["actor_id", "seq"], unique=False)
        batch_op.create_index("ix_audit_entry_at", ["at", "seq"], unique=False)
        batch_op.create_index(
            "ix_audit_entry_customer",
            ["customer_id", "seq"],
            unique=False,
            postgresql_where=sa.text("customer_id IS NOT NULL"),
            sqlite_where=sa.text("customer_id IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_audit_entry_not_ok",
            ["seq"],
            unique=False,
            postgresql_where=sa.text("result <> 'ok'"),
            sqlite_where=sa.text("result <> 'ok'"),
        )
        batch_op.create_index("ix_audit_entry_object", ["object_type", "object_id", "seq"], unique=False)

    op.create_table(
        "audit_head",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_head_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "auth_throttle",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_failure_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("blocked_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_auth_throttle")),
    )
    with op.batch_alter_table("auth_throttle", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_auth_throttle_last_failure_at"), ["last_failure_at"], unique=False)

    op.create_table(
        "document_number",
        sa.Column("prefix", sa.String(length=16), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("prefix", "year", name=op.f("pk_document_number")),
    )
    op.create_table(
        "import_key",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("target", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("record_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_key")),
        sa.UniqueConstraint("target", "key", name=op.f("uq_import_key_target_key")),
    )
    with op.batch_alter_table("import_key", schema=None) as batch_op:
        batch_op.create_index("ix_import_key_record", ["target", "record_id"], unique=False)

    op.create_table(
        "job_heartbeat",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_job_heartbeat")),
    )
    with op.batch_alter_table("job_heartbeat", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_job_heartbeat_seen_at"), ["seen_at"], unique=False)

    op.create_table(
        "job_schedule",
        sa.Column("job_key", sa.String(length=80), nullable=False),
        sa.Column("last_slot", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("job_key", name=op.f("pk_job_schedule")),
    )
    op.create_table(
        "job_slot",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("job_key", sa.String(length=80), nullable=False),
        sa.Column("slot", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_slot")),
        sa.UniqueConstraint("job_key", "slot", name=op.f("uq_job_slot_job_key_slot")),
    )
    with op.batch_alter_table("job_slot", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_job_slot_slot"), ["slot"], unique=False)

    op.create_table(
        "org_department",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("parent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column("head_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("deputy_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "head_id IS NULL OR head_id <> deputy_id", name=op.f("ck_org_department_head_is_not_deputy")
        ),
        sa.ForeignKeyConstraint(
            ["deputy_id"], ["org_user.id"], name=op.f("fk_org_department_deputy_id_org_user"), use_alter=True
        ),
        sa.ForeignKeyConstraint(
            ["head_id"], ["org_user.id"], name=op.f("fk_org_department_head_id_org_user"), use_alter=True
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["org_department.id"], name=op.f("fk_org_department_parent_id_org_department")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_org_department")),
        sa.UniqueConstraint("code", name=op.f("uq_org_department_code")),
    )
    with op.batch_alter_table("org_department", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_org_department_deputy_id"), ["deputy_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_org_department_head_id"), ["head_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_org_department_parent_id"), ["parent_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_org_department_path"), ["path"], unique=False)

    op.create_table(
        "product",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column(
            "name_sort",
            sa.String(length=200).with_variant(sa.String(length=200, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("search_text", sa.String(length=1000), nullable=False),
        sa.Column("category", sa.String(length=100), nullable=False),
        sa.Column("grade", sa.String(length=10), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("list_price", sa.BigInteger(), nullable=False),
        sa.Column("unit_cost", sa.BigInteger(), nullable=False),
        sa.Column("days_per_unit", sa.Integer(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("grade IN ('high', 'middle', 'ordinary')", name=op.f("ck_product_grade")),
        sa.CheckConstraint("list_price >= 0 AND unit_cost >= 0", name=op.f("ck_product_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product")),
        sa.UniqueConstraint("code", name=op.f("uq_product_code")),
    )
    with op.batch_alter_table("product", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_product_category"), ["category"], unique=False)
        batch_op.create_index("ix_product_name_sort_id", ["name_sort", "id"], unique=False)

    op.create_table(
        "org_user",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("name_sort", sa.String(length=300), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("phone", sa.String(length=32), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("department_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("supervisor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("deactivated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("successor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("person_key", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("theme", sa.String(length=8), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"], ["org_department.id"], name=op.f("fk_org_user_department_id_org_department")
        ),
        sa.ForeignKeyConstraint(["successor_id"], ["org_user.id"], name=op.f("fk_org_user_successor_id_org_user")),
        sa.ForeignKeyConstraint(["supervisor_id"], ["org_user.id"], name=op.f("fk_org_user_supervisor_id_org_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_org_user")),
        sa.UniqueConstraint("login", name=op.f("uq_org_user_login")),
    )
    with op.batch_alter_table("org_user", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_org_user_department_id"), ["department_id"], unique=False)
        batch_op.create_index("ix_org_user_name_sort_id", ["name_sort", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_org_user_person_key"), ["person_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_org_user_supervisor_id"), ["supervisor_id"], unique=False)

    op.create_table(
        "auth_identity",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["org_user.id"], name=op.f("fk_auth_identity_user_id_org_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_auth_identity")),
        sa.UniqueConstraint("provider", "subject", name=op.f("uq_auth_identity_provider_subject")),
    )
    with op.batch_alter_table("auth_identity", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_auth_identity_user_id"), ["user_id"], unique=False)

    op.create_table(
        "auth_password",
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["org_user.id"], name=op.f("fk_auth_password_user_id_org_user")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_auth_password")),
    )
    op.create_table(
        "auth_session",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("method", sa.String(length=64), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("restricted", sa.String(length=32), nullable=False),
        sa.Column("authority", sa.String(length=64), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=False),
        sa.Column("user_agent", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["org_user.id"], name=op.f("fk_auth_session_user_id_org_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_auth_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_auth_session_token_hash")),
    )
    with op.batch_alter_table("auth_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_auth_session_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_auth_session_user_id"), ["user_id"], unique=False)

    op.create_table(
        "customer",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("party", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("short_name", sa.String(length=100), nullable=False),
        sa.Column(
            "name_sort",
            sa.String(length=200).with_variant(sa.String(length=200, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("credit_code", sa.String(length=18), nullable=True),
        sa.Column("industry", sa.String(length=60), nullable=False),
        sa.Column("size_class", sa.String(length=8), nullable=False),
        sa.Column("region_code", sa.String(length=6), nullable=False),
        sa.Column("address", sa.String(length=300), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("demand", sa.Text(), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("phone_digits", sa.String(length=20), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("website", sa.String(length=200), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("source", sa.String(length=24), nullable=False),
        sa.Column("source_note", sa.String(length=200), nullable=False),
        sa.Column("referrer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("account_manager_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("department_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("stage_changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("merged_into_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("next_contact_on", sa.Date(), nullable=True),
        sa.Column("last_contact_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "next_contact_sort",
            sa.Date(),
            sa.Computed("coalesce(next_contact_on, '9999-12-31')", persisted=True),
            nullable=False,
        ),
        sa.Column(
            "last_contact_sort",
            sa.DateTime(timezone=True),
            sa.Computed("coalesce(last_contact_at, '1900-01-01 00:00:00.000000')", persisted=True),
            nullable=False,
        ),
        sa.Column("total_12m", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_purchase_on", sa.Date(), nullable=True),
        sa.Column("purchase_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("(status = 'merged') = (merged_into_id IS NOT NULL)", name=op.f("ck_customer_merged_into")),
        sa.CheckConstraint(
            "kind IN ('wholesaler', 'distributor', 'dealer', 'retailer', 'end_user')", name=op.f("ck_customer_kind")
        ),
        sa.CheckConstraint("party IN ('organisation', 'person')", name=op.f("ck_customer_party")),
        sa.CheckConstraint(
            "stage IN ('to_identify', 'potential', 'opportunity', 'ordering', 'user', 'dormant', 'lost')",
            name=op.f("ck_customer_stage"),
        ),
        sa.CheckConstraint("status IN ('active', 'inactive', 'merged')", name=op.f("ck_customer_status")),
        sa.CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name=op.f("ck_customer_coordinates")),
        sa.CheckConstraint("referrer_id IS NULL OR referrer_id <> id", name=op.f("ck_customer_not_own_referrer")),
        sa.ForeignKeyConstraint(
            ["account_manager_id"], ["org_user.id"], name=op.f("fk_customer_account_manager_id_org_user")
        ),
        sa.ForeignKeyConstraint(["created_by_id"], ["org_user.id"], name=op.f("fk_customer_created_by_id_org_user")),
        sa.ForeignKeyConstraint(
            ["department_id"], ["org_department.id"], name=op.f("fk_customer_department_id_org_department")
        ),
        sa.ForeignKeyConstraint(["merged_into_id"], ["customer.id"], name=op.f("fk_customer_merged_into_id_customer")),
        sa.ForeignKeyConstraint(["referrer_id"], ["customer.id"], name=op.f("fk_customer_referrer_id_customer")),
        sa.ForeignKeyConstraint(["updated_by_id"], ["org_user.id"], name=op.f("fk_customer_updated_by_id_org_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer")),
    )
    with op.batch_alter_table("customer", schema=None) as batch_op:
        batch_op.create_index("ix_customer_created_at", ["created_at", "id"], unique=False)
        batch_op.create_index("ix_customer_department_created_at", ["department_id", "created_at", "id"], unique=False)
        batch_op.create_index(
            "ix_customer_department_last_contact_sort", ["department_id", "last_contact_sort", "id"], unique=False
        )
        batch_op.create_index("ix_customer_department_name_sort", ["department_id", "name_sort", "id"], unique=False)
        batch_op.create_index(
            "ix_customer_department_next_contact_sort", ["department_id", "next_contact_sort", "id"], unique=False
        )
        batch_op.create_index("ix_customer_department_total_12m", ["department_id", "total_12m", "id"], unique=False)
        batch_op.create_index("ix_customer_last_contact_sort", ["last_contact_sort", "id"], unique=False)
        batch_op.create_index(
            "ix_customer_manager_created_at", ["account_manager_id", "created_at", "id"], unique=False
        )
        batch_op.create_index(
            "ix_customer_manager_last_contact_sort", ["account_manager_id", "last_contact_sort", "id"], unique=False
        )
        batch_op.create_index("ix_customer_manager_name_sort", ["account_manager_id", "name_sort", "id"], unique=False)
        batch_op.create_index(
            "ix_customer_manager_next_contact_sort", ["account_manager_id", "next_contact_sort", "id"], unique=False
        )
        batch_op.create_index("ix_customer_manager_total_12m", ["account_manager_id", "total_12m", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_customer_merged_into_id"), ["merged_into_id"], unique=False)
        batch_op.create_index("ix_customer_name_sort", ["name_sort", "id"], unique=False)
        batch_op.create_index("ix_customer_next_contact_sort", ["next_contact_sort", "id"], unique=False)
        batch_op.create_index("ix_customer_phone_digits", ["phone_digits"], unique=False)
        batch_op.create_index(batch_op.f("ix_customer_referrer_id"), ["referrer_id"], unique=False)
        batch_op.create_index("ix_customer_region_code", ["region_code", "id"], unique=False)
        batch_op.create_index("ix_customer_total_12m", ["total_12m", "id"], unique=False)
        batch_op.create_index(
            "uq_customer_credit_code",
            ["credit_code"],
            unique=True,
            postgresql_where=sa.text("credit_code IS NOT NULL AND status <> 'merged'"),
            sqlite_where=sa.text("credit_code IS NOT NULL AND status <> 'merged'"),
        )

    op.create_table(
        "customer_phone_lookup",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["org_user.id"], name=op.f("fk_customer_phone_lookup_user_id_org_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_phone_lookup")),
    )
    with op.batch_alter_table("customer_phone_lookup", schema=None) as batch_op:
        batch_op.create_index("ix_customer_phone_lookup_user_at", ["user_id", "at"], unique=False)

    op.create_table(
        "data_export",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("listing", sa.String(length=60), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("filters", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("format", sa.String(length=4), nullable=False),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("asked_rows", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("storage_key", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.String(length=500), nullable=False),
        sa.CheckConstraint("format IN ('xlsx', 'csv')", name=op.f("ck_data_export_format")),
        sa.CheckConstraint(
            "state IN ('waiting', 'refused', 'queued', 'ready', 'failed', 'expired', 'sent')",
            name=op.f("ck_data_export_state"),
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["org_user.id"], name=op.f("fk_data_export_owner_id_org_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_export")),
    )
    with op.batch_alter_table("data_export", schema=None) as batch_op:
        batch_op.create_index("ix_data_export_expires_at", ["expires_at"], unique=False)
        batch_op.create_index("ix_data_export_owner", ["owner_id", "created_at"], unique=False)

    op.create_table(
        "import_batch",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("target", sa.String(length=40), nullable=False),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("storage_key", sa.String(length=120), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("sheet", sa.String(length=200), nullable=False),
        sa.Column("encoding", sa.String(length=20), nullable=False),
        sa.Column("delimiter", sa.String(length=4), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("mapping", sa.Text(), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("problem", sa.String(length=500), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('draft', 'checking', 'checked', 'running', 'done', 'undoing', 'undone')",
            name=op.f("ck_import_batch_state"),
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["org_user.id"], name=op.f("fk_import_batch_owner_id_org_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_batch")),
    )
    with op.batch_alter_table("import_batch", schema=None) as batch_op:
        batch_op.create_index("ix_import_batch_created_at", ["created_at"], unique=False)
        batch_op.create_index("ix_import_batch_owner", ["owner_id", "id"], unique=False)

    op.create_table(
        "import_column",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("target", sa.String(length=40), nullable=False),
        sa.Column("heading", sa.String(length=200), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["org_user.id"], name=op.f("fk_import_column_user_id_org_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_column")),
        sa.UniqueConstraint("user_id", "target", "heading", name=op.f("uq_import_column_user_id_target_heading")),
    )
    op.create_table(
        "job_run",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("job_key", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("as_system", sa.Boolean(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("unique_key", sa.String(length=200), nullable=True),
        sa.Column("slot", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_by", sa.String(length=120), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("progress_done", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("progress_total", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("progress_label", sa.String(length=300), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("error", sa.String(length=500), nullable=False),
        sa.Column("error_id", sa.String(length=16), nullable=False),
        sa.Column("retry_of_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'done', 'failed', 'cancelled')", name=op.f("ck_job_run_state")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["org_user.id"], name=op.f("fk_job_run_owner_id_org_user")),
        sa.ForeignKeyConstraint(
            ["retry_of_id"], ["job_run.id"], name=op.f("fk_job_run_retry_of_id_job_run"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_run")),
    )
    with op.batch_alter_table("job_run", schema=None) as batch_op:
        batch_op.create_index(
            "ix_job_run_active",
            ["state", "id"],
            unique=False,
            postgresql_where=sa.text("state IN ('queued', 'running')"),
            sqlite_where=sa.text("state IN ('queued', 'running')"),
        )
        batch_op.create_index("ix_job_run_job_key", ["job_key", "id"], unique=False)
        batch_op.create_index("ix_job_run_owner", ["owner_id", "id"], unique=False)
        batch_op.create_index("ix_job_run_state_finished", ["state", "finished_at"], unique=False)
        batch_op.create_index(
            "ux_job_run_unique_key",
            ["unique_key"],
            unique=True,
            postgresql_where=sa.text("state IN ('queued', 'running')"),
            sqlite_where=sa.text("state IN ('queued', 'running')"),
        )

    op.create_table(
        "notice",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("about", sa.String(length=100), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("actor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("actor_name", sa.String(length=100), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_for_digest", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["org_user.id"], name=op.f("fk_notice_actor_id_org_user")),
        sa.ForeignKeyConstraint(["user_id"], ["org_user.id"], name=op.f("fk_notice_user_id_org_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.create_index(
            "ix_notice_digest",
            ["user_id", "id"],
            unique=False,
            postgresql_where=sa.text("is_for_digest"),
            sqlite_where=sa.text("is_for_digest"),
        )
        batch_op.create_index(
            "ix_notice_unread",
            ["user_id", "id"],
            unique=False,
            postgresql_where=sa.text("read_at IS NULL"),
            sqlite_where=sa.text("read_at IS NULL"),
        )
        batch_op.create_index("ix_notice_user", ["user_id", "id"], unique=False)

    op.create_table(
        "notice_preference",
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("channel", sa.String(length=12), nullable=False),
        sa.CheckConstraint(
            "channel IN ('mail', 'digest', 'portal', 'none')", name=op.f("ck_notice_preference_channel")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["org_user.id"], name=op.f("fk_notice_preference_user_id_org_user")),
        sa.PrimaryKeyConstraint("user_id", "kind", name=op.f("pk_notice_preference")),
    )
    op.create_table(
        "org_delegation",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("delegator_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("delegate_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("begins_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kinds", sa.Text(), nullable=False),
        sa.Column("departments", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint("begins_at < ends_at", name=op.f("ck_org_delegation_window")),
        sa.CheckConstraint("delegator_id <> delegate_id", name=op.f("ck_org_delegation_not_to_oneself")),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["org_user.id"], name=op.f("fk_org_delegation_created_by_id_org_user")
        ),
        sa.ForeignKeyConstraint(["delegate_id"], ["org_user.id"], name=op.f("fk_org_delegation_delegate_id_org_user")),
        sa.ForeignKeyConstraint(
            ["delegator_id"], ["org_user.id"], name=op.f("fk_org_delegation_delegator_id_org_user")
        ),
        sa.ForeignKeyConstraint(
            ["revoked_by_id"], ["org_user.id"], name=op.f("fk_org_delegation_revoked_by_id_org_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_org_delegation")),
        sa.UniqueConstraint(
            "delegator_id",
            "delegate_id",
            "begins_at",
            "kinds",
            name=op.f("uq_org_delegation_delegator_id_delegate_id_begins_at_kinds"),
        ),
    )
    with op.batch_alter_table("org_delegation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_org_delegation_delegate_id"), ["delegate_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_org_delegation_delegator_id"), ["delegator_id"], unique=False)

    op.create_table(
        "org_user_role",
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["org_user.id"], name=op.f("fk_org_user_role_user_id_org_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "role", name=op.f("pk_org_user_role")),
    )
    op.create_table(
        "outbox_message",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel", sa.String(length=12), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("about", sa.String(length=100), nullable=False),
        sa.Column("to_address", sa.String(length=254), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("items", sa.Text(), nullable=False),
        sa.Column("template", sa.String(length=20), nullable=False),
        sa.Column("message_id", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_by", sa.String(length=40), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(length=500), nullable=False),
        sa.CheckConstraint(
            "state IN ('queued', 'sending', 'sent', 'spooled', 'failed')", name=op.f("ck_outbox_message_state")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["org_user.id"], name=op.f("fk_outbox_message_user_id_org_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_message")),
        sa.UniqueConstraint("message_id", name=op.f("uq_outbox_message_message_id")),
    )
    with op.batch_alter_table("outbox_message", schema=None) as batch_op:
        batch_op.create_index(
            "ix_outbox_message_open",
            ["next_at", "id"],
            unique=False,
            postgresql_where=sa.text("state IN ('queued', 'sending')"),
            sqlite_where=sa.text("state IN ('queued', 'sending')"),
        )
        batch_op.create_index("ix_outbox_message_state", ["state", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_outbox_message_user_id"), ["user_id"], unique=False)

    op.create_table(
        "saved_view",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("listing", sa.String(length=60), nullable=False),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("is_shared", sa.Boolean(), nullable=False),
        sa.Column("is_pinned", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["org_user.id"], name=op.f("fk_saved_view_owner_id_org_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
        sa.UniqueConstraint("listing", "owner_id", "name", name=op.f("uq_saved_view_listing_owner_id_name")),
    )
    with op.batch_alter_table("saved_view", schema=None) as batch_op:
        batch_op.create_index("ix_saved_view_listing_shared", ["listing", "is_shared"], unique=False)

    op.create_table(
        "setting",
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["updated_by"], ["org_user.id"], name=op.f("fk_setting_updated_by_org_user")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_setting")),
    )
    op.create_table(
        "approval_request",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("policy_version", sa.String(length=40), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("previous_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("subject_type", sa.String(length=60), nullable=False),
        sa.Column("subject_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("applicant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("typed_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("department_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("applicant_department_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("follows_customer", sa.Boolean(), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("step_position", sa.Integer(), nullable=False),
        sa.Column("conditions", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminder_stage", sa.Integer(), nullable=False),
        sa.Column("urged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("closing_note", sa.String(length=500), nullable=False),
        sa.CheckConstraint(
            "state <> 'pending' OR (filed_at IS NOT NULL AND expires_at IS NOT NULL)",
            name=op.f("ck_approval_request_pending_dates"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'pending', 'approved', 'rejected', 'returned', 'withdrawn', 'expired', 'cancelled')",
            name=op.f("ck_approval_request_state"),
        ),
        sa.ForeignKeyConstraint(
            ["applicant_department_id"],
            ["org_department.id"],
            name=op.f("fk_approval_request_applicant_department_id_org_department"),
        ),
        sa.ForeignKeyConstraint(
            ["applicant_id"], ["org_user.id"], name=op.f("fk_approval_request_applicant_id_org_user")
        ),
        sa.ForeignKeyConstraint(
            ["closed_by_id"], ["org_user.id"], name=op.f("fk_approval_request_closed_by_id_org_user")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_approval_request_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["department_id"], ["org_department.id"], name=op.f("fk_approval_request_department_id_org_department")
        ),
        sa.ForeignKeyConstraint(
            ["previous_id"], ["approval_request.id"], name=op.f("fk_approval_request_previous_id_approval_request")
        ),
        sa.ForeignKeyConstraint(
            ["typed_by_id"], ["org_user.id"], name=op.f("fk_approval_request_typed_by_id_org_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_request")),
        sa.UniqueConstraint("previous_id", name=op.f("uq_approval_request_previous_id")),
        sa.UniqueConstraint("token", name="uq_approval_request_token"),
    )
    with op.batch_alter_table("approval_request", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_approval_request_applicant_department_id"), ["applicant_department_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_approval_request_applicant_id"), ["applicant_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_approval_request_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_approval_request_department_id"), ["department_id"], unique=False)
        batch_op.create_index("ix_approval_request_mine", ["applicant_id", "created_at", "id"], unique=False)
        batch_op.create_index("ix_approval_request_state_expires", ["state", "expires_at"], unique=False)
        batch_op.create_index("ix_approval_request_subject", ["subject_type", "subject_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_approval_request_typed_by_id"), ["typed_by_id"], unique=False)

    op.create_table(
        "contact",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column(
            "name_sort",
            sa.String(length=200).with_variant(sa.String(length=200, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("sex", sa.String(length=8), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("department", sa.String(length=100), nullable=False),
        sa.Column("employer_kind", sa.String(length=24), nullable=False),
        sa.Column("rank", sa.String(length=24), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("wechat", sa.String(length=40), nullable=False),
        sa.Column("birthday_calendar", sa.String(length=8), nullable=False),
        sa.Column("birthday_month", sa.SmallInteger(), nullable=True),
        sa.Column("birthday_day", sa.SmallInteger(), nullable=True),
        sa.Column("birthday_leap", sa.Boolean(), nullable=False),
        sa.Column("birthday_year", sa.SmallInteger(), nullable=True),
        sa.Column("interests", sa.String(length=500), nullable=False),
        sa.Column("buying_role", sa.String(length=16), nullable=False),
        sa.Column("attitude", sa.SmallInteger(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("message_consent", sa.Boolean(), nullable=False),
        sa.Column("message_consent_on", sa.Date(), nullable=True),
        sa.Column("message_consent_source", sa.String(length=200), nullable=False),
        sa.Column("is_primary", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("(birthday_calendar = '') = (birthday_day IS NULL)", name=op.f("ck_contact_birthday_day")),
        sa.CheckConstraint(
            "(birthday_calendar = '') = (birthday_month IS NULL)", name=op.f("ck_contact_birthday_month")
        ),
        sa.CheckConstraint("birthday_calendar IN ('', 'solar', 'lunar')", name=op.f("ck_contact_birthday_calendar")),
        sa.CheckConstraint(
            "NOT message_consent OR message_consent_on IS NOT NULL", name=op.f("ck_contact_message_consent")
        ),
        sa.CheckConstraint("attitude IS NULL OR attitude BETWEEN -2 AND 2", name=op.f("ck_contact_attitude")),
        sa.ForeignKeyConstraint(["created_by_id"], ["org_user.id"], name=op.f("fk_contact_created_by_id_org_user")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_contact_customer_id_customer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
    )
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.create_index(
            "ix_contact_birthday", ["birthday_calendar", "birthday_month", "birthday_day"], unique=False
        )
        batch_op.create_index("ix_contact_customer", ["customer_id", "is_active", "id"], unique=False)
        batch_op.create_index("ix_contact_name_sort", ["name_sort", "id"], unique=False)

    op.create_table(
        "customer_alias",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("alias", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_customer_alias_customer_id_customer"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_alias")),
        sa.UniqueConstraint("customer_id", "alias", name=op.f("uq_customer_alias_customer_id_alias")),
    )
    op.create_table(
        "customer_favourite",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_customer_favourite_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["org_user.id"], name=op.f("fk_customer_favourite_user_id_org_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_favourite")),
        sa.UniqueConstraint("user_id", "customer_id", name=op.f("uq_customer_favourite_user_id_customer_id")),
    )
    with op.batch_alter_table("customer_favourite", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_customer_favourite_customer_id"), ["customer_id"], unique=False)

    op.create_table(
        "customer_merge",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kept_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("merged_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("former_status", sa.String(length=12), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("stayed", sa.Text(), nullable=False),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("merged_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("kept_id <> merged_id", name=op.f("ck_customer_merge_two_records")),
        sa.ForeignKeyConstraint(["kept_id"], ["customer.id"], name=op.f("fk_customer_merge_kept_id_customer")),
        sa.ForeignKeyConstraint(
            ["merged_by_id"], ["org_user.id"], name=op.f("fk_customer_merge_merged_by_id_org_user")
        ),
        sa.ForeignKeyConstraint(["merged_id"], ["customer.id"], name=op.f("fk_customer_merge_merged_id_customer")),
        sa.ForeignKeyConstraint(
            ["undone_by_id"], ["org_user.id"], name=op.f("fk_customer_merge_undone_by_id_org_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_merge")),
    )
    with op.batch_alter_table("customer_merge", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_customer_merge_kept_id"), ["kept_id"], unique=False)
        batch_op.create_index("ix_customer_merge_merged_at", ["merged_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_customer_merge_merged_id"), ["merged_id"], unique=False)

    op.create_table(
        "customer_person",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sex", sa.String(length=8), nullable=False),
        sa.Column("birth_year", sa.SmallInteger(), nullable=True),
        sa.Column("occupation", sa.String(length=100), nullable=False),
        sa.Column("education", sa.String(length=50), nullable=False),
        sa.Column("ethnicity", sa.String(length=50), nullable=False),
        sa.Column("employer", sa.String(length=200), nullable=False),
        sa.Column("home_address", sa.String(length=300), nullable=False),
        sa.Column("purpose", sa.String(length=300), nullable=False),
        sa.Column("consent", sa.String(length=500), nullable=False),
        sa.Column("consented_on", sa.Date(), nullable=True),
        sa.Column("consent_recorded_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint(
            "birth_year IS NULL OR birth_year BETWEEN 1900 AND 2100", name=op.f("ck_customer_person_birth_year")
        ),
        sa.ForeignKeyConstraint(
            ["consent_recorded_by_id"], ["org_user.id"], name=op.f("fk_customer_person_consent_recorded_by_id_org_user")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_customer_person_customer_id_customer"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_person")),
        sa.UniqueConstraint("customer_id", name=op.f("uq_customer_person_customer_id")),
    )
    op.create_table(
        "customer_qualification",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("need", sa.String(length=8), nullable=False),
        sa.Column("means", sa.String(length=8), nullable=False),
        sa.Column("reputation", sa.String(length=8), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("assessed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("assessed_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint(
            "means IN ('unknown', 'poor', 'fair', 'good')", name=op.f("ck_customer_qualification_means")
        ),
        sa.CheckConstraint("need IN ('unknown', 'poor', 'fair', 'good')", name=op.f("ck_customer_qualification_need")),
        sa.CheckConstraint(
            "reputation IN ('unknown', 'poor', 'fair', 'good')", name=op.f("ck_customer_qualification_reputation")
        ),
        sa.ForeignKeyConstraint(
            ["assessed_by_id"], ["org_user.id"], name=op.f("fk_customer_qualification_assessed_by_id_org_user")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_customer_qualification_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_qualification")),
    )
    with op.batch_alter_table("customer_qualification", schema=None) as batch_op:
        batch_op.create_index("ix_customer_qualification_customer", ["customer_id", "assessed_at", "id"], unique=False)

    op.create_table(
        "customer_stage_change",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("from_stage", sa.String(length=16), nullable=False),
        sa.Column("to_stage", sa.String(length=16), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["changed_by_id"], ["org_user.id"], name=op.f("fk_customer_stage_change_changed_by_id_org_user")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_customer_stage_change_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_stage_change")),
    )
    with op.batch_alter_table("customer_stage_change", schema=None) as batch_op:
        batch_op.create_index("ix_customer_stage_change_customer", ["customer_id", "changed_at", "id"], unique=False)

    op.create_table(
        "customer_term",
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column(
            "term", sa.String(length=48).with_variant(sa.String(length=48, collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_customer_term_customer_id_customer"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("kind", "term", "customer_id", name=op.f("pk_customer_term")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("customer_term", schema=None) as batch_op:
        batch_op.create_index("ix_customer_term_customer_id", ["customer_id"], unique=False)

    op.create_table(
        "document",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("data_digest", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("content_digest", sa.String(length=64), nullable=False),
        sa.Column("storage_key", sa.String(length=120), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("made_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state <> 'ready' OR storage_key <> ''", name=op.f("ck_document_ready_has_content")),
        sa.CheckConstraint("state IN ('reserved', 'ready', 'failed', 'erased')", name=op.f("ck_document_state")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_document_customer_id_customer")),
        sa.ForeignKeyConstraint(["made_by_id"], ["org_user.id"], name=op.f("fk_document_made_by_id_org_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
        sa.UniqueConstraint("number", name=op.f("uq_document_number")),
    )
    with op.batch_alter_table("document", schema=None) as batch_op:
        batch_op.create_index("ix_document_customer_id_id", ["customer_id", "id"], unique=False)
        batch_op.create_index("ix_document_kind_id", ["kind", "id"], unique=False)
        batch_op.create_index("ix_document_made_by_id_id", ["made_by_id", "id"], unique=False)

    op.create_table(
        "import_row",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("batch_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("head", sa.Integer(), nullable=False),
        sa.Column("cells", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("values", sa.Text(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("target_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "action IN ('create', 'update', 'unchanged', 'skip', 'refused', 'part')", name=op.f("ck_import_row_action")
        ),
        sa.CheckConstraint("state IN ('staged', 'applied', 'undone', 'kept')", name=op.f("ck_import_row_state")),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["import_batch.id"], name=op.f("fk_import_row_batch_id_import_batch"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_row")),
        sa.UniqueConstraint("batch_id", "number", name=op.f("uq_import_row_batch_id_number")),
    )
    with op.batch_alter_table("import_row", schema=None) as batch_op:
        batch_op.create_index(
            "ix_import_row_digest",
            ["digest"],
            unique=False,
            postgresql_where=sa.text("state = 'applied' AND digest <> ''"),
            sqlite_where=sa.text("state = 'applied' AND digest <> ''"),
        )
        batch_op.create_index("ix_import_row_work", ["batch_id", "state", "action", "number"], unique=False)

    op.create_table(
        "interaction",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("direction", sa.String(length=8), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("appointment", sa.String(length=12), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=True),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("opinions", sa.Text(), nullable=False),
        sa.Column("author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("cancel_reason", sa.String(length=300), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "appointment IN ('none', 'requested', 'confirmed')", name=op.f("ck_interaction_appointment")
        ),
        sa.CheckConstraint("direction IN ('outgoing', 'incoming')", name=op.f("ck_interaction_direction")),
        sa.CheckConstraint(
            "kind IN ('visit', 'phone', 'sms', 'email', 'letter', 'event', 'advertisement', 'web')",
            name=op.f("ck_interaction_kind"),
        ),
        sa.CheckConstraint("cost IS NULL OR cost >= 0", name=op.f("ck_interaction_cost")),
        sa.CheckConstraint("minutes IS NULL OR minutes BETWEEN 0 AND 1440", name=op.f("ck_interaction_minutes")),
        sa.ForeignKeyConstraint(["author_id"], ["org_user.id"], name=op.f("fk_interaction_author_id_org_user")),
        sa.ForeignKeyConstraint(
            ["cancelled_by_id"], ["org_user.id"], name=op.f("fk_interaction_cancelled_by_id_org_user")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_interaction_customer_id_customer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interaction")),
    )
    with op.batch_alter_table("interaction", schema=None) as batch_op:
        batch_op.create_index("ix_interaction_at", ["at", "id"], unique=False)
        batch_op.create_index("ix_interaction_author", ["author_id", "at", "id"], unique=False)
        batch_op.create_index("ix_interaction_customer", ["customer_id", "at", "id"], unique=False)

    op.create_table(
        "purchase",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "number",
            sa.String(length=60).with_variant(sa.String(length=60, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("purchased_on", sa.Date(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.Column("total_high_middle", sa.BigInteger(), nullable=False),
        sa.Column("remarks", sa.String(length=1000), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("cancel_reason", sa.String(length=500), server_default="", nullable=False),
        sa.Column("import_batch_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("paid_on IS NULL OR paid_on >= purchased_on", name=op.f("ck_purchase_paid_after_purchase")),
        sa.CheckConstraint("total >= 0 AND cost >= 0", name=op.f("ck_purchase_not_negative")),
        sa.ForeignKeyConstraint(
            ["cancelled_by_id"], ["org_user.id"], name=op.f("fk_purchase_cancelled_by_id_org_user")
        ),
        sa.ForeignKeyConstraint(["created_by_id"], ["org_user.id"], name=op.f("fk_purchase_created_by_id_org_user")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_purchase_customer_id_customer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase")),
        sa.UniqueConstraint("number", name=op.f("uq_purchase_number")),
    )
    with op.batch_alter_table("purchase", schema=None) as batch_op:
        batch_op.create_index(
            "ix_purchase_customer_id_purchased_on_id", ["customer_id", "purchased_on", "id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_purchase_import_batch_id"), ["import_batch_id"], unique=False)
        batch_op.create_index(
            "ix_purchase_open",
            ["purchased_on", "id"],
            unique=False,
            postgresql_where=sa.text("paid_on IS NULL AND cancelled_at IS NULL"),
            sqlite_where=sa.text("paid_on IS NULL AND cancelled_at IS NULL"),
        )
        batch_op.create_index("ix_purchase_purchased_on_id", ["purchased_on", "id"], unique=False)
        batch_op.create_index("ix_purchase_total_id", ["total", "id"], unique=False)

    op.create_table(
        "purchase_month",
        sa.Column(
            "customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("year", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("month", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.Column("total_high_middle", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.CheckConstraint("month BETWEEN 1 AND 12", name=op.f("ck_purchase_month_month")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_purchase_month_customer_id_customer")),
        sa.PrimaryKeyConstraint("customer_id", "year", "month", name=op.f("pk_purchase_month")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "approval_beneficiary",
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id"], ["approval_request.id"], name=op.f("fk_approval_beneficiary_request_id_approval_request")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["org_user.id"], name=op.f("fk_approval_beneficiary_user_id_org_user")),
        sa.PrimaryKeyConstraint("request_id", "user_id", name=op.f("pk_approval_beneficiary")),
    )
    op.create_table(
        "approval_copy",
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["org_user.id"], name=op.f("fk_approval_copy_by_id_org_user")),
        sa.ForeignKeyConstraint(
            ["request_id"], ["approval_request.id"], name=op.f("fk_approval_copy_request_id_approval_request")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["org_user.id"], name=op.f("fk_approval_copy_user_id_org_user")),
        sa.PrimaryKeyConstraint("request_id", "user_id", name=op.f("pk_approval_copy")),
    )
    with op.batch_alter_table("approval_copy", schema=None) as batch_op:
        batch_op.create_index("ix_approval_copy_user_time", ["user_id", "created_at", "request_id"], unique=False)

    op.create_table(
        "approval_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("for_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("target_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("note", sa.String(length=2000), nullable=False),
        sa.Column("step_key", sa.String(length=60), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["org_user.id"], name=op.f("fk_approval_event_actor_id_org_user")),
        sa.ForeignKeyConstraint(["for_id"], ["org_user.id"], name=op.f("fk_approval_event_for_id_org_user")),
        sa.ForeignKeyConstraint(
            ["request_id"], ["approval_request.id"], name=op.f("fk_approval_event_request_id_approval_request")
        ),
        sa.ForeignKeyConstraint(["target_id"], ["org_user.id"], name=op.f("fk_approval_event_target_id_org_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_event")),
    )
    with op.batch_alter_table("approval_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_approval_event_request_id"), ["request_id"], unique=False)

    op.create_table(
        "approval_opinion",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("asked_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("question", sa.String(length=1000), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.String(length=2000), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["org_user.id"], name=op.f("fk_approval_opinion_asked_by_id_org_user")
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["approval_request.id"], name=op.f("fk_approval_opinion_request_id_approval_request")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["org_user.id"], name=op.f("fk_approval_opinion_user_id_org_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_opinion")),
    )
    with op.batch_alter_table("approval_opinion", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_approval_opinion_request_id"), ["request_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_approval_opinion_user_id"), ["user_id"], unique=False)
        batch_op.create_index(
            "uq_approval_opinion_one_open",
            ["request_id", "user_id"],
            unique=True,
            postgresql_where=sa.text("answered_at IS NULL"),
            sqlite_where=sa.text("answered_at IS NULL"),
        )

    op.create_table(
        "approval_step",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("deadline_working_days", sa.Integer(), nullable=False),
        sa.Column("merged_slots", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["request_id"], ["approval_request.id"], name=op.f("fk_approval_step_request_id_approval_request")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_step")),
        sa.UniqueConstraint("request_id", "key", name=op.f("uq_approval_step_request_id_key")),
        sa.UniqueConstraint("request_id", "position", name=op.f("uq_approval_step_request_id_position")),
    )
    op.create_table(
        "contact_phone",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("digits", sa.String(length=20), nullable=False),
        sa.Column("label", sa.String(length=8), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_contact_phone_contact_id_contact"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_phone")),
    )
    with op.batch_alter_table("contact_phone", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contact_phone_contact_id"), ["contact_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_contact_phone_digits"), ["digits"], unique=False)

    op.create_table(
        "customer_merge_row",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("merge_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("table_name", sa.String(length=63), nullable=False),
        sa.Column("row_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("column_name", sa.String(length=63), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["merge_id"],
            ["customer_merge.id"],
            name=op.f("fk_customer_merge_row_merge_id_customer_merge"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_merge_row")),
    )
    with op.batch_alter_table("customer_merge_row", schema=None) as batch_op:
        batch_op.create_index(
            "ix_customer_merge_row_merge", ["merge_id", "table_name", "column_name", "row_id"], unique=False
        )

    op.create_table(
        "interaction_colleague",
        sa.Column("interaction_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["interaction_id"],
            ["interaction.id"],
            name=op.f("fk_interaction_colleague_interaction_id_interaction"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["org_user.id"], name=op.f("fk_interaction_colleague_user_id_org_user")),
        sa.PrimaryKeyConstraint("interaction_id", "user_id", name=op.f("pk_interaction_colleague")),
    )
    with op.batch_alter_table("interaction_colleague", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_interaction_colleague_user_id"), ["user_id"], unique=False)

    op.create_table(
        "interaction_contact",
        sa.Column("interaction_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_interaction_contact_contact_id_contact")),
        sa.ForeignKeyConstraint(
            ["interaction_id"],
            ["interaction.id"],
            name=op.f("fk_interaction_contact_interaction_id_interaction"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("interaction_id", "contact_id", name=op.f("pk_interaction_contact")),
    )
    with op.batch_alter_table("interaction_contact", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_interaction_contact_contact_id"), ["contact_id"], unique=False)

    op.create_table(
        "next_step",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("interaction_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("task", sa.String(length=500), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("appointment", sa.String(length=12), nullable=False),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("done_interaction_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("appointment IN ('none', 'requested', 'confirmed')", name=op.f("ck_next_step_appointment")),
        sa.CheckConstraint(
            "kind IN ('visit', 'phone', 'sms', 'email', 'letter', 'event', 'advertisement', 'web')",
            name=op.f("ck_next_step_kind"),
        ),
        sa.CheckConstraint("done_at IS NULL OR cancelled_at IS NULL", name=op.f("ck_next_step_one_end")),
        sa.ForeignKeyConstraint(
            ["cancelled_by_id"], ["org_user.id"], name=op.f("fk_next_step_cancelled_by_id_org_user")
        ),
        sa.ForeignKeyConstraint(["created_by_id"], ["org_user.id"], name=op.f("fk_next_step_created_by_id_org_user")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_next_step_customer_id_customer")),
        sa.ForeignKeyConstraint(["done_by_id"], ["org_user.id"], name=op.f("fk_next_step_done_by_id_org_user")),
        sa.ForeignKeyConstraint(
            ["done_interaction_id"], ["interaction.id"], name=op.f("fk_next_step_done_interaction_id_interaction")
        ),
        sa.ForeignKeyConstraint(
            ["interaction_id"], ["interaction.id"], name=op.f("fk_next_step_interaction_id_interaction")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["org_user.id"], name=op.f("fk_next_step_owner_id_org_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_next_step")),
    )
    with op.batch_alter_table("next_step", schema=None) as batch_op:
        batch_op.create_index("ix_next_step_customer", ["customer_id", "due_on", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_next_step_done_interaction_id"), ["done_interaction_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_next_step_interaction_id"), ["interaction_id"], unique=False)
        batch_op.create_index(
            "ix_next_step_open",
            ["owner_id", "due_on", "id"],
            unique=False,
            postgresql_where=sa.text("done_at IS NULL AND cancelled_at IS NULL"),
            sqlite_where=sa.text("done_at IS NULL AND cancelled_at IS NULL"),
        )

    op.create_table(
        "purchase_group_month",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("department_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account_manager_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("manager_key", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("month", sa.SmallInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.Column("total_high_middle", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_manager_id"], ["org_user.id"], name=op.f("fk_purchase_group_month_account_manager_id_org_user")
        ),
        sa.ForeignKeyConstraint(
            ["department_id"], ["org_department.id"], name=op.f("fk_purchase_group_month_department_id_org_department")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase_group_month")),
        sa.UniqueConstraint(
            "department_id", "manager_key", "status", "year", "month", name="uq_purchase_group_month_group"
        ),
    )
    op.create_table(
        "purchase_line",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("purchase_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.Column("discount", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("unit_cost", sa.BigInteger(), nullable=False),
        sa.Column("grade", sa.String(length=10), nullable=False),
        sa.CheckConstraint("discount >= 0 AND amount >= 0", name=op.f("ck_purchase_line_not_negative")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_purchase_line_quantity")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_purchase_line_product_id_product")),
        sa.ForeignKeyConstraint(
            ["purchase_id"], ["purchase.id"], name=op.f("fk_purchase_line_purchase_id_purchase"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase_line")),
        sa.UniqueConstraint("purchase_id", "position", name=op.f("uq_purchase_line_purchase_id_position")),
    )
    with op.batch_alter_table("purchase_line", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_purchase_line_product_id"), ["product_id"], unique=False)

    op.create_table(
        "approval_seat",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("step_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("basis", sa.String(length=60), nullable=False),
        sa.Column("is_added", sa.Boolean(), nullable=False),
        sa.Column("given_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'open', 'approved', 'rejected', 'returned', 'handed_on', 'closed')",
            name=op.f("ck_approval_seat_state"),
        ),
        sa.ForeignKeyConstraint(["given_by_id"], ["org_user.id"], name=op.f("fk_approval_seat_given_by_id_org_user")),
        sa.ForeignKeyConstraint(
            ["request_id"], ["approval_request.id"], name=op.f("fk_approval_seat_request_id_approval_request")
        ),
        sa.ForeignKeyConstraint(["step_id"], ["approval_step.id"], name=op.f("fk_approval_seat_step_id_approval_step")),
        sa.ForeignKeyConstraint(["user_id"], ["org_user.id"], name=op.f("fk_approval_seat_user_id_org_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_seat")),
    )
    with op.batch_alter_table("approval_seat", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_approval_seat_request_id"), ["request_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_approval_seat_step_id"), ["step_id"], unique=False)
        batch_op.create_index("ix_approval_seat_user_state", ["user_id", "state"], unique=False)
        batch_op.create_index(
            "uq_approval_seat_one_live",
            ["step_id", "user_id"],
            unique=True,
            postgresql_where=sa.text("state IN ('open', 'waiting')"),
            sqlite_where=sa.text("state IN ('open', 'waiting')"),
        )

    op.create_table(
        "approval_decision",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("step_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("seat_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("vote", sa.String(length=8), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("for_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("authority", sa.String(length=120), nullable=False),
        sa.Column("opinion", sa.String(length=2000), nullable=False),
        sa.Column("conditions", sa.Text(), nullable=True),
        sa.Column("policy_version", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("vote = 'approve' OR opinion <> ''", name=op.f("ck_approval_decision_opinion_needed")),
        sa.CheckConstraint("vote IN ('approve', 'reject', 'return')", name=op.f("ck_approval_decision_vote")),
        sa.CheckConstraint("for_id IS NULL OR for_id <> by_id", name=op.f("ck_approval_decision_for_somebody_else")),
        sa.ForeignKeyConstraint(["by_id"], ["org_user.id"], name=op.f("fk_approval_decision_by_id_org_user")),
        sa.ForeignKeyConstraint(["for_id"], ["org_user.id"], name=op.f("fk_approval_decision_for_id_org_user")),
        sa.ForeignKeyConstraint(
            ["request_id"], ["approval_request.id"], name=op.f("fk_approval_decision_request_id_approval_request")
        ),
        sa.ForeignKeyConstraint(
            ["seat_id"], ["approval_seat.id"], name=op.f("fk_approval_decision_seat_id_approval_seat")
        ),
        sa.ForeignKeyConstraint(
            ["step_id"], ["approval_step.id"], name=op.f("fk_approval_decision_step_id_approval_step")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_decision")),
        sa.UniqueConstraint("seat_id", name=op.f("uq_approval_decision_seat_id")),
        sa.UniqueConstraint("step_id", "person", name="uq_approval_decision_one_vote"),
    )
    with op.batch_alter_table("approval_decision", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_approval_decision_by_id"), ["by_id"], unique=False)
        batch_op.create_index("ix_approval_decision_by_time", ["by_id", "decided_at", "id"], unique=False)
        batch_op.create_index(
            "uq_approval_decision_one_final",
            ["request_id"],
            unique=True,
            postgresql_where=sa.text("outcome <> ''"),
            sqlite_where=sa.text("outcome <> ''"),
        )
    op.create_index(
        "uq_approval_request_one_pending",
        "approval_request",
        [sa.text("coalesce(applicant_id, 0)"), "kind", "subject_type", sa.text("coalesce(subject_id, 0)"), "scope"],
        unique=True,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    if op.get_bind().dialect.name == "postgresql":  # SQLite has these two within the table already
        op.create_foreign_key("fk_org_department_head_id_org_user", "org_department", "org_user", ["head_id"], ["id"])
        op.create_foreign_key(
            "fk_org_department_deputy_id_org_user", "org_department", "org_user", ["deputy_id"], ["id"]
        )
    dialect = op.get_bind().dialect.name
    for statement in (*approvals.statements(dialect), *audit.statements(dialect), *purchases.statements(dialect)):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    dialect = op.get_bind().dialect.name
    for statement in (
        *approvals.drop_statements(dialect),
        *audit.drop_statements(dialect),
        *purchases.drop_statements(dialect),
    ):
        op.get_bind().exec_driver_sql(statement)
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("fk_org_department_head_id_org_user", "org_department", type_="foreignkey")
        op.drop_constraint("fk_org_department_deputy_id_org_user", "org_department", type_="foreignkey")
    op.drop_index("uq_approval_request_one_pending", table_name="approval_request")
    with op.batch_alter_table("approval_decision", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_approval_decision_one_final",
            postgresql_where=sa.text("outcome <> ''"),
            sqlite_where=sa.text("outcome <> ''"),
        )
        batch_op.drop_index("ix_approval_decision_by_time")
        batch_op.drop_index(batch_op.f("ix_approval_decision_by_id"))

    op.drop_table("approval_decision")
    with op.batch_alter_table("approval_seat", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_approval_seat_one_live",
            postgresql_where=sa.text("state IN ('open', 'waiting')"),
            sqlite_where=sa.text("state IN ('open', 'waiting')"),
        )
        batch_op.drop_index("ix_approval_seat_user_state")
        batch_op.drop_index(batch_op.f("ix_approval_seat_step_id"))
        batch_op.drop_index(batch_op.f("ix_approval_seat_request_id"))

    op.drop_table("approval_seat")
    with op.batch_alter_table("purchase_line", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_purchase_line_product_id"))

    op.drop_table("purchase_line")
    op.drop_table("purchase_group_month")
    with op.batch_alter_table("next_step", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_next_step_open",
            postgresql_where=sa.text("done_at IS NULL AND cancelled_at IS NULL"),
            sqlite_where=sa.text("done_at IS NULL AND cancelled_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_next_step_interaction_id"))
        batch_op.drop_index(batch_op.f("ix_next_step_done_interaction_id"))
        batch_op.drop_index("ix_next_step_customer")

    op.drop_table("next_step")
    with op.batch_alter_table("interaction_contact", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_interaction_contact_contact_id"))

    op.drop_table("interaction_contact")
    with op.batch_alter_table("interaction_colleague", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_interaction_colleague_user_id"))

    op.drop_table("interaction_colleague")
    with op.batch_alter_table("customer_merge_row", schema=None) as batch_op:
        batch_op.drop_index("ix_customer_merge_row_merge")

    op.drop_table("customer_merge_row")
    with op.batch_alter_table("contact_phone", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contact_phone_digits"))
        batch_op.drop_index(batch_op.f("ix_contact_phone_contact_id"))

    op.drop_table("contact_phone")
    op.drop_table("approval_step")
    with op.batch_alter_table("approval_opinion", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_approval_opinion_one_open",
            postgresql_where=sa.text("answered_at IS NULL"),
            sqlite_where=sa.text("answered_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_approval_opinion_user_id"))
        batch_op.drop_index(batch_op.f("ix_approval_opinion_request_id"))

    op.drop_table("approval_opinion")
    with op.batch_alter_table("approval_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_approval_event_request_id"))

    op.drop_table("approval_event")
    with op.batch_alter_table("approval_copy", schema=None) as batch_op:
        batch_op.drop_index("ix_approval_copy_user_time")

    op.drop_table("approval_copy")
    op.drop_table("approval_beneficiary")
    op.drop_table("purchase_month")
    with op.batch_alter_table("purchase", schema=None) as batch_op:
        batch_op.drop_index("ix_purchase_total_id")
        batch_op.drop_index("ix_purchase_purchased_on_id")
        batch_op.drop_index(
            "ix_purchase_open",
            postgresql_where=sa.text("paid_on IS NULL AND cancelled_at IS NULL"),
            sqlite_where=sa.text("paid_on IS NULL AND cancelled_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_purchase_import_batch_id"))
        batch_op.drop_index("ix_purchase_customer_id_purchased_on_id")

    op.drop_table("purchase")
    with op.batch_alter_table("interaction", schema=None) as batch_op:
        batch_op.drop_index("ix_interaction_customer")
        batch_op.drop_index("ix_interaction_author")
        batch_op.drop_index("ix_interaction_at")

    op.drop_table("interaction")
    with op.batch_alter_table("import_row", schema=None) as batch_op:
        batch_op.drop_index("ix_import_row_work")
        batch_op.drop_index(
            "ix_import_row_digest",
            postgresql_where=sa.text("state = 'applied' AND digest <> ''"),
            sqlite_where=sa.text("state = 'applied' AND digest <> ''"),
        )

    op.drop_table("import_row")
    with op.batch_alter_table("document", schema=None) as batch_op:
        batch_op.drop_index("ix_document_made_by_id_id")
        batch_op.drop_index("ix_document_kind_id")
        batch_op.drop_index("ix_document_customer_id_id")

    op.drop_table("document")
    with op.batch_alter_table("customer_term", schema=None) as batch_op:
        batch_op.drop_index("ix_customer_term_customer_id")

    op.drop_table("customer_term")
    with op.batch_alter_table("customer_stage_change", schema=None) as batch_op:
        batch_op.drop_index("ix_customer_stage_change_customer")

    op.drop_table("customer_stage_change")
    with op.batch_alter_table("customer_qualification", schema=None) as batch_op:
        batch_op.drop_index("ix_customer_qualification_customer")

    op.drop_table("customer_qualification")
    op.drop_table("customer_person")
    with op.batch_alter_table("customer_merge", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_customer_merge_merged_id"))
        batch_op.drop_index("ix_customer_merge_merged_at")
        batch_op.drop_index(batch_op.f("ix_customer_merge_kept_id"))

    op.drop_table("customer_merge")
    with op.batch_alter_table("customer_favourite", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_customer_favourite_customer_id"))

    op.drop_table("customer_favourite")
    op.drop_table("customer_alias")
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.drop_index("ix_contact_name_sort")
        batch_op.drop_index("ix_contact_customer")
        batch_op.drop_index("ix_contact_birthday")

    op.drop_table("contact")
    with op.batch_alter_table("approval_request", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_approval_request_typed_by_id"))
        batch_op.drop_index("ix_approval_request_subject")
        batch_op.drop_index("ix_approval_request_state_expires")
        batch_op.drop_index("ix_approval_request_mine")
        batch_op.drop_index(batch_op.f("ix_approval_request_department_id"))
        batch_op.drop_index(batch_op.f("ix_approval_request_customer_id"))
        batch_op.drop_index(batch_op.f("ix_approval_request_applicant_id"))
        batch_op.drop_index(batch_op.f("ix_approval_request_applicant_department_id"))

    op.drop_table("approval_request")
    op.drop_table("setting")
    with op.batch_alter_table("saved_view", schema=None) as batch_op:
        batch_op.drop_index("ix_saved_view_listing_shared")

    op.drop_table("saved_view")
    with op.batch_alter_table("outbox_message", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_outbox_message_user_id"))
        batch_op.drop_index("ix_outbox_message_state")
        batch_op.drop_index(
            "ix_outbox_message_open",
            postgresql_where=sa.text("state IN ('queued', 'sending')"),
            sqlite_where=sa.text("state IN ('queued', 'sending')"),
        )

    op.drop_table("outbox_message")
    op.drop_table("org_user_role")
    with op.batch_alter_table("org_delegation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_org_delegation_delegator_id"))
        batch_op.drop_index(batch_op.f("ix_org_delegation_delegate_id"))

    op.drop_table("org_delegation")
    op.drop_table("notice_preference")
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.drop_index("ix_notice_user")
        batch_op.drop_index(
            "ix_notice_unread", postgresql_where=sa.text("read_at IS NULL"), sqlite_where=sa.text("read_at IS NULL")
        )
        batch_op.drop_index(
            "ix_notice_digest", postgresql_where=sa.text("is_for_digest"), sqlite_where=sa.text("is_for_digest")
        )

    op.drop_table("notice")
    with op.batch_alter_table("job_run", schema=None) as batch_op:
        batch_op.drop_index(
            "ux_job_run_unique_key",
            postgresql_where=sa.text("state IN ('queued', 'running')"),
            sqlite_where=sa.text("state IN ('queued', 'running')"),
        )
        batch_op.drop_index("ix_job_run_state_finished")
        batch_op.drop_index("ix_job_run_owner")
        batch_op.drop_index("ix_job_run_job_key")
        batch_op.drop_index(
            "ix_job_run_active",
            postgresql_where=sa.text("state IN ('queued', 'running')"),
            sqlite_where=sa.text("state IN ('queued', 'running')"),
        )

    op.drop_table("job_run")
    op.drop_table("import_column")
    with op.batch_alter_table("import_batch", schema=None) as batch_op:
        batch_op.drop_index("ix_import_batch_owner")
        batch_op.drop_index("ix_import_batch_created_at")

    op.drop_table("import_batch")
    with op.batch_alter_table("data_export", schema=None) as batch_op:
        batch_op.drop_index("ix_data_export_owner")
        batch_op.drop_index("ix_data_export_expires_at")

    op.drop_table("data_export")
    with op.batch_alter_table("customer_phone_lookup", schema=None) as batch_op:
        batch_op.drop_index("ix_customer_phone_lookup_user_at")

    op.drop_table("customer_phone_lookup")
    with op.batch_alter_table("customer", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_customer_credit_code",
            postgresql_where=sa.text("credit_code IS NOT NULL AND status <> 'merged'"),
            sqlite_where=sa.text("credit_code IS NOT NULL AND status <> 'merged'"),
        )
        batch_op.drop_index("ix_customer_total_12m")
        batch_op.drop_index("ix_customer_region_code")
        batch_op.drop_index(batch_op.f("ix_customer_referrer_id"))
        batch_op.drop_index("ix_customer_phone_digits")
        batch_op.drop_index("ix_customer_next_contact_sort")
        batch_op.drop_index("ix_customer_name_sort")
        batch_op.drop_index(batch_op.f("ix_customer_merged_into_id"))
        batch_op.drop_index("ix_customer_manager_total_12m")
        batch_op.drop_index("ix_customer_manager_next_contact_sort")
        batch_op.drop_index("ix_customer_manager_name_sort")
        batch_op.drop_index("ix_customer_manager_last_contact_sort")
        batch_op.drop_index("ix_customer_manager_created_at")
        batch_op.drop_index("ix_customer_last_contact_sort")
        batch_op.drop_index("ix_customer_department_total_12m")
        batch_op.drop_index("ix_customer_department_next_contact_sort")
        batch_op.drop_index("ix_customer_department_name_sort")
        batch_op.drop_index("ix_customer_department_last_contact_sort")
        batch_op.drop_index("ix_customer_department_created_at")
        batch_op.drop_index("ix_customer_created_at")

    op.drop_table("customer")
    with op.batch_alter_table("auth_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_auth_session_user_id"))
        batch_op.drop_index(batch_op.f("ix_auth_session_expires_at"))

    op.drop_table("auth_session")
    op.drop_table("auth_password")
    with op.batch_alter_table("auth_identity", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_auth_identity_user_id"))

    op.drop_table("auth_identity")
    with op.batch_alter_table("org_user", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_org_user_supervisor_id"))
        batch_op.drop_index(batch_op.f("ix_org_user_person_key"))
        batch_op.drop_index("ix_org_user_name_sort_id")
        batch_op.drop_index(batch_op.f("ix_org_user_department_id"))

    op.drop_table("org_user")
    with op.batch_alter_table("product", schema=None) as batch_op:
        batch_op.drop_index("ix_product_name_sort_id")
        batch_op.drop_index(batch_op.f("ix_product_category"))

    op.drop_table("product")
    with op.batch_alter_table("org_department", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_org_department_path"))
        batch_op.drop_index(batch_op.f("ix_org_department_parent_id"))
        batch_op.drop_index(batch_op.f("ix_org_department_head_id"))
        batch_op.drop_index(batch_op.f("ix_org_department_deputy_id"))

    op.drop_table("org_department")
    with op.batch_alter_table("job_slot", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_job_slot_slot"))

    op.drop_table("job_slot")
    op.drop_table("job_schedule")
    with op.batch_alter_table("job_heartbeat", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_job_heartbeat_seen_at"))

    op.drop_table("job_heartbeat")
    with op.batch_alter_table("import_key", schema=None) as batch_op:
        batch_op.drop_index("ix_import_key_record")

    op.drop_table("import_key")
    op.drop_table("document_number")
    with op.batch_alter_table("auth_throttle", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_auth_throttle_last_failure_at"))

    op.drop_table("auth_throttle")
    op.drop_table("audit_head")
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_entry_object")
        batch_op.drop_index(
            "ix_audit_entry_not_ok", postgresql_where=sa.text("result <> 'ok'"), sqlite_where=sa.text("result <> 'ok'")
        )
        batch_op.drop_index(
            "ix_audit_entry_customer",
            postgresql_where=sa.text("customer_id IS NOT NULL"),
            sqlite_where=sa.text("customer_id IS NOT NULL"),
        )
        batch_op.drop_index("ix_audit_entry_at")
        batch_op.drop_index("ix_audit_entry_actor")
        batch_op.drop_index("ix_audit_entry_action")

    op.drop_table("audit_entry")
    op.drop_table("audit_check")
