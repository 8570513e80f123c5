"""Pages of notices: one's own list and choices, the administrator's outbox."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from portal.auth.current import current_actor
from portal.core.errors import Invalid, NotFound
from portal.core.numbers import id_from
from portal.core.registry import registry
from portal.core.transaction import transaction
from portal.core.web import access, next_url, refuse_large_id, safe_next, signed_in
from portal.extensions import db
from portal.i18n import _, _n
from portal.notifications import queries, services
from portal.notifications.forms import posted_choices
from portal.notifications.kinds import render
from portal.notifications.listing import LISTING, STATES, shown_address, shown_error
from portal.notifications.mailer import spool_folder
from portal.notifications.models import Channel, OutboxMessage, OutboxState
from portal.notifications.permissions import ADMINISTER

blueprint = Blueprint("notifications", __name__, url_prefix="/notices")


def _me() -> int:
    user_id = current_actor().user_id
    if user_id is None:
        raise NotFound()
    return user_id


@blueprint.get("/")
@signed_in
def index() -> str:
    """One's notices, unread first."""
    only_unread = request.args.get("show") == "unread"
    kind = request.args.get("kind", "")
    if kind not in registry("notice_kinds"):
        kind = ""
    cursor = request.args.get("after", "")
    page = queries.notice_page(_me(), only_unread=only_unread, kind=kind, cursor=cursor)
    chosen: dict[str, Any] = {
        key: value for key, value in (("show", "unread" if only_unread else ""), ("kind", kind)) if value
    }
    return render_template(
        "notifications/index.html",
        page=page,
        only_unread=only_unread,
        kind=kind,
        chosen=chosen,
        is_first=not cursor,
        kinds=sorted(((entry.key, entry.title) for entry in registry("notice_kinds")), key=lambda pair: str(pair[1])),
        unread=queries.unread_count(current_actor()),
    )


@blueprint.post("/<int:notice_id>/open")
@signed_in
def open_notice(notice_id: int) -> BaseResponse:
    """Mark a notice as read and go where it leads."""
    with transaction():
        url = services.mark_read(refuse_large_id(notice_id), _me()).url
    return redirect(safe_next(url, url_for("notifications.index")))


@blueprint.post("/<int:notice_id>/read")
@signed_in
def read(notice_id: int) -> BaseResponse:
    """Mark a notice as read and stay."""
    with transaction():
        services.mark_read(refuse_large_id(notice_id), _me())
    return redirect(next_url(url_for("notifications.index")))


@blueprint.post("/read")
@signed_in
def read_all() -> BaseResponse:
    """Mark everything up to what was on the page as read."""
    up_to = id_from(request.form.get("up_to", "")) or 0
    kind = request.form.get("kind", "")
    with transaction():
        done = services.mark_all_read(_me(), up_to, kind)
    flash(_n("%(num)s notice marked as read.", "%(num)s notices marked as read.", done), "success")
    return redirect(next_url(url_for("notifications.index")))


@blueprint.route("/preferences", methods=["GET", "POST"])
@signed_in
def preferences() -> str | BaseResponse:
    """By which way one hears of what."""
    me = _me()
    if request.method == "POST":
        choices = posted_choices(request.form, [kind.key for kind in registry("notice_kinds")])
        try:
            with transaction():
                services.choose_channels(current_actor(), choices)
        except Invalid as error:
            for _field, message in error.errors:
                flash(str(message), "danger")
        else:
            flash(_("Your choice is saved."), "success")
        return redirect(url_for("notifications.preferences"))
    return render_template(
        "notifications/preferences.html",
        choices=queries.choices_of(me),
        channels=list(Channel),
        channels_for=queries.channels_for,
        labels=channel_labels(),
        has_mail=services.is_address(services.mail_address(me)),
    )


def channel_labels() -> dict[str, str]:
    """The channels in words."""
    return {
        Channel.MAIL: _("Portal and mail at once"),
        Channel.DIGEST: _("Portal and daily digest"),
        Channel.PORTAL: _("Portal only"),
        Channel.NONE: _("Not at all"),
    }


@blueprint.get("/outbox")
@access(ADMINISTER)
def outbox() -> str:
    """What leaves the portal by mail."""
    return render_template(
        "notifications/outbox.html",
        page=LISTING.page(current_actor(), request.args),
        counts=queries.outbox_counts(),
        server=current_app.config["SMTP_HOST"],
        spool=str(spool_folder().name),
        base_url=current_app.config["BASE_URL"],
    )


@blueprint.get("/outbox/<int:message_id>")
@access(ADMINISTER)
def message(message_id: int) -> str:
    """One message: where it is on its way, not what it says."""
    row = db.session.get(OutboxMessage, refuse_large_id(message_id))
    if row is None:
        raise NotFound()
    kind = registry("notice_kinds").get(row.kind)
    return render_template(
        "notifications/message.html",
        message=row,
        subject=render(row.subject),
        to_address=shown_address(row.to_address, row.user_id),
        error=shown_error(row.error, row.to_address, row.user_id),
        kind=kind.title if kind else (_("Daily digest") if row.kind == "digest" else row.kind),
        state=STATES[OutboxState(row.state)],
        may_retry=row.state == OutboxState.FAILED,
    )


@blueprint.post("/outbox/<int:message_id>/retry")
@access(ADMINISTER)
def retry(message_id: int) -> BaseResponse:
    """Send a failed message again."""
    with transaction():
        services.retry_message(refuse_large_id(message_id), current_actor())
    flash(_("The message will be sent again within a minute."), "success")
    return redirect(url_for("notifications.message", message_id=message_id))
