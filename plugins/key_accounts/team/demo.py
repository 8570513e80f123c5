"""Demo data of teams, experts and stakeholder maps."""

from __future__ import annotations

import random
from datetime import timedelta

from plugins.key_accounts.demo_days import at
from plugins.key_accounts.plans.models import (
    EmergencyPlan,
    IncidentEntry,
)
from plugins.key_accounts.stakeholders.models import Stakeholder, StakeholderChange
from plugins.key_accounts.team.models import AccountTeam, Channel, ExpertSkill, TeamMember
from portal.core import clock
from portal.customers.models import Contact, Customer
from portal.extensions import db
from portal.org.models import User

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
INCIDENTS = (
    ("断供或延迟到货", "一小时内电话告知客户\n核对在途与可调拨库存\n给出替代方案与时间\n事后书面说明"),
    ("质量投诉", "当天取样封存\n品质部到场\n二十四小时内给出处理意见\n跟踪到客户签字关闭"),
)


def experts(people: list[User], rng: random.Random) -> None:
    """Skills of people in the expert directory."""
    for user in people[::3]:
        for skill in rng.sample(SKILLS, rng.randint(1, 3)):
            db.session.add(ExpertSkill(user_id=user.id, skill=skill, grade=rng.randint(1, 3), created_at=at(-200)))


def team_of(
    customer: Customer,
    number: int,
    contacts: list[Contact],
    people: list[User],
    executives: list[User],
    rng: random.Random,
) -> None:
    """The account team of a customer with its channels."""
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
            updated_at=at(-40),
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
                created_at=at(-120),
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
                created_at=at(-100),
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
                updated_at=at(-60),
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
                        IncidentEntry(emergency_id=row.id, kind=kind, text=text, at=at(days), by_id=row.user_id)
                    )


def stakeholders_of(customer: Customer, contacts: list[Contact], rng: random.Random) -> None:
    """The stakeholder map of a customer."""
    for place, contact in enumerate(contacts):
        if contact.attitude is None:
            contact.attitude = rng.choice((-1, 0, 0, 1, 1, 2))
        row = Stakeholder(
            customer_id=customer.id,
            contact_id=contact.id,
            influence=max(5 - place, 1),
            reports_to_id=None if place == 0 else contacts[(place - 1) // 2].id,
            note=rng.choice(("关心交期", "看重成本", "希望少出错", "", "喜欢书面方案")),
            updated_at=at(-30),
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
                    at=at(days),
                    by_id=customer.account_manager_id,
                )
            )
