"""Demo data of opportunities and sales targets."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import select

from plugins.key_accounts.demo_days import at
from plugins.key_accounts.opportunities import models as opp
from portal.core import clock
from portal.customers.models import Customer, NextStep
from portal.extensions import db
from portal.org.models import User
from portal.purchases.models import PurchaseMonth

TITLES = (
    ("年度框架协议续签", "more_use"),
    ("新厂区首批配套", "cross_selling"),
    ("高端系列替换普通款", "price_mix"),
    ("包装服务一体化", "cross_selling"),
    ("第二供应商转主供", "more_use"),
    ("停供低毛利小单", "drop_unprofitable"),
    ("节日礼品集中采购", "more_use"),
    ("分公司统一采购", "core_industry"),
    ("跨界联名定制", "unrelated_industry"),
    ("会员礼遇采购", "cross_selling"),
    ("账期换价格方案", "price_mix"),
    ("员工福利平台入驻", "unrelated_industry"),
)
COMPETITORS = ("云川商贸", "海岳实业", "嘉禾供应链", "北辰集采")


def opportunities_of(customer: Customer, number: int, products: list[int], rng: random.Random) -> None:
    """Opportunities of a customer with their history."""
    today = clock.today()
    usual = {"identified": 10, "qualified": 30, "proposal": 50, "negotiation": 75}
    for place in range(3 + number % 3):
        title, source = TITLES[(number * 5 + place * 3) % len(TITLES)]
        stage = rng.choice(
            ("identified", "qualified", "qualified", "proposal", "proposal", "negotiation", "won", "lost")
        )
        created = -rng.randint(20, 150)
        amount = Decimal(rng.choice((18, 36, 60, 95, 120, 180, 260, 380, 650))) * 1000
        closed = stage in ("won", "lost")
        row = opp.Opportunity(
            customer_id=customer.id,
            title=title,
            source=source,
            amount=amount,
            probability=100 if stage == "won" else 0 if stage == "lost" else usual[stage] + rng.choice((0, 0, 5, 15)),
            stage=stage,
            stage_since=at(created // 2),
            close_on=today + timedelta(days=-rng.randint(3, 60) if closed else rng.randint(-6, 240)),
            owner_id=customer.account_manager_id,
            competitors="\n".join(rng.sample(COMPETITORS, rng.randint(0, 2))),
            close_reason=rng.choice(("service", "quality", "solution"))
            if stage == "won"
            else rng.choice(("price", "rival", "budget"))
            if stage == "lost"
            else "",
            closed_at=at(-rng.randint(3, 60)) if closed else None,
            created_at=at(created),
            created_by_id=customer.account_manager_id,
            updated_at=at(created // 2),
            unit=rng.choice(("", "", "总部", "华东分公司")),
        )
        if products and rng.random() < 0.7:
            row.products = [opp.OpportunityProduct(product_id=rng.choice(products))]
        db.session.add(row)
        db.session.flush()
        if not closed and rng.random() < 0.8:
            step = NextStep(
                customer_id=customer.id,
                kind=rng.choice(("visit", "phone")),
                task=rng.choice(("确认需求与预算", "递交方案", "约见采购负责人", "跟进样品反馈")),
                due_on=today + timedelta(days=rng.randint(1, 20)),
                owner_id=customer.account_manager_id,
                created_at=at(created // 2),
            )
            db.session.add(step)
            db.session.flush()
            row.next_step_id = step.id
        _events(row, created)


def _events(row: opp.Opportunity, created: int) -> None:
    last = opp.OPEN_STAGES.index(row.stage) if row.stage in opp.OPEN_STAGES else 3
    path = list(opp.OPEN_STAGES[: last + 1]) + ([row.stage] if row.stage not in opp.OPEN_STAGES else [])
    for number, stage in enumerate(path):
        closed = stage not in opp.OPEN_STAGES
        db.session.add(
            opp.OpportunityEvent(
                opportunity_id=row.id,
                kind=opp.CREATED if number == 0 else opp.CLOSED if closed else opp.MOVED,
                from_stage=path[number - 1] if number else "",
                to_stage=stage,
                amount=row.amount,
                probability=row.probability,
                close_on=row.close_on,
                reason=row.close_reason if closed else "",
                at=at(created + number * max(-created // (len(path) + 1), 1), 9 + number),
                by_id=row.owner_id,
            )
        )


def targets(managers: list[User], rng: random.Random) -> None:
    """Sales targets of the account managers."""
    year = clock.today().year
    for user in managers:
        sold = sum(
            db.session.scalars(
                select(PurchaseMonth.total)
                .join(Customer, Customer.id == PurchaseMonth.customer_id)
                .where(Customer.account_manager_id == user.id, PurchaseMonth.year == year)
            ),
            Decimal(0),
        )
        total = (sold / 10000).quantize(Decimal("1")) * 10000 + rng.choice((900, 1200, 1500)) * 1000
        parts = (
            ("", total),
            ("more_use", 400000),
            ("cross_selling", 300000),
            ("price_mix", 200000),
            ("core_industry", 250000),
        )
        for source, amount in parts:
            db.session.add(
                opp.SalesTarget(user_id=user.id, year=year, source=source, amount=Decimal(amount), updated_at=at(-200))
            )
