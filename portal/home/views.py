"""Home page, search, palette, language, theme, saved views, health."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, flash, jsonify, make_response, redirect, render_template, request, url_for
from sqlalchemy import text as sql_text
from werkzeug.wrappers import Response

from portal.auth.current import current_actor
from portal.core import clock
from portal.core.error_pages import note_refusal
from portal.core.errors import Invalid, TooMany
from portal.core.registry import registry
from portal.core.style_samples import samples
from portal.core.text import clean_name
from portal.core.transaction import transaction
from portal.core.web import access, next_url, public, signed_in
from portal.extensions import csrf, db
from portal.home import palette, services
from portal.home.agenda import AgendaItem
from portal.i18n import LANGUAGE_CODES, _
from portal.i18n.selection import COOKIE
from portal.org.services import set_preferences
from portal.pluginmanager import manager

blueprint = Blueprint("home", __name__)
health_blueprint = Blueprint("health", __name__)

#: Days that "my day" looks ahead.
AGENDA_DAYS = 7
COOKIE_SECONDS = 365 * 24 * 3600
THEMES = ("auto", "light", "dark")


@blueprint.get("/")
@signed_in
def index() -> str:
    """The home page: my day and the panels of all modules."""
    from datetime import timedelta

    actor = current_actor()
    until = clock.today() + timedelta(days=AGENDA_DAYS)
    agenda: list[AgendaItem] = sorted(
        manager().collect("agenda_items", actor=actor, until=until), key=lambda item: (item.due, str(item.title))
    )
    panels = sorted(manager().collect("home_panels", actor=actor), key=lambda panel: (panel.order, panel.key))
    return render_template("home/index.html", agenda=agenda, panels=panels, now=clock.local(clock.now()))


@blueprint.get("/search")
@signed_in
def search() -> str | tuple[str, int]:
    """The search page; works without script."""
    query = clean_name(request.args.get("q", ""))[:100]
    groups: dict[str, list[palette.PaletteItem]] = {}
    try:
        hits = palette.find(current_actor(), query, _("Pages")) if query else []
    except TooMany as error:
        # The page with what was typed: it need not be typed again.
        note_refusal(error)
        return render_template("home/search.html", query=query, groups=groups, refusal=error.message), error.status
    for hit in hits:
        groups.setdefault(str(hit.group), []).append(hit)
    return render_template("home/search.html", query=query, groups=groups, refusal="")


@blueprint.get("/palette")
@signed_in
def palette_hits() -> Response:
    """Hits for the command palette, as JSON."""
    query = clean_name(request.args.get("q", ""))[:100]
    hits = palette.find(current_actor(), query, _("Pages"))
    return jsonify([{"label": h.label, "url": h.url, "group": str(h.group), "hint": h.hint} for h in hits])


@blueprint.post("/language")
@public
def set_language() -> Response:
    """Choose the language; kept in a cookie and with the person."""
    code = request.form.get("language", "")
    response = make_response(redirect(next_url(url_for("home.index"))))
    if code in LANGUAGE_CODES:
        response.set_cookie(COOKIE, code, max_age=COOKIE_SECONDS, httponly=True, samesite="Lax", secure=_https())
        _remember(language=code)
    return response


@blueprint.post("/theme")
@public
def set_theme() -> Response:
    """Choose light, dark or the system's theme."""
    theme = request.form.get("theme", "")
    response = make_response(redirect(next_url(url_for("home.index"))))
    if theme in THEMES:
        response.set_cookie(
            "portal_theme", theme, max_age=COOKIE_SECONDS, httponly=True, samesite="Lax", secure=_https()
        )
        _remember(theme=theme)
    return response


def _https() -> bool:
    return bool(current_app.config["HTTPS"])


def _remember(**values: str) -> None:
    from flask import g

    actor = g.get("actor")
    if actor is not None and actor.user_id is not None:
        with transaction():
            set_preferences(actor, **values)


@blueprint.post("/views/save")
@signed_in
def save_view() -> Response:
    """Save the present query of a list under a name."""
    key = request.form.get("listing", "")
    data = services.SavedViewInput(
        listing=key,
        name=clean_name(request.form.get("label", "")),
        query=request.form.get("query", "")[:4000],
        is_shared=bool(request.form.get("shared")),
        is_pinned=bool(request.form.get("pinned")),
    )
    try:
        with transaction():
            view = services.save_view(data, current_actor())
            target = f"{url_for(registry('listings')[key].endpoint)}?{view.query}"
    except Invalid as error:
        flash(str(error.errors[0][1]), "danger")
        return redirect(next_url(url_for("home.index")))
    flash(_("The view “%(name)s” was saved.", name=data.name), "success")
    return redirect(target)


@blueprint.post("/views/<int:view_id>/delete")
@signed_in
def delete_view(view_id: int) -> Response:
    """Delete one's own saved view."""
    with transaction():
        view = services.delete_view(view_id, current_actor())
        target = url_for(registry("listings")[view.listing].endpoint) if view.listing in registry("listings") else "/"
        name = view.name
    flash(_("The view “%(name)s” was deleted.", name=name), "success")
    return redirect(target)


@blueprint.get("/style")
@access("org.manage")
def style() -> str:
    """The living style page: every component in every state."""
    return render_template("style/index.html", **samples())


@health_blueprint.get("/healthz")
@public
def healthz() -> tuple[Response, int]:
    """200 when database, worker and storage are well, else 503 with the names of what is not."""
    results: dict[str, str] = {}
    try:
        db.session.execute(sql_text("SELECT 1"))
        results["database"] = "ok"
    except Exception as error:  # any failure of the driver means the same here
        current_app.logger.warning("health: database: %s", error)
        results["database"] = "failed"
    for check in manager().collect("register_health_checks"):
        results[check.name] = _run_check(check)
    well = all(result == "ok" for result in results.values())
    return jsonify(status="ok" if well else "failed", checks=results), 200 if well else 503


def _run_check(check: Any) -> str:
    try:
        problem = check.run()
    except Exception as error:  # a broken check is a failed check
        current_app.logger.warning("health: %s: %s", check.name, error)
        problem = "failed"
    return "ok" if not problem else "failed"


csrf.exempt(healthz)
