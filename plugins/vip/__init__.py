"""VIP customers: conditions, applications, memberships, points (R-VIP-1 … 5)."""

from __future__ import annotations

from portal import __version__
from portal.i18n import _l
from portal.pluginmanager import PluginInfo

plugin = PluginInfo(
    name="vip",
    version=__version__,
    title=_l("VIP customers"),
    summary=_l("VIP applications, memberships, certificates and points"),
)
