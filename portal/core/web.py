"""What every view uses: access declarations, links that come back, plain helpers. Knows no domain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from flask import Flask, abort, request
from werkzeug.routing import IntegerConverter

View = TypeVar("View", bound=Callable[..., Any])

#: Attribute that carries a view's access declaration: "public", "signed_in" or the name of a permission.
ACCESS = "portal_access"


def public(view: View) -> View:
    """Declare that a view needs no log-in."""
    setattr(view, ACCESS, "public")
    return view


def signed_in(view: View) -> View:
    """Declare that a view is for everybody who is signed in (it checks objects itself)."""
    setattr(view, ACCESS, "signed_in")
    return view


def access(permission: str) -> Callable[[View], View]:
    """Declare that a view needs a permission without entity; checked before the view runs."""

    def mark(view: View) -> View:
        setattr(view, ACCESS, permission)
        return view

    return mark


def declared_access(app: Flask, endpoint: str | None) -> str | None:
    """What the view of an endpoint declares; None when it declares nothing (such views answer nobody)."""
    view = app.view_functions.get(endpoint or "")
    if view is None:
        return None
    return getattr(view, ACCESS, None) or getattr(getattr(view, "view_class", None), ACCESS, None)


def safe_next(target: str | None, fallback: str) -> str:
    """A return address, accepted only when it is a path of our own (security statement 31)."""
    if not target:
        return fallback
    cleaned = target.strip()
    if not cleaned.startswith("/") or cleaned.startswith(("//", "/\\")) or "\\" in cleaned:
        return fallback
    if any(ord(character) < 32 for character in cleaned):
        return fallback
    parts = urlsplit(cleaned)
    return fallback if parts.scheme or parts.netloc else cleaned


def next_url(fallback: str) -> str:
    """Where to go after a form: the `next` parameter when it is safe."""
    return safe_next(request.values.get("next"), fallback)


def back_with_choice(fallback: str, value: int, text: str) -> str:
    """Where to go after something was created for a picker: to its form (`next`), with the choice made in `picker`."""
    target, field = safe_next(request.args.get("next"), ""), request.args.get("picker", "")
    if not target or not field:
        return fallback
    chosen = urlencode({"picked": field[:100], "picked_value": value, "picked_text": text})
    return f"{target}{'&' if '?' in target else '?'}{chosen}"


def int_argument(name: str, default: int, minimum: int, maximum: int) -> int:
    """A whole number of the query string within bounds; anything else is the default."""
    try:
        value = int(request.args.get(name, ""))
    except ValueError:
        return default
    return value if minimum <= value <= maximum else default


class NumberConverter(IntegerConverter):
    """Numbers in addresses: one that no database column can hold is an address that does not exist."""

    regex = r"\d{1,18}"


def refuse_large_id(value: int) -> int:
    """Path ids above what the database can hold answer 404 instead of an error."""
    if value > 2**62:
        abort(404)
    return value
