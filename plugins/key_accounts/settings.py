"""Settings of this plugin; each area keeps its own list."""

from __future__ import annotations

from portal.core.settings import Setting

SETTINGS: tuple[Setting, ...] = ()
