"""Where it is written which plugins are off. It holds from the next start on."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from portal.config import ENV_FILE, read_env_file, write_env_value

NAME = "DISABLED_PLUGINS"


def waiting_disabled(data_dir: Path) -> list[str]:
    """Plugins that will be off after the next start, as the file says."""
    text = read_env_file(data_dir / ENV_FILE).get(NAME, "")
    return [name.strip() for name in text.split(",") if name.strip()]


def write_disabled(data_dir: Path, names: Iterable[str]) -> None:
    """Write the list."""
    write_env_value(data_dir / ENV_FILE, NAME, ",".join(names))


def is_fixed_by_environment() -> bool:
    """Whether the environment says which plugins are off; it wins over the file."""
    return NAME in os.environ
