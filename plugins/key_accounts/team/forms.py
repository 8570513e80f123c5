"""Forms of teams: shape and format."""

from __future__ import annotations

from wtforms.validators import Optional

from plugins.key_accounts.team import vocabulary as words
from plugins.key_accounts.team.services import MemberInput, TeamInput
from portal.core.forms import (
    GIVEN,
    ChoiceField,
    DayField,
    Form,
    LongText,
    TextField,
    VersionedForm,
    at_most,
    options,
)
from portal.i18n import _l
from portal.org.fields import PersonField


class MemberForm(Form):
    """Somebody's part in a team."""

    user_id = PersonField(_l("Person"), [GIVEN])
    role = ChoiceField(_l("Part in the team"), choices=options(words.ROLES))
    task = TextField(_l("Task"), [at_most(300)])
    valid_from = DayField(_l("First day"), [GIVEN])
    valid_until = DayField(_l("Last day"), [GIVEN])

    def to_input(self) -> MemberInput:
        """The service's input."""
        return MemberInput(
            self.user_id.data if "user_id" in self else None,
            self.role.data,
            self.valid_from.data,
            self.valid_until.data,
            self.task.data or "",
        )


class TeamForm(VersionedForm):
    """Sponsor and complaint contact."""

    sponsor_id = PersonField(_l("Executive sponsor"), description=_l("An executive or a head of department."))
    complaint_id = PersonField(
        _l("Where the customer complains"), description=_l("Somebody other than the account manager.")
    )
    told_on = DayField(_l("The customer was told on"), [Optional()])
    told_how = TextField(_l("How the customer was told"), [at_most(200)], description=_l("In a letter, at a visit …"))

    def to_input(self) -> TeamInput:
        """The service's input."""
        return TeamInput(self.sponsor_id.data, self.complaint_id.data, self.told_on.data, self.told_how.data or "")


class PhaseForm(Form):
    """The phase of the relationship."""

    phase = ChoiceField(_l("Phase"), choices=options(words.PHASES))
    focus = LongText(_l("Focus"), [at_most(1000)], description=_l("What this phase asks of us with this customer."))
    balance = LongText(
        _l("Mutual benefit"),
        [at_most(1000)],
        description=_l("What we buy from them, and how the give and take balances."),
    )


class ChannelForm(Form):
    """A line between one of ours and one of theirs."""

    level = ChoiceField(_l("Level of the channel"), choices=options(words.LEVELS))
    user_id = PersonField(_l("Ours"), [GIVEN])
    contact_id = ChoiceField(_l("Theirs"))
    topic = TextField(_l("Matters it is for"), [at_most(200)])


class SkillsForm(Form):
    """Skills of a person, one a line."""

    teaches = LongText(
        _l("Teaches it"), [at_most(2000)], description=_l("One skill a line, with a remark after a colon if you like.")
    )
    does = LongText(_l("Does it"), [at_most(2000)])
    knows = LongText(_l("Knows it"), [at_most(2000)])

    FIELDS = ((3, "teaches"), (2, "does"), (1, "knows"))

    def to_input(self) -> list[tuple[str, int, str]]:
        """(skill, grade, note)."""
        found = []
        for grade, name in self.FIELDS:
            for line in (self[name].data or "").replace("\uff1a", ":").splitlines():
                skill, _colon, note = line.partition(":")
                if skill.strip():
                    found.append((skill.strip(), grade, note.strip()))
        return found
