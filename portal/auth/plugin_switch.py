"""Switching plugins: what may be switched, as pure rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from portal.i18n import _
from portal.pluginmanager import LoadedPlugin, PluginError


def switched(plugins: Sequence[LoadedPlugin], disabled: Iterable[str], name: str, enabled: bool) -> list[str]:
    """The new list of disabled plugins.

    :param disabled: the list as it is written now (a switch may already wait for the next start).
    :raises PluginError: for an unknown plugin, one that others need, or one that needs a disabled one.
    """
    known = {plugin.info.name: plugin for plugin in plugins}
    if name not in known:
        raise PluginError(_("There is no plugin %(name)s.", name=name))
    off = {entry for entry in disabled if entry in known}
    if enabled:
        missing = sorted(required for required in known[name].info.requires if required in off)
        if missing:
            raise PluginError(_("Switch on first: %(names)s.", names=_(", ").join(missing)))
        off.discard(name)
    else:
        needed_by = sorted(
            other.info.name for other in plugins if name in other.info.requires and other.info.name not in off
        )
        if needed_by:
            raise PluginError(_("Needed by: %(names)s. Switch that off first.", names=_(", ").join(needed_by)))
        off.add(name)
    return sorted(off)
