"""Masks for personal data: enough to recognise what one knows, too little to learn what one does not know.

The pattern for phones (first three, last four digits) is that of GB/T 35273-2020 (Personal information security
specification) as mobile operators and banks apply it.
"""

from __future__ import annotations

import re

_COMPOUND_SURNAMES = frozenset(
    [
        "欧阳",
        "太史",
        "端木",
        "上官",
        "司马",
        "东方",
        "独孤",
        "南宫",
        "万俟",
        "闻人",
        "夏侯",
        "诸葛",
        "尉迟",
        "公羊",
        "赫连",
        "澹台",
        "皇甫",
        "宗政",
        "濮阳",
        "公冶",
        "太叔",
        "申屠",
        "公孙",
        "慕容",
        "仲孙",
        "钟离",
        "长孙",
        "宇文",
        "司徒",
        "鲜于",
        "司空",
        "闾丘",
        "子车",
        "亓官",
        "司寇",
        "巫马",
        "公西",
        "颛孙",
        "壤驷",
        "公良",
        "漆雕",
        "乐正",
        "宰父",
        "谷梁",
        "拓跋",
        "夹谷",
        "轩辕",
        "令狐",
        "段干",
        "百里",
        "呼延",
        "东郭",
        "南门",
        "羊舌",
        "微生",
        "梁丘",
        "左丘",
        "东门",
        "西门",
        "第五",
    ]
)


def mask_phone(phone: str) -> str:
    """ "13812341234" → "138****1234", "+8675526688888" → "+86755****8888"; shorter numbers keep only the last two
    digits."""
    digits = re.sub(r"\D", "", phone)
    if not digits:
        return "*" * len(phone)
    if len(digits) < 7:
        return "*" * max(len(digits) - 2, 1) + digits[-2:] if len(digits) > 2 else "*" * len(digits)
    plus = "+" if phone.lstrip().startswith("+") else ""
    if len(digits) < 10:
        return f"{plus}{digits[:1]}{'*' * (len(digits) - 4)}{digits[-3:]}"
    head = len(digits) - 8
    return f"{plus}{digits[:head]}****{digits[-4:]}"


def mask_email(address: str) -> str:
    """ "wangfang@example.com" → "w***@example.com"; without an @ nothing stays."""
    local, at, domain = address.rpartition("@")
    if not at or not local:
        return "***"
    return f"{local[0] if len(local) > 1 else ''}***@{domain}"


def mask_name(name: str) -> str:
    """ "王芳" → "王*", "欧阳修文" → "欧阳**"; other names keep the first letter of each word: "John Smith" → "J***
    S****"."""
    name = name.strip()
    if not name:
        return ""
    if name[0] > "\u2e80":
        keep = 2 if len(name) > 2 and name[:2] in _COMPOUND_SURNAMES else 1
        return name[:keep] + "*" * max(len(name) - keep, 1)
    return " ".join(word[0] + "*" * max(len(word) - 1, 1) for word in name.split())
