"""Loading quickly: what is loaded at a start stays for good, so nobody looks for garbage in it meanwhile.

The collector would walk through everything loaded so far again and again, a third of the time of a start.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collector() -> Iterator[None]:
    """For building an application."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def settle() -> None:
    """For processes that live long, once everything is loaded: the collector leaves what is there alone.

    Processes forked afterwards go on sharing this memory, since nobody writes into it. Loading leaves next to no
    garbage behind (some thousand objects of a million): looking for it would only make the start longer.
    """
    gc.freeze()
