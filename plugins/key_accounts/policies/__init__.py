"""Policies and value propositions per customer group (R-KA-8)."""
