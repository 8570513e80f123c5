"""Pages of the portfolio."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from plugins.key_accounts.blueprint import blueprint
from plugins.key_accounts.measures.models import hours_of
from plugins.key_accounts.permissions import USE
from plugins.key_accounts.portfolio import charts, documents, queries, services, whatif
from plugins.key_accounts.portfolio.forms import ScenarioForm, WhatIfForm
from plugins.key_accounts.portfolio.models import Scenario
from plugins.key_accounts.tiers import queries as tiers
from plugins.key_accounts.tiers import vocabulary as words
from plugins.key_accounts.tiers.models import TIERS
from portal.auth.current import current_actor
from portal.core import clock
from portal.core.errors import Invalid
from portal.core.transaction import transaction
from portal.core.web import access
from portal.i18n import _
from portal.org.actor import Actor

#: Scenarios that are compared at once.
COMPARED = 4


def scope_of(actor: Actor) -> str:
    """Whose customers the figures cover, in words."""
    if queries.sees_all(actor):
        return _("All customers of the company")
    return _("Only the customers that %(name)s may see", name=actor.name)


def _by() -> str:
    return queries.PROPOSED if request.values.get("by") == queries.PROPOSED else queries.DECIDED


@blueprint.get("/")
@access(USE)
def portfolio() -> str:
    """The portfolio beside the reference."""
    actor = current_actor()
    by = _by()
    found = queries.portfolio(actor, by)
    pyramid, bars = charts.pictures_of(found) if found.total.customers else (None, None)
    return render_template(
        "key_accounts/portfolio/index.html",
        portfolio=found,
        by=by,
        state=tiers.state(),
        scope=scope_of(actor),
        whole=queries.sees_all(actor),
        pyramid=pyramid,
        bars=bars,
        shares=charts.shares(found),
        reference=whatif.REFERENCE,
        rebalanced=whatif.REBALANCED,
        words=words,
        hours_of=hours_of,
    )


def _defaults(found: queries.Portfolio) -> dict[str, int]:
    points = whatif.present_points(found)
    start = dict(whatif.REBALANCED["hours"]) if request.args.get("start") == "reference" else points
    return {
        **{f"points_{tier}": start[tier] for tier in TIERS},
        **{f"response_{tier}": whatif.RESPONSE[tier] for tier in TIERS},
    }


@blueprint.get("/what-if")
@access(USE)
def what_if() -> str:
    """Move hours between tiers and see the effect; everything stands in the address."""
    actor = current_actor()
    by = _by()
    found = queries.portfolio(actor, by)
    asked = any(name.startswith(("points_", "response_")) for name in request.args)
    defaults = _defaults(found)
    form = WhatIfForm(MultiDict({**defaults, **request.args.to_dict()}) if asked else MultiDict(defaults))
    valid = form.validate()
    assumption = (
        form.to_assumption()
        if valid
        else whatif.Assumption(
            {tier: defaults[f"points_{tier}"] for tier in TIERS}, {tier: defaults[f"response_{tier}"] for tier in TIERS}
        )
    )
    save = ScenarioForm(formdata=None)
    return render_template(
        "key_accounts/portfolio/what_if.html",
        form=form,
        save=save,
        by=by,
        portfolio=found,
        assumption=assumption,
        effect=whatif.effect_of(found, assumption),
        present=whatif.present_points(found),
        rebalanced=whatif.REBALANCED,
        scope=scope_of(actor),
        scenarios=queries.scenarios(actor),
        words=words,
        tiers=TIERS,
    )


@blueprint.post("/what-if")
@access(USE)
def save_scenario() -> Response:
    """Keep a what-if."""
    actor = current_actor()
    form = ScenarioForm()
    if form.validate():
        try:
            with transaction():
                made = services.save_scenario(form.to_input(), scope_of(actor), actor).id
        except Invalid as error:
            flash(str(error), "danger")
        else:
            flash(_("The scenario was saved with the figures of today."), "success")
            return redirect(url_for("key_accounts.scenario", scenario_id=made))
    else:
        flash(_("The scenario was not saved: %(why)s", why=_first_error(form)), "danger")
    kept: dict[str, Any] = {
        name: value for name, value in request.form.items() if name == "by" or name.startswith(("points_", "response_"))
    }
    return redirect(url_for("key_accounts.what_if", **kept))


def _first_error(form: Any) -> str:
    return next((str(error) for field in form for error in field.errors), "")


def _opened(row: Scenario) -> dict[str, Any]:
    by, found, assumption = whatif.from_json(row.content)
    return {
        "row": row,
        "by": by,
        "portfolio": found,
        "assumption": assumption,
        "effect": whatif.effect_of(found, assumption),
    }


@blueprint.get("/scenarios")
@access(USE)
def scenarios() -> str:
    """Saved scenarios, compared."""
    actor = current_actor()
    rows = queries.scenarios(actor)
    wanted = set(request.args.getlist("id"))
    chosen = [row for row in rows if str(row.id) in wanted][:COMPARED] or rows[:2]
    return render_template(
        "key_accounts/portfolio/scenarios.html",
        rows=rows,
        compared=[_opened(row) for row in chosen],
        chosen={row.id for row in chosen},
        most=COMPARED,
        words=words,
        tiers=TIERS,
    )


@blueprint.get("/scenarios/<int:scenario_id>")
@access(USE)
def scenario(scenario_id: int) -> str:
    """One scenario."""
    actor = current_actor()
    row = queries.scenario(scenario_id, actor)
    return render_template(
        "key_accounts/portfolio/scenario.html",
        item=_opened(row),
        own=row.owner_id == actor.user_id,
        words=words,
        tiers=TIERS,
    )


@blueprint.post("/scenarios/<int:scenario_id>/delete")
@access(USE)
def delete_scenario(scenario_id: int) -> Response:
    """Delete one's own scenario."""
    with transaction():
        services.delete_scenario(scenario_id, current_actor())
    flash(_("The scenario was deleted."), "success")
    return redirect(url_for("key_accounts.scenarios"))


@blueprint.post("/scenarios/<int:scenario_id>/pdf")
@access(USE)
def print_scenario(scenario_id: int) -> Response:
    """A scenario as PDF."""
    actor = current_actor()
    row = queries.scenario(scenario_id, actor)
    _by_tier, found, assumption = whatif.from_json(row.content)
    made = documents.make(found, assumption, row.name, row.scope, row.remarks, actor)
    return redirect(url_for("documents.download", document_id=made.id))


@blueprint.post("/portfolio/pdf")
@access(USE)
def print_portfolio() -> Response:
    """The portfolio of today as PDF."""
    actor = current_actor()
    found = queries.portfolio(actor, _by())
    points = whatif.present_points(found)
    title = _("Customer portfolio on %(day)s", day=clock.today())
    made = documents.make(found, whatif.Assumption(points, dict(whatif.RESPONSE)), title, scope_of(actor), "", actor)
    return redirect(url_for("documents.download", document_id=made.id))
