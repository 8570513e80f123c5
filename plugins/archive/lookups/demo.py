"""Look-ups, grants and paper copies of the demo company: three months of requests, some open, some waiting."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from sqlalchemy import select

from plugins.archive.copies import services as copies
from plugins.archive.copies import states
from plugins.archive.copies.models import ArchiveCopy
from plugins.archive.dossiers.models import CONTRACT, CURRENT, PARTS, ArchiveFile
from plugins.archive.lookups import grants
from plugins.archive.lookups.models import PAPER, VIEW, ArchiveGrant
from plugins.archive.lookups.services import LookupInput, file_lookup, latest_until
from portal.approvals import services as approvals
from portal.approvals.models import APPROVE, PENDING, REJECT, ApprovalRequest
from portal.approvals.queries import digest_of, seats_of
from portal.core import clock
from portal.core.calendar import add_working_days, is_working_day
from portal.core.errors import Conflict
from portal.customers.models import Customer
from portal.extensions import db
from portal.org.actor import SYSTEM, Actor, load_actor
from portal.org.models import User

SEED = 20260318
PURPOSES = (
    "续签前核对合同付款条款与违约责任",
    "准备季度拜访，了解历年采购结构",
    "投诉处理需要核对约定的交货期",
    "年度框架协议谈判",
    "客户换了采购负责人，核对基本信息",
    "配合财务核对应收账款",
    "制定明年销售目标",
    "招投标资质复核",
)
#: days ago, log-in name, way of use, what became of it
STORIES = (
    (74, "chenxiao", VIEW, "used"),
    (70, "huangting", PAPER, "destroyed"),
    (66, "chenxiao", PAPER, "destroyed"),
    (61, "luojia", VIEW, "used"),
    (55, "dingrui", VIEW, "refused"),
    (49, "chenxiao", VIEW, "used"),
    (44, "luojia", PAPER, "returned"),
    (38, "huangting", VIEW, "used"),
    (33, "chenxiao", PAPER, "spoiled"),
    (27, "luojia", VIEW, "refused"),
    (21, "huangting", PAPER, "lost"),
    (16, "dingrui", PAPER, "overdue"),
    (12, "chenxiao", VIEW, "used"),
    (2, "huangting", PAPER, "issued"),
    (1, "luojia", PAPER, "printed"),
    (1, "chenxiao", PAPER, "open"),
    (1, "chenxiao", VIEW, "open"),
    (0, "huangting", PAPER, "open"),
    (0, "luojia", VIEW, "waiting"),
    (0, "chenxiao", PAPER, "waiting"),
)


def load() -> None:
    """Fill the demo company (inside its transaction), after the dossiers have files."""
    rng = random.Random(SEED)
    found = db.session.execute(
        select(Customer.id, Customer.account_manager_id)
        .where(
            Customer.id.in_(
                select(ArchiveFile.customer_id).where(ArchiveFile.part == CONTRACT, ArchiveFile.state == CURRENT)
            )
        )
        .order_by(Customer.id)
        .limit(80)
    ).all()
    if not found:
        return
    managers = [i for i in dict.fromkeys(row.account_manager_id for row in found) if i is not None]
    logins = dict(db.session.execute(select(User.login, User.id).where(User.is_active)).all())
    operator = db.session.scalars(select(User.id).where(User.login == "mahui")).first()
    if operator is None or not managers:
        return
    for number, (days, login, mode, ending) in enumerate(STORIES):
        # People whom the demo does not know under this name are replaced by an account manager, always the same one.
        user_id = logins.get(login) or managers[(len(login) + ord(login[0])) % len(managers)]
        own = [row.id for row in found if row.account_manager_id == user_id]
        customer_id = own[number % len(own)] if own and number % 3 else rng.choice(found).id
        moment = _moment(days, number)
        with clock.frozen(moment):
            _story(user_id, customer_id, mode, ending, number, load_actor(operator))


def _moment(days: int, number: int) -> datetime:
    """A working hour so many days ago; one of the looks is late in the evening."""
    now = clock.now()
    if not days:
        return now - timedelta(minutes=30 + number)
    day = clock.today() - timedelta(days=days)
    while not is_working_day(day):
        day -= timedelta(days=1)
    hour = 21 if number % 7 == 5 else 9 + number % 8
    return min(clock.day_bounds(day)[0] + timedelta(hours=hour, minutes=(number * 13) % 60), now)


def _story(user_id: int, customer_id: int, mode: str, ending: str, number: int, operator: Actor) -> None:
    actor = load_actor(user_id)
    parts = PARTS if number % 2 else (CONTRACT,)
    until = min(add_working_days(clock.today(), 3), latest_until())
    data = LookupInput(
        (customer_id,),
        parts,
        mode,
        1 if mode == PAPER else 3,
        until,
        PURPOSES[number % len(PURPOSES)],
        f"demo-archive-{number}",
    )
    try:
        request = file_lookup(data, actor)
    except Conflict:
        return
    if ending == "waiting":
        return
    if ending == "refused":
        _vote(request, REJECT, "用途与申请内容不符，请说明后再报。")
        return
    while request.state == PENDING:
        _vote(request, APPROVE, "同意，注意保密。")
    grant = db.session.scalars(select(ArchiveGrant).where(ArchiveGrant.request_id == request.id)).first()
    if grant is None:
        return
    if mode == VIEW:
        for look in range(3 if ending == "used" else 1):
            grants.open_view(grant.id, f"demo-view-{number}-{look}", actor)
        return
    if ending == "open":
        return
    copy = copies.reserve(grant.id, f"demo-copy-{number}", operator)
    _paper(copy, ending, operator, actor)


def _vote(request: ApprovalRequest, vote: str, opinion: str) -> None:
    seat = next(seat for seat in seats_of(request.id) if seat.state == "open")
    approvals.decide(request.id, load_actor(seat.user_id), vote=vote, seen_digest=digest_of(request), opinion=opinion)
    db.session.flush()
    db.session.refresh(request)


def _paper(copy: ArchiveCopy, ending: str, operator: Actor, holder: Actor) -> None:
    witness = db.session.scalars(select(User.id).where(User.login == "yuqing")).first()
    pages = sum(file.pages for file in copy.files)
    copies.move(copy, states.MAKE, SYSTEM, pages=pages, seal=None)
    copies.move(copy, states.SEND, operator, sent_at=clock.now(), seal=None)
    needs = copies.StepInput(sheets=pages, witness_id=witness, note="")
    if ending == "spoiled":
        spoiled = copies.StepInput(note="卡纸，第 2 张起字迹模糊")
        copies.take_step(copy, states.SPOIL, spoiled, operator)
        copies.take_step(copy, states.BURN, needs, operator)
        again = copies.print_again(copy, f"{copy.form_token}-again", operator)
        copies.move(again, states.MAKE, SYSTEM, pages=pages, seal=None)
        copies.move(again, states.SEND, operator, sent_at=clock.now(), seal=None)
        copy, ending = again, "destroyed"
    copies.take_step(copy, states.COUNT, needs, operator)
    if ending == "printed":
        return
    copies.take_step(copy, states.OFFER, needs, operator)
    copies.accept(copy, holder)
    if ending in ("issued", "overdue"):
        return
    if ending == "lost":
        copies.report_lost(copy, "出差途中遗失，已联系酒店查找", holder)
        return
    copies.take_step(copy, states.RETURN, needs, operator)
    if ending == "destroyed":
        copies.take_step(copy, states.DESTROY, needs, operator)
