"""Pages about people, departments and delegations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from portal.core import clock
from portal.core.errors import Conflict, Invalid, NotFound
from portal.core.numbers import id_from
from portal.core.permissions import can
from portal.core.registry import registry
from portal.core.transaction import transaction
from portal.core.web import access, refuse_large_id, safe_next, signed_in
from portal.i18n import _
from portal.org import listings, queries, services
from portal.org.current import current_actor
from portal.org.forms import DelegationForm, DepartmentForm, LeavingForm, PersonForm, ProfileForm
from portal.org.permissions import DELEGATE, DIRECTORY, MANAGE
from portal.org.roles import role_name

blueprint = Blueprint("org", __name__)


# ---- people --------------------------------------------------------------------------------------------------------


@blueprint.get("/admin/people")
@access(MANAGE)
def people() -> str:
    """All people, those who left included."""
    args = request.args or MultiDict({"scene": "active"})
    return render_template("org/people.html", page=listings.PEOPLE.page(current_actor(), args))


@blueprint.get("/admin/people/<int:user_id>")
@access(MANAGE)
def person(user_id: int) -> str:
    """One person, for administrators."""
    user = queries.person(refuse_large_id(user_id))
    superior = queries.supervisor_of(user.id)
    names = queries.names_of([superior, user.successor_id])
    return render_template(
        "org/person.html",
        person=user,
        line=queries.person_line(user.id),
        superior=names.get(superior or 0, ""),
        superior_is_default=user.supervisor_id != superior,
        successor=names.get(user.successor_id or 0, ""),
        roles=[role_name(role.role) for role in user.roles],
        headed=queries.headed_departments(user.id),
    )


@blueprint.route("/admin/people/new", methods=["GET", "POST"])
@access(MANAGE)
def create_person() -> ResponseReturnValue:
    """Add a person."""
    form = PersonForm()
    if request.method == "GET":
        form.department_id.data = id_from(request.args.get("department", ""))
    status = 200
    if form.is_submitted():
        status = 400
        if form.validate():
            try:
                with transaction():
                    user_id = services.create_person(form.to_input(), current_actor()).id
            except Invalid as error:
                form.show(error)
            else:
                flash(_("The person was added. Issue a one-time password so that he can log in."), "success")
                return redirect(url_for("auth.account", user_id=user_id))
    return render_template("org/person_form.html", form=form, person=None), status


@blueprint.route("/admin/people/<int:user_id>/edit", methods=["GET", "POST"])
@access(MANAGE)
def edit_person(user_id: int) -> ResponseReturnValue:
    """Change a person."""
    user = queries.person(refuse_large_id(user_id))
    given = services.person_input(user)
    data = {**vars(given), "roles": list(given.roles), "version": str(user.version)}
    form = PersonForm(data=data)
    status = 200
    if form.is_submitted():
        status = 400
        if form.validate():
            try:
                with transaction():
                    services.edit_person(user_id, form.to_input(), form.seen_version or 0, current_actor())
            except Invalid as error:
                form.show(error)
            except Conflict as error:
                return _conflict(error, form, _person_facts, url_for("org.edit_person", user_id=user_id)), 409
            else:
                flash(_("Saved."), "success")
                return redirect(url_for("org.person", user_id=user_id))
    return render_template("org/person_form.html", form=form, person=queries.person_line(user_id)), status


def _conflict(error: Conflict, form: Any, facts: Callable[[Any], list[tuple[Any, str]]], url: str) -> str:
    """Both versions side by side; sending one's own again now knows the other."""
    theirs, mine = facts(error.details["current"]), facts(form.to_input())
    rows = [(label, present, own) for (label, present), (_label, own) in zip(theirs, mine, strict=True)]
    fields = [(name, value) for name, value in request.form.items(multi=True) if name not in {"csrf_token", "version"}]
    fields.append(("version", str(error.details["version"])))
    return render_template("org/conflict.html", message=error.message, rows=rows, fields=fields, url=url)


def _person_facts(data: services.PersonInput) -> list[tuple[Any, str]]:
    names = queries.names_of([data.supervisor_id])
    departments = queries.department_names([data.department_id] if data.department_id else [])
    return [
        (_("Full name"), data.name),
        (_("Log-in name"), data.login),
        (_("Department"), departments.get(data.department_id or 0, "")),
        (_("Job title"), data.title),
        (_("E-mail"), data.email),
        (_("Telephone"), data.phone),
        (_("Direct superior"), names.get(data.supervisor_id or 0, "")),
        (_("Staff number"), data.person_key),
        (_("Roles"), _(", ").join(sorted(role_name(role) for role in data.roles))),
    ]


@blueprint.route("/admin/people/<int:user_id>/leave", methods=["GET", "POST"])
@access(MANAGE)
def deactivate_person(user_id: int) -> ResponseReturnValue:
    """Somebody leaves: close the account and hand everything over, in one step."""
    line = queries.person_line(refuse_large_id(user_id))
    if not line.is_active:
        return redirect(url_for("org.person", user_id=user_id))
    form = LeavingForm()
    status = 200
    if form.is_submitted():
        status = 400
        if form.validate():
            try:
                with transaction():
                    services.deactivate_person(user_id, form.to_input(), current_actor())
            except Invalid as error:
                form.show(error)
            else:
                flash(_("%(name)s has left. The account is closed.", name=line.name), "success")
                return redirect(url_for("org.person", user_id=user_id))
    return (
        render_template("org/leave.html", form=form, person=line, headed=queries.headed_departments(user_id)),
        status,
    )


@blueprint.post("/admin/people/<int:user_id>/return")
@access(MANAGE)
def reactivate_person(user_id: int) -> ResponseReturnValue:
    """Somebody comes back."""
    try:
        with transaction():
            services.reactivate_person(refuse_large_id(user_id), current_actor())
    except Invalid as error:
        flash(str(error), "danger")
        return redirect(url_for("org.person", user_id=user_id))
    flash(_("The account is open again. Issue a one-time password so that he can log in."), "success")
    return redirect(url_for("auth.account", user_id=user_id))


# ---- departments ---------------------------------------------------------------------------------------------------


@blueprint.get("/admin/departments")
@access(MANAGE)
def departments() -> str:
    """The tree of departments, for administrators."""
    closed = request.args.get("closed") == "1"
    return render_template("org/departments.html", roots=queries.departments_tree(closed=closed), closed=closed)


@blueprint.route("/admin/departments/new", methods=["GET", "POST"])
@access(MANAGE)
def create_department() -> ResponseReturnValue:
    """Add a department."""
    form = DepartmentForm()
    if request.method == "GET":
        form.parent_id.data = id_from(request.args.get("parent", ""))
    status = 200
    if form.is_submitted():
        status = 400
        if form.validate():
            try:
                with transaction():
                    services.create_department(form.to_input(), current_actor())
            except Invalid as error:
                form.show(error)
            else:
                flash(_("Saved."), "success")
                return redirect(url_for("org.departments"))
    return render_template("org/department_form.html", form=form, department=None), status


@blueprint.route("/admin/departments/<int:department_id>", methods=["GET", "POST"])
@access(MANAGE)
def edit_department(department_id: int) -> ResponseReturnValue:
    """Change or move a department."""
    department = queries.department(refuse_large_id(department_id))
    form = DepartmentForm(data={**vars(services.department_input(department)), "version": str(department.version)})
    status = 200
    if form.is_submitted():
        status = 400
        if form.validate():
            try:
                with transaction():
                    services.edit_department(department_id, form.to_input(), form.seen_version or 0, current_actor())
            except Invalid as error:
                form.show(error)
            except Conflict as error:
                url = url_for("org.edit_department", department_id=department_id)
                return _conflict(error, form, _department_facts, url), 409
            else:
                flash(_("Saved."), "success")
                return redirect(url_for("org.departments"))
    return (
        render_template("org/department_form.html", form=form, department=queries.department(department_id)),
        status,
    )


def _department_facts(data: services.DepartmentInput) -> list[tuple[Any, str]]:
    names = queries.names_of([data.head_id, data.deputy_id])
    above = queries.department_names([data.parent_id] if data.parent_id else [])
    return [
        (_("Name"), data.name),
        (_("Code"), data.code),
        (_("Belongs to"), above.get(data.parent_id or 0, "")),
        (_("Head"), names.get(data.head_id or 0, "")),
        (_("Deputy"), names.get(data.deputy_id or 0, "")),
    ]


@blueprint.post("/admin/departments/<int:department_id>/close")
@access(MANAGE)
def close_department(department_id: int) -> ResponseReturnValue:
    """Close a department."""
    try:
        with transaction():
            services.close_department(refuse_large_id(department_id), current_actor())
    except Invalid as error:
        flash(str(error), "danger")
        return redirect(url_for("org.edit_department", department_id=department_id))
    flash(_("The department is closed. Its history stays."), "success")
    return redirect(url_for("org.departments"))


@blueprint.post("/admin/departments/<int:department_id>/reopen")
@access(MANAGE)
def reopen_department(department_id: int) -> ResponseReturnValue:
    """Open a closed department again."""
    try:
        with transaction():
            services.reopen_department(refuse_large_id(department_id), current_actor())
    except Invalid as error:
        flash(str(error), "danger")
    else:
        flash(_("The department is open again."), "success")
    return redirect(url_for("org.edit_department", department_id=department_id))


# ---- everybody's pages ---------------------------------------------------------------------------------------------


@blueprint.get("/staff")
@access(DIRECTORY)
def directory() -> str:
    """The telephone book."""
    return render_template("org/directory.html", page=listings.DIRECTORY.page(current_actor(), request.args))


@blueprint.get("/staff/<int:user_id>")
@access(DIRECTORY)
def colleague(user_id: int) -> str:
    """One colleague. Those who left are only known to administrators."""
    line = queries.person_line(refuse_large_id(user_id))
    if not line.is_active:
        raise NotFound()
    superior = queries.supervisor_of(user_id)
    return render_template(
        "org/colleague.html",
        person=line,
        superior=queries.names_of([superior]).get(superior or 0, ""),
        superior_id=superior,
        headed=queries.headed_departments(user_id),
        may_manage=can(current_actor(), MANAGE),
    )


@blueprint.get("/staff/chart")
@access(DIRECTORY)
def chart() -> str:
    """The organisation chart."""
    return render_template("org/chart.html", roots=queries.departments_tree())


@blueprint.get("/staff/pick")
@access(DIRECTORY)
def pick_user() -> Response:
    """JSON for the picker of people."""
    return _choices(queries.user_choices(request.args.get("q", "")[:100]))


@blueprint.get("/staff/departments/pick")
@access(DIRECTORY)
def pick_department() -> Response:
    """JSON for the picker of departments."""
    return _choices(queries.department_choices(request.args.get("q", "")[:100]))


def _choices(found: list[queries.Choice]) -> Response:
    return jsonify([{"value": str(item.value), "label": item.label, "hint": item.hint} for item in found])


@blueprint.route("/account", methods=["GET", "POST"])
@signed_in
def profile() -> ResponseReturnValue:
    """One's own contact data, language and appearance."""
    actor = current_actor()
    user = queries.person(actor.user_id or 0)
    form = ProfileForm(data={"email": user.email, "phone": user.phone, "language": user.language, "theme": user.theme})
    status = 200
    if form.is_submitted():
        status = 400
        if form.validate():
            try:
                with transaction():
                    services.set_profile(form.to_input(), actor)
            except Invalid as error:
                form.show(error)
            else:
                flash(_("Saved."), "success")
                return redirect(url_for("org.profile"))
    superior = queries.supervisor_of(actor.user_id or 0)
    return (
        render_template(
            "org/profile.html",
            form=form,
            person=queries.person_line(actor.user_id or 0),
            superior=queries.names_of([superior]).get(superior or 0, ""),
            roles=[role_name(role) for role in sorted(actor.roles)],
            headed=queries.headed_departments(actor.user_id or 0),
        ),
        status,
    )


# ---- delegation ----------------------------------------------------------------------------------------------------


@blueprint.get("/delegations")
@signed_in
def delegations() -> str:
    """Delegations one gave and received."""
    actor = current_actor()
    given = queries.delegation_lines(actor.user_id or 0, given=True)
    received = queries.delegation_lines(actor.user_id or 0, given=False)
    numbers = {int(number) for line in (*given, *received) for number in line.departments.split()}
    return render_template(
        "org/delegations.html",
        given=given,
        received=received,
        now=clock.now(),
        kinds={kind.key: kind.title for kind in registry("approval_kinds")},
        departments=queries.department_names(numbers),
        may_delegate=can(actor, DELEGATE),
    )


@blueprint.route("/delegations/new", methods=["GET", "POST"])
@access(DELEGATE)
def create_delegation() -> ResponseReturnValue:
    """Name a delegate."""
    actor = current_actor()
    now = clock.local(clock.now()).replace(minute=0, second=0, microsecond=0, tzinfo=None)
    tomorrow = now.replace(hour=0) + timedelta(days=1)
    form = DelegationForm(actor, data={"begins_at": tomorrow, "ends_at": tomorrow + timedelta(days=7)})
    status = 200
    if form.is_submitted():
        status = 400
        if form.validate():
            try:
                with transaction():
                    services.create_delegation(form.to_input(), actor)
            except Invalid as error:
                form.show(error)
            else:
                flash(_("The delegation is noted. You can still decide yourself."), "success")
                return redirect(url_for("org.delegations"))
    return render_template("org/delegation_form.html", form=form), status


@blueprint.post("/delegations/<int:delegation_id>/revoke")
@signed_in
def revoke_delegation(delegation_id: int) -> ResponseReturnValue:
    """End a delegation at once."""
    with transaction():
        services.revoke_delegation(refuse_large_id(delegation_id), current_actor())
    flash(_("The delegation has ended."), "success")
    return redirect(safe_next(request.form.get("next"), url_for("org.delegations")))
