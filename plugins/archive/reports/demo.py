"""Weekly reports, targets and the jobs behind the figures of the demo company. Chinese here is data."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import insert, select

from plugins.archive.reports import queries, services
from plugins.archive.reports.models import (
    ACCEPTED,
    MONTH,
    YEAR,
    ArchiveReport,
    ArchiveReportLine,
    ArchiveTarget,
)
from plugins.archive.reports.weeks import last_day, recent_weeks
from portal.core import clock
from portal.customers.models import Customer
from portal.extensions import db
from portal.i18n import speaking
from portal.jobs.services import enqueue
from portal.org.actor import SYSTEM, load_actor
from portal.org.models import Department, User
from portal.purchases import queries as purchases
from portal.purchases.models import Product
from portal.purchases.periods import period

SEED = 20260413
WEEKS = 10
LINES = 14
REMARKS = (
    "",
    "",
    "",
    "",
    "按月补货，节奏稳定",
    "仓库盘点后确认",
    "预计月底集中下单",
    "价格敏感，关注促销",
    "新园区启用，需求上升",
)


def load() -> None:
    """Fill the demo company (inside its transaction)."""
    rng = random.Random(SEED)
    _reports(rng)
    _targets(rng)
    # The worker computes them after the start.
    enqueue("archive.outlooks", SYSTEM, unique_key="archive.outlooks")
    enqueue("archive.forecasts", SYSTEM, unique_key="archive.forecasts")


def _reports(rng: random.Random) -> None:
    today = clock.today()
    weeks = recent_weeks(today, WEEKS + 1)
    days = {row.id: row.days_per_unit for row in db.session.execute(select(Product.id, Product.days_per_unit))}
    lines: list[dict[str, object]] = []
    for place, person in enumerate(queries.managers([])):
        pairs = queries.to_report(person.id, weeks[0])[:LINES]
        stock = {pair: rng.randrange(4, 40) for pair in pairs}
        for number, week in enumerate(reversed(weeks[1:])):
            newest = number == WEEKS - 1
            # Some are late with the last week: lists of overdue reports have something to say.
            if newest and (place % 5 == 3 or person.name == "陈晓"):
                continue
            if number == WEEKS - 3 and place % 7 == 5:
                continue
            lines += _report(person.id, week, pairs, stock, days, rng, late=rng.random() < 0.12)
    if lines:
        db.session.execute(insert(ArchiveReportLine), lines)
    with speaking("zh_Hans_CN"):
        _waiting(weeks[1], today)


def _report(
    user_id: int,
    week: date,
    pairs: list[tuple[int, int]],
    stock: dict[tuple[int, int], int],
    days: dict[int, int | None],
    rng: random.Random,
    late: bool,
) -> list[dict[str, object]]:
    end = clock.day_bounds(last_day(week))[0]
    submitted = end + timedelta(days=3 if late else 0, hours=17, minutes=rng.randrange(50))
    report = ArchiveReport(
        user_id=user_id,
        week=week,
        state=ACCEPTED,
        created_at=end - timedelta(days=2),
        saved_at=submitted,
        submitted_at=submitted,
        accepted_at=submitted + timedelta(hours=16),
        remarks="本周拜访按计划完成，重点客户库存正常。" if rng.random() < 0.4 else "",
    )
    db.session.add(report)
    db.session.flush()
    bought = queries.bought_in(user_id, week)
    found: list[dict[str, object]] = []
    for pair in pairs:
        units, amount = bought.get(pair, (0, Decimal("0")))
        used = max(1, round(7 / (days.get(pair[1]) or 25) * 2 + rng.random()))
        stock[pair] = max(0, stock[pair] + units - used) or rng.randrange(1, 8)
        found.append(
            {
                "report_id": report.id,
                "customer_id": pair[0],
                "product_id": pair[1],
                "bought": units,
                "amount": amount,
                "stock": stock[pair] if rng.random() < 0.85 else None,
                "expected": rng.choice((0, 5, 10, 20, 30)) if rng.random() < 0.5 else None,
                "remarks": rng.choice(REMARKS),
            }
        )
    return found


def _waiting(week: date, today: date) -> None:
    """The last week of the first account manager waits for his supervisor; a draft of this week is begun."""
    user = db.session.scalars(select(User).where(User.login == "chenxiao")).first()
    if user is None:
        return
    actor = load_actor(user.id)
    report = services.begin_report(user.id, week, actor)
    for number, line in enumerate(
        db.session.scalars(select(ArchiveReportLine).where(ArchiveReportLine.report_id == report.id))
    ):
        line.stock, line.expected = 6 + number * 7 % 30, (number * 5) % 25
    report.remarks = "本周完成三家客户拜访；两家提出提前备货，已列入预计订单。"
    db.session.flush()
    services.submit_report(report.id, "demo-archive-report", actor)
    services.begin_report(user.id, today - timedelta(days=today.weekday()), actor)


def _targets(rng: random.Random) -> None:
    """Monthly targets of this year and yearly ones, from the sales of the last twelve months."""
    today = clock.today()
    last = period("", today)
    cube = purchases.sales_cube(SYSTEM, last).value
    by_department, by_manager = cube.by_department(), cube.by_manager()
    owned = set(db.session.scalars(select(Customer.department_id).distinct()))
    for department in db.session.scalars(select(Department).where(Department.id.in_(owned))):
        if department.id in by_department:
            _target(f"department:{department.id}", None, department.id, by_department[department.id].total, rng)
    for person in queries.managers([]):
        if person.id in by_manager:
            _target(f"user:{person.id}", person.id, None, by_manager[person.id].total, rng)
    db.session.flush()


def _target(owner: str, user_id: int | None, department_id: int | None, base: Decimal, rng: random.Random) -> None:
    year = clock.today().year
    yearly = (base * Decimal(rng.choice(("0.85", "0.95", "1.05", "1.15", "1.30")))).quantize(
        Decimal("1000")
    ) or Decimal("10000")
    rows = [(YEAR, 1, yearly), *((MONTH, month, (yearly / 12).quantize(Decimal("1E2"))) for month in range(1, 13))]
    rows += [("quarter", quarter, (yearly / 4).quantize(Decimal("1E2"))) for quarter in range(1, 5)]
    for kind, number, amount in rows:
        db.session.add(
            ArchiveTarget(
                user_id=user_id,
                department_id=department_id,
                owner=owner,
                period=kind,
                year=year,
                number=number,
                amount=amount,
                set_at=clock.now(),
            )
        )
