"""The person behind the present request, for views of all modules above `portal.org`."""

from __future__ import annotations

from portal.org.current import current_actor, current_actor_or_none

__all__ = ["current_actor", "current_actor_or_none"]
