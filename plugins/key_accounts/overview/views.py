"""The page of all key accounts and the review pack."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from plugins.key_accounts.blueprint import blueprint
from plugins.key_accounts.frame import load_customer
from plugins.key_accounts.measures.models import growth_of
from plugins.key_accounts.overview import documents, queries
from plugins.key_accounts.overview.listings import ACCOUNTS
from plugins.key_accounts.permissions import USE
from plugins.key_accounts.portfolio.views import scope_of
from plugins.key_accounts.satisfaction import queries as satisfaction
from plugins.key_accounts.satisfaction import vocabulary as health_words
from plugins.key_accounts.satisfaction.settings import loss_rates
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


@blueprint.post("/customers/<int:customer_id>/review")
@access(USE)
def review_pack(customer_id: int) -> Response:
    """Make the review pack of a customer."""
    actor = current_actor()
    customer = load_customer(customer_id, actor)
    made = documents.make_review(customer, actor)
    return redirect(url_for("documents.download", document_id=made.id))
