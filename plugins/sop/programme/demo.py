"""Introduction programmes of the demo company: one that was finished, with its results, and one under way."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import select

from plugins.sop.programme import assessing, budget, plan, queries, services
from plugins.sop.programme.measures import MEASURES
from plugins.sop.programme.models import AFTER, BEFORE, FINISHED, SopProgramme
from plugins.sop.programme.questionnaire import END, INTERIM, QUESTIONS, START
from portal.core import clock
from portal.extensions import db
from portal.org.actor import Actor, load_actor
from portal.org.models import User

LEADER, EXECUTIVE = "caoyan", "fangjing"
#: Who is responsible for the nine steps.
OWNERS = ("fangjing", "linyue", "caoyan", "caoyan", "caoyan", "linyue", "shenlan", "chenxiao", "caoyan")
PROBLEMS = {
    "customers.1": "同一客户在各地多次建档，电话与地址互相矛盾",
    "customers.2": "拜访情况记在个人笔记本里，离职后无从查起",
    "segments.2": "时间大多花在催单最急的客户身上，大客户反而少有人拜访",
    "access.2": "业务员离职时带走客户，去年流失三家经销商",
    "service.1": "投诉由谁接听谁处理，没有时限，也没有回访",
    "procedures.2": "制度有文件，但多数人没有读过，也无人检查",
    "use.2": "月度例会只谈销售额，不谈客户满意与流失",
}
NOTES = ("全体中层参加，课后测试合格率 96%", "访谈内部 28 人、客户 12 家，形成调研纪要", "七章初稿已完成，会签中")
TYPED = {
    "dealer_loyalty": ("62", "78"),
    "dealer_confidence": ("58", "74"),
    "satisfaction": ("71", "84"),
    "warning": ("25", "68"),
    "reaction": ("52.5", "18"),
}


def load(_actor: Actor) -> None:
    """Fill the demo company (inside its transaction)."""
    people = {
        row.login: row.id
        for row in db.session.execute(select(User.login, User.id).where(User.login.in_({LEADER, EXECUTIVE, *OWNERS})))
    }
    if LEADER not in people or EXECUTIVE not in people:
        return
    today = clock.today()
    leader, executive = load_actor(people[LEADER]), load_actor(people[EXECUTIVE])
    owners = [people.get(login, people[LEADER]) for login in OWNERS]
    _finished(plan.months_later(today, -14), leader, executive, owners)
    _running(today - timedelta(days=44), leader, executive, owners)


def _at(day: date) -> datetime:
    return clock.day_bounds(day)[0] + timedelta(hours=10)


def _plan(title: str, goal: str, starts_on: date, leader: Actor, owners: list[int]) -> SopProgramme:
    with clock.frozen(_at(starts_on - timedelta(days=10))):
        data = services.ProgrammeInput(title, starts_on, goal, leader.user_id)
        programme = services.create_programme(data, leader)
        for step, owner in zip(programme.steps, owners, strict=True):
            step.owner_id = owner
        db.session.flush()
    return programme


def _finished(starts_on: date, leader: Actor, executive: Actor, owners: list[int]) -> None:
    """The first introduction, in the sales centre."""
    goal = "统一客户建档、拜访与投诉处理的做法，让客户留在公司而不是留在个人手里"
    programme = _plan("客户关系管理导入（销售中心）", goal, starts_on, leader, owners)
    _choose(programme, budget.MANUAL, 9, "公司自己会写流程，但需要顾问带着把手册定下来", starts_on, executive)
    steps = list(programme.steps)
    _assess(programme, START, starts_on, 1.9, 2.8, leader)
    with clock.frozen(_at(steps[3].begins_on)):
        # Research took a week longer than planned: everything after it moved.
        services.change_step(steps[3], services.StepInput(steps[3].begins_on, 12, steps[3].owner_id), leader)
    for index, step in enumerate(queries.load_programme(programme.id).steps):
        with clock.frozen(_at(step.ends_on)):
            note = NOTES[index // 3] if index % 3 == 1 else ""
            services.report_progress(step, services.ProgressInput(100, note), leader)
    last = programme.steps[-1].ends_on
    with clock.frozen(_at(last)):
        services.change_state(programme, FINISHED, "", leader)
    _assess(programme, END, min(last + timedelta(days=30), clock.today()), 3.7, 3.0, leader)
    first = steps[0].begins_on
    _score(programme, BEFORE, plan.months_later(first, -12), first - timedelta(days=1), 0, first, executive)
    today = clock.today()
    begin = max(last + timedelta(days=1), plan.months_later(today, -12))
    _score(programme, AFTER, begin, today, 1, today, executive)


def _running(starts_on: date, leader: Actor, executive: Actor, owners: list[int]) -> None:
    """The second one, in the whole company: some way in, a little late."""
    goal = "把销售中心的做法推广到客服、财务、档案各部门，全员会用作业检查单"
    programme = _plan("客户关系管理导入（全公司）", goal, starts_on, leader, owners)
    _choose(programme, budget.SHORT, 2, "上一轮的手册可以沿用，只请顾问复核两天", starts_on, executive)
    _assess(programme, START, starts_on, 2.6, 3.1, leader)
    today = clock.today()
    _assess(programme, INTERIM, today - timedelta(days=6), 3.0, 3.1, leader)
    for index, step in enumerate(list(programme.steps)):
        if step.begins_on > today:
            break
        percent = 100 if step.ends_on < today - timedelta(days=12) else (80, 55, 30)[index % 3]
        with clock.frozen(_at(min(step.ends_on, today - timedelta(days=1)))):
            note = NOTES[index % 3] if percent < 100 else ""
            services.report_progress(step, services.ProgressInput(percent, note), leader)


def _choose(programme: SopProgramme, mode: str, days: int, reason: str, day: date, actor: Actor) -> None:
    with clock.frozen(_at(day - timedelta(days=7))):
        token = f"demo-budget-{programme.id}"
        services.choose_budget(programme, services.ChoiceInput(mode, reason, token, {mode: days}), actor)


def _assess(programme: SopProgramme, moment: str, day: date, own: float, industry: float, actor: Actor) -> None:
    draw = random.Random(f"{programme.id}-{moment}")
    answers = {}
    for question in QUESTIONS:
        level = min(5, max(1, round(draw.gauss(own, 0.6))))
        usual = min(5, max(1, round(draw.gauss(industry, 0.4))))
        problem = PROBLEMS.get(question.key, "") if level < 3 else ""
        answers[question.key] = assessing.AnswerInput(level, usual, problem)
    words = {
        START: "客户资料分散、做法因人而异；领导重视，但没有人对结果负责。",
        INTERIM: "建档与拜访已按手册执行，投诉处理与数据运用仍待加强。",
        END: "建档完整率由六成升至九成五，投诉全部在时限内答复。",
    }
    data = assessing.AssessmentInput(moment, day, "方敬、林岳、沈岚、梁博、曹妍", words[moment], answers)
    with clock.frozen(_at(day)):
        assessing.save_assessment(programme, None, data, actor)


def _score(programme: SopProgramme, side: str, first: date, last: date, index: int, day: date, actor: Actor) -> None:
    with clock.frozen(_at(day)):
        values: dict[str, Decimal | None] = {
            measure.key: Decimal(TYPED[measure.key][index]) for measure in MEASURES if measure.key in TYPED
        }
        source = "经销商与用户问卷，客服台账"
        assessing.save_scores(programme, assessing.ScoreInput(side, first, last, values, source), actor)
        assessing.compute_scores(programme, side, first, last, actor)
