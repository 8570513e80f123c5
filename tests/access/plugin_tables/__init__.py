"""One module for each plugin that comes with the portal: who may open its pages, and what it puts on the stage.

`MATRIX` as in `tests/access/matrix.py`; `QUERY` and `FORM` as in `tests/access/stage.py`; `build(stage, world)`
makes one object of every kind of the plugin and names their ids.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from tests.access.plugin_tables import archive, archive_lookups, key_accounts, key_accounts_work, sop, sop_work, vip


class Table(Protocol):
    """What a module of this package offers."""

    MATRIX: dict[str, str]
    QUERY: dict[str, dict[str, str]]
    FORM: dict[str, dict[str, str]]
    build: Callable[[Any, Any], None]


TABLES: tuple[Table, ...] = (vip, archive, archive_lookups, sop, sop_work, key_accounts, key_accounts_work)
