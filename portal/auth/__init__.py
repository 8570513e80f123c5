"""Log-in, sessions, passwords; who may open which page."""

from __future__ import annotations

from portal.auth.demo import DemoAccount


def demo_accounts() -> list[DemoAccount]:
    """Accounts to show on the log-in page: those of the demo company, nobody's elsewhere."""
    from flask import current_app

    from portal.auth.demo import read_demo_accounts

    return read_demo_accounts(current_app.config["DATA_DIR"]) if current_app.config["DEMO"] else []
