"""How the pages of this plugin answer: one form on a page, one service behind it, one way to show what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, render_template, request
from werkzeug.wrappers import Response

from portal.core.errors import Conflict, Invalid
from portal.core.forms import Form
from portal.core.transaction import transaction
from portal.core.web import safe_next
from portal.customers.models import Customer

Answer = str | Response | tuple[str, int]


@dataclass(frozen=True)
class FormPage:
    """What surrounds a form.

    :ivar crumbs: (label, address) from the top down, without the page itself.
    :ivar groups: (legend, names of fields) in order; empty: all fields in one group.
    :ivar autosave: address that the page sends the form to while somebody writes; "" for none.
    :ivar draft: key under which the browser keeps what was typed; "" keeps nothing.
    """

    heading: Any
    back_url: str
    crumbs: Sequence[tuple[Any, str]] = ()
    subtitle: Any = ""
    icon: str = ""
    intro: Any = ""
    submit: Any = ""
    danger: bool = False
    draft: str = ""
    autosave: str = ""
    groups: Sequence[tuple[Any, Sequence[str]]] = ()
    customer: Customer | None = None


def form_page(
    form: Form,
    page: FormPage,
    change: Callable[[], Any],
    done: Any,
    then: Callable[[Any], str] | None = None,
    undo: Callable[[Any], Any] | None = None,
) -> Answer:
    """Show a form; when it was sent, run the service in a transaction and go on.

    :param change: calls the one service. :param done: what is said afterwards; "" says nothing.
    :param then: address of the next page from what `change` returned (inside the transaction); default `page.back_url`.
    """
    status, conflict = 200, None
    if request.method == "POST":
        status = 400
        if form.validate():
            try:
                with transaction():
                    result = change()
                    target = then(result) if then else page.back_url
            except Invalid as error:
                form.show(error)
            except Conflict as error:
                status, conflict = 409, error
                if "version" in error.details and "version" in form:
                    form.version.data = str(error.details["version"])
            else:
                if done:
                    flash(str(done), "success")
                return redirect(target)
    drawn = render_template("key_accounts/parts/form.html", form=form, page=page, conflict=conflict)
    return (drawn, status) if status != 200 else drawn


def post(change: Callable[[], Any], done: Any, back_url: str) -> Response:
    """A step without a form: run the service, say what happened, go back."""
    target = safe_next(request.form.get("next"), back_url)
    try:
        with transaction():
            change()
    except (Invalid, Conflict) as error:
        flash(str(error) if isinstance(error, Invalid) else str(error.message), "warning")
    else:
        if done:
            flash(str(done), "success")
    return redirect(target)
