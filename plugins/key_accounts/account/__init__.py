"""The first page of the customer's tab: a key account at a glance."""
