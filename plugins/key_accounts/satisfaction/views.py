"""Pages of satisfaction, expected loss and health."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms.validators import InputRequired, Optional

from plugins.key_accounts.blueprint import blueprint
from plugins.key_accounts.frame import load_customer
from plugins.key_accounts.permissions import USE
from plugins.key_accounts.satisfaction import health, queries, services
from plugins.key_accounts.satisfaction import vocabulary as words
from plugins.key_accounts.satisfaction.settings import loss_rates, weights
from portal.auth.current import current_actor
from portal.core import clock
from portal.core.errors import Invalid
from portal.core.forms import ChoiceField, DayField, Form, TextField, at_most, options
from portal.core.numbers import id_from
from portal.core.permissions import can
from portal.core.transaction import transaction
from portal.core.web import access, int_argument
from portal.i18n import _, _l
from portal.pluginmanager import customer_figure


class GradeForm(Form):
    """What a contact said."""

    contact_id = ChoiceField(_l("Contact"), coerce=id_from, validators=[Optional()])
    surveyed_on = DayField(_l("Day"), validators=[InputRequired(_l("Enter a date."))])
    phase = ChoiceField(_l("Time of the question"), choices=options(words.PHASES), default="after")
    grade = ChoiceField(
        _l("Grade of satisfaction"),
        coerce=id_from,
        choices=options(words.GRADES),
    )
    remark = TextField(_l("What was said"), validators=[at_most(500)])

    def to_input(self) -> services.GradeInput:
        """The service's input."""
        return services.GradeInput(
            self.surveyed_on.data, self.phase.data, self.grade.data, self.contact_id.data, self.remark.data or ""
        )


@blueprint.route("/customers/<int:customer_id>/satisfaction", methods=["GET", "POST"])
@access(USE)
def customer_satisfaction(customer_id: int) -> str | Response | tuple[str, int]:
    """Grades and health of a customer."""
    actor = current_actor()
    customer = load_customer(customer_id, actor)
    form = GradeForm()
    form.contact_id.choices = options(queries.contacts_of(customer.id), _("the customer as a whole"))
    if request.method == "GET":
        form.surveyed_on.data = clock.today()
    if form.validate_on_submit():
        try:
            with transaction():
                services.record_grade(customer_id, form.to_input(), actor)
        except Invalid as error:
            form.show(error)
        else:
            flash(_("The grade was recorded."), "success")
            return redirect(url_for("key_accounts.customer_satisfaction", customer_id=customer_id))
    page = render_template(
        "key_accounts/satisfaction/customer.html",
        customer=load_customer(customer_id, actor),
        form=form,
        grades=queries.grades_of(customer_id),
        health=health.present(
            customer_id, customer_figure("key_accounts.tier", customer_id, actor) or "", clock.today()
        ),
        weights=weights(),
        rates=loss_rates(),
        words=words,
        may_edit=can(actor, "customers.edit", customer_id),
    )
    return page, 400 if request.method == "POST" else 200


@blueprint.post("/satisfaction/<int:grade_id>/cancel")
@access(USE)
def cancel_grade(grade_id: int) -> Response:
    """Take a grade back."""
    actor = current_actor()
    customer_id = queries.grade(grade_id, actor).customer_id
    with transaction():
        services.cancel_grade(queries.grade(grade_id, actor), actor)
    flash(_("The grade was taken back."), "success")
    return redirect(url_for("key_accounts.customer_satisfaction", customer_id=customer_id))


@blueprint.get("/satisfaction")
@access(USE)
def satisfaction() -> str:
    """Expected yearly loss by grade, and the customers behind a grade."""
    actor = current_actor()
    lines = queries.expected_loss(actor, loss_rates())
    chosen = int_argument("grade", 0, 1, 5)
    return render_template(
        "key_accounts/satisfaction/index.html",
        lines=lines,
        chosen=chosen,
        rows=queries.customers_with(actor, chosen) if chosen else [],
        shown=queries.SHOWN,
        words=words,
        total={
            "customers": sum(line.customers for line in lines),
            "sales": sum((line.sales for line in lines), queries.ZERO),
            "lost_customers": sum((line.lost_customers for line in lines), queries.ZERO),
            "lost_sales": sum((line.lost_sales for line in lines), queries.ZERO),
        },
    )
