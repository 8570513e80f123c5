"""Invented data for the style page, on which every component is shown in every state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from flask_wtf.file import FileField
from markupsafe import Markup
from wtforms import (
    BooleanField,
    DateField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    TextAreaField,
    widgets,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from portal.core import clock
from portal.core.components import due, money, stack, tag, tags
from portal.core.forms import Form, TextField, YuanField
from portal.core.listing.page import (
    BulkButton,
    Chip,
    EmptyNote,
    FilterBox,
    HeadCell,
    Link,
    ListPage,
    PageRow,
)

# (name, code, region, industry, stage, tier tone and word, account manager, days to the next contact, yuan in a year)
CUSTOMERS = (
    (
        "云岭精密机械股份有限公司",
        "C-2024-00018",
        "云南 昆明",
        "通用设备制造",
        "成交",
        "accent",
        "战略",
        "王海燕",
        -3,
        "4283600.00",
    ),
    (
        "江南春茶业集团有限公司",
        "C-2023-00741",
        "浙江 杭州",
        "精制茶加工",
        "成交",
        "info",
        "重点",
        "李志强",
        0,
        "1920450.50",
    ),
    (
        "北辰轨道交通装备有限公司",
        "C-2022-00102",
        "河北 唐山",
        "铁路运输设备制造",
        "谈判",
        "accent",
        "战略",
        "王海燕",
        1,
        "8812000.00",
    ),
    (
        "海星渔业科技有限公司",
        "C-2025-00033",
        "山东 烟台",
        "水产品加工",
        "初访",
        "neutral",
        "一般",
        "欧阳雨晴",
        6,
        "0.00",
    ),
    (
        "锦程物流（成都）有限公司",
        "C-2021-01277",
        "四川 成都",
        "道路运输",
        "报价",
        "info",
        "重点",
        "李志强",
        12,
        "356780.00",
    ),
    (
        "青禾农业发展有限公司",
        "C-2024-00555",
        "黑龙江 佳木斯",
        "谷物种植",
        "流失",
        "neutral",
        "一般",
        "赵敏",
        40,
        "-12800.00",
    ),
    (
        "华彩印刷包装有限责任公司",
        "C-2020-00090",
        "广东 东莞",
        "包装装潢印刷",
        "成交",
        "neutral",
        "一般",
        "赵敏",
        -18,
        "640210.00",
    ),
    (
        "天工数字技术（深圳）有限公司",
        "C-2025-00210",
        "广东 深圳",
        "软件开发",
        "谈判",
        "info",
        "重点",
        "欧阳雨晴",
        2,
        "2750000.00",
    ),
)


class SampleForm(Form):
    """One field of each type."""

    name = TextField("客户名称", [InputRequired("请填写客户名称。")], description="与营业执照一致。")
    amount = YuanField("预计金额")
    region = SelectField(
        "所在地区", choices=[SelectChoice("", "请选择"), SelectChoice("53", "云南省"), SelectChoice("33", "浙江省")]
    )
    channel = RadioField(
        "来源",
        choices=[SelectChoice("visit", "上门拜访"), SelectChoice("fair", "展会"), SelectChoice("referral", "介绍")],
    )
    interests = SelectMultipleField(
        "关注的产品",
        choices=[SelectChoice("a", "数控机床"), SelectChoice("b", "检测设备"), SelectChoice("c", "维保服务")],
        widget=widgets.ListWidget(prefix_label=False),
        option_widget=widgets.CheckboxInput(),
    )
    next_contact = DateField("下次联系")
    password = PasswordField("当前密码")
    remarks = TextAreaField("备注")
    attachment = FileField("附件")
    key_account = BooleanField("列为大客户候选")
    owner = TextField("客户经理")


@dataclass(frozen=True)
class Entry:
    """An entry of the sample time line."""

    when: str
    icon: str
    tone: str
    title: str
    body: str
    actor: str
    url: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Step:
    """A step of the sample approval."""

    label: str
    state: str
    who: str = ""
    when: str = ""


@dataclass(frozen=True)
class Figure:
    """The sample picture."""

    title: str
    alt: str
    svg: Markup
    table: tuple[list[str], list[list[Any]]]
    how: str
    src: str = ""


@dataclass(frozen=True)
class Item:
    """A tab."""

    label: str
    url: str
    count: int | None = None
    active: bool = False


def sample_form(with_errors: bool) -> SampleForm:
    """The form as it comes back from the server, with or without errors."""
    form = SampleForm(formdata=None, prefix="bad-" if with_errors else "", name="" if with_errors else CUSTOMERS[0][0])
    if with_errors:
        form.name.errors = ["请填写客户名称。"]
        form.amount.errors = ["请填写金额，例如 1,234.50。"]
        form.channel.errors = ["请选择来源。"]
        form.next_contact.errors = ["日期不能早于今天。"]
    else:
        form.amount.data = Decimal("128000.00")
        form.channel.data = "fair"
        form.interests.data = ["a", "c"]
        form.next_contact.data = clock.today() + timedelta(days=7)
    return form


def sample_page(rows: Iterable[tuple[Any, ...]] = CUSTOMERS, repeat: int = 3) -> ListPage:
    """A list with everything a list can have."""
    today = clock.today()
    chosen = list(rows)
    path = "/style"
    head = [
        HeadCell("name", "客户", f"{path}?sort=name", None, "start", True),
        HeadCell("tier", "等级", f"{path}?sort=tier", None, "start", False),
        HeadCell("stage", "阶段", None, None, "start", False),
        HeadCell("region", "地区与行业", None, None, "start", False),
        HeadCell("manager", "客户经理", f"{path}?sort=manager", None, "start", False),
        HeadCell("value", "近一年采购", f"{path}?sort=value", "desc", "end", False),
        HeadCell("next", "下次联系", f"{path}?sort=-next", None, "start", False),
        HeadCell("marks", "标记", None, None, "start", False),
    ]
    lines = [
        PageRow(
            number * 100 + at,
            f"{path}#{row[1]}",
            [
                row[0],
                tag(row[6], row[5]),
                row[4],
                stack(row[2], row[3]),
                row[7],
                money(Decimal(row[9])),
                due(today + timedelta(days=row[8]), today),
                tags(["贵宾"], "warning") if row[5] == "accent" else "",
            ],
            row[4] == "流失",
        )
        for number in range(repeat)
        for at, row in enumerate(chosen)
    ]
    return ListPage(
        key="style",
        title="客户",
        path=path,
        columns=head,
        rows=lines,
        prev_url=None,
        next_url=f"{path}?after=x",
        chips=[Chip("等级: 战略 或 重点", path), Chip("地区: 广东", path)],
        filters=[
            FilterBox("tier", "等级", "choice", [("s", "战略", True), ("k", "重点", True), ("n", "一般", False)]),
            FilterBox("stage", "阶段", "choice", [("1", "初访", False), ("2", "报价", False), ("3", "谈判", False)]),
            FilterBox("next", "下次联系", "date_range", []),
            FilterBox("value", "近一年采购（元）", "number_range", [], "10000", ""),
            FilterBox("city", "城市", "text", []),
            FilterBox("vip", "只看贵宾", "flag", []),
        ],
        scenes=[
            Link("全部", path, False),
            Link("我负责的", path, True, 128),
            Link("下属的", path, False, 1043),
            Link("今日需联系", path, False, 7),
            Link("30 天未联系", path, False),
        ],
        views=[Link("华南谈判中", path, False, pinned=True, shared=True), Link("年底回访", path, False)],
        bulk_actions=[
            BulkButton("assign", "转给其他客户经理", path, "secondary"),
            BulkButton("tag", "加标签", path, "secondary"),
            BulkButton("archive", "归档", path, "danger"),
        ],
        choose_columns=[(cell.key, cell.label, True) for cell in head] + [("code", "客户编号", False)],
        empty=EmptyNote("没有符合条件的客户", "去掉一个筛选条件，或换个词再搜。", "清除全部筛选", path),
        form_fields=[("sort", "-value")],
        query_string="sort=-value",
        searchable=True,
        save_view_url=path,
        export_url=path,
        clear_url=path,
        more_than_page=True,
    )


def sample_entries() -> list[Entry]:
    """A customer's time line."""
    return [
        Entry(
            "今天 09:42",
            "telephone",
            "info",
            "电话沟通",
            "确认三季度备件清单，对方希望月底前到货。",
            "王海燕",
            "#",
            "call",
        ),
        Entry(
            "昨天 16:05",
            "check-circle",
            "success",
            "贵宾申请已同意",
            "会员期一年，自动续期前 30 天提醒。",
            "李四代张三",
            "#",
            "vip",
        ),
        Entry(
            "3 月 2 日", "cart", "accent", "采购 ¥428,360.00", "数控车床 2 台，含两年维保。", "系统", "#", "purchase"
        ),
        Entry("2 月 26 日", "exclamation-triangle", "warning", "超过 30 天未联系", "", "系统", "", "alert"),
        Entry(
            "1 月 15 日", "x-circle", "danger", "赊销额度申请被拒绝", "理由：上年两笔货款逾期。", "陈总", "#", "credit"
        ),
    ]


def sample_picture() -> Figure:
    """Sales by month as a small drawing that follows the theme."""
    values = [42, 38, 51, 47, 60, 58, 72, 69, 64, 80, 77, 91]
    bars = "".join(
        f'<rect x="{10 + at * 40}" y="{120 - value}" width="26" height="{value}" rx="3" fill="currentColor"/>'
        for at, value in enumerate(values)
    )
    svg = Markup(f'<svg class="accent-picture" viewBox="0 0 490 130" width="490" height="130">{bars}</svg>')
    rows: list[list[Any]] = [[f"{month} 月", value] for month, value in enumerate(values, 1)]
    how = "按开票日期归月，已扣除退货。金额含税，单位为万元。"
    return Figure(
        "近 12 个月销售额（万元）", "销售额从年初 42 万元升到年底 91 万元。", svg, (["月份", "万元"], rows), how
    )


def samples() -> dict[str, Any]:
    """Everything that style/index.html draws."""
    today: date = clock.today()
    return {
        "today": today,
        "sample_dates": [today + timedelta(days=days) for days in (-12, -1, 0, 1, 2, 9, 60)],
        "good_form": sample_form(False),
        "bad_form": sample_form(True),
        "page": sample_page(),
        "empty_page": sample_page([], 0),
        "entries": sample_entries(),
        "picture": sample_picture(),
        "steps": [
            Step("提交申请", "done", "王海燕", "3 月 1 日"),
            Step("部门主管", "done", "李四代张三", "3 月 2 日"),
            Step("分管副总", "current", "陈建国", "等待 2 天"),
            Step("生效", "todo"),
        ],
        "failed_steps": [
            Step("提交申请", "done", "赵敏", "3 月 1 日"),
            Step("部门主管", "failed", "张三", "3 月 2 日"),
        ],
        "tab_items": [
            Item("概览", "#", None, True),
            Item("联系人", "#", 6),
            Item("采购", "#", 42),
            Item("接触记录", "#", 118),
            Item("档案", "#", 3),
            Item("变更历史", "#"),
        ],
        "chips": [Chip("阶段: 谈判", "#"), Chip("下次联系: 本周", "#")],
        "difference": [
            ("客户名称", CUSTOMERS[0][0], CUSTOMERS[0][0]),
            ("客户经理", "王海燕", "李志强"),
            ("联系电话", "138****2046", None),
            ("下次联系", None, today.isoformat()),
        ],
    }
