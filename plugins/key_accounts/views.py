"""Registers the pages of all areas on the blueprint."""

from __future__ import annotations

from plugins.key_accounts.account import views as account_views  # noqa: F401
from plugins.key_accounts.blueprint import blueprint
from plugins.key_accounts.opportunities import views as opportunities_views  # noqa: F401
from plugins.key_accounts.plans import views as plans_views  # noqa: F401
from plugins.key_accounts.portfolio import views as portfolio_views  # noqa: F401
from plugins.key_accounts.stakeholders import views as stakeholders_views  # noqa: F401
from plugins.key_accounts.team import views as team_views  # noqa: F401
from plugins.key_accounts.tiers import views as tiers_views  # noqa: F401

__all__ = ["blueprint"]
