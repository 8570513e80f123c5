"""Manuals: chapters, procedures, versions; the editor, review and publication (R-SOP-1 … 3)."""
