"""Account plans, relationship phases and emergency plans (R-KA-6, R-KA-12)."""
