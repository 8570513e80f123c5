"""Checks of single values that several services share. Each notes its message and returns the normal form."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from enum import StrEnum
from urllib.parse import urlsplit

from portal.core import clock
from portal.core.coded import CodedError
from portal.core.errors import ErrorList
from portal.core.identifiers import Phone, normalise_phone
from portal.core.text import clean_name, clean_text, has_forbidden_characters, mixed_word
from portal.i18n import _

FIRST_DAY = date(1900, 1, 1)
LAST_DAY = date(2100, 12, 31)
#: Longest text of several lines.
TEXT_LIMIT = 5000


def coded(error: CodedError) -> str:
    """The message of an error of the core's pure modules, in the reader's language."""
    return str(_(error.message, **error.params)) if error.params else str(_(error.message))


class Checker:
    """Checks values one after the other and gathers what is wrong with them."""

    def __init__(self) -> None:
        self.errors = ErrorList()

    def add(self, field: str, message: object) -> None:
        """Note one error."""
        self.errors.add(field, message)

    def done(self) -> None:
        """Raise `Invalid` when anything was noted."""
        self.errors.raise_if_any()

    def line(self, field: str, value: str, limit: int, required: str | None = None) -> str:
        """One line of text. `required`: the message when it is empty."""
        if len(value) > limit:
            self.add(field, _("At most %(limit)s characters; this has %(length)s.", limit=limit, length=len(value)))
            return value[:limit]
        if has_forbidden_characters(value):
            self.add(field, _("Control characters and invisible characters are not allowed here."))
            return ""
        cleaned = clean_name(value)
        if not cleaned and required is not None:
            self.add(field, required)
        return cleaned

    def name(self, field: str, value: str, limit: int, required: str | None = None, kept: bool = False) -> str:
        """A name by which something is told apart: one line, whose words do not mix alphabets that look alike.

        :param kept: it stands like that already: it is not asked for anew.
        """
        cleaned = self.line(field, value, limit, required)
        mixed = "" if kept else mixed_word(cleaned)
        if mixed:
            self.add(
                field,
                _(
                    "“%(word)s” mixes letters of two alphabets that look alike. Type it anew with one keyboard.",
                    word=mixed,
                ),
            )
        return cleaned

    def text(self, field: str, value: str, limit: int = TEXT_LIMIT, required: str | None = None) -> str:
        """Text of several lines."""
        if len(value) > limit:
            self.add(field, _("At most %(limit)s characters; this has %(length)s.", limit=limit, length=len(value)))
            return value[:limit]
        cleaned = clean_text(value)
        if not cleaned and required is not None:
            self.add(field, required)
        return cleaned

    def choice(self, field: str, value: str, enumeration: type[StrEnum], blank: bool = True) -> str:
        """A stored value of an enumeration; `blank` allows ""."""
        if value == "" and blank:
            return ""
        if value not in {member.value for member in enumeration}:
            self.add(field, _("Choose one of the list."))
            return ""
        return value

    def identifier(self, field: str, value: str, normalise: Callable[[str], str]) -> str:
        """An optional identifier in its normal form (portal.core.identifiers)."""
        if not value.strip():
            return ""
        try:
            return normalise(value)
        except CodedError as error:
            self.add(field, coded(error))
            return ""

    def phone(self, field: str, value: str) -> Phone | None:
        """An optional phone number."""
        if not value.strip():
            return None
        try:
            return normalise_phone(value)
        except CodedError as error:
            self.add(field, coded(error))
            return None

    def day(self, field: str, value: date | None, not_after_today: bool = False) -> date | None:
        """An optional day between 1900 and 2100."""
        if value is None:
            return None
        if not FIRST_DAY <= value <= LAST_DAY:
            self.add(field, _("The date must be between 1900 and 2100."))
            return None
        if not_after_today and value > clock.today():
            self.add(field, _("The date must not be in the future."))
            return None
        return value

    def website(self, field: str, value: str) -> str:
        """An optional address of a website; http or https, "https://" is added when the scheme is missing."""
        address = self.line(field, value, 200)
        if not address:
            return ""
        if "://" not in address:
            address = f"https://{address}"
        try:
            parts = urlsplit(address)
            host = parts.hostname or ""
        except ValueError:
            host, parts = "", None
        if (
            parts is None
            or parts.scheme not in {"http", "https"}
            or "." not in host
            or " " in address
            or parts.username
        ):
            self.add(field, _("Enter the address of a website, such as www.example.com."))
            return ""
        return address[:200]
