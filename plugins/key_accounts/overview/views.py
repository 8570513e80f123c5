"""The page of all key accounts and the review pack."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from plugins.key_accounts.blueprint import blueprint
from plugins.key_accounts.frame import load_customer
from plugins.key_accounts.measures.models import growth_of
from plugins.key_accounts.overview import company_plan, documents, queries
from plugins.key_accounts.overview.listings import ACCOUNTS
from plugins.key_accounts.permissions import USE
from plugins.key_accounts.policies.forms import SEGMENT_WORDS
from plugins.key_accounts.portfolio.views import scope_of
from plugins.key_accounts.satisfaction import queries as satisfaction
from plugins.key_accounts.satisfaction import vocabulary as health_words
from plugins.key_accounts.satisfaction.settings import loss_rates
from plugins.key_accounts.tiers import vocabulary as tier_words
from portal.auth.current import current_actor
from portal.core.web import access


@blueprint.get("/accounts")
@access(USE)
def accounts() -> str:
    """All key and important customers one may see: figures, health, plans, opportunities."""
    actor = current_actor()
    found = queries.summary(actor)
    return render_template(
        "key_accounts/overview/index.html",
        page=ACCOUNTS.page(actor, request.args),
        summary=found,
        growth=growth_of(found.sales, found.sales_before),
        lost=sum((line.lost_sales for line in satisfaction.expected_loss(actor, loss_rates())), queries.ZERO),
        scope=scope_of(actor),
        words=health_words,
    )


@blueprint.get("/customer-plan")
@access(USE)
def customer_plan() -> str:
    """The company's customer plan in four steps, each with what it rests on and the way to its pages."""
    actor = current_actor()
    return render_template(
        "key_accounts/overview/company_plan.html",
        plan=company_plan.company_plan(actor),
        scope=scope_of(actor),
        words=tier_words,
        segments=SEGMENT_WORDS,
    )


@blueprint.post("/customers/<int:customer_id>/review")
@access(USE)
def review_pack(customer_id: int) -> Response:
    """Make the review pack of a customer."""
    actor = current_actor()
    customer = load_customer(customer_id, actor)
    made = documents.make_review(customer, actor)
    return redirect(url_for("documents.download", document_id=made.id))
