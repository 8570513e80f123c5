"""What stands before every view: who is it, may he open this page. Nothing is open that does not say so."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask, Request, current_app, g, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import Forbidden

from portal.auth import passwords, sessions
from portal.auth.people import SignedIn
from portal.auth.refusals import record_refusal
from portal.auth.uploads import count_uploads
from portal.auth.views import show_confirmation, show_log_in
from portal.core import clock
from portal.core.checks import LIBRARY_ENDPOINTS
from portal.core.permissions import registry, require
from portal.core.web import declared_access
from portal.extensions import csrf, login_manager
from portal.i18n import _, refresh
from portal.org.actor import Actor, authority_of

#: Files that are the same for everybody: no session is read for them.
FILES = LIBRARY_ENDPOINTS | {"asset"}
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: What is open to somebody who must choose a new password first.
OPEN_WHILE_RESTRICTED = frozenset({"auth.change_password", "auth.logout", "home.set_language", "home.set_theme"})
#: Pages about administration want a password not older than this.
CONFIRMATION_HOLDS = timedelta(minutes=15)


def init_app(app: Flask) -> None:
    """Attach sessions, the log-in manager and the check before each request."""
    sessions.check_limits(app)
    if app.testing and app.config.get("ARGON2_FAST"):
        passwords.use_fast_hashes()
    app.session_interface = sessions.ServerSessions()
    # The guard checks the token itself, after the session: an ended session then leads to the log-in page with what
    # was typed, not to an error about a token.
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    login_manager.session_protection = None
    login_manager.request_loader(load_current_user)
    app.extensions["portal_refusal_recorder"] = record_refusal
    app.before_request(guard_request)


def load_current_user(_request: Request) -> SignedIn | None:
    """Flask-Login's `current_user` is the same person as `g.actor`."""
    actor = g.get("actor")
    return SignedIn(actor) if isinstance(actor, Actor) else None


def guard_request() -> ResponseReturnValue | None:
    """Load the actor, then let the request through, or answer it here."""
    if request.endpoint in FILES:
        return None
    if "actor" in g:
        _forget_earlier_request()
    record = sessions.current_session().load()
    g.actor = None if record is None else _actor(record)
    if request.endpoint is None:
        return None  # an unknown address or method: Flask answers
    declared = declared_access(current_app, request.endpoint)
    if declared is None:
        raise Forbidden()
    if declared != "public":
        if record is None:
            return ask_for_log_in()
        if record.restricted and request.endpoint not in OPEN_WHILE_RESTRICTED:
            return _ask_for_new_password()
    if current_app.config["WTF_CSRF_ENABLED"]:
        csrf.protect()
    if g.actor is not None and request.method not in SAFE_METHODS:
        count_uploads(request, g.actor)
    if declared not in {"public", "signed_in"}:
        require(g.actor, declared)
        if registry().permissions[declared].step_up and not recently_confirmed():
            return ask_for_confirmation()
    return None


def _forget_earlier_request() -> None:
    """Where several requests share one application context (tests, scripts), libraries remember the first one."""
    for name in ("actor", "_login_user", "csrf_token", "csrf_valid", "menu_counts", "refusal_recorded"):
        g.pop(name, None)
    refresh()


def _actor(record: sessions.Record) -> Actor:
    authority = authority_of(record.user_id)
    digest = sessions.authority_digest(authority)
    if record.authority != digest:
        _renew_session(digest)
    sessions.touch(record)
    return Actor(
        user_id=record.user_id,
        name=record.name,
        login=record.login,
        department_id=record.department_id,
        roles=authority.roles,
        headed=authority.headed,
        oversees=authority.oversees,
        person_key=record.person_key,
        language=record.language,
        theme=record.theme,
        ip=request.remote_addr or "",
        session_key=str(record.id),
    )


def _renew_session(digest: str) -> None:
    """Other rights than before: the session gets a new id."""
    with sessions.own_transaction() as connection:
        sessions.renew(connection, authority=digest)


def recently_confirmed() -> bool:
    """Whether the person proved who he is within the last quarter of an hour."""
    record = sessions.current_session().load()
    return record is not None and clock.now() - record.confirmed_at < CONFIRMATION_HOLDS


def wants_json() -> bool:
    """Whether the answer goes to a script."""
    return request.is_json or (
        request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"
    )


def ask_for_log_in() -> ResponseReturnValue:
    """A visitor on a page that is not public."""
    if wants_json():
        return jsonify(error=401, message=_("Please log in."), url=url_for("auth.login")), 401
    if request.method in SAFE_METHODS:
        target = request.full_path.rstrip("?")
        return redirect(url_for("auth.login", next=None if target == "/" else target))
    return show_log_in()


def ask_for_confirmation() -> ResponseReturnValue:
    """An administrator whose password was entered too long ago."""
    if wants_json():
        return jsonify(error=403, message=_("Please enter your password again."), url=url_for("auth.confirm")), 403
    if request.method in SAFE_METHODS:
        return redirect(url_for("auth.confirm", next=request.full_path.rstrip("?")))
    return show_confirmation()


def _ask_for_new_password() -> ResponseReturnValue:
    if wants_json():
        return jsonify(error=403, message=_("Please choose a new password first.")), 403
    return redirect(url_for("auth.change_password"))
