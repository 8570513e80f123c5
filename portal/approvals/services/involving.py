"""Others take part: hand on, add a signer, ask for an opinion, keep informed."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from portal.approvals import authority as authorities
from portal.approvals.actions import ApprovalAction
from portal.approvals.authority import Authority, Organisation
from portal.approvals.models import (
    OPEN,
    PENDING,
    WAITING,
    ApprovalCopy,
    ApprovalDecision,
    ApprovalOpinion,
    ApprovalRequest,
    ApprovalSeat,
    ApprovalStep,
)
from portal.approvals.notices import tell
from portal.approvals.queries import had_seat, may_view
from portal.approvals.services.base import (
    OPINION_LENGTH,
    has_seat,
    is_applicant,
    is_past,
    lock_people,
    lock_request,
    move_request,
    note_event,
    required_reason,
    tell_approvers,
    too_late,
    trimmed,
    write_audit,
)
from portal.approvals.services.voting import close_seat, require_authority
from portal.core import clock
from portal.core.errors import Conflict, Invalid, NotAllowed, NotFound
from portal.extensions import db
from portal.i18n import _
from portal.notifications.kinds import message
from portal.org.actor import Actor
from portal.org.models import User


def transfer(
    request_id: int, actor: Actor, *, to_user_id: int, reason: str, on_behalf_of: int | None = None
) -> ApprovalRequest:
    """Hand one's own seat to somebody else for good (转办). A delegate cannot hand on what he only stands in for.

    :raises Invalid: the other one is a party, has voted, has a seat here or is not active.
    """
    request, step, chosen, organisation = _at_seat(request_id, actor, to_user_id, on_behalf_of)
    if chosen.for_id is not None:
        raise NotAllowed(_("Who stands in for somebody cannot hand the request on."), rule="delegate")
    reason = required_reason(reason)
    check_newcomer(request, step, to_user_id, organisation)
    now = clock.now()
    close_seat(chosen.seat, now, "handed_on")
    db.session.flush()
    seat = ApprovalSeat(
        request_id=request.id,
        step_id=step.id,
        slot=chosen.seat.slot,
        user_id=to_user_id,
        basis="transfer",
        is_added=chosen.seat.is_added,
        given_by_id=actor.user_id,
        state=OPEN,
        opened_at=now,
    )
    db.session.add(seat)
    move_request(request, state=PENDING)
    note_event(request, "transferred", actor, target_id=to_user_id, note=reason, step=step)
    write_audit(actor, ApprovalAction.TRANSFER, request, new={"to": to_user_id, "step": step.key}, reason=reason)
    tell_approvers(request, actor, organisation, only={to_user_id})
    return request


def add_signer(
    request_id: int, actor: Actor, *, user_id: int, reason: str, on_behalf_of: int | None = None
) -> ApprovalRequest:
    """Let somebody sign besides (加签): the step ends only when he has approved too; his rejection rejects.

    :raises Invalid: he is a party, has voted, has a seat here or is not active.
    """
    request, step, chosen, organisation = _at_seat(request_id, actor, user_id, on_behalf_of)
    reason = required_reason(reason)
    check_newcomer(request, step, user_id, organisation)
    slot = max([len(step.rules) - 1, *(seat.slot for seat in step.seats)]) + 1
    db.session.add(
        ApprovalSeat(
            request_id=request.id,
            step_id=step.id,
            slot=slot,
            user_id=user_id,
            basis="signer",
            is_added=True,
            given_by_id=actor.user_id,
            state=OPEN,
            opened_at=clock.now(),
        )
    )
    move_request(request, state=PENDING)
    note_event(request, "signer_added", actor, for_id=chosen.for_id, target_id=user_id, note=reason, step=step)
    write_audit(
        actor,
        ApprovalAction.ADD_SIGNER,
        request,
        on_behalf_of_id=chosen.for_id,
        new={"signer": user_id, "step": step.key},
        reason=reason,
    )
    tell_approvers(request, actor, organisation, only={user_id})
    return request


def ask_opinion(
    request_id: int, actor: Actor, *, user_id: int, question: str, on_behalf_of: int | None = None
) -> ApprovalOpinion:
    """Ask somebody for his opinion (征询). He may read the request; the owner of the seat still decides.

    :raises Invalid: he is a party, or was asked and has not answered yet.
    """
    request, _step, chosen, organisation = _at_seat(request_id, actor, user_id, on_behalf_of)
    question = trimmed(question, 1000)
    if not question:
        raise Invalid([("reason", _("Say what you want to know."))])
    if not organisation.is_active(user_id) or user_id in authorities.excluded_ids(request, organisation):
        raise Invalid([("user", _("This person cannot be asked: a party to the request, or not active."))])
    if user_id == actor.user_id:
        raise Invalid([("user", _("Choose somebody else."))])
    if authorities.persons_of([user_id]) & authorities.persons_of(_voted(request)):
        raise Invalid([("user", _("This person has voted on the request already."))])
    asked = db.session.scalar(
        select(ApprovalOpinion.id).where(
            ApprovalOpinion.request_id == request.id,
            ApprovalOpinion.user_id == user_id,
            ApprovalOpinion.answered_at.is_(None),
        )
    )
    if asked is not None:
        raise Invalid([("user", _("This person was asked already and has not answered yet."))])
    assert actor.user_id is not None
    opinion = ApprovalOpinion(
        request_id=request.id, asked_by_id=actor.user_id, user_id=user_id, question=question, asked_at=clock.now()
    )
    db.session.add(opinion)
    move_request(request, state=PENDING)
    note_event(request, "asked", actor, for_id=chosen.for_id, target_id=user_id, note=question)
    write_audit(actor, ApprovalAction.ASK, request, on_behalf_of_id=chosen.for_id, new={"asked": user_id})
    tell(
        [user_id],
        "approvals.opinion",
        request,
        message("%(name)s asks for your opinion: %(title)s", name=actor.name, title=request.title),
        body=question,
        actor=actor,
    )
    return opinion


def give_opinion(request_id: int, actor: Actor, *, answer: str) -> ApprovalOpinion:
    """Answer what one was asked. :raises NotFound: not asked. :raises Conflict: closed meanwhile, or answered."""
    request = lock_request(request_id)
    opinion = db.session.scalar(
        select(ApprovalOpinion)
        .where(ApprovalOpinion.request_id == request_id, ApprovalOpinion.user_id == actor.user_id)
        .order_by(ApprovalOpinion.answered_at.is_(None).desc(), ApprovalOpinion.id.desc())
        .limit(1)
    )
    if opinion is None:
        raise NotFound()
    answer = answer.strip()[:OPINION_LENGTH]
    if opinion.answered_at is not None:
        if opinion.answer == answer:
            return opinion
        raise Conflict(_("You answered already."), request_id=request.id)
    if not answer:
        raise Invalid([("answer", _("Write your opinion."))])
    if request.state != PENDING:
        raise too_late(request)
    opinion.answer, opinion.answered_at = answer, clock.now()
    move_request(request, state=PENDING)
    note_event(request, "answered", actor, note=answer)
    write_audit(actor, ApprovalAction.ANSWER, request)
    tell(
        [opinion.asked_by_id],
        "approvals.opinion",
        request,
        message("%(name)s gave an opinion: %(title)s", name=actor.name, title=request.title),
        body=answer,
        actor=actor,
    )
    return opinion


def copy_to(request_id: int, actor: Actor, *, user_ids: Iterable[int]) -> list[int]:
    """Keep people informed (抄送): they see the status, not the content. Possible after the decision as well.

    For the applicant, for approvers and for those who voted. Returns the ids that were added.
    """
    request = lock_request(request_id)
    if not may_view(request, actor):
        raise NotFound()
    if not (is_applicant(request, actor) or had_seat(request, actor) or has_seat(request, actor)):
        raise NotAllowed(_("Only the applicant and the approvers can keep others informed."), rule="copy")
    present = set(db.session.scalars(select(ApprovalCopy.user_id).where(ApprovalCopy.request_id == request.id)))
    parties = {request.applicant_id, request.typed_by_id, actor.user_id, *_voted(request)}
    active = set(db.session.scalars(select(User.id).where(User.id.in_(sorted(set(user_ids))), User.is_active)))
    added = sorted(active - present - parties)
    for user_id in added:
        db.session.add(
            ApprovalCopy(request_id=request.id, user_id=user_id, by_id=actor.user_id, created_at=clock.now())
        )
        note_event(request, "copied", actor, target_id=user_id)
    if not added:
        return []
    db.session.flush()
    write_audit(actor, ApprovalAction.COPY, request, new={"to": added})
    tell(
        added,
        "approvals.copied",
        request,
        message("%(name)s keeps you informed about request %(number)s", name=actor.name, number=request.number),
        actor=actor,
    )
    return added


def _at_seat(
    request_id: int, actor: Actor, other_id: int, on_behalf_of: int | None
) -> tuple[ApprovalRequest, ApprovalStep, Authority, Organisation]:
    """Lock people and request, and check that the actor may decide it just now."""
    lock_people(actor.user_id, other_id, on_behalf_of)
    request = lock_request(request_id)
    step = request.open_step
    if request.state != PENDING or step is None or is_past(request):
        if not may_view(request, actor):
            raise NotFound()
        raise too_late(request)
    organisation = Organisation()
    return request, step, require_authority(request, step, actor, organisation, on_behalf_of), organisation


def _voted(request: ApprovalRequest) -> list[int]:
    """Who voted in this round."""
    return list(db.session.scalars(select(ApprovalDecision.by_id).where(ApprovalDecision.request_id == request.id)))


def check_newcomer(request: ApprovalRequest, step: ApprovalStep, user_id: int, organisation: Organisation) -> None:
    """Whether somebody may be given a seat here. :raises Invalid: says why not."""
    voted = _voted(request)
    sentences = {
        "inactive": _("This person does not work here any more."),
        "party": _("Never to the applicant, to somebody who gains by the request or stands in for the applicant."),
        "voted": _("This person has voted on the request already."),
        "administrator": _("Administrators assign requests, they do not decide them."),
    }
    why = authorities.unfit_for_seat(request, user_id, voted, organisation)
    if why is not None:
        raise Invalid([("user", sentences[why])])
    if any(seat.user_id == user_id and seat.state in (OPEN, WAITING) for seat in step.seats):
        raise Invalid([("user", _("This person decides in this step already."))])
