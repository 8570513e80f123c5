"""Audit packs: the whole history of a customer, a request or a copy with the chain's proof (R-ARC-8, R-ARC-11)."""
