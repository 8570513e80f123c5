"""Imports the views of every area, so that all of them are on the blueprint. One line for each module."""

from __future__ import annotations

from plugins.sop.blueprint import blueprint
from plugins.sop.export import views as export_views
from plugins.sop.management import views as management_views
from plugins.sop.manuals import chapter_views as manual_chapters
from plugins.sop.manuals import draft_views as manual_drafts
from plugins.sop.manuals import procedure_views as manual_procedures
from plugins.sop.manuals import views as manual_views
from plugins.sop.programme import results_views as programme_results
from plugins.sop.programme import views as programme_views
from plugins.sop.reading import views as reading_views
from plugins.sop.runs import file_views as run_files
from plugins.sop.runs import schedule_views as run_schedules
from plugins.sop.runs import views as run_views

__all__ = [
    "blueprint",
    "export_views",
    "management_views",
    "manual_chapters",
    "manual_drafts",
    "manual_procedures",
    "manual_views",
    "programme_results",
    "programme_views",
    "reading_views",
    "run_files",
    "run_schedules",
    "run_views",
]
