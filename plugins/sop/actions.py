"""Audit actions of this plugin: "sop:subject:verb". The other areas add theirs in classes of their own here."""

from __future__ import annotations

from enum import StrEnum


class ManualAction(StrEnum):
    """What is recorded of manuals."""

    CREATED = "sop:manual:create"
    CHANGED = "sop:manual:change"
    DELETED = "sop:manual:delete"
    RETIRED = "sop:manual:retire"
    DRAFTED = "sop:manual_version:draft"
    DISCARDED = "sop:manual_version:discard"
    SUBMITTED = "sop:manual_version:submit"
    REOPENED = "sop:manual_version:reopen"
    APPROVED = "sop:manual_version:approve"
    REVIEWED = "sop:manual_version:review"
    CHAPTER_CHANGED = "sop:chapter:change"
    CHAPTERS_ARRANGED = "sop:chapter:arrange"
    PROCEDURE_ADDED = "sop:procedure:create"
    PROCEDURE_CHANGED = "sop:procedure:change"
    PROCEDURE_REMOVED = "sop:procedure:remove"
    PROCEDURES_ARRANGED = "sop:procedure:arrange"
    UNDONE = "sop:draft:undo"
    FORM_ATTACHED = "sop:form:attach"
    FORM_REMOVED = "sop:form:remove"
    COMMENTED = "sop:comment:write"
    COMMENT_RESOLVED = "sop:comment:resolve"
    QUESTIONS_CHANGED = "sop:question:change"


class ReadingAction(StrEnum):
    """What is recorded of reading."""

    RULE_ADDED = "sop:reading_rule:create"
    RULE_REMOVED = "sop:reading_rule:delete"
    ACKNOWLEDGED = "sop:reading:acknowledge"
    TRIED = "sop:reading:try"
    REMINDED = "sop:reading:remind"
