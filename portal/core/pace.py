"""Answers "not found" leave at even marks of time.

For a hidden object more may have been looked up than for one that is not there (who sits in the seats of an approval,
whose customer it belongs to), and the clock would tell them apart though both answers read alike. So the answer to
somebody who is signed in waits for the next mark after the request began; it waits when everything is given back to the
database, and holds nothing but its thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, current_app, g, request

#: Seconds from mark to mark: more than any look at what is hidden takes, less than anybody notices.
STEP = 0.05
_ASKED = "portal.at_a_mark"
_EXTENSION = "portal_pace"


class Pace:
    """Around the application: holds back the answers that asked for it until the next mark.

    :ivar step: seconds from mark to mark, 0 for never.
    """

    def __init__(self, inner: Callable[..., Iterable[bytes]], step: float) -> None:
        self._inner = inner
        self.step = step

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer a request (WSGI)."""
        begin = time.perf_counter()
        answer = self._inner(environ, start_response)
        if self.step and environ.get(_ASKED):
            time.sleep(until_mark(time.perf_counter() - begin, self.step))
        return answer


def until_mark(elapsed: float, step: float) -> float:
    """Seconds from `elapsed` to the next mark."""
    return step - elapsed % step


def init_app(app: Flask) -> None:
    """Put it around the application. Under test nothing waits unless a test sets the step."""
    pace = Pace(app.wsgi_app, 0 if app.testing else STEP)
    app.extensions[_EXTENSION] = pace
    app.wsgi_app = pace  # type: ignore[method-assign]


def pace_of(app: Flask) -> Pace:
    """What stands around the application."""
    found: Pace = app.extensions[_EXTENSION]
    return found


def wait_for_mark() -> None:
    """The present answer says "not found": to a person on one of our pages it leaves at a mark."""
    if request.endpoint is not None and g.get("actor") is not None and _EXTENSION in current_app.extensions:
        request.environ[_ASKED] = True
