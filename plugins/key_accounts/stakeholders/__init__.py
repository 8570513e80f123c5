"""Stakeholder map (R-KA-10)."""
