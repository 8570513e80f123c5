"""The portfolio of customers and what-if scenarios (R-KA-2)."""
