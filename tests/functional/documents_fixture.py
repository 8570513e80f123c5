"""A filled customer information card for tests of the template; all names are invented."""

from __future__ import annotations

import copy
from typing import Any

CARD: dict[str, Any] = {
    "as_of": "2026-03-05",
    "party": "organisation",
    "party_label": "单位",
    "name": "广州云山宴饮管理有限公司",
    "short_name": "云山宴饮",
    "aliases": "云山酒楼;广州云山饮食",
    "credit_code": "91440101MA59QW3N2L",
    "industry": "餐饮业",
    "size_class": "中小型企事业单位/机关",
    "region": "广东省广州市越秀区",
    "address": "环市东路虚构大厦 1208 室",
    "coordinates": "23.13911, 113.28220",
    "phone": "020-83331234",
    "email": "office@yunshan.example",
    "website": "https://yunshan.example",
    "kind": "最终用户",
    "channel": "直销",
    "source": "转介绍 · 秋季订货会",
    "referrer": "佛山禅城商贸行",
    "account_manager": "安娜",
    "department": "销售一部",
    "stage": "订单客户",
    "stage_since": "2025-11-18",
    "status": "正常",
    "created_on": "2024-06-03",
    "demand": "商务宴请为主,春节与中秋前集中采购;偏好高档与中档,要求送货上门、按月结算。" * 2,
    "person": {},
    "qualification": {
        "need": "好",
        "means": "好",
        "reputation": "一般",
        "assessed": "2025-10-09 · 安娜",
        "notes": "付款及时,规模稳定。",
    },
    "contacts": [
        {
            "name": f"{family}经理{number}",
            "is_primary": number == 1,
            "title": "采购部经理",
            "department": "采购部",
            "employer_kind": "民营企业",
            "rank": "",
            "buying_role": "决策者" if number == 1 else "影响者",
            "attitude": "+2 支持",
            "reached_by": ["138 0013 8000 (手机)", "buyer@yunshan.example"],
            "birthday": "农历闰四月初八" if number % 2 else "1980-05-12",
            "consent": number != 2,
            "consent_on": "2025-01-08" if number != 2 else "",
            "interests": "围棋、粤剧" if number == 1 else "",
        }
        for number, family in enumerate("陈李张王刘", start=1)
    ],
    "more_contacts": 0,
    "stages": [
        {"on": "2025-11-18", "from_stage": "销售机会", "to_stage": "订单客户", "by": "安娜", "reason": "首批订单已签"},
        {"on": "2025-10-10", "from_stage": "潜在", "to_stage": "销售机会", "by": "安娜", "reason": "确认需求"},
        {"on": "2024-06-03", "from_stage": "", "to_stage": "潜在", "by": "安娜", "reason": ""},
    ],
    "purchases": {"total_12m": "1286400.5", "count": "17", "last_on": "2026-02-27"},
    "interactions": [
        {
            "on": f"2026-0{1 + number % 2}-1{number % 9}",
            "kind": "拜访" if number % 2 else "电话",
            "with_whom": "陈经理1",
            "by": "安娜",
            "subject": "春节备货",
            "result": "确认数量与送货时间,希望增加中档产品的比例,并延长账期十五天。",
            "opinions": "希望包装更简洁。" if number == 0 else "",
            "next_step": "寄样品(2026-03-12 前)" if number == 0 else "",
        }
        for number in range(9)
    ],
    "sections": [
        {
            "key": "purchases",
            "title": "最近采购",
            "stats": [],
            "facts": [],
            "headers": ["日期", "编号", "产品", "金额"],
            "rows": [
                [f"2026-02-{27 - number}", f"PO-2026-{number:04d}", "高档礼盒 × 20", "¥75,670.62"]
                for number in range(8)
            ],
            "amounts": [3],
            "chart": None,
            "note": "金额为折后金额。",
            "order": 50,
        }
    ],
}


def card(**changes: Any) -> dict[str, Any]:
    """A copy of the card with some values changed."""
    return {**copy.deepcopy(CARD), **changes}
