"""Properties of purchases: totals are the sums of their lines, summaries what an independent recomputation says."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from portal.core import clock
from portal.core.transaction import transaction
from portal.customers.models import Customer
from portal.extensions import db
from portal.purchases import queries, services, summaries
from portal.purchases.models import Purchase, PurchaseLine, PurchaseMonth
from portal.purchases.periods import Period
from portal.purchases.rhythm import rhythm_of
from portal.purchases.services import LineInput, ProductInput, PurchaseInput
from tests.world import World

NOW = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)
TODAY = date(2026, 3, 10)
SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]

amounts = st.decimals(min_value=0, max_value=Decimal("99999.99"), places=2)
quantities = st.integers(min_value=1, max_value=500)
#: Days around the edge of the twelve months, and others.
days = st.one_of(st.integers(min_value=0, max_value=800), st.sampled_from([364, 365, 366])).map(
    lambda back: TODAY - timedelta(days=back)
)


@pytest.fixture
def products(world: World) -> list[int]:
    grades = ("high", "middle", "ordinary")
    with clock.frozen(NOW), transaction():
        return [
            services.create_product(
                ProductInput(f"G-{grade}", grade, grade, grade, Decimal("12.34"), Decimal("5.67")), world.actor("boss")
            ).id
            for grade in grades
        ]


def _forget_purchases() -> None:
    with transaction() as session:
        for model in (PurchaseLine, Purchase, PurchaseMonth):
            session.execute(delete(model))
        summaries.refresh(list(session.scalars(select(Customer.id))))


@settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
@given(data=st.data())
def test_total_is_the_sum_of_the_lines(world: World, products: list[int], data: Any) -> None:
    lines = []
    for _number in range(data.draw(st.integers(1, 6))):
        quantity, price = data.draw(quantities), data.draw(amounts)
        discount = data.draw(st.decimals(min_value=0, max_value=price * quantity, places=2))
        lines.append(LineInput(data.draw(st.sampled_from(products)), quantity, price, discount))
    gross = sum((line.unit_price * line.quantity - line.discount for line in lines), Decimal(0))  # type: ignore[operator]
    whole = data.draw(st.decimals(min_value=0, max_value=gross, places=2))
    try:
        with clock.frozen(NOW), transaction():
            made = services.record_purchase(
                PurchaseInput(world.customer_id("maotai"), "X", TODAY, tuple(lines), discount=whole),
                world.actor("anna"),
            ).id
        kept = db.session.get_one(Purchase, made)
        assert kept.total == gross - whole == sum(line.amount for line in kept.lines)
        assert sum(line.discount for line in kept.lines) == whole + sum(line.discount for line in lines)
        assert kept.total_high_middle == sum(line.amount for line in kept.lines if line.grade != "ordinary")
        assert all(line.amount == line.unit_price * line.quantity - line.discount >= 0 for line in kept.lines)
        fen = db.session.connection().exec_driver_sql("SELECT sum(amount) FROM purchase_line").scalar()
        assert Decimal(fen).scaleb(-2) == kept.total
    finally:
        db.session.rollback()
        _forget_purchases()


@settings(max_examples=25, deadline=None, suppress_health_check=SLOW)
@given(data=st.data())
def test_summaries_are_true_after_any_history(world: World, products: list[int], data: Any) -> None:
    actor = world.actor("hugo")
    customers = [world.customer_id(key) for key in ("maotai", "wuliang", "fenjiu")]
    model: dict[int, dict[str, Any]] = {}
    try:
        with clock.frozen(NOW):
            for number in range(data.draw(st.integers(1, 12))):
                alive = [key for key, row in model.items() if not row["cancelled"]]
                dead = [key for key, row in model.items() if row["cancelled"]]
                step = data.draw(
                    st.sampled_from(
                        ["add", "add"] + ["change", "cancel", "pay"] * bool(alive) + ["restore"] * bool(dead)
                    )
                )
                if step == "add":
                    row = _drawn(data, products, data.draw(st.sampled_from(customers)))
                    with transaction():
                        key = services.record_purchase(_input(row, f"N{number}"), actor).id
                    model[key] = row | {"number": f"N{number}"}
                elif step == "change":
                    key = data.draw(st.sampled_from(alive))
                    row = _drawn(data, products, model[key]["customer"])
                    with transaction():
                        services.change_purchase(key, _input(row, model[key]["number"]), None, actor)
                    model[key].update(row)
                elif step == "pay":
                    key = data.draw(st.sampled_from(alive))
                    if db.session.get_one(Purchase, key).paid_on is None:
                        with transaction():
                            services.mark_paid(key, TODAY, actor)
                else:
                    key = data.draw(st.sampled_from(alive if step == "cancel" else dead))
                    change = services.cancel_purchase if step == "cancel" else services.restore_purchase
                    with transaction():
                        change(key, "x", actor)
                    model[key]["cancelled"] = step == "cancel"
            _compare(model, customers)
            _compare_sums(world, model)
    finally:
        db.session.rollback()
        _forget_purchases()


def _drawn(data: Any, products: list[int], customer: int) -> dict[str, Any]:
    return {
        "customer": customer,
        "day": data.draw(days),
        "total": data.draw(amounts),
        "better": (grade := data.draw(st.integers(0, 2))) < 2,
        "product": products[grade],
        "cancelled": False,
    }


def _input(row: dict[str, Any], number: str) -> PurchaseInput:
    return PurchaseInput(row["customer"], number, row["day"], (LineInput(row["product"], 1, row["total"]),))


def _compare(model: dict[int, dict[str, Any]], customers: list[int]) -> None:
    db.session.expire_all()
    counted = [row for row in model.values() if not row["cancelled"]]
    edge = date(2025, 3, 10)
    for customer in customers:
        mine = [row for row in counted if row["customer"] == customer]
        kept = db.session.get_one(Customer, customer)
        assert kept.total_12m == sum((row["total"] for row in mine if row["day"] > edge), Decimal(0))
        assert kept.purchase_count == len(mine)
        assert kept.last_purchase_on == max((row["day"] for row in mine), default=None)
        wanted: dict[tuple[int, int], list[Any]] = defaultdict(lambda: [Decimal(0), Decimal(0), Decimal(0), 0])
        for row in mine:
            cell = wanted[(row["day"].year, row["day"].month)]
            cell[0] += row["total"]
            cell[1] += Decimal("5.67")
            cell[2] += row["total"] if row["better"] else 0
            cell[3] += 1
        found = {
            (month.year, month.month): [month.total, month.cost, month.total_high_middle, month.count]
            for month in db.session.scalars(select(PurchaseMonth).where(PurchaseMonth.customer_id == customer))
        }
        assert found == dict(wanted)


def _compare_sums(world: World, model: dict[int, dict[str, Any]]) -> None:
    """What reports say to people who see different customers."""
    span = Period("", (2024, 1), (2026, 3))
    counted = [row for row in model.values() if not row["cancelled"]]
    names = {key: world.customer_id(key) for key in ("maotai", "wuliang", "fenjiu")}
    for login, seen in (
        ("boss", {"maotai", "wuliang", "fenjiu"}),
        ("anna", {"maotai", "wuliang"}),
        ("hector", {"fenjiu"}),
        ("ben", set()),
        ("audrey", set()),
    ):
        actor = world.actor(login)
        ids = {names[key] for key in seen}
        told = [row for row in counted if row["customer"] in ids and span.begin <= row["day"] <= span.end]
        wanted = sum((row["total"] for row in told), Decimal(0))
        by_month = sum((sums.total for sums in queries.sales_by_month(actor, span).value.values()), Decimal(0))
        cube = queries.sales_cube(actor, span).value
        by_product = sum((row.total for row in queries.sales_by_product(actor, span).value), Decimal(0))
        top = {row.customer_id: row.sums.total for row in queries.top_customers(actor, span).value}
        assert by_month == by_product == sum(top.values(), Decimal(0)) == wanted
        assert sum((sums.total for sums in cube.by_manager().values()), Decimal(0)) == wanted
        assert sum((sums.total for sums in cube.by_department().values()), Decimal(0)) == wanted
        assert set(top) <= ids


@given(st.lists(st.dates(date(2020, 1, 1), date(2026, 3, 1)), max_size=30))
def test_rhythm_lies_between_the_shortest_and_the_longest_gap(bought: list[date]) -> None:
    found = rhythm_of(bought, TODAY)
    distinct = sorted(set(bought))
    if len(distinct) < 3:
        assert found is None
        return
    gaps = [(after - before).days for before, after in pairwise(distinct)]
    assert found is not None
    assert min(gaps) <= found.interval <= max(gaps)
    assert found.expected == distinct[-1] + timedelta(days=found.interval)
    assert found.is_overdue == ((TODAY - distinct[-1]).days > found.interval * 1.5)
