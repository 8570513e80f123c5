"""Response headers that protect every page (security statements 28–30), and refusal of cross-site writes."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, request

_log = logging.getLogger(__name__)

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; "
    "form-action 'self'"
)


def init_app(app: Flask) -> None:
    """Attach the checks and headers."""
    app.before_request(refuse_cross_site_writes)
    app.after_request(add_headers)


def refuse_cross_site_writes() -> None:
    """A write must come from a page of our own; the CSRF token is checked besides."""
    if request.method in SAFE_METHODS:
        return
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        abort(403)
    origin = request.headers.get("Origin")
    if origin and (origin == "null" or urlsplit(origin).netloc != request.host):
        # Behind a proxy that hands on a wrong name or port this is every form: the log has to say it.
        _log.warning("write refused: it comes from %r, and the portal is asked as %r", origin[:200], request.host)
        abort(403)


def add_headers(response: Response) -> Response:
    """Add security headers; pages are never cached, files with a digest in their URL for ever."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", POLICY)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    # The policy says it to present browsers; this to those that do not read it.
    headers.setdefault("X-Frame-Options", "DENY")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    if current_app.config["HTTPS"]:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if "portal_asset" not in response.__dict__ and not _is_static():
        headers["Cache-Control"] = "no-store"
    return response


def _is_static() -> bool:
    return bool(request.endpoint and request.endpoint.rsplit(".", 1)[-1] == "static")
