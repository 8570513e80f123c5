"""Background work: drafts, reminders, statistics files, outlooks, forecasts, scan, quarantine."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, func, select

from plugins.archive import checking, vault
from plugins.archive.dossiers import producing
from plugins.archive.dossiers import queries as dossiers
from plugins.archive.dossiers import services as dossier_services
from plugins.archive.dossiers.models import QUARANTINED, STATISTICS, ArchiveFile
from plugins.archive.dossiers.statistics import quarter_of
from plugins.archive.permissions import SCAN
from plugins.archive.reports import queries, services, stock
from plugins.archive.reports.figures import last_complete_month
from plugins.archive.reports.forecasting import forecast
from plugins.archive.reports.models import ACCEPTED, DRAFT, RETURNED, ArchiveForecast, ArchiveReport, ArchiveReportLine
from plugins.archive.reports.weeks import due_on, monday_of, week_text
from portal.core import clock, settings
from portal.core.jobs import Job, JobContext, Schedule
from portal.core.paths import path_for
from portal.core.transaction import transaction
from portal.core.uploads import scanner
from portal.customers.models import Customer
from portal.customers.vocabulary import Status
from portal.extensions import db
from portal.i18n import _, _l
from portal.notifications.kinds import message
from portal.notifications.services import notify
from portal.org.actor import SYSTEM
from portal.org.models import Department, User
from portal.purchases.models import PurchaseMonth
from portal.purchases.periods import Month, month_text, shifted

NOTICE = "archive.report"
CHUNK = 200
#: Months of purchases that a forecast rests on.
HISTORY_MONTHS = 48


def begin_weekly_reports(context: JobContext) -> dict[str, Any]:
    """Make the draft of this week's report for every account manager, filled from the purchases."""
    week = monday_of(clock.today())
    people = queries.managers([])
    made = 0
    for number, row in enumerate(people):
        context.check_cancelled()
        with transaction():
            if queries.report_of(row.id, week) is None:
                report = services.begin_report(row.id, week, SYSTEM)
                made += 1
                notify(
                    [row.id],
                    NOTICE,
                    title=message("Your weekly sales report %(week)s is ready to be completed", week=week_text(week)),
                    url=path_for("archive.report", report_id=report.id),
                    about=f"archive_report:{report.id}",
                )
        context.progress(number + 1, len(people))
    return {"reports": made}


def remind_of_reports(context: JobContext) -> dict[str, Any]:
    """Tell account managers which report is overdue or due today, and supervisors how many of theirs are missing."""
    today = clock.today()
    week = queries.last_due_week(today)
    due = due_on(week, queries.days_after())
    late: dict[int, list[str]] = defaultdict(list)
    told = 0
    people = queries.managers([])
    reports = {
        row.user_id: row.state
        for row in db.session.execute(
            select(ArchiveReport.user_id, ArchiveReport.state).where(ArchiveReport.week == week)
        )
    }
    supervisors = {row.id: row for row in db.session.scalars(select(User).where(User.id.in_([p.id for p in people])))}
    with transaction():
        for row in people:
            if reports.get(row.id, DRAFT) not in (DRAFT, RETURNED):
                continue
            told += 1
            title = (
                message("The weekly sales report %(week)s is overdue", week=week_text(week))
                if today > due
                else message("The weekly sales report %(week)s is due today", week=week_text(week))
            )
            notify([row.id], NOTICE, title=title, url=path_for("archive.my_reports"), about=f"archive_week:{week}")
            boss = _supervisor(supervisors.get(row.id))
            if today > due and boss is not None and boss != row.id:
                late[boss].append(row.name)
        for boss, names in late.items():
            notify(
                [boss],
                NOTICE,
                title=message(
                    "%(count)s weekly sales reports of %(week)s are overdue", count=len(names), week=week_text(week)
                ),
                body=_("; ").join(names[:20]),
                url=path_for("archive.team_reports"),
                about=f"archive_team:{week}",
            )
    return {"reminded": told, "supervisors": len(late)}


def _supervisor(user: User | None) -> int | None:
    """The direct superior, else the head of the department."""
    if user is None:
        return None
    if user.supervisor_id is not None:
        return user.supervisor_id
    return db.session.scalar(select(Department.head_id).where(Department.id == user.department_id))


def make_statistics(context: JobContext, report_id: int) -> dict[str, Any]:
    """Make the statistics reports of all customers of an accepted weekly report anew: they become part 4."""
    report = services.load(report_id)
    if report.state != ACCEPTED:
        return {"files": 0}
    quarter = quarter_of(report.week)
    accepted_at = report.accepted_at
    ids = list(
        db.session.scalars(
            select(ArchiveReportLine.customer_id)
            .join(Customer, Customer.id == ArchiveReportLine.customer_id)
            .where(ArchiveReportLine.report_id == report_id, Customer.status != Status.MERGED.value)
            .distinct()
            .order_by(ArchiveReportLine.customer_id)
        )
    )
    made = 0
    for number, customer_id in enumerate(ids):
        context.check_cancelled()
        newest = [
            file
            for file in dossiers.files_of(customer_id, (STATISTICS,))
            if file.period_first == quarter.first and accepted_at is not None and file.made_at >= accepted_at
        ]
        # Run again after a crash: what was made already is newer than the acceptance.
        if not newest:
            producing.produce_part(customer_id, STATISTICS, SYSTEM, quarter)
            made += 1
        with transaction():
            stock.refresh([customer_id])
        context.progress(number + 1, len(ids))
    return {"files": made}


def refresh_outlooks(context: JobContext) -> dict[str, Any]:
    """Compute anew when products run out at all customers."""
    ids = list(db.session.scalars(select(Customer.id).where(Customer.purchase_count > 0).order_by(Customer.id)))
    found = 0
    for start in range(0, len(ids), CHUNK):
        context.check_cancelled()
        with transaction():
            found += stock.refresh(ids[start : start + CHUNK])
        context.progress(min(start + CHUNK, len(ids)), len(ids))
    return {"outlooks": found}


def compute_forecasts(context: JobContext) -> dict[str, Any]:
    """Compute the sales forecasts of the company, of departments and of account managers, and keep them."""
    last = last_complete_month(clock.today())
    months = [shifted(last, -number) for number in range(HISTORY_MONTHS - 1, -1, -1)]
    series = _series(months)
    kept = 0
    for number, (owner, values) in enumerate(sorted(series.items())):
        context.check_cancelled()
        kept += keep_forecast(owner, months, values, last)
        context.progress(number + 1, len(series))
    return {"forecasts": kept}


def keep_forecast(owner: str, months: list[Month], values: list[float], last: Month) -> int:
    """Compute and keep one forecast; 1 when there was enough to go by. Opens a transaction of its own."""
    begin = next((index for index, value in enumerate(values) if value), len(values))
    past = values[begin:]
    result = forecast(past)
    if result is None:
        return 0
    ahead = [month_text(shifted(last, number + 1)) for number in range(len(result.expected))]
    with transaction():
        db.session.execute(delete(ArchiveForecast).where(ArchiveForecast.owner == owner))
        db.session.add(
            ArchiveForecast(
                owner=owner,
                computed_at=clock.now(),
                last_month=date(last[0], last[1], 1),
                method=result.method,
                error=result.error,
                result={
                    "past": [[month_text(month), round(value, 2)] for month, value in zip(months, values, strict=True)][
                        begin:
                    ][-24:],
                    "months": ahead,
                    "expected": [round(value, 2) for value in result.expected],
                    "low": [round(value, 2) for value in result.low],
                    "high": [round(value, 2) for value in result.high],
                },
            )
        )
    return 1


def _series(months: list[Month]) -> dict[str, list[float]]:
    """Owner → sales of each month. Floats: forecasts are estimates, nothing is booked by them."""
    place = {month: index for index, month in enumerate(months)}
    found: dict[str, list[float]] = defaultdict(lambda: [0.0] * len(months))
    for row in db.session.execute(
        select(
            Customer.department_id,
            Customer.account_manager_id,
            PurchaseMonth.year,
            PurchaseMonth.month,
            func.sum(PurchaseMonth.total).label("total"),
        )
        .join(Customer, Customer.id == PurchaseMonth.customer_id)
        .where(PurchaseMonth.year >= months[0][0])
        .group_by(Customer.department_id, Customer.account_manager_id, PurchaseMonth.year, PurchaseMonth.month)
    ):
        index = place.get((row.year, row.month))
        if index is None:
            continue
        amount = float(row.total or Decimal("0"))
        owners = ["company", f"department:{row.department_id}"]
        if row.account_manager_id is not None:
            owners.append(f"user:{row.account_manager_id}")
        for owner in owners:
            found[owner][index] += amount
    return dict(found)


def scan_storage(context: JobContext) -> dict[str, Any]:
    """Read every content of the archive and compare; tells administrators when something is missing or damaged."""
    found = checking.scan(SYSTEM, progress=lambda done, total: context.progress(done, total))
    if not found.is_well:
        with transaction():
            notify(
                _administrators(),
                "archive.storage",
                title=message(
                    "The archive is not whole: %(missing)s contents are missing, %(damaged)s are damaged",
                    missing=len(found.missing),
                    damaged=len(found.damaged),
                ),
                url=path_for("archive.storage"),
                about="archive_storage",
            )
    return {**found.as_dict(), "url": path_for("archive.storage")}


def _administrators() -> list[int]:
    from_org = select(User.id).where(User.is_active, User.roles.any(role="administrator"))
    return list(db.session.scalars(from_org))


def scan_quarantine(_context: JobContext) -> dict[str, Any]:
    """Ask the virus scanner again about files that wait for it."""
    address = settings.get("archive.clamd")
    waiting = [(file.id, file.digest) for file in dossiers.quarantined()]
    released = refused = 0
    for file_id, digest in waiting:
        verdict = scanner.scan(vault.read(digest), address)
        if verdict.state == scanner.SILENT:
            break
        with transaction():
            file = db.session.get_one(ArchiveFile, file_id, with_for_update=True)
            if file.state != QUARANTINED:
                continue
            if verdict.state == scanner.INFECTED:
                dossier_services.refuse_file(file, verdict.detail, SYSTEM)
                refused += 1
            else:
                dossier_services.release_file(file, SYSTEM)
                released += 1
    return {"waiting": len(waiting), "released": released, "refused": refused}


JOBS = (
    Job(
        "archive.begin_reports",
        _l("Prepare the weekly sales reports"),
        begin_weekly_reports,
        Schedule(minute="30", hour="7", day_of_week="5"),
        idempotent=True,
    ),
    Job(
        "archive.remind_reports",
        _l("Remind of weekly sales reports"),
        remind_of_reports,
        Schedule(minute="40", hour="8", working_days=True),
        idempotent=True,
        quiet=True,
    ),
    Job(
        services.STATISTICS_JOB,
        _l("Make statistics reports of dossiers"),
        make_statistics,
        idempotent=True,
    ),
    Job(
        "archive.outlooks",
        _l("Predict when customers run out of stock"),
        refresh_outlooks,
        Schedule(minute="20", hour="2"),
        idempotent=True,
        quiet=True,
    ),
    Job(
        "archive.forecasts",
        _l("Compute sales forecasts"),
        compute_forecasts,
        Schedule(minute="50", hour="2"),
        idempotent=True,
        quiet=True,
    ),
    Job(
        "archive.scan",
        _l("Check the archive's storage"),
        scan_storage,  # weekly it is a part of the check of all storages
        idempotent=True,
        permission=SCAN,
    ),
    Job(
        "archive.quarantine",
        _l("Scan files in quarantine"),
        scan_quarantine,
        Schedule(minute="*/10"),
        idempotent=True,
        quiet=True,
    ),
)
