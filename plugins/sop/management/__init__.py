"""Figures of checklists for those who lead: completion and punctuality (R-SOP-5)."""
