"""Loading the demo company, once, into an empty database."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from pathlib import Path
from unicodedata import east_asian_width

from flask import current_app
from sqlalchemy import func, select
from sqlalchemy import text as sql_text

from portal.audit.services import record
from portal.core import clock
from portal.core.statistics import take_statistics
from portal.core.transaction import transaction
from portal.demo import commerce, customers, organisation, words
from portal.extensions import db
from portal.org.actor import SYSTEM
from portal.org.models import User
from portal.pluginmanager import manager

SEED = 20260105
ACCOUNTS_FILE = "demo_accounts.json"
ANNOUNCED_COLUMNS = ("login", "password", "name", "department", "title")
#: Tables whose rows the demo numbers itself: PostgreSQL's sequences are set behind them afterwards.
NUMBERED = ("customer", "contact", "interaction", "product", "purchase")
ROLE_TITLES = {login: title for login, _name, _department, title, _roles in words.PEOPLE}


def is_empty() -> bool:
    """Whether nobody is in the database yet."""
    return not db.session.scalar(select(func.count()).select_from(User))


def load(limit: int | None = None) -> bool:
    """Load the demo company unless people exist already. Returns whether it was loaded.

    :param limit: number of customers at most (tests).
    """
    if not is_empty():
        return False
    rng = random.Random(SEED)
    today = clock.today()
    with transaction():
        staff = organisation.create(customers.moment(today - timedelta(days=760), 9))
        made = customers.create(rng, staff, today, limit)
        count = commerce.create(rng, made, today)
        _set_sequences()
        manager().hook.register_demo(actor=SYSTEM)
        record(
            SYSTEM,
            "demo:company:load",
            object_type="company",
            object_id=None,
            object_label=words.ORGANISATION,
            new={"people": len(words.PEOPLE), "customers": len(made), "purchases": count},
        )
    take_statistics()
    write_accounts()
    return True


def _set_sequences() -> None:
    if db.engine.dialect.name != "postgresql":
        return
    for table in NUMBERED:
        statement = sql_text("SELECT setval(pg_get_serial_sequence(:name, 'id'), (SELECT max(id) FROM " + table + "))")
        db.session.execute(statement, {"name": table})


def accounts() -> list[dict[str, str]]:
    """The announced accounts: login, password, name, title, department, roles."""
    departments = {code: name for code, name, _parent in words.DEPARTMENTS}
    people = {login: (name, department, roles) for login, name, department, _title, roles in words.PEOPLE}
    heads = {head for head, _deputy in words.HEADS.values()}
    found = []
    for login in words.ANNOUNCED:
        name, department, roles = people[login]
        kinds = [*roles, *(["department_head"] if login in heads else [])]
        found.append(
            {
                "login": login,
                "password": words.PASSWORD,
                "name": name,
                "title": ROLE_TITLES[login],
                "role": ROLE_TITLES[login],
                "department": departments[department],
                "roles": ", ".join(kinds),
            }
        )
    return found


def accounts_text() -> str:
    """The announced accounts as lines with aligned columns, empty where this is not the demo company."""
    if not accounts_file().is_file():
        return ""
    rows = accounts()

    def width(text: str) -> int:
        # Chinese characters are two places wide in a terminal.
        return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)

    widths = {column: max(width(row[column]) for row in rows) for column in ANNOUNCED_COLUMNS}
    lines = ["  ".join(row[c] + " " * (widths[c] - width(row[c])) for c in ANNOUNCED_COLUMNS) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def accounts_file() -> Path:
    """Where the log-in page of the demo finds the accounts."""
    return Path(current_app.config["DATA_DIR"]) / ACCOUNTS_FILE


def write_accounts() -> None:
    """Keep the accounts for the log-in page of the demo."""
    accounts_file().write_text(json.dumps(accounts(), ensure_ascii=False, indent=1), encoding="utf-8")
