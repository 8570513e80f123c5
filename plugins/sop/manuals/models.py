"""Tables of manuals.

The manual is what is versioned, reviewed and published as a whole: one review, one effective date, one book
(docs/adr/0020-sop-versions.md). Its procedures have an identity of their own (`Procedure`) and texts
(`ProcedureRevision`) that several versions *share*: a new draft takes over one row per procedure (`VersionProcedure`),
and only a procedure that is really edited gets a new revision with steps of its own. So a draft of 300 procedures is
one INSERT … SELECT, a comparison starts from unequal revision ids, and a checklist run pins one revision that nobody
can change any more.

What belongs to a version that is no draft cannot be changed: services refuse it, triggers (`plugins/sop/ddl.py`) make
sure of it.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.database import BigId, UTCDateTime
from portal.extensions import db
from portal.org.models import Department, User

#: Stored states of a version. "Approved", "effective", "superseded" and "retired" follow from the dates of a published
#: one (`shown_state`), so that they are right at any moment, whether or not a job ran.
DRAFT, IN_REVIEW, PUBLISHED = "draft", "in_review", "published"
STATES = (DRAFT, IN_REVIEW, PUBLISHED)
APPROVED, EFFECTIVE, SUPERSEDED, RETIRED = "approved", "effective", "superseded", "retired"

#: Who may read: everybody in the company, or only departments and roles that are to read it, editors, heads concerned.
INTERNAL, CONFIDENTIAL = "internal", "confidential"
CLASSIFICATIONS = (INTERNAL, CONFIDENTIAL)

#: Units of a step's time limit; working days follow the calendar of the portal.
MINUTES, HOURS, WORKING_DAYS, DAYS, WEEKS, MONTHS = "minutes", "hours", "working_days", "days", "weeks", "months"
LIMIT_UNITS = (MINUTES, HOURS, WORKING_DAYS, DAYS, WEEKS, MONTHS)

#: Whom a procedure is for, besides the portal's roles: everybody, and heads of departments.
EVERYBODY, HEADS = "everybody", "head"

#: Relations between procedures: begins when the other one is done; see also.
AFTER, SEE_ALSO = "after", "see"
RELATIONS = (AFTER, SEE_ALSO)

#: Letters of the RACI table: does it, answers for it, is asked before, is told afterwards.
RACI = "RACI"

#: Terms are compared by code point on both databases.
TermText = String(48).with_variant(String(48, collation="C"), "postgresql")


class Manual(db.Model):
    """A manual of standard operating procedures (标准作业程序手册)."""

    __tablename__ = "sop_manual"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: "SOP-CRM", unique; part of the document number
    code: Mapped[str] = mapped_column(String(30), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    #: "internal" or "confidential"; printed in the footer
    classification: Mapped[str] = mapped_column(String(12), default=INTERNAL)
    #: language of the content ("zh_Hans_CN", "zh_Hant", "en"), whatever the reader's is
    language: Mapped[str] = mapped_column(String(16))
    #: name of the company on the cover
    company: Mapped[str] = mapped_column(String(200), default="")
    #: the department that keeps it; its head signs every version
    department_id: Mapped[int] = mapped_column(ForeignKey("org_department.id"), index=True)
    #: a version is to be looked through again after so many months
    review_months: Mapped[int] = mapped_column(SmallInteger, default=12)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    #: first day on which no version is effective any more
    retired_on: Mapped[date | None] = mapped_column(Date)
    retired_reason: Mapped[str] = mapped_column(String(500), default="")
    retired_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    version: Mapped[int] = mapped_column(Integer, default=1)

    department: Mapped[Department] = relationship()

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        CheckConstraint("classification IN ('internal', 'confidential')", name="classification"),
        CheckConstraint("review_months BETWEEN 1 AND 120", name="review_months"),
        CheckConstraint("retired_on IS NULL OR retired_reason <> ''", name="retired_has_reason"),
    )


class ManualEditor(db.Model):
    """A person who writes a manual together with the SOP editors."""

    __tablename__ = "sop_manual_editor"

    manual_id: Mapped[int] = mapped_column(ForeignKey("sop_manual.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"), primary_key=True, index=True)


class ManualVersion(db.Model):
    """One version of a manual with everything in it. It is effective on the days [effective_from, effective_until)."""

    __tablename__ = "sop_manual_version"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    manual_id: Mapped[int] = mapped_column(ForeignKey("sop_manual.id"))
    #: the version it was drafted from
    base_id: Mapped[int | None] = mapped_column(ForeignKey("sop_manual_version.id"))
    #: "2.1" is major 2, minor 1; a new major version (minor 0) is to be read again by everybody
    major: Mapped[int] = mapped_column(SmallInteger)
    minor: Mapped[int] = mapped_column(SmallInteger)
    #: title and company as this version prints them; the manual's follow the last published one
    title: Mapped[str] = mapped_column(String(200))
    company: Mapped[str] = mapped_column(String(200), default="")
    #: draft, in_review or published; what people see is `shown_state`
    state: Mapped[str] = mapped_column(String(10), default=DRAFT)
    #: what changed and why, for the revision record
    summary: Mapped[str] = mapped_column(String(2000), default="")
    #: the day wished for; the day of the last signature when that is later
    wanted_from: Mapped[date | None] = mapped_column(Date)
    effective_from: Mapped[date | None] = mapped_column(Date)
    #: first day of the next version, or of retirement; None: still the last one
    effective_until: Mapped[date | None] = mapped_column(Date)
    #: to be looked through by this day; moves on when somebody confirms that it is still right
    review_due: Mapped[date | None] = mapped_column(Date)
    #: SHA-256 of the whole content, taken when it was submitted
    content_digest: Mapped[str] = mapped_column(String(64), default="")
    #: the present round of the review
    request_id: Mapped[int | None] = mapped_column(ForeignKey("approval_request.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    published_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: grows with every change of the list of procedures, chapters and questions of a draft
    version: Mapped[int] = mapped_column(Integer, default=1)

    manual: Mapped[Manual] = relationship()
    created_by: Mapped[User | None] = relationship()

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        UniqueConstraint("manual_id", "major", "minor"),
        CheckConstraint("state IN ('draft', 'in_review', 'published')", name="state"),
        CheckConstraint("major >= 1 AND minor >= 0", name="number"),
        CheckConstraint("(state = 'published') = (effective_from IS NOT NULL)", name="published_has_date"),
        CheckConstraint("effective_until IS NULL OR effective_from <= effective_until", name="period"),
        # One version at a time is being worked on, and one is the last published.
        Index(
            "uq_sop_manual_version_open",
            "manual_id",
            unique=True,
            postgresql_where=text("state IN ('draft', 'in_review')"),
            sqlite_where=text("state IN ('draft', 'in_review')"),
        ),
        Index(
            "uq_sop_manual_version_last",
            "manual_id",
            unique=True,
            postgresql_where=text("state = 'published' AND effective_until IS NULL"),
            sqlite_where=text("state = 'published' AND effective_until IS NULL"),
        ),
        Index("ix_sop_manual_version_manual_id_effective_from", "manual_id", "effective_from"),
    )

    @property
    def number(self) -> str:
        """ "2.1"."""
        return f"{self.major}.{self.minor}"

    @property
    def is_major(self) -> bool:
        """Whether everybody has to read it again."""
        return self.minor == 0

    def is_effective_on(self, day: date) -> bool:
        """Whether this is the version that holds on a day; right even when no job ran."""
        return (
            self.state == PUBLISHED
            and self.effective_from is not None
            and self.effective_from <= day
            and (self.effective_until is None or day < self.effective_until)
        )

    def shown_state(self, day: date) -> str:
        """draft, in_review, approved, effective, superseded or retired, as of a day."""
        if self.state != PUBLISHED or self.effective_from is None:
            return self.state
        if self.manual.retired_on is not None and self.manual.retired_on <= day:
            return RETIRED
        if self.effective_until is not None and self.effective_until <= day:
            return SUPERSEDED
        return EFFECTIVE if self.effective_from <= day else APPROVED


class VersionEvent(db.Model):
    """What happened to a version, append-only; each `once` happens at most once (a job that runs twice)."""

    __tablename__ = "sop_version_event"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("sop_manual_version.id"), index=True)
    #: drafted, submitted, withdrawn, rejected, returned, approved, effective, reviewed, review_due, retired
    kind: Mapped[str] = mapped_column(String(12))
    note: Mapped[str] = mapped_column(String(2000), default="")
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    #: names what must not happen twice for this version ("effective", "review_due 2027-01-01")
    once: Mapped[str | None] = mapped_column(String(40))

    by: Mapped[User | None] = relationship()

    __table_args__ = (UniqueConstraint("version_id", "once"),)


class Chapter(db.Model):
    """A chapter of one version, written in Markdown."""

    __tablename__ = "sop_chapter"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("sop_manual_version.id", ondelete="CASCADE"))
    #: the same in all versions; for chapters of the template their key there ("purpose", "procedures" …)
    key: Mapped[str] = mapped_column(String(32))
    position: Mapped[int] = mapped_column(SmallInteger)
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text, default="")
    #: counts saves of the draft; a save names the one it saw
    edit_version: Mapped[int] = mapped_column(Integer, default=1)
    edited_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    edited_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))

    __table_args__ = (UniqueConstraint("version_id", "key"),)


class Procedure(db.Model):
    """A procedure through all versions of its manual: what runs, comments and relations refer to."""

    __tablename__ = "sop_procedure"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    manual_id: Mapped[int] = mapped_column(ForeignKey("sop_manual.id"))
    #: "XS-001", unique in the manual; fixed once it was published
    code: Mapped[str] = mapped_column(String(30))
    #: key of the starter procedure it was taken from
    starter: Mapped[str] = mapped_column(String(60), default="")

    __table_args__ = (UniqueConstraint("manual_id", "code"),)


class ProcedureRevision(db.Model):
    """One text of a procedure. Made in the draft `origin_version_id`; unchangeable once that is no draft any more."""

    __tablename__ = "sop_procedure_revision"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    procedure_id: Mapped[int] = mapped_column(ForeignKey("sop_procedure.id"))
    origin_version_id: Mapped[int] = mapped_column(ForeignKey("sop_manual_version.id"), index=True)
    title: Mapped[str] = mapped_column(String(200))
    #: what starts it (触发条件)
    trigger: Mapped[str] = mapped_column(Text, default="")
    purpose: Mapped[str] = mapped_column(Text, default="")
    #: what is kept of it (记录)
    records: Mapped[str] = mapped_column(Text, default="")
    #: how one sees that it works (衡量指标)
    measures: Mapped[str] = mapped_column(Text, default="")
    #: folded text of title, code and steps, searched when no title fits
    search_text: Mapped[str] = mapped_column(Text, default="")
    edit_version: Mapped[int] = mapped_column(Integer, default=1)
    edited_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    edited_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))

    __table_args__ = (
        UniqueConstraint("procedure_id", "origin_version_id"),
        # For the composite key that keeps a version from showing another procedure's text.
        UniqueConstraint("id", "procedure_id"),
    )


class VersionProcedure(db.Model):
    """Which text of a procedure a version has, and where."""

    __tablename__ = "sop_version_procedure"

    version_id: Mapped[int] = mapped_column(ForeignKey("sop_manual_version.id", ondelete="CASCADE"), primary_key=True)
    procedure_id: Mapped[int] = mapped_column(ForeignKey("sop_procedure.id"), primary_key=True, index=True)
    revision_id: Mapped[int] = mapped_column(BigId, index=True)
    #: the chapter that carries it
    chapter_key: Mapped[str] = mapped_column(String(32))
    #: order within the version
    position: Mapped[int] = mapped_column(Integer)

    __table_args__ = (
        ForeignKeyConstraint(
            ["revision_id", "procedure_id"], ["sop_procedure_revision.id", "sop_procedure_revision.procedure_id"]
        ),
    )


class Step(db.Model):
    """A step of a procedure's text."""

    __tablename__ = "sop_step"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    revision_id: Mapped[int] = mapped_column(ForeignKey("sop_procedure_revision.id", ondelete="CASCADE"))
    #: the same through all revisions, so that versions are compared step by step; 12 hexadecimal digits
    key: Mapped[str] = mapped_column(String(12))
    #: its number, from 1
    position: Mapped[int] = mapped_column(SmallInteger)
    who: Mapped[str] = mapped_column(String(200), default="")
    what: Mapped[str] = mapped_column(Text, default="")
    #: form or record (表单或记录)
    record: Mapped[str] = mapped_column(String(300), default="")
    #: time limit as an amount and a unit, from the start of the step ("2", "working_days") …
    limit_amount: Mapped[int | None] = mapped_column(SmallInteger)
    limit_unit: Mapped[str] = mapped_column(String(12), default="")
    #: … or in words, when no amount says it ("before the meeting"); shown after the amount
    limit_text: Mapped[str] = mapped_column(String(100), default="")
    standard: Mapped[str] = mapped_column(Text, default="")
    #: is ticked in checklist runs
    is_check: Mapped[bool] = mapped_column(default=True)
    #: later steps are locked until it is done
    is_stop: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (
        UniqueConstraint("revision_id", "key"),
        CheckConstraint("(limit_amount IS NULL) = (limit_unit = '')", name="limit_has_unit"),
        CheckConstraint("limit_amount IS NULL OR limit_amount > 0", name="limit_positive"),
        Index("ix_sop_step_revision_id_position", "revision_id", "position"),
    )


class RevisionDepartment(db.Model):
    """A department that a procedure concerns, with its letters in the RACI table."""

    __tablename__ = "sop_revision_department"

    revision_id: Mapped[int] = mapped_column(
        ForeignKey("sop_procedure_revision.id", ondelete="CASCADE"), primary_key=True
    )
    department_id: Mapped[int] = mapped_column(ForeignKey("org_department.id"), primary_key=True, index=True)
    #: letters of RACI in that order ("R", "RA", "I")
    raci: Mapped[str] = mapped_column(String(4), default="R")


class RevisionRole(db.Model):
    """A role that a procedure is for: one of the portal's, "head" or "everybody"."""

    __tablename__ = "sop_revision_role"

    revision_id: Mapped[int] = mapped_column(
        ForeignKey("sop_procedure_revision.id", ondelete="CASCADE"), primary_key=True
    )
    role: Mapped[str] = mapped_column(String(32), primary_key=True)


class RevisionRelation(db.Model):
    """A related procedure of the same manual."""

    __tablename__ = "sop_revision_relation"

    revision_id: Mapped[int] = mapped_column(
        ForeignKey("sop_procedure_revision.id", ondelete="CASCADE"), primary_key=True
    )
    related_id: Mapped[int] = mapped_column(ForeignKey("sop_procedure.id"), primary_key=True, index=True)
    #: "after": begins when the other one is done (loops are refused); "see": see also
    kind: Mapped[str] = mapped_column(String(6), default=SEE_ALSO)

    __table_args__ = (CheckConstraint("kind IN ('after', 'see')", name="kind"),)


class Attachment(db.Model):
    """A form (表单) that belongs to a procedure's text. The content is kept once, however many texts have it."""

    __tablename__ = "sop_attachment"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    revision_id: Mapped[int] = mapped_column(ForeignKey("sop_procedure_revision.id", ondelete="CASCADE"), index=True)
    position: Mapped[int] = mapped_column(SmallInteger)
    #: number of the form ("XS-001-F1"), may be empty
    code: Mapped[str] = mapped_column(String(40), default="")
    title: Mapped[str] = mapped_column(String(200))
    file_name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    #: bytes
    size: Mapped[int] = mapped_column(Integer)
    #: key of `portal.core.storage`, area "sop_forms"
    storage_key: Mapped[str] = mapped_column(String(110))


class Question(db.Model):
    """A question asked when a version is acknowledged; at most three."""

    __tablename__ = "sop_question"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("sop_manual_version.id", ondelete="CASCADE"), index=True)
    position: Mapped[int] = mapped_column(SmallInteger)
    question: Mapped[str] = mapped_column(String(500))
    #: two to four answers
    answers: Mapped[list[str]] = mapped_column(JSON)
    #: index of the right one
    correct: Mapped[int] = mapped_column(SmallInteger)


class Comment(db.Model):
    """A remark on a version under review or in writing: on a step, a procedure, a chapter or the whole."""

    __tablename__ = "sop_comment"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("sop_manual_version.id", ondelete="CASCADE"))
    chapter_key: Mapped[str] = mapped_column(String(32), default="")
    procedure_id: Mapped[int | None] = mapped_column(ForeignKey("sop_procedure.id"), index=True)
    step_key: Mapped[str] = mapped_column(String(12), default="")
    #: the first remark of the thread; None: this is the first
    thread_id: Mapped[int | None] = mapped_column(ForeignKey("sop_comment.id"), index=True)
    text: Mapped[str] = mapped_column(String(2000))
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    by_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"))
    #: of the first remark: the thread is settled
    resolved_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    resolved_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))

    by: Mapped[User] = relationship(foreign_keys=[by_id])

    __table_args__ = (Index("ix_sop_comment_version_id_id", "version_id", "id"),)


class UndoStep(db.Model):
    """What a chapter or procedure of a draft was before a save, so that it can be undone. Gone with the draft."""

    __tablename__ = "sop_undo_step"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("sop_manual_version.id", ondelete="CASCADE"))
    #: "chapter:<key>", "procedure:<id>" or "list" (procedures deleted)
    unit: Mapped[str] = mapped_column(String(50))
    before: Mapped[dict[str, Any]] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))

    __table_args__ = (Index("ix_sop_undo_step_version_id_unit_id", "version_id", "unit", "id"),)


class ProcedureTerm(db.Model):
    """One search term of a revision's title or code (see `portal.core.text.suffix_terms`)."""

    __tablename__ = "sop_procedure_term"

    #: 1 name, 2 pinyin, 3 initials
    kind: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    term: Mapped[str] = mapped_column(TermText, primary_key=True)
    revision_id: Mapped[int] = mapped_column(
        ForeignKey("sop_procedure_revision.id", ondelete="CASCADE"), primary_key=True
    )

    __table_args__ = (Index("ix_sop_procedure_term_revision_id", "revision_id"), {"sqlite_with_rowid": False})
