"""Dossiers of the demo company: files in the vault, requests under way, supplements. Chinese here is data."""

from __future__ import annotations

import io
import random
import subprocess
from datetime import date, timedelta
from functools import cache
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from sqlalchemy import select

from plugins.archive import vault
from plugins.archive.dossiers import assessment, changes, services, statistics
from plugins.archive.dossiers.fields import values_of
from plugins.archive.dossiers.models import (
    ASSESSMENT,
    CARD,
    CONTRACT,
    CURRENT,
    PDF,
    PNG,
    PRODUCED,
    STATISTICS,
    UPLOADED,
    ArchiveFile,
    ArchiveSupplement,
)
from plugins.archive.dossiers.producing import KINDS
from plugins.archive.dossiers.statistics import quarter_of
from plugins.archive.dossiers.vocabulary import DAILY_CARE, FIRST_CONTACT
from portal.approvals import services as approvals
from portal.approvals.models import APPROVE, ApprovalRequest
from portal.approvals.queries import digest_of
from portal.core import clock
from portal.customers import card
from portal.customers.models import Customer
from portal.demo import words
from portal.documents.page import DocumentFacts, build_page, data_folder, organisation
from portal.documents.render import CannotRender, render_pdf
from portal.documents.services import take_number
from portal.extensions import db
from portal.i18n import speaking
from portal.org.actor import SYSTEM, load_actor
from portal.org.models import User

SEED = 20260412
DOSSIERS = 60
#: A4 at 100 dots an inch.
PAGE = (827, 1169)
LANGUAGE = "zh_Hans_CN"
SUPPLEMENTS = (
    (
        FIRST_CONTACT,
        210,
        "首次拜访与采购部对接，对礼盒包装及交期提出明确要求；决策人重视质量稳定。",
    ),
    (DAILY_CARE, 96, "二季度起会议用茶改为按月补货，库存控制在三周以内；建议提前十天联系，并准备同档替代品。"),
    (DAILY_CARE, 30, "客户下半年有新园区启用计划，办公家具与会议设备存在增量机会，请客户经理跟进园区项目组。"),
)


def load() -> list[int]:
    """Fill the demo company (inside its transaction); ids of the customers with a dossier."""
    rng = random.Random(SEED)
    keeper = db.session.scalars(select(User).where(User.login == "yuqing")).one()
    rows = list(
        db.session.scalars(
            select(Customer)
            .where(Customer.purchase_count > 0, Customer.account_manager_id.is_not(None))
            .order_by((Customer.name == words.SHOWPIECE).desc(), Customer.total_12m.desc(), Customer.id)
            .limit(DOSSIERS)
        )
    )
    for number, customer in enumerate(rows):
        services.open_dossier(customer.id, SYSTEM)
        if customer.name == words.SHOWPIECE:
            _showpiece(customer, keeper)
        else:
            _files(customer, keeper, rng, number)
    db.session.flush()
    with speaking(LANGUAGE):
        _requests(rows)
    return [customer.id for customer in rows]


def _add(customer: Customer, keeper: User, part: str, content: bytes, dated_on: date, **more: Any) -> None:
    moment = clock.day_bounds(dated_on)[0] + timedelta(hours=10)
    values: dict[str, Any] = {
        "origin": UPLOADED if part == CONTRACT else PRODUCED,
        "media_type": PDF,
        "pages": 1,
        "state": CURRENT,
        **more,
    }
    db.session.add(
        ArchiveFile(
            customer_id=customer.id,
            part=part,
            dated_on=dated_on,
            digest=vault.put(content),
            size=len(content),
            made_at=moment,
            state_at=moment,
            made_by_id=keeper.id,
            is_copy=part == CONTRACT,
            **values,
        )
    )


# ---- the one customer that everybody looks for ---------------------------------------------------------------------


def _showpiece(customer: Customer, keeper: User) -> None:
    """All four parts, laid out as the portal does it."""
    today = clock.today()
    quarter = quarter_of(today)
    with speaking(LANGUAGE):
        contexts: dict[str, tuple[str, dict[str, Any]]] = {
            CARD: (
                f"客户基本信息卡：{customer.name}",
                {"card": dict(card.build_context(customer.id, SYSTEM, LANGUAGE)), "supplements": []},
            ),
            ASSESSMENT: (f"客户消费评估报告：{customer.name}", {"report": assessment.build_context(customer)}),
            STATISTICS: (
                f"销售统计报表 {quarter.text}：{customer.name}",
                {"report": statistics.build_context(customer, quarter)},
            ),
        }
        for part, (title, context) in contexts.items():
            kind = KINDS[part]
            number = take_number(kind.number_prefix, today.year)
            facts = DocumentFacts(
                number=number,
                version=1,
                title=title,
                kind=str(kind.title),
                subject=part,
                classification=str(kind.classification),
                organisation=organisation(),
                made_by=keeper.name,
                made_at=f"{today} 10:00",
                created=f"{today}T10:00:00+08:00",
                language=LANGUAGE,
            )
            page = build_page(kind.template, facts, context)
            try:
                made = render_pdf(page.html, folder=data_folder(), identifier=number, assets=page.assets)
                content, pages = made.content, made.pages
            except CannotRender:
                content, pages = _drawn(title, _card_lines(customer), pdf=True), 1
            period = {"period_first": quarter.first, "period_last": quarter.last} if part == STATISTICS else {}
            _add(customer, keeper, part, content, today, title=title, number=number, pages=pages, **period)
    first = _drawn("供货合同（第 1 页）", _contract_lines(customer, "HT-2025-0001", today), stamp=True, raw=True)
    second = _drawn(
        "供货合同（第 2 页）", ["签字盖章页", "", "甲方（盖章）：", "", "乙方（盖章）：", ""], stamp=True, raw=True
    )
    begin = today - timedelta(days=150)
    _add(
        customer,
        keeper,
        CONTRACT,
        _as_pdf([first, second]),
        begin,
        title="供货合同",
        number="HT-2025-0001",
        parties=f"{words.ORGANISATION}、{customer.name}",
        valid_from=begin,
        valid_until=begin + timedelta(days=364),
        pages=2,
        original_name="供货合同-扫描件.pdf",
    )
    head = db.session.scalars(select(User).where(User.login == "shenlan")).one()
    for phase, days, body in SUPPLEMENTS:
        db.session.add(
            ArchiveSupplement(
                customer_id=customer.id,
                phase=phase,
                dated_on=today - timedelta(days=days),
                body=body,
                written_by_id=head.id,
                posted_at=clock.now() - timedelta(days=days - 1),
                posted_by_id=keeper.id,
            )
        )


# ---- the others ----------------------------------------------------------------------------------------------------


def _files(customer: Customer, keeper: User, rng: random.Random, number: int) -> None:
    """Some parts, some of them old, some contracts about to end: every scene of the list has something to show."""
    today = clock.today()
    if number % 9 != 4:
        age = rng.choice((20, 60, 120, 200, 300, 430)) + rng.randrange(20)
        day = today - timedelta(days=age)
        title = f"客户基本信息卡：{customer.name}"
        _add(
            customer,
            keeper,
            CARD,
            _drawn(title, _card_lines(customer), pdf=True),
            day,
            title=title,
            number=take_number("ARCC", day.year),
        )
    if number % 3 != 2:
        begin = today - timedelta(days=rng.choice((40, 180, 320, 345, 400)) + rng.randrange(15))
        code = f"HT-{begin.year}-{1000 + number}"
        as_picture = number % 4 == 1
        lines = _contract_lines(customer, code, begin)
        _add(
            customer,
            keeper,
            CONTRACT,
            _drawn("供货合同", lines, stamp=True, pdf=not as_picture),
            begin,
            title="供货合同",
            number=code,
            parties=f"{words.ORGANISATION}、{customer.name}",
            valid_from=begin,
            valid_until=begin + timedelta(days=364),
            media_type=PNG if as_picture else PDF,
            original_name=f"{code}.{'png' if as_picture else 'pdf'}",
        )
    if number % 5 in (0, 3):
        day = today - timedelta(days=rng.choice((15, 80, 160, 420)))
        title = f"客户消费评估报告：{customer.name}"
        lines = [f"近 12 个月采购金额：¥{customer.total_12m:,.2f}", f"采购次数：{customer.purchase_count}"]
        _add(
            customer,
            keeper,
            ASSESSMENT,
            _drawn(title, lines, pdf=True),
            day,
            title=title,
            number=take_number("ARCA", day.year),
        )
    if number % 4 in (0, 2):
        quarter = quarter_of(today - timedelta(days=92 * (number % 2)))
        title = f"销售统计报表 {quarter.text}：{customer.name}"
        day = min(quarter.last, today)
        _add(
            customer,
            keeper,
            STATISTICS,
            _drawn(title, [f"期间：{quarter.first} 至 {quarter.last}", "数据来源：经主管接收的销售周报"], pdf=True),
            day,
            title=title,
            number=take_number("ARCS", day.year),
            period_first=quarter.first,
            period_last=quarter.last,
        )


def _card_lines(customer: Customer) -> list[str]:
    return [
        f"客户名称：{customer.name}",
        f"统一社会信用代码：{customer.credit_code or '—'}",
        f"所属行业：{customer.industry or '—'}",
        f"地址：{customer.address or '—'}",
        f"近 12 个月采购金额：¥{customer.total_12m:,.2f}",
    ]


def _contract_lines(customer: Customer, code: str, begin: date) -> list[str]:
    return [
        f"合同编号：{code}",
        f"甲方：{customer.name}",
        f"乙方：{words.ORGANISATION}",
        "",
        "一、甲方向乙方采购商务用品，品种与数量以订单为准。",
        "二、价格按双方确认的报价单执行，有效期内不作调整。",
        "三、乙方接到订单后五个工作日内送达甲方指定地点。",
        "四、货款于验收合格后三十日内结清。",
        f"五、本合同自 {begin} 起生效，有效期一年。",
        "",
        f"签订日期：{begin}",
    ]


@cache
def _font(size: int) -> Any:
    """A font with Chinese characters, as the system names it; Pillow's own where there is none."""
    try:
        answer = subprocess.run(
            ["fc-match", "-f", "%{file}\n%{index}", "Noto Sans CJK SC"], capture_output=True, text=True, timeout=10
        ).stdout.split("\n")
        return ImageFont.truetype(answer[0], size, index=int(answer[1]) if len(answer) > 1 else 0)
    except (OSError, ValueError, subprocess.SubprocessError):
        return ImageFont.load_default(size)


def _drawn(title: str, lines: list[str], stamp: bool = False, pdf: bool = False, raw: bool = False) -> Any:
    """A page with a title and lines, like a scan; as bytes (PDF or PNG), or as the picture itself."""
    page = Image.new("L", PAGE, 250)
    draw = ImageDraw.Draw(page)
    draw.text((PAGE[0] / 2, 110), title[:28], fill=20, font=_font(28), anchor="mm")
    draw.line((80, 150, PAGE[0] - 80, 150), fill=120, width=2)
    for number, text in enumerate(lines):
        draw.text((90, 190 + number * 44), text[:40], fill=35, font=_font(19))
    if stamp:
        draw.ellipse((540, 880, 720, 1060), outline=110, width=5)
        draw.text((630, 970), "合同专用章", fill=110, font=_font(20), anchor="mm")
    if raw:
        return page
    if pdf:
        return _as_pdf([page])
    out = io.BytesIO()
    page.save(out, "PNG", dpi=(100, 100))
    return out.getvalue()


def _as_pdf(pages: list[Any]) -> bytes:
    out = io.BytesIO()
    pages[0].save(out, "PDF", resolution=100, save_all=True, append_images=pages[1:], quality=70)
    return out.getvalue()


# ---- requests under way --------------------------------------------------------------------------------------------


def _requests(rows: list[Customer]) -> None:
    """Two that wait for the supervisor, three that wait for the maintainer."""
    wanted = (
        ({"demand": "会议用茶按月补货，礼盒需加印企业标识。"}, "拜访采购部时得知，已核对。"),
        ({"industry": "综合服务"}, "营业执照经营范围已变更。"),
        ({"demand": "集中采购，由行政部统一下单。"}, "客户采购归口已调整。"),
        ({"website": "https://www.example.com"}, "客户官网已更换域名。"),
        ({"demand": "改用再生纸，按季度招标采购。"}, "客户发布了绿色采购要求。"),
    )
    filed = 0
    for customer in rows[3:]:
        if filed == len(wanted) or customer.account_manager_id is None:
            break
        values, reason = wanted[filed]
        if all((getattr(customer, field) or "") == value for field, value in values.items()) or customer.is_person:
            continue
        after = changes.ChangeInput(
            values={**values_of(customer), **values},
            token=f"demo-archive-change-{filed}",
            customer_id=customer.id,
            reason=reason,
        )
        asked = changes.file_change(after, load_actor(customer.account_manager_id))
        if filed >= 2:
            _checked(asked)
        filed += 1


def _checked(asked: ApprovalRequest) -> None:
    """The supervisor approves."""
    step = asked.open_step
    seat = next((seat for seat in step.seats if seat.user_id is not None), None) if step else None
    if seat is not None and seat.user_id is not None:
        approvals.decide(asked.id, load_actor(seat.user_id), vote=APPROVE, seen_digest=digest_of(asked))
