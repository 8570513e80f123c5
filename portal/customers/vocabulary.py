"""The words of customer management as enumerations: what is stored, and how people call it. No database."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any

from portal.i18n import _l, current_language


class Party(StrEnum):
    """Whether a customer is an organisation or a person (R-CUS-1)."""

    ORGANISATION = "organisation"
    PERSON = "person"


class CustomerKind(StrEnum):
    """The customer's place in the chain of trade (R-CUS-1)."""

    WHOLESALER = "wholesaler"
    DISTRIBUTOR = "distributor"
    DEALER = "dealer"
    RETAILER = "retailer"
    END_USER = "end_user"


class SizeClass(StrEnum):
    """Size class of an organisation (R-CUS-1)."""

    LARGE = "large"
    SMALL = "small"


class Stage(StrEnum):
    """Lifecycle stage (R-CUS-2), in the order of the way forward; dormant and lost stand beside it."""

    TO_IDENTIFY = "to_identify"
    POTENTIAL = "potential"
    OPPORTUNITY = "opportunity"
    ORDERING = "ordering"
    USER = "user"
    DORMANT = "dormant"
    LOST = "lost"


#: The way forward. A stage further on may be reached in one step, but "opportunity" and beyond need qualification.
FORWARD = (Stage.TO_IDENTIFY, Stage.POTENTIAL, Stage.OPPORTUNITY, Stage.ORDERING, Stage.USER)
#: Not yet closed (尚未成交): up to opportunity.
OPEN_STAGES = frozenset({Stage.TO_IDENTIFY, Stage.POTENTIAL, Stage.OPPORTUNITY})
#: Closed (已成交): after opportunity.
CLOSED_STAGES = frozenset({Stage.ORDERING, Stage.USER})


class Status(StrEnum):
    """Status of the record itself. Merged records are kept for tracing and shown nowhere."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    MERGED = "merged"


class Source(StrEnum):
    """How the customer came to us (R-CUS-1)."""

    DOOR_TO_DOOR = "door_to_door"
    MEETING = "meeting"
    PLACE = "place"
    REFERRAL = "referral"
    ADVERTISEMENT = "advertisement"
    WEB = "web"
    OWN_APPLICATION = "own_application"
    OTHER = "other"


class Channel(StrEnum):
    """The way on which the customer is served."""

    DIRECT = "direct"
    PARTNER = "partner"
    SHOP = "shop"
    ONLINE = "online"
    TENDER = "tender"
    OTHER = "other"


class Grade(StrEnum):
    """Result of looking at need, means or reputation before an opportunity (R-CUS-2)."""

    UNKNOWN = "unknown"
    POOR = "poor"
    FAIR = "fair"
    GOOD = "good"


class Sex(StrEnum):
    """Sex of a person, as far as told."""

    FEMALE = "female"
    MALE = "male"


class EmployerKind(StrEnum):
    """What kind of unit a contact works for; "administrative" (行政单位) matters for VIP applications."""

    ADMINISTRATIVE = "administrative"
    PUBLIC_INSTITUTION = "public_institution"
    STATE_ENTERPRISE = "state_enterprise"
    PRIVATE_ENTERPRISE = "private_enterprise"
    FOREIGN_ENTERPRISE = "foreign_enterprise"
    MILITARY = "military"
    ASSOCIATION = "association"
    SELF_EMPLOYED = "self_employed"
    OTHER = "other"


class Rank(StrEnum):
    """Administrative rank (行政级别), from low to high; `RANK_ORDER` compares (R-CUS-3)."""

    CLERK = "clerk"
    DEPUTY_SECTION = "deputy_section"
    SECTION = "section"
    DEPUTY_DIVISION = "deputy_division"
    DIVISION = "division"
    DEPUTY_DEPARTMENT = "deputy_department"
    DEPARTMENT = "department"
    DEPUTY_MINISTER = "deputy_minister"
    MINISTER = "minister"


#: Rank → number; a higher rank has a higher number, so that "副处级 or above" is one comparison.
RANK_ORDER: Mapping[str, int] = {rank.value: number for number, rank in enumerate(Rank, start=1)}


class BuyingRole(StrEnum):
    """Role of a contact in buying (R-CUS-3)."""

    DECISION_MAKER = "decision_maker"
    INFLUENCER = "influencer"
    USER = "user"
    GATEKEEPER = "gatekeeper"


class PhoneLabel(StrEnum):
    """What a phone number is."""

    MOBILE = "mobile"
    OFFICE = "office"
    HOME = "home"
    FAX = "fax"
    OTHER = "other"


class InteractionKind(StrEnum):
    """Kind of interaction (R-CUS-9)."""

    VISIT = "visit"
    PHONE = "phone"
    SMS = "sms"
    EMAIL = "email"
    LETTER = "letter"
    EVENT = "event"
    ADVERTISEMENT = "advertisement"
    WEB = "web"


class Appointment(StrEnum):
    """Whether a visit was announced: an appointment comes before a visit (拜访先预约, R-CUS-9)."""

    NONE = "none"
    REQUESTED = "requested"
    CONFIRMED = "confirmed"


class Direction(StrEnum):
    """Who contacted whom."""

    OUTGOING = "outgoing"
    INCOMING = "incoming"


#: Attitude of a contact towards us, −2 … +2 (R-CUS-3).
ATTITUDES = (-2, -1, 0, 1, 2)

LABELS: dict[type[StrEnum], dict[str, Any]] = {
    Party: {Party.ORGANISATION: _l("Organisation"), Party.PERSON: _l("Individual")},
    CustomerKind: {
        CustomerKind.WHOLESALER: _l("Wholesaler"),
        CustomerKind.DISTRIBUTOR: _l("Distributor"),
        CustomerKind.DEALER: _l("Dealer"),
        CustomerKind.RETAILER: _l("Retailer"),
        CustomerKind.END_USER: _l("End user"),
    },
    SizeClass: {
        SizeClass.LARGE: _l("Large enterprise, institution or authority"),
        SizeClass.SMALL: _l("Small or medium enterprise, institution or authority"),
    },
    Stage: {
        Stage.TO_IDENTIFY: _l("To identify"),
        Stage.POTENTIAL: _l("Potential"),
        Stage.OPPORTUNITY: _l("Opportunity"),
        Stage.ORDERING: _l("Ordering customer"),
        Stage.USER: _l("User"),
        Stage.DORMANT: _l("Dormant"),
        Stage.LOST: _l("Lost"),
    },
    Status: {Status.ACTIVE: _l("Record active"), Status.INACTIVE: _l("Record inactive"), Status.MERGED: _l("Merged")},
    Source: {
        Source.DOOR_TO_DOOR: _l("Door to door"),
        Source.MEETING: _l("Meeting or fair"),
        Source.PLACE: _l("Met at a place"),
        Source.REFERRAL: _l("Referral"),
        Source.ADVERTISEMENT: _l("Advertisement"),
        Source.WEB: _l("Web"),
        Source.OWN_APPLICATION: _l("Came by himself"),
        Source.OTHER: _l("Other source"),
    },
    Channel: {
        Channel.DIRECT: _l("Direct sale"),
        Channel.PARTNER: _l("Through a partner"),
        Channel.SHOP: _l("Shop"),
        Channel.ONLINE: _l("Online shop"),
        Channel.TENDER: _l("Tender"),
        Channel.OTHER: _l("Other channel"),
    },
    Grade: {
        Grade.UNKNOWN: _l("Not known"),
        Grade.POOR: _l("Poor"),
        Grade.FAIR: _l("Fair"),
        Grade.GOOD: _l("Good"),
    },
    Sex: {Sex.FEMALE: _l("Female"), Sex.MALE: _l("Male")},
    EmployerKind: {
        EmployerKind.ADMINISTRATIVE: _l("Administrative unit"),
        EmployerKind.PUBLIC_INSTITUTION: _l("Public institution"),
        EmployerKind.STATE_ENTERPRISE: _l("State-owned enterprise"),
        EmployerKind.PRIVATE_ENTERPRISE: _l("Private enterprise"),
        EmployerKind.FOREIGN_ENTERPRISE: _l("Foreign or joint enterprise"),
        EmployerKind.MILITARY: _l("Armed forces"),
        EmployerKind.ASSOCIATION: _l("Association"),
        EmployerKind.SELF_EMPLOYED: _l("Self-employed"),
        EmployerKind.OTHER: _l("Other unit"),
    },
    Rank: {
        Rank.CLERK: _l("Section member"),
        Rank.DEPUTY_SECTION: _l("Deputy section head"),
        Rank.SECTION: _l("Section head"),
        Rank.DEPUTY_DIVISION: _l("Deputy division head"),
        Rank.DIVISION: _l("Division head"),
        Rank.DEPUTY_DEPARTMENT: _l("Deputy director-general"),
        Rank.DEPARTMENT: _l("Director-general"),
        Rank.DEPUTY_MINISTER: _l("Deputy minister"),
        Rank.MINISTER: _l("Minister"),
    },
    BuyingRole: {
        BuyingRole.DECISION_MAKER: _l("Decision maker"),
        BuyingRole.INFLUENCER: _l("Influencer"),
        BuyingRole.USER: _l("User of the product"),
        BuyingRole.GATEKEEPER: _l("Gatekeeper"),
    },
    PhoneLabel: {
        PhoneLabel.MOBILE: _l("Mobile"),
        PhoneLabel.OFFICE: _l("Office phone"),
        PhoneLabel.HOME: _l("Home phone"),
        PhoneLabel.FAX: _l("Fax"),
        PhoneLabel.OTHER: _l("Other number"),
    },
    InteractionKind: {
        InteractionKind.VISIT: _l("Visit"),
        InteractionKind.PHONE: _l("Phone call"),
        InteractionKind.SMS: _l("Text message"),
        InteractionKind.EMAIL: _l("E-mail message"),
        InteractionKind.LETTER: _l("Letter"),
        InteractionKind.EVENT: _l("Event"),
        InteractionKind.ADVERTISEMENT: _l("Advertisement"),
        InteractionKind.WEB: _l("Web"),
    },
    Appointment: {
        Appointment.NONE: _l("Without appointment"),
        Appointment.REQUESTED: _l("Appointment requested"),
        Appointment.CONFIRMED: _l("Appointment confirmed"),
    },
    Direction: {
        Direction.OUTGOING: _l("We contacted the customer"),
        Direction.INCOMING: _l("The customer contacted us"),
    },
}

ATTITUDE_LABELS: dict[int, Any] = {
    -2: _l("−2 opposes us"),
    -1: _l("−1 reserved"),
    0: _l("0 neutral"),
    1: _l("+1 friendly"),
    2: _l("+2 supports us"),
}


def label(enumeration: type[StrEnum], value: str | None) -> str:
    """What people call a stored value; "" for None, the value itself when it is not known (data of a later version)."""
    return _said(enumeration, value, current_language()) if value else ""


@lru_cache(maxsize=1024)
def _said(enumeration: type[StrEnum], value: str, _language: str) -> str:
    """A list says the same few words on every line; each is looked up once."""
    return str(LABELS[enumeration].get(value, value))


def choices(enumeration: type[StrEnum], blank: Any = None) -> list[tuple[str, Any]]:
    """(value, label) pairs for a select field; `blank`: label of an empty first choice."""
    pairs: list[tuple[str, Any]] = [(member.value, LABELS[enumeration][member]) for member in enumeration]
    return pairs if blank is None else [("", blank), *pairs]


def values(enumeration: type[StrEnum]) -> str:
    """The stored values as an SQL list, for check constraints."""
    return ", ".join(f"'{member.value}'" for member in enumeration)
