"""A key account at a glance."""

from __future__ import annotations

from flask import render_template

from plugins.key_accounts.blueprint import blueprint
from plugins.key_accounts.frame import load_customer, sections
from plugins.key_accounts.measures import rules
from plugins.key_accounts.measures.settings import thresholds
from plugins.key_accounts.permissions import DECIDE_TIER, USE
from plugins.key_accounts.policies.views import policy_context
from plugins.key_accounts.satisfaction import health
from plugins.key_accounts.satisfaction import vocabulary as health_words
from plugins.key_accounts.satisfaction.settings import weights
from plugins.key_accounts.scorecards import criteria
from plugins.key_accounts.scorecards.queries import glance
from plugins.key_accounts.tiers import queries as tiers
from plugins.key_accounts.tiers import vocabulary as words
from plugins.key_accounts.tiers.forms import AskForm, TierForm
from portal.auth.current import current_actor
from portal.core import clock
from portal.core.forms import new_token
from portal.core.permissions import can
from portal.core.web import access
from portal.customers.models import Customer
from portal.pluginmanager import customer_figure
from portal.purchases.queries import years_of


@blueprint.app_template_global("key_account_sections")
def key_account_sections(customer: Customer, active: str) -> list[object]:
    """The sub-navigation of the tab."""
    return list(sections(customer, current_actor(), active))


@blueprint.get("/customers/<int:customer_id>")
@access(USE)
def account(customer_id: int) -> str:
    """The key account at a glance."""
    actor = current_actor()
    customer = load_customer(customer_id, actor)
    account = tiers.account_of(customer.id)
    measure, row, state = account.measure, account.tier, account.state
    limits = thresholds()
    reasons = (
        rules.propose(
            measure.sales,
            measure.profit,
            measure.rank,
            measure.repeat_years,
            bool(row and row.roles),
            state.buyers,
            limits,
        ).reasons
        if measure is not None and state is not None
        else ()
    )
    return render_template(
        "key_accounts/account.html",
        customer=customer,
        row=row,
        measure=measure,
        state=state,
        limits=limits,
        reasons=[words.word(words.REASONS, key) for key in reasons],
        history=tiers.history_of(customer.id),
        years=years_of(customer.id),
        health=health.shown(account.health) if account.health else None,
        weights=weights(),
        words=health_words,
        tier_words=words,
        cards=glance(customer.id),
        criteria=criteria,
        form=TierForm(formdata=None, tier="proposed"),
        ask_form=AskForm(formdata=None, token=new_token()),
        waiting=customer_figure("key_accounts.tier_request", customer.id, actor),
        may_edit=can(actor, "customers.edit", customer),
        may_decide=can(actor, DECIDE_TIER) and can(actor, "customers.assign", customer),
        today=clock.today(),
        **policy_context(
            customer,
            row.tier if row else "",
            clock.local(account.last_visit).date() if account.last_visit else None,
        ),
    )
