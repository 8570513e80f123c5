"""Texts inside patterns of SQL's LIKE, for statements that are built once and get the text as a parameter."""

from __future__ import annotations

#: The escape character of such statements, the same that SQLAlchemy's `autoescape` uses.
LIKE_ESCAPE = "/"


def like_literal(text: str) -> str:
    """The text with every character that LIKE gives a meaning escaped by `LIKE_ESCAPE`."""
    for character in (LIKE_ESCAPE, "%", "_"):
        text = text.replace(character, LIKE_ESCAPE + character)
    return text
