"""What can go wrong with a backup, in words for administrators."""

from __future__ import annotations

from portal.core.errors import PortalError


class BackupError(PortalError):
    """A backup could not be made, read or restored; the message says why. Nothing was changed."""

    status = 500


class AnotherRuns(BackupError):
    """A backup, a trial restore or a restore is at work already."""

    status = 409
