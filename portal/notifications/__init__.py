"""Notices in the portal and by mail, sent from an outbox after the commit."""
