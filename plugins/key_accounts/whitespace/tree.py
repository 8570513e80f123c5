"""The driver tree of a customer's profit contribution (R-KA-11) and what a lever does to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from portal.i18n import _l

FEN = Decimal("0.01")


@dataclass(frozen=True)
class Node:
    """A driver. :ivar figure: name of the figure from purchases, "" when only a judgement knows it."""

    key: str
    label: Any
    figure: str = ""
    children: tuple[Node, ...] = field(default_factory=tuple)


TREE = Node(
    "profit",
    _l("Profit contribution"),
    "profit",
    (
        Node(
            "margin",
            _l("Margin"),
            "gross",
            (
                Node("price", _l("Price against the list price"), "realised"),
                Node(
                    "value",
                    _l("Delivered value"),
                    "",
                    (Node("quality", _l("Quality")), Node("functions", _l("Functions"))),
                ),
                Node(
                    "savings",
                    _l("Lower costs for the customer"),
                    "",
                    (
                        Node("their_stock", _l("His stock")),
                        Node("their_labour", _l("His labour")),
                        Node("their_opportunity", _l("His missed chances")),
                    ),
                ),
                Node(
                    "detractions",
                    _l("Fewer detractions"),
                    "",
                    (
                        Node("terms", _l("Payment terms"), "payment_days"),
                        Node("advertising", _l("Advertising")),
                        Node("direct", _l("Direct sales cost"), "contact_cost"),
                        Node("logistics", _l("Logistics")),
                        Node("management", _l("Management")),
                        Node("selling", _l("Selling")),
                        Node("turnover", _l("Turnover of stock")),
                    ),
                ),
            ),
        ),
        Node(
            "volume",
            _l("Volume"),
            "sales",
            (
                Node(
                    "mix",
                    _l("Mix of products"),
                    "",
                    (
                        Node("varieties", _l("More varieties"), "varieties"),
                        Node("substitution", _l("Substitution by higher margin"), "margin"),
                        Node("bundling", _l("Bundling")),
                    ),
                ),
                Node("new_uses", _l("New uses")),
                Node("upgrades", _l("Upgrades")),
            ),
        ),
    ),
)


def nodes(node: Node = TREE) -> list[Node]:
    """All nodes, parents before children."""
    return [node, *(below for child in node.children for below in nodes(child))]


#: Drivers whose figure only people know: yuan a year.
JUDGED = tuple(node.key for node in nodes() if not node.figure and not node.children)


@dataclass(frozen=True)
class Base:
    """Figures of twelve months; yuan."""

    sales: Decimal
    goods_cost: Decimal
    contact_cost: Decimal

    @property
    def profit(self) -> Decimal:
        """Sales − cost of goods − cost of contacts."""
        return self.sales - self.goods_cost - self.contact_cost


#: Levers: changes in per cent, from and to.
LEVERS: dict[str, tuple[int, int]] = {
    "price": (-30, 30),
    "volume": (-50, 100),
    "goods_cost": (-30, 30),
    "contact_cost": (-100, 100),
}


def moved(base: Base, levers: Mapping[str, int]) -> Base:
    """The figures after moving levers by per cents: price acts on sales alone, volume on sales and cost of goods."""
    price, volume = (1 + Decimal(levers.get(name, 0)) / 100 for name in ("price", "volume"))
    goods, contact = (1 + Decimal(levers.get(name, 0)) / 100 for name in ("goods_cost", "contact_cost"))
    return Base(
        (base.sales * price * volume).quantize(FEN, ROUND_HALF_UP),
        (base.goods_cost * volume * goods).quantize(FEN, ROUND_HALF_UP),
        (base.contact_cost * contact).quantize(FEN, ROUND_HALF_UP),
    )


def one_per_cent(base: Base) -> dict[str, Decimal]:
    """Lever → change of the profit contribution when it moves one per cent in the good direction; yuan."""
    good = {"price": 1, "volume": 1, "goods_cost": -1, "contact_cost": -1}
    return {name: moved(base, {name: step}).profit - base.profit for name, step in good.items()}
