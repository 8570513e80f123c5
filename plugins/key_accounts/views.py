"""Registers the pages of all areas on the blueprint."""

from __future__ import annotations

from plugins.key_accounts.account import views as account_views  # noqa: F401
from plugins.key_accounts.blueprint import blueprint
from plugins.key_accounts.care import calendar_views as calendar_views
from plugins.key_accounts.care import meeting_views as meeting_views
from plugins.key_accounts.care import views as care_views  # noqa: F401
from plugins.key_accounts.opportunities import views as opportunities_views  # noqa: F401
from plugins.key_accounts.overview import views as overview_views  # noqa: F401
from plugins.key_accounts.plans import emergency_views as emergency_views
from plugins.key_accounts.plans import views as plans_views  # noqa: F401
from plugins.key_accounts.policies import views as policies_views  # noqa: F401
from plugins.key_accounts.portfolio import views as portfolio_views  # noqa: F401
from plugins.key_accounts.satisfaction import views as satisfaction_views  # noqa: F401
from plugins.key_accounts.scorecards import views as scorecards_views  # noqa: F401
from plugins.key_accounts.stakeholders import views as stakeholders_views  # noqa: F401
from plugins.key_accounts.team import views as team_views  # noqa: F401
from plugins.key_accounts.tiers import views as tiers_views  # noqa: F401
from plugins.key_accounts.whitespace import views as whitespace_views  # noqa: F401

__all__ = ["blueprint"]
