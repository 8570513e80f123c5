"""The library of effective manuals, reading and acknowledgement (R-SOP-6)."""
