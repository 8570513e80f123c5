"""The portfolio and a what-if as a numbered document."""

from __future__ import annotations

from typing import Any

from plugins.key_accounts.measures.models import hours_of
from plugins.key_accounts.permissions import USE
from plugins.key_accounts.portfolio import charts, whatif
from plugins.key_accounts.portfolio.queries import Portfolio
from plugins.key_accounts.tiers.vocabulary import tier_word
from portal.core.money import format_yuan
from portal.core.permissions import can
from portal.documents.kinds import DocumentKind
from portal.documents.models import Document
from portal.documents.services import produce
from portal.i18n import _l
from portal.org.actor import Actor


def _own(actor: Any, document: Document) -> bool:
    return document.made_by_id == actor.user_id and can(actor, USE)


PORTFOLIO = DocumentKind(
    key="key_accounts.portfolio",
    title=_l("Customer portfolio"),
    number_prefix="KAP",
    template="key_accounts/portfolio/pdf.html",
    may_read=_own,
    classification=_l("Internal"),
)


def make(
    portfolio: Portfolio, assumption: whatif.Assumption, title: str, scope: str, remarks: str, actor: Actor
) -> Document:
    """The portfolio with its what-if as PDF. Call outside a transaction."""
    effect = whatif.effect_of(portfolio, assumption)
    return produce(
        PORTFOLIO,
        actor,
        title=title,
        context={
            "scope": scope,
            "remarks": remarks,
            "pictures": [charts.bars_of(portfolio).as_primitives()],
            "tiers": [
                [
                    tier_word(item.tier),
                    str(item.customers),
                    format_yuan(item.sales),
                    format_yuan(item.profit),
                    str(hours_of(item.minutes)),
                ]
                for item in portfolio.tiers
            ],
            "effects": [
                [
                    tier_word(item.tier),
                    f"{assumption.points[item.tier]}",
                    f"{assumption.response[item.tier]}%",
                    str(item.hours_before),
                    str(item.hours_after),
                    format_yuan(item.sales_after),
                    format_yuan(item.profit_after),
                ]
                for item in effect.tiers
            ],
            "sums": {
                "sales_before": format_yuan(effect.sales[0]),
                "sales_after": format_yuan(effect.sales[1]),
                "profit_before": format_yuan(effect.profit[0]),
                "profit_after": format_yuan(effect.profit[1]),
                "freed": str(effect.freed_hours),
            },
        },
        reuse=True,
    )
