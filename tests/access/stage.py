"""An application with one object of every kind, signed-in clients of every role, and a way back after each change.

Objects belong to anna, her customer 贵州茅台 and her head hanna: what others may do with them is what the tests ask.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any
from unittest.mock import patch

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, inspect, select, text, update
from werkzeug.routing import Rule

from portal.auth.models import AuthSession
from portal.auth.sessions import cookie_for
from portal.backups.models import Backup
from portal.core import clock, error_pages
from portal.core.checks import LIBRARY_ENDPOINTS
from portal.core.listing.models import SavedView
from portal.core.transaction import transaction
from portal.customers import services as customers
from portal.customers.exporting.models import DataExport
from portal.customers.importing import services as imports
from portal.customers.inputs import ContactInput, CustomerInput, InteractionInput, NextStepInput, PhoneInput
from portal.customers.merging.services import MergeInput, merge_customers
from portal.customers.models import ContactPhone, Customer
from portal.extensions import db
from portal.jobs.models import JobRun
from portal.notifications.models import OutboxMessage
from portal.notifications.services import notify
from portal.org.models import Delegation
from portal.purchases.services import LineInput, ProductInput, PurchaseInput, create_product, record_purchase
from tests.access.plugin_tables import TABLES
from tests.access.saving import saved
from tests.world import World

#: Who asks: the key in the tables of the tests, the log-in name ("" is nobody), and why he is asked.
ROLES = {
    "anonymous": "",  # nobody is signed in
    "nora": "nora",  # no role at all
    "anna": "anna",  # account manager of the object
    "ben": "ben",  # account manager of other customers in the same department
    "hanna": "hanna",  # head of the object's department
    "hector": "hector",  # head of another department
    "boss": "boss",  # executive
    "audrey": "audrey",  # auditor
    "admin": "admin",  # administrator
    "paula": "paula",  # maintainer of the archive
    "otto": "otto",  # print operator
    "edda": "edda",  # editor of the procedures
}
MISSING = 987654321
#: What some pages need to know before they can say yes or no.
QUERY = {
    "approvals.decide": {"vote": "approve"},
    "exports.create": {"listing": "customers"},
    "customers_import.start": {"target": "customers"},
}
FORM = {
    "approvals.decide": {"vote": "approve"},
    "admin.reset_setting": {"key": "customers.idle_days"},
    "customers_import.upload": {"target": "customers"},
    "customers_merge.merge": {"kept": "1", "merged": "2"},
    "customers_merge.preview": {"kept": "1", "merged": "2"},
    "exports.make": {"listing": "customers"},
    "home.save_view": {"listing": "customers"},
}
for _table in TABLES:
    QUERY |= _table.QUERY
    FORM |= _table.FORM


#: Files that are the same for everybody; see tests/unit/test_assets.py.
FILES = LIBRARY_ENDPOINTS | {"asset"}


@dataclass(frozen=True)
class Asked:
    """One line of the table in the application."""

    rule: Rule
    method: str


@dataclass
class Stage:
    """The application, the objects' ids by argument name, a cookie for each role, and the database as it was."""

    app: Flask
    ids: dict[str, Any] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    kept: Any = None
    #: whether something was committed since the database was put back
    is_changed: bool = False

    @cached_property
    def rules(self) -> dict[str, Asked]:
        """Every address and method of the application, named as in the table."""
        return {
            f"{method} {rule.rule}": Asked(rule, method)
            for rule in self.app.url_map.iter_rules()
            if rule.endpoint not in FILES
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        }

    def client(self, role: str) -> FlaskClient:
        """A browser of a role."""
        client = self.app.test_client()
        if ROLES[role]:
            client.set_cookie(self.app.config["SESSION_COOKIE_NAME"], self.cookies[role])
        return client

    def path(self, rule: Rule, **other: Any) -> str:
        """The address of a rule with the objects' ids filled in. :raises KeyError: for an argument nobody named."""
        values = {name: other.get(name, self.argument(rule, name)) for name in rule.arguments}
        with self.app.test_request_context():
            return self.app.url_map.bind("localhost").build(rule.endpoint, values, force_external=False)

    def argument(self, rule: Rule, name: str) -> Any:
        """What stands for one argument of an address."""
        special = self.ids.get(f"{rule.endpoint}:{name}")
        return special if special is not None else self.ids[name]

    def ask(self, role: str, rule: Rule, method: str, **other: Any) -> str:
        """The outcome of one request of a role; see `outcome`."""
        query = QUERY.get(rule.endpoint) if method == "GET" else None
        form = FORM.get(rule.endpoint, {}) if method == "POST" else None
        with self.client(role).open(self.path(rule, **other), method=method, query_string=query, data=form) as answer:
            if rule.endpoint == "health.healthz" and answer.status_code == 503:
                return "o"  # no worker runs here
            return outcome(answer)

    def keep(self) -> None:
        """Remember the database as it is now."""
        raw = db.engine.raw_connection()
        try:
            connection: Any = raw.driver_connection
            self.kept = type(connection)(":memory:")
            connection.backup(self.kept)
        finally:
            raw.close()
        event.listen(db.engine, "commit", self._note_commit)

    def _note_commit(self, _connection: Any) -> None:
        self.is_changed = True

    def restore(self) -> None:
        """Put the database back, unless nothing was written."""
        if not self.is_changed:
            return
        with self.app.app_context():
            db.session.remove()
            raw = db.engine.raw_connection()
            try:
                self.kept.backup(raw.driver_connection)
            finally:
                raw.close()
        self.is_changed = False

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Whatever happens inside is undone."""
        try:
            yield
        finally:
            self.restore()

    def entries(self) -> int:
        """Number of entries of the audit trail."""
        with self.app.app_context(), db.engine.connect() as connection:
            return int(connection.execute(text("SELECT COUNT(*) FROM audit_entry")).scalar_one())

    def counts(self, *without: str) -> dict[str, Any]:
        """Rows of every table and the head of the audit trail."""
        with self.app.app_context(), db.engine.connect() as connection:
            names = [name for name in inspect(connection).get_table_names() if name not in without]
            found: dict[str, Any] = {
                name: connection.execute(text(f'SELECT COUNT(*) FROM "{name}"')).scalar_one() for name in names
            }
            head = connection.execute(text("SELECT * FROM audit_head")).all()
        if "audit_head" not in without:
            found["audit_head"] = [tuple(row) for row in head]
        return found


def build(stage: Stage) -> None:
    """Make one object of every kind, sign everybody in, remember all of it."""
    world = World(stage.app)
    stage.ids |= {"customer_id": world.customer_id("maotai"), "user_id": world.user("ben").id}
    stage.ids |= {"department_id": world.department("archive").id, "module": "customers", "name": "vip"}
    stage.ids |= {"key": "customers", "job_key": "vip.search_candidates", "section": "basic"}
    stage.ids |= {"purchases.change_state:step": "cancel", "action": "transfer"}
    _customers(stage, world)
    _purchases(stage, world)
    for table in TABLES:
        table.build(stage, world)
    _personal(stage, world)
    _files(stage, world)
    with transaction():
        stage.ids["seq"] = db.session.execute(text("SELECT MIN(seq) FROM audit_entry")).scalar_one()
    for role, login in ROLES.items():
        if login:
            with transaction():
                stage.cookies[role] = cookie_for(world.user(login).id, ip="127.0.0.1", user_agent="test")
    with transaction():
        # Sessions are not written at each request, however long ago the stage was built.
        db.session.execute(update(AuthSession).values(last_seen_at=clock.now() + timedelta(hours=1)))
    stage.ids["session_id"] = db.session.execute(
        text("SELECT id FROM auth_session WHERE user_id = :user"), {"user": world.user("anna").id}
    ).scalar_one()
    db.session.remove()
    stage.keep()


def _customers(stage: Stage, world: World) -> None:
    anna = world.actor("anna")
    customer = stage.ids["customer_id"]
    with transaction():
        contact = customers.add_contact(customer, ContactInput(name="王敏", phones=(PhoneInput("13800138000"),)), anna)
        stage.ids["contact_id"] = contact.id
        done = InteractionInput("visit", clock.now() - timedelta(days=1), subject="拜访", contact_ids=(contact.id,))
        stage.ids["interaction_id"] = customers.record_interaction(customer, done, anna).id
        stage.ids["step_id"] = customers.plan_step(customer, NextStepInput("送样品", date(2026, 12, 1)), anna).id
        stage.ids["customers.reveal_contact_phone:phone_id"] = db.session.scalars(
            select(ContactPhone.id).where(ContactPhone.contact_id == contact.id)
        ).one()
        row = db.session.get_one(Customer, customer)
        row.phone, row.phone_digits = "+86-10-8888-8888", "1088888888"
        stage.ids["view_id"] = saved(
            SavedView(listing="customers", owner_id=anna.user_id, name="我的", query="", created_at=clock.now())
        )
    with transaction():
        double = customers.create_customer(CustomerInput(name="茅台重复", kind="end_user"), anna).id
    with transaction():
        merge = MergeInput(customer, double)
        stage.ids["merge_id"] = merge_customers(merge, world.actor("hanna")).id


def _purchases(stage: Stage, world: World) -> None:
    with transaction():
        product = create_product(
            ProductInput("P1", "样酒", "白酒", "high", Decimal("100"), Decimal("60")), world.actor("boss")
        )
        stage.ids["product_id"] = product.id
        bought = PurchaseInput(
            stage.ids["customer_id"], "N-1", clock.today(), (LineInput(product.id, 120, Decimal("100")),)
        )
        stage.ids["purchase_id"] = record_purchase(bought, world.actor("anna")).id


def _personal(stage: Stage, world: World) -> None:
    anna, hanna = world.user("anna").id, world.user("hanna").id
    now = clock.now()
    with transaction():
        notify([anna], "vip.membership", title="通知", url="/", about="test")
        stage.ids["notice_id"] = db.session.execute(
            text("SELECT MAX(id) FROM notice WHERE user_id = :user"), {"user": anna}
        ).scalar_one()
        stage.ids["delegation_id"] = saved(
            Delegation(
                delegator_id=hanna,
                delegate_id=world.user("dora").id,
                begins_at=now,
                ends_at=now + timedelta(days=3),
                created_at=now,
                created_by_id=hanna,
            )
        )
        stage.ids["message_id"] = saved(
            OutboxMessage(
                to_address="anna@example.com",
                user_id=anna,
                subject=json.dumps({"t": "通知"}),
                items="[]",
                message_id="<1@test>",
                state="failed",
                created_at=now,
                next_at=now,
            )
        )
        stage.ids["backup_id"] = saved(
            Backup(name="20260101t000000z-test", kind="hand", state="complete", started_at=now)
        )
        stage.ids["run_id"] = saved(
            JobRun(
                job_key="vip.search_candidates",
                owner_id=anna,
                state="failed",
                created_at=now,
                sent_at=now,
                finished_at=now,
            )
        )


def _files(stage: Stage, world: World) -> None:
    anna = world.user("anna").id
    now: datetime = clock.now()
    with transaction():
        content = "客户名称,客户类型\n新公司,终端用户\n".encode()
        stage.ids["batch_id"] = imports.create_batch(
            imports.target_of("customers"), "客户.csv", content, "csv", world.actor("anna")
        ).id
        stage.ids["export_id"] = saved(
            DataExport(
                listing="customers",
                title="客户",
                format="csv",
                owner_id=anna,
                state="expired",
                asked_rows=1,
                created_at=now,
            )
        )


@contextmanager
def undrawn_refusals() -> Iterator[None]:
    """For who asks whether one is refused, having seen how that looks: the page of a refusal is most of its work."""
    with patch.object(error_pages, "render_template", lambda *_arguments, **_more: "refused"):
        yield


# ---- answers -------------------------------------------------------------------------------------------------------

_LOG_IN = re.compile(r"^(https?://localhost)?/login(\?|$)")
_CONFIRM = re.compile(r"^(https?://localhost)?/confirm(\?|$)")


def outcome(response: Any) -> str:
    """A letter for an answer: o the page itself answered, l log in first, p password again, - refused, ? not found."""
    location = response.headers.get("Location", "")
    if response.status_code == 401 or (response.status_code == 302 and _LOG_IN.match(location)):
        return "l"
    if response.status_code == 302 and _CONFIRM.match(location):
        return "p"
    if response.status_code in (200, 204, 302, 303, 304, 400, 409, 410, 413, 422, 429):
        return "o"
    return {403: "-", 404: "?"}.get(response.status_code, str(response.status_code))
