"""Demo data of measures, tiers, scorecards, policies, whitespace and satisfaction; from a seed."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import func, select

from plugins.key_accounts.measures import services as measures
from plugins.key_accounts.measures import sums
from plugins.key_accounts.measures.models import CustomerMeasure
from plugins.key_accounts.measures.settings import hour_rate
from plugins.key_accounts.policies import services as policies
from plugins.key_accounts.portfolio import whatif
from plugins.key_accounts.portfolio.models import Scenario
from plugins.key_accounts.portfolio.queries import DECIDED, portfolio
from plugins.key_accounts.satisfaction import health
from plugins.key_accounts.satisfaction.models import SatisfactionGrade
from plugins.key_accounts.scorecards import criteria
from plugins.key_accounts.scorecards import services as scorecards
from plugins.key_accounts.scorecards.models import CARDS
from plugins.key_accounts.tiers import services as tiers
from plugins.key_accounts.tiers.models import IMPORTANT, KEY, ROLES
from plugins.key_accounts.whitespace import services as whitespace
from plugins.key_accounts.whitespace.queries import categories
from portal.core import clock
from portal.customers.models import Contact, Customer
from portal.extensions import db
from portal.org.actor import Actor, load_actor
from portal.org.models import EXECUTIVE, User, UserRole

SEED = 11
#: Accounts that get scorecards, whitespace and grades.
FULL = 24
GRADED = 60
NOTES = (
    "近两年合作稳定",
    "客户负责人多次表示认可",
    "对交期要求高",
    "有竞争对手在接触",
    "内部采购流程规范",
    "新项目正在立项",
)
REMARKS = ("送货及时，服务周到", "价格偏高，希望有返利", "新品口感好", "客服响应慢", "整体满意", "对账流程希望简化")

#: name, segment, price position, texts
PROPOSITIONS = (
    (
        "技术复杂型：联合开发",
        "technical",
        "标准价的两倍",
        {
            "target": "有研发能力、要求定制的客户",
            "advantages": "技术团队驻场",
            "quality": "专用批次，逐批检验",
            "service": "联合测试",
        },
    ),
    (
        "服务响应型：快一步",
        "responsive",
        "高于同行一成左右",
        {
            "target": "看重交期与响应的客户",
            "advantages": "二十四小时响应",
            "delivery": "当日达",
            "service": "专人跟单",
        },
    ),
    (
        "一般型：省心",
        "standard",
        "与同行持平",
        {"target": "用量稳定的常规客户", "advantages": "品质稳定、价格透明", "payment": "月结"},
    ),
)


def _executive() -> Actor:
    user_id = db.session.scalar(select(User.id).join(UserRole).where(UserRole.role == EXECUTIVE).order_by(User.id))
    if user_id is None:
        raise LookupError("the demo company has an executive")
    return load_actor(user_id)


def load(actor: Actor) -> None:
    """Fill the demo company (inside its transaction)."""
    rng = random.Random(SEED)
    last = db.session.scalar(select(func.max(Customer.id))) or 0
    db.session.execute(sums.write_sums(measures.span(1, last), clock.today(), hour_rate()))
    measures.rank_all()
    boss = _executive()
    _policies(boss)
    _tiers(boss, rng)
    _accounts(boss, rng)
    measures.rank_all()
    health.refresh(health.accounts())
    _scenario(boss)


def _policies(boss: Actor) -> None:
    today = clock.today()
    begin = today.replace(month=1, day=1)
    for name, tier, visit, contact, credit, days, texts in (
        (
            "关键客户服务政策",
            KEY,
            30,
            14,
            Decimal(500000),
            60,
            {
                "stock": "旺季前一个月确认备货，常备两周用量",
                "delivery": "市内 24 小时、省内 48 小时送达",
                "service": "专属客户经理，投诉两小时内答复",
                "pricing": "年度协议价，季度回顾",
                "promotion": "节日联合促销，费用各半",
            },
        ),
        (
            "重要客户服务政策",
            IMPORTANT,
            60,
            30,
            Decimal(200000),
            30,
            {"delivery": "48 小时内送达", "service": "工作日内答复", "pricing": "标准价，按季度用量返利"},
        ),
        ("一般客户服务政策", "", None, 90, None, None, {"service": "客服热线", "finance": "款到发货"}),
    ):
        policies.save_policy(
            None,
            policies.PolicyInput(
                name=name,
                valid_from=begin,
                tier=tier,
                visit_days=visit,
                contact_days=contact,
                credit_limit=credit,
                credit_days=days,
                texts=texts,
            ),
            boss,
        )
    for name, segment, price, texts in PROPOSITIONS:
        policies.save_proposition(
            None,
            policies.PropositionInput(name=name, segment=segment, valid_from=begin, price_position=price, texts=texts),
            boss,
        )


def _tiers(boss: Actor, rng: random.Random) -> None:
    """Most proposals are accepted, some answered otherwise, some left to be decided."""
    for proposal, most in ((KEY, 400), (IMPORTANT, 400)):
        ids = list(
            db.session.scalars(
                select(CustomerMeasure.customer_id)
                .where(CustomerMeasure.proposal == proposal)
                .order_by(CustomerMeasure.sales.desc(), CustomerMeasure.customer_id)
                .limit(most)
            )
        )
        rng.shuffle(ids)
        cut = max(1, len(ids) // 8)
        tiers.decide(tiers.TierInput(ids[2 * cut :], "proposed"), boss)
        if proposal == IMPORTANT:
            tiers.decide(tiers.TierInput(ids[:2], KEY, "行业标杆，带动同行采购"), boss)
            tiers.decide(tiers.TierInput(ids[2:4], "present", "项目型采购，再观察一年"), boss)
    top = list(
        db.session.scalars(
            select(CustomerMeasure.customer_id)
            .where(CustomerMeasure.tier.in_((KEY, IMPORTANT)))
            .order_by(CustomerMeasure.sales.desc(), CustomerMeasure.customer_id)
            .limit(FULL * 2)
        )
    )
    for number, customer_id in enumerate(top):
        roles = frozenset(rng.sample(ROLES, rng.choice((0, 0, 1, 1, 2))))
        note = rng.choice(NOTES)
        tiers.set_roles(customer_id, tiers.RolesInput(roles, 1 + (number * 3 + rng.randint(0, 2)) % 5, note), boss)


def _accounts(boss: Actor, rng: random.Random) -> None:
    ids = list(
        db.session.scalars(
            select(CustomerMeasure.customer_id)
            .where(CustomerMeasure.tier.in_((KEY, IMPORTANT)))
            .order_by(CustomerMeasure.sales.desc(), CustomerMeasure.customer_id)
            .limit(GRADED)
        )
    )
    contacts: dict[int, list[int]] = {}
    for contact_id, customer_id in db.session.execute(
        select(Contact.id, Contact.customer_id)
        .where(Contact.customer_id.in_(ids), Contact.is_active)
        .order_by(Contact.id)
    ):
        contacts.setdefault(customer_id, []).append(contact_id)
    today, now = clock.today(), clock.now()
    for customer_id in ids:
        for contact_id in contacts.get(customer_id, [])[:3]:
            for age in (rng.randint(200, 330), rng.randint(5, 150)):
                db.session.add(
                    SatisfactionGrade(
                        customer_id=customer_id,
                        contact_id=contact_id,
                        surveyed_on=today - timedelta(days=age),
                        phase=rng.choice(("before", "during", "after", "after")),
                        grade=rng.choices((1, 2, 3, 4, 5), (3, 8, 20, 45, 24))[0],
                        remark=rng.choice(REMARKS),
                        recorded_at=now,
                        recorded_by_id=boss.user_id,
                    )
                )
    db.session.flush()
    names = categories()
    for number, customer_id in enumerate(ids[:FULL]):
        _scorecards(customer_id, boss, rng)
        segment = ("technical", "responsive", "standard")[number % 3]
        factors = rng.sample(("price", "quality", "timeliness", "rebate", "payment_term", "brand"), 4)
        policies.set_buying(
            customer_id,
            policies.BuyingInput(
                segment,
                tuple(
                    policies.EmphasisInput(factor, place, rng.random() < 0.7)
                    for place, factor in enumerate(factors, start=1)
                ),
            ),
            boss,
        )
        units = [
            whitespace.save_unit(customer_id, name, None, boss).id for name in ("总部", "华东分公司")[: number % 3]
        ]
        for unit_id in (None, *units):
            for name in rng.sample(names, min(3, len(names))):
                rival = rng.random() < 0.6
                whitespace.save_cell(
                    customer_id,
                    whitespace.CellInput(
                        unit_id,
                        name,
                        "rival" if rival else "none",
                        rng.choice(("云岭茶业", "海晏食品", "松间酒业")) if rival else "",
                        Decimal(rng.randint(2, 40) * 5000),
                    ),
                    boss,
                )


def _scorecards(customer_id: int, boss: Actor, rng: random.Random) -> None:
    for card in CARDS:
        judgements = {
            item.key: scorecards.Answer(
                rng.randint(0, 3) if card == "risk" else rng.choice((2, 3, 3, 4, 4, 5)), rng.choice(NOTES)
            )
            for item in criteria.CRITERIA[card]
            if item.figures is None and rng.random() < 0.95
        }
        scorecards.save_scorecard(customer_id, scorecards.ScorecardInput(card, judgements), boss)
    if rng.random() < 0.3:
        kind = rng.choice(("diversion", "price_raise", "price_cut"))
        day = clock.today() - timedelta(days=rng.randint(10, 200))
        data = scorecards.ViolationInput(kind, day, "巡店时发现，已与对方负责人核实")
        row = scorecards.record_violation(customer_id, data, boss)
        if rng.random() < 0.5:
            scorecards.settle_violation(row, "书面警告，扣减当季返利", boss)


def _scenario(boss: Actor) -> None:
    if boss.user_id is None:
        return
    found = portfolio(boss, DECIDED)
    for name, points in (
        ("参考组合的工时", dict(whatif.REBALANCED["hours"])),
        ("小步调整", {"key": 30, "important": 30, "ordinary": 40}),
    ):
        db.session.add(
            Scenario(
                name=name,
                owner_id=boss.user_id,
                is_shared=True,
                content=whatif.to_json(DECIDED, found, whatif.Assumption(points, whatif.RESPONSE)),
                scope="全公司客户",
                created_at=clock.now(),
            )
        )
    db.session.flush()
