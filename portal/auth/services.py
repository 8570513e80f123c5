"""Log-in, passwords and sessions: the rules and the writes. Called inside a transaction; only flushes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from portal.audit.services import record
from portal.auth import passwords
from portal.auth.actions import Action
from portal.auth.methods import LOCAL, Proof
from portal.auth.models import AuthSession, Identity, Password
from portal.auth.throttle import normal_login
from portal.core import clock
from portal.core.database import rows_changed
from portal.core.errors import Invalid, NotAllowed, NotFound
from portal.core.permissions import can, require
from portal.core.text import pinyin_full
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.org.models import User

#: One-time passwords stop working after this (security: at most a day).
ONE_TIME_LIFE = timedelta(hours=24)
#: Permission to look after other people's accounts.
MANAGE = "auth.manage"


@dataclass(frozen=True)
class PasswordRules:
    """The organisation's switches.

    :ivar complexity: ask for character classes.
    :ivar max_days: passwords must be changed after so many days, 0 for never.
    :ivar organisation: its name, a context word.
    """

    complexity: bool = False
    max_days: int = 0
    organisation: str = ""


@dataclass(frozen=True)
class ChangePasswordInput:
    """A person's new password."""

    password: str
    repeated: str


def person_of(proof: Proof) -> User | None:
    """The active person behind a proof, by (provider, immutable id)."""
    return db.session.scalar(
        select(User)
        .join(Identity, Identity.user_id == User.id)
        .where(Identity.provider == proof.provider, Identity.subject == proof.subject, User.is_active)
        .execution_options(populate_existing=True)
    )


def complete_log_in(proof: Proof, rules: PasswordRules, *, ip: str = "") -> tuple[User, str] | None:
    """Accept a proof: check once more inside the transaction, renew an old hash, write it down.

    :returns: the person and the restriction of the session ("" or "change_password"); None when he left meanwhile.
    """
    user = person_of(proof)
    if user is None or proof.expired:
        return None
    restricted = "change_password" if proof.must_change else ""
    if proof.provider == LOCAL:
        stored = db.session.get(Password, user.id)
        if stored is None:
            return None
        if proof.new_hash:
            stored.hash = proof.new_hash
        if rules.max_days and clock.now() - stored.changed_at >= timedelta(days=rules.max_days):
            restricted = "change_password"
    record(
        Actor(user_id=user.id, name=user.name, login=user.login, ip=ip),
        Action.LOG_IN,
        object_type="user",
        object_id=user.id,
        object_label=user.name,
        new={"method": proof.provider},
    )
    return user, restricted


def record_failed_log_in(login: str, *, ip: str = "", reason: str = "") -> None:
    """Write a failed log-in down. What was typed is kept only when it names an account: people type passwords there."""
    user = db.session.scalar(select(User).where(User.login == normal_login(login)[:64]))
    record(
        Actor(user_id=None, name="", ip=ip),
        Action.LOG_IN_FAILED,
        object_type="user",
        object_id=user.id if user else None,
        object_label=user.name if user else "",
        reason=reason,
        result="failed",
    )


def record_log_out(actor: Actor) -> None:
    """Write a log-out down."""
    record(actor, Action.LOG_OUT, object_type="user", object_id=actor.user_id, object_label=actor.name)


def record_confirmation(actor: Actor, *, ok: bool) -> None:
    """Write down that somebody proved again who he is, or failed to."""
    record(
        actor,
        Action.CONFIRM if ok else Action.CONFIRM_FAILED,
        object_type="user",
        object_id=actor.user_id,
        object_label=actor.name,
        result="ok" if ok else "failed",
    )


def context_words(user: User, rules: PasswordRules) -> list[str]:
    """What somebody would try first for this person."""
    words = [user.login, user.name, pinyin_full(user.name), *user.email.split("@")[:1], user.phone]
    words += [rules.organisation, pinyin_full(rules.organisation)]
    words += [word for text in (user.login, user.email, rules.organisation) for word in _pieces(text)]
    return [word for word in words if word]


def _pieces(text: str) -> list[str]:
    for separator in "@._-":
        text = text.replace(separator, " ")
    return [piece for piece in text.split() if len(piece) >= 3]


def change_password(data: ChangePasswordInput, rules: PasswordRules, actor: Actor) -> None:
    """A person chooses a new password. The present one was checked before. All other sessions of his end.

    :raises Invalid: for each rule that the new password breaks.
    """
    user = _user(actor.user_id)
    if data.password != data.repeated:
        raise Invalid([("repeated", _("The two entries differ."))])
    passwords.check_rules(data.password, context_words(user, rules), complexity=rules.complexity)
    stored = db.session.get(Password, user.id)
    if stored is not None and passwords.verify(stored.hash, data.password):
        raise Invalid([("password", _("Choose a password that differs from the present one."))])
    give_password(user.id, data.password)
    db.session.execute(delete(AuthSession).where(AuthSession.user_id == user.id, AuthSession.id != _session_id(actor)))
    record(actor, Action.PASSWORD_CHANGE, object_type="user", object_id=user.id, object_label=user.name)


def _session_id(actor: Actor) -> int:
    return int(actor.session_key or 0)


def give_password(
    user_id: int, password: str, *, must_change: bool = False, expires_at: datetime | None = None
) -> None:
    """Keep a password as a hash and make the local identity when it is missing. Checks no rules, writes no audit."""
    now = clock.now()
    stored = db.session.get(Password, user_id)
    if stored is None:
        stored = Password(user_id=user_id)
        db.session.add(stored)
    stored.hash = passwords.hash_password(password)
    stored.changed_at, stored.must_change, stored.expires_at = now, must_change, expires_at
    known = db.session.scalar(select(Identity.id).where(Identity.user_id == user_id, Identity.provider == LOCAL))
    if known is None:
        db.session.add(Identity(user_id=user_id, provider=LOCAL, subject=str(user_id), created_at=now))
    db.session.flush()


def issue_one_time_password(user_id: int, actor: Actor) -> str:
    """Give a person a one-time password; it is shown once and kept only as a hash. His sessions end.

    :raises NotFound: for an unknown person. :raises NotAllowed: for somebody who left, and without the permission.
    """
    if not actor.is_system:
        require(actor, MANAGE)
    user = _user(user_id)
    if not user.is_active:
        raise NotAllowed(_("This person has left; the account stays closed."))
    password = passwords.one_time_password()
    give_password(user.id, password, must_change=True, expires_at=clock.now() + ONE_TIME_LIFE)
    end_sessions_of(user.id)
    record(actor, Action.PASSWORD_RESET, object_type="user", object_id=user.id, object_label=user.name)
    return password


def end_sessions_of(user_id: int) -> int:
    """Delete all sessions of a person; returns how many. The caller writes the audit entry."""
    return rows_changed(db.session.execute(delete(AuthSession).where(AuthSession.user_id == user_id)))


def end_session(session_id: int, actor: Actor) -> None:
    """End one session: one's own, or anybody's with the permission.

    :raises NotFound: when there is none such for this actor.
    """
    found = db.session.get(AuthSession, session_id)
    if found is None or (found.user_id != actor.user_id and not can(actor, MANAGE)):
        raise NotFound()
    user = _user(found.user_id)
    db.session.delete(found)
    db.session.flush()
    record(
        actor, Action.SESSION_END, object_type="user", object_id=user.id, object_label=user.name, new={"sessions": 1}
    )


def end_other_sessions(actor: Actor) -> int:
    """End all of one's own sessions but the present one; returns how many."""
    others = delete(AuthSession).where(AuthSession.user_id == actor.user_id, AuthSession.id != _session_id(actor))
    ended = rows_changed(db.session.execute(others))
    if ended:
        record(
            actor,
            Action.SESSION_END,
            object_type="user",
            object_id=actor.user_id,
            object_label=actor.name,
            new={"sessions": ended},
        )
    return ended


def end_all_sessions(user_id: int, actor: Actor) -> int:
    """An administrator ends all sessions of a person; returns how many."""
    require(actor, MANAGE)
    user = _user(user_id)
    ended = end_sessions_of(user.id)
    record(
        actor,
        Action.SESSION_END,
        object_type="user",
        object_id=user.id,
        object_label=user.name,
        new={"sessions": ended},
    )
    return ended


def record_plugin_switch(name: str, enabled: bool, actor: Actor) -> None:
    """Write down that a plugin was switched on or off."""
    record(
        actor,
        Action.PLUGIN_SWITCH,
        object_type="plugin",
        object_id=None,
        object_label=name,
        old={"enabled": not enabled},
        new={"enabled": enabled},
    )


def _user(user_id: int | None) -> User:
    user = db.session.get(User, user_id) if user_id is not None else None
    if user is None:
        raise NotFound()
    return user
