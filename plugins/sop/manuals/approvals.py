"""Two kinds of request: a version of a manual, and its retirement. All heads concerned sign, all of them (会签)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from plugins.sop import permissions
from plugins.sop.manuals import reviewing
from plugins.sop.manuals.commenting import open_threads
from plugins.sop.manuals.comparing import ADDED, CHANGED, MOVED, REMOVED
from plugins.sop.manuals.models import Manual
from portal.approvals.kinds import ALL, ApprovalKind, Description, Fact, HeadOf, RoleHolder, StepSpec
from portal.approvals.models import ApprovalDecision, ApprovalRequest
from portal.core import settings
from portal.core.coded import N_
from portal.core.paths import path_for
from portal.core.permissions import can
from portal.extensions import db
from portal.i18n import _, _l
from portal.org.actor import Actor
from portal.org.models import EXECUTIVE, Department

HEADS_STEP = N_("Signatures of all heads concerned")
RELEASE_STEP = N_("Release by an executive")


def route(request: ApprovalRequest) -> Sequence[StepSpec]:
    """R-SOP-3: the heads of the departments concerned, all of them; an executive after them where it is set."""
    seats = tuple(HeadOf(department) for department in request.payload["departments"])
    steps = [StepSpec("heads", HEADS_STEP, seats, ALL)]
    if settings.get("sop.executive_release"):
        steps.append(StepSpec("release", RELEASE_STEP, (RoleHolder(EXECUTIVE),)))
    return steps


def _departments(request: ApprovalRequest) -> str:
    wanted = request.payload["departments"]
    names = db.session.scalars(select(Department.name).where(Department.id.in_(wanted)).order_by(Department.path))
    return _(", ").join(names)


def describe(request: ApprovalRequest) -> Description:
    """What a head signs: which manual, from when, what changes, and a mark of the content itself."""
    version = reviewing.version_of(request)
    payload = request.payload
    if version is None:
        return Description(request.title, (Fact(_("Summary of changes"), payload["summary"]),))
    changes = reviewing.comparison_of(version)
    counts = [
        _("%(count)s new", count=changes.count(ADDED)),
        _("%(count)s changed", count=changes.count(CHANGED)),
        _("%(count)s removed", count=changes.count(REMOVED)),
        _("%(count)s moved", count=changes.count(MOVED)),
    ]
    link = path_for("sop.changes", version_id=version.id)
    number = ".".join(str(part) for part in reviewing.number_for(version, payload["major"]))
    facts = [
        Fact(_("Manual"), f"{version.manual.code} {version.title}", important=True, url=link),
        Fact(_("Version"), number, important=True),
        Fact(_("Effective from"), payload["from"] or _("the day of the last signature"), important=True),
        Fact(_("To be read again"), _("yes, by everybody concerned") if payload["major"] else _("no")),
        Fact(_("Summary of changes"), payload["summary"], important=True),
        Fact(_("Procedures"), " · ".join(counts), url=link),
        Fact(_("Chapters changed"), _(", ").join(change.title for change in changes.chapters) or "—", url=link),
        Fact(_("Departments concerned"), _departments(request)),
        # Part of what is signed: another content has another mark.
        Fact(_("Mark of the content"), payload["digest"][:16]),
    ]
    waiting = open_threads(version.id)
    warning = _("%(count)s remarks are not settled yet.", count=waiting) if waiting else ""
    return Description(title=request.title, facts=tuple(facts), warning=warning)


def describe_retirement(request: ApprovalRequest) -> Description:
    """What is retired, from when, why."""
    manual = db.session.get(Manual, int(request.payload["manual"]))
    facts = (
        Fact(_("Manual"), f"{manual.code} {manual.title}" if manual else "—", important=True, url=subject_url(request)),
        Fact(_("Retired from"), request.payload["on"], important=True, tone="warning"),
        Fact(_("Reason"), request.payload["reason"], important=True),
        Fact(_("Departments concerned"), _departments(request)),
    )
    warning = _("From that day on none of its procedures is effective. Checklists under way keep their text.")
    return Description(request.title, facts, warning)


def subject_url(request: ApprovalRequest) -> str | None:
    """The page of the changes; of the manual for a retirement."""
    if request.kind == reviewing.RETIREMENT_KIND:
        return path_for("sop.manual", manual_id=request.payload["manual"])
    version = reviewing.version_of(request)
    return path_for("sop.changes", version_id=version.id) if version is not None else None


def edit_url(request: ApprovalRequest) -> str | None:
    """Where a returned version is mended and submitted again."""
    version = reviewing.version_of(request)
    return path_for("sop.draft", draft_id=version.id) if version is not None else None


def may_view(request: ApprovalRequest, actor: Actor) -> bool:
    """Whoever writes the manual may read what is asked."""
    manual = db.session.get(Manual, int(request.subject_id or 0))
    return manual is not None and can(actor, permissions.EDIT, manual)


def on_filed(request: ApprovalRequest, _decision: ApprovalDecision | None, actor: Actor) -> None:
    """The draft is closed."""
    reviewing.begin_review(request, actor)


def on_approved(request: ApprovalRequest, _decision: ApprovalDecision | None, actor: Actor) -> None:
    """The version is published."""
    reviewing.publish(request, actor)


def _reopen(kind: str):  # type: ignore[no-untyped-def]
    def react(request: ApprovalRequest, decision: ApprovalDecision | None, actor: Actor) -> None:
        note = decision.opinion if decision is not None else request.closing_note
        reviewing.reopen(request, kind, actor, note)

    return react


def on_retirement_approved(request: ApprovalRequest, _decision: ApprovalDecision | None, actor: Actor) -> None:
    """The manual ends."""
    reviewing.retire(request, actor)


def review_days() -> int:
    """Working days for signing."""
    return int(settings.get("sop.review_days"))


KINDS = (
    ApprovalKind(
        key=reviewing.VERSION_KIND,
        title=_l("Version of an SOP manual"),
        icon="journal-check",
        route=route,
        describe=describe,
        deadline_working_days=review_days,
        may_view=may_view,
        url=subject_url,
        edit_url=edit_url,
        on_filed=on_filed,
        on_approved=on_approved,
        on_rejected=_reopen("rejected"),
        on_returned=_reopen("returned"),
        on_withdrawn=_reopen("withdrawn"),
        on_expired=_reopen("expired"),
        on_cancelled=_reopen("cancelled"),
    ),
    ApprovalKind(
        key=reviewing.RETIREMENT_KIND,
        title=_l("Retirement of an SOP manual"),
        icon="journal-x",
        route=route,
        describe=describe_retirement,
        deadline_working_days=review_days,
        may_view=may_view,
        url=subject_url,
        on_approved=on_retirement_approved,
    ),
)
