"""A plugin of another package: product samples sent to customers. It implements every hook there is."""

from __future__ import annotations

from portal.i18n import _l
from portal.pluginmanager import PluginInfo

plugin = PluginInfo(
    name="sample",
    version="1.2.3",
    title=_l("Product samples"),
    summary=_l("Samples sent to customers, with approval"),
)
