"""What somebody typed into a form whose session was over is not lost: it travels, signed, through the log-in page."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app, request
from itsdangerous import BadSignature, URLSafeTimedSerializer

from portal.core.web import safe_next

#: More than that is not carried along.
MAXIMUM_BYTES = 200_000
#: Names of fields that are never carried: they would stand in the page's source.
SECRET_WORDS = ("password", "csrf_token", "secret", "answer", "repeated", "present")
LIFE_SECONDS = 3600


@dataclass(frozen=True)
class Kept:
    """A form that could not be accepted.

    :ivar path: where it was going. :ivar fields: (name, value) pairs. :ivar files: whether files were lost.
    """

    path: str
    fields: tuple[tuple[str, str], ...]
    files: bool


def _serializer() -> URLSafeTimedSerializer:
    keys = [*current_app.config["SECRET_KEY_FALLBACKS"], current_app.config["SECRET_KEY"]]
    return URLSafeTimedSerializer(keys, salt="portal-kept-form")


def keep_request() -> str:
    """The present request's form as a signed text; "" when there is nothing to keep or it is too large."""
    fields = [
        (name, value)
        for name, values in request.form.lists()
        if not any(word in name.lower() for word in SECRET_WORDS)
        for value in values
    ]
    if not fields or sum(len(name) + len(value) for name, value in fields) > MAXIMUM_BYTES:
        return ""
    return str(_serializer().dumps([request.full_path.rstrip("?"), fields, bool(request.files)]))


def read(signed: str | None) -> Kept | None:
    """The form behind a signed text; None when it was changed or is older than an hour."""
    if not signed:
        return None
    try:
        path, fields, files = _serializer().loads(signed, max_age=LIFE_SECONDS)
    except BadSignature:
        return None
    return Kept(safe_next(path, "/"), tuple((str(name), str(value)) for name, value in fields), bool(files))
