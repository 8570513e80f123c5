"""Changes to the expert directory (专家库)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from plugins.key_accounts.actions import KeyAccountAction
from plugins.key_accounts.team.models import ExpertSkill
from portal.audit.services import record
from portal.core import clock
from portal.core.errors import NotAllowed, NotFound
from portal.customers.validation import Checker
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.org.models import EXECUTIVE, User

MOST_SKILLS = 30


def set_skills(user_id: int, skills: Sequence[tuple[str, int, str]], actor: Actor) -> None:
    """Say what a person can be asked for: he himself, who oversees him, or an executive.

    :param skills: (skill, grade 1 … 3, note).
    """
    user = db.session.get(User, user_id)
    if user is None or not user.is_active:
        raise NotFound()
    if actor.user_id != user.id and user.department_id not in actor.oversees and EXECUTIVE not in actor.roles:
        raise NotAllowed(_("Skills are entered by the person, the head of the department or an executive."))
    checker = Checker()
    wanted: dict[str, tuple[int, str]] = {}
    for skill, grade, note in skills:
        name = checker.line("skills", skill, 60)
        if name and grade in (1, 2, 3):
            wanted[name] = (grade, checker.line("skills", note, 200))
        elif name:
            checker.add("skills", _("Choose one of the list."))
    if len(wanted) > MOST_SKILLS:
        checker.add("skills", _("At most %(n)s skills.", n=MOST_SKILLS))
    checker.done()
    present = {row.skill: row for row in db.session.scalars(select(ExpertSkill).where(ExpertSkill.user_id == user.id))}
    for name, row in present.items():
        if name not in wanted:
            db.session.delete(row)
    for name, (grade, note) in wanted.items():
        found = present.get(name)
        if found is None:
            db.session.add(ExpertSkill(user_id=user.id, skill=name, grade=grade, note=note, created_at=clock.now()))
        else:
            found.grade, found.note = grade, note
    db.session.flush()
    record(
        actor,
        KeyAccountAction.SKILLS_CHANGED,
        object_type="user",
        object_id=user.id,
        object_label=user.name,
        old={"skills": sorted(present)},
        new={"skills": sorted(wanted)},
    )
