"""The audit trail: a chain of entries, each with the hash of the one before; anchors outside the database."""
