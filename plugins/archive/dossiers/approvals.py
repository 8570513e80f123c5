"""The two kinds of request: a change of basic information (or a new customer), and a supplement."""

from __future__ import annotations

from collections.abc import Sequence

from plugins.archive.dossiers import changes
from plugins.archive.dossiers.fields import FIELDS, rows_of, shown
from plugins.archive.dossiers.models import NEW_CUSTOMER, REFUSED, SUPPLEMENT, TAKEN_BACK, ArchiveChange
from plugins.archive.dossiers.vocabulary import CHANGE_KINDS, PHASES, word
from plugins.archive.permissions import MAINTAIN
from portal.approvals.kinds import ApprovalKind, Description, Fact, RoleHolder, StepSpec, SuperiorOf
from portal.approvals.models import ApprovalDecision, ApprovalRequest
from portal.core.coded import N_
from portal.core.paths import path_for
from portal.core.permissions import can
from portal.customers.duplicates import find_duplicates
from portal.i18n import _, _l
from portal.org.actor import SYSTEM, Actor
from portal.org.models import ARCHIVE_MAINTAINER

CHECK_STEP = N_("Check by the supervisor")
POST_STEP = N_("Posting by an archive maintainer")


def _change_of(request: ApprovalRequest) -> ArchiveChange:
    return changes.load_change(int(request.payload["change"]))


def change_route(request: ApprovalRequest) -> Sequence[StepSpec]:
    """R-ARC-4: the supervisor checks, an archive maintainer posts."""
    post = StepSpec("post", POST_STEP, (RoleHolder(ARCHIVE_MAINTAINER),))
    if request.applicant_id is None:
        return [post]
    return [StepSpec("check", CHECK_STEP, (SuperiorOf(request.applicant_id),)), post]


def supplement_route(_request: ApprovalRequest) -> Sequence[StepSpec]:
    """R-ARC-3: the supervisor wrote it himself; an archive maintainer posts."""
    return [StepSpec("post", POST_STEP, (RoleHolder(ARCHIVE_MAINTAINER),))]


def describe(request: ApprovalRequest) -> Description:
    """What the supervisor and the maintainer see: each field before and after, as it stands now."""
    change = _change_of(request)
    facts = [Fact(_("Kind of request"), word(CHANGE_KINDS, change.kind), important=True)]
    if change.customer is not None:
        facts.append(
            Fact(
                _("Customer"),
                change.customer.name,
                important=True,
                url=path_for("archive.dossier", customer_id=change.customer.id),
            )
        )
    if change.kind == SUPPLEMENT:
        facts.append(Fact(_("Phase"), word(PHASES, change.after["phase"])))
        facts.append(Fact(_("Date"), change.after["dated_on"]))
        facts.append(Fact(_("Supplement"), change.after["body"], important=True))
    elif change.kind == NEW_CUSTOMER:
        facts.append(Fact(_("Customer is"), shown("party", change.after.get("party", ""))))
        facts.extend(
            Fact(label, shown(field, change.after[field]), important=field == "name")
            for field, label in FIELDS.items()
            if change.after.get(field)
        )
    else:
        facts.extend(
            Fact(label, _("%(before)s → %(after)s", before=before or "—", after=after or "—"), important=True)
            for label, before, after in rows_of(changes.present_before(change), change.after)
        )
    if change.reason:
        facts.append(Fact(_("Reason"), change.reason))
    return Description(title=request.title, facts=tuple(facts), warning=_warning(change))


def _warning(change: ArchiveChange) -> str:
    if change.kind == NEW_CUSTOMER and change.customer_id is None:
        # As the portal itself: names and owners only are shown, and everybody may see those.
        alike = find_duplicates(
            SYSTEM, name=change.after.get("name", ""), credit_code=change.after.get("credit_code", "")
        )
        if alike:
            first = alike[0]
            return _(
                "There may be such a customer already: %(name)s (%(department)s, %(manager)s).",
                name=first.name,
                department=first.department,
                manager=first.account_manager or _("no account manager"),
            )
    elif changes.present_before(change) != change.before and change.state == "open":
        return _("The record was changed since this was filed; the values shown are those of now.")
    return ""


def may_view(request: ApprovalRequest, actor: Actor) -> bool:
    """Maintainers see what they post; whoever may view the customer sees what is asked about it."""
    if can(actor, MAINTAIN):
        return True
    return request.customer_id is not None and can(actor, "customers.view", request.customer_id)


def on_filed(request: ApprovalRequest, _decision: ApprovalDecision | None, _actor: Actor) -> None:
    """Each round of the request is noted with the change."""
    changes.reopen(_change_of(request), request)


def on_approved(request: ApprovalRequest, _decision: ApprovalDecision | None, actor: Actor) -> None:
    """Post it."""
    changes.post(_change_of(request), actor)


def on_refused(request: ApprovalRequest, _decision: ApprovalDecision | None, actor: Actor) -> None:
    """Nothing changes."""
    changes.end(_change_of(request), REFUSED, actor)


def on_taken_back(request: ApprovalRequest, _decision: ApprovalDecision | None, actor: Actor) -> None:
    """Taken back by who asked, or ended by the portal."""
    changes.end(_change_of(request), TAKEN_BACK, actor)


def subject_url(request: ApprovalRequest) -> str | None:
    """The dossier."""
    return path_for("archive.dossier", customer_id=request.customer_id) if request.customer_id else None


def _kind(key: str, title: object, route: object, icon: str) -> ApprovalKind:
    return ApprovalKind(
        key=key,
        title=title,
        icon=icon,
        route=route,  # type: ignore[arg-type]
        describe=describe,
        may_view=may_view,
        url=subject_url,
        on_filed=on_filed,
        on_approved=on_approved,
        on_rejected=on_refused,
        on_returned=on_refused,
        on_withdrawn=on_taken_back,
        on_expired=on_taken_back,
        on_cancelled=on_taken_back,
    )


KINDS = (
    _kind(changes.CHANGE_KIND, _l("Change of a dossier"), change_route, "pencil-square"),
    _kind(changes.SUPPLEMENT_KIND, _l("Supplement to a dossier"), supplement_route, "journal-plus"),
)
