"""What the power is cut from: a portal that files customers one after the other and says so after each commit.

python -m tests.faults.commit_worker DATA_DIR DATABASE_URL COUNT

Files COUNT customers, says "now without", and COUNT more with the waiting for the disk turned off, as no portal
ever does: of those the experiment must lose some.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sqlalchemy import select

from portal.app import create_app
from portal.core import database
from portal.core.transaction import transaction
from portal.customers.inputs import CustomerInput
from portal.customers.services import create_customer
from portal.extensions import db
from portal.org.actor import load_actor
from portal.org.models import User
from tests.conftest import settings_for


def main() -> None:
    """See above."""
    folder, url, count = sys.argv[1:4]
    app = create_app(**settings_for(Path(folder), url))
    with app.app_context():
        user_id = db.session.scalars(select(User.id).where(User.login == "anna")).one()
        for number in range(2 * int(count)):
            if number == int(count):
                without_waiting()
                os.write(1, b"now without\n")
            with transaction():
                # The trail's entry and the index for searching belong to it.
                create_customer(CustomerInput(name=f"电厂{number:05d}", kind="end_user"), load_actor(user_id))
            os.write(1, f"ack {number}\n".encode())


def without_waiting() -> None:
    """From here on a commit does not wait for the disk."""
    database.SQLITE_PRAGMAS = tuple(
        "PRAGMA synchronous = NORMAL" if "synchronous" in pragma else pragma for pragma in database.SQLITE_PRAGMAS
    )
    db.session.remove()
    db.engine.dispose()


if __name__ == "__main__":
    main()
