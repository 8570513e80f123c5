"""Manuals of the demo company: one through three versions and being revised, one waiting for signatures."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta

from sqlalchemy import select

from plugins.sop import library
from plugins.sop.manuals import arranging, commenting, drafting, editing, queries, reviewing
from plugins.sop.manuals.commenting import Place
from plugins.sop.manuals.inputs import ChapterInput, ProcedureInput, StepInput
from plugins.sop.manuals.models import ManualVersion, Procedure, ProcedureRevision, VersionProcedure
from plugins.sop.reading import services as reading
from plugins.sop.reading.models import ALL_STAFF, ROLE, Acknowledgement
from portal.approvals import services as approvals
from portal.approvals.models import APPROVE, OPEN, PENDING, ApprovalRequest, ApprovalSeat
from portal.approvals.queries import digest_of
from portal.core import clock
from portal.extensions import db
from portal.org.actor import Actor, load_actor
from portal.org.models import Department, User

EDITOR = "caoyan"
#: Kind of department in the library → code of the department.
KINDS = {
    "sales": "SALES",
    "service": "SERVICE",
    "finance": "FINANCE",
    "logistics": "SERVICE",
    "marketing": "SALES",
    "archive": "ARCHIVE",
    "management": "HS",
}
#: Days ago on which the three versions took effect, and what is said of them.
VERSIONS = (
    (410, "首次发布，试行六个月。", True),
    (190, "根据试行情况调整拜访与回访的时限，补充投诉处理的停止点。", False),
    (24, "新增大客户与渠道管理程序；合同签订增加信用核查；全员重新阅读。", True),
)
#: What came with the third version.
LATER = (
    "key-account-selection",
    "key-account-meeting",
    "loss-winback",
    "satisfaction-survey",
    "stock-talk",
    "price-violation",
    "vip-application",
)
QUESTIONS = (
    reading.QuestionInput(
        "与客户往来的四项原则是哪四项？",
        ("主动、情感、互惠、个性化", "热情、周到、快速、低价", "诚信、专业、高效、创新"),
        0,
    ),
    reading.QuestionInput("与客户的往来应当什么时候记入系统？", ("当日", "一周之内", "月底汇总时"), 0),
    reading.QuestionInput(
        "标有“停止点”的步骤没有完成时，可以做后面的步骤吗？", ("可以，事后补上", "不可以", "由客户经理自行决定"), 1
    ),
)


def _at(days_ago: int, hour: int = 10) -> datetime:
    day = clock.today() - timedelta(days=days_ago)
    return datetime.combine(day, time(hour, 20), clock.zone())


def load(_actor: Actor) -> None:
    """Fill the demo company (inside its transaction)."""
    people = dict(db.session.execute(select(User.login, User.id)).all())
    departments = dict(db.session.execute(select(Department.code, Department.id)).all())
    kinds = {kind: departments[code] for kind, code in KINDS.items() if code in departments}
    if EDITOR not in people or "ARCHIVE" not in departments:
        return
    editor = load_actor(people[EDITOR])
    manual_id = _crm_manual(editor, people, departments, kinds)
    _acknowledge(manual_id)
    _draft(manual_id, editor, load_actor(people["linyue"]))
    _archive_manual(editor, departments, kinds)


def _crm_manual(editor: Actor, people: dict[str, int], departments: dict[str, int], kinds: dict[str, int]) -> int:
    keys = [item.key for item in library.starters("zh_Hans_CN")]
    parts: tuple[list[str], ...] = ([key for key in keys if key not in LATER], [], list(LATER))
    version: ManualVersion | None = None
    for (days, summary, is_major), taken in zip(VERSIONS, parts, strict=True):
        with clock.frozen(_at(days + 9)):
            if version is None:
                data = drafting.ManualInput(
                    code="SOP-CRM",
                    title="客户关系管理标准作业程序手册",
                    language="zh_Hans_CN",
                    department_id=departments["SERVICE"],
                    company="禾山商务用品有限公司",
                )
                version = drafting.create_manual(data, editor)
                drafting.set_editors(version.manual_id, [people["linyue"]], editor)
            else:
                version = drafting.start_draft(version.manual_id, editor)
                _improve(version, is_major, editor)
            arranging.take_starters(version.id, taken, kinds, "procedures", editor)
            if version.base_id:
                _arrange(version, keys, editor)
            if is_major:
                reading.set_questions(version.id, QUESTIONS, editor)
            wanted = clock.today() + timedelta(days=9)
            form = reviewing.SubmitInput(summary, is_major, f"demo-sop-{days}", wanted)
            request = reviewing.submit(version.id, form, editor)
        with clock.frozen(_at(days + 6)):
            _sign(request)
        if days == VERSIONS[0][0]:
            with clock.frozen(_at(days)):
                reading.add_rule(version.manual_id, reading.RuleInput(ALL_STAFF, 14), editor)
    assert version is not None
    return version.manual_id


def _sign(request: ApprovalRequest, keep: int = 0) -> None:
    """The heads sign one after another; `keep` seats stay open."""
    seats = list(
        db.session.scalars(
            select(ApprovalSeat.user_id)
            .where(ApprovalSeat.request_id == request.id, ApprovalSeat.state == OPEN)
            .order_by(ApprovalSeat.slot, ApprovalSeat.id)
        )
    )
    for user_id in seats[: len(seats) - keep]:
        present = db.session.get_one(ApprovalRequest, request.id)
        open_seat = select(ApprovalSeat.id).where(
            ApprovalSeat.request_id == request.id, ApprovalSeat.user_id == user_id, ApprovalSeat.state == OPEN
        )
        if present.state == PENDING and db.session.scalar(open_seat) is not None:
            seen = digest_of(present)
            approvals.decide(request.id, load_actor(user_id), vote=APPROVE, seen_digest=seen, opinion="同意。")


def _arrange(version: ManualVersion, keys: Sequence[str], editor: Actor) -> None:
    """Put what came later beside its like: the order of the library."""
    places = [row.procedure_id for row in queries.procedures_of(version.id)]
    found = db.session.execute(select(Procedure.id, Procedure.starter).where(Procedure.id.in_(places)))
    order = {row.id: keys.index(row.starter) for row in found}
    for position, procedure_id in enumerate(sorted(places, key=lambda one: order[one]), start=1):
        if places[position - 1] != procedure_id:
            arranging.move_procedure(version.id, procedure_id, "procedures", position, editor)
            places.remove(procedure_id)
            places.insert(position - 1, procedure_id)


def _improve(version: ManualVersion, is_major: bool, editor: Actor) -> None:
    """A revision changes a few procedures and a chapter."""
    rows = queries.procedures_of(version.id)
    for row in rows[5:8] if is_major else rows[1:4]:
        _edit(version, row.procedure_id, editor)
    chapter = editing.load_chapter(version, "requirements")
    old, new = (
        ("接触当天录入，", "接触当天录入，出差的最迟次日 10 点前；")
        if is_major
        else ("一天内完成移交。", "一天内完成移交，接手人签字。")
    )
    body = chapter.body.replace(old, new, 1)
    editing.save_chapter(version.id, chapter.key, ChapterInput(chapter.title, body, chapter.edit_version), editor)


def _edit(version: ManualVersion, procedure_id: int, editor: Actor, with_stop: bool = True) -> None:
    """Change a time limit and a standard, add a step."""
    content = queries.procedure_content(version.id, procedure_id)
    steps = [StepInput.of(step) for step in content.steps]
    first = steps[0]
    steps[0] = replace(first, standard=f"{first.standard.rstrip('。')}；当日记入系统".lstrip("；"))
    steps[-1] = replace(steps[-1], limit_amount=1, limit_unit="working_days")
    steps.insert(
        len(steps) - 1,
        StepInput(
            who="部门主管",
            what="抽查本程序的记录，发现缺项当场补正。",
            record="抽查记录表",
            limit_amount=1,
            limit_unit="weeks",
            standard="每周不少于两份",
            is_stop=with_stop,
        ),
    )
    present = db.session.get_one(
        ProcedureRevision, db.session.get_one(VersionProcedure, (version.id, procedure_id)).revision_id
    )
    data = ProcedureInput(
        title=content.title,
        seen=editing.mark_of(present),
        trigger=content.trigger,
        purpose=content.purpose,
        records=content.records,
        measures=content.measures,
        departments=tuple((part.department_id, part.raci) for part in content.departments),
        roles=content.roles,
        related=tuple((item.procedure_id, item.kind) for item in content.related),
        steps=tuple(steps),
    )
    editing.save_procedure(version.id, procedure_id, data, editor)


def _acknowledge(manual_id: int) -> None:
    """Most people have read the effective version, some late, some not at all."""
    draw = random.Random(7)
    people: Sequence[tuple[int, int]] = [
        (row.id, row.department_id)
        for row in db.session.execute(select(User.id, User.department_id).where(User.is_active).order_by(User.id))
    ]
    published = db.session.scalars(
        select(ManualVersion)
        .where(ManualVersion.manual_id == manual_id, ManualVersion.state == "published", ManualVersion.minor == 0)
        .order_by(ManualVersion.major)
    ).all()
    for version, share in zip(published, (0.95, 0.72), strict=True):
        assert version.effective_from is not None
        days = (clock.today() - version.effective_from).days
        for user_id, department_id in people:
            if draw.random() < share:
                after = timedelta(days=min(days, draw.randint(0, 18)), hours=draw.randint(9, 17))
                at = datetime.combine(version.effective_from, time(0), clock.zone()) + after
                row = Acknowledgement(
                    version_id=version.id,
                    user_id=user_id,
                    department_id=department_id,
                    at=min(at, clock.now()),
                    tries=draw.choice((1, 1, 1, 2)),
                )
                db.session.add(row)
    db.session.flush()


def _draft(manual_id: int, editor: Actor, writer: Actor) -> None:
    """The next version is being written, with remarks."""
    with clock.frozen(_at(5)):
        version = drafting.start_draft(manual_id, editor)
        rows = queries.procedures_of(version.id)
        _edit(version, rows[0].procedure_id, editor, with_stop=False)
        _edit(version, rows[18].procedure_id, writer)
        arranging.remove_procedures(version.id, [rows[-1].procedure_id], editor)
        first = queries.procedure_content(version.id, rows[0].procedure_id)
    with clock.frozen(_at(3)):
        place = Place(procedure_id=rows[0].procedure_id, step_key=first.steps[0].key)
        remark = commenting.write_comment(version.id, place, "“当日”在出差时做不到，建议写明次日上午补录。", writer)
        place = Place(chapter_key="competitors")
        commenting.write_comment(version.id, place, "比较表还缺两家同行，市场部本月补齐。", writer)
    with clock.frozen(_at(2)):
        commenting.write_comment(version.id, Place(), "同意，改为次日 10 点前。", editor, thread_id=remark.id)


def _archive_manual(editor: Actor, departments: dict[str, int], kinds: dict[str, int]) -> None:
    """A small confidential manual that waits for its last signature."""
    with clock.frozen(_at(2, 9)):
        data = drafting.ManualInput(
            code="SOP-ARC",
            title="档案查阅与复制作业手册",
            language="zh_Hans_CN",
            department_id=departments["ARCHIVE"],
            classification="confidential",
            company="禾山商务用品有限公司",
            with_template=False,
        )
        version = drafting.create_manual(data, editor)
        taken = [item.key for item in library.starters("zh_Hans_CN") if "archive" in item.departments]
        arranging.take_starters(version.id, taken, kinds, "procedures", editor)
        reading.add_rule(version.manual_id, reading.RuleInput(ROLE, 7, role="archive_maintainer"), editor)
        request = reviewing.submit(
            version.id, reviewing.SubmitInput("首次编制。", True, "demo-sop-archive", None), editor
        )
    with clock.frozen(_at(1, 15)):
        _sign(request, keep=1)
