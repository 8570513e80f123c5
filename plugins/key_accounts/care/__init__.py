"""Care duties, executive visits, yearly meetings, forecasts and incentives (R-KA-9)."""
