"""Background work: registry, schedules, progress."""
