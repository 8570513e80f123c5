"""How much somebody may send up in an hour (security statement 44): files and MiB, whatever page they go to.

Counted in the guard before every page, so that it holds for plugins that nobody has written yet. What one request may
have is bounded by the web server; what one file may have, by the page that takes it.
"""

from __future__ import annotations

from flask import Request

from portal.core import settings
from portal.core.permissions import Actor
from portal.core.rates import rates, too_many
from portal.core.settings import Setting
from portal.i18n import _, _l

LEAST_FILES, LEAST_MIB = 20, 100
_EACH_PROCESS = _l("For each person, photos and imports included. Each web process counts its own.")
FILES = Setting(
    "auth.uploads_hour",
    "int",
    300,
    _l("Files sent up in an hour, at most"),
    _EACH_PROCESS,
    minimum=LEAST_FILES,
    maximum=100_000,
)
MIB = Setting(
    "auth.uploads_mib_hour",
    "int",
    2_000,
    _l("MiB sent up in an hour, at most"),
    _EACH_PROCESS,
    minimum=LEAST_MIB,
    maximum=1_000_000,
)


def count_uploads(request: Request, actor: Actor) -> None:
    """Count the files of a request; forms without a file cost nothing.

    :raises TooMany: the actor sent more than he may in an hour. What was refused is not counted.
    """
    sent = sum(bool(file.filename) for _name, file in request.files.items(multi=True))
    if not sent:
        return
    # A body without a length (sent in pieces) counts as the largest there may be.
    size = request.content_length or request.max_content_length or 0
    kib = -(-size // 1024)
    counts, files = rates(), f"upload:{actor.user_id}"
    again_at = counts.take(files, LEAST_FILES, lambda: int(settings.get(FILES.key)), weight=sent)
    if again_at is None:
        again_at = counts.take(
            f"upload-kib:{actor.user_id}", LEAST_MIB * 1024, lambda: int(settings.get(MIB.key)) * 1024, weight=kib
        )
        if again_at is not None:
            counts.give_back(files, sent)
    if again_at is not None:
        raise too_many(_("You have sent unusually many or large files within an hour."), again_at)
