"""Who reads the audit trail."""

from __future__ import annotations

from portal.core.permissions import Actor, Permission, Rule, can, has_role, registry
from portal.i18n import _l

READ = "audit.read"
#: The permission of the customers' module that opens the values of entries about a customer.
CUSTOMER_VIEW = "customers.view"

PERMISSIONS = [Permission(READ, _l("Read the audit trail"))]
RULES = [Rule(READ, "auditor", _l("is an auditor"), has_role("auditor"))]


def may_see_values(actor: Actor, customer_id: int | None) -> bool:
    """Whether the actor sees the values in an entry, not only the names of the fields.

    Auditors read who did what; what a customer's record says stays with those who may see the customer.
    """
    if customer_id is None:
        return True
    return CUSTOMER_VIEW in registry().permissions and can(actor, CUSTOMER_VIEW, customer_id)
