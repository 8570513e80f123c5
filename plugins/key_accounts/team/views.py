"""Pages of teams and experts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import render_template, request, url_for

from plugins.key_accounts.blueprint import blueprint
from plugins.key_accounts.fields import ReasonForm
from plugins.key_accounts.frame import load_customer
from plugins.key_accounts.handling import Answer, FormPage, form_page, post
from plugins.key_accounts.team import channels, queries, services
from plugins.key_accounts.team import vocabulary as words
from plugins.key_accounts.team.experts import set_skills
from plugins.key_accounts.team.forms import ChannelForm, MemberForm, PhaseForm, SkillsForm, TeamForm
from plugins.key_accounts.team.models import Channel, TeamMember
from portal.auth.current import current_actor
from portal.core import clock
from portal.core.errors import NotFound
from portal.core.forms import options
from portal.core.numbers import id_from
from portal.core.permissions import can, require
from portal.core.web import refuse_large_id, signed_in
from portal.customers.models import Customer
from portal.customers.page import abilities
from portal.customers.permissions import EDIT, VIEW
from portal.extensions import db
from portal.i18n import _
from portal.org.models import EXECUTIVE, User

EXPERTS = 30


def _editable(customer_id: int) -> Customer:
    customer = load_customer(customer_id, current_actor())
    require(current_actor(), EDIT, customer)
    return customer


def _page(customer: Customer, heading: Any, **more: Any) -> FormPage:
    back = url_for("key_accounts.team", customer_id=customer.id)
    return FormPage(
        heading=heading, back_url=back, crumbs=[(_("Account team"), back)], icon="people", customer=customer, **more
    )


@blueprint.get("/customers/<int:customer_id>/team")
@signed_in
def team(customer_id: int) -> str:
    """The team of a customer: who, until when, sponsor, complaints, channels, phase."""
    actor = current_actor()
    customer = load_customer(customer_id, actor)
    members = queries.members_of(customer.id)
    today = clock.today()
    present = queries.in_force(members, today)
    ids = {row.id for row in present}
    return render_template(
        "key_accounts/team/of_customer.html",
        customer=customer,
        team=queries.team_of(customer.id),
        present=present,
        ahead=[row for row in members if row.ended_at is None and row.valid_from > today],
        former=[row for row in members if row.id not in ids and (row.ended_at is not None or row.valid_until < today)],
        channels=queries.channels_of(customer.id),
        portfolio=queries.portfolio_of(customer.account_manager_id),
        words=words,
        today=today,
        may_edit=EDIT in abilities(customer, actor),
    )


@blueprint.route("/customers/<int:customer_id>/team/members/new", methods=["GET", "POST"])
@signed_in
def add_member(customer_id: int) -> Answer:
    """Take somebody into the team."""
    customer = _editable(customer_id)
    form = MemberForm()
    if request.method == "GET":
        form.valid_from.data = clock.today()
        form.valid_until.data = clock.today() + timedelta(days=180)
        chosen = id_from(request.args.get("person"))
        if chosen is not None:
            form.user_id.show(chosen)
    page = _page(
        customer,
        _("Add to the team"),
        intro=_("From the first to the last day this person sees the customer, not longer. He is told."),
    )
    return form_page(
        form,
        page,
        lambda: services.add_member(customer.id, form.to_input(), current_actor()),
        _("The team was changed."),
    )


def _member(member_id: int) -> tuple[TeamMember, Customer]:
    member = queries.member_for(refuse_large_id(member_id), current_actor())
    return member, _editable(member.customer_id)


@blueprint.route("/team/members/<int:member_id>", methods=["GET", "POST"])
@signed_in
def change_member(member_id: int) -> Answer:
    """Change part, task or days."""
    member, customer = _member(member_id)
    form = MemberForm(obj=member)
    del form.user_id
    return form_page(
        form,
        _page(customer, _("Change the membership"), subtitle=member.user.name),
        lambda: services.change_member(member_id, form.to_input(), current_actor()),
        _("The team was changed."),
    )


@blueprint.route("/team/members/<int:member_id>/end", methods=["GET", "POST"])
@signed_in
def end_member(member_id: int) -> Answer:
    """End a membership now."""
    member, customer = _member(member_id)
    form = ReasonForm()
    return form_page(
        form,
        _page(
            customer,
            _("End the membership"),
            subtitle=member.user.name,
            intro=_("From this moment the person no longer sees the customer, unless another rule lets him."),
            submit=_("End it now"),
            danger=True,
        ),
        lambda: services.end_member(member_id, form.reason.data or "", current_actor()),
        _("The membership was ended."),
    )


@blueprint.route("/customers/<int:customer_id>/team/edit", methods=["GET", "POST"])
@signed_in
def edit_team(customer_id: int) -> Answer:
    """Sponsor and complaint contact."""
    customer = _editable(customer_id)
    row = queries.team_of(customer.id)
    form = TeamForm()
    if request.method == "GET" and row is not None:
        form.sponsor_id.show(row.sponsor_id)
        form.complaint_id.show(row.complaint_id)
        form.told_on.data, form.told_how.data, form.version.data = row.told_on, row.told_how, str(row.version)
    return form_page(
        form,
        _page(customer, _("Sponsor and complaints")),
        lambda: services.set_team(customer.id, form.to_input(), current_actor(), form.seen_version),
        _("The team was changed."),
    )


@blueprint.route("/customers/<int:customer_id>/phase", methods=["GET", "POST"])
@signed_in
def edit_phase(customer_id: int) -> Answer:
    """The phase of the relationship."""
    customer = _editable(customer_id)
    row = queries.team_of(customer.id)
    form = PhaseForm(obj=row)
    return form_page(
        form,
        _page(customer, _("Phase of the relationship")),
        lambda: services.set_phase(
            customer.id, form.phase.data, form.focus.data or "", form.balance.data or "", current_actor()
        ),
        _("The phase was saved."),
    )


@blueprint.route("/customers/<int:customer_id>/channels/new", methods=["GET", "POST"])
@signed_in
def add_channel(customer_id: int) -> Answer:
    """Open a line between one of ours and one of theirs."""
    customer = _editable(customer_id)
    form = ChannelForm()
    contacts = queries.contact_choices(customer.id)
    form.contact_id.choices = options(contacts, _("Choose a contact"))
    intro = "" if contacts else _("This customer has no contacts yet: enter one first.")
    return form_page(
        form,
        _page(customer, _("New channel"), intro=intro),
        lambda: channels.add_channel(
            customer.id,
            form.level.data,
            form.user_id.data,
            form.contact_id.number,
            form.topic.data or "",
            current_actor(),
        ),
        _("The channel was added."),
    )


@blueprint.post("/team/channels/<int:channel_id>/end")
@signed_in
def end_channel(channel_id: int) -> Any:
    """Close a line."""
    channel = db.session.get(Channel, refuse_large_id(channel_id))
    if channel is None or not can(current_actor(), VIEW, channel.customer_id):
        raise NotFound()
    customer = _editable(channel.customer_id)
    return post(
        lambda: channels.end_channel(channel_id, current_actor()),
        _("The channel was closed."),
        url_for("key_accounts.team", customer_id=customer.id),
    )


@blueprint.get("/experts")
@signed_in
def experts() -> str:
    """The expert directory."""
    actor = current_actor()
    text = request.args.get("q", "")[:60]
    name, _bar, number = request.args.get("after", "").rpartition("~")
    last = id_from(number)
    after = (name[:300], last) if last is not None else None
    rows = queries.experts(text, after, EXPERTS + 1)
    more, rows = len(rows) > EXPERTS, rows[:EXPERTS]
    ids = [row.id for row in rows]
    return render_template(
        "key_accounts/team/experts.html",
        rows=rows,
        skills=queries.skills_of(ids),
        loads=queries.loads_of(ids, clock.today()),
        words=words,
        text=text,
        next_url=url_for("key_accounts.experts", q=text or None, after=f"{rows[-1].name_sort}~{rows[-1].id}")
        if more
        else None,
        teams=queries.my_teams(actor.user_id or 0, clock.today()),
        me=actor.user_id,
    )


@blueprint.route("/experts/<int:person_id>", methods=["GET", "POST"])
@signed_in
def edit_skills(person_id: int) -> Answer:
    """Skills of a person: his own, or of those one oversees."""
    actor = current_actor()
    user = db.session.get(User, refuse_large_id(person_id))
    if user is None or not user.is_active or not _may_edit_skills(user):
        raise NotFound()
    form = SkillsForm()
    if request.method == "GET":
        found = queries.skills_of([user.id]).get(user.id, [])
        for grade, name in SkillsForm.FIELDS:
            form[name].data = "\n".join(
                f"{row.skill}: {row.note}" if row.note else row.skill for row in found if row.grade == grade
            )
    back = url_for("key_accounts.experts")
    page = FormPage(
        heading=_("Skills of %(name)s", name=user.name),
        back_url=back,
        crumbs=[(_("Experts"), back)],
        icon="mortarboard",
        intro=_("One skill a line. Colleagues find the person by these words."),
    )
    return form_page(form, page, lambda: set_skills(user.id, form.to_input(), actor), _("The skills were saved."))


def _may_edit_skills(user: User) -> bool:
    actor = current_actor()
    return actor.user_id == user.id or user.department_id in actor.oversees or EXECUTIVE in actor.roles
