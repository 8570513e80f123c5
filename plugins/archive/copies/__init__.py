"""Numbered paper copies: the print station and the register of copies (R-ARC-6, R-ARC-11)."""
