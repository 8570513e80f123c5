"""Fields of forms: people and departments."""

from __future__ import annotations

from typing import Any

from wtforms import SelectField

from portal.core.forms import IdField, options
from portal.core.numbers import id_from
from portal.i18n import _
from portal.org import queries


class PersonField(IdField):
    """Somebody who works here; without script a log-in name, or a name that only one person has."""

    picks = "org.pick_user"

    def name_of(self, value: int) -> str:
        """The name."""
        return queries.names_of([value]).get(value, "")

    def find(self, text: str) -> int | None:
        """By log-in name or name."""
        return queries.find_user(text)

    def refusal(self) -> str:
        """Nobody is meant, or more than one."""
        return _("Nobody, or more than one, is called that. Choose from the list or type the log-in name.")


class DepartmentField(SelectField):
    """An open department, indented as in the tree."""

    data: int | None

    def __init__(self, label: Any = None, *, empty: Any = None, **arguments: Any) -> None:
        super().__init__(label, coerce=id_from, validate_choice=False, **arguments)
        self.empty = empty

    def offer(self, departments: list[tuple[int, str]]) -> None:
        """Set the choices; a department that is closed or moved away meanwhile stays choosable when it is the value."""
        rows = list(departments)
        if self.data and self.data not in {number for number, _name in departments}:
            name = queries.department_names([self.data]).get(self.data)
            if name:
                rows.append((self.data, name))
        self.choices = options(rows, self.empty)
