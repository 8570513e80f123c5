"""Products and purchases of the demo company."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import insert

from portal.core.text import sort_key
from portal.demo import words
from portal.demo.customers import DemoCustomer, moment
from portal.extensions import db
from portal.purchases import summaries
from portal.purchases.models import Product, Purchase, PurchaseLine

#: How often customers of a stage have bought: number of purchases is drawn from these.
COUNTS = {"ordering": (1, 1, 1, 2, 3), "user": (2, 3, 4, 6, 9, 14, 22), "dormant": (1, 2, 4), "lost": (1, 2, 5)}
#: Typical quantities by grade; furniture and devices are bought by the piece.
QUANTITIES = {"high": (1, 2, 4, 6, 10), "middle": (2, 5, 10, 20, 40), "ordinary": (10, 20, 50, 100)}
#: Chinese New Year and mid-autumn bring orders of gifts.
SEASON = {1: 1.6, 9: 1.5, 12: 1.4, 2: 0.6}


def create(rng: random.Random, customers: list[DemoCustomer], today: date) -> int:
    """Create the products and the customers' purchases. Returns the number of purchases."""
    products = [_product(number, row, today) for number, row in enumerate(words.PRODUCTS, start=1)]
    db.session.execute(insert(Product), products)
    purchases: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    buyers = []
    for customer in customers:
        days = _days(rng, customer, today)
        if days:
            buyers.append(customer.id)
        size = rng.choice((1, 1, 1, 2, 3, 6))
        for day in days:
            _purchase(rng, len(purchases) + 1, customer, day, size, products, purchases, lines, today)
    db.session.execute(insert(Purchase), purchases)
    db.session.execute(insert(PurchaseLine), lines)
    summaries.refresh(buyers)
    return len(purchases)


def _product(number: int, row: tuple[Any, ...], today: date) -> dict[str, Any]:
    code, name, category, grade, unit, price, cost, days = row
    return {
        "id": number,
        "code": code,
        "name": name,
        "name_sort": sort_key(name)[:400],
        "category": category,
        "grade": grade,
        "unit": unit,
        "list_price": Decimal(price),
        "unit_cost": Decimal(cost),
        "days_per_unit": days,
        "is_active": True,
        "created_at": moment(today - timedelta(days=800), 9),
        "version": 1,
    }


def _days(rng: random.Random, customer: DemoCustomer, today: date) -> list[date]:
    counts = COUNTS.get(customer.stage)
    if counts is None:
        return []
    count = 18 if customer.name == words.SHOWPIECE else rng.choice(counts)
    last = today - timedelta(days=1)
    if customer.stage in {"dormant", "lost"}:
        last = today - timedelta(days=210)
    span = (last - customer.since).days
    if span < 5:
        return []
    drawn: set[date] = set()
    for _attempt in range(count * 3):
        day = customer.since + timedelta(days=rng.randint(3, span))
        if rng.random() < SEASON.get(day.month, 1.0) / 1.6:
            drawn.add(day)
        if len(drawn) == count:
            break
    if customer.name == words.SHOWPIECE:
        # Recent enough, and large enough, to meet the VIP conditions whenever the demo is loaded.
        drawn.add(today - timedelta(days=1))
    return sorted(drawn)


def _purchase(
    rng: random.Random,
    number: int,
    customer: DemoCustomer,
    day: date,
    size: int,
    products: list[dict[str, Any]],
    purchases: list[dict[str, Any]],
    lines: list[dict[str, Any]],
    today: date,
) -> None:
    total = cost = better = Decimal("0")
    for position, product in enumerate(rng.sample(products, k=rng.choice((1, 1, 2, 2, 3, 4))), start=1):
        quantity = rng.choice(QUANTITIES[product["grade"]]) * size
        if product["category"] in {"办公家具", "会议设备"}:
            quantity = rng.randint(1, 6)
        percent = rng.choice((0, 0, 0, 5, 8, 10))
        gross = product["list_price"] * quantity
        discount = (gross * percent / 100).quantize(Decimal("0.01"))
        amount = gross - discount
        lines.append(
            {
                "purchase_id": number,
                "position": position,
                "product_id": product["id"],
                "quantity": quantity,
                "unit_price": product["list_price"],
                "discount": discount,
                "amount": amount,
                "unit_cost": product["unit_cost"],
                "grade": product["grade"],
            }
        )
        total += amount
        cost += product["unit_cost"] * quantity
        better += amount if product["grade"] != "ordinary" else Decimal("0")
    paid = day + timedelta(days=rng.choice((0, 7, 15, 30, 30, 45, 60, 90)))
    purchases.append(
        {
            "id": number,
            "customer_id": customer.id,
            "number": f"HS{day:%Y%m}-{number:06d}",
            "purchased_on": day,
            "paid_on": paid if paid <= today and rng.random() < 0.95 else None,
            "total": total,
            "cost": cost,
            "total_high_middle": better,
            "remarks": "",
            "created_by_id": customer.manager_id,
            "created_at": moment(day, 15),
            "version": 1,
        }
    )
