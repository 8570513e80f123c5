"""All tables of this plugin, gathered for migrations; each area keeps its own."""

from __future__ import annotations

from sqlalchemy import event

from plugins.sop import ddl
from plugins.sop.manuals.models import (
    Attachment,
    Chapter,
    Comment,
    Manual,
    ManualEditor,
    ManualVersion,
    Procedure,
    ProcedureRevision,
    ProcedureTerm,
    Question,
    RevisionDepartment,
    RevisionRelation,
    RevisionRole,
    Step,
    UndoStep,
    VersionEvent,
    VersionProcedure,
)
from plugins.sop.programme.models import (
    SopAssessment,
    SopAssessmentAnswer,
    SopBudgetChoice,
    SopProgramme,
    SopProgrammeEvent,
    SopProgrammeStep,
    SopScorecardValue,
)
from plugins.sop.reading.models import Acknowledgement, ReadingReminder, ReadingRule, ReadingTry
from plugins.sop.runs.models import SopOccurrence, SopRun, SopRunEvent, SopRunFile, SopRunStep, SopSchedule
from portal.extensions import db

__all__ = [
    "Acknowledgement",
    "Attachment",
    "Chapter",
    "Comment",
    "Manual",
    "ManualEditor",
    "ManualVersion",
    "Procedure",
    "ProcedureRevision",
    "ProcedureTerm",
    "Question",
    "ReadingReminder",
    "ReadingRule",
    "ReadingTry",
    "RevisionDepartment",
    "RevisionRelation",
    "RevisionRole",
    "SopAssessment",
    "SopAssessmentAnswer",
    "SopBudgetChoice",
    "SopOccurrence",
    "SopProgramme",
    "SopProgrammeEvent",
    "SopProgrammeStep",
    "SopRun",
    "SopRunEvent",
    "SopRunFile",
    "SopRunStep",
    "SopSchedule",
    "SopScorecardValue",
    "Step",
    "UndoStep",
    "VersionEvent",
    "VersionProcedure",
]

for _name in ddl.TABLES:
    event.listen(db.metadata.tables[_name], "after_create", ddl.protect)
