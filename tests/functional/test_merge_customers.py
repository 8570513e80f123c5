"""Merging two records of one customer: compare, preview, confirm, trace, undo (R-CUS-6)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.audit.models import AuditEntry
from portal.core.errors import Conflict, Invalid, NotAllowed
from portal.core.transaction import transaction
from portal.customers import services
from portal.customers.inputs import ContactInput, NextStepInput, PhoneInput
from portal.customers.merging.models import CustomerMerge, CustomerMergeRow
from portal.customers.merging.services import MergeInput, merge_customers, undo_merge
from portal.customers.models import Contact, Customer, CustomerAlias, CustomerFavourite
from portal.customers.references import MOVE, customer_references
from portal.customers.search import search
from portal.extensions import db
from portal.purchases.models import Product, Purchase
from portal.purchases.services import LineInput, ProductInput, PurchaseInput, create_product, record_purchase
from tests.world import World

CODE = "91520000214330054F"


def _filled(world: World) -> tuple[int, int]:
    """Two customers of anna's with contacts, a purchase, a next step, a mark: (kept, merged)."""
    kept, merged = world.customer_id("maotai"), world.customer_id("wuliang")
    anna = world.actor("anna")
    with transaction():
        services.add_contact(kept, ContactInput(name="王敏"), anna)
        services.add_contact(merged, ContactInput(name="李强", phones=(PhoneInput("13800138000"),)), anna)
        services.add_contact(merged, ContactInput(name="赵云"), anna)
        services.plan_step(merged, NextStepInput("送样品", date(2026, 12, 1)), anna)
        services.set_favourite([kept, merged], True, anna)
        services.set_favourite([merged], True, world.actor("hanna"))
        row = db.session.get_one(Customer, merged)
        row.credit_code, row.address = CODE, "虚构路 8 号"
        product = create_product(
            ProductInput("P1", "样酒", "白酒", "high", Decimal("100"), Decimal("60")), world.actor("boss")
        )
        record_purchase(
            PurchaseInput(merged, "N-1", date(2026, 3, 1), (LineInput(product.id, 2, Decimal("100")),)), anna
        )
    return kept, merged


def test_everything_goes_to_the_kept_record_and_nothing_is_lost(app: Flask, world: World) -> None:
    kept, merged = _filled(world)
    with transaction():
        merge = merge_customers(
            MergeInput(kept, merged, {"credit_code": "merged", "address": "merged"}), world.actor("hanna")
        )
        merge_id = merge.id
    assert db.session.scalars(select(Contact.name).where(Contact.customer_id == kept).order_by(Contact.id)).all() == [
        "王敏",
        "李强",
        "赵云",
    ]
    primary = db.session.scalars(select(Contact.name).where(Contact.customer_id == kept, Contact.is_primary)).all()
    assert primary == ["王敏"]
    assert db.session.scalars(select(Purchase.customer_id)).all() == [kept]
    row, other = db.session.get_one(Customer, kept), db.session.get_one(Customer, merged)
    assert (row.credit_code, row.address, row.next_contact_on) == (CODE, "虚构路 8 号", date(2026, 12, 1))
    assert (row.purchase_count, row.last_purchase_on) == (1, date(2026, 3, 1))
    assert (other.purchase_count, other.status, other.merged_into_id) == (0, "merged", kept)
    # anna watched both: one mark stays behind and is reported; hanna's moved.
    marks = db.session.execute(select(CustomerFavourite.user_id, CustomerFavourite.customer_id)).all()
    assert sorted(marks) == sorted(
        [(world.user("anna").id, kept), (world.user("anna").id, merged), (world.user("hanna").id, kept)]
    )
    assert "customer_favourite.customer_id" in db.session.get_one(CustomerMerge, merge_id).stayed_json
    # Its old name still finds it.
    assert [hit.customer_id for hit in search(world.actor("anna"), "五粮液")] == [kept]
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "customers:customer:merge")).one()
    assert entry.customer_id == kept


def test_the_old_address_leads_to_the_kept_record(client: FlaskClient, world: World) -> None:
    kept, merged = _filled(world)
    with transaction():
        merge_customers(MergeInput(kept, merged), world.actor("hanna"))
    world.login(client, "anna")
    answer = client.get(f"/customers/{merged}")
    assert answer.status_code == 302
    assert answer.location.endswith(f"/customers/{kept}")


def test_the_pages_from_choosing_to_undoing(client: FlaskClient, world: World) -> None:
    kept, merged = _filled(world)
    world.login(client, "hanna")
    assert client.get("/customers/merge/").status_code == 200
    page = client.get("/customers/merge/", query_string={"a_text": "贵州茅台", "b_text": "五粮液"})
    assert page.status_code == 200
    assert "虚构路 8 号" in page.text
    versions = {c: db.session.get_one(Customer, c).version for c in (kept, merged)}
    form = {
        "kept": kept,
        "merged": merged,
        "kept_version": versions[kept],
        "merged_version": versions[merged],
        "field_name": "merged",
    }
    page = client.post("/customers/merge/preview", data=form)
    assert page.status_code == 200
    assert "Contacts" in page.text
    assert db.session.scalar(select(CustomerMerge.id)) is None
    page = client.post("/customers/merge/", data=form, follow_redirects=True)
    assert page.status_code == 200
    assert "Undo the merge" in page.text
    db.session.expire_all()
    assert db.session.get_one(Customer, kept).name == "五粮液"
    merge_id = db.session.scalars(select(CustomerMerge.id)).one()
    assert client.get("/customers/merge/list").status_code == 200
    page = client.post(f"/customers/merge/{merge_id}/undo", follow_redirects=True)
    assert page.status_code == 200
    db.session.expire_all()
    assert db.session.get_one(Customer, kept).name == "贵州茅台"
    assert db.session.get_one(Customer, merged).status == "active"


def test_a_stale_page_does_not_merge(client: FlaskClient, world: World) -> None:
    kept, merged = _filled(world)
    world.login(client, "hanna")
    form = {"kept": kept, "merged": merged, "kept_version": 900, "merged_version": 900}
    page = client.post("/customers/merge/", data=form, follow_redirects=True)
    assert "changed meanwhile" in page.text
    assert db.session.scalar(select(CustomerMerge.id)) is None


def test_account_managers_do_not_merge(client: FlaskClient, world: World) -> None:
    kept, merged = _filled(world)
    with pytest.raises(NotAllowed), transaction():
        merge_customers(MergeInput(kept, merged), world.actor("anna"))
    assert client.get("/customers/merge/").status_code in (302, 401)
    world.login(client, "anna")
    assert client.get("/customers/merge/").status_code == 403
    # A head of another department learns only that it exists.
    world.login(client, "hector")
    assert client.get("/customers/merge/", query_string={"a": kept, "b": merged}).status_code == 403


def test_a_customer_with_itself_or_with_a_person_is_refused(app: Flask, world: World) -> None:
    kept, merged = _filled(world)
    with pytest.raises(Invalid), transaction():
        merge_customers(MergeInput(kept, kept), world.actor("hanna"))
    with transaction():
        db.session.get_one(Customer, merged).party = "person"
    with pytest.raises(Invalid), transaction():
        merge_customers(MergeInput(kept, merged), world.actor("hanna"))


def test_undo_names_what_was_changed_since(app: Flask, client: FlaskClient, world: World) -> None:
    kept, merged = _filled(world)
    hanna = world.actor("hanna")
    with transaction():
        merge_id = merge_customers(MergeInput(kept, merged, {"address": "merged"}), hanna).id
    with transaction():
        db.session.get_one(Customer, kept).address = "另一条路 1 号"
    with pytest.raises(Conflict) as refused, transaction():
        undo_merge(merge_id, hanna)
    assert refused.value.details["reasons"] == ["Address was changed since the merge."]
    world.login(client, "hanna")
    page = client.post(f"/customers/merge/{merge_id}/undo")
    assert page.status_code == 409
    assert "Address was changed since the merge." in page.text
    assert db.session.get_one(Customer, merged).status == "merged"


def test_what_was_added_since_stays_with_the_kept_record(app: Flask, world: World) -> None:
    kept, merged = _filled(world)
    hanna = world.actor("hanna")
    with transaction():
        merge_id = merge_customers(MergeInput(kept, merged), hanna).id
    with transaction():
        services.add_contact(kept, ContactInput(name="新来者"), hanna)
    with transaction():
        undo_merge(merge_id, hanna)
    names = {
        customer: sorted(db.session.scalars(select(Contact.name).where(Contact.customer_id == customer)))
        for customer in (kept, merged)
    }
    assert names == {kept: sorted(["王敏", "新来者"]), merged: sorted(["李强", "赵云"])}
    assert db.session.scalar(select(CustomerAlias.id).where(CustomerAlias.customer_id == kept)) is None
    with pytest.raises(Conflict), transaction():
        undo_merge(merge_id, hanna)


def test_merges_upon_merges_are_undone_from_the_last(app: Flask, world: World) -> None:
    a, b, c = (world.customer_id(key) for key in ("maotai", "wuliang", "yanghe"))
    hanna = world.actor("hanna")
    with transaction():
        first = merge_customers(MergeInput(b, a), hanna).id
    with transaction():
        second = merge_customers(MergeInput(c, b), hanna).id
    with pytest.raises(Conflict), transaction():
        undo_merge(first, hanna)
    with transaction():
        undo_merge(second, hanna)
    with transaction():
        undo_merge(first, hanna)
    assert set(db.session.scalars(select(Customer.status).where(Customer.id.in_([a, b, c])))) == {"active"}


def test_every_reference_says_what_a_merge_does_with_it(app: Flask) -> None:
    names = {reference.name for reference in customer_references() if reference.on_merge == MOVE}
    assert {"contact.customer_id", "purchase.customer_id", "document.customer_id", "interaction.customer_id"} <= names


def test_the_trace_names_every_row(app: Flask, world: World) -> None:
    kept, merged = _filled(world)
    people = set(db.session.scalars(select(Contact.id).where(Contact.customer_id == merged)))
    with transaction():
        merge_customers(MergeInput(kept, merged), world.actor("hanna"))
    traced = set(
        db.session.scalars(
            select(CustomerMergeRow.row_id).where(
                CustomerMergeRow.table_name == "contact", CustomerMergeRow.column_name == "customer_id"
            )
        )
    )
    assert traced == people
    assert db.session.scalar(select(Product.id)) is not None
