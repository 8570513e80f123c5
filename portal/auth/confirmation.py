"""Proving again who one is, before pages of administration ("step-up").

The guard asks for it, `auth.confirm` shows the fields of the person's confirmation and checks them. Today that is the
password; a second factor is a further class: when a person has one, `confirmation_for` returns it instead.
"""

from __future__ import annotations

from typing import Any, Protocol

from portal.auth import methods
from portal.i18n import _l


class Confirmation(Protocol):
    """One way to prove again who one is."""

    key: str
    label: Any

    def check(self, user_id: int, answer: str) -> bool:
        """Whether the answer proves it; only reads."""
        ...


class PasswordAgain:
    """The secret of the method with which the session was opened."""

    key = "password"
    label = _l("Password")

    def __init__(self, method: methods.AuthenticationMethod) -> None:
        self.method = method

    def check(self, user_id: int, answer: str) -> bool:
        """See `Confirmation.check`."""
        return self.method.confirm(user_id, answer)


def confirmation_for(method: str) -> Confirmation:
    """What a person whose session was opened with the method is asked for."""
    return PasswordAgain(methods.by_key(method))
