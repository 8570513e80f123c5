"""The customer archive: dossiers, who may change them, who may look, and what leaves on paper (R-ARC-1 … 11)."""

from __future__ import annotations

from portal import __version__
from portal.i18n import _l
from portal.pluginmanager import PluginInfo

plugin = PluginInfo(
    name="archive",
    version=__version__,
    title=_l("Customer archive"),
    summary=_l("Customer files, look-up requests, watermarked viewing, numbered paper copies and their register"),
)
