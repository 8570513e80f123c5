"""Checklist runs (作业检查单): procedures at work, ticked step by step (R-SOP-5)."""
