"""The kind of request by which a supervisor accepts or returns a weekly report.

It is the approval engine's, and not a pair of states of its own: so the supervisor finds it in his inbox, his delegate
acts for him, it is reminded of, and the opinion of who returned it is kept.
"""

from __future__ import annotations

from collections.abc import Sequence

from plugins.archive.reports import queries, services
from plugins.archive.reports.models import ArchiveReport
from plugins.archive.reports.weeks import due_on, last_day, week_text
from portal.approvals.kinds import ApprovalKind, Description, Fact, StepSpec, SuperiorOf
from portal.approvals.models import ApprovalDecision, ApprovalRequest
from portal.core import clock
from portal.core.coded import N_
from portal.core.errors import NotFound
from portal.core.money import format_yuan
from portal.core.paths import path_for
from portal.extensions import db
from portal.i18n import _, _l
from portal.org.actor import Actor

SUPERVISOR_STEP = N_("Acceptance by the supervisor")


def _report(request: ApprovalRequest) -> ArchiveReport:
    return services.load(int(request.payload["report"]))


def route(request: ApprovalRequest) -> Sequence[StepSpec]:
    """R-ARC-3: the supervisor accepts or returns."""
    if request.applicant_id is None:
        raise NotFound()
    return [StepSpec("supervisor", SUPERVISOR_STEP, (SuperiorOf(request.applicant_id),))]


def describe(request: ApprovalRequest) -> Description:
    """What the supervisor sees: the week, whether in time, sums and how complete it is."""
    report = _report(request)
    sums = queries.sums_of(report.id)
    due = due_on(report.week, queries.days_after())
    submitted = clock.local(report.submitted_at).date() if report.submitted_at else None
    late = submitted is not None and submitted > due
    facts = [
        Fact(_("Account manager"), report.user.name, important=True),
        Fact(
            _("Week"),
            _(
                "%(week)s (%(first)s to %(last)s)",
                week=week_text(report.week),
                first=report.week,
                last=last_day(report.week),
            ),
            important=True,
            url=path_for("archive.report", report_id=report.id),
        ),
        Fact(_("Purchases of the week"), format_yuan(sums.amount, symbol=True), important=True),
        Fact(_("Customers"), str(sums.customers)),
        Fact(
            _("Stock entered"),
            _("%(done)s of %(all)s lines", done=sums.with_stock, all=sums.lines),
            tone="neutral" if sums.with_stock * 2 >= sums.lines else "warning",
        ),
    ]
    if report.remarks:
        facts.append(Fact(_("Remarks"), report.remarks))
    warning = _("Submitted after the day it was due (%(day)s).", day=due) if late else ""
    return Description(title=request.title, facts=tuple(facts), warning=warning)


def may_view(request: ApprovalRequest, actor: Actor) -> bool:
    """Those who oversee the account manager."""
    try:
        queries.load_report(int(request.payload["report"]), actor)
    except NotFound:
        return False
    return True


def on_filed(request: ApprovalRequest, _decision: ApprovalDecision | None, actor: Actor) -> None:
    """Submitted."""
    services.note_submitted(_report(request), request, actor)


def on_approved(request: ApprovalRequest, _decision: ApprovalDecision | None, actor: Actor) -> None:
    """Accepted."""
    services.accept(_report(request), actor)


def on_returned(request: ApprovalRequest, decision: ApprovalDecision | None, actor: Actor) -> None:
    """Returned with an opinion."""
    services.give_back(_report(request), actor, decision.opinion if decision else "")


def on_ended(request: ApprovalRequest, _decision: ApprovalDecision | None, _actor: Actor) -> None:
    """Taken back or expired."""
    services.reopen(_report(request))


def report_url(request: ApprovalRequest) -> str | None:
    """The report."""
    report = db.session.get(ArchiveReport, int(request.payload["report"]))
    return path_for("archive.report", report_id=report.id) if report else None


KINDS = (
    ApprovalKind(
        key=services.KIND,
        title=_l("Weekly sales report"),
        icon="calendar-week",
        route=route,
        describe=describe,
        low_risk=True,
        may_view=may_view,
        url=report_url,
        edit_url=report_url,
        on_filed=on_filed,
        on_approved=on_approved,
        on_rejected=on_returned,
        on_returned=on_returned,
        on_withdrawn=on_ended,
        on_expired=on_ended,
        on_cancelled=on_ended,
    ),
)
