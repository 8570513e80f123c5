"""A key account at a glance."""

from __future__ import annotations

from flask import render_template

from plugins.key_accounts.blueprint import blueprint
from plugins.key_accounts.frame import load_customer, sections
from plugins.key_accounts.permissions import USE
from portal.auth.current import current_actor
from portal.core.web import access
from portal.customers.models import Customer


@blueprint.app_template_global("key_account_sections")
def key_account_sections(customer: Customer, active: str) -> list[object]:
    """The sub-navigation of the tab."""
    return list(sections(customer, current_actor(), active))


@blueprint.get("/customers/<int:customer_id>")
@access(USE)
def account(customer_id: int) -> str:
    """The key account at a glance."""
    customer = load_customer(customer_id, current_actor())
    return render_template("key_accounts/account.html", customer=customer)
