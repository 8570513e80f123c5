"""Numbered documents through services and pages, with the real renderer."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, func, select

from portal.audit.models import AuditEntry
from portal.core import clock
from portal.core.errors import Conflict, NotFound
from portal.core.storage import storage
from portal.core.together import ask
from portal.core.transaction import transaction
from portal.customers.card import CARD, make_card
from portal.documents import queries, render, services
from portal.documents.kinds import DocumentKind, anyone_listed, of_visible_customers
from portal.documents.models import Document, DocumentNumber
from portal.documents.render import CannotRender, Rendered
from portal.documents.services import produce
from portal.documents.views import file_name
from portal.extensions import db
from tests.functional.documents_fixture import card
from tests.world import World

KIND = DocumentKind(
    key="test.card",
    title="测试卡",
    number_prefix="TEST",
    template="pdf/customer_card.html",
    may_read=anyone_listed,
    rows=of_visible_customers("customers.view"),
)
OWN = DocumentKind(
    "test.own", "自用", "OWN", "pdf/customer_card.html", may_read=lambda actor, d: d.made_by_id == actor.user_id
)
MARCH = datetime(2026, 3, 5, 6, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def kinds(app: Flask) -> Iterator[None]:
    """Two kinds of our own besides the real ones; the warm child ends with the tests."""
    queries.kinds().add([KIND, OWN])
    yield
    render.stop_spare()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stands for the renderer where the PDF itself is not looked at; notes the HTML."""
    pages: list[str] = []

    def renderer(html: str, **more: Any) -> Rendered:
        pages.append(html)
        return Rendered(b"%PDF-1.7 " + more["identifier"].encode(), 2, "")

    monkeypatch.setattr(services, "render_pdf", renderer)
    return pages


def make(world: World, login: str = "anna", key: str = "maotai", **more: Any) -> Document:
    options: dict[str, Any] = {"title": "客户卡:云山", "context": {"card": card()}, "language": "zh_Hans_CN", **more}
    options.setdefault("customer_id", world.customer_id(key))
    return produce(KIND, world.actor(login), **options)


def entries(action: str) -> list[AuditEntry]:
    return list(db.session.scalars(select(AuditEntry).where(AuditEntry.action == action)))


# ---- making --------------------------------------------------------------------------------------------------------


def test_a_document_is_numbered_kept_and_recorded(world: World) -> None:
    with clock.frozen(MARCH):
        document = make(world, parameters={"period": "2026-Q1"})
    assert document.number == "TEST-2026-000001"
    assert document.state == "ready"
    assert document.pages >= 2
    assert document.version == 1
    content = storage().get(document.storage_key)
    assert content.startswith(b"%PDF-1.7")
    assert len(content) == document.size
    assert document.content_digest == hashlib.sha256(content).hexdigest()
    assert document.parameters == {"period": "2026-Q1"}
    (entry,) = entries("documents:document:make")
    assert entry.object_label == "TEST-2026-000001"
    assert entry.customer_id == document.customer_id


def test_numbers_follow_each_other_per_prefix_and_year(world: World, quick: list[str]) -> None:
    with clock.frozen(MARCH):
        assert [make(world).number for _n in range(3)][-1] == "TEST-2026-000003"
        other = produce(OWN, world.actor("anna"), title="t", context={"card": card()}, language="en")
        assert other.number == "OWN-2026-000001"
    # New year in Shanghai comes eight hours before UTC's.
    with clock.frozen(datetime(2026, 12, 31, 16, 0, tzinfo=UTC)):
        assert make(world).number == "TEST-2027-000001"


def test_versions_count_per_customer_and_subject(world: World, quick: list[str]) -> None:
    assert make(world).version == 1
    assert make(world).version == 2
    assert make(world, key="wuliang").version == 1
    assert make(world, subject="2026-W07").version == 1
    assert "Version 1" in quick[-1] or "第" in quick[-1]


def test_the_same_data_may_be_reused(world: World, quick: list[str]) -> None:
    first = make(world, reuse=True)
    assert make(world, reuse=True).id == first.id
    assert make(world, reuse=True, language="en").id != first.id
    assert make(world, reuse=True, context={"card": card(phone="1")}).id != first.id
    assert make(world, reuse=True, key="wuliang").id != first.id
    storage().delete(first.storage_key)
    assert make(world, reuse=True).id != first.id


def test_inside_a_transaction_it_is_refused(world: World) -> None:
    with pytest.raises(RuntimeError, match="outside"), transaction():
        make(world)


@pytest.mark.parametrize("value", [Decimal("1.5"), object(), float("nan"), MARCH])
def test_only_primitives_come_in(world: World, value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        make(world, context={"card": card(), "value": value})
    assert db.session.scalar(select(func.count()).select_from(Document)) == 0


def test_a_failure_keeps_its_number_and_says_why(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: object, **_more: object) -> Rendered:
        raise CannotRender("Too large.", cause="more than 30 s")

    monkeypatch.setattr(services, "render_pdf", broken)
    with clock.frozen(MARCH), pytest.raises(CannotRender) as caught:
        make(world)
    document = db.session.get_one(Document, caught.value.details["document_id"])
    assert (document.number, document.state, document.reason) == ("TEST-2026-000001", "failed", "Too large.")
    (entry,) = entries("documents:document:fail")
    assert entry.result == "failed"
    monkeypatch.undo()
    monkeypatch.setattr(services, "render_pdf", lambda *_a, **_m: Rendered(b"%PDF", 1, ""))
    with clock.frozen(MARCH):
        second = make(world)
    assert second.number == "TEST-2026-000002"
    assert second.version == 1  # nobody ever saw the failed one


def test_a_broken_template_is_a_failed_document(world: World) -> None:
    with pytest.raises(Exception, match="undefined"):
        make(world, context={})
    assert db.session.scalars(select(Document.state)).all() == ["failed"]


def test_a_full_disk_is_told(world: World, quick: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(storage()), "put", full)
    with pytest.raises(CannotRender, match="disk is full"):
        make(world)
    assert db.session.scalars(select(Document.state)).all() == ["failed"]


def test_what_a_crash_cut_off_is_settled_by_the_next(
    world: World, quick: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with clock.frozen(MARCH):
        with transaction():
            order = services._order(KIND, "t", {"card": card()}, None, "", "en", None)
            cut_off = services._reserve(order, world.actor("anna")).id
        make(world)
        assert db.session.get_one(Document, cut_off).state == "reserved"
    with clock.frozen(MARCH + timedelta(minutes=16)):
        make(world)
    db.session.expire_all()
    assert db.session.get_one(Document, cut_off).state == "failed"


def test_numbers_have_neither_gaps_nor_doubles_in_a_race(app: Flask, world: World) -> None:
    actor = world.actor("anna")
    order = services._order(KIND, "t", {"card": card()}, None, "", "en", None)
    problems: list[BaseException] = []

    def work(rolls_back: bool) -> None:
        with app.app_context():
            try:
                for _n in range(8):
                    try:
                        with transaction():
                            services._reserve(order, actor)
                            if rolls_back:
                                raise InterruptedError
                    except InterruptedError:
                        pass
            except BaseException as error:
                problems.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=work, args=(number == 3,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    db.session.rollback()  # this thread still sees the state before the race
    numbers = sorted(int(number[-6:]) for number in db.session.scalars(select(Document.number)))
    assert numbers == list(range(1, 25))
    assert db.session.scalars(select(DocumentNumber.last)).all() == [24]


def test_no_transaction_is_open_while_rendering(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []

    def renderer(*_arguments: object, **_more: object) -> Rendered:
        seen.append(db.session().in_transaction())
        return Rendered(b"%PDF", 1, "")

    monkeypatch.setattr(services, "render_pdf", renderer)
    make(world)
    assert seen == [False]


# ---- reading -------------------------------------------------------------------------------------------------------


def test_download(world: World, client: FlaskClient, quick: list[str]) -> None:
    document = make(world, title='客户卡/云山\r\n"x"')
    number, document_id = document.number, document.id
    response = world.login(client, "anna").get(f"/documents/{document_id}/download")
    assert response.status_code == 200
    assert response.data == b"%PDF-1.7 " + number.encode()
    assert response.mimetype == "application/pdf"
    disposition = response.headers["Content-Disposition"]
    assert disposition.startswith("attachment;")
    assert unquote(disposition.partition("filename*=UTF-8''")[2]) == f"{number} 客户卡 云山 x.pdf"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"].startswith("sandbox;")
    assert response.headers["Cache-Control"] == "no-store"
    (entry,) = entries("documents:document:download")
    assert entry.object_id == document_id
    assert entry.actor_id == world.user("anna").id


@pytest.mark.parametrize("page", ["", "/download"])
def test_strangers_learn_nothing(world: World, client: FlaskClient, quick: list[str], page: str) -> None:
    document_id = make(world).id
    world.login(client, "cara")
    stranger = client.get(f"/documents/{document_id}{page}")
    nothing = client.get(f"/documents/999999{page}")
    assert stranger.status_code == nothing.status_code == 404
    assert entries("documents:document:download") == []


@pytest.mark.parametrize(
    ("login", "allowed"), [("anna", True), ("hanna", True), ("boss", True), ("ben", False), ("nora", False)]
)
def test_reading_follows_the_customer(world: World, quick: list[str], login: str, allowed: bool) -> None:
    document = make(world)
    assert queries.may_read(world.actor(login), document) is allowed


def test_losing_the_customer_ends_reading_one_s_own(world: World, quick: list[str]) -> None:
    from portal.customers.models import Customer

    document = make(world)
    with transaction():
        customer = db.session.get_one(Customer, document.customer_id)
        customer.account_manager_id = world.user("cara").id
        customer.department_id = world.department("two").id
    assert not queries.may_read(world.actor("anna"), document)
    assert queries.may_read(world.actor("cara"), document)


def test_a_kind_s_own_word_counts_too(world: World, quick: list[str]) -> None:
    document = produce(OWN, world.actor("anna"), title="t", context={"card": card()}, language="en")
    assert queries.may_read(world.actor("anna"), document)
    assert not queries.may_read(world.actor("boss"), document)


def test_documents_of_an_absent_plugin_answer_nobody(world: World, quick: list[str]) -> None:
    document = make(world)
    queries.kinds()._items.pop(KIND.key)
    assert not queries.may_read(world.actor("boss"), document)
    with pytest.raises(NotFound):
        services.require_readable(world.actor("boss"), document.id)


def test_a_damaged_file_is_told_and_recorded(world: World, client: FlaskClient, quick: list[str]) -> None:
    document = make(world)
    document_id = document.id
    storage().delete(document.storage_key)
    response = world.login(client, "anna").get(f"/documents/{document_id}/download")
    assert response.status_code == 500
    assert "missing or damaged" in response.text
    (entry,) = entries("documents:document:damaged")
    assert entry.reason == "MissingContent"


def test_erased_content_is_gone_and_the_number_stays(world: World, client: FlaskClient, quick: list[str]) -> None:
    document = make(world)
    document_id, number = document.id, document.number
    with transaction():
        key = services.erase_content(db.session.get_one(Document, document_id), world.actor("boss"), "保存期满")
    storage().delete(key)
    world.login(client, "anna")
    page = client.get(f"/documents/{document_id}")
    assert page.status_code == 200
    assert number in page.text
    assert "保存期满" in page.text
    assert client.get(f"/documents/{document_id}/download").status_code == 409
    with transaction(), pytest.raises(Conflict):
        services.erase_content(db.session.get_one(Document, document_id), world.actor("boss"), "again")


def test_file_names() -> None:
    assert file_name("A-1", "a/b\\c:d\u202ex") == "A-1 a b c d x.pdf"
    assert len(file_name("A-1", "字" * 300)) < 120


# ---- pages ---------------------------------------------------------------------------------------------------------


def test_the_list_shows_what_one_may_read(world: World, client: FlaskClient, quick: list[str]) -> None:
    mine, other = make(world).number, make(world, "cara", "fenjiu").number
    text = world.login(client, "anna").get("/documents/").text
    assert mine in text
    assert other not in text
    text = world.login(client, "boss").get("/documents/").text
    assert mine in text
    assert other in text
    assert mine not in client.get("/documents/?scene=mine").text


def test_the_list_is_searched_and_filtered(world: World, client: FlaskClient, quick: list[str]) -> None:
    first, second = make(world, title="甲").number, make(world, title="乙").number
    world.login(client, "anna")
    text = client.get("/documents/?q=甲").text
    assert first in text
    assert second not in text
    text = client.get("/documents/?state=failed").text
    assert first not in text
    assert first in client.get("/documents/?made_from=2020-01-01&kind=test.card").text
    assert first not in client.get("/documents/?made_to=2020-01-01").text


def test_the_tab_of_a_customer(world: World, client: FlaskClient, quick: list[str]) -> None:
    number, customer_id = make(world).number, world.customer_id("maotai")
    text = world.login(client, "anna").get(f"/documents/customer/{customer_id}").text
    assert number in text
    assert "贵州茅台" in text
    assert world.login(client, "cara").get(f"/documents/customer/{customer_id}").status_code in {403, 404}
    for login, number in (("anna", 1), ("cara", 0)):
        assert ask({"it": queries.count_question(world.actor(login), customer_id)}) == {"it": number}


def test_the_tab_is_paged(world: World, quick: list[str]) -> None:
    ids = [make(world).id for _n in range(5)]
    actor, customer_id = world.actor("anna"), world.customer_id("maotai")
    rows, following = queries.for_customer(actor, customer_id, limit=3)
    assert [row.id for row in rows] == ids[:1:-1]
    assert following == ids[2]
    rows, following = queries.for_customer(actor, customer_id, before=following, limit=3)
    assert [row.id for row in rows] == ids[1::-1]
    assert following is None


@pytest.mark.parametrize("page", ["/documents/", "/documents/customer/{customer}"])
def test_statements_do_not_grow_with_rows(world: World, client: FlaskClient, quick: list[str], page: str) -> None:
    address = page.format(customer=world.customer_id("maotai"))
    world.login(client, "anna")
    statements: list[str] = []

    def counted() -> int:
        statements.clear()
        assert client.get(address).status_code == 200
        return len(statements)

    event.listen(db.engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    for _n in range(4):
        make(world)
    counted()
    few = counted()
    for _n in range(8):
        make(world)
    # What is kept while nothing changes (portal.core.transaction) is asked again after the writing above.
    counted()
    assert counted() == few, "\n".join(statements)


def test_the_time_line_shows_documents(world: World, quick: list[str]) -> None:
    from portal.customers.models import Customer
    from portal.documents.hooks import customer_timeline

    with clock.frozen(MARCH):
        document = make(world)
    customer = db.session.get_one(Customer, document.customer_id)
    with world.app.test_request_context():
        (entry,) = customer_timeline(customer=customer, actor=world.actor("anna"), before=None, limit=10)
        assert entry.when == MARCH
        assert document.number in entry.body
        assert customer_timeline(customer=customer, actor=world.actor("anna"), before=MARCH, limit=10) == []
        assert customer_timeline(customer=customer, actor=world.actor("cara"), before=None, limit=10) == []


def test_a_failed_document_has_a_clear_page(world: World, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: object, **_more: object) -> Rendered:
        raise CannotRender("Too large.", cause="x")

    monkeypatch.setattr(services, "render_pdf", broken)
    with pytest.raises(CannotRender) as caught:
        make(world)
    text = world.login(client, "anna").get(f"/documents/{caught.value.details['document_id']}").text
    assert "This document could not be made" in text
    assert "Too large." in text
    assert "Download PDF" not in text


# ---- the customer information card ---------------------------------------------------------------------------------


def test_the_card_of_a_real_customer(world: World) -> None:
    document = make_card(world.customer_id("maotai"), world.actor("anna"), "zh_Hans_CN")
    assert document.number.startswith("CARD-")
    assert document.state == "ready"
    assert document.kind == CARD.key
    assert "贵州茅台" in document.title
    assert make_card(world.customer_id("maotai"), world.actor("anna"), "zh_Hans_CN").id == document.id
    assert not queries.may_read(world.actor("cara"), document)
