"""From a draft to a published version: submit, sign together (会签), publish, supersede, retire. Nothing here commits.

The state of a version changes here alone. A version is published with the days on which it holds; which one is
effective is then a question of dates, so that it is answered rightly without any job.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import delete, select

from plugins.sop.actions import ManualAction
from plugins.sop.manuals import queries
from plugins.sop.manuals.base import (
    audit_manual,
    audit_version,
    last_published,
    load_draft,
    load_for_edit,
    note_event,
    open_version,
)
from plugins.sop.manuals.checking import problems
from plugins.sop.manuals.comparing import Comparison, ProcedureChange, compare, compare_procedures
from plugins.sop.manuals.content import ManualContent, digest_of
from plugins.sop.manuals.models import (
    DRAFT,
    IN_REVIEW,
    PUBLISHED,
    Manual,
    ManualVersion,
    ProcedureRevision,
    RevisionDepartment,
    UndoStep,
    VersionProcedure,
)
from plugins.sop.manuals.publication import announce, months_after
from plugins.sop.manuals.remembered import remembered
from portal.approvals.models import EXPIRED, REJECTED, RETURNED, WITHDRAWN, ApprovalRequest
from portal.approvals.services import file_request, resubmit
from portal.core import clock
from portal.core.errors import Conflict, ErrorList, Invalid
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.org.models import Department

VERSION_KIND, RETIREMENT_KIND = "sop.version", "sop.retirement"
SUMMARY = 2_000
#: A version takes effect within this time.
AHEAD = timedelta(days=730)


@dataclass(frozen=True)
class SubmitInput:
    """What is said when a draft is submitted.

    :ivar wanted_from: the first day; None: the day of the last signature.
    :ivar departments: further departments whose heads are to sign.
    """

    summary: str
    is_major: bool
    token: str
    wanted_from: date | None = None
    departments: tuple[int, ...] = ()


def comparison_of(version: ManualVersion, base_id: int | None = None) -> Comparison:
    """What a version changes against another one; by default against the one it was drafted from."""
    before = base_id if base_id is not None else version.base_id

    def made() -> Comparison:
        earlier = queries.manual_content(before) if before is not None else None
        return compare(earlier, queries.manual_content(version.id))

    # What a published version came from was published before it: neither of the two changes any more.
    return remembered(version, ("comparison", before), made) if before == version.base_id else made()


def departments_concerned(version: ManualVersion) -> list[tuple[int, str]]:
    """(id, name) of the departments whose heads sign: the manual's own; those of procedures that are new, changed or
    gone; all of the manual's when chapters changed or it is the first version."""
    changes = comparison_of(version)
    new = set(
        db.session.execute(
            select(VersionProcedure.procedure_id, VersionProcedure.revision_id).where(
                VersionProcedure.version_id == version.id
            )
        ).all()
    )
    old = set(
        db.session.execute(
            select(VersionProcedure.procedure_id, VersionProcedure.revision_id).where(
                VersionProcedure.version_id == version.base_id
            )
        ).all()
    )
    everything = version.base_id is None or bool(changes.chapters)
    revisions = {row.revision_id for row in (new | old if everything else new ^ old)}
    found: set[int] = {version.manual.department_id}
    if revisions:
        found |= set(
            db.session.scalars(
                select(RevisionDepartment.department_id).where(RevisionDepartment.revision_id.in_(revisions)).distinct()
            )
        )
    rows = db.session.execute(
        select(Department.id, Department.name).where(Department.id.in_(found)).order_by(Department.path)
    )
    return [(row.id, row.name) for row in rows]


def number_for(version: ManualVersion, is_major: bool) -> tuple[int, int]:
    """The number that a draft gets: the first is 1.0; a major one begins the next whole number."""
    base = db.session.get(ManualVersion, version.base_id) if version.base_id else None
    if base is None:
        return (1, 0)
    return (base.major + 1, 0) if is_major else (base.major, base.minor + 1)


def submit(version_id: int, data: SubmitInput, actor: Actor) -> ApprovalRequest:
    """Submit a draft: the heads of all departments concerned are asked to sign, all of them.

    :raises Invalid: something in it has to be mended first (`checking.problems`), nothing changed, a day gone by.
    :raises Conflict: it is no draft any more.
    """
    repeated = db.session.scalars(select(ApprovalRequest).where(ApprovalRequest.token == data.token)).first()
    if repeated is not None and repeated.kind == VERSION_KIND and repeated.payload.get("version") == version_id:
        return repeated
    version = load_draft(version_id, actor)
    content = queries.manual_content(version.id)
    _check_submission(version, content, data)
    wanted = {department for department, _name in departments_concerned(version)} | set(data.departments)
    _drop_unused(version)
    payload = {
        "version": version.id,
        "departments": sorted(wanted),
        "digest": digest_of(content),
        "major": data.is_major,
        "from": data.wanted_from.isoformat() if data.wanted_from else "",
        "summary": data.summary.strip(),
    }
    major, minor = number_for(version, data.is_major)
    title = _("%(title)s, version %(number)s", title=version.title, number=f"{major}.{minor}")
    earlier = db.session.get(ApprovalRequest, version.request_id) if version.request_id else None
    if (
        earlier is not None
        and earlier.applicant_id == actor.user_id
        and earlier.state in (RETURNED, REJECTED, WITHDRAWN, EXPIRED)
    ):
        return resubmit(
            earlier.id,
            actor,
            token=data.token,
            title=title,
            payload=payload,
            department_id=version.manual.department_id,
        )
    return file_request(
        VERSION_KIND,
        actor,
        subject_type="sop_manual",
        subject_id=version.manual_id,
        title=title,
        payload=payload,
        department_id=version.manual.department_id,
        token=data.token,
    )


def _check_submission(version: ManualVersion, content: ManualContent, data: SubmitInput) -> None:
    errors = ErrorList()
    if not data.summary.strip() or len(data.summary) > SUMMARY:
        errors.add("summary", _("Say what changed and why, at most %(n)s characters.", n=SUMMARY))
    today = clock.today()
    if data.wanted_from is not None:
        if data.wanted_from < today:
            errors.add("wanted_from", _("A version cannot take effect on a day gone by."))
        elif data.wanted_from > today + AHEAD:
            errors.add("wanted_from", _("A version takes effect within two years."))
        last = last_published(version.manual_id)
        if last is not None and last.effective_from is not None and data.wanted_from < last.effective_from:
            values = {"number": last.number, "day": last.effective_from}
            errors.add("wanted_from", _("Version %(number)s takes effect on %(day)s; this one follows it.", **values))
    if data.departments:
        known = db.session.scalars(select(Department.id).where(Department.id.in_(data.departments)))
        if set(data.departments) - set(known):
            errors.add("departments", _("Choose departments from the list."))
    if version.base_id is not None:
        base = queries.load_version(version.base_id)
        if digest_of(content) == base.content_digest:
            errors.add("", _("Nothing differs from version %(number)s.", number=base.number))
    for problem in problems(content):
        errors.add("", problem.message)
    errors.raise_if_any()


def _drop_unused(version: ManualVersion) -> None:
    """Texts of this draft that it does not use any more (removed procedures), and what could bring them back."""
    used = select(VersionProcedure.revision_id).where(VersionProcedure.version_id == version.id)
    db.session.execute(
        delete(ProcedureRevision)
        .where(ProcedureRevision.origin_version_id == version.id, ProcedureRevision.id.not_in(used))
        .execution_options(synchronize_session=False)
    )
    db.session.execute(delete(UndoStep).where(UndoStep.version_id == version.id, UndoStep.unit == "list"))


# ---- reactions of the approval engine ------------------------------------------------------------------------------


def version_of(request: ApprovalRequest) -> ManualVersion | None:
    """The version a request is about; None when its draft was thrown away since."""
    return db.session.get(ManualVersion, int(request.payload["version"]))


def begin_review(request: ApprovalRequest, actor: Actor) -> None:
    """A round was filed: the draft is closed until the heads have decided. :raises Conflict: it changed since."""
    version = version_of(request)
    if version is None or version.state != DRAFT:
        raise Conflict(_("This version is no draft any more."))
    payload = request.payload
    if digest_of(queries.manual_content(version.id)) != payload["digest"]:
        raise Conflict(_("The draft was changed since: submit it again from its page."))
    version.major, version.minor = number_for(version, payload["major"])
    version.summary = payload["summary"]
    version.wanted_from = date.fromisoformat(payload["from"]) if payload["from"] else None
    version.content_digest = payload["digest"]
    version.request_id = request.id
    version.state = IN_REVIEW
    db.session.flush()
    note_event(version, "submitted", actor, version.summary)
    audit_version(actor, ManualAction.SUBMITTED, version, new={"digest": version.content_digest})


def reopen(request: ApprovalRequest, kind: str, actor: Actor, note: str = "") -> None:
    """A round ended without an approval: the version is a draft again."""
    version = version_of(request)
    if version is None or version.state != IN_REVIEW or version.request_id != request.id:
        return
    version.state = DRAFT
    db.session.flush()
    note_event(version, kind, actor, note)
    audit_version(actor, ManualAction.REOPENED, version, reason=note[:500])


def publish(request: ApprovalRequest, actor: Actor) -> ManualVersion:
    """All have signed: the version holds from its day on, the one before until then."""
    version = version_of(request)
    if version is None or version.state != IN_REVIEW or version.request_id != request.id:
        raise Conflict(_("This version is not under review any more."))
    if digest_of(queries.manual_content(version.id)) != version.content_digest:
        raise Conflict(_("The content is not the one that was signed."))
    manual = version.manual
    today = clock.today()
    before = last_published(manual.id)
    days = [today, version.wanted_from or today]
    if before is not None and before.effective_from is not None:
        days.append(before.effective_from)
    first = max(days)
    if before is not None and before.effective_until is None:
        before.effective_until = first
        db.session.flush()
    version.state = PUBLISHED
    version.effective_from = first
    version.published_at = clock.now()
    version.review_due = months_after(first, manual.review_months)
    manual.title, manual.company = version.title, version.company
    db.session.execute(delete(UndoStep).where(UndoStep.version_id == version.id))
    db.session.flush()
    note_event(version, "approved", actor, version.summary)
    audit_version(actor, ManualAction.APPROVED, version, new={"effective_from": first})
    if first <= today:
        announce(version, actor)
    return version


# ---- afterwards ----------------------------------------------------------------------------------------------------


def confirm_review(version_id: int, note: str, actor: Actor) -> ManualVersion:
    """Somebody looked through the effective version and found it right: the next look-through moves on."""
    version = queries.load_version(version_id)
    manual = load_for_edit(version.manual_id, actor)
    if not version.is_effective_on(clock.today()):
        raise Conflict(_("Only the effective version is looked through."))
    if not note.strip() or len(note) > SUMMARY:
        raise Invalid([("note", _("Say what was looked at, at most %(n)s characters.", n=SUMMARY))])
    old = version.review_due
    version.review_due = months_after(clock.today(), manual.review_months)
    db.session.flush()
    note_event(version, "reviewed", actor, note.strip())
    audit_version(
        actor, ManualAction.REVIEWED, version, old={"review_due": old}, new={"review_due": version.review_due}
    )
    return version


def ask_retirement(manual_id: int, on: date, reason: str, token: str, actor: Actor) -> ApprovalRequest:
    """Ask the heads concerned to retire a manual: from a day on it has no effective version."""
    repeated = db.session.scalars(select(ApprovalRequest).where(ApprovalRequest.token == token)).first()
    if repeated is not None and repeated.kind == RETIREMENT_KIND:
        return repeated
    manual = load_for_edit(manual_id, actor)
    errors = ErrorList()
    if on < clock.today():
        errors.add("on", _("A manual cannot be retired on a day gone by."))
    elif on > clock.today() + AHEAD:
        errors.add("on", _("A manual is retired within two years."))
    if not reason.strip() or len(reason) > 500:
        errors.add("reason", _("Say why, at most %(n)s characters.", n=500))
    errors.raise_if_any()
    if manual.retired_on is not None:
        raise Conflict(_("This manual is retired."))
    version = last_published(manual.id)
    if version is None:
        raise Conflict(_("Nothing of this manual was published: delete its draft instead."))
    departments = {manual.department_id, *(row.id for row in queries.departments_of(version.id))}
    return file_request(
        RETIREMENT_KIND,
        actor,
        subject_type="sop_manual",
        subject_id=manual.id,
        title=_("Retire %(title)s", title=manual.title),
        payload={
            "manual": manual.id,
            "on": on.isoformat(),
            "reason": reason.strip(),
            "departments": sorted(departments),
        },
        department_id=manual.department_id,
        token=token,
    )


def retire(request: ApprovalRequest, actor: Actor) -> Manual:
    """All have signed: the manual ends. :raises Conflict: a version is being worked on."""
    manual = db.session.get_one(Manual, int(request.payload["manual"]))
    if manual.retired_on is not None:
        raise Conflict(_("This manual is retired."))
    if (found := open_version(manual.id)) is not None:
        raise Conflict(_("Version %(number)s is being worked on: finish or discard it first.", number=found.number))
    last = max(date.fromisoformat(request.payload["on"]), clock.today())
    for version in _ending_after(manual.id, last):
        assert version.effective_from is not None
        version.effective_until = max(version.effective_from, last)
    manual.retired_on = last
    manual.retired_reason = request.payload["reason"]
    manual.retired_by_id = request.applicant_id
    db.session.flush()
    newest = last_published(manual.id)
    if newest is not None:
        note_event(newest, "retired", actor, manual.retired_reason)
    audit_manual(actor, ManualAction.RETIRED, manual, new={"retired_on": last}, reason=manual.retired_reason)
    return manual


def _ending_after(manual_id: int, day: date) -> Sequence[ManualVersion]:
    """Published versions that would still hold on a day or later."""
    return db.session.scalars(
        select(ManualVersion).where(
            ManualVersion.manual_id == manual_id,
            ManualVersion.state == PUBLISHED,
            ManualVersion.effective_until.is_(None) | (ManualVersion.effective_until > day),
        )
    ).all()


def change_of(version: ManualVersion, procedure_id: int) -> ProcedureChange | None:
    """What a version changed in one procedure against the one it was drafted from; None when nothing or no base."""
    base_id = version.base_id
    if base_id is None:
        return None
    return remembered(version, ("change", procedure_id), lambda: _change_of(version.id, base_id, procedure_id))


def _change_of(after_id: int, before_id: int, procedure_id: int) -> ProcedureChange | None:
    revisions = dict(
        db.session.execute(
            select(VersionProcedure.version_id, VersionProcedure.revision_id).where(
                VersionProcedure.procedure_id == procedure_id,
                VersionProcedure.version_id.in_((after_id, before_id)),
            )
        ).all()
    )
    after, before = revisions.get(after_id), revisions.get(before_id)
    if after is None or before is None or after == before:
        return None
    return compare_procedures(
        queries.procedure_content(before_id, procedure_id), queries.procedure_content(after_id, procedure_id)
    )
