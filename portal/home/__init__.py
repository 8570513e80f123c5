"""Home page, search page, palette, preferences, health."""
