"""Satisfaction, expected loss and the health of key accounts (R-SRV-3)."""
