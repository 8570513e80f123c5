"""VIP data of the demo company: benefits, some members, a few applications that wait for the head."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from plugins.vip import jobs, ledger, queries, services
from plugins.vip.conditions import met_by_purchases
from plugins.vip.models import BY_CUSTOMER, DIAMOND, GOLD, SILVER, VipBenefit, VipMembership, VipMembershipEvent
from plugins.vip.points import level_for
from plugins.vip.settings import policy
from portal.core import clock, settings
from portal.customers.models import Customer
from portal.demo.words import SHOWPIECE
from portal.documents.services import take_number
from portal.extensions import db
from portal.org.actor import Actor, load_actor

#: name, description, lowest level, points for one
BENEFITS = (
    ("优先发货", "订单优先排产、优先发货", SILVER, 0),
    ("专属客户经理", "专人对接，工作日两小时内答复", SILVER, 0),
    ("免费样品", "每季度可申领两款新品样品", GOLD, 0),
    ("年度品鉴会邀请", "受邀参加年度新品品鉴会", GOLD, 0),
    ("生产基地参观", "每年一次，含接待", DIAMOND, 0),
    ("会议茶礼一份", "武夷岩茶 250 克", SILVER, 2000),
    ("商务礼盒一份", "禾山雅集礼盒", GOLD, 6000),
    ("会议室布置一次", "含茶歇与桌签", GOLD, 12000),
)
MEMBERS = 90
WAITING = 6
CANDIDATES = 40


def load(actor: Actor) -> None:
    """Fill the demo company (inside its transaction)."""
    for name, description, level, cost in BENEFITS:
        db.session.add(VipBenefit(name=name, description=description, level=level, cost=cost))
    db.session.flush()
    rules = policy()
    today = clock.today()
    customers = db.session.scalars(
        select(Customer)
        .where(Customer.total_12m > 0)
        .order_by(Customer.total_12m.desc(), Customer.id)
        .limit(MEMBERS * 3)
    )
    made = waiting = found = 0
    for number, customer in enumerate(list(customers)):
        if customer.name == SHOWPIECE:
            continue  # left for the first application of whoever tries the demo
        met = met_by_purchases(rules, queries.purchases_of(customer.id), today)
        if not met:
            continue
        if waiting < WAITING and number % 9 == 4:
            _apply(customer, met[0].condition, number)
            waiting += 1
        elif made < MEMBERS:
            _member(customer, met[0].condition, number)
            made += 1
        elif found < CANDIDATES:
            jobs.note_candidate(customer.id, None, met[0].condition, met[0].amount or 0)
            found += 1
    ids = list(db.session.scalars(select(VipMembership.customer_id)))
    ledger.settle_purchases(ids, actor)


def _member(customer: Customer, condition: str, number: int) -> None:
    today = clock.today()
    begin = today - timedelta(days=(number * 37) % 362)
    membership = VipMembership(
        number=take_number("VIP", begin.year),
        customer_id=customer.id,
        level=level_for(customer.total_12m, settings.get("vip.gold_minimum"), settings.get("vip.diamond_minimum")),
        valid_from=begin,
        valid_until=services.term_end(begin),
        condition=condition,
        created_at=clock.day_bounds(begin)[0] + timedelta(hours=10),
    )
    db.session.add(membership)
    db.session.flush()
    db.session.add(
        VipMembershipEvent(
            membership_id=membership.id, kind="granted", at=membership.created_at, by_id=customer.account_manager_id
        )
    )


def _apply(customer: Customer, condition: str, number: int) -> None:
    if customer.account_manager_id is None:
        return
    data = services.ApplicationInput(
        customer_id=customer.id, condition=condition, token=f"demo-vip-{number}", route=BY_CUSTOMER
    )
    services.apply(data, load_actor(customer.account_manager_id))
