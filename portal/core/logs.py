"""Lines of the log: what somebody typed begins no line of its own there, and values of rows stay in the database."""

from __future__ import annotations

import logging
import re
from types import TracebackType

FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
#: What follows the first line of a record stands behind this, so that it cannot be taken for a record.
FURTHER = "    | "
#: Control characters, the other line ends of Unicode, and marks that turn the direction of writing.
_HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
#: PostgreSQL repeats values of rows behind these words: "Key (phone)=(138…) already exists".
_VALUES = re.compile(r"^(\s*(?:DETAIL|CONTEXT|QUERY):).*$", re.MULTILINE)


def visible(text: str) -> str:
    """The text in one line, with every character that moves the cursor or hides others written as its number."""
    return _HIDDEN.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def without_values(text: str) -> str:
    """An error's text without the lines in which the database repeats what stands in a row."""
    return _VALUES.sub(r"\1 (left out)", text)


class PlainLines(logging.Formatter):
    """One line for each record; the lines of an error behind a mark."""

    def format(self, record: logging.LogRecord) -> str:
        """The whole record. What another handler made of its error before is not taken over."""
        record.exc_text = None
        try:
            return super().format(record)
        finally:
            record.exc_text = None

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The record's own line."""
        return visible(super().formatMessage(record))

    def formatException(
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        """Where it happened, marked line by line."""
        return _marked(without_values(super().formatException(ei)))

    def formatStack(self, stack_info: str) -> str:
        """Likewise for a stack that was asked for."""
        return _marked(stack_info)


def _marked(text: str) -> str:
    return "\n".join(FURTHER + visible(line) for line in text.split("\n"))


def init_logging() -> None:
    """Log to standard error from INFO on, unless the process that runs us (a test) logs already."""
    handler = logging.StreamHandler()
    handler.setFormatter(PlainLines(FORMAT))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
