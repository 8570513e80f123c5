"""Forms of reading: shape and format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugins.sop.manuals import vocabulary as words
from plugins.sop.manuals.models import EVERYBODY
from plugins.sop.reading.models import ALL_STAFF, DEPARTMENT, ROLE
from plugins.sop.reading.services import QUESTIONS, QuestionInput, RuleInput
from portal.core.forms import GIVEN, ChoiceField, Form, NumberField, OptionField, between, options
from portal.core.numbers import id_from, whole_from
from portal.core.text import clean_name
from portal.i18n import _l

QUESTION_FIELDS = QUESTIONS
ANSWERS = 4


class RuleForm(Form):
    """Who must read a manual."""

    audience = OptionField(
        _l("Who must read it"),
        choices=options(
            [
                (ALL_STAFF, _l("Everybody in the company")),
                (DEPARTMENT, _l("A department with all below it")),
                (ROLE, _l("Holders of a role")),
            ]
        ),
        default=ALL_STAFF,
    )
    department_id = ChoiceField(_l("Department"), coerce=id_from)
    role = ChoiceField(
        _l("Role"), choices=options(((role, word) for role, word in words.ROLES.items() if role != EVERYBODY), "—")
    )
    due_days = NumberField(_l("Days for reading"), default=14, validators=[GIVEN, between(1, 365)])

    def to_input(self) -> RuleInput:
        """The service's input."""
        return RuleInput(
            audience=self.audience.data,
            due_days=self.due_days.data,
            department_id=self.department_id.data,
            role=self.role.data or "",
        )


def read_questions(form: Mapping[str, Any]) -> list[QuestionInput]:
    """Questions out of the posted fields; those that were left empty altogether are left out."""
    found = []
    for number in range(QUESTION_FIELDS):
        question = clean_name(form.get(f"question-{number}", ""))
        typed = [clean_name(form.get(f"answer-{number}-{index}", "")) for index in range(ANSWERS)]
        chosen = form.get(f"correct-{number}", "")
        if not question and not any(typed):
            continue
        # Empty answers are left out, so the number of the right one counts among those that stay.
        right = whole_from(chosen, 1)
        kept = [index for index, answer in enumerate(typed) if answer]
        answers = tuple(typed[index] for index in kept)
        found.append(QuestionInput(question, answers, kept.index(right) if right in kept else -1))
    return found
