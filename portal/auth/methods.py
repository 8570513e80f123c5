"""Ways to prove who one is, behind one interface.

A method answers who somebody is by (provider, immutable id); which person of the portal that is stands in the table of
identities. Passwords kept here are the first method; directories (LDAP) are further classes with the same functions.
Single sign-on (OIDC) takes no secret here: it sends people elsewhere, and what comes back is a `Proof`, too, for
`portal.auth.services.complete_log_in`. Second factors are further `Confirmation`s (portal.auth.confirmation).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import select

from portal.auth import passwords
from portal.auth.models import Identity, Password
from portal.auth.throttle import normal_login
from portal.core import clock
from portal.extensions import db
from portal.i18n import _l
from portal.org.models import User

LOCAL = "local"


@dataclass(frozen=True)
class Proof:
    """Somebody proved who he is.

    :ivar provider: the method's key. :ivar subject: the immutable id there.
    :ivar must_change: the password was given out by an administrator or is too old by the organisation's rule.
    :ivar expired: right, but a one-time password after its time: no log-in.
    :ivar new_hash: a hash with today's parameters to store, or "".
    """

    provider: str
    subject: str
    must_change: bool = False
    expired: bool = False
    new_hash: str = ""


class AuthenticationMethod(Protocol):
    """One way to log in with a name and a secret."""

    key: str
    title: Any

    def authenticate(self, login: str, secret: str) -> Proof | None:
        """Check a log-in. None for an unknown name, a wrong secret and a person who left alike, after the same time.

        Called without a writer's transaction: it may be slow and only reads.
        """
        ...

    def confirm(self, user_id: int, secret: str) -> bool:
        """Whether the secret is that of a person who is signed in (for pages that ask again)."""
        ...


class LocalPasswords:
    """Passwords kept in the portal's own table."""

    key = LOCAL
    title = _l("Password of the portal")

    def authenticate(self, login: str, secret: str) -> Proof | None:
        """See `AuthenticationMethod.authenticate`."""
        row = db.session.execute(
            select(Identity.subject, Password.hash, Password.must_change, Password.expires_at, User.is_active)
            .join(Identity, Identity.user_id == User.id)
            .join(Password, Password.user_id == User.id)
            .where(User.login == normal_login(login)[:64], Identity.provider == LOCAL)
        ).first()
        # The read ends here: hashing takes a while, and nothing may wait for it.
        db.session.rollback()
        nobody = passwords.nobodys_hash()
        right = passwords.verify(row.hash if row else nobody, secret)
        if row is None or not right or not row.is_active:
            return None
        return Proof(
            LOCAL,
            row.subject,
            must_change=row.must_change,
            expired=row.expires_at is not None and row.expires_at <= clock.now(),
            new_hash=passwords.hash_password(secret) if passwords.needs_rehash(row.hash) else "",
        )

    def confirm(self, user_id: int, secret: str) -> bool:
        """See `AuthenticationMethod.confirm`."""
        stored = db.session.scalar(select(Password.hash).where(Password.user_id == user_id))
        db.session.rollback()
        return passwords.verify(stored or passwords.nobodys_hash(), secret) and stored is not None


#: Tried in this order until one knows the person.
METHODS: tuple[AuthenticationMethod, ...] = (LocalPasswords(),)


def authenticate(login: str, secret: str) -> Proof | None:
    """Ask all methods in turn."""
    for method in METHODS:
        proof = method.authenticate(login, secret)
        if proof is not None:
            return proof
    return None


def by_key(key: str) -> AuthenticationMethod:
    """The method a session was opened with. :raises KeyError: when it is not installed any more."""
    for method in METHODS:
        if method.key == key:
            return method
    raise KeyError(key)
