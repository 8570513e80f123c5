"""Weekly sales statistics reports, and the pages that the archive serves (R-ARC-2, R-ARC-3)."""
