"""Forms of manuals: shape and format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_wtf.file import FileField, FileRequired
from wtforms import (
    BooleanField,
    HiddenField,
    SelectMultipleField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Optional

from plugins.sop.manuals import vocabulary as words
from plugins.sop.manuals.drafting import ManualInput
from plugins.sop.manuals.inputs import ProcedureInput, StepInput
from plugins.sop.manuals.models import RACI, RELATIONS
from plugins.sop.manuals.reviewing import SubmitInput
from portal.core.forms import (
    GIVEN,
    ChoiceField,
    DayField,
    Form,
    LongText,
    NumberField,
    OptionField,
    TextField,
    at_most,
    between,
    new_token,
    options,
)
from portal.core.numbers import id_from, whole_from
from portal.i18n import LANGUAGES, _l


class ManualForm(Form):
    """What is said about a manual."""

    code = TextField(_l("Code"), validators=[InputRequired(_l("A manual needs a code.")), at_most(30)])
    title = TextField(_l("Title"), validators=[InputRequired(_l("A manual needs a title.")), at_most(200)])
    language = ChoiceField(_l("Language of the manual"), choices=options(LANGUAGES))
    company = TextField(_l("Company on the cover"), validators=[at_most(200)])
    department_id = ChoiceField(_l("Department that keeps it"), coerce=id_from)
    classification = OptionField(_l("Who may read it"), choices=options(words.CLASSIFICATIONS))
    review_months = NumberField(
        _l("Look through again after (months)"), default=12, validators=[GIVEN, between(1, 120)]
    )
    with_template = BooleanField(_l("Begin with the seven chapters of the template"), default=True)

    def to_input(self) -> ManualInput:
        """The service's input."""
        return ManualInput(
            code=self.code.data,
            title=self.title.data,
            language=self.language.data,
            department_id=self.department_id.data,
            classification=self.classification.data,
            company=self.company.data or "",
            review_months=self.review_months.data,
            with_template=self.with_template.data,
        )


class EditorsForm(Form):
    """Who writes a manual."""

    editors = SelectMultipleField(_l("Writers"), coerce=id_from)


class ChapterForm(Form):
    """A chapter."""

    title = TextField(_l("Title"), validators=[InputRequired(_l("A chapter needs a title.")), at_most(200)])
    body = TextAreaField(_l("Text in Markdown"))
    seen = HiddenField()


class NewProcedureForm(Form):
    """A new, empty procedure."""

    code = TextField(_l("Code"), validators=[InputRequired(_l("A procedure needs a code.")), at_most(30)])
    title = TextField(_l("Title"), validators=[InputRequired(_l("A procedure needs a title.")), at_most(200)])
    chapter = ChoiceField(_l("Chapter"))


class AttachForm(Form):
    """A form to be attached to a procedure."""

    file = FileField(_l("File"), validators=[FileRequired(_l("Choose a file."))])
    form_code = TextField(_l("Number of the form"), validators=[at_most(40)])
    form_title = TextField(_l("Title of the form"), validators=[at_most(200)])


class SubmitForm(Form):
    """A draft on its way to the heads."""

    change = OptionField(_l("Kind of revision"))
    summary = LongText(
        _l("What changed and why"),
        validators=[InputRequired(_l("Say what changed and why.")), at_most(2000)],
    )
    wanted_from = DayField(_l("Effective from"), validators=[Optional()])
    departments = SelectMultipleField(_l("Further departments that sign"), coerce=id_from)
    token = HiddenField()

    def to_input(self) -> SubmitInput:
        """The service's input."""
        return SubmitInput(
            summary=self.summary.data or "",
            is_major=self.change.data == "major",
            token=self.token.data or new_token(),
            wanted_from=self.wanted_from.data,
            departments=tuple(self.departments.data or ()),
        )


class RetireForm(Form):
    """The end of a manual."""

    on = DayField(_l("Retired from"), validators=[InputRequired(_l("Choose a day."))])
    reason = LongText(_l("Reason"), validators=[InputRequired(_l("Give a reason.")), at_most(500)])
    token = HiddenField()


class NoteForm(Form):
    """A note on a look-through."""

    note = LongText(_l("What was looked at"), validators=[InputRequired(_l("Say what was looked at.")), at_most(2000)])


def read_procedure(form: Mapping[str, Any], related_by_code: Mapping[str, int]) -> tuple[ProcedureInput, list[str]]:
    """A procedure out of the posted fields, and the codes of related procedures that nobody has.

    Steps are numbered fields ("step-0-what"); their number is `steps`. What does not fit its shape is handed on as is
    or left out: the service says what is wrong.
    """
    get = form.get
    count = min(whole_from(get("steps", "0")) or 0, 200)
    steps = []
    for index in range(count):
        prefix = f"step-{index}-"
        if prefix + "what" not in form:
            continue
        amount_text = (get(prefix + "amount") or "").strip()
        amount = whole_from(amount_text)
        steps.append(
            StepInput(
                key=(get(prefix + "key") or "")[:12],
                who=_line(get(prefix + "who")),
                what=_text(get(prefix + "what")),
                record=_line(get(prefix + "record")),
                # Not a number: kept out of range, so that the service complains instead of forgetting it.
                limit_amount=(amount if amount is not None else -1) if amount_text else None,
                limit_unit=get(prefix + "unit") or "" if amount_text else "",
                limit_text=_line(get(prefix + "words")),
                standard=_text(get(prefix + "standard")),
                is_check=bool(get(prefix + "check")),
                is_stop=bool(get(prefix + "stop")),
            )
        )
    departments = []
    for name in form:
        if name.startswith("department-") and (key := id_from(name.removeprefix("department-"))) is not None:
            chosen = form.getlist(name)  # type: ignore[attr-defined]
            letters = "".join(letter for letter in RACI if letter in chosen)
            if letters:
                departments.append((key, letters))
    related: dict[int, str] = {}
    unknown = []
    for kind in RELATIONS:
        for code in (get(f"related-{kind}") or "").replace("，", ",").replace("、", ",").split(","):
            if not code.strip():
                continue
            found = related_by_code.get(code.strip().casefold())
            if found is None:
                unknown.append(code.strip()[:40])
            else:
                related.setdefault(found, kind)
    return (
        ProcedureInput(
            title=_line(get("title")),
            seen=get("seen") or "",
            code=_line(get("code")),
            trigger=_text(get("trigger")),
            purpose=_text(get("purpose")),
            records=_text(get("records")),
            measures=_text(get("measures")),
            departments=tuple(sorted(departments)),
            roles=tuple(form.getlist("roles")),  # type: ignore[attr-defined]
            related=tuple(sorted(related.items())),
            steps=tuple(steps),
            autosaved=get("do") == "autosave",
        ),
        unknown,
    )


def _text(value: str | None) -> str:
    return (value or "").replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").strip()


def _line(value: str | None) -> str:
    return " ".join(_text(value).split())
