"""How alike two company names are, for the duplicate check (撞单).

By the 企业名称登记管理规定 (2020, article 6) a company's name is made of four parts: region, trade name (字号), line
of business, legal form. Two names mean the same company when the trade name agrees; region, business and form are
often left out or turned round. So the parts are taken apart and weighed one by one.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rapidfuzz import fuzz

from portal.core.han.folding import fold, simplify
from portal.core.regions import short_names

from .terms import COMPANY_FORM

_BRACKETS = re.compile(r"[(（\[【〔<《][^)）\]】〕>》]*[)）\]】〕>》]")
_BRANCH = re.compile(r"(?:第?[0-9一二三四五六七八九十]+)?(?:分公司|分店|分行|支行|营业部|办事处|分厂|门店)\Z")
_NUMBER = re.compile(r"[0-9一二三四五六七八九十]+")
#: Lines of business so common that they tell two companies apart only weakly.
_BUSINESS = re.compile(
    "(?:信息技术|网络科技|电子商务|生物科技|生物技术|国际贸易|进出口|房地产开发|房地产|供应链管理|企业管理|投资管理|科技发展|科技|技术|贸易|商贸|"
    "实业|工贸|投资|控股|发展|管理|服务|咨询|电子|工业|工程|建设|建筑|传媒|文化|广告|物流|餐饮|食品|医药|药业|机械|设备|汽车|材料|能源|环保|网络|软件|信息|国际|集团|酒厂)+"
)


@lru_cache(maxsize=1)
def _regions() -> re.Pattern[str]:
    """Names of provinces and cities with or without their ending, the longest first."""
    names = sorted(short_names(levels=(1, 2)), key=len, reverse=True)
    return re.compile(
        f"(?:中国|{'|'.join(map(re.escape, names))})(?:省|市|地区|(?:壮族|回族|维吾尔)?自治区|特别行政区)?"
    )


class NameParts:
    """The parts of a company name that the comparison uses."""

    __slots__ = ("branch", "brand", "core", "form", "regions", "whole")

    def __init__(self, name: str) -> None:
        text = simplify(name)
        regions: list[str] = []
        pattern = _regions()
        inside = "".join(fold(part) for part in _BRACKETS.findall(text))
        regions += [match[0][:2] for match in pattern.finditer(inside)]
        outside = fold(_BRACKETS.sub(" ", text))
        self.whole = fold(text)
        branch = _BRANCH.search(outside)
        self.branch = ""
        if branch:
            self.branch = branch[0]
            outside = outside[: branch.start()]
        form = COMPANY_FORM.search(outside)
        self.form = ""
        while form and form.start() > 0:
            self.form = form[0] + self.form
            outside = outside[: form.start()]
            form = COMPANY_FORM.search(outside)
        if "集团" in inside:
            self.form = "集团" + self.form
        while (match := pattern.match(outside)) and len(outside) - match.end() >= 2:
            regions.append(match[0][:2])
            outside = outside[match.end() :]
        self.core = outside or self.whole
        self.regions = frozenset(regions)
        self.brand = _BUSINESS.sub("", self.core) or self.core


def similarity(name_a: str, name_b: str) -> float:
    """0 (nothing in common) … 1 (the same name in another dress).

    From 0.85 on very likely the same company, from 0.6 on worth a look. Half of the measure is the trade name, half
    the trade name with the business (Indel ratio of rapidfuzz); another region costs 15 %, another legal form 7 %,
    another branch or number 40 %.
    """
    a, b = NameParts(name_a), NameParts(name_b)
    if not a.whole or not b.whole:
        return 0.0
    if a.whole == b.whole:
        return 1.0
    score = (fuzz.ratio(a.core, b.core) + fuzz.ratio(a.brand, b.brand)) / 200
    if a.regions and b.regions and not a.regions & b.regions:
        score *= 0.85
    if a.form and b.form and _form(a.form) != _form(b.form):
        score *= 0.93
    if a.branch != b.branch or set(_NUMBER.findall(a.core)) != set(_NUMBER.findall(b.core)):
        score *= 0.6
    # 1.0 is kept for names that are the same but for spelling.
    return min(score, 0.99)


def _form(form: str) -> str:
    """有限责任公司 and 有限公司 are the same form (公司法 article 7)."""
    return form.replace("责任", "")
