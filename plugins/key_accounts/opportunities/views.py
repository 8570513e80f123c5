"""Pages of opportunities."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from flask import redirect, render_template, request, url_for
from wtforms.validators import InputRequired

from plugins.key_accounts.blueprint import blueprint
from plugins.key_accounts.frame import load_customer
from plugins.key_accounts.handling import Answer, FormPage, form_page, post
from plugins.key_accounts.opportunities import charts, queries, services, target_queries
from plugins.key_accounts.opportunities import vocabulary as words
from plugins.key_accounts.opportunities.forms import CloseForm, OpportunityForm, StepForm, TargetForm
from plugins.key_accounts.opportunities.listings import OPPORTUNITIES
from plugins.key_accounts.opportunities.models import OPEN_STAGES, SOURCES, WON, Opportunity
from plugins.key_accounts.opportunities.settings import matrix_rule
from plugins.key_accounts.opportunities.targets import set_targets
from plugins.key_accounts.permissions import LEAD, USE
from portal.auth.current import current_actor
from portal.core import clock
from portal.core.errors import NotFound
from portal.core.forms import options
from portal.core.numbers import id_from, whole_from
from portal.core.permissions import can, require
from portal.core.web import access, int_argument, signed_in
from portal.customers.fields import CustomerField
from portal.customers.models import Customer
from portal.customers.page import abilities
from portal.customers.permissions import EDIT
from portal.i18n import _, _l

MONTHS = 12


@blueprint.app_template_global("key_account_opportunity_pages")
def opportunity_pages(active: str) -> list[dict[str, Any]]:
    """The ways of looking at opportunities, for ui.tabs."""
    mine: dict[str, Any] = {"mine": "1"} if request.args.get("mine") == "1" else {}
    pages = (
        ("list", _("List"), url_for("key_accounts.opportunities")),
        ("board", _("Board"), url_for("key_accounts.board", **mine)),
        ("matrix", _("Matrix"), url_for("key_accounts.matrix", **mine)),
        ("forecast", _("Forecast"), url_for("key_accounts.forecast", **mine)),
        ("gap", _("Gap to the target"), url_for("key_accounts.gap")),
    )
    return [{"label": label, "url": url, "active": key == active} for key, label, url in pages]


def _mine() -> bool:
    return request.args.get("mine") == "1"


@blueprint.get("/opportunities")
@access(USE)
def opportunities() -> str:
    """The list."""
    return render_template(
        "key_accounts/opportunities/index.html", page=OPPORTUNITIES.page(current_actor(), request.args)
    )


@blueprint.get("/opportunities/board")
@access(USE)
def board() -> str:
    """Open opportunities by stage; each column is paged by key."""
    after = {stage: key for stage in OPEN_STAGES if (key := _card_key(request.args.get(f"after_{stage}", "")))}
    return render_template(
        "key_accounts/opportunities/board.html",
        columns=queries.board(current_actor(), _mine(), after),
        after=after,
        mine=_mine(),
        words=words,
        rule=matrix_rule(),
        today=clock.today(),
        stages=OPEN_STAGES,
    )


def _card_key(text: str) -> tuple[date, int] | None:
    day, _bar, number = text.partition("_")
    card_id = id_from(number)
    if card_id is None:
        return None
    try:
        return date.fromisoformat(day), card_id
    except ValueError:
        return None


@blueprint.get("/opportunities/matrix")
@access(USE)
def matrix() -> str:
    """Size against probability."""
    found = queries.matrix(current_actor(), matrix_rule(), _mine())
    return render_template(
        "key_accounts/opportunities/matrix.html",
        matrix=found,
        chart=charts.matrix_chart(found) if found.points else None,
        below_large=max(found.rule.large - Decimal("0.01"), Decimal("0")),
        words=words,
        mine=_mine(),
    )


@blueprint.get("/opportunities/forecast")
@access(USE)
def forecast() -> str:
    """What is expected in the next twelve months."""
    first = clock.today().replace(day=1)
    months, late = queries.forecast(current_actor(), first, MONTHS, _mine())
    return render_template(
        "key_accounts/opportunities/forecast.html",
        months=months,
        late=late,
        chart=charts.forecast_chart(months) if any(month.count for month in months) else None,
        words=words,
        mine=_mine(),
        first=first,
        month_end=lambda month: date(month[0] + month[1] // 12, month[1] % 12 + 1, 1) - timedelta(days=1),
    )


@blueprint.get("/opportunities/gap")
@access(USE)
def gap() -> str:
    """Target, sales and opportunities by source."""
    actor = current_actor()
    this_year = clock.today().year
    year = int_argument("year", this_year, this_year - 1, this_year)
    found, people = target_queries.gap(actor, year)
    return render_template(
        "key_accounts/opportunities/gap.html",
        gap=found,
        people=people,
        chart=charts.gap_chart(found) if found.target else None,
        words=words,
        year=year,
        years=(this_year, this_year - 1),
        may_set=can(actor, LEAD),
    )


@blueprint.route("/opportunities/targets", methods=["GET", "POST"])
@access(LEAD)
def targets() -> Answer:
    """Set the targets of a person."""
    actor = current_actor()
    people = target_queries.people_with_targets(actor)
    form = TargetForm()
    this_year = clock.today().year
    form.user_id.choices = options(people)
    form.year.choices = options((year, str(year)) for year in (this_year, this_year + 1, this_year - 1))
    if request.method == "GET" and people:
        chosen = int_argument("person", people[0][0], 1, 2**53)
        chosen = chosen if chosen in dict(people) else people[0][0]
        year = int_argument("year", this_year, this_year - 1, this_year + 1)
        form.user_id.data, form.year.data = str(chosen), year
        present = target_queries.targets_of(chosen, year)
        form.total.data = present.get("")
        for source in SOURCES:
            form[source].data = present.get(source)
    page = FormPage(
        heading=_("Set targets"),
        back_url=url_for("key_accounts.gap"),
        crumbs=[
            (_("Opportunities"), url_for("key_accounts.opportunities")),
            (_("Gap to the target"), url_for("key_accounts.gap")),
        ],
        icon="bullseye",
        intro=_("An empty field takes the target away."),
        groups=TargetForm.GROUPS,
    )
    return form_page(
        form,
        page,
        lambda: set_targets(form.user_id.number or 0, form.year.data, form.amounts(), actor),  # type: ignore[arg-type]
        _("The targets were saved."),
    )


class NewOpportunityForm(OpportunityForm):
    """With the customer to be chosen."""

    customer_id = CustomerField(_l("Customer"), [InputRequired(_l("Choose a customer."))])

    GROUPS = ((_l("Customer"), ("customer_id",)), *OpportunityForm.GROUPS)


@blueprint.route("/opportunities/new", methods=["GET", "POST"])
@access(USE)
def new_opportunity() -> Answer:
    """Add an opportunity of a customer still to be chosen."""
    form = NewOpportunityForm()
    return _new(form, None)


@blueprint.route("/customers/<int:customer_id>/opportunities/new", methods=["GET", "POST"])
@signed_in
def new_opportunity_of(customer_id: int) -> Answer:
    """Add an opportunity of a customer."""
    customer = load_customer(customer_id, current_actor())
    require(current_actor(), EDIT, customer)
    return _new(OpportunityForm(), customer)


def _new(form: OpportunityForm, customer: Customer | None) -> Answer:
    actor = current_actor()
    if request.method == "GET":
        form.close_on.data = clock.today() + timedelta(days=90)
        form.step_due.data = clock.today() + timedelta(days=services.FIRST_STEP_DAYS)
    back = (
        url_for("key_accounts.opportunities_of", customer_id=customer.id)
        if customer
        else url_for("key_accounts.opportunities")
    )

    def create() -> Opportunity:
        chosen = customer.id if customer else form.customer_id.data
        return services.create_opportunity(form.to_input(chosen), actor)

    page = FormPage(
        heading=_("New opportunity"),
        back_url=back,
        crumbs=[(_("Opportunities"), back)],
        icon="bullseye",
        intro=_("Without a probability the usual one of the stage counts."),
        groups=form.GROUPS,
        customer=customer,
        draft=f"opportunity-new-{customer.id if customer else 0}",
    )
    return form_page(
        form,
        page,
        create,
        _("The opportunity was saved."),
        then=lambda row: url_for("key_accounts.opportunity", opportunity_id=row.id),
    )


@blueprint.get("/customers/<int:customer_id>/opportunities")
@signed_in
def opportunities_of(customer_id: int) -> str:
    """Opportunities of one customer."""
    actor = current_actor()
    customer = load_customer(customer_id, actor)
    rows = queries.of_customer(customer.id)
    return render_template(
        "key_accounts/opportunities/of_customer.html",
        customer=customer,
        rows=rows,
        words=words,
        rule=matrix_rule(),
        today=clock.today(),
        may_edit=EDIT in abilities(customer, actor),
    )


@blueprint.get("/opportunities/<int:opportunity_id>")
@signed_in
def opportunity(opportunity_id: int) -> str:
    """An opportunity: facts, next step, history."""
    actor = current_actor()
    row = queries.opportunity_for(opportunity_id, actor)
    return render_template(
        "key_accounts/opportunities/show.html",
        row=row,
        customer=row.customer,
        history=queries.history_of(row.id),
        words=words,
        stages=OPEN_STAGES,
        answer=matrix_rule().answer(row.amount, row.probability),
        may_edit=can(actor, EDIT, row.customer_id),
        has_step=row.next_step is not None and row.next_step.is_open,
        today=clock.today(),
    )


def _page(row: Opportunity, heading: Any, **more: Any) -> FormPage:
    back = url_for("key_accounts.opportunity", opportunity_id=row.id)
    return FormPage(
        heading=heading,
        back_url=back,
        crumbs=[
            (_("Opportunities"), url_for("key_accounts.opportunities_of", customer_id=row.customer_id)),
            (row.title, back),
        ],
        subtitle=row.title,
        icon="bullseye",
        customer=row.customer,
        **more,
    )


def _changeable(opportunity_id: int) -> Opportunity:
    row = queries.opportunity_for(opportunity_id, current_actor())
    require(current_actor(), EDIT, row.customer_id)
    return row


@blueprint.route("/opportunities/<int:opportunity_id>/edit", methods=["GET", "POST"])
@signed_in
def edit_opportunity(opportunity_id: int) -> Answer:
    """Change what is known."""
    actor = current_actor()
    row = _changeable(opportunity_id)
    form = OpportunityForm().without_step()
    if request.method == "GET":
        form.fill(row)
    kept = tuple(item.product_id for item in row.products[3:])
    return form_page(
        form,
        _page(row, _("Change the opportunity"), groups=OpportunityForm.GROUPS),
        lambda: services.change_opportunity(
            opportunity_id, form.to_input(row.customer_id, kept), actor, form.seen_version
        ),
        _("The opportunity was saved."),
    )


@blueprint.post("/opportunities/<int:opportunity_id>/move")
@signed_in
def move_opportunity(opportunity_id: int) -> Any:
    """Into another stage; from a menu, a button or by dragging."""
    row = _changeable(opportunity_id)
    stage, version = request.form.get("stage", ""), whole_from(request.form.get("version"))
    said = _("“%(title)s” is now: %(stage)s.", title=row.title, stage=words.word(words.STAGES, stage))
    return post(
        lambda: services.move_opportunity(opportunity_id, stage, current_actor(), version),
        said,
        url_for("key_accounts.opportunity", opportunity_id=opportunity_id),
    )


@blueprint.route("/opportunities/<int:opportunity_id>/<any(won, lost):outcome>", methods=["GET", "POST"])
@signed_in
def close_opportunity(opportunity_id: int, outcome: str) -> Answer:
    """Won or lost, with the reason."""
    actor = current_actor()
    row = _changeable(opportunity_id)
    if not row.is_open:
        return redirect(url_for("key_accounts.opportunity", opportunity_id=opportunity_id))
    form = CloseForm().offer(outcome)
    if request.method == "GET":
        form.version.data = str(row.version)
    is_won = outcome == WON
    page = _page(
        row,
        _("The deal was won") if is_won else _("The deal was lost"),
        intro=_("Why did the customer choose us?") if is_won else _("What was it that decided against us?"),
        submit=_("Close as won") if is_won else _("Close as lost"),
    )
    return form_page(
        form,
        page,
        lambda: services.close_opportunity(
            opportunity_id, outcome, form.reason.data, form.note.data or "", actor, form.seen_version
        ),
        _("Congratulations: the deal is won.") if is_won else _("The opportunity was closed as lost."),
    )


@blueprint.post("/opportunities/<int:opportunity_id>/reopen")
@signed_in
def reopen_opportunity(opportunity_id: int) -> Any:
    """Take a closing back."""
    _changeable(opportunity_id)
    return post(
        lambda: services.reopen_opportunity(opportunity_id, current_actor()),
        _("The opportunity is open again. Plan its next step."),
        url_for("key_accounts.opportunity", opportunity_id=opportunity_id),
    )


@blueprint.route("/opportunities/<int:opportunity_id>/step", methods=["GET", "POST"])
@signed_in
def opportunity_step(opportunity_id: int) -> Answer:
    """Plan what comes next."""
    row = _changeable(opportunity_id)
    if not row.is_open:
        raise NotFound()
    form = StepForm()
    if request.method == "GET":
        form.due_on.data = clock.today() + timedelta(days=services.FIRST_STEP_DAYS)
    page = _page(
        row,
        _("Plan the next step"),
        intro=_("It becomes a next step of the customer. The step before it counts as done."),
    )
    return form_page(
        form,
        page,
        lambda: services.plan_next_step(opportunity_id, form.to_input(), current_actor()),
        _("The next step was planned."),
    )
