"""Reading rules and acknowledgements (阅读确认). Nothing here commits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select

from plugins.sop import permissions
from plugins.sop.actions import ManualAction, ReadingAction
from plugins.sop.manuals.base import audit_manual, audit_version, load_draft, load_for_edit
from plugins.sop.manuals.models import HEADS, Manual, ManualVersion, Question
from plugins.sop.manuals.queries import effective_version, load_version
from plugins.sop.reading.models import ALL_STAFF, DEPARTMENT, ROLE, Acknowledgement, ReadingRule, ReadingTry
from plugins.sop.reading.telling import tell_new_version
from portal.core import clock
from portal.core.errors import Conflict, ErrorList, Invalid, NotFound
from portal.core.permissions import require
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.org.models import ROLES, Department

QUESTIONS = 3


@dataclass(frozen=True)
class RuleInput:
    """Who must read a manual, and in how many days."""

    audience: str
    due_days: int
    department_id: int | None = None
    role: str = ""


@dataclass(frozen=True)
class QuestionInput:
    """A question with two to four answers; `correct` is the index of the right one."""

    question: str
    answers: tuple[str, ...]
    correct: int


def add_rule(manual_id: int, data: RuleInput, actor: Actor) -> ReadingRule:
    """Say who must read a manual. Those who must and have not are told when a version is effective."""
    manual = load_for_edit(manual_id, actor)
    errors = ErrorList()
    department_id = data.department_id if data.audience == DEPARTMENT else None
    role = data.role if data.audience == ROLE else ""
    if data.audience not in (ALL_STAFF, DEPARTMENT, ROLE):
        errors.add("audience", _("Choose who must read it."))
    if data.audience == DEPARTMENT and (department_id is None or db.session.get(Department, department_id) is None):
        errors.add("department_id", _("Choose a department."))
    if data.audience == ROLE and role not in {*ROLES, HEADS}:
        errors.add("role", _("Choose a role."))
    if not 1 <= data.due_days <= 365:
        errors.add("due_days", _("Between 1 and 365 days."))
    errors.raise_if_any()
    same = select(ReadingRule).where(
        ReadingRule.manual_id == manual.id,
        ReadingRule.audience == data.audience,
        ReadingRule.department_id.is_(None) if department_id is None else ReadingRule.department_id == department_id,
        ReadingRule.role == role,
    )
    rule = db.session.scalars(same).first()
    if rule is not None:
        rule.due_days = data.due_days
    else:
        rule = ReadingRule(
            manual_id=manual.id,
            audience=data.audience,
            department_id=department_id,
            role=role,
            due_days=data.due_days,
            created_at=clock.now(),
            created_by_id=actor.user_id,
        )
        db.session.add(rule)
    db.session.flush()
    new = {"audience": data.audience, "department_id": department_id, "role": role, "due_days": data.due_days}
    audit_manual(actor, ReadingAction.RULE_ADDED, manual, new=new)
    version = effective_version(manual.id)
    if version is not None:
        tell_new_version(version, actor)
    return rule


def remove_rule(rule_id: int, actor: Actor) -> Manual:
    """Take a reading rule back. What was acknowledged stays."""
    rule = db.session.get(ReadingRule, rule_id)
    if rule is None:
        raise NotFound()
    manual = load_for_edit(rule.manual_id, actor)
    old = {"audience": rule.audience, "department_id": rule.department_id, "role": rule.role}
    db.session.delete(rule)
    db.session.flush()
    audit_manual(actor, ReadingAction.RULE_REMOVED, manual, old=old)
    return manual


def set_questions(version_id: int, questions: tuple[QuestionInput, ...], actor: Actor) -> None:
    """The questions asked when a version is acknowledged; at most three, none at all is fine."""
    version = load_draft(version_id, actor)
    errors = ErrorList()
    if len(questions) > QUESTIONS:
        errors.add("", _("At most three questions."))
    for number, item in enumerate(questions, start=1):
        answers = [answer.strip() for answer in item.answers]
        if not item.question.strip() or len(item.question) > 500:
            errors.add("", _("Question %(number)s needs a text of at most 500 characters.", number=number))
        if not 2 <= len(answers) <= 4 or not all(answers) or any(len(answer) > 200 for answer in answers):
            errors.add("", _("Question %(number)s needs two to four answers.", number=number))
        elif len(set(answers)) != len(answers):
            errors.add("", _("The answers of question %(number)s must differ.", number=number))
        if not 0 <= item.correct < len(answers):
            errors.add("", _("Say which answer of question %(number)s is right.", number=number))
    errors.raise_if_any()
    for old in db.session.scalars(select(Question).where(Question.version_id == version.id)):
        db.session.delete(old)
    db.session.flush()
    db.session.add_all(
        Question(
            version_id=version.id,
            position=number,
            question=item.question.strip(),
            answers=[answer.strip() for answer in item.answers],
            correct=item.correct,
        )
        for number, item in enumerate(questions, start=1)
    )
    db.session.flush()
    audit_version(actor, ManualAction.QUESTIONS_CHANGED, version, new={"questions": len(questions)})


def questions_of(version_id: int) -> list[Question]:
    """The questions of a version in order."""
    return list(
        db.session.scalars(select(Question).where(Question.version_id == version_id).order_by(Question.position))
    )


def acknowledgement_of(version_id: int, user_id: int | None) -> Acknowledgement | None:
    """A person's acknowledgement of a version."""
    return db.session.scalars(
        select(Acknowledgement).where(Acknowledgement.version_id == version_id, Acknowledgement.user_id == user_id)
    ).one_or_none()


def acknowledge(version_id: int, answers: Mapping[int, int], actor: Actor) -> Acknowledgement | None:
    """The actor has read a version and understood it.

    :param answers: question id → index of the chosen answer.
    :returns: the acknowledgement; None when not all answers were right (the try is noted, no answer is given away).
    :raises Conflict: not published, not effective yet or any more. :raises Invalid: a question without an answer.
    """
    version = load_version(version_id)
    require(actor, permissions.READ, version.manual_id)
    done = acknowledgement_of(version.id, actor.user_id)
    if done is not None:
        return done
    _check_effective(version)
    questions = questions_of(version.id)
    if any(item.id not in answers for item in questions):
        raise Invalid([("answers", _("Please answer all questions."))])
    right = sum(answers[item.id] == item.correct for item in questions)
    now = clock.now()
    if right < len(questions):
        db.session.add(ReadingTry(version_id=version.id, user_id=actor.user_id or 0, at=now, right=right))
        db.session.flush()
        audit_version(actor, ReadingAction.TRIED, version, new={"right": right, "of": len(questions)})
        return None
    tries = db.session.scalar(
        select(func.count())
        .select_from(ReadingTry)
        .where(ReadingTry.version_id == version.id, ReadingTry.user_id == actor.user_id)
    )
    done = Acknowledgement(
        version_id=version.id,
        user_id=actor.user_id or 0,
        department_id=actor.department_id,
        at=now,
        tries=(tries or 0) + 1 if questions else 0,
    )
    db.session.add(done)
    db.session.flush()
    audit_version(actor, ReadingAction.ACKNOWLEDGED, version, new={"number": version.number})
    return done


def _check_effective(version: ManualVersion) -> None:
    today = clock.today()
    if version.is_effective_on(today):
        return
    if version.effective_from is None:
        raise Conflict(_("This version is not published: there is nothing to acknowledge yet."))
    if version.effective_from > today:
        raise Conflict(
            _("This version takes effect on %(day)s; it is acknowledged from then on.", day=version.effective_from)
        )
    raise Conflict(_("This version is superseded: please read the effective one."))
