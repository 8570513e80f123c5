"""Products: list, page with who buys it, form, withdrawing from sale, picker."""

from __future__ import annotations

from flask import flash, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.audit.queries import history_of
from portal.auth.current import current_actor
from portal.core import clock
from portal.core.errors import Conflict, Invalid
from portal.core.money import format_yuan
from portal.core.permissions import can
from portal.core.registry import registry
from portal.core.text import clean_name
from portal.core.transaction import transaction
from portal.core.web import access, back_with_choice, refuse_large_id
from portal.i18n import _
from portal.purchases import forms, queries, services
from portal.purchases.listings import PRODUCTS
from portal.purchases.periods import period
from portal.purchases.permissions import MANAGE_PRODUCTS, READ_PRODUCTS, SEE_REPORTS
from portal.purchases.views.base import blueprint, conflict_rows

Page = Response | str | tuple[str, int]


@blueprint.get("/products/")
@access(READ_PRODUCTS)
def products() -> str:
    """The list of products."""
    actor = current_actor()
    page = registry("listings")[PRODUCTS].page(actor, request.args)
    return render_template("purchases/products.html", page=page, may_manage=can(actor, MANAGE_PRODUCTS))


@blueprint.get("/products/pick")
@access(READ_PRODUCTS)
def pick_product() -> Response:
    """Products on sale for a picker, as JSON."""
    text = clean_name(request.args.get("q", ""))[:100]
    return jsonify(
        [
            {
                "value": str(product.id),
                "label": queries.product_label(product.code, product.name),
                "hint": format_yuan(product.list_price, symbol=True) + (f" / {product.unit}" if product.unit else ""),
            }
            for product in queries.find_products(text)
        ]
    )


@blueprint.get("/products/<int:product_id>")
@access(READ_PRODUCTS)
def product(product_id: int) -> str:
    """A product and which of the visible customers buy it."""
    actor = current_actor()
    found = queries.product_for(refuse_large_id(product_id))
    span = period("", clock.today())
    may_manage = can(actor, MANAGE_PRODUCTS)
    return render_template(
        "purchases/product.html",
        product=found,
        buyers=queries.buyers_of(actor, found.id, span.begin) if can(actor, SEE_REPORTS) else None,
        period=span,
        may_manage=may_manage,
        history=history_of("product", found.id, limit=20) if may_manage else [],
    )


@blueprint.route("/products/new", methods=["GET", "POST"])
@access(MANAGE_PRODUCTS)
def create_product() -> Page:
    """Add a product."""
    form = forms.ProductForm()
    if form.validate_on_submit():
        try:
            with transaction():
                made = services.create_product(form.to_input(), current_actor())
                product_id, name, label = made.id, made.name, queries.product_label(made.code, made.name)
        except Invalid as error:
            form.show(error)
        else:
            flash(_("The product “%(name)s” was added.", name=name), "success")
            return redirect(back_with_choice(url_for("purchases.product", product_id=product_id), product_id, label))
    if not form.is_submitted():
        form.name.data = clean_name(request.args.get("name", ""))[:200]
    page = render_template(
        "purchases/product_form.html",
        form=form,
        product=None,
        categories=queries.categories(),
        conflict=None,
        conflict_rows=(),
        action="",
    )
    return page, 400 if form.errors else 200


@blueprint.route("/products/<int:product_id>/edit", methods=["GET", "POST"])
@access(MANAGE_PRODUCTS)
def edit_product(product_id: int) -> Page:
    """Change a product."""
    found = queries.product_for(refuse_large_id(product_id))
    form = forms.ProductForm()
    conflict: Conflict | None = None
    if not form.is_submitted():
        form.fill(found)
    elif form.validate_on_submit():
        try:
            with transaction():
                services.change_product(product_id, form.to_input(), form.seen_version or 0, current_actor())
        except Invalid as error:
            form.show(error)
        except Conflict as error:
            conflict = error
            form.version.data = str(error.details["version"])
        else:
            flash(_("Saved."), "success")
            return redirect(url_for("purchases.product", product_id=product_id))
        found = queries.product_for(product_id)
    page = render_template(
        "purchases/product_form.html",
        form=form,
        product=found,
        categories=queries.categories(),
        conflict=conflict,
        conflict_rows=conflict_rows(conflict) if conflict else (),
        action=url_for("purchases.edit_product", product_id=product_id),
    )
    return page, 409 if conflict else 400 if form.errors else 200


@blueprint.post("/products/<int:product_id>/sale")
@access(MANAGE_PRODUCTS)
def offer_product(product_id: int) -> Response:
    """Withdraw a product from sale, or offer it again."""
    wanted = request.form.get("on") == "1"
    with transaction():
        services.offer_product(refuse_large_id(product_id), wanted, current_actor())
    flash(_("The product is on sale again.") if wanted else _("The product was withdrawn from sale."), "success")
    return redirect(url_for("purchases.product", product_id=product_id))
