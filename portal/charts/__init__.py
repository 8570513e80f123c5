"""Pictures as SVG with their table."""
