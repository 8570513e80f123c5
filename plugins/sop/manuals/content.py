"""What a manual says, as frozen dataclasses of primitives: for pages, exports, comparison and the content digest."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import date


@dataclass(frozen=True)
class Scope:
    """Which part of a version is wanted; several conditions hold together. Empty: all of it."""

    chapter_key: str = ""
    department_id: int | None = None
    role: str = ""
    procedure_id: int | None = None

    @property
    def is_all(self) -> bool:
        """Whether nothing is left out."""
        return self == Scope()


@dataclass(frozen=True)
class StepContent:
    """A step. `limit_amount` and `limit_unit` ("2", "working_days") or words in `limit_text`, or neither."""

    step_id: int
    key: str
    number: int
    who: str
    what: str
    record: str
    limit_amount: int | None
    limit_unit: str
    limit_text: str
    standard: str
    is_check: bool
    is_stop: bool


@dataclass(frozen=True)
class DepartmentPart:
    """A department that a procedure concerns; `raci` are letters of RACI."""

    department_id: int
    name: str
    raci: str


@dataclass(frozen=True)
class Related:
    """A related procedure; `kind` is "after" or "see". `in_version`: whether this version has it."""

    procedure_id: int
    code: str
    title: str
    kind: str
    in_version: bool


@dataclass(frozen=True)
class AttachedForm:
    """A form of a procedure; `storage_key` for `portal.core.storage`."""

    attachment_id: int
    code: str
    title: str
    file_name: str
    media_type: str
    size: int
    storage_key: str


@dataclass(frozen=True)
class ProcedureContent:
    """A procedure as a version has it. `number`: its place in the scope, from 1."""

    procedure_id: int
    revision_id: int
    code: str
    title: str
    chapter_key: str
    number: int
    trigger: str
    purpose: str
    records: str
    measures: str
    departments: tuple[DepartmentPart, ...]
    roles: tuple[str, ...]
    related: tuple[Related, ...]
    steps: tuple[StepContent, ...]
    forms: tuple[AttachedForm, ...]


@dataclass(frozen=True)
class ChapterContent:
    """A chapter: Markdown, and the procedures it carries. `number`: its place in the manual, from 1."""

    key: str
    number: int
    title: str
    body: str
    procedures: tuple[ProcedureContent, ...]


@dataclass(frozen=True)
class VersionFacts:
    """What the cover and the footers say. `state`: as `ManualVersion.shown_state` gives it for today."""

    version_id: int
    manual_id: int
    code: str
    title: str
    company: str
    classification: str
    language: str
    department: str
    number: str
    state: str
    summary: str
    effective_from: date | None
    effective_until: date | None
    review_due: date | None
    content_digest: str


@dataclass(frozen=True)
class ManualContent:
    """A version, or the part of it that `scope` names."""

    facts: VersionFacts
    scope: Scope
    chapters: tuple[ChapterContent, ...]

    @property
    def procedures(self) -> tuple[ProcedureContent, ...]:
        """All procedures in the order of the manual."""
        return tuple(procedure for chapter in self.chapters for procedure in chapter.procedures)


@dataclass(frozen=True)
class RevisionRecord:
    """A line of the revision record: a published version (or the one at hand)."""

    number: str
    effective_from: date | None
    summary: str
    author: str


@dataclass(frozen=True)
class Signature:
    """Who signed a version: the decider, for whom when he stood in, which department, when (the portal's day)."""

    name: str
    on_behalf_of: str
    seat: str
    outcome: str
    day: date
    opinion: str


@dataclass(frozen=True)
class RunTemplate:
    """A procedure as a checklist run takes it: the effective text on a day, with the version to be pinned."""

    procedure_id: int
    revision_id: int
    version_id: int
    manual_id: int
    manual_title: str
    version_number: str
    code: str
    title: str
    department_ids: tuple[int, ...]
    roles: tuple[str, ...]
    steps: tuple[StepContent, ...]
    forms: tuple[AttachedForm, ...]


def digest_of(content: ManualContent) -> str:
    """SHA-256 of what a version says: every chapter, procedure, step, form and relation, without ids of rows or dates.

    Two versions with the same digest read the same. The number, the dates and the state are no part of it.
    """
    chapters = []
    for chapter in content.chapters:
        chapters.append([chapter.key, chapter.title, chapter.body, [_plain(item) for item in chapter.procedures]])
    facts = content.facts
    head = [facts.code, facts.title, facts.company, facts.classification, facts.language]
    text = json.dumps([head, chapters], ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(procedure: ProcedureContent) -> dict[str, object]:
    data = asdict(procedure)
    for name in ("revision_id", "number"):
        data.pop(name)
    for step in data["steps"]:
        step.pop("step_id")
    for form in data["forms"]:
        form.pop("attachment_id")
    # A department's or another procedure's new name is no change of this text.
    data["departments"] = [[part["department_id"], part["raci"]] for part in data["departments"]]
    data["related"] = [[item["procedure_id"], item["kind"]] for item in data["related"]]
    return data
