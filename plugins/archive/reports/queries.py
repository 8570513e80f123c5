"""Reads of weekly reports: one's own weeks, a team's weeks, who is overdue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, exists, func, or_, select, true

from plugins.archive.reports.models import ACCEPTED, SUBMITTED, ArchiveReport, ArchiveReportLine
from plugins.archive.reports.vocabulary import MISSING, OVERDUE
from plugins.archive.reports.weeks import due_on, last_day, recent_weeks
from portal.core import clock, settings
from portal.core.errors import NotFound
from portal.core.permissions import visible
from portal.core.transaction import once_a_page
from portal.customers.models import Customer
from portal.customers.vocabulary import Status
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import ACCOUNT_MANAGER, EXECUTIVE, Department, User, UserRole
from portal.purchases.models import Product, Purchase, PurchaseLine

#: Products bought within these days are put into a new report.
PREFILL_DAYS = 60
#: The most lines of one report.
MOST_LINES = 150
#: Weeks for which somebody can be overdue: older ones are no longer chased.
CHASED_WEEKS = 4
DONE = (SUBMITTED, ACCEPTED)


def days_after() -> int:
    """Days after Sunday on which a report is still in time."""
    return int(settings.get("archive.report_weekday"))


def report_of(user_id: int, week: date) -> ArchiveReport | None:
    """The report of a person for a week."""
    return db.session.scalars(
        select(ArchiveReport).where(ArchiveReport.user_id == user_id, ArchiveReport.week == week)
    ).first()


def team_condition(actor: Actor) -> ColumnElement[bool]:
    """Condition on `User`: account managers whose reports the actor checks (all of them for executives)."""
    if EXECUTIVE in actor.roles or actor.is_system:
        return true()
    return or_(User.department_id.in_(sorted(actor.oversees)), User.supervisor_id == actor.user_id)


def load_report(report_id: int, actor: Actor) -> ArchiveReport:
    """One's own report, or one of the people one oversees. :raises NotFound: otherwise."""
    report = db.session.scalars(
        select(ArchiveReport)
        .join(User, User.id == ArchiveReport.user_id)
        .where(ArchiveReport.id == report_id, or_(ArchiveReport.user_id == actor.user_id, team_condition(actor)))
    ).first()
    if report is None:
        raise NotFound()
    return report


def lines_of(report: ArchiveReport, actor: Actor) -> list[Any]:
    """Lines of customers that the actor may see, by customer and product, with what the report before said."""
    before = (
        select(ArchiveReportLine.stock)
        .join(ArchiveReport, ArchiveReport.id == ArchiveReportLine.report_id)
        .where(
            ArchiveReport.user_id == report.user_id,
            ArchiveReport.week < report.week,
            ArchiveReport.state.in_(DONE),
            ArchiveReportLine.stock.is_not(None),
        )
        .order_by(ArchiveReport.week.desc())
        .limit(1)
    )
    line = ArchiveReportLine.__table__.alias("line")
    last_stock = before.where(
        ArchiveReportLine.customer_id == line.c.customer_id, ArchiveReportLine.product_id == line.c.product_id
    ).correlate(line)
    return list(
        db.session.execute(
            select(
                line.c.id,
                line.c.customer_id,
                line.c.product_id,
                line.c.bought,
                line.c.amount,
                line.c.stock,
                line.c.expected,
                line.c.remarks,
                Customer.name.label("customer"),
                Product.code,
                Product.name.label("product"),
                Product.unit,
                last_stock.scalar_subquery().label("last_stock"),
            )
            .join(Customer, Customer.id == line.c.customer_id)
            .join(Product, Product.id == line.c.product_id)
            .where(line.c.report_id == report.id, visible(actor, "customers.view"))
            .order_by(Customer.name_sort, Customer.id, Product.code)
        )
    )


def hidden_lines(report: ArchiveReport, shown: int) -> int:
    """How many lines are about customers that the actor may not see."""
    count = select(func.count()).select_from(ArchiveReportLine).where(ArchiveReportLine.report_id == report.id)
    return int(db.session.scalar(count) or 0) - shown


def to_report(user_id: int, week: date) -> list[tuple[int, int]]:
    """(customer, product) pairs that belong into a person's report: bought lately by customers he looks after now."""
    since = week - timedelta(days=PREFILL_DAYS)
    rows = db.session.execute(
        select(Purchase.customer_id, PurchaseLine.product_id)
        .join(PurchaseLine, PurchaseLine.purchase_id == Purchase.id)
        .join(Customer, Customer.id == Purchase.customer_id)
        .where(
            Customer.account_manager_id == user_id,
            Customer.status == Status.ACTIVE.value,
            Purchase.cancelled_at.is_(None),
            Purchase.purchased_on.between(since, last_day(week)),
        )
        .group_by(Purchase.customer_id, PurchaseLine.product_id)
        .order_by(func.max(Purchase.purchased_on).desc(), Purchase.customer_id, PurchaseLine.product_id)
        .limit(MOST_LINES)
    )
    return [(row.customer_id, row.product_id) for row in rows]


def bought_in(user_id: int, week: date) -> dict[tuple[int, int], tuple[int, Decimal]]:
    """(customer, product) → (units, yuan) bought in a week by customers a person looks after."""
    rows = db.session.execute(
        select(
            Purchase.customer_id,
            PurchaseLine.product_id,
            func.sum(PurchaseLine.quantity),
            func.sum(PurchaseLine.amount),
        )
        .join(PurchaseLine, PurchaseLine.purchase_id == Purchase.id)
        .join(Customer, Customer.id == Purchase.customer_id)
        .where(
            Customer.account_manager_id == user_id,
            Purchase.cancelled_at.is_(None),
            Purchase.purchased_on.between(week, last_day(week)),
        )
        .group_by(Purchase.customer_id, PurchaseLine.product_id)
    )
    return {(row[0], row[1]): (int(row[2]), row[3]) for row in rows}


@dataclass(frozen=True)
class WeekState:
    """How the report of one week stands. `state` is one of the report's, or missing or overdue."""

    week: date
    due: date
    state: str
    report_id: int | None
    submitted_on: date | None = None

    @property
    def is_open(self) -> bool:
        """Whether the account manager still has to do something."""
        return self.state not in DONE


def _state(week: date, report: Any, today: date) -> WeekState:
    due = due_on(week, days_after())
    if report is None:
        return WeekState(week, due, OVERDUE if today > due else MISSING, None)
    state = report.state
    if state not in DONE and today > due:
        state = OVERDUE
    submitted = clock.local(report.submitted_at).date() if report.submitted_at else None
    return WeekState(week, due, state, report.id, submitted)


def weeks_of(user_id: int, count: int = 12) -> list[WeekState]:
    """A person's weeks, newest first; asked once for a page."""
    today = clock.today()
    weeks = recent_weeks(today, count)

    def find() -> dict[Any, Any]:
        parameters = {"user_id": user_id, "first": weeks[-1]}
        return {row.week: row for row in db.session.execute(_weeks_statement(), parameters)}

    rows = once_a_page((weeks_of, user_id, weeks[-1]), find)
    return [_state(week, rows.get(week), today) for week in weeks]


@cache
def _weeks_statement() -> Select[*tuple[Any, ...]]:
    return select(ArchiveReport.id, ArchiveReport.week, ArchiveReport.state, ArchiveReport.submitted_at).where(
        ArchiveReport.user_id == bindparam("user_id"), ArchiveReport.week >= bindparam("first")
    )


@dataclass(frozen=True)
class TeamRow:
    """An account manager with his weeks, newest first."""

    user_id: int
    name: str
    department: str
    weeks: tuple[WeekState, ...]

    @property
    def overdue(self) -> int:
        """How many reports are overdue."""
        return sum(1 for week in self.weeks if week.state == OVERDUE)


def managers(where: Sequence[ColumnElement[bool]]) -> list[Any]:
    """Active account managers who look after customers: id, name, department."""
    return list(
        db.session.execute(
            select(User.id, User.name, User.department_id, Department.name.label("department"))
            .join(UserRole, UserRole.user_id == User.id)
            .join(Department, Department.id == User.department_id)
            .where(
                *where,
                UserRole.role == ACCOUNT_MANAGER,
                User.is_active,
                exists().where(Customer.account_manager_id == User.id, Customer.status == Status.ACTIVE.value),
            )
            .order_by(Department.path, User.name_sort, User.id)
        )
    )


def team(actor: Actor, count: int = 8) -> list[TeamRow]:
    """The account managers whose reports the actor checks, with their weeks; two statements."""
    today = clock.today()
    weeks = recent_weeks(today, count)
    people = managers([team_condition(actor)])
    ids = [row.id for row in people]
    found = {
        (row.user_id, row.week): row
        for row in db.session.execute(
            select(
                ArchiveReport.id,
                ArchiveReport.user_id,
                ArchiveReport.week,
                ArchiveReport.state,
                ArchiveReport.submitted_at,
            ).where(ArchiveReport.user_id.in_(ids), ArchiveReport.week >= weeks[-1])
        )
    }
    return [
        TeamRow(
            row.id,
            row.name,
            row.department,
            tuple(_state(week, found.get((row.id, week)), today) for week in weeks),
        )
        for row in people
    ]


def last_due_week(today: date) -> date:
    """The newest week whose report is or was due by today."""
    return next(week for week in recent_weeks(today, 4) if due_on(week, days_after()) <= today)


@dataclass(frozen=True)
class ReportSums:
    """What a report comes to."""

    lines: int
    customers: int
    with_stock: int
    amount: Decimal


def sums_of(report_id: int) -> ReportSums:
    """The sums of a report, in one statement."""
    line = ArchiveReportLine
    row = db.session.execute(
        select(
            func.count(),
            func.count(func.distinct(line.customer_id)),
            func.count(line.stock),
            func.coalesce(func.sum(line.amount), 0),
        ).where(line.report_id == report_id)
    ).one()
    return ReportSums(int(row[0]), int(row[1]), int(row[2]), Decimal(row[3]))
