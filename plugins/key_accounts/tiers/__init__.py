"""Tiers of customers: proposals, decisions, history, strategic roles (R-KA-1)."""
