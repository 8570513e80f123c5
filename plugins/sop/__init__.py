"""Standard operating procedures: manuals, publication, reading, checklists (R-SOP-1 … 9)."""

from __future__ import annotations

from portal import __version__
from portal.i18n import _l
from portal.pluginmanager import PluginInfo

plugin = PluginInfo(
    name="sop",
    version=__version__,
    title=_l("SOP manuals"),
    summary=_l("Standard operating procedures as manuals and checklists"),
)
