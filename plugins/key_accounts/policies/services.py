"""Writing policies and value propositions; what a customer buys by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, select

from plugins.key_accounts.actions import KeyAccountAction
from plugins.key_accounts.permissions import LEAD
from plugins.key_accounts.policies.models import (
    EMPHASES,
    SEGMENTS,
    BuyingEmphasis,
    CustomerSegment,
    Policy,
    ValueProposition,
)
from plugins.key_accounts.tiers.models import TIERS
from portal.audit.services import record
from portal.core import clock
from portal.core.errors import Conflict, ErrorList, NotFound
from portal.core.permissions import require
from portal.customers.models import Customer
from portal.customers.vocabulary import CustomerKind
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor

TEXT_LENGTH = 2000
#: Texts of a policy and of a value proposition, in the order shown.
POLICY_TEXTS = (
    "stock",
    "sales",
    "delivery",
    "finance",
    "risk",
    "pricing",
    "appraisal",
    "service",
    "promotion",
    "outlets",
    "people",
)
PROPOSITION_TEXTS = ("target", "advantages", "price", "quality", "delivery", "trading", "service", "payment")


@dataclass(frozen=True)
class PolicyInput:
    """A policy; see `models.Policy`. :ivar version: the one that was shown, when a policy is changed."""

    name: str
    valid_from: date | None
    tier: str = ""
    kind: str = ""
    valid_until: date | None = None
    visit_days: int | None = None
    contact_days: int | None = None
    credit_limit: Decimal | None = None
    credit_days: int | None = None
    minimum_order: Decimal | None = None
    discount: int | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    version: int | None = None


def save_policy(policy_id: int | None, data: PolicyInput, actor: Actor) -> Policy:
    """Add or change a policy. :raises Invalid, Conflict, NotFound, NotAllowed: as usual."""
    require(actor, LEAD)
    row = Policy() if policy_id is None else db.session.get(Policy, policy_id)
    if row is None:
        raise NotFound()
    if policy_id is not None and data.version is not None and row.version != data.version:
        raise Conflict(_("The policy was changed meanwhile."))
    errors = _checked_head(data.name, data.valid_from, data.valid_until)
    if data.tier not in ("", *TIERS):
        errors.add("tier", _("Choose from the list."))
    if data.kind not in ("", *(kind.value for kind in CustomerKind)):
        errors.add("kind", _("Choose from the list."))
    for name in ("visit_days", "contact_days", "credit_days"):
        value = getattr(data, name)
        if value is not None and not 1 <= value <= 1000:
            errors.add(name, _("Enter a number from 1 to %(most)s.", most=1000))
    if data.discount is not None and not 0 <= data.discount <= 100:
        errors.add("discount", _("Enter a number from 0 to %(most)s.", most=100))
    for name in ("credit_limit", "minimum_order"):
        amount = getattr(data, name)
        if amount is not None and amount < 0:
            errors.add(name, _("Enter an amount that is not negative."))
    _check_texts(data.texts, errors)
    errors.raise_if_any()
    old = _snapshot(row, POLICY_FIELDS) if policy_id is not None else None
    values = {name: value for name, value in asdict(data).items() if name not in ("texts", "version")}
    for name, value in {**values, **{text: data.texts.get(text, "").strip() for text in POLICY_TEXTS}}.items():
        setattr(row, name, value)
    row.name = data.name.strip()
    _stamp(row, actor)
    action = KeyAccountAction.POLICY_CREATED if old is None else KeyAccountAction.POLICY_CHANGED
    _record(row, "key_accounts_policy", action, old, _snapshot(row, POLICY_FIELDS), actor)
    return row


POLICY_FIELDS = (
    "name",
    "tier",
    "kind",
    "valid_from",
    "valid_until",
    "visit_days",
    "contact_days",
    "credit_limit",
    "credit_days",
    "minimum_order",
    "discount",
    *POLICY_TEXTS,
)
PROPOSITION_FIELDS = ("name", "segment", "valid_from", "valid_until", "price_position", *PROPOSITION_TEXTS)


@dataclass(frozen=True)
class PropositionInput:
    """A value proposition; see `models.ValueProposition`."""

    name: str
    segment: str
    valid_from: date | None
    valid_until: date | None = None
    price_position: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)
    version: int | None = None


def save_proposition(proposition_id: int | None, data: PropositionInput, actor: Actor) -> ValueProposition:
    """Add or change a value proposition. :raises Invalid, Conflict, NotFound, NotAllowed: as usual."""
    require(actor, LEAD)
    row = ValueProposition() if proposition_id is None else db.session.get(ValueProposition, proposition_id)
    if row is None:
        raise NotFound()
    if proposition_id is not None and data.version is not None and row.version != data.version:
        raise Conflict(_("The value proposition was changed meanwhile."))
    errors = _checked_head(data.name, data.valid_from, data.valid_until)
    if data.segment not in SEGMENTS:
        errors.add("segment", _("Choose from the list."))
    _check_texts({**data.texts, "price_position": data.price_position}, errors, {"price_position": 200})
    errors.raise_if_any()
    old = _snapshot(row, PROPOSITION_FIELDS) if proposition_id is not None else None
    row.name, row.segment = data.name.strip(), data.segment
    row.valid_from, row.valid_until = data.valid_from, data.valid_until  # type: ignore[assignment]
    row.price_position = data.price_position.strip()
    for name in PROPOSITION_TEXTS:
        setattr(row, name, data.texts.get(name, "").strip())
    _stamp(row, actor)
    action = KeyAccountAction.PROPOSITION_CREATED if old is None else KeyAccountAction.PROPOSITION_CHANGED
    _record(row, "key_accounts_proposition", action, old, _snapshot(row, PROPOSITION_FIELDS), actor)
    return row


def _checked_head(name: str, valid_from: date | None, valid_until: date | None) -> ErrorList:
    errors = ErrorList()
    if not name.strip():
        errors.add("name", _("Enter a name."))
    if len(name.strip()) > 100:
        errors.add("name", _("At most %(n)s characters.", n=100))
    if valid_from is None:
        errors.add("valid_from", _("Enter a date."))
    elif valid_until is not None and valid_until < valid_from:
        errors.add("valid_until", _("The end lies before the beginning."))
    return errors


def _check_texts(texts: Mapping[str, str], errors: ErrorList, most: Mapping[str, int] | None = None) -> None:
    for name, text in texts.items():
        length = (most or {}).get(name, TEXT_LENGTH)
        if len(text.strip()) > length:
            errors.add(name, _("At most %(n)s characters.", n=length))


def _stamp(row: Any, actor: Actor) -> None:
    row.updated_at, row.updated_by_id = clock.now(), actor.user_id
    db.session.add(row)
    db.session.flush()


def _snapshot(row: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _record(
    row: Any,
    kind: str,
    action: KeyAccountAction,
    old: dict[str, Any] | None,
    new: dict[str, Any],
    actor: Actor,
) -> None:
    if old is not None:
        changed = [name for name in new if new[name] != old[name]]
        if not changed:
            return
        old, new = {name: old[name] for name in changed}, {name: new[name] for name in changed}
    record(actor, action, object_type=kind, object_id=row.id, object_label=row.name, old=old, new=new)


@dataclass(frozen=True)
class EmphasisInput:
    """A factor a customer buys by. :ivar position: 1 is looked at first."""

    factor: str
    position: int
    is_met: bool = False
    note: str = ""


@dataclass(frozen=True)
class BuyingInput:
    """Segment and buying emphasis of a customer."""

    segment: str = ""
    emphases: tuple[EmphasisInput, ...] = ()


def set_buying(customer_id: int, data: BuyingInput, actor: Actor) -> None:
    """Write down the segment and what the customer buys by; both replace what was there.

    :raises Invalid: an unknown segment or factor, a factor twice, a position outside 1 … 6.
    """
    customer = db.session.get(Customer, customer_id)
    if customer is None:
        raise NotFound()
    require(actor, "customers.edit", customer)
    errors = ErrorList()
    if data.segment not in ("", *SEGMENTS):
        errors.add("segment", _("Choose from the list."))
    factors = [item.factor for item in data.emphases]
    if len(set(factors)) != len(factors) or not set(factors) <= set(EMPHASES):
        errors.add("", _("Choose from the list."))
    for item in data.emphases:
        if not 1 <= item.position <= len(EMPHASES):
            errors.add(f"position_{item.factor}", _("Enter a number from 1 to %(most)s.", most=len(EMPHASES)))
        if len(item.note.strip()) > 300:
            errors.add(f"note_{item.factor}", _("At most %(n)s characters.", n=300))
    errors.raise_if_any()
    for model in (CustomerSegment, BuyingEmphasis):
        db.session.execute(delete(model).where(model.customer_id == customer_id))
    if data.segment:
        db.session.add(CustomerSegment(customer_id=customer_id, segment=data.segment))
    for item in data.emphases:
        db.session.add(
            BuyingEmphasis(
                customer_id=customer_id,
                factor=item.factor,
                position=item.position,
                is_met=item.is_met,
                note=item.note.strip(),
            )
        )
    db.session.flush()
    record(
        actor,
        KeyAccountAction.BUYING_CHANGED,
        object_type="customer",
        object_id=customer_id,
        object_label=customer.name,
        customer_id=customer_id,
        new={"segment": data.segment, "factors": {item.factor: item.position for item in data.emphases}},
    )


def segment_of(customer_id: int) -> str:
    """The segment of a customer; "" when none was chosen."""
    return db.session.scalar(select(CustomerSegment.segment).where(CustomerSegment.customer_id == customer_id)) or ""
