"""The pages that the archive serves (R-ARC-2): stock and consumption, targets, assessment, forecast, planning; and the
administrator's page of its storage."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from plugins.archive.blueprint import blueprint
from plugins.archive.dossiers import queries as dossiers
from plugins.archive.dossiers.assessment import basis_words
from plugins.archive.dossiers.models import ArchiveContent
from plugins.archive.permissions import FIGURES, SCAN, SET_TARGETS
from plugins.archive.reports import charts, figures, services, stock
from plugins.archive.reports import vocabulary as words
from plugins.archive.reports.forms import amount_from
from plugins.archive.reports.listings import STOCK
from plugins.archive.reports.models import MONTH, PERIODS, QUARTER, ArchiveForecast
from plugins.archive.reports.services import TargetInput
from portal.auth.current import current_actor
from portal.core import clock, settings
from portal.core.errors import ErrorList, Invalid, NotFound
from portal.core.permissions import can, require
from portal.core.transaction import transaction
from portal.core.web import access
from portal.customers.models import Customer
from portal.extensions import db
from portal.i18n import _
from portal.jobs.services import enqueue
from portal.purchases.periods import month_text, period
from portal.purchases.queries import sales_by_month

ZERO = Decimal("0")


# ---- stock and consumption -----------------------------------------------------------------------------------------


@blueprint.get("/stock/")
@access(FIGURES)
def stock_list() -> str:
    """What runs out when, at the customers one may see."""
    return render_template("archive/reports/stock.html", page=STOCK.page(current_actor(), request.args))


@blueprint.get("/stock/<int:customer_id>")
@access(FIGURES)
def customer_stock(customer_id: int) -> str:
    """Stock and consumption of one customer, as a picture and a table."""
    customer = db.session.get(Customer, customer_id)
    if customer is None:
        raise NotFound()
    require(current_actor(), "customers.view", customer)
    rows = stock.outlooks([Customer.id == customer_id])
    return render_template(
        "archive/reports/customer_stock.html",
        customer=customer,
        rows=rows,
        chart=charts.run_out(rows, clock.today()) if rows else None,
        basis=basis_words(),
        today=clock.today(),
    )


# ---- targets -------------------------------------------------------------------------------------------------------


def _chosen_period() -> tuple[str, int, int]:
    today = clock.today()
    kind = request.values.get("period", MONTH)
    if kind not in PERIODS:
        kind = MONTH
    year = _number("year", today.year, 2000, 2100)
    present = today.month if kind == MONTH else (today.month - 1) // 3 + 1 if kind == QUARTER else 1
    most = 12 if kind == MONTH else 4 if kind == QUARTER else 1
    return kind, year, _number("number", present, 1, most)


def _number(name: str, default: int, low: int, high: int) -> int:
    try:
        value = int(request.values.get(name, ""))
    except ValueError:
        return default
    return value if low <= value <= high else default


@blueprint.route("/targets/", methods=["GET", "POST"])
@access(FIGURES)
def targets() -> str | Response | tuple[str, int]:
    """Targets and attainment; heads set them here."""
    actor = current_actor()
    kind, year, number = _chosen_period()
    rows = figures.targets(actor, kind, year, number)
    errors: dict[str, str] = {}
    if request.method == "POST":
        require(actor, SET_TARGETS)
        found = ErrorList()
        wanted = [
            (row, amount_from(request.form[row.owner], found, row.owner))
            for row in rows
            if row.may_set and row.owner in request.form
        ]
        try:
            found.raise_if_any()
            with transaction():
                changed = 0
                for row, amount in wanted:
                    if amount != row.target:
                        services.set_target(_target_input(row.owner, kind, year, number, amount), actor)
                        changed += 1
        except Invalid as error:
            errors = {field: str(text) for field, text in error.errors}
        else:
            flash(_("%(n)s targets were changed.", n=changed) if changed else _("Nothing was changed."), "success")
            return redirect(url_for("archive.targets", period=kind, year=year, number=number))
    span = figures.span_of(kind, year, number)
    page = render_template(
        "archive/reports/targets.html",
        rows=rows,
        kind=kind,
        year=year,
        number=number,
        span=span,
        years=range(clock.today().year + 1, clock.today().year - 4, -1),
        passed=round(figures.elapsed(span, clock.today()) * 100),
        words=words,
        errors=errors,
        typed=request.form if errors else {},
        may_set=can(actor, SET_TARGETS) and any(row.may_set for row in rows),
        chart=charts.attainment(rows),
    )
    return page, 400 if errors else 200


def _target_input(owner: str, kind: str, year: int, number: int, amount: Decimal | None) -> TargetInput:
    what, _colon, key = owner.partition(":")
    return TargetInput(
        period=kind,
        year=year,
        number=number,
        amount=amount,
        user_id=int(key) if what == "user" else None,
        department_id=int(key) if what == "department" else None,
    )


# ---- assessment, forecast, planning --------------------------------------------------------------------------------


@blueprint.get("/assessment/")
@access(FIGURES)
def assessment() -> str:
    """Account managers by their measures."""
    rows = figures.assessments(current_actor())
    return render_template(
        "archive/reports/assessment.html",
        rows=rows,
        chart=charts.indexes(rows) if len(rows) > 1 else None,
        weights=figures.WEIGHTS,
        overdue_days=figures.OVERDUE_DAYS,
    )


@blueprint.get("/forecast/")
@access(FIGURES)
def forecast() -> str:
    """The sales forecast of the company, a department or an account manager."""
    actor = current_actor()
    owners = figures.forecast_owners(actor, settings.option("ORGANISATION"))
    chosen = next((one for one in owners if one.key == request.args.get("owner")), owners[0] if owners else None)
    found = figures.newest_forecast(chosen.key) if chosen else None
    return render_template(
        "archive/reports/forecast.html",
        owners=owners,
        chosen=chosen,
        forecast=found,
        chart=charts.forecast(found, chosen.name) if found and chosen else None,
        clock=clock,
    )


@blueprint.get("/planning/")
@access(FIGURES)
def planning() -> str:
    """Overview for planning: sales so far, targets, forecast, expected orders, what runs out."""
    actor = current_actor()
    today = clock.today()
    owners = figures.forecast_owners(actor, settings.option("ORGANISATION"))
    found = figures.newest_forecast(owners[0].key) if owners else None
    span = period("year", today)
    sales = _by_month(actor, span)
    goals = _year_goals(actor, today.year)
    orders = figures.expected_orders(actor)
    soon = figures.running_out(actor, 30)
    return render_template(
        "archive/reports/planning.html",
        year=today.year,
        sold=sum(sales.values(), ZERO),
        goal=goals,
        forecast=found,
        ahead=_ahead(found),
        orders=orders,
        orders_value=sum((row.list_price * row.units for row in orders), ZERO),
        soon=soon,
        chart=charts.plan(sales, found, today),
        owner=owners[0].name if owners else "",
    )


def _by_month(actor: Any, span: Any) -> dict[str, Decimal]:
    from_cube = sales_by_month(actor, span).value
    return {month_text(month): from_cube[month].total if month in from_cube else ZERO for month in span.months}


def _year_goals(actor: Any, year: int) -> Decimal | None:
    """The yearly targets of the departments one sees, or one's own."""
    rows = figures.targets(actor, "year", year, 1)
    departments = [row.target for row in rows if row.is_department and row.target is not None]
    people = [row.target for row in rows if not row.is_department and row.target is not None]
    chosen = departments or people
    return sum(chosen, ZERO) if chosen else None


def _ahead(found: ArchiveForecast | None) -> Decimal | None:
    """The next three months of a forecast together."""
    if found is None:
        return None
    return Decimal(str(round(sum(found.result["expected"][:3]), 2)))


# ---- storage -------------------------------------------------------------------------------------------------------


@blueprint.get("/storage/")
@access(SCAN)
def storage() -> str:
    """The archive's storage: how full, when looked through, what is wrong."""
    row = db.session.execute(
        select(
            func.count(),
            func.coalesce(func.sum(ArchiveContent.size), 0),
            func.min(ArchiveContent.checked_at),
            func.count().filter(ArchiveContent.checked_at.is_(None)),
        )
    ).one()
    troubled = db.session.execute(
        select(ArchiveContent.digest, ArchiveContent.trouble, ArchiveContent.checked_at)
        .where(ArchiveContent.trouble != "")
        .order_by(ArchiveContent.digest)
        .limit(100)
    ).all()
    return render_template(
        "archive/reports/storage.html",
        count=row[0],
        used=int(row[1]),
        oldest=clock.local(row[2]) if row[2] else None,
        unchecked=row[3],
        quota=settings.get("archive.quota_gib"),
        troubled=troubled,
        quarantined=len(dossiers.quarantined()),
        scanner=bool(settings.get("archive.clamd")),
        clock=clock,
    )


@blueprint.post("/storage/scan")
@access(SCAN)
def start_scan() -> Response:
    """Look through the storage now."""
    with transaction():
        run_id = enqueue("archive.scan", current_actor(), unique_key="archive.scan", as_system=True).id
    return redirect(url_for("jobs.show", run_id=run_id))
