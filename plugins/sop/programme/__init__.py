"""The introduction of the procedures: plan, budget, self-assessment and scorecard (R-SOP-7 … 9)."""
