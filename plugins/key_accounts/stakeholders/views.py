"""Pages of the stakeholder map."""

from __future__ import annotations

from flask import render_template, request, url_for

from plugins.key_accounts.blueprint import blueprint
from plugins.key_accounts.frame import load_customer
from plugins.key_accounts.handling import Answer, FormPage, form_page
from plugins.key_accounts.stakeholders import chart, queries, services
from plugins.key_accounts.stakeholders import vocabulary as words
from portal.auth.current import current_actor
from portal.core.forms import ChoiceField, LongText, VersionedForm, at_most, options
from portal.core.permissions import require
from portal.core.web import refuse_large_id, signed_in
from portal.customers.page import abilities
from portal.customers.permissions import EDIT
from portal.customers.vocabulary import BuyingRole, label
from portal.i18n import _, _l


class StakeholderForm(VersionedForm):
    """How a contact is judged."""

    influence = ChoiceField(
        _l("Influence on the decision"), choices=options({str(key): word for key, word in words.INFLUENCES.items()})
    )
    attitude = ChoiceField(
        _l("Attitude towards us"),
        choices=options({str(key): word for key, word in words.ATTITUDES.items()}, words.UNKNOWN),
    )
    reports_to_id = ChoiceField(_l("Reports to"))
    note = LongText(_l("What he cares about, how to win him"), [at_most(500)])

    def to_input(self) -> services.StakeholderInput:
        """The service's input."""
        return services.StakeholderInput(
            int(self.influence.data),
            int(self.attitude.data) if self.attitude.data else None,
            self.reports_to_id.number,
            self.note.data or "",
        )


@blueprint.get("/customers/<int:customer_id>/stakeholders")
@signed_in
def stakeholders(customer_id: int) -> str:
    """Contacts by influence and attitude, and their reporting lines."""
    actor = current_actor()
    customer = load_customer(customer_id, actor)
    found = queries.people_of(customer.id)
    judged = [person for person in found if person.influence is not None]
    superiors = {person.id: person.reports_to_id for person in found}
    in_lines = [person.id for person in found if person.influence is not None or person.id in set(superiors.values())]
    return render_template(
        "key_accounts/stakeholders/of_customer.html",
        customer=customer,
        people=found,
        by_id={person.id: person for person in found},
        judged=judged,
        grid=chart.grid([(person.id, person.influence or 0, person.attitude) for person in judged]),
        tree=chart.layout(in_lines, superiors) if in_lines else None,
        box=(chart.BOX_WIDTH, chart.BOX_HEIGHT),
        changes=queries.changes_of(customer.id),
        words=words,
        role=lambda value: label(BuyingRole, value) if value else "",
        may_edit=EDIT in abilities(customer, actor),
    )


@blueprint.route("/stakeholders/<int:contact_id>", methods=["GET", "POST"])
@signed_in
def edit_stakeholder(contact_id: int) -> Answer:
    """Judge a contact."""
    actor = current_actor()
    contact = queries.contact_for(refuse_large_id(contact_id), actor)
    require(actor, EDIT, contact.customer_id)
    form = StakeholderForm()
    others = [
        (person.id, f"{person.name} · {person.title}" if person.title else person.name)
        for person in queries.people_of(contact.customer_id)
        if person.id != contact.id
    ]
    form.reports_to_id.choices = options(others, _("Nobody, or not known"))
    if request.method == "GET":
        row = queries.stakeholder_of(contact.id)
        form.influence.data = str(row.influence if row else 3)
        form.attitude.data = "" if contact.attitude is None else str(contact.attitude)
        if row is not None:
            form.reports_to_id.data = str(row.reports_to_id or "")
            form.note.data, form.version.data = row.note, str(row.version)
    back = url_for("key_accounts.stakeholders", customer_id=contact.customer_id)
    page = FormPage(
        heading=_("Place in the stakeholder map"),
        back_url=back,
        crumbs=[(_("Stakeholder map"), back)],
        subtitle=contact.name,
        icon="diagram-2",
        customer=contact.customer,
    )
    return form_page(
        form,
        page,
        lambda: services.judge(contact.id, form.to_input(), actor, form.seen_version),
        _("The stakeholder map was changed."),
    )
