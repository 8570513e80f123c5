"""Demo data of account plans and emergency plans."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal

from plugins.key_accounts.demo_days import at
from plugins.key_accounts.plans.models import (
    AccountPlan,
    PlanAction,
    PlanReview,
    PlanSection,
    PlanTarget,
)
from portal.core import clock
from portal.customers.models import Contact, Customer
from portal.extensions import db

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


def plan_of(customer: Customer, number: int, contacts: list[Contact], rng: random.Random) -> None:
    """The account plan of a customer and its emergency plan."""
    today = clock.today()
    plan = AccountPlan(
        customer_id=customer.id,
        title=f"{today.year}–{today.year + 1} 年大客户计划",
        first_year=today.year,
        years=2,
        phase=("prepare", "plan", "review", "monitor")[number // 2 % 4],
        state="approved" if number % 4 == 0 else "draft",
        invested=Decimal(rng.choice((0, 20000, 45000))),
        created_at=at(-150),
        created_by_id=customer.account_manager_id,
        updated_at=at(-20),
    )
    db.session.add(plan)
    db.session.flush()
    for key, body in SECTIONS.items():
        db.session.add(
            PlanSection(
                plan_id=plan.id, key=key, body=body, updated_at=at(-30), updated_by_id=customer.account_manager_id
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
                finished_at=at(-30) if state == "done" else None,
                created_at=at(-90),
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
