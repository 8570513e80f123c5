"""The page of all key accounts, and the review pack (QBR) of one."""
