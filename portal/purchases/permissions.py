"""Who may do what with products and costs. Purchases follow their customer: seen by whoever may see it
("customers.view"), recorded and changed by whoever may change it ("customers.edit")."""

from __future__ import annotations

from portal.core.permissions import Actor, Permission, Rule, anyone, has_role
from portal.customers.permissions import works_with_customers
from portal.i18n import _l
from portal.org.models import EXECUTIVE

READ_PRODUCTS = "purchases.products"
MANAGE_PRODUCTS = "purchases.manage_products"
SEE_MARGIN = "purchases.margin"
SEE_REPORTS = "purchases.reports"
RECORD = "purchases.record"

PERMISSIONS = (
    Permission(READ_PRODUCTS, _l("See the products and their prices")),
    Permission(MANAGE_PRODUCTS, _l("Add, change and withdraw products")),
    Permission(SEE_MARGIN, _l("See unit costs and margins")),
    Permission(SEE_REPORTS, _l("See sums of the purchases of the customers one may see")),
    Permission(RECORD, _l("Record purchases of the customers one may change")),
)


def _is_head(actor: Actor) -> bool:
    return bool(actor.headed)


def _is_system(actor: Actor) -> bool:
    return actor.is_system


def _for_leaders(permission: str) -> tuple[Rule, ...]:
    return (
        Rule(permission, "department_head", _l("heads a department"), _is_head),
        Rule(permission, "executive", _l("is an executive"), has_role(EXECUTIVE)),
        Rule(permission, "system", _l("is the portal itself"), _is_system),
    )


RULES = (
    Rule(READ_PRODUCTS, "everybody", _l("is signed in"), anyone),
    *_for_leaders(MANAGE_PRODUCTS),
    *_for_leaders(SEE_MARGIN),
    Rule(SEE_REPORTS, "works_with_customers", _l("works with customers"), works_with_customers),
    Rule(SEE_REPORTS, "system", _l("is the portal itself"), _is_system),
    Rule(RECORD, "works_with_customers", _l("works with customers"), works_with_customers),
    Rule(RECORD, "system", _l("is the portal itself"), _is_system),
)
