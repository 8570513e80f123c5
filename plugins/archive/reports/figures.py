"""Targets and attainment, assessment of account managers, forecasts, planning (R-ARC-2). What an actor sees follows the
customers he may view."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from plugins.archive.reports import queries
from plugins.archive.reports.models import (
    ACCEPTED,
    MONTH,
    QUARTER,
    SUBMITTED,
    YEAR,
    ArchiveForecast,
    ArchiveOutlook,
    ArchiveReport,
    ArchiveReportLine,
    ArchiveTarget,
)
from plugins.archive.reports.weeks import due_on, recent_weeks
from portal.core import clock
from portal.core.permissions import visible
from portal.customers.models import Customer, CustomerStageChange, Interaction
from portal.customers.vocabulary import Stage
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import ACCOUNT_MANAGER, EXECUTIVE, Department, User
from portal.purchases import queries as purchases
from portal.purchases.models import Product, Purchase
from portal.purchases.periods import LAST_12, Month, Period, period, shifted

ZERO = Decimal("0")
#: Weeks by which the punctuality of reports is judged.
PUNCTUAL_WEEKS = 12
#: Shares of the four measures in the index of an account manager, in percent.
WEIGHTS = {"attainment": 40, "growth": 20, "reports": 20, "payment": 20}
#: Open purchases older than this count as overdue.
OVERDUE_DAYS = 60


def span_of(kind: str, year: int, number: int) -> Period:
    """The months of a target's period. :param kind: month, quarter or year."""
    if kind == MONTH:
        return Period(kind, (year, number), (year, number))
    if kind == QUARTER:
        return Period(kind, (year, number * 3 - 2), (year, number * 3))
    return Period(YEAR, (year, 1), (year, 12))


def elapsed(span: Period, today: date) -> float:
    """Which part of a period has passed, 0 … 1."""
    if today > span.end:
        return 1.0
    if today < span.begin:
        return 0.0
    return ((today - span.begin).days + 1) / ((span.end - span.begin).days + 1)


@dataclass(frozen=True)
class TargetRow:
    """A department or an account manager with target and attainment.

    :ivar owner: "department:3" or "user:12". :ivar may_set: whether the actor sets this target.
    """

    owner: str
    name: str
    is_department: bool
    target: Decimal | None
    actual: Decimal
    may_set: bool

    @property
    def percent(self) -> int | None:
        """Attainment in percent; None without a target."""
        return purchases.share(self.actual, self.target) if self.target else None


def people_of(actor: Actor) -> list[Any]:
    """The account managers whose figures the actor sees: those he checks, or himself alone."""
    where = [] if EXECUTIVE in actor.roles else [queries.team_condition(actor)]
    found = queries.managers(where) if where or EXECUTIVE in actor.roles else []
    if not any(row.id == actor.user_id for row in found) and ACCOUNT_MANAGER in actor.roles:
        found = [*found, *queries.managers([User.id == actor.user_id])]
    return found


def departments_of(actor: Actor) -> list[Any]:
    """The departments that the actor oversees and that own customers: id and name, by the tree."""
    statement = select(Department.id, Department.name).where(
        Department.is_active, Department.id.in_(select(Customer.department_id).distinct())
    )
    if EXECUTIVE not in actor.roles:
        statement = statement.where(Department.id.in_(sorted(actor.oversees)))
    return list(db.session.execute(statement.order_by(Department.path)))


def targets(actor: Actor, kind: str, year: int, number: int) -> list[TargetRow]:
    """Departments first, then account managers, each with target and attainment of a period."""
    cube = purchases.sales_cube(actor, span_of(kind, year, number)).value
    by_department, by_manager = cube.by_department(), cube.by_manager()
    found = {
        row.owner: row.amount
        for row in db.session.execute(
            select(ArchiveTarget.owner, ArchiveTarget.amount).where(
                ArchiveTarget.period == kind, ArchiveTarget.year == year, ArchiveTarget.number == number
            )
        )
    }
    sets_all = EXECUTIVE in actor.roles
    rows = [
        TargetRow(
            f"department:{row.id}",
            row.name,
            True,
            found.get(f"department:{row.id}"),
            by_department[row.id].total if row.id in by_department else ZERO,
            sets_all or row.id in actor.oversees,
        )
        for row in departments_of(actor)
    ]
    rows += [
        TargetRow(
            f"user:{row.id}",
            row.name,
            False,
            found.get(f"user:{row.id}"),
            by_manager[row.id].total if row.id in by_manager else ZERO,
            sets_all or row.department_id in actor.oversees,
        )
        for row in people_of(actor)
    ]
    return rows


# ---- assessment of account managers --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Assessment:
    """An account manager's measures; percentages are whole numbers, None where nothing can be said.

    :ivar index: the weighted mean of what can be said, 0 … 100 (attainment and growth are capped at 100 and 100).
    """

    user_id: int
    name: str
    department: str
    sales: Decimal
    growth: int | None
    attainment: int | None
    margin: int | None
    customers: int
    buyers: int
    won: int
    contacts: int
    punctual: int | None
    overdue_share: int | None
    overdue: Decimal
    index: int | None


def assessments(actor: Actor) -> list[Assessment]:
    """The measures of the last twelve months for each account manager the actor sees; a fixed number of statements."""
    today = clock.today()
    span = period(LAST_12, today)
    now = purchases.sales_cube(actor, span).value.by_manager()
    before = purchases.sales_cube(actor, span.before()).value.by_manager()
    people = people_of(actor)
    ids = [row.id for row in people]
    sight = visible(actor, "customers.view")
    customers = _counted(
        select(Customer.account_manager_id, func.count()).where(sight, Customer.account_manager_id.in_(ids))
    )
    buyers = _counted(
        select(Customer.account_manager_id, func.count()).where(
            sight, Customer.account_manager_id.in_(ids), Customer.last_purchase_on >= span.begin
        )
    )
    won = _counted(
        select(Customer.account_manager_id, func.count(func.distinct(Customer.id)))
        .join(CustomerStageChange, CustomerStageChange.customer_id == Customer.id)
        .where(
            sight,
            Customer.account_manager_id.in_(ids),
            CustomerStageChange.to_stage == Stage.ORDERING.value,
            CustomerStageChange.changed_at >= clock.day_bounds(span.begin)[0],
        )
    )
    contacts = _counted(
        select(Interaction.author_id, func.count())
        .join(Customer, Customer.id == Interaction.customer_id)
        .where(
            sight,
            Interaction.author_id.in_(ids),
            Interaction.cancelled_at.is_(None),
            Interaction.at >= clock.day_bounds(span.begin)[0],
        ),
        Interaction.author_id,
    )
    late: dict[int, Any] = {
        int(row[0] or 0): (row[1], row[2])
        for row in db.session.execute(
            select(
                Customer.account_manager_id,
                func.sum(Purchase.total),
                func.sum(Purchase.total).filter(Purchase.purchased_on < today - timedelta(days=OVERDUE_DAYS)),
            )
            .join(Customer, Customer.id == Purchase.customer_id)
            .where(sight, Customer.account_manager_id.in_(ids), purchases.is_open())
            .group_by(Customer.account_manager_id)
        )
    }
    punctual = _punctual(ids, today)
    goal = _goals(ids, span)
    return sorted(
        (_assessment(row, now, before, customers, buyers, won, contacts, late, punctual, goal) for row in people),
        key=lambda one: (-(one.index if one.index is not None else -1), -one.sales),
    )


def _counted(statement: Any, group: Any = None) -> dict[int, int]:
    group = Customer.account_manager_id if group is None else group
    return {row[0]: int(row[1]) for row in db.session.execute(statement.group_by(group))}


def _punctual(ids: list[int], today: date) -> dict[int, int]:
    """Share of the reports of the last twelve due weeks that were submitted in time, in percent."""
    weeks = [week for week in recent_weeks(today, PUNCTUAL_WEEKS + 2) if due_on(week, queries.days_after()) < today]
    weeks = weeks[:PUNCTUAL_WEEKS]
    if not weeks:
        return {}
    in_time = dict.fromkeys(ids, 0)
    for row in db.session.execute(
        select(ArchiveReport.user_id, ArchiveReport.week, ArchiveReport.submitted_at).where(
            ArchiveReport.user_id.in_(ids),
            ArchiveReport.week.in_(weeks),
            ArchiveReport.state.in_((SUBMITTED, ACCEPTED)),
        )
    ):
        day = clock.local(row.submitted_at).date() if row.submitted_at else None
        in_time[row.user_id] += day is not None and day <= due_on(row.week, queries.days_after())
    return {person: round(count * 100 / len(weeks)) for person, count in in_time.items()}


def _goals(ids: list[int], span: Period) -> dict[int, Decimal]:
    """Monthly targets of the last twelve months; where none are set, the part of the yearly ones."""
    months = set(span.months)
    monthly: dict[int, Decimal] = {}
    yearly: dict[int, Decimal] = {}
    for row in db.session.execute(
        select(
            ArchiveTarget.user_id, ArchiveTarget.period, ArchiveTarget.year, ArchiveTarget.number, ArchiveTarget.amount
        ).where(ArchiveTarget.user_id.in_(ids))
    ):
        if row.period == MONTH and (row.year, row.number) in months:
            monthly[row.user_id] = monthly.get(row.user_id, ZERO) + row.amount
        elif row.period == YEAR:
            part = sum(1 for month in months if month[0] == row.year)
            yearly[row.user_id] = yearly.get(row.user_id, ZERO) + row.amount * part / 12
    return {**yearly, **monthly}


def _assessment(
    row: Any,
    now: Any,
    before: Any,
    customers: dict[int, int],
    buyers: dict[int, int],
    won: dict[int, int],
    contacts: dict[int, int],
    late: dict[int, Any],
    punctual: dict[int, int],
    goal: dict[int, Decimal],
) -> Assessment:
    sums, earlier = now.get(row.id), before.get(row.id)
    sales = sums.total if sums else ZERO
    past = earlier.total if earlier else ZERO
    growth = int(((sales - past) * 100 / past).to_integral_value()) if past else None
    attainment = purchases.share(sales, goal[row.id]) if goal.get(row.id) else None
    _open_all, open_late = late.get(row.id, (ZERO, ZERO))
    overdue = open_late or ZERO
    overdue_share = purchases.share(overdue, sales) if sales else None
    parts = {
        "attainment": None if attainment is None else min(attainment, 100),
        # No growth at all is the middle; plus or minus fifty percent are the ends.
        "growth": None if growth is None else max(0, min(100, 50 + growth)),
        "reports": punctual.get(row.id),
        "payment": None if overdue_share is None else max(0, 100 - overdue_share * 2),
    }
    known = {key: value for key, value in parts.items() if value is not None}
    weight = sum(WEIGHTS[key] for key in known)
    return Assessment(
        user_id=row.id,
        name=row.name,
        department=row.department,
        sales=sales,
        growth=growth,
        attainment=attainment,
        margin=purchases.share(sales - sums.cost, sales) if sums else None,
        customers=customers.get(row.id, 0),
        buyers=buyers.get(row.id, 0),
        won=won.get(row.id, 0),
        contacts=contacts.get(row.id, 0),
        punctual=punctual.get(row.id),
        overdue_share=overdue_share,
        overdue=overdue,
        index=round(sum(value * WEIGHTS[key] for key, value in known.items()) / weight) if weight else None,
    )


# ---- forecasts -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Owner:
    """Whose sales are forecast: the company, a department or an account manager."""

    key: str
    name: str


def forecast_owners(actor: Actor, company: str) -> list[Owner]:
    """Whose forecasts the actor may see. :param company: name of the organisation."""
    owners = [Owner("company", company)] if EXECUTIVE in actor.roles else []
    owners += [Owner(f"department:{row.id}", row.name) for row in departments_of(actor)]
    return owners + [Owner(f"user:{row.id}", row.name) for row in people_of(actor)]


def newest_forecast(owner: str) -> ArchiveForecast | None:
    """The newest forecast of an owner."""
    return db.session.scalars(
        select(ArchiveForecast).where(ArchiveForecast.owner == owner).order_by(ArchiveForecast.id.desc()).limit(1)
    ).first()


def last_complete_month(today: date) -> Month:
    """The month before the present one; the present one itself on its last day."""
    if today.day == monthrange(today.year, today.month)[1]:
        return today.year, today.month
    return shifted((today.year, today.month), -1)


# ---- planning ------------------------------------------------------------------------------------------------------


def expected_orders(actor: Actor) -> list[Any]:
    """What the newest weekly reports expect in orders, per product: units, and yuan at list price."""
    newest = (
        select(ArchiveReport.user_id, func.max(ArchiveReport.week).label("week"))
        .where(ArchiveReport.state.in_((SUBMITTED, ACCEPTED)), ArchiveReport.week >= clock.today() - timedelta(days=35))
        .group_by(ArchiveReport.user_id)
        .subquery()
    )
    return list(
        db.session.execute(
            select(
                Product.id,
                Product.code,
                Product.name,
                Product.unit,
                Product.list_price,
                func.sum(ArchiveReportLine.expected).label("units"),
                func.count(func.distinct(ArchiveReportLine.customer_id)).label("customers"),
            )
            .join(ArchiveReportLine, ArchiveReportLine.product_id == Product.id)
            .join(ArchiveReport, ArchiveReport.id == ArchiveReportLine.report_id)
            .join(newest, (newest.c.user_id == ArchiveReport.user_id) & (newest.c.week == ArchiveReport.week))
            .join(Customer, Customer.id == ArchiveReportLine.customer_id)
            .where(ArchiveReportLine.expected > 0, visible(actor, "customers.view"))
            .group_by(Product.id, Product.code, Product.name, Product.unit, Product.list_price)
            .order_by(func.sum(ArchiveReportLine.expected).desc(), Product.code)
            .limit(20)
        )
    )


def running_out(actor: Actor, days: int) -> tuple[int, int]:
    """(customers, products at customers) whose stock runs out within so many days."""
    today = clock.today()
    row = db.session.execute(
        select(func.count(func.distinct(ArchiveOutlook.customer_id)), func.count())
        .join(Customer, Customer.id == ArchiveOutlook.customer_id)
        .where(visible(actor, "customers.view"), ArchiveOutlook.runs_out.between(today, today + timedelta(days=days)))
    ).one()
    return int(row[0]), int(row[1])
