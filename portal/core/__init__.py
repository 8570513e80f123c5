"""Building blocks that know nothing of customers: database, transactions, errors, permissions, lists, forms."""
