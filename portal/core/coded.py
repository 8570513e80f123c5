"""Errors with a stable code, for the pure modules of the core (text, money, calendar, identifiers, spreadsheets).

The core knows no language: a module keeps a dictionary `MESSAGES` (code → English source sentence, marked with `N_`
for the message catalogue); forms and services translate: `_(MESSAGES[error.code]) % error.params`.
"""

from __future__ import annotations

from collections.abc import Mapping


def N_(message: str) -> str:
    """Mark a sentence for translation without translating it; returns it unchanged."""
    return message


class CodedError(ValueError):
    """A value that cannot be accepted.

    `code` is stable ("credit_code.check_digit"); `params` fill the placeholders of the message; `message` is the
    English sentence with its placeholders still open (the key of the catalogue); `str(error)` is the English sentence
    filled in.
    """

    messages: Mapping[str, str] = {}

    def __init__(self, code: str, **params: object) -> None:
        self.code = code
        self.params = params
        self.message = self.messages[code]
        super().__init__(self.message % params if params else self.message)

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.code, self.params))


def _rebuild(kind: type[CodedError], code: str, params: dict[str, object]) -> CodedError:
    return kind(code, **params)
