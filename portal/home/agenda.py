"""What "my day" shows. The type of its items lives in the core, so that modules below this one can answer."""

from __future__ import annotations

from portal.core.panels import AgendaItem

__all__ = ["AgendaItem"]
