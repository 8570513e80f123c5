"""Demo data of opportunities, teams, stakeholders, plans and care: from a fixed seed, for the largest customers."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
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
from plugins.key_accounts.opportunities import models as opp
from plugins.key_accounts.plans.models import (
    AccountPlan,
    EmergencyPlan,
    IncidentEntry,
    PlanAction,
    PlanReview,
    PlanSection,
    PlanTarget,
)
from plugins.key_accounts.stakeholders.models import Stakeholder, StakeholderChange
from plugins.key_accounts.team.models import AccountTeam, Channel, ExpertSkill, TeamMember
from plugins.key_accounts.tiers.models import KEY, CustomerTier
from portal.core import clock
from portal.customers.models import Contact, Customer, NextStep
from portal.customers.vocabulary import Status
from portal.extensions import db
from portal.org.actor import Actor
from portal.org.models import ACCOUNT_MANAGER, EXECUTIVE, User
from portal.purchases.models import Product, PurchaseMonth
from portal.purchases.periods import shifted

ACCOUNTS = 24
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
SKILLS = (
    "包装工艺",
    "冷链物流",
    "信用评估",
    "招投标",
    "会场布置",
    "产品配方",
    "法务合同",
    "数据对接",
    "品牌联名",
    "英语谈判",
)
ACTIONS = (
    "安排双方高层互访",
    "完成新品试用报告",
    "提交年度降本方案",
    "梳理各分公司采购负责人",
    "签订框架协议",
    "组织工厂参观",
    "建立月度对账机制",
)
SECTIONS = {
    "market": "终端以企业客户与会员渠道为主，节前六周进入备货期；主要对手正在降价抢份额。",
    "industry": "采购集中在总部，分公司提需求；预算每年十一月定，三月前执行四成。",
    "worries": "库存周转变慢，担心断供与临时涨价；希望单据与对账更省事。",
    "analysis": "优势：交付稳定、响应快。短板：高端系列认知不足。机会：分公司统一采购。威胁：对手账期更长。",
    "priorities": "一、锁定年度框架协议\n二、高端系列占比提到三成\n三、打通分公司统一采购",
    "direction": "三年内成为首选供应商，采购份额达到六成。",
    "value": "按需分批交付、月度统一对账、专人两小时内答复，帮助客户少压货、少出错。",
    "references": "同行业已合作三年的两家标杆客户，可安排参观与通话。",
    "problems": "上季度两次延迟到货已查明为承运商原因，已更换；新系统对接由信息部跟进。",
    "measures": "框架协议签订、份额、准时交付率、投诉闭环时间。",
}
INCIDENTS = (
    ("断供或延迟到货", "一小时内电话告知客户\n核对在途与可调拨库存\n给出替代方案与时间\n事后书面说明"),
    ("质量投诉", "当天取样封存\n品质部到场\n二十四小时内给出处理意见\n跟踪到客户签字关闭"),
)


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
    _experts(people, rng)
    for number, customer in enumerate(customers):
        contacts = list(
            db.session.scalars(
                select(Contact)
                .where(Contact.customer_id == customer.id, Contact.is_active)
                .order_by(Contact.id)
                .limit(6)
            )
        )
        _opportunities(customer, number, products, rng)
        _team(customer, number, contacts, people, executives, rng)
        _stakeholders(customer, contacts, rng)
        _care(customer, number, executives, rng)
        if number % 2 == 0:
            _plan(customer, number, contacts, rng)
    _targets(managers, rng)
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


def _at(days: int, hour: int = 10) -> datetime:
    day = clock.today() + timedelta(days=days)
    return clock.day_bounds(day)[0] + timedelta(hours=hour)


def _opportunities(customer: Customer, number: int, products: list[int], rng: random.Random) -> None:
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
            stage_since=_at(created // 2),
            close_on=today + timedelta(days=-rng.randint(3, 60) if closed else rng.randint(-6, 240)),
            owner_id=customer.account_manager_id,
            competitors="\n".join(rng.sample(COMPETITORS, rng.randint(0, 2))),
            close_reason=rng.choice(("service", "quality", "solution"))
            if stage == "won"
            else rng.choice(("price", "rival", "budget"))
            if stage == "lost"
            else "",
            closed_at=_at(-rng.randint(3, 60)) if closed else None,
            created_at=_at(created),
            created_by_id=customer.account_manager_id,
            updated_at=_at(created // 2),
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
                created_at=_at(created // 2),
            )
            db.session.add(step)
            db.session.flush()
            row.next_step_id = step.id
        _opportunity_events(row, created)


def _opportunity_events(row: opp.Opportunity, created: int) -> None:
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
                at=_at(created + number * max(-created // (len(path) + 1), 1), 9 + number),
                by_id=row.owner_id,
            )
        )


def _experts(people: list[User], rng: random.Random) -> None:
    for user in people[::3]:
        for skill in rng.sample(SKILLS, rng.randint(1, 3)):
            db.session.add(ExpertSkill(user_id=user.id, skill=skill, grade=rng.randint(1, 3), created_at=_at(-200)))


def _team(
    customer: Customer,
    number: int,
    contacts: list[Contact],
    people: list[User],
    executives: list[User],
    rng: random.Random,
) -> None:
    today = clock.today()
    sponsor = executives[number % len(executives)]
    complaint = next(
        (
            user
            for user in people
            if user.department_id == customer.department_id and user.id != customer.account_manager_id
        ),
        sponsor,
    )
    db.session.add(
        AccountTeam(
            customer_id=customer.id,
            sponsor_id=sponsor.id,
            complaint_id=complaint.id,
            told_on=today - timedelta(days=40 + number) if number % 3 else None,
            told_how="拜访时当面告知" if number % 3 else "",
            phase=("build", "stable", "strengthen")[number % 3],
            phase_since=today - timedelta(days=90 + 7 * number),
            focus="每月一次经营回顾，关键人逐个覆盖。",
            balance="我方向其采购包装与物流服务，双方往来大致平衡。" if number % 3 == 2 else "",
            updated_at=_at(-40),
        )
    )
    helpers = [user for user in people if user.id not in (customer.account_manager_id, sponsor.id)]
    for role, user in zip(("technical", "logistics", "service"), rng.sample(helpers, 3), strict=True):
        begin = today - timedelta(days=rng.randint(10, 120))
        db.session.add(
            TeamMember(
                customer_id=customer.id,
                user_id=user.id,
                role=role,
                task={"technical": "选品与打样支持", "logistics": "旺季备货与配送", "service": "投诉闭环"}[role],
                valid_from=begin,
                valid_until=begin + timedelta(days=rng.choice((60, 180, 365))),
                created_at=_at(-120),
                created_by_id=customer.account_manager_id,
            )
        )
    for level, contact, user_id in zip(
        ("technical", "management"), contacts[:2], (helpers[number % len(helpers)].id, sponsor.id), strict=False
    ):
        topic = "技术与质量" if level == "technical" else "合作方向"
        db.session.add(
            Channel(
                customer_id=customer.id,
                level=level,
                user_id=user_id,
                contact_id=contact.id,
                topic=topic,
                created_at=_at(-100),
            )
        )
    if number % 3 == 0:
        for place, (incident, steps) in enumerate(INCIDENTS):
            row = EmergencyPlan(
                customer_id=customer.id,
                incident=incident,
                user_id=customer.account_manager_id,
                contact_id=contacts[0].id if contacts else None,
                steps=steps,
                answer_hours=(1, 4)[place],
                updated_at=_at(-60),
            )
            db.session.add(row)
            db.session.flush()
            if place == 0 and number % 2 == 0:
                for kind, text, days in (
                    ("begun", "承运车辆故障，两百箱延迟", -35),
                    ("note", "已从中转仓调拨一百二十箱", -35),
                    ("ended", "余货送达，客户确认", -33),
                ):
                    db.session.add(
                        IncidentEntry(emergency_id=row.id, kind=kind, text=text, at=_at(days), by_id=row.user_id)
                    )


def _stakeholders(customer: Customer, contacts: list[Contact], rng: random.Random) -> None:
    for place, contact in enumerate(contacts):
        if contact.attitude is None:
            contact.attitude = rng.choice((-1, 0, 0, 1, 1, 2))
        row = Stakeholder(
            customer_id=customer.id,
            contact_id=contact.id,
            influence=max(5 - place, 1),
            reports_to_id=None if place == 0 else contacts[(place - 1) // 2].id,
            note=rng.choice(("关心交期", "看重成本", "希望少出错", "", "喜欢书面方案")),
            updated_at=_at(-30),
        )
        db.session.add(row)
        db.session.flush()
        for days, attitude in ((-120, max(contact.attitude - 1, -2)), (-30, contact.attitude)):
            db.session.add(
                StakeholderChange(
                    stakeholder_id=row.id,
                    influence=row.influence,
                    attitude=attitude,
                    reports_to_id=row.reports_to_id,
                    at=_at(days),
                    by_id=customer.account_manager_id,
                )
            )


def _plan(customer: Customer, number: int, contacts: list[Contact], rng: random.Random) -> None:
    today = clock.today()
    plan = AccountPlan(
        customer_id=customer.id,
        title=f"{today.year}–{today.year + 1} 年大客户计划",
        first_year=today.year,
        years=2,
        phase=("prepare", "plan", "review", "monitor")[number // 2 % 4],
        state="approved" if number % 4 == 0 else "draft",
        invested=Decimal(rng.choice((0, 20000, 45000))),
        created_at=_at(-150),
        created_by_id=customer.account_manager_id,
        updated_at=_at(-20),
    )
    db.session.add(plan)
    db.session.flush()
    for key, body in SECTIONS.items():
        db.session.add(
            PlanSection(
                plan_id=plan.id, key=key, body=body, updated_at=_at(-30), updated_by_id=customer.account_manager_id
            )
        )
    base = (customer.total_12m or Decimal(50000)).quantize(Decimal("1"))
    for year, factor in ((today.year, Decimal("1.1")), (today.year + 1, Decimal("1.25"))):
        db.session.add(
            PlanTarget(plan_id=plan.id, measure="sales", year=year, value=(base * factor).quantize(Decimal("1")))
        )
        db.session.add(
            PlanTarget(
                plan_id=plan.id,
                measure="margin",
                year=year,
                value=(base * factor * Decimal("0.32")).quantize(Decimal("1")),
            )
        )
    for place, task in enumerate(rng.sample(ACTIONS, 4)):
        state = "done" if place == 0 else "open"
        db.session.add(
            PlanAction(
                plan_id=plan.id,
                task=task,
                owner_id=customer.account_manager_id,
                due_on=today + timedelta(days=(-40, -4, 12, 45)[place]),
                state=state,
                result="已完成" if state == "done" else "",
                finished_at=_at(-30) if state == "done" else None,
                created_at=_at(-90),
            )
        )
    db.session.add(
        PlanReview(
            plan_id=plan.id,
            due_on=today - timedelta(days=80),
            held_on=today - timedelta(days=78),
            result="进度正常，高端系列需加快。",
        )
    )
    db.session.add(PlanReview(plan_id=plan.id, due_on=today + timedelta(days=rng.randint(2, 30))))


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
                    created_at=_at((day - today).days),
                    by_id=customer.account_manager_id,
                )
            )
    for days, state in ((-rng.randint(10, 80), "held"), (rng.randint(1, 40), "planned")):
        db.session.add(
            ExecutiveVisit(
                customer_id=customer.id,
                executive_id=executives[number % len(executives)].id,
                starts_at=_at(days, 9 + number % 6),
                minutes=rng.choice((60, 90, 120)),
                place=customer.address or "客户总部",
                purpose=rng.choice(("年度合作回顾", "高层互访，谈框架协议", "新品介绍与试用反馈")),
                talking_points="感谢上半年合作\n了解明年预算\n介绍新品计划",
                state=state,
                result="对方同意推进框架协议。" if state == "held" else "",
                created_at=_at(-90),
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
                    updated_at=_at(-30 * back),
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
            created_at=_at(-100),
            created_by_id=customer.account_manager_id,
        )
    )


def _targets(managers: list[User], rng: random.Random) -> None:
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
                opp.SalesTarget(user_id=user.id, year=year, source=source, amount=Decimal(amount), updated_at=_at(-200))
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
            starts_at=_at(days, 14),
            minutes=300,
            place="云栖会议中心",
            organiser_id=executives[0].id,
            agenda=agenda,
            record=record,
            state=state,
            created_at=_at(days - 60),
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
                        invited_at=_at(days - 40),
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
