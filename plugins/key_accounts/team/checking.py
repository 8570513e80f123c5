"""Checks that account work shares: the customer, a colleague, a contact."""

from __future__ import annotations

from portal.core.errors import NotFound
from portal.core.permissions import require
from portal.customers.models import Contact, Customer
from portal.customers.permissions import EDIT
from portal.customers.validation import Checker
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.org.models import User


def customer_for(customer_id: int, actor: Actor, permission: str = EDIT) -> Customer:
    """A customer on which the actor has the permission. :raises NotFound, NotAllowed: else."""
    customer = db.session.get(Customer, customer_id)
    if customer is None:
        raise NotFound()
    require(actor, permission, customer)
    return customer


def active_user(user_id: int | None, field: str, checker: Checker, required: bool = True) -> User | None:
    """A person who works here; notes an error for all others."""
    if user_id is None:
        if required:
            checker.add(field, _("Choose somebody who works here."))
        return None
    user = db.session.get(User, user_id)
    if user is None or not user.is_active:
        checker.add(field, _("Choose somebody who works here."))
        return None
    return user


def own_contact(contact_id: int | None, customer_id: int, field: str, checker: Checker) -> Contact | None:
    """An active contact of the customer; notes an error for all others."""
    contact = db.session.get(Contact, contact_id) if contact_id else None
    if contact is None or contact.customer_id != customer_id or not contact.is_active:
        checker.add(field, _("Choose a contact of this customer."))
        return None
    return contact
