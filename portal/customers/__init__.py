"""Customers, contacts, interactions: records, search, merge, import, export."""
