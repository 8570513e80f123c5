"""Whitespace and the driver tree: where more profit can come from (R-KA-7, R-KA-11)."""
