"""Browsers in which an account has logged in before. The cookie proves nothing but that; see `portal.auth.throttle`."""

from __future__ import annotations

import secrets

from flask import Response, current_app, request
from itsdangerous import BadSignature, URLSafeTimedSerializer

from portal.auth.throttle import normal_login

LIFE_SECONDS = 180 * 24 * 3600


def _name() -> str:
    return "__Host-portal-device" if current_app.config["HTTPS"] else "portal-device"


def _serializer() -> URLSafeTimedSerializer:
    keys = [*current_app.config["SECRET_KEY_FALLBACKS"], current_app.config["SECRET_KEY"]]
    return URLSafeTimedSerializer(keys, salt="portal-known-device")


def known_device(login: str) -> str:
    """Number of this browser if the account has logged in here before, else ""."""
    try:
        account, number = _serializer().loads(request.cookies.get(_name(), ""), max_age=LIFE_SECONDS)
    except (BadSignature, ValueError, TypeError):
        return ""
    return str(number) if account == normal_login(login) else ""


def remember_device(response: Response, login: str) -> None:
    """Note that the account has logged in here; each log-in gives the browser a new number."""
    response.set_cookie(
        _name(),
        str(_serializer().dumps([normal_login(login), secrets.token_hex(16)])),
        max_age=LIFE_SECONDS,
        path="/",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )
