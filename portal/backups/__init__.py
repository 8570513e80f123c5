"""Backups of the database and of all files, as one consistent, sealed, self-checking set.

A set is made of pieces in a place of its own (BACKUP_URL), all sealed with the backup's own key:

    sets/<name>/database    what SQLite's online backup or pg_dump made
    sets/<name>/files       which files belong to it
    sets/<name>/keys        the key ring of the storages: names in the database are made with it
    sets/<name>/anchors     the anchors of the audit trail
    sets/<name>/manifest    written last: counts, digests, head of the trail, versions
    pool/aa/<64 digits>     content of files, kept once for all sets

A set exists when its manifest does; whatever a crash leaves has none, and the next backup removes it. The order of the
work is what makes a set consistent, see `making`.
"""
