"""The tables of the first version.

Revision: sop_0001
Revises:
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from plugins.sop import ddl

revision = "sop_0001"
down_revision = None
branch_labels = ("sop",)
depends_on = "portal"


def upgrade() -> None:
    op.create_table(
        "sop_manual",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=30), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("classification", sa.String(length=12), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("company", sa.String(length=200), nullable=False),
        sa.Column("department_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("review_months", sa.SmallInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("retired_on", sa.Date(), nullable=True),
        sa.Column("retired_reason", sa.String(length=500), nullable=False),
        sa.Column("retired_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("classification IN ('internal', 'confidential')", name=op.f("ck_sop_manual_classification")),
        sa.CheckConstraint("retired_on IS NULL OR retired_reason <> ''", name=op.f("ck_sop_manual_retired_has_reason")),
        sa.CheckConstraint("review_months BETWEEN 1 AND 120", name=op.f("ck_sop_manual_review_months")),
        sa.ForeignKeyConstraint(["created_by_id"], ["org_user.id"], name=op.f("fk_sop_manual_created_by_id_org_user")),
        sa.ForeignKeyConstraint(
            ["department_id"], ["org_department.id"], name=op.f("fk_sop_manual_department_id_org_department")
        ),
        sa.ForeignKeyConstraint(["retired_by_id"], ["org_user.id"], name=op.f("fk_sop_manual_retired_by_id_org_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sop_manual")),
        sa.UniqueConstraint("code", name=op.f("uq_sop_manual_code")),
    )
    with op.batch_alter_table("sop_manual", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sop_manual_department_id"), ["department_id"], unique=False)

    op.create_table(
        "sop_programme",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("goal", sa.String(length=1000), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("department_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("state_reason", sa.String(length=500), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('planned', 'running', 'finished', 'stopped')", name=op.f("ck_sop_programme_state")
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["org_user.id"], name=op.f("fk_sop_programme_created_by_id_org_user")
        ),
        sa.ForeignKeyConstraint(
            ["department_id"], ["org_department.id"], name=op.f("fk_sop_programme_department_id_org_department")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["org_user.id"], name=op.f("fk_sop_programme_owner_id_org_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sop_programme")),
    )
    with op.batch_alter_table("sop_programme", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sop_programme_department_id"), ["department_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sop_programme_owner_id"), ["owner_id"], unique=False)

    op.create_table(
        "sop_assessment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("programme_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("moment", sa.String(length=8), nullable=False),
        sa.Column("assessed_on", sa.Date(), nullable=False),
        sa.Column("participants", sa.String(length=500), nullable=False),
        sa.Column("summary", sa.String(length=2000), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("moment IN ('start', 'interim', 'end')", name=op.f("ck_sop_assessment_moment")),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["org_user.id"], name=op.f("fk_sop_assessment_created_by_id_org_user")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["sop_programme.id"], name=op.f("fk_sop_assessment_programme_id_sop_programme")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sop_assessment")),
    )
    with op.batch_alter_table("sop_assessment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sop_assessment_programme_id"), ["programme_id"], unique=False)

    op.create_table(
        "sop_budget_choice",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("programme_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("days", sa.Integer(), nullable=True),
        sa.Column("rate", sa.BigInteger(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("compared", sa.Text(), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("chosen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("chosen_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint(
            "mode IN ('own', 'short', 'deep', 'manual', 'assisted', 'tailored')", name=op.f("ck_sop_budget_choice_mode")
        ),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_sop_budget_choice_reason")),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_sop_budget_choice_amount")),
        sa.ForeignKeyConstraint(
            ["chosen_by_id"], ["org_user.id"], name=op.f("fk_sop_budget_choice_chosen_by_id_org_user")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["sop_programme.id"], name=op.f("fk_sop_budget_choice_programme_id_sop_programme")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sop_budget_choice")),
        sa.UniqueConstraint("token", name=op.f("uq_sop_budget_choice_token")),
    )
    with op.batch_alter_table("sop_budget_choice", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sop_budget_choice_programme_id"), ["programme_id"], unique=False)

    op.create_table(
        "sop_manual_editor",
        sa.Column("manual_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["manual_id"], ["sop_manual.id"], name=op.f("fk_sop_manual_editor_manual_id_sop_manual"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["org_user.id"], name=op.f("fk_sop_manual_editor_user_id_org_user")),
        sa.PrimaryKeyConstraint("manual_id", "user_id", name=op.f("pk_sop_manual_editor")),
    )
    with op.batch_alter_table("sop_manual_editor", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sop_manual_editor_user_id"), ["user_id"], unique=False)

    op.create_table(
        "sop_procedure",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("manual_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=30), nullable=False),
        sa.Column("starter", sa.String(length=60), nullable=False),
        sa.ForeignKeyConstraint(["manual_id"], ["sop_manual.id"], name=op.f("fk_sop_procedure_manual_id_sop_manual")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sop_procedure")),
        sa.UniqueConstraint("manual_id", "code", name=op.f("uq_sop_procedure_manual_id_code")),
    )
    op.create_table(
        "sop_programme_step",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("programme_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("stage", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("begins_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("planned_begins_on", sa.Date(), nullable=False),
        sa.Column("planned_ends_on", sa.Date(), nullable=False),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("progress", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(length=2000), nullable=False),
        sa.Column("finished_on", sa.Date(), nullable=True),
        sa.Column("reminded_on", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("begins_on <= ends_on", name=op.f("ck_sop_programme_step_dates")),
        sa.CheckConstraint("days BETWEEN 1 AND 250", name=op.f("ck_sop_programme_step_days")),
        sa.CheckConstraint("progress BETWEEN 0 AND 100", name=op.f("ck_sop_programme_step_progress")),
        sa.ForeignKeyConstraint(["owner_id"], ["org_user.id"], name=op.f("fk_sop_programme_step_owner_id_org_user")),
        sa.ForeignKeyConstraint(
            ["programme_id"],
            ["sop_programme.id"],
            name=op.f("fk_sop_programme_step_programme_id_sop_programme"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sop_programme_step")),
        sa.UniqueConstraint("programme_id", "position", name=op.f("uq_sop_programme_step_programme_id_position")),
    )
    with op.batch_alter_table("sop_programme_step", schema=None) as batch_op:
        batch_op.create_index("ix_sop_programme_step_owner_ends", ["owner_id", "finished_on", "ends_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_sop_programme_step_owner_id"), ["owner_id"], unique=False)

    op.create_table(
        "sop_reading_rule",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("manual_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("audience", sa.String(length=10), nullable=False),
        sa.Column("department_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("due_days", sa.SmallInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint(
            "(audience = 'department') = (department_id IS NOT NULL)", name=op.f("ck_sop_reading_rule_department")
        ),
        sa.CheckConstraint("(audience = 'role') = (role <> '')", name=op.f("ck_sop_reading_rule_role")),
        sa.CheckConstraint("audience IN ('all', 'department', 'role')", name=op.f("ck_sop_reading_rule_audience")),
        sa.CheckConstraint("due_days BETWEEN 1 AND 365", name=op.f("ck_sop_reading_rule_due_days")),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["org_user.id"], name=op.f("fk_sop_reading_rule_created_by_id_org_user")
        ),
        sa.ForeignKeyConstraint(
            ["department_id"], ["org_department.id"], name=op.f("fk_sop_reading_rule_department_id_org_department")
        ),
        sa.ForeignKeyConstraint(
            ["manual_id"], ["sop_manual.id"], name=op.f("fk_sop_reading_rule_manual_id_sop_manual"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sop_reading_rule")),
    )
    with op.batch_alter_table("sop_reading_rule", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sop_reading_rule_department_id"), ["department_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sop_reading_rule_manual_id"), ["manual_id"], unique=False)

    op.create_table(
        "sop_scorecard_value",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("programme_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("measure", sa.String(length=24), nullable=False),
        sa.Column("side", sa.String(length=6), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=True),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("is_computed", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("side IN ('before', 'after')", name=op.f("ck_sop_scorecard_value_side")),
        sa.CheckConstraint("first <= last", name=op.f("ck_sop_scorecard_value_period")),
        sa.ForeignKeyConstraint(["by_id"], ["org_user.id"], name=op.f("fk_sop_scorecard_value_by_id_org_user")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["sop_programme.id"], name=op.f("fk_sop_scorecard_value_programme_id_sop_programme")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sop_scorecard_value")),
    )
    with op.batch_alter_table("sop_scorecard_value", schema=None) as batch_op:
        batch_op.create_index(
            "ix_sop_scorecard_value_programme", ["programme_id", "measure", "side", "id"], unique=False
        )

    op.create_table(
        "sop_assessment_answer",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("assessment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("question", sa.String(length=24), nullable=False),
        sa.Column("own", sa.Integer(), nullable=True),
        sa.Column("industry", sa.Integer(), nullable=True),
        sa.Column("problem", sa.String(length=500), nullable=False),
        sa.CheckConstraint(
            "industry IS NULL OR industry BETWEEN 1 AND 5", name=op.f("ck_sop_assessment_answer_industry")
        ),
        sa.CheckConstraint("own IS NULL OR own BETWEEN 1 AND 5", name=op.f("ck_sop_assessment_answer_own")),
        sa.ForeignKeyConstraint(
            ["assessment_id"],
            ["sop_assessment.id"],
            name=op.f("fk_sop_assessment_answer_assessment_id_sop_assessment"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sop_assessment_answer")),
        sa.UniqueConstraint("assessment_id", "question", name=op.f("uq_sop_assessment_answer_assessment_id_question")),
    )
    with op.batch_alter_table("sop_assessment_answer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sop_assessment_answer_assessment_id"), ["assessment_id"], unique=False)

    op.create_table(
        "sop_manual_version",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("manual_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("base_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("major", sa.SmallInteger(), nullable=False),
        sa.Column("minor", sa.SmallInteger(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("company", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("summary", sa.String(length=2000), nullable=False),
        sa.Column("wanted_from", sa.Date(), nullable=True),
        sa.Column("effective_from", sa.Date(), nullable=True),
        sa.Column("effective_until", sa.Date(), nullable=True),
        sa.Column("review_due", sa.Date(), nullable=True),
        sa.Column("content_digest", sa.String(length=64), nullable=False),
        sa.Column("request_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(state = 'published') = (effective_from IS NOT NULL)",
            name=op.f("ck_sop_manual_version_published_has_date"),
        ),
        sa.CheckConstraint("state IN ('draft', 'in_review', 'published')", name=op.f("ck_sop_manual_version_state")),
        sa.CheckConstraint(
            "effective_until IS NULL OR effective_from <= effective_until", name=op.f("ck_sop_manual_version_period")
        ),
        sa.CheckConstraint("major >= 1 AND minor >= 0", name=op.f("ck_sop_manual_version_number")),
        sa.ForeignKeyConstraint(
            ["base_id"], ["sop_manual_version.id"], name=op.f("fk_sop_manual_version_base_id_sop_manual_version")
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["org_user.id"], name=op.f("fk_sop_manual_version_created_by_id_org_user")
        ),
        sa.ForeignKeyConstraint(
            ["manual_id"], ["sop_manual.id"], name=op.f("fk_sop_manual_version_manual_id_sop_manual")
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["approval_request.id"], name=op.f("fk_sop_manual_version_request_id_approval_request")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sop_manual_version")),
        sa.UniqueConstraint("manual_id", "major", "minor", name=op.f("uq_sop_manual_version_manual_id_major_minor")),
    )
    with op.batch_alter_table("sop_manual_version", schema=None) as batch_op:
        batch_op.create_index(
            "ix_sop_manual_version_manual_id_effective_from", ["manual_id", "effective_from"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_sop_manual_version_request_id"), ["request_id"], unique=False)
        batch_op.create_index(
            "uq_sop_manual_version_last",
            ["manual_id"],
            unique=True,
            postgresql_where=sa.text("state = 'published' AND effective_until IS NULL"),
            sqlite_where=sa.text("state = 'published' AND effective_until IS NULL"),
        )
        batch_op.create_index(
            "uq_sop_manual_version_open",
            ["manual_id"],
            unique=True,
            postgresql_where=sa.text("state IN ('draft', 'in_review')"),
            sqlite_where=sa.text("state IN ('draft', 'in_review')"),
        )

    op.create_table(
        "sop_programme_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("programme_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("step_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("detail", sa.String(length=1000), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["org_user.id"], name=op.f("fk_sop_programme_event_by_id_org_user")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["sop_programme.id"], name=op.f("fk_sop_programme_event_programme_id_sop_programme")
        ),
        sa.ForeignKeyConstraint(
            ["step_id"], ["sop_programme_step.id"], name=op.f("fk_sop_programme_event_step_id_sop_programme_step")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sop_programme_event")),
    )
    with op.batch_alter_table("sop_programme_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sop_programme_event_programme_id"), ["programme_id"], unique=False)

    op.create_table(
        "sop_schedule",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("procedure_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("frequency", sa.String(length=10), nullable=False),
        sa.Column("weekday", sa.SmallInteger(), nullable=True),
        sa.Column("day", sa.SmallInteger(), nullable=True),
        sa.Column("month", sa.SmallInteger(), nullable=True),
        sa.Column("occasion", sa.String(length=60), nullable=False),
        sa.Column("department_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("responsible", sa.String(length=8), nullable=False),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("due_days", sa.SmallInteger(), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("last_on", sa.Date(), nullable=True),
        sa.Column("problem", sa.String(length=300), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("(kind = 'occasion') = (occasion <> '')", name=op.f("ck_sop_schedule_occasion")),
        sa.CheckConstraint("(kind = 'schedule') = (frequency <> '')", name=op.f("ck_sop_schedule_frequency")),
        sa.CheckConstraint("kind IN ('schedule', 'occasion')", name=op.f("ck_sop_schedule_kind")),
        sa.CheckConstraint("responsible IN ('person', 'manager', 'causer')", name=op.f("ck_sop_schedule_responsible")),
        sa.CheckConstraint("due_days IS NULL OR due_days BETWEEN 0 AND 250", name=op.f("ck_sop_schedule_due_days")),
        sa.CheckConstraint("ends_on IS NULL OR starts_on <= ends_on", name=op.f("ck_sop_schedule_period")),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["org_user.id"], name=op.f("fk_sop_schedule_created_by_id_org_user")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_sop_schedule_customer_id_customer")),
        sa.ForeignKeyConstraint(
            ["department_id"], ["org_department.id"], name=op.f("fk_sop_schedule_department_id_org_department")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["org_user.id"], name=op.f("fk_sop_schedule_owner_id_org_user")),
        sa.ForeignKeyConstraint(
            ["procedure_id"], ["sop_procedure.id"], name=op.f("fk_sop_schedule_procedure_id_sop_procedure")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sop_schedule")),
    )
    with op.batch_alter_table("sop_schedule", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sop_schedule_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sop_schedule_department_id"), ["department_id"], unique=False)
        batch_op.create_index("ix_sop_schedule_occasion", ["occasion", "is_active"], unique=False)
        batch_op.create_index(batch_op.f("ix_sop_schedule_owner_id"), ["owner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sop_schedule_procedure_id"), ["procedure_id"], unique=False)

    op.create_table(
        "sop_acknowledgement",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("department_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"], ["org_department.id"], name=op.f("fk_sop_acknowledgement_department_id_org_department")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["org_user.id"], name=op.f("fk_sop_acknowledgement_user_id_org_user")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["sop_manual_version.id"], name=op.f("fk_sop_acknowledgement_version_id_sop_manual_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sop_acknowledgement")),
        sa.UniqueConstraint("version_id", "user_id", name=op.f("uq_sop_acknowledgement_version_id_user_id")),
    )
    with op.batch_alter_table("sop_acknowledgement", schema=None) as batch_op:
        batch_op.create_index("ix_sop_acknowledgement_user_id", ["user_id", "version_id"], unique=False)

    op.create_table(
        "sop_chapter",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("edit_version", sa.Integer(), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("edited_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["edited_by_id"], ["org_user.id"], name=op.f("fk_sop_chapter_edited_by_id_org_user")),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["sop_manual_version.id"],
            name=op.f("fk_sop_chapter_version_id_sop_manual_version"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sop_chapter")),
        sa.UniqueConstraint("version_id", "key", name=op.f("uq_sop_chapter_version_id_key")),
    )
    op.create_table(
        "sop_comment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("chapter_key", sa.String(length=32), nullable=False),
        sa.Column("procedure_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("step_key", sa.String(length=12), nullable=False),
        sa.Column("thread_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("text", sa.String(length=2000), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["org_user.id"], name=op.f("fk_sop_comment_by_id_org_user")),
        sa.ForeignKeyConstraint(
            ["procedure_id"], ["sop_procedure.id"], name=op.f("fk_sop_comment_procedure_id_sop_procedure")
        ),
        sa.ForeignKeyConstraint(
            ["resolved_by_id"], ["org_user.id"], name=op.f("fk_sop_comment_resolved_by_id_org_user")
        ),
        sa.ForeignKeyConstraint(["thread_id"], ["sop_comment.id"], name=op.f("fk_sop_comment_thread_id_sop_comment")),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["sop_manual_version.id"],
            name=op.f("fk_sop_comment_version_id_sop_manual_version"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sop_comment")),
    )
    with op.batch_alter_table("sop_comment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sop_comment_procedure_id"), ["procedure_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sop_comment_thread_id"), ["thread_id"], unique=False)
        batch_op.create_index("ix_sop_comment_version_id_id", ["version_id", "id"], unique=False)

    op.create_table(
        "sop_procedure_revision",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("procedure_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("origin_version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("trigger", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("records", sa.Text(), nullable=False),
        sa.Column("measures", sa.Text(), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("edit_version", sa.Integer(), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("edited_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["edited_by_id"], ["org_user.id"], name=op.f("fk_sop_procedure_revision_edited_by_id_org_user")
        ),
        sa.ForeignKeyConstraint(
            ["origin_version_id"],
            ["sop_manual_version.id"],
            name=op.f("fk_sop_procedure_revision_origin_version_id_sop_manual_version"),
        ),
        sa.ForeignKeyConstraint(
            ["procedure_id"], ["sop_procedure.id"], name=op.f("fk_sop_procedure_revision_procedure_id_sop_procedure")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sop_procedure_revision")),
        sa.UniqueConstraint("id", "procedure_id", name=op.f("uq_sop_procedure_revision_id_procedure_id")),
        sa.UniqueConstraint(
            "procedure_id", "origin_version_id", name=op.f("uq_sop_procedure_revision_procedure_id_origin_version_id")
        ),
    )
    with op.batch_alter_table("sop_procedure_revision", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_sop_procedure_revision_origin_version_id"), ["origin_version_id"], unique=False
        )

    op.create_table(
        "sop_question",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("question", sa.String(length=500), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("correct", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["sop_manual_version.id"],
            name=op.f("fk_sop_question_version_id_sop_manual_version"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sop_question")),
    )
    with op.batch_alter_table("sop_question", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sop_question_version_id"), ["version_id"], unique=False)

    op.create_table(
        "sop_reading_reminder",
        sa.Column("version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["org_user.id"], name=op.f("fk_sop_reading_reminder_user_id_org_user")),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["sop_manual_version.id"],
            name=op.f("fk_sop_reading_reminder_version_id_sop_manual_version"),
        ),
        sa.PrimaryKeyConstraint("version_id", "user_id", "kind", name=op.f("pk_sop_reading_reminder")),
    )
    op.create_table(
        "sop_reading_try",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("right", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["org_user.id"], name=op.f("fk_sop_reading_try_user_id_org_user")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["sop_manual_version.id"], name=op.f("fk_sop_reading_try_version_id_sop_manual_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sop_reading_try")),
    )
    with op.batch_alter_table("sop_reading_try", schema=None) as batch_op:
        batch_op.create_index("ix_sop_reading_try_version_id_user_id", ["version_id", "user_id"], unique=False)

    op.create_table(
        "sop_undo_step",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("unit", sa.String(length=50), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["org_user.id"], name=op.f("fk_sop_undo_step_by_id_org_user")),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["sop_manual_version.id"],
            name=op.f("fk_sop_undo_step_version_id_sop_manual_version"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sop_undo_step")),
    )
    with op.batch_alter_table("sop_undo_step", schema=None) as batch_op:
        batch_op.create_index("ix_sop_undo_step_version_id_unit_id", ["version_id", "unit", "id"], unique=False)

    op.create_table(
        "sop_version_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("note", sa.String(length=2000), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("once", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["org_user.id"], name=op.f("fk_sop_version_event_by_id_org_user")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["sop_manual_version.id"], name=op.f("fk_sop_version_event_version_id_sop_manual_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sop_version_event")),
        sa.UniqueConstraint("version_id", "once", name=op.f("uq_sop_version_event_version_id_once")),
    )
    with op.batch_alter_table("sop_version_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sop_version_event_version_id"), ["version_id"], unique=False)

    op.create_table(
        "sop_attachment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("revision_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("storage_key", sa.String(length=110), nullable=False),
        sa.ForeignKeyConstraint(
            ["revision_id"],
            ["sop_procedure_revision.id"],
            name=op.f("fk_sop_attachment_revision_id_sop_procedure_revision"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sop_attachment")),
    )
    with op.batch_alter_table("sop_attachment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sop_attachment_revision_id"), ["revision_id"], unique=False)

    op.create_table(
        "sop_procedure_term",
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column(
            "term", sa.String(length=48).with_variant(sa.String(length=48, collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("revision_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["revision_id"],
            ["sop_procedure_revision.id"],
            name=op.f("fk_sop_procedure_term_revision_id_sop_procedure_revision"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("kind", "term", "revision_id", name=op.f("pk_sop_procedure_term")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("sop_procedure_term", schema=None) as batch_op:
        batch_op.create_index("ix_sop_procedure_term_revision_id", ["revision_id"], unique=False)

    op.create_table(
        "sop_revision_department",
        sa.Column("revision_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("department_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("raci", sa.String(length=4), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["org_department.id"],
            name=op.f("fk_sop_revision_department_department_id_org_department"),
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"],
            ["sop_procedure_revision.id"],
            name=op.f("fk_sop_revision_department_revision_id_sop_procedure_revision"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("revision_id", "department_id", name=op.f("pk_sop_revision_department")),
    )
    with op.batch_alter_table("sop_revision_department", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sop_revision_department_department_id"), ["department_id"], unique=False)

    op.create_table(
        "sop_revision_relation",
        sa.Column("revision_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("related_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=6), nullable=False),
        sa.CheckConstraint("kind IN ('after', 'see')", name=op.f("ck_sop_revision_relation_kind")),
        sa.ForeignKeyConstraint(
            ["related_id"], ["sop_procedure.id"], name=op.f("fk_sop_revision_relation_related_id_sop_procedure")
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"],
            ["sop_procedure_revision.id"],
            name=op.f("fk_sop_revision_relation_revision_id_sop_procedure_revision"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("revision_id", "related_id", name=op.f("pk_sop_revision_relation")),
    )
    with op.batch_alter_table("sop_revision_relation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sop_revision_relation_related_id"), ["related_id"], unique=False)

    op.create_table(
        "sop_revision_role",
        sa.Column("revision_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["revision_id"],
            ["sop_procedure_revision.id"],
            name=op.f("fk_sop_revision_role_revision_id_sop_procedure_revision"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("revision_id", "role", name=op.f("pk_sop_revision_role")),
    )
    op.create_table(
        "sop_run",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.String(length=30), nullable=False),
        sa.Column("procedure_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("revision_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("department_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("started_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("closed_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("steps_total", sa.SmallInteger(), nullable=False),
        sa.Column("steps_closed", sa.SmallInteger(), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=True),
        sa.Column("origin", sa.String(length=120), nullable=True),
        sa.Column("edit_version", sa.Integer(), nullable=False),
        sa.CheckConstraint("(state = 'open') = (closed_on IS NULL)", name=op.f("ck_sop_run_closed_has_date")),
        sa.CheckConstraint("state <> 'cancelled' OR reason <> ''", name=op.f("ck_sop_run_cancelled_has_reason")),
        sa.CheckConstraint("state IN ('open', 'done', 'cancelled')", name=op.f("ck_sop_run_state")),
        sa.CheckConstraint("due_on IS NULL OR starts_on <= due_on", name=op.f("ck_sop_run_due_after_start")),
        sa.CheckConstraint("steps_closed BETWEEN 0 AND steps_total", name=op.f("ck_sop_run_steps_closed")),
        sa.ForeignKeyConstraint(["closed_by_id"], ["org_user.id"], name=op.f("fk_sop_run_closed_by_id_org_user")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_sop_run_customer_id_customer")),
        sa.ForeignKeyConstraint(
            ["department_id"], ["org_department.id"], name=op.f("fk_sop_run_department_id_org_department")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["org_user.id"], name=op.f("fk_sop_run_owner_id_org_user")),
        sa.ForeignKeyConstraint(
            ["procedure_id"], ["sop_procedure.id"], name=op.f("fk_sop_run_procedure_id_sop_procedure")
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["sop_procedure_revision.id"], name=op.f("fk_sop_run_revision_id_sop_procedure_revision")
        ),
        sa.ForeignKeyConstraint(["started_by_id"], ["org_user.id"], name=op.f("fk_sop_run_started_by_id_org_user")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["sop_manual_version.id"], name=op.f("fk_sop_run_version_id_sop_manual_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sop_run")),
        sa.UniqueConstraint("number", name=op.f("uq_sop_run_number")),
        sa.UniqueConstraint("origin", name=op.f("uq_sop_run_origin")),
        sa.UniqueConstraint("token", name=op.f("uq_sop_run_token")),
    )
    with op.batch_alter_table("sop_run", schema=None) as batch_op:
        batch_op.create_index("ix_sop_run_customer", ["customer_id", "state", "started_at"], unique=False)
        batch_op.create_index("ix_sop_run_department_starts_on", ["department_id", "starts_on"], unique=False)
        batch_op.create_index("ix_sop_run_owner_state", ["owner_id", "state", "due_on"], unique=False)
        batch_op.create_index("ix_sop_run_procedure", ["procedure_id", "starts_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_sop_run_revision_id"), ["revision_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sop_run_started_by_id"), ["started_by_id"], unique=False)
        batch_op.create_index("ix_sop_run_starts_on_id", ["starts_on", "id"], unique=False)
        batch_op.create_index("ix_sop_run_state_due_on_id", ["state", "due_on", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sop_run_version_id"), ["version_id"], unique=False)

    op.create_table(
        "sop_step",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("revision_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=12), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("who", sa.String(length=200), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("record", sa.String(length=300), nullable=False),
        sa.Column("limit_amount", sa.SmallInteger(), nullable=True),
        sa.Column("limit_unit", sa.String(length=12), nullable=False),
        sa.Column("limit_text", sa.String(length=100), nullable=False),
        sa.Column("standard", sa.Text(), nullable=False),
        sa.Column("is_check", sa.Boolean(), nullable=False),
        sa.Column("is_stop", sa.Boolean(), nullable=False),
        sa.CheckConstraint("(limit_amount IS NULL) = (limit_unit = '')", name=op.f("ck_sop_step_limit_has_unit")),
        sa.CheckConstraint("limit_amount IS NULL OR limit_amount > 0", name=op.f("ck_sop_step_limit_positive")),
        sa.ForeignKeyConstraint(
            ["revision_id"],
            ["sop_procedure_revision.id"],
            name=op.f("fk_sop_step_revision_id_sop_procedure_revision"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sop_step")),
        sa.UniqueConstraint("revision_id", "key", name=op.f("uq_sop_step_revision_id_key")),
    )
    with op.batch_alter_table("sop_step", schema=None) as batch_op:
        batch_op.create_index("ix_sop_step_revision_id_position", ["revision_id", "position"], unique=False)

    op.create_table(
        "sop_version_procedure",
        sa.Column("version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("procedure_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("revision_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("chapter_key", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["procedure_id"], ["sop_procedure.id"], name=op.f("fk_sop_version_procedure_procedure_id_sop_procedure")
        ),
        sa.ForeignKeyConstraint(
            ["revision_id", "procedure_id"],
            ["sop_procedure_revision.id", "sop_procedure_revision.procedure_id"],
            name=op.f("fk_sop_version_procedure_revision_id_procedure_id_sop_procedure_revision"),
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["sop_manual_version.id"],
            name=op.f("fk_sop_version_procedure_version_id_sop_manual_version"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("version_id", "procedure_id", name=op.f("pk_sop_version_procedure")),
    )
    with op.batch_alter_table("sop_version_procedure", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sop_version_procedure_procedure_id"), ["procedure_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sop_version_procedure_revision_id"), ["revision_id"], unique=False)

    op.create_table(
        "sop_occurrence",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("schedule_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("causer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("problem", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["causer_id"], ["org_user.id"], name=op.f("fk_sop_occurrence_causer_id_org_user")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_sop_occurrence_customer_id_customer")),
        sa.ForeignKeyConstraint(["run_id"], ["sop_run.id"], name=op.f("fk_sop_occurrence_run_id_sop_run")),
        sa.ForeignKeyConstraint(
            ["schedule_id"],
            ["sop_schedule.id"],
            name=op.f("fk_sop_occurrence_schedule_id_sop_schedule"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sop_occurrence")),
        sa.UniqueConstraint("schedule_id", "subject", name=op.f("uq_sop_occurrence_schedule_id_subject")),
    )
    with op.batch_alter_table("sop_occurrence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sop_occurrence_customer_id"), ["customer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sop_occurrence_handled_at"), ["handled_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_sop_occurrence_run_id"), ["run_id"], unique=False)

    op.create_table(
        "sop_run_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("text", sa.String(length=1000), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["org_user.id"], name=op.f("fk_sop_run_event_by_id_org_user")),
        sa.ForeignKeyConstraint(["run_id"], ["sop_run.id"], name=op.f("fk_sop_run_event_run_id_sop_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sop_run_event")),
    )
    with op.batch_alter_table("sop_run_event", schema=None) as batch_op:
        batch_op.create_index("ix_sop_run_event_run_id", ["run_id", "id"], unique=False)

    op.create_table(
        "sop_run_step",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("step_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("is_stop", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("closed_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("assignee_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("reminded_on", sa.Date(), nullable=True),
        sa.CheckConstraint("(state = 'open') = (closed_on IS NULL)", name=op.f("ck_sop_run_step_closed_has_date")),
        sa.CheckConstraint("state <> 'skipped' OR note <> ''", name=op.f("ck_sop_run_step_skipped_has_reason")),
        sa.CheckConstraint("state IN ('open', 'done', 'skipped')", name=op.f("ck_sop_run_step_state")),
        sa.ForeignKeyConstraint(["assignee_id"], ["org_user.id"], name=op.f("fk_sop_run_step_assignee_id_org_user")),
        sa.ForeignKeyConstraint(["closed_by_id"], ["org_user.id"], name=op.f("fk_sop_run_step_closed_by_id_org_user")),
        sa.ForeignKeyConstraint(
            ["run_id"], ["sop_run.id"], name=op.f("fk_sop_run_step_run_id_sop_run"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["step_id"], ["sop_step.id"], name=op.f("fk_sop_run_step_step_id_sop_step")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sop_run_step")),
        sa.UniqueConstraint("run_id", "step_id", name=op.f("uq_sop_run_step_run_id_step_id")),
    )
    with op.batch_alter_table("sop_run_step", schema=None) as batch_op:
        batch_op.create_index("ix_sop_run_step_assignee", ["assignee_id", "state", "due_on"], unique=False)
        batch_op.create_index("ix_sop_run_step_closed", ["closed_by_id", "closed_on"], unique=False)
        batch_op.create_index("ix_sop_run_step_run_position", ["run_id", "position"], unique=False)
        batch_op.create_index("ix_sop_run_step_state_due", ["state", "due_on", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sop_run_step_step_id"), ["step_id"], unique=False)

    op.create_table(
        "sop_run_file",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_step_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("storage_key", sa.String(length=110), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["added_by_id"], ["org_user.id"], name=op.f("fk_sop_run_file_added_by_id_org_user")),
        sa.ForeignKeyConstraint(
            ["removed_by_id"], ["org_user.id"], name=op.f("fk_sop_run_file_removed_by_id_org_user")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["sop_run.id"], name=op.f("fk_sop_run_file_run_id_sop_run")),
        sa.ForeignKeyConstraint(
            ["run_step_id"], ["sop_run_step.id"], name=op.f("fk_sop_run_file_run_step_id_sop_run_step")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sop_run_file")),
    )
    with op.batch_alter_table("sop_run_file", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sop_run_file_run_id"), ["run_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sop_run_file_run_step_id"), ["run_step_id"], unique=False)
    dialect = op.get_bind().dialect.name
    for table in ddl.TABLES:
        for statement in ddl.statements(dialect, table):
            op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    dialect = op.get_bind().dialect.name
    for table in ddl.TABLES:
        for statement in ddl.drop_statements(dialect, table):
            op.get_bind().exec_driver_sql(statement)
    with op.batch_alter_table("sop_run_file", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sop_run_file_run_step_id"))
        batch_op.drop_index(batch_op.f("ix_sop_run_file_run_id"))

    op.drop_table("sop_run_file")
    with op.batch_alter_table("sop_run_step", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sop_run_step_step_id"))
        batch_op.drop_index("ix_sop_run_step_state_due")
        batch_op.drop_index("ix_sop_run_step_run_position")
        batch_op.drop_index("ix_sop_run_step_closed")
        batch_op.drop_index("ix_sop_run_step_assignee")

    op.drop_table("sop_run_step")
    with op.batch_alter_table("sop_run_event", schema=None) as batch_op:
        batch_op.drop_index("ix_sop_run_event_run_id")

    op.drop_table("sop_run_event")
    with op.batch_alter_table("sop_occurrence", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sop_occurrence_run_id"))
        batch_op.drop_index(batch_op.f("ix_sop_occurrence_handled_at"))
        batch_op.drop_index(batch_op.f("ix_sop_occurrence_customer_id"))

    op.drop_table("sop_occurrence")
    with op.batch_alter_table("sop_version_procedure", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sop_version_procedure_revision_id"))
        batch_op.drop_index(batch_op.f("ix_sop_version_procedure_procedure_id"))

    op.drop_table("sop_version_procedure")
    with op.batch_alter_table("sop_step", schema=None) as batch_op:
        batch_op.drop_index("ix_sop_step_revision_id_position")

    op.drop_table("sop_step")
    with op.batch_alter_table("sop_run", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sop_run_version_id"))
        batch_op.drop_index("ix_sop_run_state_due_on_id")
        batch_op.drop_index("ix_sop_run_starts_on_id")
        batch_op.drop_index(batch_op.f("ix_sop_run_started_by_id"))
        batch_op.drop_index(batch_op.f("ix_sop_run_revision_id"))
        batch_op.drop_index("ix_sop_run_procedure")
        batch_op.drop_index("ix_sop_run_owner_state")
        batch_op.drop_index("ix_sop_run_department_starts_on")
        batch_op.drop_index("ix_sop_run_customer")

    op.drop_table("sop_run")
    op.drop_table("sop_revision_role")
    with op.batch_alter_table("sop_revision_relation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sop_revision_relation_related_id"))

    op.drop_table("sop_revision_relation")
    with op.batch_alter_table("sop_revision_department", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sop_revision_department_department_id"))

    op.drop_table("sop_revision_department")
    with op.batch_alter_table("sop_procedure_term", schema=None) as batch_op:
        batch_op.drop_index("ix_sop_procedure_term_revision_id")

    op.drop_table("sop_procedure_term")
    with op.batch_alter_table("sop_attachment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sop_attachment_revision_id"))

    op.drop_table("sop_attachment")
    with op.batch_alter_table("sop_version_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sop_version_event_version_id"))

    op.drop_table("sop_version_event")
    with op.batch_alter_table("sop_undo_step", schema=None) as batch_op:
        batch_op.drop_index("ix_sop_undo_step_version_id_unit_id")

    op.drop_table("sop_undo_step")
    with op.batch_alter_table("sop_reading_try", schema=None) as batch_op:
        batch_op.drop_index("ix_sop_reading_try_version_id_user_id")

    op.drop_table("sop_reading_try")
    op.drop_table("sop_reading_reminder")
    with op.batch_alter_table("sop_question", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sop_question_version_id"))

    op.drop_table("sop_question")
    with op.batch_alter_table("sop_procedure_revision", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sop_procedure_revision_origin_version_id"))

    op.drop_table("sop_procedure_revision")
    with op.batch_alter_table("sop_comment", schema=None) as batch_op:
        batch_op.drop_index("ix_sop_comment_version_id_id")
        batch_op.drop_index(batch_op.f("ix_sop_comment_thread_id"))
        batch_op.drop_index(batch_op.f("ix_sop_comment_procedure_id"))

    op.drop_table("sop_comment")
    op.drop_table("sop_chapter")
    with op.batch_alter_table("sop_acknowledgement", schema=None) as batch_op:
        batch_op.drop_index("ix_sop_acknowledgement_user_id")

    op.drop_table("sop_acknowledgement")
    with op.batch_alter_table("sop_schedule", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sop_schedule_procedure_id"))
        batch_op.drop_index(batch_op.f("ix_sop_schedule_owner_id"))
        batch_op.drop_index("ix_sop_schedule_occasion")
        batch_op.drop_index(batch_op.f("ix_sop_schedule_department_id"))
        batch_op.drop_index(batch_op.f("ix_sop_schedule_customer_id"))

    op.drop_table("sop_schedule")
    with op.batch_alter_table("sop_programme_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sop_programme_event_programme_id"))

    op.drop_table("sop_programme_event")
    with op.batch_alter_table("sop_manual_version", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_sop_manual_version_open",
            postgresql_where=sa.text("state IN ('draft', 'in_review')"),
            sqlite_where=sa.text("state IN ('draft', 'in_review')"),
        )
        batch_op.drop_index(
            "uq_sop_manual_version_last",
            postgresql_where=sa.text("state = 'published' AND effective_until IS NULL"),
            sqlite_where=sa.text("state = 'published' AND effective_until IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_sop_manual_version_request_id"))
        batch_op.drop_index("ix_sop_manual_version_manual_id_effective_from")

    op.drop_table("sop_manual_version")
    with op.batch_alter_table("sop_assessment_answer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sop_assessment_answer_assessment_id"))

    op.drop_table("sop_assessment_answer")
    with op.batch_alter_table("sop_scorecard_value", schema=None) as batch_op:
        batch_op.drop_index("ix_sop_scorecard_value_programme")

    op.drop_table("sop_scorecard_value")
    with op.batch_alter_table("sop_reading_rule", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sop_reading_rule_manual_id"))
        batch_op.drop_index(batch_op.f("ix_sop_reading_rule_department_id"))

    op.drop_table("sop_reading_rule")
    with op.batch_alter_table("sop_programme_step", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sop_programme_step_owner_id"))
        batch_op.drop_index("ix_sop_programme_step_owner_ends")

    op.drop_table("sop_programme_step")
    op.drop_table("sop_procedure")
    with op.batch_alter_table("sop_manual_editor", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sop_manual_editor_user_id"))

    op.drop_table("sop_manual_editor")
    with op.batch_alter_table("sop_budget_choice", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sop_budget_choice_programme_id"))

    op.drop_table("sop_budget_choice")
    with op.batch_alter_table("sop_assessment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sop_assessment_programme_id"))

    op.drop_table("sop_assessment")
    with op.batch_alter_table("sop_programme", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sop_programme_owner_id"))
        batch_op.drop_index(batch_op.f("ix_sop_programme_department_id"))

    op.drop_table("sop_programme")
    with op.batch_alter_table("sop_manual", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sop_manual_department_id"))

    op.drop_table("sop_manual")
