"""Demo data of care, and of the account work of the largest customers in all areas: from a fixed seed."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import select

from plugins.key_accounts.care.models import (
    DUTIES,
    CareDuty,
    DemandForecast,
    DutyRecord,
    ExecutiveVisit,
    Incentive,
    Meeting,
    MeetingAction,
    MeetingGuest,
)
from plugins.key_accounts.care.rules import RHYTHMS, later
from plugins.key_accounts.demo_days import at
from plugins.key_accounts.opportunities.demo import opportunities_of, targets
from plugins.key_accounts.plans.demo import plan_of
from plugins.key_accounts.team.demo import experts, stakeholders_of, team_of
from plugins.key_accounts.tiers.models import KEY, CustomerTier
from portal.core import clock
from portal.customers.models import Contact, Customer
from portal.customers.vocabulary import Status
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import ACCOUNT_MANAGER, EXECUTIVE, User
from portal.purchases.models import Product, PurchaseMonth
from portal.purchases.periods import shifted

ACCOUNTS = 24


def load(actor: Actor) -> None:
    """Fill the demo company (inside its transaction)."""
    rng = random.Random(20260105)
    customers = _accounts()
    if not customers:
        return
    people = list(db.session.scalars(select(User).where(User.is_active).order_by(User.id)))
    executives = [user for user in people if any(role.role == EXECUTIVE for role in user.roles)] or people[:1]
    managers = [user for user in people if any(role.role == ACCOUNT_MANAGER for role in user.roles)]
    products = list(db.session.scalars(select(Product.id).where(Product.is_active).order_by(Product.id).limit(60)))
    experts(people, rng)
    for number, customer in enumerate(customers):
        contacts = list(
            db.session.scalars(
                select(Contact)
                .where(Contact.customer_id == customer.id, Contact.is_active)
                .order_by(Contact.id)
                .limit(6)
            )
        )
        opportunities_of(customer, number, products, rng)
        team_of(customer, number, contacts, people, executives, rng)
        stakeholders_of(customer, contacts, rng)
        _care(customer, number, executives, rng)
        if number % 2 == 0:
            plan_of(customer, number, contacts, rng)
    targets(managers, rng)
    _meetings(customers, executives)
    db.session.flush()


def _accounts() -> list[Customer]:
    """The key accounts by decision, then the largest customers, all with an account manager."""
    tier = select(CustomerTier.customer_id).where(CustomerTier.tier == KEY)
    live = (Customer.status == Status.ACTIVE.value, Customer.account_manager_id.is_not(None))
    order = (Customer.total_12m.desc(), Customer.id)
    found = list(
        db.session.scalars(select(Customer).where(*live, Customer.id.in_(tier)).order_by(*order).limit(ACCOUNTS))
    )
    known = {customer.id for customer in found}
    others = db.session.scalars(select(Customer).where(*live).order_by(*order).limit(2 * ACCOUNTS))
    found += [customer for customer in others if customer.id not in known]
    return found[:ACCOUNTS]


def _care(customer: Customer, number: int, executives: list[User], rng: random.Random) -> None:
    today = clock.today()
    months = {
        (row.year, row.month): row.total
        for row in db.session.execute(
            select(PurchaseMonth.year, PurchaseMonth.month, PurchaseMonth.total).where(
                PurchaseMonth.customer_id == customer.id
            )
        )
    }
    for duty in DUTIES:
        done_on = today - timedelta(days=rng.randint(5, 40 + 25 * RHYTHMS[duty]))
        row = CareDuty(
            customer_id=customer.id,
            duty=duty,
            owner_id=customer.account_manager_id,
            rhythm_months=RHYTHMS[duty],
            due_on=later(done_on, RHYTHMS[duty]),
            is_needed=not (duty == "promotion" and number % 5 == 0),
            note="不做终端促销" if duty == "promotion" and number % 5 == 0 else "",
        )
        db.session.add(row)
        db.session.flush()
        for day in (later(done_on, -RHYTHMS[duty]), done_on):
            db.session.add(
                DutyRecord(
                    duty_id=row.id,
                    done_on=day,
                    due_on=day + timedelta(days=5),
                    note="按计划完成，客户反馈良好。",
                    created_at=at((day - today).days),
                    by_id=customer.account_manager_id,
                )
            )
    for days, state in ((-rng.randint(10, 80), "held"), (rng.randint(1, 40), "planned")):
        db.session.add(
            ExecutiveVisit(
                customer_id=customer.id,
                executive_id=executives[number % len(executives)].id,
                starts_at=at(days, 9 + number % 6),
                minutes=rng.choice((60, 90, 120)),
                place=customer.address or "客户总部",
                purpose=rng.choice(("年度合作回顾", "高层互访，谈框架协议", "新品介绍与试用反馈")),
                talking_points="感谢上半年合作\n了解明年预算\n介绍新品计划",
                state=state,
                result="对方同意推进框架协议。" if state == "held" else "",
                created_at=at(-90),
                created_by_id=customer.account_manager_id,
            )
        )
    average = (sum(months.values(), Decimal(0)) / max(len(months), 1)).quantize(Decimal("1")) or Decimal(5000)
    for back in range(9):
        made = shifted((today.year, today.month), -back)
        for ahead in range(1, 7):
            year, month = shifted(made, ahead)
            real = months.get((year, month), average)
            amount = (real * Decimal(rng.randint(80, 125)) / 100).quantize(Decimal("1"))
            db.session.add(
                DemandForecast(
                    customer_id=customer.id,
                    made_in=date(made[0], made[1], 1),
                    month=date(year, month, 1),
                    amount=amount,
                    updated_at=at(-30 * back),
                    by_id=customer.account_manager_id,
                )
            )
    db.session.add(
        Incentive(
            customer_id=customer.id,
            kind=("discount", "rebate", "allowance", "contest")[number % 4],
            terms=("季度满二十万返一个点", "全年完成目标返利百分之二", "旺季促销费用各半", "门店销售竞赛，前三名奖励")[
                number % 4
            ],
            amount=Decimal(rng.choice((3000, 8000, 15000))),
            valid_from=date(today.year, 1, 1),
            valid_until=date(today.year, 12, 31),
            created_at=at(-100),
            created_by_id=customer.account_manager_id,
        )
    )


def _meetings(customers: list[Customer], executives: list[User]) -> None:
    year = clock.today().year
    agenda = "上年合作回顾\n新品发布\n旺季备货安排\n座谈与建议\n晚宴"
    for title, days, state, record in (
        (f"{year - 1} 年大客户年会", -200, "held", "到会客户一致认可月度对账；希望旺季提前六周锁定库存。"),
        (f"{year} 年大客户年会", 35, "planned", ""),
    ):
        meeting = Meeting(
            title=title,
            kind="yearly",
            starts_at=at(days, 14),
            minutes=300,
            place="云栖会议中心",
            organiser_id=executives[0].id,
            agenda=agenda,
            record=record,
            state=state,
            created_at=at(days - 60),
        )
        db.session.add(meeting)
        db.session.flush()
        for number, customer in enumerate(customers[:14]):
            contact = db.session.scalars(
                select(Contact.id)
                .where(Contact.customer_id == customer.id, Contact.is_active)
                .order_by(Contact.id)
                .limit(1)
            ).first()
            if contact is not None:
                answer = "came" if state == "held" else ("invited", "accepted", "accepted", "declined")[number % 4]
                db.session.add(
                    MeetingGuest(
                        meeting_id=meeting.id,
                        customer_id=customer.id,
                        contact_id=contact,
                        answer=answer,
                        invited_at=at(days - 40),
                    )
                )
        db.session.add(
            MeetingAction(
                meeting_id=meeting.id,
                task="整理客户建议并答复",
                owner_id=executives[0].id,
                due_on=clock.today() + timedelta(days=days + 20),
                state="done" if state == "held" else "open",
            )
        )
