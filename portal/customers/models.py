"""Tables of customers, their contacts and interactions.

Every column that refers to a customer says in its `info` what a merge does with it. {"merge": "move"}: the row goes to
the kept customer; with {"unique_with": (columns …)} besides, it stays where the kept customer has such a row already.
{"merge": "keep"}: the row stays. Such tables have one integer primary key `id`, so that a merge can be traced and
undone row by row.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.database import BigId, Money, UTCDateTime
from portal.customers import vocabulary as words
from portal.extensions import db
from portal.org.models import Department, User

#: Names, pinyin keys: compared by code point on both databases.
SortKey = String(200).with_variant(String(200, collation="C"), "postgresql")

#: What a merge does with a row that refers to a customer.
MOVE: dict[str, Any] = {"merge": "move"}
KEEP: dict[str, Any] = {"merge": "keep"}


def _one_of(column: str, enumeration: Any, name: str, nullable: bool = False) -> CheckConstraint:
    condition = f"{column} IN ({words.values(enumeration)})"
    return CheckConstraint(f"{column} IS NULL OR {condition}" if nullable else condition, name=name)


class Customer(db.Model):
    """A customer (客户): an organisation or a person (R-CUS-1)."""

    __tablename__ = "customer"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    #: Party: organisation or person
    party: Mapped[str] = mapped_column(String(16), default=words.Party.ORGANISATION.value)
    #: CustomerKind: wholesaler, distributor, dealer, retailer, end_user
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(200))
    short_name: Mapped[str] = mapped_column(String(100), default="")
    #: pinyin key by which lists are sorted (portal.core.text.sort_key, cut to 200 characters)
    name_sort: Mapped[str] = mapped_column(SortKey)
    #: unified social credit code (统一社会信用代码), 18 characters, check digit verified; one live record per code
    credit_code: Mapped[str | None] = mapped_column(String(18))
    industry: Mapped[str] = mapped_column(String(60), default="")
    #: SizeClass of an organisation, "" when not known
    size_class: Mapped[str] = mapped_column(String(8), default="")
    #: GB/T 2260, six digits, "" when not known
    region_code: Mapped[str] = mapped_column(String(6), default="")
    address: Mapped[str] = mapped_column(String(300), default="")
    #: WGS 84 degrees; both or none
    latitude: Mapped[float | None] = mapped_column(Float)
    longitude: Mapped[float | None] = mapped_column(Float)
    #: characteristics of the demand (需求特征)
    demand: Mapped[str] = mapped_column(Text, default="")
    #: main phone, RFC 3966 form "+86…;ext=…" (a person's own, an organisation's switchboard)
    phone: Mapped[str] = mapped_column(String(40), default="")
    #: its national digits, for searching
    phone_digits: Mapped[str] = mapped_column(String(20), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    website: Mapped[str] = mapped_column(String(200), default="")
    #: Channel, "" when not known
    channel: Mapped[str] = mapped_column(String(16), default="")
    #: Source, "" when not known
    source: Mapped[str] = mapped_column(String(24), default="")
    source_note: Mapped[str] = mapped_column(String(200), default="")
    #: who referred (source "referral")
    referrer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"), index=True, info=MOVE)
    #: the account manager (客户经理); None: nobody looks after the customer at present
    account_manager_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    #: the owning department
    department_id: Mapped[int] = mapped_column(ForeignKey("org_department.id"))
    #: Stage (R-CUS-2)
    stage: Mapped[str] = mapped_column(String(16), default=words.Stage.TO_IDENTIFY.value)
    stage_changed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: Status: active, inactive, merged
    status: Mapped[str] = mapped_column(String(12), default=words.Status.ACTIVE.value)
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"), index=True, info=KEEP)
    #: earliest date of an open next step (maintained by this module)
    next_contact_on: Mapped[date | None] = mapped_column(Date)
    #: latest interaction that took place (maintained by this module)
    last_contact_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    #: next_contact_on, or the last of days: lists sort by columns without NULL (keyset paging)
    next_contact_sort: Mapped[date] = mapped_column(
        Date, Computed("coalesce(next_contact_on, '9999-12-31')", persisted=True), nullable=False, deferred=True
    )
    #: last_contact_at, or a moment before all others
    last_contact_sort: Mapped[datetime] = mapped_column(
        UTCDateTime,
        Computed("coalesce(last_contact_at, '1900-01-01 00:00:00.000000')", persisted=True),
        nullable=False,
        deferred=True,
    )
    #: paid and unpaid purchases of the last twelve months (maintained by purchases)
    total_12m: Mapped[Decimal] = mapped_column(Money, default=Decimal("0"), server_default=text("0"))
    #: maintained by purchases
    last_purchase_on: Mapped[date | None] = mapped_column(Date)
    #: maintained by purchases
    purchase_count: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: None: by the system (import of the demo, a job)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    version: Mapped[int] = mapped_column(Integer, default=1)

    account_manager: Mapped[User | None] = relationship(foreign_keys=[account_manager_id])
    department: Mapped[Department] = relationship(foreign_keys=[department_id])
    referrer: Mapped[Customer | None] = relationship(remote_side=[id], foreign_keys=[referrer_id])
    merged_into: Mapped[Customer | None] = relationship(remote_side=[id], foreign_keys=[merged_into_id])
    aliases: Mapped[list[CustomerAlias]] = relationship(
        back_populates="customer", cascade="all, delete-orphan", order_by="CustomerAlias.id"
    )
    person: Mapped[CustomerPerson | None] = relationship(
        back_populates="customer", cascade="all, delete-orphan", uselist=False
    )

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        _one_of("party", words.Party, "party"),
        _one_of("kind", words.CustomerKind, "kind"),
        _one_of("stage", words.Stage, "stage"),
        _one_of("status", words.Status, "status"),
        CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="coordinates"),
        CheckConstraint("(status = 'merged') = (merged_into_id IS NOT NULL)", name="merged_into"),
        CheckConstraint("referrer_id IS NULL OR referrer_id <> id", name="not_own_referrer"),
        Index(
            "uq_customer_credit_code",
            "credit_code",
            unique=True,
            postgresql_where=text("credit_code IS NOT NULL AND status <> 'merged'"),
            sqlite_where=text("credit_code IS NOT NULL AND status <> 'merged'"),
        ),
        Index("ix_customer_phone_digits", "phone_digits"),
        Index("ix_customer_region_code", "region_code", "id"),
        # One index for each way a list is sorted, for everybody, for a department, for an account manager.
        Index("ix_customer_name_sort", "name_sort", "id"),
        Index("ix_customer_last_contact_sort", "last_contact_sort", "id"),
        Index("ix_customer_total_12m", "total_12m", "id"),
        Index("ix_customer_created_at", "created_at", "id"),
        Index("ix_customer_department_name_sort", "department_id", "name_sort", "id"),
        Index("ix_customer_department_last_contact_sort", "department_id", "last_contact_sort", "id"),
        Index("ix_customer_department_total_12m", "department_id", "total_12m", "id"),
        Index("ix_customer_department_created_at", "department_id", "created_at", "id"),
        Index("ix_customer_manager_name_sort", "account_manager_id", "name_sort", "id"),
        Index("ix_customer_manager_last_contact_sort", "account_manager_id", "last_contact_sort", "id"),
        Index("ix_customer_manager_total_12m", "account_manager_id", "total_12m", "id"),
        Index("ix_customer_manager_created_at", "account_manager_id", "created_at", "id"),
        Index("ix_customer_next_contact_sort", "next_contact_sort", "id"),
        Index("ix_customer_department_next_contact_sort", "department_id", "next_contact_sort", "id"),
        Index("ix_customer_manager_next_contact_sort", "account_manager_id", "next_contact_sort", "id"),
    )

    @property
    def is_person(self) -> bool:
        """Whether the customer is a person."""
        return self.party == words.Party.PERSON


class CustomerAlias(db.Model):
    """Another name under which a customer is known (former names, trade names)."""

    __tablename__ = "customer_alias"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id", ondelete="CASCADE"), info={**MOVE, "unique_with": ("alias",)}
    )
    alias: Mapped[str] = mapped_column(String(200))

    customer: Mapped[Customer] = relationship(back_populates="aliases")

    __table_args__ = (UniqueConstraint("customer_id", "alias"),)


class CustomerPerson(db.Model):
    """What is known of a customer who is a person; kept only with a purpose and the person's consent (R-CUS-1)."""

    __tablename__ = "customer_person"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id", ondelete="CASCADE"), unique=True, info={**MOVE, "unique_with": ()}
    )
    #: Sex, "" when not told
    sex: Mapped[str] = mapped_column(String(8), default="")
    birth_year: Mapped[int | None] = mapped_column(SmallInteger)
    occupation: Mapped[str] = mapped_column(String(100), default="")
    education: Mapped[str] = mapped_column(String(50), default="")
    ethnicity: Mapped[str] = mapped_column(String(50), default="")
    employer: Mapped[str] = mapped_column(String(200), default="")
    home_address: Mapped[str] = mapped_column(String(300), default="")
    #: what the data are used for
    purpose: Mapped[str] = mapped_column(String(300), default="")
    #: wording or circumstances of the consent
    consent: Mapped[str] = mapped_column(String(500), default="")
    consented_on: Mapped[date | None] = mapped_column(Date)
    #: who wrote the consent down
    consent_recorded_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))

    customer: Mapped[Customer] = relationship(back_populates="person")
    consent_recorded_by: Mapped[User | None] = relationship()

    __table_args__ = (CheckConstraint("birth_year IS NULL OR birth_year BETWEEN 1900 AND 2100", name="birth_year"),)


class CustomerStageChange(db.Model):
    """One change of the lifecycle stage (R-CUS-2); the first row of a customer has no `from_stage`."""

    __tablename__ = "customer_stage_change"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), info=MOVE)
    from_stage: Mapped[str] = mapped_column(String(16), default="")
    to_stage: Mapped[str] = mapped_column(String(16))
    changed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    changed_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    reason: Mapped[str] = mapped_column(String(500), default="")

    changed_by: Mapped[User | None] = relationship()

    __table_args__ = (Index("ix_customer_stage_change_customer", "customer_id", "changed_at", "id"),)


class CustomerQualification(db.Model):
    """An assessment of need, means and reputation (购买需求、财力、信誉) before "opportunity"; the latest counts."""

    __tablename__ = "customer_qualification"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), info=MOVE)
    #: Grade each
    need: Mapped[str] = mapped_column(String(8))
    means: Mapped[str] = mapped_column(String(8))
    reputation: Mapped[str] = mapped_column(String(8))
    notes: Mapped[str] = mapped_column(Text, default="")
    assessed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    assessed_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))

    assessed_by: Mapped[User | None] = relationship()

    __table_args__ = (
        _one_of("need", words.Grade, "need"),
        _one_of("means", words.Grade, "means"),
        _one_of("reputation", words.Grade, "reputation"),
        Index("ix_customer_qualification_customer", "customer_id", "assessed_at", "id"),
    )

    @property
    def is_complete(self) -> bool:
        """Whether all three were looked at and none is poor: what "opportunity" asks for."""
        return all(grade in (words.Grade.FAIR, words.Grade.GOOD) for grade in (self.need, self.means, self.reputation))


class CustomerFavourite(db.Model):
    """A customer that a person watches (我关注的)."""

    __tablename__ = "customer_favourite"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("org_user.id"))
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customer.id"), index=True, info={**MOVE, "unique_with": ("user_id",)}
    )
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)

    __table_args__ = (UniqueConstraint("user_id", "customer_id"),)


class Contact(db.Model):
    """A contact (联系人) of a customer (R-CUS-3)."""

    __tablename__ = "contact"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), info=MOVE)
    name: Mapped[str] = mapped_column(String(100))
    #: pinyin key, the first character read as a family name
    name_sort: Mapped[str] = mapped_column(SortKey)
    #: Sex, "" when not told; for the form of address
    sex: Mapped[str] = mapped_column(String(8), default="")
    title: Mapped[str] = mapped_column(String(100), default="")
    #: department within the customer's organisation
    department: Mapped[str] = mapped_column(String(100), default="")
    #: EmployerKind, "" when not known
    employer_kind: Mapped[str] = mapped_column(String(24), default="")
    #: Rank (行政级别), "" when none
    rank: Mapped[str] = mapped_column(String(24), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    wechat: Mapped[str] = mapped_column(String(40), default="")
    #: "solar", "lunar" or "" when the birthday is not known
    birthday_calendar: Mapped[str] = mapped_column(String(8), default="")
    birthday_month: Mapped[int | None] = mapped_column(SmallInteger)
    birthday_day: Mapped[int | None] = mapped_column(SmallInteger)
    birthday_leap: Mapped[bool] = mapped_column(Boolean, default=False)
    #: of the birthday's own calendar; None when only the day is known
    birthday_year: Mapped[int | None] = mapped_column(SmallInteger)
    interests: Mapped[str] = mapped_column(String(500), default="")
    #: BuyingRole, "" when not known
    buying_role: Mapped[str] = mapped_column(String(16), default="")
    #: −2 … +2; None when not known
    attitude: Mapped[int | None] = mapped_column(SmallInteger)
    notes: Mapped[str] = mapped_column(Text, default="")
    #: may receive messages (SMS, e-mail, greetings); True only with the date and source of the consent
    message_consent: Mapped[bool] = mapped_column(Boolean, default=False)
    message_consent_on: Mapped[date | None] = mapped_column(Date)
    message_consent_source: Mapped[str] = mapped_column(String(200), default="")
    is_primary: Mapped[bool] = mapped_column(Boolean, default=False)
    #: contacts are never deleted; those who left are inactive
    is_active: Mapped[bool] = mapped_column(Boolean, default=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    version: Mapped[int] = mapped_column(Integer, default=1)

    customer: Mapped[Customer] = relationship()
    phones: Mapped[list[ContactPhone]] = relationship(
        back_populates="contact", cascade="all, delete-orphan", order_by="ContactPhone.position"
    )

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        CheckConstraint("attitude IS NULL OR attitude BETWEEN -2 AND 2", name="attitude"),
        CheckConstraint("birthday_calendar IN ('', 'solar', 'lunar')", name="birthday_calendar"),
        CheckConstraint("(birthday_calendar = '') = (birthday_month IS NULL)", name="birthday_month"),
        CheckConstraint("(birthday_calendar = '') = (birthday_day IS NULL)", name="birthday_day"),
        CheckConstraint("NOT message_consent OR message_consent_on IS NOT NULL", name="message_consent"),
        Index("ix_contact_customer", "customer_id", "is_active", "id"),
        Index("ix_contact_name_sort", "name_sort", "id"),
        Index("ix_contact_birthday", "birthday_calendar", "birthday_month", "birthday_day"),
    )


class ContactPhone(db.Model):
    """A phone of a contact."""

    __tablename__ = "contact_phone"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id", ondelete="CASCADE"), index=True)
    #: RFC 3966 form: "+8613800138000", "+8675526688888;ext=801"
    number: Mapped[str] = mapped_column(String(40))
    #: national digits, for searching
    digits: Mapped[str] = mapped_column(String(20), index=True)
    #: PhoneLabel
    label: Mapped[str] = mapped_column(String(8), default=words.PhoneLabel.MOBILE.value)
    #: order on the page; the first one is the main number
    position: Mapped[int] = mapped_column(SmallInteger, default=0)

    contact: Mapped[Contact] = relationship(back_populates="phones")


interaction_contact = Table(
    "interaction_contact",
    db.metadata,
    Column("interaction_id", ForeignKey("interaction.id", ondelete="CASCADE"), primary_key=True),
    Column("contact_id", ForeignKey("contact.id"), primary_key=True, index=True),
)

interaction_colleague = Table(
    "interaction_colleague",
    db.metadata,
    Column("interaction_id", ForeignKey("interaction.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", ForeignKey("org_user.id"), primary_key=True, index=True),
)


class Interaction(db.Model):
    """An interaction (接触记录) that took place (R-CUS-9)."""

    __tablename__ = "interaction"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), info=MOVE)
    #: InteractionKind
    kind: Mapped[str] = mapped_column(String(16))
    #: Direction: who contacted whom
    direction: Mapped[str] = mapped_column(String(8), default=words.Direction.OUTGOING.value)
    #: when it began
    at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: duration
    minutes: Mapped[int | None] = mapped_column(Integer)
    #: Appointment: whether the visit was announced
    appointment: Mapped[str] = mapped_column(String(12), default=words.Appointment.NONE.value)
    #: what it cost us, yuan
    cost: Mapped[Decimal | None] = mapped_column(Money)
    subject: Mapped[str] = mapped_column(String(200), default="")
    #: what came of it
    result: Mapped[str] = mapped_column(Text, default="")
    #: opinions and suggestions (意见和建议) of the customer
    opinions: Mapped[str] = mapped_column(Text, default="")
    author_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    #: taken back (recorded by mistake); kept, shown struck out, counts nowhere
    cancelled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    cancelled_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    cancel_reason: Mapped[str] = mapped_column(String(300), default="")
    version: Mapped[int] = mapped_column(Integer, default=1)

    customer: Mapped[Customer] = relationship()
    author: Mapped[User | None] = relationship(foreign_keys=[author_id])
    cancelled_by: Mapped[User | None] = relationship(foreign_keys=[cancelled_by_id])
    contacts: Mapped[list[Contact]] = relationship(secondary=interaction_contact, order_by="Contact.id")
    colleagues: Mapped[list[User]] = relationship(secondary=interaction_colleague, order_by="User.id")
    #: planned when this interaction was recorded
    next_steps: Mapped[list[NextStep]] = relationship(
        back_populates="interaction", foreign_keys="NextStep.interaction_id", order_by="NextStep.id"
    )

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        _one_of("kind", words.InteractionKind, "kind"),
        _one_of("appointment", words.Appointment, "appointment"),
        _one_of("direction", words.Direction, "direction"),
        CheckConstraint("minutes IS NULL OR minutes BETWEEN 0 AND 1440", name="minutes"),
        CheckConstraint("cost IS NULL OR cost >= 0", name="cost"),
        Index("ix_interaction_customer", "customer_id", "at", "id"),
        Index("ix_interaction_author", "author_id", "at", "id"),
        Index("ix_interaction_at", "at", "id"),
    )

    @property
    def is_cancelled(self) -> bool:
        """Whether it was taken back."""
        return self.cancelled_at is not None


class NextStep(db.Model):
    """A next step (下一步) agreed on for a customer: what, until when, by whom (R-CUS-9)."""

    __tablename__ = "next_step"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), info=MOVE)
    #: the interaction after which it was planned; None: planned by itself
    interaction_id: Mapped[int | None] = mapped_column(ForeignKey("interaction.id"), index=True)
    #: InteractionKind of the planned contact
    kind: Mapped[str] = mapped_column(String(16))
    task: Mapped[str] = mapped_column(String(500))
    due_on: Mapped[date] = mapped_column(Date)
    #: Appointment for a planned visit
    appointment: Mapped[str] = mapped_column(String(12), default=words.Appointment.NONE.value)
    #: who is to do it
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    done_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    done_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    #: the interaction that fulfilled it
    done_interaction_id: Mapped[int | None] = mapped_column(ForeignKey("interaction.id"), index=True)
    cancelled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    cancelled_by_id: Mapped[int | None] = mapped_column(ForeignKey("org_user.id"))
    version: Mapped[int] = mapped_column(Integer, default=1)

    customer: Mapped[Customer] = relationship()
    interaction: Mapped[Interaction | None] = relationship(back_populates="next_steps", foreign_keys=[interaction_id])
    owner: Mapped[User | None] = relationship(foreign_keys=[owner_id])
    done_by: Mapped[User | None] = relationship(foreign_keys=[done_by_id])

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        _one_of("kind", words.InteractionKind, "kind"),
        _one_of("appointment", words.Appointment, "appointment"),
        CheckConstraint("done_at IS NULL OR cancelled_at IS NULL", name="one_end"),
        Index("ix_next_step_customer", "customer_id", "due_on", "id"),
        Index(
            "ix_next_step_open",
            "owner_id",
            "due_on",
            "id",
            postgresql_where=text("done_at IS NULL AND cancelled_at IS NULL"),
            sqlite_where=text("done_at IS NULL AND cancelled_at IS NULL"),
        ),
    )

    @property
    def is_open(self) -> bool:
        """Whether it is still to be done."""
        return self.done_at is None and self.cancelled_at is None
