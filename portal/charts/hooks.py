"""What this module offers through the hooks."""
