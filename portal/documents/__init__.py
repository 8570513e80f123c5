"""Numbered PDFs; the only room that knows WeasyPrint."""
