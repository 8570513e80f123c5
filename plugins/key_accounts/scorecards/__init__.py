"""Qualification and selection of key accounts, risks, market-order violations (R-KA-3, R-KA-4)."""
