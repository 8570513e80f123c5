"""Notices in the portal, mail through an outbox, a daily digest, and the choice of each person."""
