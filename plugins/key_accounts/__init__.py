"""Key accounts: which customers matter, what we want with them, who does it (R-KA-1 … 13)."""

from __future__ import annotations

from portal import __version__
from portal.i18n import _l
from portal.pluginmanager import PluginInfo

plugin = PluginInfo(
    name="key_accounts",
    version=__version__,
    title=_l("Key accounts"),
    summary=_l("Tiers, portfolio, account plans, opportunities, teams and care of key accounts"),
)
