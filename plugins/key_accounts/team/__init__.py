"""Teams, experts, channels and complaints (R-KA-5)."""
