"""Products and purchases."""
