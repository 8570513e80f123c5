"""Properties: a merge and its undo leave the same database; an import is idempotent, and its undo takes all back."""

from __future__ import annotations

import io
import itertools
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from portal.core.transaction import transaction
from portal.customers import services
from portal.customers.importing import jobs as import_jobs
from portal.customers.importing import reading
from portal.customers.importing import services as imports
from portal.customers.importing.models import BatchState, ImportBatch
from portal.customers.inputs import ContactInput, NextStepInput, PhoneInput
from portal.customers.merging.fields import FIELD_KEYS
from portal.customers.merging.services import MergeInput, merge_customers, undo_merge
from portal.customers.models import Contact, Customer, CustomerAlias
from portal.customers.references import MOVE, customer_references
from portal.customers.search_index import index_customers
from portal.extensions import db
from portal.purchases.models import Product
from portal.purchases.services import LineInput, ProductInput, PurchaseInput, create_product, record_purchase
from tests.world import World

#: What a merge and an import leave behind on purpose, and versions, which only grow.
LEFT_OUT = ("audit_", "customer_merge", "import_", "job_", "notice", "outbox")
GROWING = {"version", "updated_at", "updated_by_id"}
#: Tables of running sums: a sum of nothing may stay behind as a row, and rows may be new ones.
RUNNING_SUMS = {"purchase_group_month": "count", "key_accounts_portfolio_group": "customers"}
#: Sums that say when they were last computed.
COMPUTED = {"key_accounts_measure": {"changed_at"}}
SETTINGS = settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def dump() -> dict[str, list[str]]:
    """The content of the whole database but for what is left out."""
    db.session.expire_all()
    found = {}
    for table in db.metadata.sorted_tables:
        if not table.name.startswith(LEFT_OUT):
            left_out = GROWING | COMPUTED.get(table.name, set()) | ({"id"} if table.name in RUNNING_SUMS else set())
            statement = select(*(column for column in table.columns if column.name not in left_out))
            if table.name in RUNNING_SUMS:
                statement = statement.where(table.c[RUNNING_SUMS[table.name]] != 0)
            found[table.name] = sorted(str(tuple(row)) for row in db.session.execute(statement))
    return found


def _differences(before: dict[str, list[str]], after: dict[str, list[str]]) -> dict[str, tuple[set[str], set[str]]]:
    """Table → (rows that are gone, rows that are new)."""
    return {
        name: (set(before[name]) - set(after[name]), set(after[name]) - set(before[name]))
        for name in before
        if before[name] != after[name]
    }


@pytest.fixture
def pair(app: Flask, world: World) -> tuple[int, int]:
    with transaction():
        create_product(ProductInput("P-1", "样酒", "白酒", "high", Decimal("100"), Decimal("60")), world.actor("boss"))
    return world.customer_id("maotai"), world.customer_id("wuliang")


things = st.lists(
    st.tuples(
        st.sampled_from(["contact", "step", "purchase", "alias", "watch", "refer"]), st.booleans(), st.integers(0, 4)
    ),
    max_size=10,
)
chosen = st.dictionaries(st.sampled_from(sorted(FIELD_KEYS)), st.sampled_from(["kept", "merged"]))
NUMBERS = itertools.count(1)


def _add(world: World, customer_id: int, what: str, number: int) -> None:
    """Give a customer one thing."""
    anna = world.actor("anna")

    if what == "contact":
        services.add_contact(
            customer_id, ContactInput(name=f"联系人{number}", phones=(PhoneInput("13800138000"),)), anna
        )
    elif what == "step":
        services.plan_step(customer_id, NextStepInput(f"下一步{number}", date(2026, 12, 1 + number)), anna)
    elif what == "purchase":
        product = db.session.scalars(select(Product.id)).first()
        line = LineInput(product, 1 + number, Decimal("10.50"))
        record_purchase(PurchaseInput(customer_id, f"N-{next(NUMBERS)}", date(2026, 2, 1), (line,)), anna)
    elif what == "alias":
        there = select(CustomerAlias.id).where(
            CustomerAlias.customer_id == customer_id, CustomerAlias.alias == f"别名{number}"
        )
        if db.session.scalar(there) is None:
            db.session.add(CustomerAlias(customer_id=customer_id, alias=f"别名{number}"))
            db.session.flush()
            index_customers([customer_id])
    elif what == "watch":
        services.set_favourite([customer_id], True, world.actor(["anna", "hanna", "hugo", "boss", "ben"][number]))
    else:
        other = db.session.get_one(Customer, world.customer_id("yanghe"))
        other.referrer_id = customer_id
    db.session.flush()


@SETTINGS
@given(
    things=things, choices=chosen, values=st.tuples(st.text("甲乙丙丁", max_size=3), st.text("甲乙丙丁", max_size=3))
)
def test_a_merge_and_its_undo_leave_the_same_database(
    world: World, pair: tuple[int, int], things: Any, choices: dict[str, str], values: tuple[str, str]
) -> None:
    kept, merged = pair
    hanna = world.actor("hanna")
    with transaction():
        for what, to_kept, number in things:
            _add(world, kept if to_kept else merged, what, number)
        db.session.get_one(Customer, kept).address = values[0]
        db.session.get_one(Customer, merged).address = values[1]
    before = dump()
    ids = {r.name: set(db.session.scalars(select(r.table.c.id))) for r in customer_references() if r.on_merge == MOVE}
    with transaction():
        merge_id = merge_customers(MergeInput(kept, merged, choices), hanna).id
    # Nothing is lost: every row is there still, and all that could move belongs to the kept record.
    for reference in customer_references():
        if reference.on_merge == MOVE:
            assert ids[reference.name] <= set(db.session.scalars(select(reference.table.c.id)))
    left = set(db.session.scalars(select(Contact.customer_id)))
    assert merged not in left
    with transaction():
        undo_merge(merge_id, hanna)
    assert _differences(before, dump()) == {}


names = st.text(alphabet="甲乙丙丁戊己庚辛壬癸", min_size=1, max_size=4)
rows = st.lists(
    st.tuples(
        names,
        st.sampled_from(["", "广东省", "深圳", "火星"]),
        st.sampled_from(["", "甲路", "乙路"]),
        st.one_of(st.just(""), names),
    ),
    min_size=1,
    max_size=12,
)


class Context:
    """A job's context without a job."""

    def __init__(self, actor: Any) -> None:
        self.actor = actor

    def progress(self, *_arguments: object) -> None:
        """Nobody looks."""

    def cancelled(self) -> bool:
        """Never."""
        return False

    def check_cancelled(self) -> None:
        """Never."""


def _import(world: World, content: bytes, policy: str) -> ImportBatch:
    """An import from file to result without pages."""
    anna = world.actor("anna")
    target = imports.target_of("customers")
    with transaction():
        batch = imports.create_batch(target, "a.xlsx", content, "xlsx", anna)
        batch.headers_json = reading.dump(["名称", "地区", "地址", "联系人"])
        batch.sheet = "Sheet"
        batch.mapping_json = reading.dump({"0": "name", "1": "region", "2": "address", "3": "contact_name"})
        batch.options_json = reading.dump({"policy": policy, "defaults": {"kind": "dealer"}})
        batch.state = BatchState.CHECKING.value
        batch_id = batch.id
    import_jobs.check(Context(anna), batch_id)  # type: ignore[arg-type]
    with transaction():
        db.session.get_one(ImportBatch, batch_id).state = BatchState.RUNNING.value
    import_jobs.run(Context(anna), batch_id)  # type: ignore[arg-type]
    return db.session.get_one(ImportBatch, batch_id)


@SETTINGS
@given(rows=rows, policy=st.sampled_from(["update", "skip", "create"]), size=st.sampled_from([1, 3, 1000]))
def test_the_same_file_twice_changes_nothing_and_undo_takes_all_back(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, rows: Any, policy: str, size: int
) -> None:
    monkeypatch.setattr(imports, "ATOMIC_ROWS", 0)
    monkeypatch.setattr(imports, "CHUNK", size)
    book = openpyxl.Workbook()
    book.active.append(["名称", "地区", "地址", "联系人"])
    for row in rows:
        book.active.append(list(row))
    stream = io.BytesIO()
    book.save(stream)
    before = dump()
    first = _import(world, stream.getvalue(), policy)
    first_id, counts = first.id, first.counts
    assert counts["rows"] == len([row for row in rows if any(row)])
    after = dump()
    second = _import(world, stream.getvalue(), policy)
    assert (second.counts["created"], second.counts["updated"]) == (0, 0)
    assert _differences(after, dump()) == {}
    with transaction():
        db.session.get_one(ImportBatch, first_id).state = BatchState.UNDOING.value
    import_jobs.undo(Context(world.actor("anna")), first_id)  # type: ignore[arg-type]
    assert _differences(before, dump()) == {}
