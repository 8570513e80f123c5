"""The bounds of every spreadsheet, in one place."""

from __future__ import annotations

MAX_FILE_BYTES = 50 * 2**20
MAX_ROWS = 200_000
MAX_COLUMNS = 200
#: Excel's own limit for one cell.
MAX_CELL = 32_767
#: All cells of a sheet together, in characters.
MAX_TEXT = 100_000_000

MAX_ZIP_ENTRIES = 2_000
MAX_ZIP_BYTES = 100 * 2**20
MAX_ZIP_RATIO = 100
#: Below this size a high ratio is harmless (a sheet of equal rows packs well).
RATIO_FREE_BYTES = 2**20

#: Limits of the child process that parses.
CHILD_MEMORY_BYTES = 1_536 * 2**20
CHILD_CPU_SECONDS = 60
CHILD_WALL_SECONDS = 120
CHILD_OUTPUT_BYTES = 600 * 2**20
