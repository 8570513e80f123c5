"""Manuals, procedures and checklists on paper: PDF and DOCX."""
