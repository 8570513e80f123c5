"""Measures of each customer, kept current as summaries (R-KA-1, R-INS-1)."""
