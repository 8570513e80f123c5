"""Pages of account plans."""

from __future__ import annotations

import json
import secrets
from datetime import timedelta
from typing import Any

from flask import jsonify, make_response, redirect, render_template, request, url_for

from plugins.key_accounts.blueprint import blueprint
from plugins.key_accounts.frame import load_customer
from plugins.key_accounts.handling import Answer, FormPage, form_page, post
from plugins.key_accounts.plans import documents, follow_up, queries, services, versions
from plugins.key_accounts.plans import vocabulary as words
from plugins.key_accounts.plans.forms import (
    ActionForm,
    FinishForm,
    NewPlanForm,
    PlanForm,
    ReviewForm,
    SectionForm,
    TargetsForm,
)
from plugins.key_accounts.plans.models import PHASES, SUBMITTED, AccountPlan
from plugins.key_accounts.team import queries as team
from plugins.key_accounts.team import vocabulary as team_words
from portal.auth.current import current_actor
from portal.core import clock
from portal.core.errors import Conflict, NotAllowed, NotFound
from portal.core.permissions import can, require
from portal.core.transaction import transaction
from portal.core.web import refuse_large_id, signed_in
from portal.customers.models import Customer
from portal.customers.page import abilities
from portal.customers.permissions import EDIT
from portal.i18n import _


def _editable(customer_id: int) -> Customer:
    customer = load_customer(customer_id, current_actor())
    require(current_actor(), EDIT, customer)
    return customer


def _plan(plan_id: int, edit: bool = True) -> AccountPlan:
    plan = queries.plan_for(refuse_large_id(plan_id), current_actor())
    if edit:
        require(current_actor(), EDIT, plan.customer_id)
    return plan


def _back(plan: AccountPlan, anchor: str = "") -> str:
    return url_for("key_accounts.plan", customer_id=plan.customer_id, _anchor=anchor or None)


def _page(plan: AccountPlan, heading: Any, anchor: str = "", **more: Any) -> FormPage:
    back = _back(plan, anchor)
    crumbs = [(_("Account plan"), back)]
    return FormPage(heading=heading, back_url=back, crumbs=crumbs, icon="journal-text", customer=plan.customer, **more)


@blueprint.get("/customers/<int:customer_id>/plan")
@signed_in
def plan(customer_id: int) -> str:
    """The present plan of a customer."""
    actor = current_actor()
    customer = load_customer(customer_id, actor)
    plans = queries.plans_of(customer.id)
    row = plans.live
    context: dict[str, Any] = {}
    if row is not None:
        by_year = queries.reached(customer.id)
        actions = queries.actions_of(row.id)
        context = {
            "sections": queries.sections_of(row.id),
            "targets": queries.targets_of(row.id),
            "years": list(range(row.first_year, row.first_year + row.years)),
            "by_year": by_year,
            "money": queries.investment(row, by_year),
            "actions": actions,
            "reviews": queries.reviews_of(row.id),
            "versions": queries.versions_of(row.id),
            "done": sum(1 for action in actions if action.state == "done"),
            "counted": sum(1 for action in actions if action.state != "dropped"),
            "locked": row.state == SUBMITTED,
            "members": team.in_force(team.members_of(customer.id), clock.today()),
        }
    return render_template(
        "key_accounts/plans/of_customer.html",
        customer=customer,
        plan=row,
        earlier=plans.earlier,
        complaint=plans.complaint,
        words=words,
        team_words=team_words,
        phases=PHASES,
        today=clock.today(),
        may_edit=EDIT in abilities(customer, actor),
        me=actor.user_id,
        has_contacts=plans.has_contacts,
        **context,
    )


@blueprint.route("/customers/<int:customer_id>/plan/new", methods=["GET", "POST"])
@signed_in
def new_plan(customer_id: int) -> Answer:
    """Begin a plan."""
    customer = _editable(customer_id)
    form = NewPlanForm()
    back = url_for("key_accounts.plan", customer_id=customer.id)
    if request.method == "GET":
        form.first_year.data = clock.today().year + (1 if clock.today().month >= 11 else 0)
        form.title.data = _("Account plan %(year)s", year=form.first_year.data)
    page = FormPage(
        heading=_("Begin an account plan"),
        back_url=back,
        crumbs=[(_("Account plan"), back)],
        icon="journal-text",
        intro=_("The sections are filled from what the portal knows. One page is enough to start."),
        customer=customer,
    )
    return form_page(
        form,
        page,
        lambda: services.create_plan(
            customer.id, form.title.data or "", form.first_year.data or 0, int(form.years.data), current_actor()
        ),
        _("The plan was begun."),
    )


@blueprint.route("/plans/<int:plan_id>/edit", methods=["GET", "POST"])
@signed_in
def edit_plan(plan_id: int) -> Answer:
    """Title, years, investment."""
    row = _plan(plan_id)
    form = PlanForm()
    if request.method == "GET":
        form.title.data, form.first_year.data, form.years.data = row.title, row.first_year, str(row.years)
        form.invested.data, form.version.data = row.invested, str(row.version)
    return form_page(
        form,
        _page(row, _("Change the plan")),
        lambda: services.change_plan(
            plan_id,
            form.title.data or "",
            form.first_year.data or 0,
            int(form.years.data),
            form.invested.data or 0,  # type: ignore[arg-type]
            current_actor(),
            form.seen_version,
        ),
        _("The plan was saved."),
    )


@blueprint.post("/plans/<int:plan_id>/phase")
@signed_in
def plan_phase(plan_id: int) -> Any:
    """Another of the four phases."""
    row = _plan(plan_id)
    return post(
        lambda: services.set_phase(plan_id, request.form.get("phase", ""), current_actor()),
        _("The phase was saved."),
        _back(row),
    )


@blueprint.route("/plans/<int:plan_id>/sections/<section>", methods=["GET", "POST"])
@signed_in
def plan_section(plan_id: int, section: str) -> Answer:
    """Write a section. Two people at once: the second sees both texts."""
    row = _plan(plan_id)
    if section not in words.SECTIONS:
        raise NotFound()
    title, help_text, _phase = words.SECTIONS[section]
    form = SectionForm()
    if request.method == "GET":
        present = queries.sections_of(row.id).get(section)
        form.body.data = present.body if present else ""
        form.version.data = str(present.version if present else 0)
    if request.form.get("do") == "autosave":
        return _autosave(plan_id, section, form)
    page = _page(
        row,
        title,
        f"section-{section}",
        intro=help_text,
        draft=f"plan-{plan_id}-{section}",
        autosave=url_for("key_accounts.plan_section", plan_id=plan_id, section=section),
    )
    return form_page(
        form,
        page,
        lambda: services.save_section(plan_id, section, form.body.data or "", form.seen_version, current_actor()),
        _("The section was saved."),
    )


def _autosave(plan_id: int, section: str, form: SectionForm) -> Answer:
    """Keep what is being written; an older version is refused, so that nobody writes over another."""
    if not form.validate():
        return make_response(jsonify(problem=_("Not saved: please check what you entered.")), 400)
    try:
        with transaction():
            saved = services.save_section(
                plan_id, section, form.body.data or "", form.seen_version, current_actor(), by_itself=True
            )
            version = saved.version
    except Conflict as error:
        said = _("Not saved: %(why)s Save the page to see both texts.", why=str(error.message))
        return make_response(jsonify(problem=said), 409)
    return jsonify(version=version, saved=_("Saved at %(time)s", time=clock.local(clock.now()).strftime("%H:%M:%S")))


@blueprint.route("/plans/<int:plan_id>/targets", methods=["GET", "POST"])
@signed_in
def plan_targets(plan_id: int) -> Answer:
    """Targets by year."""
    row = _plan(plan_id)
    years = list(range(row.first_year, row.first_year + row.years))
    form = TargetsForm()
    if request.method == "GET":
        form.fill(queries.targets_of(row.id), years)
    form.keep_years(years)
    return form_page(
        form,
        _page(
            row,
            _("Targets by year"),
            "targets",
            intro=_(
                "Sales and gross margin are compared with the purchases. "
                "Two further measures may have names of their own."
            ),
            groups=form.groups(years),
        ),
        lambda: services.set_targets(plan_id, form.values(years), current_actor()),
        _("The targets were saved."),
    )


@blueprint.route("/plans/<int:plan_id>/actions/new", methods=["GET", "POST"])
@signed_in
def new_action(plan_id: int) -> Answer:
    """Add an action."""
    row = _plan(plan_id)
    form = ActionForm()
    if request.method == "GET":
        form.owner_id.show(row.customer.account_manager_id)
        form.due_on.data = clock.today() + timedelta(days=30)
    return form_page(
        form,
        _page(row, _("New action"), "actions"),
        lambda: follow_up.save_action(
            plan_id, None, form.task.data or "", form.owner_id.data, form.due_on.data, current_actor()
        ),
        _("The action was saved."),
    )


@blueprint.route("/plans/actions/<int:action_id>", methods=["GET", "POST"])
@signed_in
def edit_action(action_id: int) -> Answer:
    """Change an open action."""
    action = queries.action_for(refuse_large_id(action_id), current_actor())
    row = _plan(action.plan_id)
    form = ActionForm()
    if request.method == "GET":
        form.task.data, form.due_on.data = action.task, action.due_on
        form.owner_id.show(action.owner_id)
    return form_page(
        form,
        _page(row, _("Change the action"), "actions"),
        lambda: follow_up.save_action(
            row.id, action_id, form.task.data or "", form.owner_id.data, form.due_on.data, current_actor()
        ),
        _("The action was saved."),
    )


@blueprint.route("/plans/actions/<int:action_id>/finish", methods=["GET", "POST"])
@signed_in
def finish_action(action_id: int) -> Answer:
    """Done, dropped or open again."""
    actor = current_actor()
    action = queries.action_for(refuse_large_id(action_id), actor)
    row = _plan(action.plan_id, edit=False)
    if action.owner_id != actor.user_id and not can(actor, EDIT, row.customer_id):
        raise NotAllowed(_("An action is finished by its owner or by the account manager."))
    form = FinishForm()
    if request.method == "GET":
        form.state.data, form.result.data = "done" if action.state == "open" else "open", action.result
    return form_page(
        form,
        _page(row, _("State of the action"), "actions", subtitle=action.task),
        lambda: follow_up.finish_action(action_id, form.state.data, form.result.data or "", actor),
        _("The action was saved."),
    )


@blueprint.route("/plans/<int:plan_id>/reviews/new", methods=["GET", "POST"])
@signed_in
def new_review(plan_id: int) -> Answer:
    """Add a review date."""
    row = _plan(plan_id)
    form = ReviewForm()
    if request.method == "GET":
        form.due_on.data = clock.today() + timedelta(days=90)
    return form_page(
        form,
        _page(row, _("New review date"), "reviews"),
        lambda: follow_up.save_review(
            plan_id, None, form.due_on.data, form.held_on.data, form.result.data or "", current_actor()
        ),
        _("The review date was saved."),
    )


@blueprint.route("/plans/reviews/<int:review_id>", methods=["GET", "POST"])
@signed_in
def edit_review(review_id: int) -> Answer:
    """Change a review date, or note what came of it."""
    review = queries.review_for(refuse_large_id(review_id), current_actor())
    row = _plan(review.plan_id)
    form = ReviewForm(obj=review)
    return form_page(
        form,
        _page(row, _("Review of the plan"), "reviews"),
        lambda: follow_up.save_review(
            row.id, review_id, form.due_on.data, form.held_on.data, form.result.data or "", current_actor()
        ),
        _("The review date was saved."),
    )


@blueprint.post("/plans/<int:plan_id>/submit")
@signed_in
def submit_plan(plan_id: int) -> Any:
    """File the plan with the head."""
    row = _plan(plan_id)
    token = f"plan-{plan_id}-{row.version}-{secrets.token_hex(4)}"
    return post(
        lambda: versions.submit_plan(plan_id, token, current_actor()),
        _("The plan was filed. The department head has been told."),
        _back(row),
    )


@blueprint.post("/plans/<int:plan_id>/<any(keep, archive):step>")
@signed_in
def keep_plan(plan_id: int, step: str) -> Any:
    """Keep a version, or put the plan away."""
    row = _plan(plan_id)
    if step == "keep":
        return post(lambda: versions.keep_version(plan_id, current_actor()), _("The version was kept."), _back(row))
    return post(lambda: services.archive_plan(plan_id, current_actor()), _("The plan was put away."), _back(row))


@blueprint.get("/plans/versions/<int:version_id>")
@signed_in
def plan_version(version_id: int) -> str:
    """A kept version."""
    version, row = queries.version_for(refuse_large_id(version_id), current_actor())
    return render_template(
        "key_accounts/plans/version.html",
        version=version,
        plan=row,
        customer=row.customer,
        content=json.loads(version.content),
        words=words,
    )


@blueprint.post("/plans/<int:plan_id>/print")
@signed_in
def print_plan(plan_id: int) -> Any:
    """The plan as a numbered PDF."""
    row = _plan(plan_id, edit=False)
    document = documents.print_plan(row, row.customer, current_actor())
    return redirect(url_for("documents.download", document_id=document.id))
