"""Which language and zone a request is answered in."""

from __future__ import annotations

from flask import current_app, g, has_request_context, request

from portal.i18n import LANGUAGE_CODES

COOKIE = "portal_language"


def select_language() -> str:
    """The person's choice, else the browser's cookie, else the default. Jobs set `g.language` themselves."""
    chosen = g.get("language") or ""
    if not chosen and has_request_context():
        actor = g.get("actor")
        chosen = (actor.language if actor else "") or request.cookies.get(COOKIE, "")
    return chosen if chosen in LANGUAGE_CODES else current_app.config["DEFAULT_LANGUAGE"]


def select_timezone() -> str:
    """The organisation's zone."""
    return str(current_app.config["TIMEZONE"])
