"""Weekly reports: begin, save, submit, accept or return; targets. Nothing here commits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from plugins.archive.actions import ArchiveAction
from plugins.archive.permissions import REPORT, SET_TARGETS
from plugins.archive.reports import queries
from plugins.archive.reports.models import (
    ACCEPTED,
    DRAFT,
    MONTH,
    PERIODS,
    QUARTER,
    RETURNED,
    SUBMITTED,
    ArchiveReport,
    ArchiveReportLine,
    ArchiveTarget,
)
from plugins.archive.reports.weeks import is_reportable, week_text
from portal.approvals.models import EXPIRED, REJECTED, WITHDRAWN, ApprovalRequest
from portal.approvals.models import RETURNED as REQUEST_RETURNED
from portal.approvals.services import file_request, resubmit
from portal.audit.services import record
from portal.core import clock
from portal.core.errors import Conflict, ErrorList, Invalid, NotAllowed, NotFound
from portal.core.permissions import require
from portal.extensions import db
from portal.i18n import _
from portal.jobs.services import enqueue
from portal.org.actor import Actor
from portal.org.models import EXECUTIVE, Department, User

KIND = "archive.report"
STATISTICS_JOB = "archive.statistics_files"
REMARKS_LENGTH, LINE_REMARKS_LENGTH = 2000, 300
MOST_UNITS = 10_000_000


@dataclass(frozen=True)
class LineInput:
    """What was entered in one line; None where nothing was."""

    stock: int | None
    expected: int | None
    remarks: str = ""


def begin_report(user_id: int, week: date, actor: Actor) -> ArchiveReport:
    """The report of a person for a week; made with lines from the purchases when there is none yet.

    :raises Invalid: no Monday, a week that has not begun, or one more than a year ago.
    """
    if not actor.is_system:
        require(actor, REPORT)
        if actor.user_id != user_id:
            raise NotAllowed(_("Everybody submits his own report."))
    if not is_reportable(week, clock.today()):
        raise Invalid([("week", _("There is no report for this week."))])
    found = queries.report_of(user_id, week)
    if found is not None:
        return found
    now = clock.now()
    report = ArchiveReport(user_id=user_id, week=week, state=DRAFT, created_at=now, saved_at=now)
    db.session.add(report)
    db.session.flush()
    _fill(report)
    return report


def _fill(report: ArchiveReport) -> None:
    """Bring the lines in line with the purchases: new ones are added, figures of the week refreshed, nothing entered is
    lost."""
    bought = queries.bought_in(report.user_id, report.week)
    lines = {
        (line.customer_id, line.product_id): line
        for line in db.session.scalars(select(ArchiveReportLine).where(ArchiveReportLine.report_id == report.id))
    }
    for key in dict.fromkeys([*queries.to_report(report.user_id, report.week), *bought]):
        if key not in lines:
            lines[key] = ArchiveReportLine(report_id=report.id, customer_id=key[0], product_id=key[1])
            db.session.add(lines[key])
    for key, line in lines.items():
        line.bought, line.amount = bought.get(key, (0, Decimal("0")))
    db.session.flush()


def _own_open(report_id: int, actor: Actor) -> ArchiveReport:
    report = db.session.get(ArchiveReport, report_id, with_for_update=True, populate_existing=True)
    if report is None or report.user_id != actor.user_id:
        raise NotFound()
    require(actor, REPORT)
    if report.state not in (DRAFT, RETURNED):
        raise Conflict(_("This report was submitted already."))
    return report


def save_report(
    report_id: int, lines: Mapping[int, LineInput], remarks: str, version: int, actor: Actor
) -> ArchiveReport:
    """Keep what was entered so far.

    :raises Invalid: numbers out of range, texts too long: fields "stock-7", "expected-7", "remarks-7" of line 7.
    :raises Conflict: submitted already, or saved meanwhile in another window.
    """
    report = _own_open(report_id, actor)
    if report.version != version:
        raise Conflict(_("This report was saved in another window meanwhile. Open it again."))
    errors = ErrorList()
    if len(remarks.strip()) > REMARKS_LENGTH:
        errors.add("remarks", _("At most %(n)s characters.", n=REMARKS_LENGTH))
    for number, entered in lines.items():
        for field, value in (("stock", entered.stock), ("expected", entered.expected)):
            if value is not None and not 0 <= value <= MOST_UNITS:
                errors.add(f"{field}-{number}", _("Enter a whole number from 0 on."))
        if len(entered.remarks) > LINE_REMARKS_LENGTH:
            errors.add(f"remarks-{number}", _("At most %(n)s characters.", n=LINE_REMARKS_LENGTH))
    errors.raise_if_any()
    for line in db.session.scalars(select(ArchiveReportLine).where(ArchiveReportLine.report_id == report.id)):
        entered_line = lines.get(line.id)
        if entered_line is not None:
            line.stock, line.expected, line.remarks = (
                entered_line.stock,
                entered_line.expected,
                entered_line.remarks.strip(),
            )
    report.remarks, report.saved_at = remarks.strip(), clock.now()
    db.session.flush()
    return report


def submit_report(report_id: int, token: str, actor: Actor) -> ApprovalRequest:
    """Hand the report to the supervisor. :raises Conflict: submitted already."""
    repeated = db.session.scalars(select(ApprovalRequest).where(ApprovalRequest.token == token)).first()
    if repeated is not None:
        return repeated
    report = _own_open(report_id, actor)
    _fill(report)
    earlier = db.session.get(ApprovalRequest, report.request_id) if report.request_id else None
    title = _("Weekly sales report %(week)s: %(name)s", week=week_text(report.week), name=actor.name)
    if earlier is not None and earlier.state in (REQUEST_RETURNED, REJECTED, WITHDRAWN, EXPIRED):
        return resubmit(earlier.id, actor, token=token, title=title)
    return file_request(
        KIND,
        actor,
        subject_type="archive_report",
        subject_id=report.id,
        title=title,
        payload={"report": report.id},
        department_id=actor.department_id,
        token=token,
    )


# ---- reactions of the approval engine ------------------------------------------------------------------------------


def load(report_id: int) -> ArchiveReport:
    """A report. :raises NotFound: when there is none."""
    report = db.session.get(ArchiveReport, report_id)
    if report is None:
        raise NotFound()
    return report


def note_submitted(report: ArchiveReport, request: ApprovalRequest, actor: Actor) -> None:
    """A round of its request was filed."""
    report.state, report.request_id, report.submitted_at = SUBMITTED, request.id, clock.now()
    db.session.flush()
    _record(report, ArchiveAction.REPORT_SUBMITTED, actor)


def accept(report: ArchiveReport, actor: Actor) -> None:
    """The supervisor accepted it: its figures count, and the statistics reports of its customers are made anew."""
    report.state, report.accepted_at = ACCEPTED, clock.now()
    db.session.flush()
    _record(report, ArchiveAction.REPORT_ACCEPTED, actor)
    enqueue(
        STATISTICS_JOB,
        actor,
        title=_("Statistics reports of week %(week)s", week=week_text(report.week)),
        parameters={"report_id": report.id},
        unique_key=f"archive-report-{report.id}",
        as_system=True,
    )


def give_back(report: ArchiveReport, actor: Actor, reason: str = "") -> None:
    """Returned or refused by the supervisor: it can be completed and submitted again."""
    report.state = RETURNED
    db.session.flush()
    _record(report, ArchiveAction.REPORT_RETURNED, actor, reason=reason)


def reopen(report: ArchiveReport) -> None:
    """Taken back, or the request ended without a decision: a draft again."""
    report.state = DRAFT
    db.session.flush()


def _record(report: ArchiveReport, action: ArchiveAction, actor: Actor, **details: Any) -> None:
    record(
        actor,
        action,
        object_type="archive_report",
        object_id=report.id,
        object_label=f"{week_text(report.week)} {report.user.name}",
        new={"state": report.state},
        **details,
    )


# ---- targets -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TargetInput:
    """A target of a person (`user_id`) or a department (`department_id`), yuan; None takes it away."""

    period: str
    year: int
    number: int
    amount: Decimal | None
    user_id: int | None = None
    department_id: int | None = None


def set_target(data: TargetInput, actor: Actor) -> ArchiveTarget | None:
    """Set, change or take away a target. Heads set those of their departments and the people in them.

    :raises NotAllowed: somebody else's department. :raises Invalid: period or amount out of range.
    """
    require(actor, SET_TARGETS)
    _check_period(data)
    department_id = data.department_id
    if data.user_id is not None:
        person = db.session.get(User, data.user_id)
        if person is None:
            raise NotFound()
        department_id = person.department_id
    if department_id is None or db.session.get(Department, department_id) is None:
        raise NotFound()
    if EXECUTIVE not in actor.roles and department_id not in actor.oversees:
        raise NotAllowed(_("Heads set the targets of their own departments."))
    owner = f"user:{data.user_id}" if data.user_id is not None else f"department:{data.department_id}"
    target = db.session.scalars(
        select(ArchiveTarget)
        .where(
            ArchiveTarget.owner == owner,
            ArchiveTarget.period == data.period,
            ArchiveTarget.year == data.year,
            ArchiveTarget.number == data.number,
        )
        .with_for_update()
    ).first()
    old = target.amount if target else None
    if old == data.amount:
        return target
    if data.amount is None:
        db.session.delete(target)
        target = None
    elif target is None:
        target = ArchiveTarget(
            user_id=data.user_id,
            department_id=None if data.user_id is not None else data.department_id,
            owner=owner,
            period=data.period,
            year=data.year,
            number=data.number,
            amount=data.amount,
            set_at=clock.now(),
            set_by_id=actor.user_id,
        )
        db.session.add(target)
    else:
        target.amount, target.set_at, target.set_by_id = data.amount, clock.now(), actor.user_id
    db.session.flush()
    record(
        actor,
        ArchiveAction.TARGET_SET,
        object_type="archive_target",
        object_id=target.id if target else None,
        object_label=f"{owner} {data.period} {data.year}-{data.number}",
        old={"amount": old},
        new={"amount": data.amount},
    )
    return target


def _check_period(data: TargetInput) -> None:
    errors = ErrorList()
    most = 12 if data.period == MONTH else 4 if data.period == QUARTER else 1
    if data.period not in PERIODS or not 1 <= data.number <= most or not 2000 <= data.year <= 2100:
        errors.add("", _("There is no such period."))
    if data.amount is not None and (data.amount < 0 or data.amount > Decimal("1e12")):
        errors.add("amount", _("Enter an amount from zero on."))
    errors.raise_if_any()
