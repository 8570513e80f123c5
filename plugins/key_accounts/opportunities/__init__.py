"""Opportunities (R-KA-7): list, board, matrix, gap to the target, forecast."""
