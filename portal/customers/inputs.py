"""What services take: frozen dataclasses with plain values, as a form, an import or a command fills them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True)
class PersonInput:
    """Facts about a customer who is a person; any of them needs `purpose`, `consent` and `consented_on`."""

    sex: str = ""
    birth_year: int | None = None
    occupation: str = ""
    education: str = ""
    ethnicity: str = ""
    employer: str = ""
    home_address: str = ""
    purpose: str = ""
    consent: str = ""
    consented_on: date | None = None

    @property
    def has_facts(self) -> bool:
        """Whether anything about the person is given."""
        facts = (self.sex, self.birth_year, self.occupation, self.education, self.ethnicity, self.employer)
        return any(facts) or bool(self.home_address)


@dataclass(frozen=True)
class CustomerInput:
    """All fields of a customer that people enter. Stage, account manager and department have services of their own."""

    name: str
    kind: str
    party: str = "organisation"
    short_name: str = ""
    aliases: Sequence[str] = ()
    credit_code: str = ""
    industry: str = ""
    size_class: str = ""
    region_code: str = ""
    address: str = ""
    latitude: float | None = None
    longitude: float | None = None
    demand: str = ""
    phone: str = ""
    email: str = ""
    website: str = ""
    channel: str = ""
    source: str = ""
    source_note: str = ""
    referrer_id: int | None = None
    status: str = "active"
    person: PersonInput | None = None


@dataclass(frozen=True)
class QualificationInput:
    """Need, means and reputation, each a `Grade`."""

    need: str
    means: str
    reputation: str
    notes: str = ""


@dataclass(frozen=True)
class AssignInput:
    """Who shall look after customers: the account manager (None: nobody for now), the department (None: his)."""

    account_manager_id: int | None
    department_id: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class PhoneInput:
    """A phone as people write it, and what it is."""

    number: str
    label: str = "mobile"


@dataclass(frozen=True)
class ContactInput:
    """All fields of a contact. The birthday is of `birthday_calendar`; without a calendar there is none."""

    name: str
    sex: str = ""
    title: str = ""
    department: str = ""
    employer_kind: str = ""
    rank: str = ""
    phones: Sequence[PhoneInput] = ()
    email: str = ""
    wechat: str = ""
    birthday_calendar: str = ""
    birthday_month: int | None = None
    birthday_day: int | None = None
    birthday_leap: bool = False
    birthday_year: int | None = None
    interests: str = ""
    buying_role: str = ""
    attitude: int | None = None
    notes: str = ""
    message_consent: bool = False
    message_consent_on: date | None = None
    message_consent_source: str = ""
    is_primary: bool = False


@dataclass(frozen=True)
class NextStepInput:
    """A next step: what, until when, by whom (None: the actor)."""

    task: str
    due_on: date | None
    kind: str = "phone"
    appointment: str = "none"
    owner_id: int | None = None


@dataclass(frozen=True)
class InteractionInput:
    """An interaction that took place; `at` is an aware moment, `cost` yuan, `minutes` its duration."""

    kind: str
    at: datetime | None
    direction: str = "outgoing"
    minutes: int | None = None
    appointment: str = "none"
    cost: Decimal | None = None
    subject: str = ""
    result: str = ""
    opinions: str = ""
    contact_ids: Sequence[int] = field(default_factory=tuple)
    colleague_ids: Sequence[int] = field(default_factory=tuple)
    next_step: NextStepInput | None = None
