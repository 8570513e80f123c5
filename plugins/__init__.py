"""Plugins that come with the portal. Each folder is self-contained; none imports another."""
