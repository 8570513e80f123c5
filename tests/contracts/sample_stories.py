"""What the installed sample plugin does; run by test_sample_plugin.py in a Python where it is installed.

The last test asks pluggy which hooks were called on the way: every hook there is, with the arguments it promises.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import portal_sample_plugin
import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import force_locale
from portal_sample_plugin.models import SENT, SampleDelivery, SampleDiary
from sqlalchemy import func, select
from sqlalchemy import inspect as inspect_database

from portal import hookspecs, migrating
from portal.approvals.models import ApprovalRequest
from portal.audit.models import AuditEntry
from portal.backups.models import BackupKind
from portal.backups.services import run_backup
from portal.core.errors import Invalid
from portal.core.permissions import can
from portal.core.storage import storage
from portal.core.transaction import transaction
from portal.customers import services as customers
from portal.customers.card import build_context
from portal.customers.inputs import CustomerInput, InteractionInput
from portal.customers.merging.services import MergeInput, merge_customers, undo_merge
from portal.customers.models import Customer
from portal.customers.services import bulk
from portal.customers.services.customers import input_of
from portal.demo import load as demo_company
from portal.extensions import db
from portal.jobs.models import JobRun
from portal.jobs.services import enqueue
from portal.notifications.models import Notice
from portal.org.actor import SYSTEM
from portal.org.services import LeavingInput, deactivate_person
from portal.pluginmanager import PluginManager
from portal.purchases.models import Product
from portal.purchases.services import (
    LineInput,
    ProductInput,
    PurchaseInput,
    create_product,
    record_purchase,
)
from tests.conftest import SERVER_URL, make_app
from tests.contracts.plugin_package import ROOT
from tests.world import World

NOW = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
CALLED: dict[str, int] = {}


@pytest.fixture(scope="session", autouse=True)
def spy() -> Iterator[None]:
    """Note every hook that is called, and hold the arguments against its specification."""
    load = PluginManager.load

    def watched(self: PluginManager) -> None:
        load(self)

        def before(name: str, _impls: Any, arguments: dict[str, Any]) -> None:
            promised = set(inspect.signature(getattr(hookspecs, name)).parameters)
            assert set(arguments) == promised, f"{name} was called with {sorted(arguments)}"
            CALLED[name] = CALLED.get(name, 0) + 1

        self.pluggy.add_hookcall_monitoring(before, lambda *_: None)

    PluginManager.load = watched  # type: ignore[method-assign]
    yield
    PluginManager.load = load  # type: ignore[method-assign]


@pytest.fixture
def app_settings() -> dict[str, Any]:
    return {"DEFAULT_LANGUAGE": "zh_Hans_CN"}


def _hidden(page: str, name: str) -> str:
    tag = next(tag for tag in re.findall(r"<input[^>]*>", page) if f'name="{name}"' in tag)
    return re.search(r'value="([^"]*)"', tag).group(1)  # type: ignore[union-attr]


def _ask(client: FlaskClient, customer_id: int, product: str = "样酒两瓶") -> ApprovalRequest:
    page = client.get(f"/sample/new/{customer_id}")
    assert page.status_code == 200
    token = _hidden(page.text, "token")
    answer = client.post(f"/sample/new/{customer_id}", data={"product": product, "token": token})
    assert answer.status_code == 302, answer.text
    return db.session.scalars(select(ApprovalRequest).order_by(ApprovalRequest.id.desc())).first()


def _differences(app: Flask) -> list[Any]:
    return [item for item in migrating.differences(app) if "sample_" in str(item)]


def _events(name: str) -> list[str]:
    return list(db.session.scalars(select(SampleDiary.about).where(SampleDiary.event == name).order_by(SampleDiary.id)))


def test_it_is_found_in_its_own_place(app: Flask) -> None:
    [plugin] = [p for p in app.extensions["portal_plugins"].plugins if p.info.name == "sample"]
    assert plugin.enabled
    assert Path(portal_sample_plugin.__file__).parts[-3] == "installed"
    assert {"sample_delivery", "sample_diary"} <= set(inspect_database(db.engine).get_table_names())
    assert _differences(app) == []
    assert migrating.missing_heads(app) == set()


def test_from_the_form_to_the_notice(app: Flask, client: FlaskClient, world: World) -> None:
    maotai = world.customer_id("maotai")
    world.login(client, "anna")
    request = _ask(client, maotai)
    assert request.kind == "sample.delivery"
    assert db.session.scalar(select(func.count()).select_from(SampleDelivery)) == 1

    head = app.test_client()
    world.login(head, "hanna")
    page = head.get(f"/approvals/{request.id}")
    assert page.status_code == 200
    assert "样酒两瓶" in page.text
    assert "寄送内容" in page.text
    form = head.get(f"/approvals/{request.id}/decide?vote=approve").text
    fields = {name: _hidden(form, name) for name in ("vote", "digest", "seat_of")}
    answer = head.post(f"/approvals/{request.id}/decide", data={**fields, "opinion": "同意"})
    assert answer.status_code == 302
    db.session.expire_all()
    delivery = db.session.scalars(select(SampleDelivery)).one()
    assert delivery.state == SENT
    assert _events("request_decided") == ["sample.delivery:approved"]
    assert _events("occasion_happened") == [f"sample.sent sample:{delivery.id}"]
    notices = db.session.scalars(select(Notice).where(Notice.kind == "sample.sent")).all()
    assert [notice.user_id for notice in notices] == [world.user("anna").id]
    actions = db.session.scalars(select(AuditEntry.action).where(AuditEntry.action.like("sample:%"))).all()
    assert list(actions) == ["sample:delivery:ask", "sample:delivery:send"]

    record = client.get(f"/customers/{maotai}").text
    for words in ("样品管理", "申请样品", "已寄样", "该客户有1个样品", f"/sample/of/{maotai}"):
        assert words in record, words
    assert "样酒两瓶" in client.get(f"/sample/of/{maotai}").text
    assert "样酒两瓶" in client.get("/sample/").text
    assert "已寄样" in client.get("/customers/").text
    assert "sample" in client.get("/healthz").json["checks"]


def test_its_column_setting_and_words_are_in_the_pages_of_others(client: FlaskClient, world: World) -> None:
    world.login(client, "anna")
    assert ">样品<" in client.get("/customers/?columns=name,samples").text.replace("\n", "").replace("  ", "")
    assert "/sample/" in client.get("/palette?q=sampl").text
    _ask(client, world.customer_id("maotai"))
    home = client.get("/").text
    assert "样酒两瓶" in home
    for number in range(2):
        _ask(client, world.customer_id("maotai"), f"样酒{number}")
    page = client.get(f"/sample/new/{world.customer_id('maotai')}").text
    token = _hidden(page, "token")
    full = client.post(f"/sample/new/{world.customer_id('maotai')}", data={"product": "再来", "token": token})
    assert full.status_code == 400
    assert "再来" in full.text


def test_who_may_not_see_the_customer_sees_nothing(client: FlaskClient, world: World) -> None:
    maotai = world.customer_id("maotai")
    world.login(client, "anna")
    _ask(client, maotai)
    world.login(client, "ben")
    assert client.get(f"/sample/of/{maotai}").status_code == 403
    assert client.get(f"/sample/new/{maotai}").status_code == 403
    assert "样酒两瓶" not in client.get("/sample/").text
    hidden = client.get(f"/customers/{world.customer_id('fenjiu')}")
    assert hidden.status_code == 403
    assert 'href="/sample/"' in hidden.text
    world.login(client, "nora")
    assert client.get("/sample/").status_code == 403
    assert not can(world.actor("nora"), "sample.use")


def test_it_holds_fields_of_others(client: FlaskClient, world: World) -> None:
    maotai, anna = world.customer_id("maotai"), world.actor("anna")
    world.login(client, "anna")
    _ask(client, maotai)
    data = replace(input_of(db.session.get_one(Customer, maotai)), address="虚构路 1 号")
    with pytest.raises(Invalid) as caught, transaction():
        customers.change_customer(maotai, data, anna)
    assert [field for field, _text in caught.value.errors] == ["address"]
    assert 'name="address"' not in client.get(f"/customers/{maotai}/edit").text


def test_its_job_runs_and_is_listed(app: Flask, client: FlaskClient, world: World) -> None:
    job = app.extensions["portal_jobs"]["sample.count"]
    assert job.schedule is not None
    with transaction():
        run_id = enqueue("sample.count", SYSTEM).id
    run = db.session.get(JobRun, run_id)
    db.session.refresh(run)
    assert run.state == "done"
    assert _events("job") == ["0"]
    assert "sample.count" in _events("job_finished")


def test_events_reach_it_inside_the_transaction(app: Flask, world: World) -> None:
    anna = world.actor("anna")
    with transaction():
        made = customers.create_customer(CustomerInput(name="新客户甲", kind="end_user"), anna).id
    assert _events("customer_created") == ["新客户甲"]
    with pytest.raises(Invalid), transaction():
        customers.create_customer(CustomerInput(name="", kind="end_user"), anna)
    assert _events("customer_created") == ["新客户甲"]

    maotai = world.customer_id("maotai")
    with transaction():
        customers.change_stage(maotai, "potential", anna)
    assert _events("customer_changed") == ["stage"]
    with transaction():
        db.session.add(SampleDelivery(customer_id=made, product="甲的样品", asked_at=NOW))
        db.session.flush()
    client = world.login(app.test_client(), "hanna")
    preview = client.post("/customers/merge/preview", data={"kept": maotai, "merged": made})
    assert "callout-warning" in preview.text
    with transaction():
        merge_id = merge_customers(MergeInput(maotai, made), world.actor("hanna")).id
    assert db.session.scalars(select(SampleDelivery.customer_id)).one() == maotai
    with transaction():
        undo_merge(merge_id, world.actor("hanna"))
    assert db.session.scalars(select(SampleDelivery.customer_id)).one() == made
    assert _events("customers_merged") == [f"{maotai}<{made}"]
    assert _events("customers_unmerged") == [f"{maotai}>{made}"]


def test_what_it_made_by_itself_goes_with_an_import_that_is_taken_back(app: Flask, world: World) -> None:
    anna = world.actor("anna")
    effects = []
    with transaction():
        for name in ("带来的客户", "有样品的客户"):
            prepared, _errors = bulk.prepare_customer(CustomerInput(name=name, kind="end_user"), anna)
            prepared.manager_id, prepared.department_id = anna.user_id, anna.department_id
            prepared.stage = "to_identify"
            effects += bulk.create_prepared([prepared], anna)
        left, kept = effects
        for effect, by in ((left, None), (kept, anna.user_id)):
            db.session.add(SampleDelivery(customer_id=effect["id"], product="样酒", asked_at=NOW, asked_by_id=by))
    with transaction():
        assert list(bulk.obstacles_to_removal(effects)) == [kept["id"]]
        bulk.remove_created([left], anna)
    assert db.session.scalars(select(SampleDelivery.customer_id)).all() == [kept["id"]]
    assert _events("customers_removed") == ["1"]


def test_purchases_and_leaving_reach_it(app: Flask, world: World) -> None:
    with transaction():
        product = create_product(
            ProductInput("P1", "样酒", "白酒", "high", Decimal("100"), Decimal("60")), world.actor("boss")
        ).id
    with transaction():
        record_purchase(
            PurchaseInput(
                world.customer_id("maotai"), "N-1", date(2026, 3, 1), (LineInput(product, 2, Decimal("100")),)
            ),
            world.actor("anna"),
        )
    assert _events("purchases_changed") == [str(world.customer_id("maotai"))]
    with transaction():
        customers.record_interaction(
            world.customer_id("maotai"), InteractionInput("phone", NOW, result="谈妥"), world.actor("anna")
        )
    assert _events("interactions_changed") == [str(world.customer_id("maotai"))]
    assert db.session.scalar(select(func.count()).select_from(Product)) == 1


def test_its_files_are_in_the_backup(app: Flask, client: FlaskClient, world: World) -> None:
    world.login(client, "anna")
    _ask(client, world.customer_id("maotai"))
    with transaction():
        delivery = db.session.scalars(select(SampleDelivery)).one()
        delivery.photo_key = storage().put("sample", b"photograph").key
    made = run_backup(SYSTEM, BackupKind.COMMAND, verify=True)
    assert (made.files, made.missing_files, made.is_whole) == (1, 0, True)


def test_switched_off_and_on_again(
    app: Flask, client: FlaskClient, world: World, database_url: str, tmp_path: Path
) -> None:
    maotai = world.customer_id("maotai")
    world.login(client, "anna")
    request_id = _ask(client, maotai).id
    db.session.remove()

    off = make_app(tmp_path, database_url, DISABLED_PLUGINS="sample", DEFAULT_LANGUAGE="zh_Hans_CN")
    with off.app_context():
        for name in (
            "approval_kinds",
            "jobs",
            "notice_kinds",
            "document_kinds",
            "listings",
            "import_targets",
            "occasions",
            "file_stores",
        ):
            assert not [item.key for item in off.extensions[f"portal_{name}"] if item.key.startswith("sample")], name
        assert not [name for name in off.extensions["portal_permissions"].permissions if name.startswith("sample")]
        assert "samples" not in off.cli.commands
        visitor = World(off).login(off.test_client(), "anna")
        for path in ("/sample/", f"/sample/of/{maotai}", f"/sample/new/{maotai}"):
            assert visitor.get(path).status_code == 404, path
        for path in ("/", "/customers/", f"/customers/{maotai}", f"/customers/{maotai}/history", "/approvals"):
            page = visitor.get(path)
            assert page.status_code == 200, path
            assert "/sample/" not in page.text, path
            assert "样品管理" not in page.text, path
        assert visitor.get(f"/approvals/{request_id}").status_code in (200, 404)
        assert World(off).login(off.test_client(), "hanna").get("/approvals").status_code == 200
        assert World(off).login(off.test_client(), "audrey").get("/audit/").status_code == 200
        health = visitor.get("/healthz").json["checks"]
        assert "sample" not in health
        # Its migrations are still run and its tables still belong to the models.
        migrating.upgrade(off)
        assert _differences(off) == []
        assert db.session.scalar(select(func.count()).select_from(SampleDelivery)) == 1
        db.session.remove()  # a reader would keep the table from being dropped
        migrating.downgrade(off, "sample@base")
        assert not [t for t in inspect_database(db.engine).get_table_names() if t.startswith("sample_")]
        assert migrating.missing_heads(off) == {"sample_0001"}
        migrating.upgrade(off)
        with transaction():
            db.session.add(SampleDelivery(customer_id=maotai, product="还在", asked_at=NOW))
        db.session.remove()
        db.engine.dispose()

    on = make_app(tmp_path, database_url, DEFAULT_LANGUAGE="zh_Hans_CN")
    with on.app_context():
        visitor = World(on).login(on.test_client(), "anna")
        assert "还在" in visitor.get(f"/sample/of/{maotai}").text
        assert "该客户有1个样品" in visitor.get(f"/customers/{maotai}").text
        db.session.remove()
        db.engine.dispose()


def test_a_failing_hook_refuses_the_whole_change(app: Flask, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from portal_sample_plugin import hooks

    def refuse(_event: str, _about: object = "") -> None:
        raise Invalid([("name", "not this one")])

    monkeypatch.setattr(hooks.services, "note", refuse)
    with pytest.raises(Invalid), transaction():
        customers.create_customer(CustomerInput(name="新客户丙", kind="end_user"), world.actor("anna"))
    assert not db.session.scalar(select(func.count()).where(Customer.name == "新客户丙"))


def test_the_card_and_the_leaver(app: Flask, client: FlaskClient, world: World) -> None:
    with app.test_request_context(), force_locale("zh_Hans_CN"):
        card = build_context(world.customer_id("maotai"), world.actor("anna"), "zh_Hans_CN")
    assert "样品管理" in str(card)
    with transaction():
        deactivate_person(world.user("anna").id, LeavingInput(world.user("ben").id), world.actor("admin"))
    assert _events("user_deactivated") == ["anna>ben"]


@pytest.mark.skipif(bool(SERVER_URL), reason="a database of its own, the embedded one")
def test_the_demo(tmp_path: Path) -> None:
    """The company without the plugins that come with the portal: theirs is loaded in test_demo.py."""
    (tmp_path / "demo").mkdir()
    others = ",".join(path.name for path in sorted((ROOT / "plugins").iterdir()) if (path / "hooks.py").is_file())
    app = make_app(tmp_path / "demo", f"sqlite:///{tmp_path / 'demo.sqlite3'}", DISABLED_PLUGINS=others)
    with app.app_context():
        assert "sample" in {plugin.info.name for plugin in app.extensions["portal_plugins"].enabled}
        migrating.upgrade(app)
        assert demo_company.load(limit=30)
        assert _events("register_demo") == ["system"]
        db.session.remove()
        db.engine.dispose()


def test_every_hook_was_called() -> None:
    """The last: after the stories above, no hook is left that nobody calls."""
    specified = {name for name in vars(hookspecs) if hasattr(getattr(hookspecs, name), "portal_spec")}
    left_out = {"register_demo"} if SERVER_URL else set()
    assert specified - set(CALLED) == left_out
