"""The catalogue of the present language, looked up once per request and not once per word.

Flask-Babel finds language and catalogue anew for every message, through several proxies; on a list of fifty rows that
took a third of the page's time. It still chooses the language and loads the files; only the result is kept here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from gettext import NullTranslations
from typing import Any

import flask_babel
from flask import Flask, appcontext_popped, appcontext_pushed, has_app_context
from flask_babel.speaklater import LazyString
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

_active: ContextVar[tuple[NullTranslations, str] | None] = ContextVar("portal_catalogue", default=None)
_NONE = NullTranslations()


def init_app(app: Flask) -> None:
    """Forget the catalogue whenever a context begins or ends; make templates use these functions."""
    appcontext_pushed.connect(_forget, app)
    appcontext_popped.connect(_forget, app)
    install = app.jinja_env.install_gettext_callables  # type: ignore[attr-defined]
    install(_template_gettext, _template_ngettext, newstyle=False)


def _forget(_app: Flask, **_more: Any) -> None:
    _active.set(None)


def refresh() -> None:
    """Choose the language again: the person became known, or changed it."""
    flask_babel.refresh()
    _active.set(None)


def _current() -> tuple[NullTranslations, str]:
    found = _active.get()
    if found is None:
        if not has_app_context():
            return _NONE, ""
        found = (flask_babel.get_translations(), str(flask_babel.get_locale() or ""))
        _active.set(found)
    return found


def current_language() -> str:
    """Code of the present language ("zh_Hans_CN"); "" outside an application context."""
    return _current()[1]


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Use another language for a while: for documents and mail in the reader's language."""
    before = _active.get()
    with flask_babel.force_locale(code):
        _active.set(None)
        try:
            yield
        finally:
            _active.set(before)


def gettext(message: str, /, **values: Any) -> str:
    """The message in the present language, its named placeholders filled."""
    text: str = _current()[0].gettext(message)
    return text % values if values else text


def ngettext(singular: str, plural: str, number: int, /, **values: Any) -> str:
    """The same with a number; `%(num)s` is filled with it."""
    text: str = _current()[0].ngettext(singular, plural, number)
    return text % ({"num": number} | values)


@pass_context
def _template_gettext(context: Context, message: str, /, **values: Any) -> str:
    """`_()` in templates. Jinja's own fills placeholders even when there are none, so that a bare % in a translation
    breaks the page; a message without values is shown as it is."""
    text = _current()[0].gettext(message)
    return _safe(context, text) % values if values else _safe(context, text.replace("%%", "%"))


@pass_context
def _template_ngettext(context: Context, singular: str, plural: str, number: int, /, **values: Any) -> str:
    """`ngettext()` in templates."""
    text = _safe(context, _current()[0].ngettext(singular, plural, number))
    return text % ({"num": number} | values)


def _safe(context: Context, text: str) -> str:
    """Translations are ours, what is filled in is not: with Markup the values are escaped and the text is not."""
    return Markup(text) if context.eval_ctx.autoescape else text


def lazy_gettext(message: str, /, **values: Any) -> LazyString:
    """A message that is translated when it is shown: for class bodies and registered definitions."""
    return LazyString(gettext, message, **values)
