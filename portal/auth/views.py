"""Pages of log-in, passwords and sessions."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.auth import demo_accounts, devices, kept, methods, queries, services, sessions, throttle
from portal.auth.confirmation import confirmation_for
from portal.auth.current import current_actor, current_actor_or_none
from portal.auth.forms import ChangePasswordForm, ConfirmForm, LogInForm
from portal.core import clock
from portal.core.errors import Invalid
from portal.core.transaction import transaction
from portal.core.web import access, public, refuse_large_id, safe_next, signed_in
from portal.i18n import _, _n
from portal.org.queries import person_line

blueprint = Blueprint("auth", __name__)

#: What the log-in page says when a session is over.
ENDED = {
    "idle": lambda: _("You were logged out because nothing happened for a while."),
    "expired": lambda: _("You were logged out because the longest time of a session is over."),
    "ended": lambda: _("You were logged out. Please log in again."),
}


def password_rules() -> services.PasswordRules:
    """The organisation's switches, for the services."""
    config = current_app.config
    return services.PasswordRules(config["PASSWORD_COMPLEXITY"], config["PASSWORD_MAX_DAYS"], config["ORGANISATION"])


def client_address() -> str:
    """The client's address as the trusted proxies say."""
    return request.remote_addr or ""


# ---- log-in --------------------------------------------------------------------------------------------------------


@blueprint.route("/login", methods=["GET", "POST"])
@public
def login() -> ResponseReturnValue:
    """Log in. Answers the same for an unknown name, a wrong password and somebody who left."""
    form = LogInForm()
    if current_actor_or_none() is not None and request.method == "GET":
        return redirect(safe_next(request.args.get("next"), url_for("home.index")))
    if request.method == "GET":
        form.next.data = request.args.get("next", "")
    if not form.validate_on_submit():
        return _login_page(form), 400 if form.is_submitted() else 200
    # Nobody's name has a NUL, and PostgreSQL cannot even store what was tried.
    name = (form.login.data or "").replace("\0", "\ufffd")
    device = devices.known_device(name)
    with transaction():
        wait = throttle.reserve(name, client_address(), device)
    if wait:
        form.form_errors.append(_wait_text(wait))
        answer = make_response(_login_page(form), 429)
        answer.headers["Retry-After"] = str(wait)
        return answer
    proof = methods.authenticate(name, form.password.data or "")
    with transaction():
        accepted = services.complete_log_in(proof, password_rules(), ip=client_address()) if proof else None
        if accepted is None:
            expired = proof is not None and proof.expired
            services.record_failed_log_in(name, ip=client_address(), reason="expired" if expired else "")
        else:
            user, restricted = accepted
            throttle.forgive(name, client_address(), device)
            sessions.start(user.id, method=proof.provider if proof else "", restricted=restricted)
    if accepted is None:
        if expired:
            form.form_errors.append(_("This one-time password has expired. Ask an administrator for a new one."))
        else:
            form.form_errors.append(_("The name or the password is not right."))
        return _login_page(form), 401
    answer = make_response(_after_proof(form.next.data, form.kept.data, restricted))
    devices.remember_device(answer, name)
    return answer


def _after_proof(target: str | None, kept_form: str | None, restricted: str = "") -> ResponseReturnValue:
    """Where to go after log-in or confirmation: on with what was being done."""
    if restricted:
        return redirect(url_for("auth.change_password"))
    found = kept.read(kept_form)
    if found is not None:
        return render_template("auth/resume.html", kept=found)
    return redirect(safe_next(target, url_for("home.index")))


def _login_page(form: LogInForm) -> str:
    form.password.data = ""
    reason = ENDED.get(sessions.current_session().ended_reason)
    return render_template("auth/login.html", form=form, accounts=demo_accounts(), reason=reason() if reason else "")


def _wait_text(seconds: int) -> str:
    if seconds < 60:
        return _n(
            "Too many attempts. Try again in %(num)s second.",
            "Too many attempts. Try again in %(num)s seconds.",
            seconds,
        )
    return _n(
        "Too many attempts. Try again in %(num)s minute.",
        "Too many attempts. Try again in %(num)s minutes.",
        -(-seconds // 60),
    )


def show_log_in() -> ResponseReturnValue:
    """For the guard: a form was sent without a session. The log-in page carries what was typed."""
    form = LogInForm(formdata=None)
    form.kept.data = kept.keep_request()
    return _login_page(form), 401


@blueprint.post("/logout")
@signed_in
def logout() -> Response:
    """Log out: the session is deleted here, the browser forgets what it kept."""
    current = sessions.current_session()
    record = current.load()
    with transaction():
        services.record_log_out(current_actor())
        if record is not None:
            sessions.delete_record(record.id)
    current.forget()
    answer = make_response(redirect(url_for("auth.login")))
    # Not "cookies": those of the language and of known devices stay.
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


# ---- proving again who one is --------------------------------------------------------------------------------------


@blueprint.route("/confirm", methods=["GET", "POST"])
@signed_in
def confirm() -> ResponseReturnValue:
    """Ask for the password again before pages of administration."""
    form = ConfirmForm()
    if request.method == "GET":
        form.next.data = request.args.get("next", "")
    if not form.validate_on_submit():
        return _confirmation_page(form), 400 if form.is_submitted() else 200
    actor = current_actor()
    wait = _reserve_for_session()
    if wait:
        form.form_errors.append(_wait_text(wait))
        return _confirmation_page(form), 429
    record = sessions.current_session().load()
    right = record is not None and confirmation_for(record.method).check(record.user_id, form.answer.data or "")
    with transaction():
        services.record_confirmation(actor, ok=right)
        if right:
            _forgive_for_session()
            sessions.renew(confirmed_at=clock.now())
    if not right:
        form.answer.errors = [_("The password is not right.")]
        return _confirmation_page(form), 401
    return _after_proof(form.next.data, form.kept.data)


def _reserve_for_session() -> int:
    """Attempts of a signed-in browser are counted for its session alone."""
    actor = current_actor()
    with transaction():
        return throttle.reserve(actor.login, client_address(), f"session-{actor.session_key}")


def _forgive_for_session() -> None:
    actor = current_actor()
    throttle.forgive(actor.login, client_address(), f"session-{actor.session_key}")


def _confirmation_page(form: ConfirmForm) -> str:
    form.answer.data = ""
    return render_template("auth/confirm.html", form=form)


def show_confirmation() -> ResponseReturnValue:
    """For the guard: a form of administration was sent too long after the last proof."""
    form = ConfirmForm(formdata=None)
    form.kept.data = kept.keep_request()
    form.next.data = safe_next(request.full_path.rstrip("?"), "") if not form.kept.data else ""
    return _confirmation_page(form), 403


# ---- one's own account ---------------------------------------------------------------------------------------------


@blueprint.route("/account/password", methods=["GET", "POST"])
@signed_in
def change_password() -> ResponseReturnValue:
    """Choose a new password; the present one is asked for."""
    form = ChangePasswordForm()
    record = sessions.current_session().load()
    restricted = bool(record and record.restricted)
    status = 200
    if form.validate_on_submit():
        wait = _reserve_for_session()
        if wait:
            form.form_errors.append(_wait_text(wait))
            status = 429
        elif not confirmation_for(record.method if record else "").check(
            current_actor().user_id or 0, form.present.data or ""
        ):
            form.present.errors = [_("The password is not right.")]
            status = 401
        else:
            try:
                with transaction():
                    services.change_password(form.to_input(), password_rules(), current_actor())
                    _forgive_for_session()
                    sessions.renew(restricted="", confirmed_at=clock.now())
            except Invalid as error:
                form.show(error)
                with transaction():
                    _forgive_for_session()
                status = 400
            else:
                flash(_("Your password has been changed. Your other sessions have ended."), "success")
                return redirect(url_for("home.index") if restricted else url_for("auth.sessions"))
    elif form.is_submitted():
        status = 400
    return (
        render_template(
            "auth/change_password.html",
            form=form,
            restricted=restricted,
            complexity=current_app.config["PASSWORD_COMPLEXITY"],
        ),
        status,
    )


@blueprint.get("/account/sessions", endpoint="sessions")
@signed_in
def sessions_page() -> str:
    """One's own sessions."""
    actor = current_actor()
    return render_template(
        "auth/sessions.html", lines=queries.sessions_of(actor.user_id or 0), present=int(actor.session_key or 0)
    )


@blueprint.post("/account/sessions/<int:session_id>/end")
@signed_in
def end_session(session_id: int) -> ResponseReturnValue:
    """End one session: one's own; anybody's for administrators."""
    actor = current_actor()
    with transaction():
        services.end_session(refuse_large_id(session_id), actor)
    if str(session_id) == actor.session_key:
        sessions.current_session().forget()
        return redirect(url_for("auth.login"))
    flash(_("The session has ended."), "success")
    return redirect(safe_next(request.form.get("next"), url_for("auth.sessions")))


@blueprint.post("/account/sessions/end-others")
@signed_in
def end_other_sessions() -> ResponseReturnValue:
    """End all of one's own sessions but this one."""
    with transaction():
        ended = services.end_other_sessions(current_actor())
    flash(_n("%(num)s other session has ended.", "%(num)s other sessions have ended.", ended), "success")
    return redirect(url_for("auth.sessions"))


# ---- other people's accounts ---------------------------------------------------------------------------------------


@blueprint.get("/admin/people/<int:user_id>/account")
@access(services.MANAGE)
def account(user_id: int) -> str:
    """How a person logs in, and his sessions."""
    return _account_page(refuse_large_id(user_id))


def _account_page(user_id: int, one_time: str = "") -> str:
    return render_template(
        "auth/account.html",
        person=person_line(user_id),
        account=queries.account(user_id),
        lines=queries.sessions_of(user_id),
        one_time=one_time,
        hours=int(services.ONE_TIME_LIFE.total_seconds() // 3600),
    )


@blueprint.post("/admin/people/<int:user_id>/one-time-password")
@access(services.MANAGE)
def issue_one_time_password(user_id: int) -> str:
    """Give a person a one-time password. It stands on this page only and is kept nowhere."""
    with transaction():
        password = services.issue_one_time_password(refuse_large_id(user_id), current_actor())
    return _account_page(user_id, password)


@blueprint.post("/admin/people/<int:user_id>/end-sessions")
@access(services.MANAGE)
def end_all_sessions(user_id: int) -> ResponseReturnValue:
    """End all sessions of a person."""
    with transaction():
        ended = services.end_all_sessions(refuse_large_id(user_id), current_actor())
    flash(_n("%(num)s session has ended.", "%(num)s sessions have ended.", ended), "success")
    return redirect(url_for("auth.account", user_id=user_id))


@blueprint.get("/admin/sessions")
@access(services.MANAGE)
def all_sessions() -> str:
    """Everybody's sessions."""
    return render_template("auth/all_sessions.html", lines=queries.all_sessions(), shown=queries.SHOWN)
