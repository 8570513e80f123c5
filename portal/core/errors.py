"""What services raise. `portal.core.web` maps each to one page: 400, 403, 404, 409, 429."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class PortalError(Exception):
    """Base of all errors with a message for the user (a translated sentence)."""

    status = 500

    def __init__(self, message: object = "", **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class Invalid(PortalError):
    """Input that breaks rules: all (field, message) pairs at once; field "" means the form as a whole."""

    status = 400

    def __init__(self, errors: Iterable[tuple[str, object]] | object) -> None:
        pairs = [("", errors)] if isinstance(errors, str) or not isinstance(errors, Iterable) else list(errors)
        self.errors: list[tuple[str, object]] = pairs
        super().__init__(" ".join(str(message) for _field, message in pairs))


class NotAllowed(PortalError):
    """The actor may not do this; the message says why."""

    status = 403


class NotFound(PortalError):
    """No such thing, or its existence is secret to the actor."""

    status = 404


class Conflict(PortalError):
    """Somebody else was faster; `details` carry what the page shows (who, when, both versions)."""

    status = 409


class TooMany(PortalError):
    """The actor did this more often than he may in a while; the message says when he can go on."""

    status = 429


class ErrorList:
    """Collects (field, message) pairs and raises them together."""

    def __init__(self) -> None:
        self.pairs: list[tuple[str, object]] = []

    def add(self, field: str, message: object) -> None:
        """Note one error."""
        self.pairs.append((field, message))

    def raise_if_any(self) -> None:
        """Raise `Invalid` with all pairs when there is at least one."""
        if self.pairs:
            raise Invalid(self.pairs)
