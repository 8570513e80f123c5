"""How large and how complicated an uploaded file may be."""

from __future__ import annotations

MAX_PAGES = 300
#: PDF units (1/72 inch): the long side of A0 with some margin.
MAX_PAGE_SIDE = 3_500
MAX_PIXELS = 40_000_000
#: A picture smaller than this on one side shows no readable contract.
MIN_SIDE = 50
#: The longer side of a kept photo: enough to read a label on it.
PHOTO_SIDE = 2400
#: White space and a line end after the end mark of a PDF.
MAX_TRAILER = 32
#: Objects of one PDF that are looked at; more is no scan.
MAX_OBJECTS = 200_000
#: Longest name that is kept of an uploaded file.
NAME_LENGTH = 120

CHILD_MEMORY_BYTES = 768 * 2**20
CHILD_CPU_SECONDS = 20
CHILD_WALL_SECONDS = 30
#: Largest re-encoded picture.
CHILD_OUTPUT_BYTES = 200 * 2**20


def as_mapping() -> dict[str, int]:
    """All bounds, for the child."""
    return {name: value for name, value in globals().items() if name.isupper()}
