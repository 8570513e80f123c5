"""The import of spreadsheets (R-CUS-8): file → sheet → columns → rules → dry run → import → undo.

What can be imported are `ImportTarget`s (targets.py), offered through the hook `register_import_targets`.

A file is read into staged rows (`import_row`) by the dry run. The import applies these in chunks; each chunk is one
transaction that writes the records and marks its rows, so that a killed worker goes on where it was and does nothing
twice. Imports up to `ATOMIC_ROWS` records are one transaction; a larger one that is cancelled or breaks is taken back
by the same code that undoes it later. So an import is there as a whole or not at all, and nobody waits behind a long
transaction.
"""
