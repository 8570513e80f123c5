"""What changed between two versions: procedure by procedure, step by step, word by word.

Changed facts are told in the words of the reader's language.
Words: Chinese characters stand alone, runs of letters and digits are one word. The longest common subsequence of the
words is kept (Hunt and McIlroy 1976, computed bit by bit by rapidfuzz); then bits of agreement too short to mean
anything are given up, so that a rewritten sentence reads as one removal and one addition rather than as confetti.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import LCSseq

from plugins.sop.manuals import vocabulary
from plugins.sop.manuals.content import ManualContent, ProcedureContent, StepContent
from portal.i18n import _

SAME, ADDED, REMOVED, CHANGED, MOVED = "same", "added", "removed", "changed", "moved"

_WORD = re.compile(r"[^\W\u2e80-\uffff_]+|\s+|.", re.DOTALL)
#: Agreement of fewer words between two changes is given up.
SHORT = 2
#: Longer texts are compared line by line first.
WORDS = 4_000


@dataclass(frozen=True)
class Piece:
    """A piece of a compared text: same, added or removed."""

    kind: str
    text: str


@dataclass(frozen=True)
class FieldChange:
    """A field that differs; `pieces` say how."""

    field: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class StepChange:
    """A step that was added, removed, changed or only moved. `before`, `after`: its numbers, 0 when it is not there."""

    kind: str
    before: int
    after: int
    fields: tuple[FieldChange, ...]
    step: StepContent


@dataclass(frozen=True)
class ProcedureChange:
    """A procedure that was added, removed, changed or only moved to another place."""

    kind: str
    procedure_id: int
    code: str
    title: str
    fields: tuple[FieldChange, ...] = ()
    steps: tuple[StepChange, ...] = ()


@dataclass(frozen=True)
class ChapterChange:
    """A chapter that was added, removed or changed."""

    kind: str
    key: str
    title: str
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True)
class Comparison:
    """Everything that differs between two versions."""

    chapters: tuple[ChapterChange, ...]
    procedures: tuple[ProcedureChange, ...]

    @property
    def is_empty(self) -> bool:
        """Whether both say the same."""
        return not self.chapters and not self.procedures

    def count(self, kind: str) -> int:
        """How many procedures were added, removed, changed or moved."""
        return sum(change.kind == kind for change in self.procedures)


def words(text: str) -> list[str]:
    """The words of a text; joined they are the text again."""
    return _WORD.findall(text)


def compare_texts(before: str, after: str) -> tuple[Piece, ...]:
    """How one text became the other. The pieces without the added ones are `before`, without the removed `after`."""
    if before == after:
        return (Piece(SAME, after),) if after else ()
    old, new = words(before), words(after)
    if len(old) > WORDS or len(new) > WORDS:
        old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
        return _joined(_opcodes(old, new))
    return _joined(_calmed(_opcodes(old, new)))


def _opcodes(old: Sequence[str], new: Sequence[str]) -> list[tuple[list[str], list[str], bool]]:
    """(removed, added, same) groups in order; for same ones both lists are equal."""
    groups: list[tuple[list[str], list[str], bool]] = []
    for code in LCSseq.opcodes(old, new):
        left, right = list(old[code.src_start : code.src_end]), list(new[code.dest_start : code.dest_end])
        same = code.tag == "equal"
        if groups and not same and not groups[-1][2]:
            groups[-1][0].extend(left)
            groups[-1][1].extend(right)
        else:
            groups.append((left, right, same))
    return groups


def _calmed(groups: list[tuple[list[str], list[str], bool]]) -> list[tuple[list[str], list[str], bool]]:
    """Give up short agreement between two changes."""
    calmed: list[tuple[list[str], list[str], bool]] = []
    for index, (left, right, same) in enumerate(groups):
        lonely = same and 0 < index < len(groups) - 1 and len(left) < SHORT
        if (not same or lonely) and calmed and not calmed[-1][2]:
            calmed[-1][0].extend(left)
            calmed[-1][1].extend(right)
        elif lonely:
            calmed.append((list(left), list(right), False))
        else:
            calmed.append((list(left), list(right), same))
    return calmed


def _joined(groups: Iterable[tuple[list[str], list[str], bool]]) -> tuple[Piece, ...]:
    pieces = []
    for left, right, same in groups:
        if same:
            pieces.append(Piece(SAME, "".join(right)))
            continue
        if left:
            pieces.append(Piece(REMOVED, "".join(left)))
        if right:
            pieces.append(Piece(ADDED, "".join(right)))
    return tuple(pieces)


#: Fields of a step that are compared, in the order of the form.
STEP_FIELDS = ("who", "what", "record", "limit", "standard", "marks")
PROCEDURE_FIELDS = ("title", "trigger", "purpose", "records", "measures")


def _step_field(step: StepContent, field: str) -> str:
    if field == "limit":
        return vocabulary.limit(step)
    if field == "marks":
        marks = ((step.is_check, _("is ticked in checklists")), (step.is_stop, _("Stop: later steps wait for it")))
        return _(", ").join(word for there, word in marks if there)
    return str(getattr(step, field))


def _changed_fields(pairs: Iterable[tuple[str, str, str]]) -> tuple[FieldChange, ...]:
    """(field, before, after) of what differs."""
    return tuple(FieldChange(field, compare_texts(before, after)) for field, before, after in pairs if before != after)


def compare_steps(before: Sequence[StepContent], after: Sequence[StepContent]) -> tuple[StepChange, ...]:
    """Steps are the same by their key, whatever their numbers; a step that only changed its place is "moved".

    Numbers that shift because steps were put in or taken out before are no move.
    """
    old = {step.key: step for step in before}
    new = {step.key: step for step in after}
    stayed = _in_order(
        [step.key for step in before if step.key in new], [step.key for step in after if step.key in old]
    )
    changes = []
    for step in after:
        earlier = old.get(step.key)
        if earlier is None:
            changes.append(StepChange(ADDED, 0, step.number, (), step))
            continue
        fields = _changed_fields(
            (field, _step_field(earlier, field), _step_field(step, field)) for field in STEP_FIELDS
        )
        if fields or step.key not in stayed:
            kind = CHANGED if fields else MOVED
            changes.append(StepChange(kind, earlier.number, step.number, fields, step))
    changes += [StepChange(REMOVED, step.number, 0, (), step) for step in before if step.key not in new]
    return tuple(changes)


def _in_order(before: Sequence[str], after: Sequence[str]) -> set[str]:
    """The largest set of keys that stand in the same order in both."""
    kept: set[str] = set()
    for code in LCSseq.opcodes(before, after):
        if code.tag == "equal":
            kept.update(before[code.src_start : code.src_end])
    return kept


def compare_procedures(before: ProcedureContent | None, after: ProcedureContent | None) -> ProcedureChange | None:
    """How a procedure changed; None when it did not. One of the two may be missing."""
    if before is None or after is None:
        there = after or before
        if there is None:
            return None
        return ProcedureChange(ADDED if before is None else REMOVED, there.procedure_id, there.code, there.title)
    if before.revision_id == after.revision_id:
        return None
    pairs = [(field, str(getattr(before, field)), str(getattr(after, field))) for field in PROCEDURE_FIELDS]
    pairs.append(("departments", _departments(before), _departments(after)))
    pairs.append(("roles", vocabulary.roles(before.roles), vocabulary.roles(after.roles)))
    pairs.append(("related", _related(before), _related(after)))
    pairs.append(("forms", _forms(before), _forms(after)))
    fields = _changed_fields(pairs)
    steps = compare_steps(before.steps, after.steps)
    if not fields and not steps:
        return None
    return ProcedureChange(CHANGED, after.procedure_id, after.code, after.title, fields, steps)


def _departments(procedure: ProcedureContent) -> str:
    return _(", ").join(f"{part.name} ({part.raci})" for part in procedure.departments)


def _related(procedure: ProcedureContent) -> str:
    return _(", ").join(
        f"{item.code} ({vocabulary.word(vocabulary.RELATIONS, item.kind)})" for item in procedure.related
    )


def _forms(procedure: ProcedureContent) -> str:
    return _(", ").join(f"{form.code} {form.title} · {form.storage_key[-8:]}".strip() for form in procedure.forms)


def compare(before: ManualContent | None, after: ManualContent) -> Comparison:
    """All that differs. Without a version before, everything is new."""
    old_chapters = {chapter.key: chapter for chapter in before.chapters} if before else {}
    new_chapters = {chapter.key: chapter for chapter in after.chapters}
    chapters = []
    for chapter in after.chapters:
        earlier = old_chapters.get(chapter.key)
        if earlier is None:
            if before is not None:
                chapters.append(ChapterChange(ADDED, chapter.key, chapter.title, ()))
            continue
        fields = _changed_fields((("title", earlier.title, chapter.title), ("body", earlier.body, chapter.body)))
        if fields:
            chapters.append(ChapterChange(CHANGED, chapter.key, chapter.title, fields))
    chapters += [
        ChapterChange(REMOVED, chapter.key, chapter.title, ())
        for chapter in old_chapters.values()
        if chapter.key not in new_chapters
    ]
    old = {procedure.procedure_id: procedure for procedure in before.procedures} if before else {}
    new = {procedure.procedure_id: procedure for procedure in after.procedures}
    both = old.keys() & new.keys()
    stayed = _in_order([str(key) for key in old if key in both], [str(key) for key in new if key in both])
    changes = []
    for procedure in after.procedures:
        earlier_text = old.get(procedure.procedure_id)
        change = compare_procedures(earlier_text, procedure)
        if change is not None:
            changes.append(change)
        elif earlier_text is not None and (
            earlier_text.chapter_key != procedure.chapter_key or str(procedure.procedure_id) not in stayed
        ):
            changes.append(ProcedureChange(MOVED, procedure.procedure_id, procedure.code, procedure.title))
    for gone in old.values():
        if gone.procedure_id not in new:
            changes.append(ProcedureChange(REMOVED, gone.procedure_id, gone.code, gone.title))
    return Comparison(tuple(chapters), tuple(changes))
