"""All tables of this plugin; each area has its own module."""

from __future__ import annotations

from sqlalchemy import event

from plugins.key_accounts import ddl
from plugins.key_accounts.tiers.models import CustomerTier, TierDecision
from portal.extensions import db

__all__ = [
    "CustomerTier",
    "TierDecision",
]

for _name in ddl.TABLES:
    event.listen(db.metadata.tables[_name], "after_create", ddl.protect)
