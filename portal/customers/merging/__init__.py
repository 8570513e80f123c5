"""Merging two records of one customer, tracing it, and taking it back (R-CUS-6)."""
