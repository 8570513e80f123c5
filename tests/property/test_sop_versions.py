"""Any order of edits, reviews, publications and days leaves exactly one effective version at any date after the first,
and none before it or after retirement."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from plugins.sop.manuals import drafting, reviewing
from plugins.sop.manuals.base import open_version
from plugins.sop.manuals.models import Manual, ManualVersion
from plugins.sop.manuals.queries import effective_on
from portal.approvals import services as approvals
from portal.approvals.models import PENDING, REJECT, ApprovalRequest
from portal.core import clock
from portal.core.errors import Conflict, Invalid
from portal.core.transaction import transaction
from portal.extensions import db
from tests.sop_story import add_procedure, add_step, begin_manual, sign, submit
from tests.world import World

pytestmark = pytest.mark.db

MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), st.integers(-1, 12)),
        st.tuples(st.just("sign"), st.just(0)),
        st.tuples(st.just("sign"), st.just(0)),
        st.tuples(st.just("reject"), st.just(0)),
        st.tuples(st.just("withdraw"), st.just(0)),
        st.tuples(st.just("revise"), st.just(0)),
        st.tuples(st.just("edit"), st.just(0)),
        st.tuples(st.just("days"), st.integers(0, 8)),
        st.tuples(st.just("retire"), st.integers(0, 5)),
    ),
    min_size=4,
    max_size=14,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MOVES)
def test_exactly_one_version_is_effective_at_any_date(app: Flask, world: World, moves: list[tuple[str, int]]) -> None:
    edda = world.actor("edda")
    start = clock.now()
    passed = 0
    with transaction():
        version = begin_manual(world)
        manual_id = version.manual_id
        procedure_id = add_procedure(version.id, "A-1", "甲", edda)
    for name, amount in moves:
        if name == "days":
            passed += amount
            continue
        with clock.frozen(start + timedelta(days=passed)):
            try:
                with transaction():
                    _do(name, amount, manual_id, procedure_id, world)
            except (Conflict, Invalid):
                pass
            _check(manual_id)


def _do(name: str, amount: int, manual_id: int, procedure_id: int, world: World) -> None:
    edda = world.actor("edda")
    work = open_version(manual_id)
    waiting = db.session.scalars(
        select(ApprovalRequest).where(ApprovalRequest.subject_id == manual_id, ApprovalRequest.state == PENDING)
    ).first()
    if name == "revise":
        draft = drafting.start_draft(manual_id, edda)
        add_step(draft.id, procedure_id, f"一步 {draft.number}", edda)
    elif name == "retire":
        reviewing.ask_retirement(
            manual_id, clock.today() + timedelta(days=amount), "停用", f"retire-{manual_id}-{clock.now()}", edda
        )
    elif name == "submit" and work is not None:
        submit(work.id, edda, on=clock.today() + timedelta(days=amount) if amount >= 0 else None)
    elif name == "edit" and work is not None:
        add_step(work.id, procedure_id, f"再一步 {clock.now()}", edda)
    elif waiting is not None and name == "sign":
        sign(waiting.id)
    elif waiting is not None and name == "reject":
        sign(waiting.id, REJECT, "不同意")
    elif waiting is not None and name == "withdraw":
        approvals.withdraw(waiting.id, edda)


def _check(manual_id: int) -> None:
    db.session.rollback()
    manual = db.session.get_one(Manual, manual_id)
    published = db.session.scalars(
        select(ManualVersion).where(ManualVersion.manual_id == manual_id, ManualVersion.state == "published")
    ).all()
    days = {version.effective_from for version in published} | {version.effective_until for version in published}
    edges: set[date] = {day for day in days if day is not None} | {clock.today()}
    first = min((version.effective_from for version in published if version.effective_from), default=None)
    for day in {edge + timedelta(days=shift) for edge in edges for shift in (-1, 0, 1)}:
        found = db.session.scalars(
            select(ManualVersion).where(ManualVersion.manual_id == manual_id, effective_on(day))
        ).all()
        over = manual.retired_on is not None and day >= manual.retired_on
        expected = int(first is not None and first <= day and not over)
        assert len(found) == expected, (day, [(v.number, v.effective_from, v.effective_until) for v in published])
        assert [version for version in published if version.is_effective_on(day)] == list(found)
