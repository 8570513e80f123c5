"""The demo company, small: every page answers for each announced account, loading twice changes nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import force_locale
from sqlalchemy import func, inspect, select, text

from portal import migrating
from portal.audit.field_names import FIELD_NAMES
from portal.audit.labels import action_text, object_text
from portal.audit.models import AuditEntry
from portal.audit.queries import changes_of
from portal.cli import cli
from portal.core.registry import registry
from portal.customers.models import Contact, Customer, Interaction
from portal.demo import load as demo_company
from portal.extensions import db
from portal.org.models import User
from portal.purchases.models import Purchase
from tests.access.pages import Page
from tests.conftest import make_app

LIMIT = 200
#: A word in small Latin letters, as codes are.
CODE = re.compile(r"(?<![A-Za-z0-9])[a-z]{2,}[a-z0-9_]*([.:_-][a-z0-9_]+)*(?![A-Za-z0-9])")


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder = tmp_path_factory.mktemp("demo")
    app = make_app(folder, f"sqlite:///{folder / 'demo.sqlite3'}", DEMO=True, DEFAULT_LANGUAGE="zh_Hans_CN")
    with app.app_context():
        migrating.upgrade(app)
        assert demo_company.load(limit=LIMIT)
        yield app
        db.session.remove()
        db.engine.dispose()


def _counts() -> dict[str, int]:
    with db.engine.connect() as connection:
        return {
            name: connection.execute(text(f'SELECT COUNT(*) FROM "{name}"')).scalar_one()
            for name in inspect(connection).get_table_names()
        }


def test_it_is_rich_enough(company: Flask) -> None:
    assert db.session.scalar(select(func.count()).select_from(Customer)) == LIMIT
    for model, least in ((Contact, 150), (Interaction, 200), (Purchase, 300)):
        assert db.session.scalar(select(func.count()).select_from(model)) >= least, model
    managed = select(func.count(func.distinct(Customer.account_manager_id)))
    assert db.session.scalar(managed) >= 4


def test_loading_twice_changes_nothing(company: Flask) -> None:
    before = _counts()
    assert demo_company.load(limit=LIMIT) is False
    assert _counts() == before


def test_the_accounts_as_json(company: Flask) -> None:
    ran = company.test_cli_runner().invoke(cli, ["demo", "--json"])
    assert ran.exit_code == 0, ran.output
    accounts = json.loads(ran.output)
    assert all({"login", "password", "name", "title", "department", "roles"} <= set(account) for account in accounts)
    roles = " ".join(account["roles"] for account in accounts)
    for role in ("account_manager", "department_head", "executive", "administrator", "auditor"):
        assert role in roles, role
    heads = {account["department"] for account in accounts if "department_head" in account["roles"]}
    assert len(heads) >= 3
    kept = json.loads((Path(company.config["DATA_DIR"]) / "demo_accounts.json").read_text(encoding="utf-8"))
    assert kept == accounts


def test_the_log_in_page_shows_them(company: Flask) -> None:
    page = company.test_client().get("/login").text
    for account in demo_company.accounts():
        assert account["login"] in page


def test_every_announced_account_logs_in_and_every_page_of_its_menu_answers(company: Flask) -> None:
    for account in demo_company.accounts():
        client = company.test_client()
        answer = client.post("/login", data={"login": account["login"], "password": account["password"]})
        assert (answer.status_code, answer.headers["Location"]) == (302, "/"), account["login"]
        home = client.get("/")
        assert home.status_code == 200
        assert account["name"] in home.text
        links = {link for link in Page(home.text).links if link.startswith("/") and not link.startswith("/assets")}
        assert len(links) > 5
        for link in sorted(links):
            page = client.get(link)
            assert page.status_code in (200, 302), (account["login"], link, page.status_code)
            assert "login" not in page.headers.get("Location", ""), (account["login"], link)


def test_a_customer_is_found_as_the_story_says(company: Flask) -> None:
    name = db.session.scalars(select(Customer.name).where(Customer.name.contains("茅台"))).first()
    if name is None:
        pytest.skip("the first customers do not include it")
    executive = next(account for account in demo_company.accounts() if "executive" in account["roles"])
    client = company.test_client()
    client.post("/login", data={"login": executive["login"], "password": executive["password"]})
    for typed in ("茅台", "gzmt", "guizhoumaotai", "guizhoumaotei"):
        assert name in client.get("/search", query_string={"q": typed}).text, typed
        assert name in str(client.get("/customers/pick", query_string={"q": typed}).json), typed


def test_the_trail_of_the_demo_is_sound(company: Flask) -> None:
    """Whole, each field in it has a word for people, and no code is seen by whoever reads Chinese."""
    fields: set[str] = set()
    entries = select(AuditEntry.old_values, AuditEntry.new_values, AuditEntry.private)
    for kept in (kept for row in db.session.execute(entries) for kept in row if kept):
        values = json.loads(kept)
        sides = [values.pop(side) for side in ("old", "new") if isinstance(values.get(side), dict)]
        fields.update(values, *sides)
    assert len(fields) > 100
    offered = registry("audit_words")
    assert {name for name in fields if name not in FIELD_NAMES and not offered.get(f"field:{name}")} == set()
    assert _codes_seen(company) == []
    ran = company.test_cli_runner().invoke(args=["audit", "verify"])
    assert ran.exit_code == 0, ran.output


def _codes_seen(company: Flask) -> list[tuple[str, str]]:
    """Words of Latin letters in what the auditor is shown of the first entries of each action, digests left out."""
    number = func.row_number().over(partition_by=AuditEntry.action, order_by=AuditEntry.seq)
    numbered = select(AuditEntry.seq, number.label("number")).subquery()
    first = select(AuditEntry).join(numbered, numbered.c.seq == AuditEntry.seq).where(numbered.c.number <= 20)
    seen = []
    with company.test_request_context(), force_locale("zh_Hans_CN"):
        for entry in db.session.scalars(first):
            told = [(name, text) for name, *texts in changes_of(entry) for text in (name, *texts)]
            told += [("", action_text(entry.action))]
            told += [("", object_text(entry.object_type, entry.object_id, entry.object_label))]
            seen += [(entry.action, text) for name, text in told if name != "内容校验值" and CODE.search(text)]
    return seen


def test_nobody_is_overwritten(company: Flask) -> None:
    assert db.session.scalar(select(func.count()).select_from(User)) >= len(demo_company.accounts())


def test_a_company_that_is_no_demo_is_left_alone(app: Flask, tmp_path: Path) -> None:
    before = _counts()
    ran = app.test_cli_runner().invoke(cli, ["demo", "--json"])
    assert ran.exit_code == 1
    assert "nothing was loaded" in ran.output
    assert _counts() == before
    assert not (tmp_path / "demo_accounts.json").exists()
