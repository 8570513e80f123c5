"""What the record page consists of: head, tabs, time line, neighbours in the list. Asked by views and by templates."""

from __future__ import annotations

from portal.customers.page.facts import briefing_of, panels_of, qualification_of, sections_of, visible_names
from portal.customers.page.head import (
    ASSESSED,
    MET,
    MOVED,
    PLANNED,
    Head,
    TabLink,
    abilities,
    counts,
    head_of,
    neighbours,
)
from portal.customers.page.timeline import (
    TIMELINE_PAGE,
    TIMELINE_ROUNDS,
    DrawnEntry,
    Timeline,
    own_entries,
    timeline_of,
)
from portal.customers.page.words import (
    INTERACTION_ICONS,
    KIND_LABELS,
    audit_words,
    change_body,
    change_title,
    field_labels,
    interaction_body,
    interaction_title,
    region_name,
)

__all__ = [
    "ASSESSED",
    "INTERACTION_ICONS",
    "KIND_LABELS",
    "MET",
    "MOVED",
    "PLANNED",
    "TIMELINE_PAGE",
    "TIMELINE_ROUNDS",
    "DrawnEntry",
    "Head",
    "TabLink",
    "Timeline",
    "abilities",
    "audit_words",
    "briefing_of",
    "change_body",
    "change_title",
    "counts",
    "field_labels",
    "head_of",
    "interaction_body",
    "interaction_title",
    "neighbours",
    "own_entries",
    "panels_of",
    "qualification_of",
    "region_name",
    "sections_of",
    "timeline_of",
    "visible_names",
]
