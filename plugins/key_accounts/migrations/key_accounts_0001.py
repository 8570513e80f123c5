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
        "key_accounts_measure_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ranked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rate", sa.BigInteger(), nullable=False),
        sa.Column("thresholds", sa.String(length=500), nullable=False),
        sa.Column("buyers", sa.Integer(), nullable=False),
        sa.Column("sales", sa.BigInteger(), nullable=False),
        sa.Column("took_ms", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_measure_state")),
    )
    op.create_table(
        "key_accounts_expert_skill",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("skill", sa.String(length=60), nullable=False),
        sa.Column("grade", sa.SmallInteger(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("grade BETWEEN 1 AND 3", name=op.f("ck_key_accounts_expert_skill_grade")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["org_user.id"], name=op.f("fk_key_accounts_expert_skill_user_id_org_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_expert_skill")),
        sa.UniqueConstraint("user_id", "skill", name=op.f("uq_key_accounts_expert_skill_user_id_skill")),
    )
    with op.batch_alter_table("key_accounts_expert_skill", schema=None) as batch_op:
        batch_op.create_index("ix_key_accounts_expert_skill_skill", ["skill", "id"], unique=False)

    op.create_table(
        "key_accounts_feed",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("token_digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["org_user.id"], name=op.f("fk_key_accounts_feed_user_id_org_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_feed")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_key_accounts_feed_token_digest")),
    )
    with op.batch_alter_table("key_accounts_feed", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_key_accounts_feed_user_id"), ["user_id"], unique=False)

    op.create_table(
        "key_accounts_meeting",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("minutes", sa.SmallInteger(), nullable=False),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.Column("organiser_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("agenda", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('yearly', 'executives')", name=op.f("ck_key_accounts_meeting_kind")),
        sa.CheckConstraint("state IN ('planned', 'held', 'cancelled')", name=op.f("ck_key_accounts_meeting_state")),
        sa.ForeignKeyConstraint(
            ["organiser_id"], ["org_user.id"], name=op.f("fk_key_accounts_meeting_organiser_id_org_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_meeting")),
    )
    with op.batch_alter_table("key_accounts_meeting", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_key_accounts_meeting_organiser_id"), ["organiser_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_key_accounts_meeting_starts_at"), ["starts_at"], unique=False)

    op.create_table(
        "key_accounts_policy",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("tier", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("visit_days", sa.Integer(), nullable=True),
        sa.Column("contact_days", sa.Integer(), nullable=True),
        sa.Column("credit_limit", sa.BigInteger(), nullable=True),
        sa.Column("credit_days", sa.Integer(), nullable=True),
        sa.Column("minimum_order", sa.BigInteger(), nullable=True),
        sa.Column("discount", sa.Integer(), nullable=True),
        sa.Column("stock", sa.Text(), nullable=False),
        sa.Column("sales", sa.Text(), nullable=False),
        sa.Column("delivery", sa.Text(), nullable=False),
        sa.Column("finance", sa.Text(), nullable=False),
        sa.Column("risk", sa.Text(), nullable=False),
        sa.Column("pricing", sa.Text(), nullable=False),
        sa.Column("appraisal", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("promotion", sa.Text(), nullable=False),
        sa.Column("outlets", sa.Text(), nullable=False),
        sa.Column("people", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("tier IN ('', 'key', 'important', 'ordinary')", name=op.f("ck_key_accounts_policy_tier")),
        sa.CheckConstraint(
            "valid_until IS NULL OR valid_until >= valid_from", name=op.f("ck_key_accounts_policy_term")
        ),
        sa.ForeignKeyConstraint(
            ["updated_by_id"], ["org_user.id"], name=op.f("fk_key_accounts_policy_updated_by_id_org_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_policy")),
    )
    with op.batch_alter_table("key_accounts_policy", schema=None) as batch_op:
        batch_op.create_index("ix_key_accounts_policy_valid", ["valid_from", "valid_until"], unique=False)

    op.create_table(
        "key_accounts_proposition",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("segment", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("price_position", sa.String(length=200), nullable=False),
        sa.Column("advantages", sa.Text(), nullable=False),
        sa.Column("price", sa.Text(), nullable=False),
        sa.Column("quality", sa.Text(), nullable=False),
        sa.Column("delivery", sa.Text(), nullable=False),
        sa.Column("trading", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("payment", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "segment IN ('technical', 'responsive', 'standard')", name=op.f("ck_key_accounts_proposition_segment")
        ),
        sa.CheckConstraint(
            "valid_until IS NULL OR valid_until >= valid_from", name=op.f("ck_key_accounts_proposition_term")
        ),
        sa.ForeignKeyConstraint(
            ["updated_by_id"], ["org_user.id"], name=op.f("fk_key_accounts_proposition_updated_by_id_org_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_proposition")),
    )
    op.create_table(
        "key_accounts_sales_target",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("set_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "source IN ('more_use', 'cross_selling', 'price_mix', 'drop_unprofitable', 'core_industry', 'unrelated_industry', '')",
            name=op.f("ck_key_accounts_sales_target_source"),
        ),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_key_accounts_sales_target_amount")),
        sa.ForeignKeyConstraint(
            ["set_by_id"], ["org_user.id"], name=op.f("fk_key_accounts_sales_target_set_by_id_org_user")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["org_user.id"], name=op.f("fk_key_accounts_sales_target_user_id_org_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_sales_target")),
        sa.UniqueConstraint("user_id", "year", "source", name=op.f("uq_key_accounts_sales_target_user_id_year_source")),
    )
    with op.batch_alter_table("key_accounts_sales_target", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_key_accounts_sales_target_user_id"), ["user_id"], unique=False)

    op.create_table(
        "key_accounts_scenario",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("is_shared", sa.Boolean(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("scope", sa.String(length=200), nullable=False),
        sa.Column("remarks", sa.String(length=500), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["org_user.id"], name=op.f("fk_key_accounts_scenario_owner_id_org_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_scenario")),
    )
    with op.batch_alter_table("key_accounts_scenario", schema=None) as batch_op:
        batch_op.create_index("ix_key_accounts_scenario_owner", ["owner_id", "created_at", "id"], unique=False)

    op.create_table(
        "key_accounts_driver",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("node", sa.String(length=30), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_key_accounts_driver_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["updated_by_id"], ["org_user.id"], name=op.f("fk_key_accounts_driver_updated_by_id_org_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_driver")),
        sa.UniqueConstraint("customer_id", "node", name=op.f("uq_key_accounts_driver_customer_id_node")),
    )
    op.create_table(
        "key_accounts_duty",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("duty", sa.String(length=20), nullable=False),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("rhythm_months", sa.SmallInteger(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("is_needed", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("reminded_for", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("rhythm_months BETWEEN 1 AND 24", name=op.f("ck_key_accounts_duty_rhythm")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_key_accounts_duty_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["org_user.id"], name=op.f("fk_key_accounts_duty_owner_id_org_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_duty")),
        sa.UniqueConstraint("customer_id", "duty", name=op.f("uq_key_accounts_duty_customer_id_duty")),
    )
    with op.batch_alter_table("key_accounts_duty", schema=None) as batch_op:
        batch_op.create_index("ix_key_accounts_duty_owner", ["owner_id", "is_needed", "due_on", "id"], unique=False)

    op.create_table(
        "key_accounts_emphasis",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("factor", sa.String(length=16), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_met", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_key_accounts_emphasis_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_emphasis")),
        sa.UniqueConstraint("customer_id", "factor", name=op.f("uq_key_accounts_emphasis_customer_id_factor")),
    )
    op.create_table(
        "key_accounts_forecast",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("made_in", sa.Date(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_key_accounts_forecast_amount")),
        sa.CheckConstraint("month >= made_in", name=op.f("ck_key_accounts_forecast_ahead")),
        sa.ForeignKeyConstraint(["by_id"], ["org_user.id"], name=op.f("fk_key_accounts_forecast_by_id_org_user")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_key_accounts_forecast_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_forecast")),
        sa.UniqueConstraint(
            "customer_id", "made_in", "month", name=op.f("uq_key_accounts_forecast_customer_id_made_in_month")
        ),
    )
    op.create_table(
        "key_accounts_health",
        sa.Column(
            "customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("freshness", sa.Integer(), nullable=True),
        sa.Column("satisfaction", sa.Integer(), nullable=True),
        sa.Column("trend", sa.Integer(), nullable=True),
        sa.Column("plan", sa.Integer(), nullable=True),
        sa.Column("risk", sa.Integer(), nullable=True),
        sa.Column("grade", sa.Integer(), nullable=True),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("score IS NULL OR score BETWEEN 0 AND 100", name=op.f("ck_key_accounts_health_score")),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
            name=op.f("fk_key_accounts_health_customer_id_customer"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_key_accounts_health")),
    )
    op.create_table(
        "key_accounts_incentive",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("terms", sa.String(length=500), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("result", sa.String(length=500), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint(
            "kind IN ('discount', 'rebate', 'allowance', 'contest')", name=op.f("ck_key_accounts_incentive_kind")
        ),
        sa.CheckConstraint("valid_from <= valid_until", name=op.f("ck_key_accounts_incentive_term")),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["org_user.id"], name=op.f("fk_key_accounts_incentive_created_by_id_org_user")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_key_accounts_incentive_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_incentive")),
    )
    with op.batch_alter_table("key_accounts_incentive", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_key_accounts_incentive_customer_id"), ["customer_id"], unique=False)

    op.create_table(
        "key_accounts_measure",
        sa.Column(
            "customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("sales", sa.BigInteger(), nullable=False),
        sa.Column("goods_cost", sa.BigInteger(), nullable=False),
        sa.Column("orders", sa.Integer(), nullable=False),
        sa.Column("sales_before", sa.BigInteger(), nullable=False),
        sa.Column("contacts", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("expenses", sa.BigInteger(), nullable=False),
        sa.Column("contact_cost", sa.BigInteger(), nullable=False),
        sa.Column("profit", sa.BigInteger(), nullable=False),
        sa.Column("repeat_years", sa.Integer(), nullable=False),
        sa.Column("first_purchase_on", sa.Date(), nullable=True),
        sa.Column("last_purchase_on", sa.Date(), nullable=True),
        sa.Column("paid_orders", sa.Integer(), nullable=False),
        sa.Column("paid_days", sa.BigInteger(), nullable=False),
        sa.Column("open_amount", sa.BigInteger(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("cumulated", sa.Integer(), nullable=True),
        sa.Column("abc", sa.String(length=1), nullable=False),
        sa.Column("tier", sa.String(length=10), nullable=False),
        sa.Column("proposal", sa.String(length=10), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("abc IN ('', 'A', 'B', 'C')", name=op.f("ck_key_accounts_measure_abc")),
        sa.CheckConstraint(
            "proposal IN ('key', 'important', 'ordinary')", name=op.f("ck_key_accounts_measure_proposal")
        ),
        sa.CheckConstraint("tier IN ('', 'key', 'important', 'ordinary')", name=op.f("ck_key_accounts_measure_tier")),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
            name=op.f("fk_key_accounts_measure_customer_id_customer"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_key_accounts_measure")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("key_accounts_measure", schema=None) as batch_op:
        batch_op.create_index("ix_key_accounts_measure_changed_at", ["changed_at"], unique=False)
        batch_op.create_index("ix_key_accounts_measure_profit_customer", ["profit", "customer_id"], unique=False)
        batch_op.create_index(
            "ix_key_accounts_measure_proposal_sales", ["proposal", "sales", "customer_id"], unique=False
        )
        batch_op.create_index("ix_key_accounts_measure_sales_customer", ["sales", "customer_id"], unique=False)
        batch_op.create_index("ix_key_accounts_measure_tier_sales", ["tier", "sales", "customer_id"], unique=False)

    op.create_table(
        "key_accounts_meeting_action",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("meeting_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("task", sa.String(length=300), nullable=False),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.CheckConstraint("state IN ('open', 'done')", name=op.f("ck_key_accounts_meeting_action_state")),
        sa.ForeignKeyConstraint(
            ["meeting_id"],
            ["key_accounts_meeting.id"],
            name=op.f("fk_key_accounts_meeting_action_meeting_id_key_accounts_meeting"),
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["org_user.id"], name=op.f("fk_key_accounts_meeting_action_owner_id_org_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_meeting_action")),
    )
    with op.batch_alter_table("key_accounts_meeting_action", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_key_accounts_meeting_action_meeting_id"), ["meeting_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_key_accounts_meeting_action_owner_id"), ["owner_id"], unique=False)

    op.create_table(
        "key_accounts_scorecard",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("card", sa.String(length=16), nullable=False),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("remarks", sa.String(length=1000), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint(
            "card IN ('qualification', 'selection', 'risk')", name=op.f("ck_key_accounts_scorecard_card")
        ),
        sa.CheckConstraint("score IS NULL OR score BETWEEN 0 AND 100", name=op.f("ck_key_accounts_scorecard_score")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_key_accounts_scorecard_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["org_user.id"], name=op.f("fk_key_accounts_scorecard_made_by_id_org_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_scorecard")),
    )
    with op.batch_alter_table("key_accounts_scorecard", schema=None) as batch_op:
        batch_op.create_index("ix_key_accounts_scorecard_customer", ["customer_id", "card", "id"], unique=False)

    op.create_table(
        "key_accounts_segment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("segment", sa.String(length=12), nullable=False),
        sa.CheckConstraint(
            "segment IN ('technical', 'responsive', 'standard')", name=op.f("ck_key_accounts_segment_segment")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_key_accounts_segment_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_segment")),
        sa.UniqueConstraint("customer_id", name=op.f("uq_key_accounts_segment_customer_id")),
    )
    op.create_table(
        "key_accounts_team",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sponsor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("complaint_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("told_on", sa.Date(), nullable=True),
        sa.Column("told_how", sa.String(length=200), nullable=False),
        sa.Column("phase", sa.String(length=12), nullable=False),
        sa.Column("phase_since", sa.Date(), nullable=True),
        sa.Column("focus", sa.String(length=1000), nullable=False),
        sa.Column("balance", sa.String(length=1000), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("phase IN ('build', 'stable', 'strengthen')", name=op.f("ck_key_accounts_team_phase")),
        sa.ForeignKeyConstraint(
            ["complaint_id"], ["org_user.id"], name=op.f("fk_key_accounts_team_complaint_id_org_user")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_key_accounts_team_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(["sponsor_id"], ["org_user.id"], name=op.f("fk_key_accounts_team_sponsor_id_org_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_team")),
        sa.UniqueConstraint("customer_id", name=op.f("uq_key_accounts_team_customer_id")),
    )
    with op.batch_alter_table("key_accounts_team", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_key_accounts_team_complaint_id"), ["complaint_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_key_accounts_team_sponsor_id"), ["sponsor_id"], unique=False)

    op.create_table(
        "key_accounts_team_member",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("task", sa.String(length=300), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("end_reason", sa.String(length=300), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("valid_from <= valid_until", name=op.f("ck_key_accounts_team_member_term")),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["org_user.id"], name=op.f("fk_key_accounts_team_member_created_by_id_org_user")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_key_accounts_team_member_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["ended_by_id"], ["org_user.id"], name=op.f("fk_key_accounts_team_member_ended_by_id_org_user")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["org_user.id"], name=op.f("fk_key_accounts_team_member_user_id_org_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_team_member")),
    )
    with op.batch_alter_table("key_accounts_team_member", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_key_accounts_team_member_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(
            "ix_key_accounts_team_member_user", ["user_id", "valid_until", "customer_id"], unique=False
        )

    op.create_table(
        "key_accounts_tier",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tier", sa.String(length=10), nullable=False),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("decided_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("role_customers", sa.Boolean(), nullable=False),
        sa.Column("role_reputation", sa.Boolean(), nullable=False),
        sa.Column("role_direction", sa.Boolean(), nullable=False),
        sa.Column("role_region", sa.Boolean(), nullable=False),
        sa.Column("ease", sa.Integer(), nullable=True),
        sa.Column("ease_note", sa.String(length=300), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("tier IN ('', 'key', 'important', 'ordinary')", name=op.f("ck_key_accounts_tier_tier")),
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

    op.create_table(
        "key_accounts_unit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("linked_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "linked_id IS NULL OR linked_id <> customer_id", name=op.f("ck_key_accounts_unit_not_itself")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_key_accounts_unit_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(["linked_id"], ["customer.id"], name=op.f("fk_key_accounts_unit_linked_id_customer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_unit")),
    )
    with op.batch_alter_table("key_accounts_unit", schema=None) as batch_op:
        batch_op.create_index("ix_key_accounts_unit_customer", ["customer_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_key_accounts_unit_linked_id"), ["linked_id"], unique=False)

    op.create_table(
        "key_accounts_violation",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("measure", sa.String(length=500), nullable=False),
        sa.Column("settled_on", sa.Date(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(settled_on IS NULL) = (measure = '')", name=op.f("ck_key_accounts_violation_settled_with_measure")
        ),
        sa.CheckConstraint(
            "kind IN ('diversion', 'price_raise', 'price_cut')", name=op.f("ck_key_accounts_violation_kind")
        ),
        sa.CheckConstraint(
            "settled_on IS NULL OR settled_on >= happened_on", name=op.f("ck_key_accounts_violation_settled_after")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_key_accounts_violation_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"], ["org_user.id"], name=op.f("fk_key_accounts_violation_recorded_by_id_org_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_violation")),
    )
    with op.batch_alter_table("key_accounts_violation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_key_accounts_violation_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index("ix_key_accounts_violation_happened_on_id", ["happened_on", "id"], unique=False)

    op.create_table(
        "key_accounts_visit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("executive_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("minutes", sa.SmallInteger(), nullable=False),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.Column("purpose", sa.String(length=500), nullable=False),
        sa.Column("talking_points", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("result", sa.String(length=2000), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('planned', 'held', 'cancelled')", name=op.f("ck_key_accounts_visit_state")),
        sa.CheckConstraint("minutes BETWEEN 15 AND 1440", name=op.f("ck_key_accounts_visit_minutes")),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["org_user.id"], name=op.f("fk_key_accounts_visit_created_by_id_org_user")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_key_accounts_visit_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["executive_id"], ["org_user.id"], name=op.f("fk_key_accounts_visit_executive_id_org_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_visit")),
    )
    with op.batch_alter_table("key_accounts_visit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_key_accounts_visit_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index("ix_key_accounts_visit_executive", ["executive_id", "starts_at", "id"], unique=False)
        batch_op.create_index("ix_key_accounts_visit_starts", ["starts_at", "id"], unique=False)

    op.create_table(
        "key_accounts_channel",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("level", sa.String(length=12), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("topic", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("level IN ('technical', 'management')", name=op.f("ck_key_accounts_channel_level")),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_key_accounts_channel_contact_id_contact")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_key_accounts_channel_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["org_user.id"], name=op.f("fk_key_accounts_channel_user_id_org_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_channel")),
    )
    with op.batch_alter_table("key_accounts_channel", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_key_accounts_channel_contact_id"), ["contact_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_key_accounts_channel_customer_id"), ["customer_id"], unique=False)

    op.create_table(
        "key_accounts_duty_record",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("duty_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("done_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("interaction_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("document_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("purchase_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["org_user.id"], name=op.f("fk_key_accounts_duty_record_by_id_org_user")),
        sa.ForeignKeyConstraint(
            ["document_id"], ["document.id"], name=op.f("fk_key_accounts_duty_record_document_id_document")
        ),
        sa.ForeignKeyConstraint(
            ["duty_id"], ["key_accounts_duty.id"], name=op.f("fk_key_accounts_duty_record_duty_id_key_accounts_duty")
        ),
        sa.ForeignKeyConstraint(
            ["interaction_id"], ["interaction.id"], name=op.f("fk_key_accounts_duty_record_interaction_id_interaction")
        ),
        sa.ForeignKeyConstraint(
            ["purchase_id"], ["purchase.id"], name=op.f("fk_key_accounts_duty_record_purchase_id_purchase")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_duty_record")),
    )
    with op.batch_alter_table("key_accounts_duty_record", schema=None) as batch_op:
        batch_op.create_index("ix_key_accounts_duty_record_of", ["duty_id", "done_on", "id"], unique=False)

    op.create_table(
        "key_accounts_emergency_plan",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("incident", sa.String(length=120), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("steps", sa.Text(), nullable=False),
        sa.Column("answer_hours", sa.SmallInteger(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_key_accounts_emergency_plan_contact_id_contact")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_key_accounts_emergency_plan_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["org_user.id"], name=op.f("fk_key_accounts_emergency_plan_user_id_org_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_emergency_plan")),
    )
    with op.batch_alter_table("key_accounts_emergency_plan", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_key_accounts_emergency_plan_contact_id"), ["contact_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_key_accounts_emergency_plan_customer_id"), ["customer_id"], unique=False)

    op.create_table(
        "key_accounts_meeting_guest",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("meeting_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("answer", sa.String(length=10), nullable=False),
        sa.Column("invited_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "answer IN ('invited', 'accepted', 'declined', 'came')", name=op.f("ck_key_accounts_meeting_guest_answer")
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_key_accounts_meeting_guest_contact_id_contact")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_key_accounts_meeting_guest_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["meeting_id"],
            ["key_accounts_meeting.id"],
            name=op.f("fk_key_accounts_meeting_guest_meeting_id_key_accounts_meeting"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_meeting_guest")),
        sa.UniqueConstraint(
            "meeting_id", "contact_id", name=op.f("uq_key_accounts_meeting_guest_meeting_id_contact_id")
        ),
    )
    with op.batch_alter_table("key_accounts_meeting_guest", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_key_accounts_meeting_guest_contact_id"), ["contact_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_key_accounts_meeting_guest_customer_id"), ["customer_id"], unique=False)

    op.create_table(
        "key_accounts_plan",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("first_year", sa.SmallInteger(), nullable=False),
        sa.Column("years", sa.SmallInteger(), nullable=False),
        sa.Column("phase", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("live", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("invested", sa.BigInteger(), nullable=False),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "phase IN ('prepare', 'plan', 'review', 'monitor')", name=op.f("ck_key_accounts_plan_phase")
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'approved', 'archived')", name=op.f("ck_key_accounts_plan_state")
        ),
        sa.CheckConstraint("invested >= 0", name=op.f("ck_key_accounts_plan_invested")),
        sa.CheckConstraint("years BETWEEN 1 AND 3", name=op.f("ck_key_accounts_plan_years")),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["org_user.id"], name=op.f("fk_key_accounts_plan_created_by_id_org_user")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_key_accounts_plan_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["approval_request.id"], name=op.f("fk_key_accounts_plan_request_id_approval_request")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_plan")),
    )
    with op.batch_alter_table("key_accounts_plan", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_key_accounts_plan_request_id"), ["request_id"], unique=False)
        batch_op.create_index("ix_key_accounts_plan_updated", ["updated_at", "id"], unique=False)
        batch_op.create_index("uq_key_accounts_plan_live", ["customer_id", "live"], unique=True)

    op.create_table(
        "key_accounts_portfolio_group",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("department_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account_manager_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("manager_key", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("tier", sa.String(length=10), nullable=False),
        sa.Column("proposal", sa.String(length=10), nullable=False),
        sa.Column("customers", sa.BigInteger(), nullable=False),
        sa.Column("sales", sa.BigInteger(), nullable=False),
        sa.Column("goods_cost", sa.BigInteger(), nullable=False),
        sa.Column("contact_cost", sa.BigInteger(), nullable=False),
        sa.Column("profit", sa.BigInteger(), nullable=False),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_manager_id"],
            ["org_user.id"],
            name=op.f("fk_key_accounts_portfolio_group_account_manager_id_org_user"),
        ),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["org_department.id"],
            name=op.f("fk_key_accounts_portfolio_group_department_id_org_department"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_portfolio_group")),
        sa.UniqueConstraint(
            "department_id", "manager_key", "status", "tier", "proposal", name="uq_key_accounts_portfolio_group_key"
        ),
    )
    op.create_table(
        "key_accounts_satisfaction",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("surveyed_on", sa.Date(), nullable=False),
        sa.Column("phase", sa.String(length=8), nullable=False),
        sa.Column("grade", sa.Integer(), nullable=False),
        sa.Column("remark", sa.String(length=500), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("phase IN ('before', 'during', 'after')", name=op.f("ck_key_accounts_satisfaction_phase")),
        sa.CheckConstraint("grade BETWEEN 1 AND 5", name=op.f("ck_key_accounts_satisfaction_grade")),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_key_accounts_satisfaction_contact_id_contact")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_key_accounts_satisfaction_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"], ["org_user.id"], name=op.f("fk_key_accounts_satisfaction_recorded_by_id_org_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_satisfaction")),
    )
    with op.batch_alter_table("key_accounts_satisfaction", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_key_accounts_satisfaction_contact_id"), ["contact_id"], unique=False)
        batch_op.create_index(
            "ix_key_accounts_satisfaction_customer", ["customer_id", "surveyed_on", "id"], unique=False
        )

    op.create_table(
        "key_accounts_scorecard_answer",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("scorecard_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("criterion", sa.String(length=40), nullable=False),
        sa.Column("grade", sa.Integer(), nullable=True),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("figure", sa.String(length=200), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.CheckConstraint(
            "source <> 'judgement' OR grade IS NULL OR note <> ''",
            name=op.f("ck_key_accounts_scorecard_answer_judgement_has_note"),
        ),
        sa.CheckConstraint(
            "grade IS NULL OR grade BETWEEN 0 AND 5", name=op.f("ck_key_accounts_scorecard_answer_grade")
        ),
        sa.ForeignKeyConstraint(
            ["scorecard_id"],
            ["key_accounts_scorecard.id"],
            name=op.f("fk_key_accounts_scorecard_answer_scorecard_id_key_accounts_scorecard"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_scorecard_answer")),
        sa.UniqueConstraint(
            "scorecard_id", "criterion", name=op.f("uq_key_accounts_scorecard_answer_scorecard_id_criterion")
        ),
    )
    with op.batch_alter_table("key_accounts_scorecard_answer", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_key_accounts_scorecard_answer_scorecard_id"), ["scorecard_id"], unique=False
        )

    op.create_table(
        "key_accounts_stakeholder",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("influence", sa.SmallInteger(), nullable=False),
        sa.Column("reports_to_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("influence BETWEEN 1 AND 5", name=op.f("ck_key_accounts_stakeholder_influence")),
        sa.CheckConstraint(
            "reports_to_id IS NULL OR reports_to_id <> contact_id",
            name=op.f("ck_key_accounts_stakeholder_not_own_superior"),
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_key_accounts_stakeholder_contact_id_contact")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_key_accounts_stakeholder_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["reports_to_id"], ["contact.id"], name=op.f("fk_key_accounts_stakeholder_reports_to_id_contact")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_stakeholder")),
        sa.UniqueConstraint("contact_id", name=op.f("uq_key_accounts_stakeholder_contact_id")),
    )
    with op.batch_alter_table("key_accounts_stakeholder", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_key_accounts_stakeholder_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_key_accounts_stakeholder_reports_to_id"), ["reports_to_id"], unique=False)

    op.create_table(
        "key_accounts_whitespace",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("unit_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("unit_key", sa.Integer(), nullable=False),
        sa.Column("category", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("rival", sa.String(length=100), nullable=False),
        sa.Column("potential", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("opportunity_id", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("state IN ('ours', 'rival', 'none')", name=op.f("ck_key_accounts_whitespace_state")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_key_accounts_whitespace_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["key_accounts_unit.id"], name=op.f("fk_key_accounts_whitespace_unit_id_key_accounts_unit")
        ),
        sa.ForeignKeyConstraint(
            ["updated_by_id"], ["org_user.id"], name=op.f("fk_key_accounts_whitespace_updated_by_id_org_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_whitespace")),
        sa.UniqueConstraint(
            "customer_id", "unit_key", "category", name=op.f("uq_key_accounts_whitespace_customer_id_unit_key_category")
        ),
    )
    with op.batch_alter_table("key_accounts_whitespace", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_key_accounts_whitespace_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "key_accounts_incident_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("emergency_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("text", sa.String(length=1000), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("kind IN ('begun', 'note', 'ended')", name=op.f("ck_key_accounts_incident_entry_kind")),
        sa.ForeignKeyConstraint(["by_id"], ["org_user.id"], name=op.f("fk_key_accounts_incident_entry_by_id_org_user")),
        sa.ForeignKeyConstraint(
            ["emergency_id"],
            ["key_accounts_emergency_plan.id"],
            name=op.f("fk_key_accounts_incident_entry_emergency_id_key_accounts_emergency_plan"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_incident_entry")),
    )
    with op.batch_alter_table("key_accounts_incident_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_key_accounts_incident_entry_emergency_id"), ["emergency_id"], unique=False)

    op.create_table(
        "key_accounts_opportunity",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("probability", sa.SmallInteger(), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("stage_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("close_on", sa.Date(), nullable=False),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("next_step_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("unit", sa.String(length=120), nullable=False),
        sa.Column("category", sa.String(length=100), nullable=False),
        sa.Column("competitors", sa.String(length=500), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("close_reason", sa.String(length=20), nullable=False),
        sa.Column("close_note", sa.String(length=500), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(stage IN ('won', 'lost')) = (close_reason <> '')", name=op.f("ck_key_accounts_opportunity_reason")
        ),
        sa.CheckConstraint(
            "(stage IN ('won', 'lost')) = (closed_at IS NOT NULL)", name=op.f("ck_key_accounts_opportunity_closed")
        ),
        sa.CheckConstraint(
            "source IN ('more_use', 'cross_selling', 'price_mix', 'drop_unprofitable', 'core_industry', 'unrelated_industry')",
            name=op.f("ck_key_accounts_opportunity_source"),
        ),
        sa.CheckConstraint(
            "stage IN ('identified', 'qualified', 'proposal', 'negotiation', 'won', 'lost')",
            name=op.f("ck_key_accounts_opportunity_stage"),
        ),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_key_accounts_opportunity_amount")),
        sa.CheckConstraint("probability BETWEEN 0 AND 100", name=op.f("ck_key_accounts_opportunity_probability")),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["org_user.id"], name=op.f("fk_key_accounts_opportunity_created_by_id_org_user")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_key_accounts_opportunity_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["next_step_id"], ["next_step.id"], name=op.f("fk_key_accounts_opportunity_next_step_id_next_step")
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["org_user.id"], name=op.f("fk_key_accounts_opportunity_owner_id_org_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_opportunity")),
    )
    with op.batch_alter_table("key_accounts_opportunity", schema=None) as batch_op:
        batch_op.create_index("ix_key_accounts_opportunity_close", ["close_on", "id"], unique=False)
        batch_op.create_index("ix_key_accounts_opportunity_customer", ["customer_id", "close_on", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_key_accounts_opportunity_next_step_id"), ["next_step_id"], unique=False)
        batch_op.create_index(
            "ix_key_accounts_opportunity_owner_open",
            ["owner_id", "close_on", "id"],
            unique=False,
            postgresql_where=sa.text("closed_at IS NULL"),
            sqlite_where=sa.text("closed_at IS NULL"),
        )
        batch_op.create_index("ix_key_accounts_opportunity_stage_amount", ["stage", "amount", "id"], unique=False)
        batch_op.create_index("ix_key_accounts_opportunity_stage_close", ["stage", "close_on", "id"], unique=False)

    op.create_table(
        "key_accounts_plan_action",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("task", sa.String(length=300), nullable=False),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("result", sa.String(length=500), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminded_for", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('open', 'done', 'dropped')", name=op.f("ck_key_accounts_plan_action_state")),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["org_user.id"], name=op.f("fk_key_accounts_plan_action_owner_id_org_user")
        ),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["key_accounts_plan.id"], name=op.f("fk_key_accounts_plan_action_plan_id_key_accounts_plan")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_plan_action")),
    )
    with op.batch_alter_table("key_accounts_plan_action", schema=None) as batch_op:
        batch_op.create_index(
            "ix_key_accounts_plan_action_open",
            ["owner_id", "due_on", "id"],
            unique=False,
            postgresql_where=sa.text("state = 'open'"),
            sqlite_where=sa.text("state = 'open'"),
        )
        batch_op.create_index(batch_op.f("ix_key_accounts_plan_action_plan_id"), ["plan_id"], unique=False)

    op.create_table(
        "key_accounts_plan_review",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=True),
        sa.Column("result", sa.String(length=2000), nullable=False),
        sa.Column("reminded_for", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["key_accounts_plan.id"], name=op.f("fk_key_accounts_plan_review_plan_id_key_accounts_plan")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_plan_review")),
    )
    with op.batch_alter_table("key_accounts_plan_review", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_key_accounts_plan_review_due_on"), ["due_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_key_accounts_plan_review_plan_id"), ["plan_id"], unique=False)

    op.create_table(
        "key_accounts_plan_section",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=20), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["key_accounts_plan.id"], name=op.f("fk_key_accounts_plan_section_plan_id_key_accounts_plan")
        ),
        sa.ForeignKeyConstraint(
            ["updated_by_id"], ["org_user.id"], name=op.f("fk_key_accounts_plan_section_updated_by_id_org_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_plan_section")),
        sa.UniqueConstraint("plan_id", "key", name=op.f("uq_key_accounts_plan_section_plan_id_key")),
    )
    op.create_table(
        "key_accounts_plan_target",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("measure", sa.String(length=60), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["key_accounts_plan.id"], name=op.f("fk_key_accounts_plan_target_plan_id_key_accounts_plan")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_plan_target")),
        sa.UniqueConstraint(
            "plan_id", "measure", "year", name=op.f("uq_key_accounts_plan_target_plan_id_measure_year")
        ),
    )
    op.create_table(
        "key_accounts_plan_version",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("occasion", sa.String(length=10), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["org_user.id"], name=op.f("fk_key_accounts_plan_version_made_by_id_org_user")
        ),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["key_accounts_plan.id"], name=op.f("fk_key_accounts_plan_version_plan_id_key_accounts_plan")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_plan_version")),
        sa.UniqueConstraint("plan_id", "number", name=op.f("uq_key_accounts_plan_version_plan_id_number")),
    )
    op.create_table(
        "key_accounts_stakeholder_change",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("stakeholder_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("influence", sa.SmallInteger(), nullable=False),
        sa.Column("attitude", sa.SmallInteger(), nullable=True),
        sa.Column("reports_to_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["by_id"], ["org_user.id"], name=op.f("fk_key_accounts_stakeholder_change_by_id_org_user")
        ),
        sa.ForeignKeyConstraint(
            ["reports_to_id"], ["contact.id"], name=op.f("fk_key_accounts_stakeholder_change_reports_to_id_contact")
        ),
        sa.ForeignKeyConstraint(
            ["stakeholder_id"],
            ["key_accounts_stakeholder.id"],
            name=op.f("fk_key_accounts_stakeholder_change_stakeholder_id_key_accounts_stakeholder"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_stakeholder_change")),
    )
    with op.batch_alter_table("key_accounts_stakeholder_change", schema=None) as batch_op:
        batch_op.create_index("ix_key_accounts_stakeholder_change_of", ["stakeholder_id", "at", "id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_key_accounts_stakeholder_change_reports_to_id"), ["reports_to_id"], unique=False
        )

    op.create_table(
        "key_accounts_opportunity_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("opportunity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("from_stage", sa.String(length=16), nullable=False),
        sa.Column("to_stage", sa.String(length=16), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("probability", sa.SmallInteger(), nullable=False),
        sa.Column("close_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["by_id"], ["org_user.id"], name=op.f("fk_key_accounts_opportunity_event_by_id_org_user")
        ),
        sa.ForeignKeyConstraint(
            ["opportunity_id"],
            ["key_accounts_opportunity.id"],
            name=op.f("fk_key_accounts_opportunity_event_opportunity_id_key_accounts_opportunity"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_opportunity_event")),
    )
    with op.batch_alter_table("key_accounts_opportunity_event", schema=None) as batch_op:
        batch_op.create_index("ix_key_accounts_opportunity_event_of", ["opportunity_id", "at", "id"], unique=False)

    op.create_table(
        "key_accounts_opportunity_product",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("opportunity_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["opportunity_id"],
            ["key_accounts_opportunity.id"],
            name=op.f("fk_key_accounts_opportunity_product_opportunity_id_key_accounts_opportunity"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["product.id"], name=op.f("fk_key_accounts_opportunity_product_product_id_product")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_accounts_opportunity_product")),
        sa.UniqueConstraint(
            "opportunity_id", "product_id", name=op.f("uq_key_accounts_opportunity_product_opportunity_id_product_id")
        ),
    )
    with op.batch_alter_table("key_accounts_opportunity_product", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_key_accounts_opportunity_product_product_id"), ["product_id"], unique=False
        )
    dialect = op.get_bind().dialect.name
    for table in ddl.TABLES:
        for statement in ddl.statements(dialect, table):
            op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    dialect = op.get_bind().dialect.name
    for table in ddl.TABLES:
        for statement in ddl.drop_statements(dialect, table):
            op.get_bind().exec_driver_sql(statement)
    with op.batch_alter_table("key_accounts_opportunity_product", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_key_accounts_opportunity_product_product_id"))

    op.drop_table("key_accounts_opportunity_product")
    with op.batch_alter_table("key_accounts_opportunity_event", schema=None) as batch_op:
        batch_op.drop_index("ix_key_accounts_opportunity_event_of")

    op.drop_table("key_accounts_opportunity_event")
    with op.batch_alter_table("key_accounts_stakeholder_change", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_key_accounts_stakeholder_change_reports_to_id"))
        batch_op.drop_index("ix_key_accounts_stakeholder_change_of")

    op.drop_table("key_accounts_stakeholder_change")
    op.drop_table("key_accounts_plan_version")
    op.drop_table("key_accounts_plan_target")
    op.drop_table("key_accounts_plan_section")
    with op.batch_alter_table("key_accounts_plan_review", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_key_accounts_plan_review_plan_id"))
        batch_op.drop_index(batch_op.f("ix_key_accounts_plan_review_due_on"))

    op.drop_table("key_accounts_plan_review")
    with op.batch_alter_table("key_accounts_plan_action", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_key_accounts_plan_action_plan_id"))
        batch_op.drop_index(
            "ix_key_accounts_plan_action_open",
            postgresql_where=sa.text("state = 'open'"),
            sqlite_where=sa.text("state = 'open'"),
        )

    op.drop_table("key_accounts_plan_action")
    with op.batch_alter_table("key_accounts_opportunity", schema=None) as batch_op:
        batch_op.drop_index("ix_key_accounts_opportunity_stage_close")
        batch_op.drop_index("ix_key_accounts_opportunity_stage_amount")
        batch_op.drop_index(
            "ix_key_accounts_opportunity_owner_open",
            postgresql_where=sa.text("closed_at IS NULL"),
            sqlite_where=sa.text("closed_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_key_accounts_opportunity_next_step_id"))
        batch_op.drop_index("ix_key_accounts_opportunity_customer")
        batch_op.drop_index("ix_key_accounts_opportunity_close")

    op.drop_table("key_accounts_opportunity")
    with op.batch_alter_table("key_accounts_incident_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_key_accounts_incident_entry_emergency_id"))

    op.drop_table("key_accounts_incident_entry")
    with op.batch_alter_table("key_accounts_whitespace", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_key_accounts_whitespace_unit_id"))

    op.drop_table("key_accounts_whitespace")
    with op.batch_alter_table("key_accounts_stakeholder", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_key_accounts_stakeholder_reports_to_id"))
        batch_op.drop_index(batch_op.f("ix_key_accounts_stakeholder_customer_id"))

    op.drop_table("key_accounts_stakeholder")
    with op.batch_alter_table("key_accounts_scorecard_answer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_key_accounts_scorecard_answer_scorecard_id"))

    op.drop_table("key_accounts_scorecard_answer")
    with op.batch_alter_table("key_accounts_satisfaction", schema=None) as batch_op:
        batch_op.drop_index("ix_key_accounts_satisfaction_customer")
        batch_op.drop_index(batch_op.f("ix_key_accounts_satisfaction_contact_id"))

    op.drop_table("key_accounts_satisfaction")
    op.drop_table("key_accounts_portfolio_group")
    with op.batch_alter_table("key_accounts_plan", schema=None) as batch_op:
        batch_op.drop_index("uq_key_accounts_plan_live")
        batch_op.drop_index("ix_key_accounts_plan_updated")
        batch_op.drop_index(batch_op.f("ix_key_accounts_plan_request_id"))

    op.drop_table("key_accounts_plan")
    with op.batch_alter_table("key_accounts_meeting_guest", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_key_accounts_meeting_guest_customer_id"))
        batch_op.drop_index(batch_op.f("ix_key_accounts_meeting_guest_contact_id"))

    op.drop_table("key_accounts_meeting_guest")
    with op.batch_alter_table("key_accounts_emergency_plan", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_key_accounts_emergency_plan_customer_id"))
        batch_op.drop_index(batch_op.f("ix_key_accounts_emergency_plan_contact_id"))

    op.drop_table("key_accounts_emergency_plan")
    with op.batch_alter_table("key_accounts_duty_record", schema=None) as batch_op:
        batch_op.drop_index("ix_key_accounts_duty_record_of")

    op.drop_table("key_accounts_duty_record")
    with op.batch_alter_table("key_accounts_channel", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_key_accounts_channel_customer_id"))
        batch_op.drop_index(batch_op.f("ix_key_accounts_channel_contact_id"))

    op.drop_table("key_accounts_channel")
    with op.batch_alter_table("key_accounts_visit", schema=None) as batch_op:
        batch_op.drop_index("ix_key_accounts_visit_starts")
        batch_op.drop_index("ix_key_accounts_visit_executive")
        batch_op.drop_index(batch_op.f("ix_key_accounts_visit_customer_id"))

    op.drop_table("key_accounts_visit")
    with op.batch_alter_table("key_accounts_violation", schema=None) as batch_op:
        batch_op.drop_index("ix_key_accounts_violation_happened_on_id")
        batch_op.drop_index(batch_op.f("ix_key_accounts_violation_customer_id"))

    op.drop_table("key_accounts_violation")
    with op.batch_alter_table("key_accounts_unit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_key_accounts_unit_linked_id"))
        batch_op.drop_index("ix_key_accounts_unit_customer")

    op.drop_table("key_accounts_unit")
    with op.batch_alter_table("key_accounts_tier_decision", schema=None) as batch_op:
        batch_op.drop_index("ix_key_accounts_tier_decision_customer")
        batch_op.drop_index("ix_key_accounts_tier_decision_at")

    op.drop_table("key_accounts_tier_decision")
    with op.batch_alter_table("key_accounts_tier", schema=None) as batch_op:
        batch_op.drop_index("ix_key_accounts_tier_tier_customer")

    op.drop_table("key_accounts_tier")
    with op.batch_alter_table("key_accounts_team_member", schema=None) as batch_op:
        batch_op.drop_index("ix_key_accounts_team_member_user")
        batch_op.drop_index(batch_op.f("ix_key_accounts_team_member_customer_id"))

    op.drop_table("key_accounts_team_member")
    with op.batch_alter_table("key_accounts_team", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_key_accounts_team_sponsor_id"))
        batch_op.drop_index(batch_op.f("ix_key_accounts_team_complaint_id"))

    op.drop_table("key_accounts_team")
    op.drop_table("key_accounts_segment")
    with op.batch_alter_table("key_accounts_scorecard", schema=None) as batch_op:
        batch_op.drop_index("ix_key_accounts_scorecard_customer")

    op.drop_table("key_accounts_scorecard")
    with op.batch_alter_table("key_accounts_meeting_action", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_key_accounts_meeting_action_owner_id"))
        batch_op.drop_index(batch_op.f("ix_key_accounts_meeting_action_meeting_id"))

    op.drop_table("key_accounts_meeting_action")
    with op.batch_alter_table("key_accounts_measure", schema=None) as batch_op:
        batch_op.drop_index("ix_key_accounts_measure_tier_sales")
        batch_op.drop_index("ix_key_accounts_measure_sales_customer")
        batch_op.drop_index("ix_key_accounts_measure_proposal_sales")
        batch_op.drop_index("ix_key_accounts_measure_profit_customer")
        batch_op.drop_index("ix_key_accounts_measure_changed_at")

    op.drop_table("key_accounts_measure")
    with op.batch_alter_table("key_accounts_incentive", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_key_accounts_incentive_customer_id"))

    op.drop_table("key_accounts_incentive")
    op.drop_table("key_accounts_health")
    op.drop_table("key_accounts_forecast")
    op.drop_table("key_accounts_emphasis")
    with op.batch_alter_table("key_accounts_duty", schema=None) as batch_op:
        batch_op.drop_index("ix_key_accounts_duty_owner")

    op.drop_table("key_accounts_duty")
    op.drop_table("key_accounts_driver")
    with op.batch_alter_table("key_accounts_scenario", schema=None) as batch_op:
        batch_op.drop_index("ix_key_accounts_scenario_owner")

    op.drop_table("key_accounts_scenario")
    with op.batch_alter_table("key_accounts_sales_target", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_key_accounts_sales_target_user_id"))

    op.drop_table("key_accounts_sales_target")
    op.drop_table("key_accounts_proposition")
    with op.batch_alter_table("key_accounts_policy", schema=None) as batch_op:
        batch_op.drop_index("ix_key_accounts_policy_valid")

    op.drop_table("key_accounts_policy")
    with op.batch_alter_table("key_accounts_meeting", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_key_accounts_meeting_starts_at"))
        batch_op.drop_index(batch_op.f("ix_key_accounts_meeting_organiser_id"))

    op.drop_table("key_accounts_meeting")
    with op.batch_alter_table("key_accounts_feed", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_key_accounts_feed_user_id"))

    op.drop_table("key_accounts_feed")
    with op.batch_alter_table("key_accounts_expert_skill", schema=None) as batch_op:
        batch_op.drop_index("ix_key_accounts_expert_skill_skill")

    op.drop_table("key_accounts_expert_skill")
    op.drop_table("key_accounts_measure_state")
