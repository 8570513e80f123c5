"""Manuals in memory, from the library of starter procedures: for the benchmark and for tests of exports."""

from __future__ import annotations

from datetime import date

from plugins.sop.library import DEPARTMENT_KINDS, starters, template
from plugins.sop.manuals.content import (
    ChapterContent,
    DepartmentPart,
    ManualContent,
    ProcedureContent,
    Related,
    Scope,
    StepContent,
    VersionFacts,
)

NAMES = {
    "zh_Hans_CN": (
        "客户关系管理标准作业程序手册",
        "和山酒业有限公司",
        "销售部 客服部 财务部 物流部 市场部 档案室 总经办",
    ),
    "zh_Hant": ("客戶關係管理標準作業程序手冊", "和山酒業有限公司", "銷售部 客服部 財務部 物流部 市場部 檔案室 總經辦"),
    "en": (
        "Standard operating procedures",
        "Heshan Ltd",
        "Sales Service Finance Logistics Marketing Archive Management",
    ),
}


def manual_content(language: str = "zh_Hans_CN", keys: tuple[str, ...] = (), times: int = 1) -> ManualContent:
    """A manual of the template's chapters and the starter procedures.

    :param keys: only these starters; () means all.
    :param times: how often the procedures are repeated, with codes of their own.
    """
    title, company, names = NAMES[language]
    departments = dict(zip(DEPARTMENT_KINDS, enumerate(names.split(), start=1), strict=True))
    wanted = [item for item in starters(language) if not keys or item.key in keys]
    numbers = {item.key: number for number, item in enumerate(wanted, start=1)}
    titles = {item.key: item for item in wanted}
    procedures = []
    for turn in range(times):
        for item in wanted:
            number = numbers[item.key] + turn * len(wanted)
            related = [(key, "after") for key in item.after] + [(key, "see") for key in item.see]
            procedures.append(
                ProcedureContent(
                    procedure_id=number,
                    revision_id=number,
                    code=item.code if turn == 0 else f"{item.code}-{turn + 1}",
                    title=item.title if turn == 0 else f"{item.title} ({turn + 1})",
                    chapter_key="procedures",
                    number=number,
                    trigger=item.trigger,
                    purpose=item.purpose,
                    records=item.records,
                    measures=item.measures,
                    departments=tuple(
                        DepartmentPart(departments[kind][0], departments[kind][1], letters)
                        for kind, letters in item.raci.items()
                    ),
                    roles=item.roles,
                    related=tuple(
                        Related(numbers[key], titles[key].code, titles[key].title, kind, True)
                        for key, kind in related
                        if key in numbers
                    ),
                    steps=tuple(
                        StepContent(
                            step_id=number * 100 + index,
                            key=f"{number * 100 + index:012x}",
                            number=index,
                            who=step.who,
                            what=step.what,
                            record=step.record,
                            limit_amount=step.limit_amount,
                            limit_unit=step.limit_unit,
                            limit_text=step.limit_text,
                            standard=step.standard,
                            is_check=step.is_check,
                            is_stop=step.is_stop,
                        )
                        for index, step in enumerate(item.steps, start=1)
                    ),
                    forms=(),
                )
            )
    chapters = tuple(
        ChapterContent(
            key=chapter.key,
            number=number,
            title=chapter.title,
            body=chapter.body,
            procedures=tuple(procedures) if chapter.key == "procedures" else (),
        )
        for number, chapter in enumerate(template(language), start=1)
    )
    return ManualContent(
        VersionFacts(
            version_id=1,
            manual_id=1,
            code="SOP-CRM",
            title=title,
            company=company,
            classification="internal",
            language=language,
            department=names.split()[0],
            number="2.0",
            state="effective",
            summary="",
            effective_from=date(2026, 3, 1),
            effective_until=None,
            review_due=date(2027, 3, 1),
            content_digest="5b1f" * 16,
        ),
        Scope(),
        chapters,
    )
