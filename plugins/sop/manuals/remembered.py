"""What published versions say, kept in the memory of the process: triggers of the database hold that it never changes.

Names of departments in a comparison are as old as the process.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar

from flask_babel import get_locale

from plugins.sop.manuals.models import PUBLISHED, ManualVersion
from portal.extensions import db

Made = TypeVar("Made")

#: Things kept at once: trees, their drawn forms, comparisons (some 100 KB each for a big manual), procedures (a few).
MOST = 600
_kept: OrderedDict[Hashable, Any] = OrderedDict()
_lock = Lock()


def remembered(version: ManualVersion, what: Hashable, make: Callable[[], Made]) -> Made:
    """What `make` makes of a version, made once. Versions that are not published are made anew each time.

    :param what: names the thing, with all that it depends on besides the version and the language.
    """
    if version.state != PUBLISHED:
        return make()
    place = (str(db.engine.url), version.id, version.content_digest, version.published_at)
    key = (*place, str(get_locale()), what)
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            found: Made = _kept[key]
            return found
    made = make()
    with _lock:
        _kept[key] = made
        while len(_kept) > MOST:
            _kept.popitem(last=False)
    return made
