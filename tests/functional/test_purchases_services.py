"""Products and purchases: rules, sums, histories."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select

from portal.audit.models import AuditEntry
from portal.core import clock
from portal.core.errors import Conflict, Invalid, NotAllowed
from portal.core.transaction import transaction
from portal.customers.groups import asked_of_groups
from portal.customers.models import Customer
from portal.extensions import db
from portal.purchases import summaries
from portal.purchases.models import Product, Purchase, PurchaseGroupMonth, PurchaseMonth
from portal.purchases.services import (
    LineInput,
    ProductInput,
    PurchaseInput,
    cancel_purchase,
    change_product,
    change_purchase,
    create_product,
    mark_paid,
    offer_product,
    record_purchase,
    record_purchases,
    restore_purchase,
)
from tests.world import World

NOW = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _time() -> Any:
    with clock.frozen(NOW):
        yield


def product(world: World, code: str = "A-1", grade: str = "high", price: str = "100.00", cost: str = "60.00") -> int:
    with transaction():
        made = create_product(
            ProductInput(code, f"茅台 {code}", "酒", grade, Decimal(price), Decimal(cost), "瓶"), world.actor("hugo")
        )
        return made.id


def purchase(
    world: World, lines: list[LineInput], number: str = "P-1", day: date = date(2026, 3, 1), **more: Any
) -> int:
    customer = more.pop("customer", "maotai")
    login = more.pop("login", "anna")
    with transaction():
        data = PurchaseInput(world.customer_id(customer), number, day, tuple(lines), **more)
        return record_purchase(data, world.actor(login)).id


def fields_of(error: pytest.ExceptionInfo[Invalid]) -> set[str]:
    return {field for field, _message in error.value.errors}


def test_total_cost_and_grade_share_come_from_the_lines(world: World) -> None:
    high, plain = product(world), product(world, "B-1", "ordinary", "9.99", "5.01")
    key = purchase(
        world, [LineInput(high, 3, Decimal("99.50"), Decimal("0.50")), LineInput(plain, 10, None)], number="P-7"
    )
    kept = db.session.get_one(Purchase, key)
    assert kept.total == Decimal("298.00") + Decimal("99.90")
    assert kept.cost == Decimal("180.00") + Decimal("50.10")
    assert kept.total_high_middle == Decimal("298.00")
    assert [line.amount for line in kept.lines] == [Decimal("298.00"), Decimal("99.90")]


def test_discount_on_the_order_is_spread_to_the_fen(world: World) -> None:
    one = product(world)
    key = purchase(world, [LineInput(one, 1, Decimal("10.00"))] * 3, discount=Decimal("0.10"))
    kept = db.session.get_one(Purchase, key)
    assert [line.discount for line in kept.lines] == [Decimal("0.04"), Decimal("0.03"), Decimal("0.03")]
    assert kept.total == Decimal("29.90")


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (LineInput(None, 1), "lines-0-product_id"),
        (LineInput(999999, 1), "lines-0-product_id"),
        (LineInput(1, None), "lines-0-quantity"),
        (LineInput(1, 0), "lines-0-quantity"),
        (LineInput(1, 1, Decimal("-1")), "lines-0-unit_price"),
        (LineInput(1, 1, Decimal("0.001")), "lines-0-unit_price"),
        (LineInput(1, 1, Decimal("NaN")), "lines-0-unit_price"),
        (LineInput(1, 1, Decimal("5"), Decimal("5.01")), "lines-0-discount"),
        (LineInput(1, 10_000_000, Decimal("9999.00")), "lines-0-quantity"),
    ],
)
def test_bad_lines_are_refused_beside_their_field(world: World, line: LineInput, field: str) -> None:
    first = product(world)
    if line.product_id == 1:
        line = LineInput(first, line.quantity, line.unit_price, line.discount)
    with pytest.raises(Invalid) as error:
        purchase(world, [line])
    assert fields_of(error) == {field}
    assert not db.session.scalar(select(func.count()).select_from(Purchase))


def test_bad_heads_are_refused(world: World) -> None:
    line = [LineInput(product(world), 1)]
    purchase(world, line)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"number": "P-1"}, "number"),
        ({"number": ""}, "number"),
        ({"number": "x" * 61}, "number"),
        ({"day": date(203, 1, 1)}, "purchased_on"),
        ({"day": date(2026, 3, 11)}, "purchased_on"),
        ({"day": None}, "purchased_on"),
        ({"paid_on": date(2026, 2, 1)}, "paid_on"),
        ({"paid_on": date(2026, 3, 11)}, "paid_on"),
        ({"remarks": "x" * 1001}, "remarks"),
        ({"discount": Decimal("100.01")}, "discount"),
    ]
    for change, field in cases:
        with pytest.raises(Invalid) as error:
            purchase(world, line, **{"number": "P-2", **change})
        assert fields_of(error) == {field}, change
    with pytest.raises(Invalid) as error:
        purchase(world, [], number="P-3")
    assert fields_of(error) == {"lines"}


def test_a_cost_too_large_to_add_up_is_refused(world: World) -> None:
    dear = product(world, "C-1", "high", "0.01", "9999999999.99")
    with pytest.raises(Invalid) as error:
        purchase(world, [LineInput(dear, 1000)])
    assert fields_of(error) == {"lines"}


def test_change_keeps_cost_and_grade_of_the_day(world: World) -> None:
    key = product(world)
    made = purchase(world, [LineInput(key, 2)])
    with transaction():
        change_product(
            key,
            ProductInput("A-1", "茅台", "酒", "ordinary", Decimal("200"), Decimal("150")),
            1,
            world.actor("hugo"),
        )
    version = db.session.get_one(Purchase, made).version
    data = PurchaseInput(
        world.customer_id("maotai"), "P-1", date(2026, 3, 1), (LineInput(key, 2, Decimal("100")),), remarks="改"
    )
    with transaction():
        change_purchase(made, data, version, world.actor("anna"))
    kept = db.session.get_one(Purchase, made)
    assert (kept.cost, kept.total_high_middle, kept.remarks) == (Decimal("120.00"), Decimal("200.00"), "改")


def test_second_editor_gets_both_versions_even_when_only_lines_differ(world: World) -> None:
    one, two = product(world), product(world, "B-1")
    made = purchase(world, [LineInput(one, 1)])
    customer = world.customer_id("maotai")
    first = PurchaseInput(customer, "P-1", date(2026, 3, 1), (LineInput(two, 1),))
    with transaction():
        change_purchase(made, first, 1, world.actor("anna"))
    second = PurchaseInput(customer, "P-1", date(2026, 3, 1), (LineInput(one, 5),))
    with pytest.raises(Conflict) as error, transaction():
        change_purchase(made, second, 1, world.actor("hanna"))
    details = error.value.details
    assert details["theirs"]["lines"] == ["B-1 × 1 × 100.00"]
    assert details["mine"]["lines"] == ["A-1 × 5"]
    assert details["changed_by"] == "安娜"
    assert db.session.get_one(Purchase, made).total == Decimal("100.00")


def test_the_customer_of_a_purchase_stays(world: World) -> None:
    key = product(world)
    made = purchase(world, [LineInput(key, 1)])
    data = PurchaseInput(world.customer_id("wuliang"), "P-1", date(2026, 3, 1), (LineInput(key, 1),))
    with pytest.raises(Invalid) as error, transaction():
        change_purchase(made, data, 1, world.actor("anna"))
    assert fields_of(error) == {"customer_id"}


def test_withdrawn_products_stay_on_old_purchases_only(world: World) -> None:
    key = product(world)
    made = purchase(world, [LineInput(key, 1)])
    with transaction():
        offer_product(key, False, world.actor("hugo"))
    with pytest.raises(Invalid) as error:
        purchase(world, [LineInput(key, 1)], number="P-2")
    assert fields_of(error) == {"lines-0-product_id"}
    data = PurchaseInput(world.customer_id("maotai"), "P-1", date(2026, 3, 1), (LineInput(key, 4),))
    with transaction():
        change_purchase(made, data, 1, world.actor("anna"))
    assert db.session.get_one(Purchase, made).total == Decimal("400.00")


def test_only_those_who_may_edit_the_customer_record_purchases(world: World) -> None:
    line = [LineInput(product(world), 1)]
    for login in ("ben", "cara", "hector", "admin", "audrey"):
        with pytest.raises(NotAllowed):
            purchase(world, line, login=login)
    for number, login in enumerate(("anna", "hanna", "dora", "hugo", "boss")):
        purchase(world, line, login=login, number=f"P-{number}")


def test_only_leaders_change_products(world: World) -> None:
    data = ProductInput("Z-1", "新", "", "high", Decimal("1"), Decimal("1"))
    for login in ("anna", "admin", "audrey"):
        with pytest.raises(NotAllowed), transaction():
            create_product(data, world.actor(login))
    with transaction():
        create_product(data, world.actor("boss"))
    with pytest.raises(Invalid) as error, transaction():
        create_product(data, world.actor("boss"))
    assert fields_of(error) == {"code"}


def test_payment_cancellation_and_restoration(world: World) -> None:
    made = purchase(world, [LineInput(product(world), 1)])
    actor, customer = world.actor("anna"), world.customer_id("maotai")

    def sums() -> tuple[Decimal, int, int]:
        db.session.expire_all()
        row = db.session.get_one(Customer, customer)
        months = db.session.scalar(
            select(func.count()).select_from(PurchaseMonth).where(PurchaseMonth.customer_id == customer)
        )
        return row.total_12m, row.purchase_count, months or 0

    assert sums() == (Decimal("100.00"), 1, 1)
    for day in (date(2026, 2, 28), date(2026, 3, 11), None):
        with pytest.raises(Invalid), transaction():
            mark_paid(made, day, actor)
    with transaction():
        mark_paid(made, date(2026, 3, 9), actor)
    with pytest.raises(Conflict), transaction():
        mark_paid(made, date(2026, 3, 9), actor)
    with pytest.raises(Invalid), transaction():
        cancel_purchase(made, "  ", actor)
    with transaction():
        cancel_purchase(made, "重复录入", actor)
    assert sums() == (Decimal("0.00"), 0, 0)
    with pytest.raises(Conflict), transaction():
        cancel_purchase(made, "again", actor)
    with transaction():
        restore_purchase(made, "没有重复", actor)
    assert sums() == (Decimal("100.00"), 1, 1)
    actions = db.session.scalars(
        select(AuditEntry.action).where(AuditEntry.object_type == "purchase").order_by(AuditEntry.seq)
    ).all()
    assert actions == [f"purchases:purchase:{verb}" for verb in ("create", "pay", "cancel", "restore")]


def test_many_at_once_tell_listeners_once(world: World, app: Any) -> None:
    from portal.hookspecs import hookimpl

    heard: list[list[int]] = []

    class Listener:
        @hookimpl
        def purchases_changed(self, customer_ids: Any, actor: Any) -> None:
            heard.append(list(customer_ids))

    app.extensions["portal_plugins"].pluggy.register(Listener())
    key = product(world)
    ids = [world.customer_id(name) for name in ("maotai", "wuliang")]
    inputs = [PurchaseInput(ids[n % 2], f"N-{n}", date(2026, 1, n + 1), (LineInput(key, 1),)) for n in range(6)]
    with transaction():
        assert len(record_purchases(inputs, world.actor("hanna"))) == 6
    assert heard == [sorted(ids)]


def test_sums_age_in_the_night(world: World) -> None:
    from portal.purchases.jobs import age_sums

    key = product(world)
    purchase(world, [LineInput(key, 1)], number="old", day=date(2025, 3, 11))
    purchase(world, [LineInput(key, 2)], number="new", day=date(2026, 3, 1))
    customer = world.customer_id("maotai")
    assert db.session.get_one(Customer, customer).total_12m == Decimal("300.00")
    version = db.session.get_one(Customer, customer).version
    with clock.frozen(NOW + timedelta(days=1)):
        assert summaries.stale_customers(date(2025, 2, 1), 10) == [customer]
        assert age_sums(_Context()) == {"customers": 1}
        db.session.expire_all()
        row = db.session.get_one(Customer, customer)
        assert (row.total_12m, row.version) == (Decimal("200.00"), version)
        assert summaries.stale_customers(date(2025, 2, 1), 10) == []


class _Context:
    """As much of a job's context as the nightly job uses."""

    def progress(self, done: int, total: int | None = None, label: object = "") -> None:
        """Nobody looks."""

    def check_cancelled(self) -> None:
        """Nobody cancels."""


def test_command_mends_what_was_changed_behind_our_back(world: World, app: Any) -> None:
    key = product(world)
    purchase(world, [LineInput(key, 1)])
    with transaction() as session:
        session.get_one(Customer, world.customer_id("maotai")).total_12m = Decimal("7")
        session.query(PurchaseMonth).delete()
    result = app.test_cli_runner().invoke(args=["purchases", "rebuild-summaries"])
    assert "6 customers checked, 1 corrected." in result.output
    db.session.expire_all()
    assert db.session.get_one(Customer, world.customer_id("maotai")).total_12m == Decimal("100.00")
    assert db.session.scalars(select(PurchaseMonth.total)).all() == [Decimal("100.00")]


def test_products_are_found_by_name_pinyin_initials_and_code(world: World) -> None:
    from portal.purchases.queries import find_products, product_named

    product(world, "A-1")
    with transaction():
        create_product(
            ProductInput("TEA-9", "武夷岩茶", "茶", "middle", Decimal("8"), Decimal("5")), world.actor("boss")
        )
    for text in ("岩茶", "wuyiyancha", "wyyc", "tea-9", "TEA", "巖茶"):
        assert [found.code for found in find_products(text)] == ["TEA-9"], text
    assert product_named("wyyc") is not None
    assert product_named("100%") is None
    assert db.session.scalar(select(func.count()).select_from(Product)) == 2


def _groups() -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """The kept sums by group, those that are zero left out."""
    from portal.purchases.models import PurchaseGroupMonth as Group

    rows = db.session.execute(
        select(
            Group.department_id, Group.account_manager_id, Group.status, Group.year, Group.month,
            Group.total, Group.cost, Group.total_high_middle, Group.count,
        )
    )  # fmt: skip
    return {tuple(row[:5]): tuple(row[5:]) for row in rows if row[8]}


def _recomputed() -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """The same out of the months of single customers."""
    found: dict[tuple[Any, ...], list[Any]] = {}
    for month, customer in db.session.execute(
        select(PurchaseMonth, Customer).join(Customer, Customer.id == PurchaseMonth.customer_id)
    ):
        key = (customer.department_id, customer.account_manager_id, customer.status, month.year, month.month)
        cell = found.setdefault(key, [Decimal(0), Decimal(0), Decimal(0), 0])
        for index, value in enumerate((month.total, month.cost, month.total_high_middle, month.count)):
            cell[index] += value
    return {key: tuple(cell) for key, cell in found.items()}


def test_sums_by_group_follow_customers_whoever_moves_them(world: World) -> None:
    from sqlalchemy import text

    key = product(world)
    for number, name in enumerate(("maotai", "wuliang", "yanghe", "orphan")):
        purchase(world, [LineInput(key, number + 1)], number=f"P-{number}", customer=name, login="boss")
    assert _groups() == _recomputed()
    assert len(_groups()) == 3
    maotai, cara = world.customer_id("maotai"), world.user("cara")
    with transaction() as session:
        customer = session.get_one(Customer, maotai)
        customer.account_manager_id, customer.department_id = cara.id, cara.department_id
    assert _groups() == _recomputed()
    with transaction() as session:
        # Behind the back of all services.
        session.execute(text("UPDATE customer SET account_manager_id = NULL"))
        session.execute(text("UPDATE customer SET status = 'inactive' WHERE id = :id"), {"id": maotai})
        session.execute(text("UPDATE purchase_month SET total = total + 5"))
    assert _groups() == _recomputed()
    with transaction() as session:
        session.execute(text("DELETE FROM purchase_group_month"))
        assert _groups() == {}
        summaries.rebuild_groups()
    assert _groups() == _recomputed() != {}


def test_only_conditions_on_what_groups_have_are_asked_of_groups(world: World, monkeypatch: Any) -> None:
    from sqlalchemy import exists, literal, text
    from sqlalchemy.orm import aliased

    from portal.core.permissions import visible
    from portal.org.models import User
    from portal.purchases import queries
    from portal.purchases.periods import period
    from portal.purchases.queries import sums

    key = product(world)
    for number, name in enumerate(("maotai", "yanghe", "fenjiu", "orphan")):
        purchase(world, [LineInput(key, number + 1)], number=f"P-{number}", customer=name, login="boss")
    span = period("", date(2026, 3, 10))
    by_groups = {}
    for login in ("boss", "hugo", "hanna", "anna", "cara", "audrey"):
        actor = world.actor(login)
        assert asked_of_groups(visible(actor, "customers.view"), PurchaseGroupMonth) is not None
        by_groups[login] = (queries.sales_by_month(actor, span).value, queries.sales_cube(actor, span).value)
    plain = Customer.department_id == 1
    other = aliased(Customer)
    for foreign in (
        plain & (Customer.id == 5),
        plain | (Customer.name == "x"),
        plain & Customer.id.in_(select(Customer.id)),
        plain & exists(select(literal(1)).select_from(User)),
        plain & (other.department_id == 2),
        plain & text("1 = 1"),
        plain & (User.id == Customer.account_manager_id),
    ):
        assert asked_of_groups(foreign, PurchaseGroupMonth) is None
    monkeypatch.setattr(sums, "asked_of_groups", lambda _condition, _groups: None)
    for login, answers in by_groups.items():
        actor = world.actor(login)
        single = (queries.sales_by_month(actor, span).value, queries.sales_cube(actor, span).value)
        assert single == answers, login
    assert by_groups["boss"][0]
    assert not by_groups["audrey"][0]


def test_writers_at_once_lose_nothing(world: World, app: Any) -> None:
    from concurrent.futures import ThreadPoolExecutor

    key, customer = product(world), world.customer_id("maotai")
    actor = world.actor("anna")
    db.session.remove()

    def write(number: int) -> None:
        with app.app_context(), transaction():
            data = PurchaseInput(customer, f"T-{number}", date(2026, 3, 1), (LineInput(key, 1),))
            record_purchase(data, actor)

    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(write, number) for number in range(12)]:
            done.result()
    row = db.session.get_one(Customer, customer)
    assert (row.total_12m, row.purchase_count) == (Decimal("1200.00"), 12)
    assert db.session.scalars(select(PurchaseMonth.total)).all() == [Decimal("1200.00")]
    assert _groups() == _recomputed()
