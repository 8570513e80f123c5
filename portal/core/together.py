"""Small questions of several modules, asked of the database in one statement.

A page asks many single values: numbers in the menu, beside tabs, for badges. Each is answered in microseconds; what
costs is sending it. Whoever offers such a value offers its question, and the page asks all of them together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, select

from portal.extensions import db


@dataclass(frozen=True)
class Question:
    """One value.

    :ivar statement: selects one column of at most one row; built once where possible (`@cache`).
    :ivar parameters: of the statement; a name that another question uses, too, must have the same value.
    """

    statement: Select[Any]
    parameters: Mapping[str, Any] = field(default_factory=dict)


def any_of(entity: Any, *conditions: ColumnElement[bool]) -> Select[bool]:
    """For `Question.statement`: whether there is a row of the entity that meets the conditions."""
    return select(exists().select_from(entity).where(*conditions))


def ask(questions: Mapping[str, Question]) -> dict[str, Any]:
    """name → value (None for no row), with one statement.

    :raises ValueError: when two questions give one parameter two values.
    """
    if not questions:
        return {}
    parameters: dict[str, Any] = {}
    for question in questions.values():
        for name, value in question.parameters.items():
            if parameters.setdefault(name, value) != value:
                raise ValueError(f"two questions asked together differ in the parameter {name!r}")
    row = db.session.execute(_together(tuple(question.statement for question in questions.values())), parameters).one()
    return dict(zip(questions, row, strict=True))


@lru_cache(maxsize=64)
def _together(statements: tuple[Select[Any], ...]) -> Select[Any]:
    return select(*(statement.scalar_subquery().label(f"v{at}") for at, statement in enumerate(statements)))
