"""Look-up requests, the grants they lead to, viewing, and who looked (R-ARC-5, R-ARC-7, R-ARC-8)."""
