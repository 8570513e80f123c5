"""Pages of meetings with key accounts."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from plugins.key_accounts.blueprint import blueprint
from plugins.key_accounts.care import meeting_queries as queries
from plugins.key_accounts.care import meetings as services
from plugins.key_accounts.care import vocabulary as words
from plugins.key_accounts.care.forms import MeetingActionForm, MeetingForm
from plugins.key_accounts.care.invitations import Sent
from plugins.key_accounts.care.models import MeetingAction
from plugins.key_accounts.handling import Answer, FormPage, form_page, post
from plugins.key_accounts.permissions import LEAD, USE
from plugins.key_accounts.team import queries as team
from portal.auth.current import current_actor
from portal.core import clock
from portal.core.errors import NotFound
from portal.core.forms import Form
from portal.core.numbers import id_from
from portal.core.permissions import can, require
from portal.core.web import access, refuse_large_id
from portal.customers.fields import CustomerField
from portal.customers.permissions import EDIT
from portal.customers.queries import pick
from portal.extensions import db
from portal.i18n import _, _l, _n


class GuestCustomerForm(Form):
    """Whose people are to be invited."""

    customer = CustomerField(_l("Customer"))


@blueprint.get("/meetings")
@access(USE)
def meetings() -> str:
    """Meetings with key accounts."""
    return render_template(
        "key_accounts/care/meetings.html",
        rows=queries.meetings(),
        words=words,
        may_lead=can(current_actor(), LEAD),
    )


def _meeting_page(heading: Any, back: str, **more: Any) -> FormPage:
    return FormPage(
        heading=heading,
        back_url=back,
        crumbs=[(_("Meetings"), url_for("key_accounts.meetings"))],
        icon="people-fill",
        groups=more.pop("groups", ()),
        **more,
    )


@blueprint.route("/meetings/new", methods=["GET", "POST"])
@access(LEAD)
def new_meeting() -> Answer:
    """Plan a meeting."""
    actor = current_actor()
    form = MeetingForm()
    del form.state, form.record
    if request.method == "GET":
        form.title.data = _("Key-account meeting %(year)s", year=clock.today().year)
        form.organiser_id.show(actor.user_id)
    return form_page(
        form,
        _meeting_page(_("New meeting"), url_for("key_accounts.meetings")),
        lambda: services.save_meeting(None, _meeting_input(form), actor),
        _("The meeting was planned. Invite the guests now."),
        then=lambda row: url_for("key_accounts.meeting", meeting_id=row.id),
    )


def _meeting_input(form: MeetingForm) -> services.MeetingInput:
    return services.MeetingInput(
        form.title.data or "",
        form.kind.data,
        form.starts_at.moment,
        form.minutes.data,
        form.organiser_id.data,
        form.place.data or "",
        form.agenda.data or "",
    )


@blueprint.get("/meetings/<int:meeting_id>")
@access(USE)
def meeting(meeting_id: int) -> str:
    """A meeting: guests one may see, agenda, minutes, actions."""
    actor = current_actor()
    row = queries.meeting_for(refuse_large_id(meeting_id))
    chosen = id_from(request.args.get("customer"))
    invitable: list[tuple[int, str]] = []
    customer_name = ""
    if chosen is not None:
        found = pick(actor, [chosen])
        if found and can(actor, EDIT, chosen):
            customer_name = found[0][1]
            invitable = team.contact_choices(chosen)
    return render_template(
        "key_accounts/care/meeting.html",
        meeting=row,
        guests=queries.guests_of(row.id, actor),
        actions=queries.meeting_actions(row.id),
        words=words,
        today=clock.today(),
        may_change=row.organiser_id == actor.user_id or can(actor, LEAD),
        picker=GuestCustomerForm(formdata=None),
        customer_name=customer_name,
        invitable=invitable,
        me=actor.user_id,
    )


@blueprint.route("/meetings/<int:meeting_id>/edit", methods=["GET", "POST"])
@access(USE)
def edit_meeting(meeting_id: int) -> Answer:
    """Change a meeting, write its minutes."""
    actor = current_actor()
    row = queries.meeting_for(refuse_large_id(meeting_id))
    if row.organiser_id != actor.user_id:
        require(actor, LEAD)
    form = MeetingForm()
    if request.method == "GET":
        form.fill(row)
    return form_page(
        form,
        _meeting_page(
            _("Change the meeting"),
            url_for("key_accounts.meeting", meeting_id=meeting_id),
            draft=f"meeting-{meeting_id}",
        ),
        lambda: services.save_meeting(meeting_id, form.to_input(), actor, form.seen_version),
        _("The meeting was saved."),
    )


@blueprint.post("/meetings/<int:meeting_id>/guests")
@access(USE)
def invite_guests(meeting_id: int) -> Any:
    """Invite contacts."""
    queries.meeting_for(refuse_large_id(meeting_id))
    ids = [number for value in request.form.getlist("contact")[:100] if (number := id_from(value)) is not None]
    if not ids:
        flash(_("Tick at least one person."), "info")
        return redirect(url_for("key_accounts.meeting", meeting_id=meeting_id))
    done: list[Sent] = []
    answer = post(
        lambda: done.append(services.invite(meeting_id, ids, current_actor())),
        _("The guests were invited."),
        url_for("key_accounts.meeting", meeting_id=meeting_id),
    )
    for sent in done:
        if sent.mailed:
            flash(_n("%(num)s invitation goes out by mail.", "%(num)s invitations go out by mail.", sent.mailed))
        if sent.others:
            names = _(", ").join(sent.others[:10])
            flash(_("No address or no consent to messages, please invite otherwise: %(names)s", names=names), "warning")
    return answer


@blueprint.post("/meetings/guests/<int:guest_id>")
@access(USE)
def answer_guest(guest_id: int) -> Any:
    """Whether a guest comes, or came."""
    row = queries.guest_for(refuse_large_id(guest_id), current_actor())
    require(current_actor(), EDIT, row.customer_id)
    return post(
        lambda: services.answer(guest_id, request.form.get("answer", ""), current_actor()),
        _("The answer was noted."),
        url_for("key_accounts.meeting", meeting_id=row.meeting_id),
    )


@blueprint.route("/meetings/<int:meeting_id>/actions/new", methods=["GET", "POST"])
@access(USE)
def new_meeting_action(meeting_id: int) -> Answer:
    """Note what was agreed."""
    actor = current_actor()
    row = queries.meeting_for(refuse_large_id(meeting_id))
    if row.organiser_id != actor.user_id:
        require(actor, LEAD)
    form = MeetingActionForm()
    return form_page(
        form,
        _meeting_page(_("New action"), url_for("key_accounts.meeting", meeting_id=meeting_id), subtitle=row.title),
        lambda: services.add_meeting_action(
            meeting_id, form.task.data or "", form.owner_id.data, form.due_on.data, actor
        ),
        _("The action was saved."),
    )


@blueprint.post("/meetings/actions/<int:meeting_action_id>")
@access(USE)
def finish_meeting_action(meeting_action_id: int) -> Any:
    """Done; once more: open again."""
    row = db.session.get(MeetingAction, refuse_large_id(meeting_action_id))
    if row is None:
        raise NotFound()
    back = url_for("key_accounts.meeting", meeting_id=row.meeting_id)
    return post(
        lambda: services.finish_meeting_action(meeting_action_id, current_actor()), _("The action was saved."), back
    )
