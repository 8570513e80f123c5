"""Basic information of a customer with a dossier changes by request only, whatever writes customers."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from plugins.archive.copies.models import ArchiveCopy
from plugins.archive.dossiers import changes, services
from plugins.archive.dossiers.fields import values_of
from plugins.archive.dossiers.models import ArchiveFile, Dossier
from plugins.archive.lookups.models import PAPER, ArchiveAccess, ArchiveGrant
from portal.audit.models import AuditEntry
from portal.core.errors import Conflict, Invalid
from portal.core.transaction import transaction
from portal.customers.inputs import CustomerInput, PersonInput
from portal.customers.merging.models import CustomerMerge
from portal.customers.merging.services import MergeInput, merge_customers, undo_merge
from portal.customers.models import Customer
from portal.customers.services import change_customer, create_customer
from portal.customers.services.customers import input_of
from portal.extensions import db
from portal.notifications.models import Notice
from portal.org.actor import SYSTEM
from tests.archive_world import add_file, approve_all, granted, reserved
from tests.functional.test_import_customers import gbk, last_batch, wizard
from tests.world import World

pytestmark = pytest.mark.db
HELD = "This customer has a dossier"


def open_dossier(customer_id: int) -> None:
    with transaction():
        services.open_dossier(customer_id, SYSTEM)


def customer(customer_id: int) -> Customer:
    db.session.expire_all()
    return db.session.get_one(Customer, customer_id)


def edit(customer_id: int, who: Any, **values: Any) -> None:
    with transaction():
        change_customer(customer_id, replace(input_of(customer(customer_id)), **values), who)


def test_an_import_refuses_the_rows_in_the_dry_run_when_writing_and_when_taken_back(
    client: FlaskClient, world: World
) -> None:
    maotai, wuliang, yanghe = (world.customer_id(name) for name in ("maotai", "wuliang", "yanghe"))
    open_dossier(maotai)
    world.login(client, "hanna")
    rows = [
        ["客户名称", "地址", "需求特征"],
        ["贵州茅台", "虚构路 1 号", ""],
        ["五粮液", "虚构路 2 号", ""],
        ["洋河股份", "虚构路 3 号", ""],
    ]
    batch_id = wizard(client, gbk(rows))
    assert (last_batch().counts["update"], last_batch().counts["refused_rows"]) == (2, 1)
    assert HELD in client.get(f"/imports/{batch_id}").text
    # A dossier that is opened between the dry run and the import holds its customer too; the others are written.
    open_dossier(wuliang)
    assert HELD in client.post(f"/imports/{batch_id}/run", follow_redirects=True).text
    assert [customer(one).address for one in (maotai, wuliang, yanghe)] == ["", "", "虚构路 3 号"]
    # Taking back would change the address as well.
    open_dossier(yanghe)
    assert HELD in client.post(f"/imports/{batch_id}/undo", follow_redirects=True).text
    assert customer(yanghe).address == "虚构路 3 号"
    # What changes daily stays free.
    wizard(client, gbk([["客户名称", "需求特征"], ["贵州茅台", "节日集中采购"]]))
    client.post(f"/imports/{last_batch().id}/run")
    assert customer(maotai).demand == "节日集中采购"


@pytest.mark.parametrize("who", ["anna", "hanna", "boss"])
def test_no_rank_edits_it_and_the_form_says_where_to_ask(who: str, client: FlaskClient, world: World) -> None:
    maotai = world.customer_id("maotai")
    open_dossier(maotai)
    with pytest.raises(Invalid) as caught:
        edit(maotai, world.actor(who), address="elsewhere", name="茅台", demand="more")
    assert [field for field, _text in caught.value.errors] == ["address", "name"]
    assert (customer(maotai).name, customer(maotai).demand) == ("贵州茅台", "")
    world.login(client, who)
    page = client.get(f"/customers/{maotai}/edit").text
    assert HELD in page
    assert f"/archive/dossiers/{maotai}/changes/new" in page
    assert 'name="address"' not in page
    assert 'name="demand"' in page
    version = customer(maotai).version
    sent = {"version": version, "demand": "daily things", "address": "elsewhere", "status": "active"}
    assert client.post(f"/customers/{maotai}/edit", data=sent).status_code == 302
    assert (customer(maotai).address, customer(maotai).demand) == ("", "daily things")


def test_a_merge_keeps_the_values_of_the_record_with_the_dossier(client: FlaskClient, world: World) -> None:
    maotai, wuliang, hanna = world.customer_id("maotai"), world.customer_id("wuliang"), world.actor("hanna")
    edit(wuliang, hanna, address="虚构路 2 号", industry="白酒")
    open_dossier(maotai)
    world.login(client, "hanna")
    assert HELD in client.get(f"/customers/merge/?a={maotai}&b={wuliang}").text
    taken = {"address": "merged", "industry": "merged"}
    form = {"kept": maotai, "merged": wuliang, "field_address": "merged"}
    assert client.post("/customers/merge/preview", data=form).status_code == 400
    with pytest.raises(Invalid) as caught, transaction():
        merge_customers(MergeInput(maotai, wuliang, taken), hanna)
    assert [field for field, _text in caught.value.errors] == ["industry", "address"]
    assert customer(wuliang).status == "active"
    # The other way round the dossier comes along and brings its values; the kept record's own must not stand in it.
    with pytest.raises(Invalid), transaction():
        merge_customers(MergeInput(wuliang, maotai, {"name": "kept"}), hanna)
    held = ("name", "short_name", "kind", "credit_code", "industry", "size_class", "region", "address")
    with transaction():
        merge_id = merge_customers(MergeInput(wuliang, maotai, dict.fromkeys(held, "merged")), hanna).id
    assert (customer(wuliang).name, customer(wuliang).address) == ("贵州茅台", "")
    with transaction():
        undo_merge(merge_id, hanna)
    assert (customer(wuliang).name, customer(maotai).name) == ("五粮液", "贵州茅台")


def test_a_merge_says_what_becomes_of_the_dossiers_ends_their_grants_and_is_written_down_in_both(
    app: Any, client: FlaskClient, world: World
) -> None:
    maotai, wuliang, hanna = world.customer_id("maotai"), world.customer_id("wuliang"), world.actor("hanna")
    world.login(client, "hanna")
    both = {"kept": maotai, "merged": wuliang}
    open_dossier(maotai)
    assert "ARC-" not in client.post("/customers/merge/preview", data=both).text
    open_dossier(wuliang)
    numbers = {row.customer_id: row.number for row in db.session.scalars(select(Dossier))}
    add_file(maotai)
    theirs = [add_file(wuliang), add_file(wuliang)]
    # What was approved for the files of one side must not show those of the other.
    looking, paper = granted(app, world, "ben", "maotai"), granted(app, world, "anna", "wuliang", PAPER)
    copy_id = reserved(world, paper)

    said = client.post("/customers/merge/preview", data=both).text
    assert f"The files of {numbers[wuliang]} (in force: 2) join those of {numbers[maotai]} (in force: 1)" in said
    assert f"afterwards 3 lie in {numbers[maotai]}" in said
    assert "grants that are open now end (2)" in said
    assert "archive_" not in said, "a table is called by its name for people"
    with transaction():
        merge_id = merge_customers(MergeInput(maotai, wuliang), hanna).id
    assert set(db.session.scalars(select(ArchiveFile.customer_id))) == {maotai}
    for grant_id in (looking, paper):
        grant = db.session.get_one(ArchiveGrant, grant_id)
        assert (grant.ended_how, grant.ended_by_id) == ("revoked", hanna.user_id)
        assert numbers[wuliang] in grant.ended_why
    assert db.session.get_one(ArchiveCopy, copy_id).state == "cancelled"
    assert world.user("paula").id in db.session.scalars(select(Notice.user_id).where(Notice.kind == "archive.dossier"))
    assert written("archive:dossier:join", "joined") == {maotai, wuliang}

    with transaction():
        undo_merge(merge_id, hanna)
    assert [db.session.get_one(ArchiveFile, file_id).customer_id for file_id in theirs] == [wuliang, wuliang]
    assert db.session.get_one(ArchiveGrant, looking).ended_how == "revoked"
    assert written("archive:dossier:part", "parted") == {maotai, wuliang}
    world.login(client, "hanna")
    log = client.get("/archive/lookups/log").text
    assert log.count("Dossiers joined by a merge") == log.count("Dossiers parted again") == 3  # two rows, one filter


def written(action: str, kind: str) -> set[int | None]:
    """The customers in whose trail and list of who looked something stands."""
    trail = set(db.session.scalars(select(AuditEntry.customer_id).where(AuditEntry.action == action)))
    assert trail == set(db.session.scalars(select(ArchiveAccess.customer_id).where(ArchiveAccess.kind == kind)))
    return trail


def test_a_merge_is_not_undone_over_a_dossier_that_was_opened_since(world: World) -> None:
    maotai, wuliang, hanna = world.customer_id("maotai"), world.customer_id("wuliang"), world.actor("hanna")
    edit(wuliang, hanna, address="虚构路 2 号")
    with transaction():
        merge_id = merge_customers(MergeInput(maotai, wuliang, {"address": "merged"}), hanna).id
    open_dossier(maotai)
    with pytest.raises(Conflict) as caught, transaction():
        undo_merge(merge_id, hanna)
    assert HELD in str(caught.value.message)
    assert customer(maotai).address == "虚构路 2 号"
    assert db.session.get_one(CustomerMerge, merge_id).undone_at is None


def test_facts_of_a_person_are_asked_for_posted_and_go_with_the_consent(
    app: Any, client: FlaskClient, world: World
) -> None:
    anna = world.actor("anna")
    facts = PersonInput(
        occupation="教师", purpose="送货", consent="当面同意", consented_on=date(2026, 1, 5), home_address="虚构路 5 号"
    )
    with transaction():
        made = create_customer(
            CustomerInput(party="person", kind="end_user", name="周某", phone="13800138000", person=facts), anna
        ).id
    open_dossier(made)
    with pytest.raises(Invalid) as caught:
        edit(made, anna, person=replace(facts, home_address="虚构路 6 号"))
    assert [field for field, _text in caught.value.errors] == ["home_address"]
    # Asked for on the page, where the number that is there stays masked.
    world.login(client, "anna")
    path = f"/archive/dossiers/{made}/changes/new"
    page = client.get(path).text
    assert 'value="教师"' in page
    assert "13800138000" not in page
    assert 'name="credit_code"' not in page
    sent = {**values_of(customer(made)), "phone": "138****8000", "home_address": "虚构路 6 号", "birth_year": "75"}
    sent |= {"party": "person", "reason": "told on the phone", "token": secrets.token_hex(8)}
    assert "Enter a year such as 1975." in client.post(path, data=sent).text
    answer = client.post(path, data={**sent, "birth_year": "1975"})
    assert answer.status_code == 302, answer.text
    approve_all(app, int(answer.location.rsplit("/", 1)[1]))
    person = customer(made).person
    assert person is not None
    assert (person.birth_year, person.home_address, person.occupation) == (1975, "虚构路 6 号", "教师")
    assert customer(made).phone == "+8613800138000"
    # Whoever takes the consent back takes the facts with it, at once.
    edit(made, anna, person=None)
    assert customer(made).person is None


def test_organisations_have_no_facts_of_persons(world: World) -> None:
    maotai = world.customer_id("maotai")
    data = changes.ChangeInput({"sex": "female", "industry": "白酒"}, "t1", maotai, reason="seen")
    with transaction():
        request = changes.file_change(data, world.actor("anna"))
        assert changes.load_change(int(request.payload["change"])).after == {"industry": "白酒"}


def test_the_page_of_a_customer_one_may_not_see_leads_to_a_look_up(client: FlaskClient, world: World) -> None:
    fenjiu = world.customer_id("fenjiu")
    world.login(client, "anna")
    page = client.get(f"/customers/{fenjiu}")
    assert page.status_code == 403
    assert f"/archive/lookups/new?customer={fenjiu}" in page.text
    asked = client.get(f"/archive/lookups/new?customer={fenjiu}")
    assert asked.status_code == 200
    assert "山西汾酒" in asked.text
