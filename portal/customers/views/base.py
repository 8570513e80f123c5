"""The blueprint, its errors and what its pages share."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, g, redirect, render_template, url_for
from markupsafe import Markup
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from portal.auth.current import current_actor
from portal.core.numbers import id_from
from portal.core.web import refuse_large_id
from portal.customers import queries
from portal.customers import vocabulary as words
from portal.customers.listings import birthday_label, stage_tag
from portal.customers.models import Customer
from portal.customers.page import Head, head_of
from portal.customers.permissions import VIEW
from portal.customers.phones import masked
from portal.extensions import db
from portal.pluginmanager import manager

blueprint = Blueprint("customers", __name__, url_prefix="/customers")


@blueprint.app_errorhandler(queries.HiddenCustomer)
def hidden(error: queries.HiddenCustomer) -> tuple[str, int]:
    """The customer exists, and that is all that is said."""
    recorder = current_app.extensions.get("portal_refusal_recorder")
    db.session.rollback()
    found = manager().collect("customer_hidden_actions", customer_id=error.existence.customer_id, actor=current_actor())
    actions = sorted(found, key=lambda action: (action.order, action.key))
    page = render_template("customers/hidden.html", existence=error.existence, actions=actions)
    if recorder is not None:
        recorder(error)
    return page, 403


@blueprint.app_errorhandler(queries.MergedCustomer)
def merged(error: queries.MergedCustomer) -> Response:
    """The record lives on in another one."""
    return redirect(url_for("customers.show", customer_id=error.kept_id))


@blueprint.app_template_global("customer_head")
def template_head(customer: Customer, active: str) -> Head:
    """The head of the record page, for tabs of all modules: `customer_head(customer, "documents")`."""
    return head_of(customer, current_actor(), active)


@blueprint.app_template_global("customer_stage")
def template_stage(stage: str) -> Markup:
    """A stage as a badge."""
    return stage_tag(stage)


@blueprint.context_processor
def template_words() -> dict[str, Any]:
    """Words and small helpers that the templates of this module use."""
    return {"words": words, "word": words.label, "mask_phone": masked, "birthday_label": birthday_label}


def open_customer(customer_id: int, permission: str = VIEW) -> Customer:
    """The customer of a page, with the permission the page needs."""
    g.pop("customer_abilities", None)
    return queries.open_customer(refuse_large_id(customer_id), current_actor(), permission)


def selection_of(form: MultiDict[str, str]) -> list[tuple[str, str]]:
    """The selection of a bulk action, to be sent along on its own page."""
    if form.get("all"):
        return [("all", "1"), ("query", form.get("query", "")[:4000])]
    return [("ids", value) for value in form.getlist("ids")[:5000] if id_from(value) is not None]
