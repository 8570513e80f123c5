"""Registers the pages of all areas on the blueprint."""

from __future__ import annotations

from plugins.key_accounts.account import views as account_views  # noqa: F401
from plugins.key_accounts.blueprint import blueprint

__all__ = ["blueprint"]
