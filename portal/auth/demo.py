"""Accounts that the log-in page of the demo company shows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

FILE_NAME = "demo_accounts.json"


@dataclass(frozen=True)
class DemoAccount:
    """A demo person."""

    login: str
    password: str
    name: str
    role: str
    department: str = ""


def read_demo_accounts(data_dir: Path) -> list[DemoAccount]:
    """The accounts that `portal demo` noted; empty when there is no such file or it cannot be read."""
    path = data_dir / FILE_NAME
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    fields = DemoAccount.__dataclass_fields__
    accounts = []
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and {"login", "password"} <= entry.keys():
            known = {key: str(value) for key, value in entry.items() if key in fields}
            accounts.append(DemoAccount(**{"name": known["login"], "role": "", **known}))
    return accounts
