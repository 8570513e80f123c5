"""Paper copies: reserving, the steps of their life, reports of losses. Nothing here commits.

Each step is one UPDATE on (id, state before) that must change exactly one row. The quota was taken from the grant
when the copy was reserved; it is given back only by the steps of `states.GIVES_QUOTA_BACK`: an operator certifies them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from plugins.archive import limits
from plugins.archive.copies import sealing, states
from plugins.archive.copies.actions import CopyAction, step_action
from plugins.archive.copies.models import PORTAL, SIGNATURE, ArchiveCopy, ArchiveCopyEvent, ArchiveCopyFile
from plugins.archive.copies.numbers import PREFIX, new_token, with_check_digits
from plugins.archive.copies.vocabulary import state_word
from plugins.archive.dossiers.queries import files_of
from plugins.archive.lookups.access import INCIDENT, note_access, watchers_of
from plugins.archive.lookups.grants import Ended, holds, put_back, take_one, why_not
from plugins.archive.lookups.models import HANDED_OVER, PAPER, PRINTED, RESERVED, ArchiveGrant
from portal.audit.services import record
from portal.core import clock
from portal.core.database import rows_changed
from portal.core.errors import Conflict, ErrorList, Invalid, NotAllowed, NotFound
from portal.core.paths import path_for
from portal.customers.models import Customer
from portal.documents.services import take_number
from portal.extensions import db
from portal.i18n import _
from portal.jobs.services import enqueue
from portal.notifications.kinds import message
from portal.notifications.services import notify
from portal.org.actor import Actor, users_with_role
from portal.org.models import ARCHIVE_MAINTAINER, Department, User

JOB = "archive.make_copy"
NOTICE = "archive.lookup"
NOTE_LENGTH = 500


@dataclass(frozen=True)
class StepInput:
    """What a step needs besides the copy: counted sheets, a witness, words."""

    sheets: int | None = None
    witness_id: int | None = None
    note: str = ""


# ---- reserving -----------------------------------------------------------------------------------------------------


def reserve(grant_id: int, form_token: str, actor: Actor, replaces: ArchiveCopy | None = None) -> ArchiveCopy:
    """Reserve a copy: it takes one of the grant's copies and gets its number; a job then makes the pages.

    The same form again gives the same copy.

    :param replaces: the void copy that is printed anew, under a new number.
    :raises Ended: the grant gives no more copies. :raises Invalid: the parts hold no file.
    :raises TooMany: the operator has printed as much as he may in an hour.
    """
    before = db.session.scalars(select(ArchiveCopy).where(ArchiveCopy.form_token == form_token)).first()
    if before is not None:
        if before.grant_id != grant_id:
            raise Conflict(_("This form was used already."))
        return before
    grant = db.session.get(ArchiveGrant, grant_id)
    if grant is None or grant.mode != PAPER:
        raise NotFound()
    limits.require_print(actor)
    files = files_of(grant.customer_id, grant.part_list)
    if not files:
        raise Invalid(_("The parts that were granted hold no file yet; there is nothing to print."))
    if not take_one(grant.id, PAPER):
        raise Ended(why_not(grant), grant_id=grant.id)
    now = clock.now()
    holder = grant.holder
    copy = ArchiveCopy(
        number=with_check_digits(take_number(PREFIX, clock.local(now).year)),
        token=new_token(),
        grant_id=grant.id,
        customer_id=grant.customer_id,
        holder_id=holder.id,
        holder_name=holder.name,
        holder_department=db.session.get_one(Department, holder.department_id).name,
        state=states.RESERVED,
        due_at=grant.ends_at,
        reserved_at=now,
        reserved_by_id=actor.user_id,
        replaces_id=replaces.id if replaces is not None else None,
        form_token=form_token,
        files=[
            ArchiveCopyFile(
                position=position,
                file_id=file.id,
                digest=file.digest,
                part=file.part,
                title=file.title,
                media_type=file.media_type,
                pages=file.pages,
            )
            for position, file in enumerate(files, start=1)
        ],
    )
    db.session.add(copy)
    db.session.flush()
    _event(copy, "reserve", "", states.RESERVED, actor)
    reference = f"{copy.number}"
    note_access(RESERVED, copy.customer_id, copy.holder_id, reference=reference, grant_id=grant.id)
    _record(copy, CopyAction.RESERVED, actor, {"grant": grant.id, "used": grant.used, "quota": grant.quota})
    make_pages(copy, actor)
    return copy


def make_pages(copy: ArchiveCopy, actor: Actor) -> None:
    """Have a job make the pages of a reserved copy (again, when that failed)."""
    if copy.state != states.RESERVED:
        raise _wrong(copy)
    copy.problem = ""
    run = enqueue(
        JOB,
        actor,
        title=_("Pages of copy %(number)s", number=copy.number),
        parameters={"copy_id": copy.id},
        unique_key=f"archive_copy:{copy.id}",
        as_system=True,
    )
    copy.run_id = run.id
    db.session.flush()


# ---- steps ---------------------------------------------------------------------------------------------------------


def move(copy: ArchiveCopy, step: str, actor: Actor, data: StepInput = StepInput(), **values: Any) -> None:
    """Take one step: one conditional UPDATE, an event, an audit entry.

    :raises Conflict: the step is not allowed from the copy's state, or somebody was faster.
    """
    before = copy.state
    after = states.after(before, step)
    if after is None:
        raise _wrong(copy)
    changed = db.session.execute(
        update(ArchiveCopy)
        .where(ArchiveCopy.id == copy.id, ArchiveCopy.state == before, ArchiveCopy.version == copy.version)
        .values(state=after, version=ArchiveCopy.version + 1, **values)
        .execution_options(synchronize_session=False)
    )
    db.session.expire(copy)
    if rows_changed(changed) != 1:
        raise _wrong(copy)
    _event(copy, step, before, after, actor, data)
    new = {"from": before, "to": after, "sheets": data.sheets, "witness": data.witness_id}
    _record(copy, step_action(step), actor, {k: v for k, v in new.items() if v is not None}, data.note)
    if step in states.GIVES_QUOTA_BACK:
        put_back(copy.grant_id)


def take_step(copy: ArchiveCopy, step: str, data: StepInput, actor: Actor) -> None:
    """A step that an operator takes at the station, with what it needs.

    :raises Invalid: counted sheets, witness or words are missing or wrong. :raises Conflict: not allowed now.
    """
    if step not in states.BY_OPERATOR:
        raise NotFound()
    if states.after(copy.state, step) is None:
        raise _wrong(copy)
    if step in (states.OFFER, states.SIGN):
        require_grant(copy)
    data = _checked(copy, step, data, actor)
    now = clock.now()
    values: dict[str, Any] = {}
    if step == states.SIGN:
        values = {"issued_at": now, "issued_how": SIGNATURE}
    elif step == states.CANCEL:
        values = {"seal": None}
    move(copy, step, actor, data, **values)
    if step == states.CANCEL:
        sealing.forget_after_commit(copy.id)
    elif step == states.OFFER:
        _ask_collector(copy, actor)
    elif step == states.SIGN:
        _handed_over(copy)
    elif step == states.COUNT:
        _printed(copy, actor)
    elif step == states.LOSE:
        tell_loss(copy, actor, data.note)


def _checked(copy: ArchiveCopy, step: str, data: StepInput, actor: Actor) -> StepInput:
    errors = ErrorList()
    note = data.note.strip()
    if step in states.WITH_NOTE and not note:
        errors.add("note", _("Say what happened."))
    if len(note) > NOTE_LENGTH:
        errors.add("note", _("At most %(n)s characters.", n=NOTE_LENGTH))
    sheets = data.sheets if step in states.COUNTED else None
    if step in states.COUNTED and sheets is None:
        errors.add("sheets", _("Count the sheets."))
    if step == states.COUNT and sheets is not None and sheets != copy.pages:
        errors.add(
            "sheets",
            _(
                "The copy has %(pages)s pages, one on each sheet. With other sheets it is spoiled: say so instead.",
                pages=copy.pages,
            ),
        )
    if step == states.RETURN and sheets is not None and sheets != copy.pages and not note:
        errors.add("note", _("Sheets are missing or too many: say what happened."))
    witness_id = data.witness_id if step in states.WITNESSED else None
    if step in states.WITNESSED:
        witness = db.session.get(User, witness_id) if witness_id else None
        if witness is None or not witness.is_active:
            errors.add("witness", _("Choose a colleague who saw it."))
        elif witness.id == actor.user_id or (witness.person_key and witness.person_key == actor.person_key):
            errors.add("witness", _("The witness is somebody else than you."))
    errors.raise_if_any()
    return StepInput(sheets, witness_id, note)


def require_grant(copy: ArchiveCopy) -> None:
    """:raises Ended: the grant behind the copy does not hold any more, on the database's time."""
    alive = db.session.scalar(select(ArchiveGrant.id).where(ArchiveGrant.id == copy.grant_id, holds()))
    if alive is None or copy.recalled_at is not None:
        raise Ended(why_not(copy.grant), grant_id=copy.grant_id)


def send_pages(copy: ArchiveCopy, actor: Actor) -> bytes:
    """The pages for the printer, once: after this nobody can get them again, and the sheets must be counted.

    :returns: a PDF. :raises Conflict: they were sent already. :raises Ended: the grant does not hold any more.
    """
    if copy.state != states.READY or copy.seal is None:
        raise _wrong(copy)
    require_grant(copy)
    content = sealing.open_sealed(copy.id, copy.seal)
    move(copy, states.SEND, actor, sent_at=clock.now(), seal=None)
    sealing.forget_after_commit(copy.id)
    note_access(PRINTED, copy.customer_id, copy.holder_id, reference=copy.number, grant_id=copy.grant_id)
    return content


def accept(copy: ArchiveCopy, actor: Actor) -> None:
    """The collector confirms in the portal that he has the copy. :raises NotAllowed: it is somebody else's."""
    if copy.holder_id != actor.user_id:
        raise NotAllowed(_("Only the collector can confirm this."))
    if copy.state == states.ISSUED:
        return  # a double click
    require_grant(copy)
    move(copy, states.ACCEPT, actor, issued_at=clock.now(), issued_how=PORTAL)
    _handed_over(copy)


def report_lost(copy: ArchiveCopy, note: str, actor: Actor) -> None:
    """The holder reports that he lost the copy. :raises NotAllowed, Invalid, Conflict:"""
    if copy.holder_id != actor.user_id:
        raise NotAllowed(_("Only the holder can report this here."))
    if copy.state != states.ISSUED:
        raise _wrong(copy)
    data = _checked(copy, states.LOSE, StepInput(note=note), actor)
    move(copy, states.LOSE, actor, data)
    tell_loss(copy, actor, data.note)


def print_again(copy: ArchiveCopy, form_token: str, actor: Actor) -> ArchiveCopy:
    """Print a void copy anew, under a new number."""
    if copy.state not in (states.VOID, states.CANCELLED):
        raise _wrong(copy)
    following = db.session.scalars(select(ArchiveCopy).where(ArchiveCopy.replaces_id == copy.id)).first()
    if following is not None and following.form_token != form_token:
        raise Conflict(_("It was printed again already: %(number)s.", number=following.number))
    return reserve(copy.grant_id, form_token, actor, replaces=copy)


# ---- called by the job and the ends of grants ----------------------------------------------------------------------


def recall(copy: ArchiveCopy, why: str, actor: Actor) -> None:
    """Call a copy back: it must be at the archive now. Called back already: nothing happens."""
    if copy.recalled_at is not None or copy.state not in states.RECALLABLE:
        return
    now = clock.now()
    copy.recalled_at, copy.recall_reason, copy.due_at = now, why[:300], min(copy.due_at, now)
    db.session.flush()
    _event(copy, "recall", copy.state, copy.state, actor, StepInput(note=why))
    _record(copy, CopyAction.RECALLED, actor, {"state": copy.state}, why)
    if copy.state == states.ISSUED:
        notify(
            [copy.holder_id],
            NOTICE,
            title=message("Copy %(number)s must come back to the archive now", number=copy.number),
            url=path_for("archive_copies.show", copy_id=copy.id),
            actor=actor,
            about=f"archive_copy:{copy.id}",
        )


def note_problem(copy: ArchiveCopy, problem: str, cause: str, actor: Actor) -> None:
    """Note why the pages could not be made; the operator tries again or cancels."""
    copy.problem = problem[:500]
    db.session.flush()
    record(
        actor,
        CopyAction.FAILED,
        object_type="archive_copy",
        object_id=copy.id,
        object_label=copy.number,
        customer_id=copy.customer_id,
        reason=cause[:300],
        result="failed",
    )


def tell_loss(copy: ArchiveCopy, actor: Actor, note: str) -> None:
    """A lost copy is an incident: heads of both sides, maintainers and auditors are told."""
    owner = (
        select(Department.head_id)
        .join(Customer, Customer.department_id == Department.id)
        .where(Customer.id == copy.customer_id)
    )
    people = set(watchers_of(copy.holder)) | set(users_with_role(ARCHIVE_MAINTAINER))
    people |= {person for person in db.session.scalars(owner) if person is not None}
    notify(
        people - {copy.holder_id},
        INCIDENT,
        title=message("Copy %(number)s of %(name)s is lost", number=copy.number, name=copy.holder_name),
        body=note,
        url=path_for("archive_copies.show", copy_id=copy.id),
        actor=actor,
        about=f"archive_copy_lost:{copy.id}",
    )


def _ask_collector(copy: ArchiveCopy, actor: Actor) -> None:
    notify(
        [copy.holder_id],
        NOTICE,
        title=message("Confirm that you have copy %(number)s", number=copy.number),
        url=path_for("archive_copies.show", copy_id=copy.id),
        actor=actor,
        about=f"archive_copy:{copy.id}",
    )


def _printed(copy: ArchiveCopy, actor: Actor) -> None:
    if copy.recalled_at is not None:
        return
    notify(
        [copy.holder_id],
        NOTICE,
        title=message("Copy %(number)s can be collected at the print station", number=copy.number),
        url=path_for("archive_copies.show", copy_id=copy.id),
        actor=actor,
        about=f"archive_copy:{copy.id}",
    )


def _handed_over(copy: ArchiveCopy) -> None:
    note_access(HANDED_OVER, copy.customer_id, copy.holder_id, reference=copy.number, grant_id=copy.grant_id)


def _wrong(copy: ArchiveCopy) -> Conflict:
    return Conflict(
        _(
            "This is not possible now: copy %(number)s is “%(state)s”.",
            number=copy.number,
            state=state_word(copy.state),
        ),
        copy_id=copy.id,
    )


def _event(copy: ArchiveCopy, step: str, before: str, after: str, actor: Actor, data: StepInput = StepInput()) -> None:
    now: datetime = clock.now()
    db.session.add(
        ArchiveCopyEvent(
            copy_id=copy.id,
            step=step,
            state_before=before,
            state_after=after,
            at=now,
            by_id=actor.user_id,
            witness_id=data.witness_id,
            sheets=data.sheets,
            note=data.note,
        )
    )
    db.session.flush()


def _record(copy: ArchiveCopy, action: str, actor: Actor, new: dict[str, Any] | None = None, reason: str = "") -> None:
    record(
        actor,
        action,
        object_type="archive_copy",
        object_id=copy.id,
        object_label=copy.number,
        customer_id=copy.customer_id,
        new={"holder": copy.holder_id, **(new or {})},
        reason=reason,
    )
