"""The import of purchases: rows with the same order number are the lines of one purchase."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from portal.audit.services import record
from portal.core.errors import Invalid, PortalError
from portal.core.identifiers import is_credit_code, normalise_credit_code
from portal.core.numbers import whole_from
from portal.core.permissions import visible
from portal.core.text import fold, lookup_prefix
from portal.customers.importing import values as read
from portal.customers.importing.models import ImportKey, RowAction
from portal.customers.importing.permissions import IMPORT
from portal.customers.importing.targets import SKIP, ImportField, Record, Row, Rules, Work
from portal.customers.models import Customer, CustomerAlias
from portal.customers.permissions import EDIT
from portal.customers.plain_json import from_json, to_json
from portal.customers.queries import final_record
from portal.customers.references import referring
from portal.customers.search_index import NAME_START, CustomerTerm
from portal.customers.vocabulary import Status
from portal.extensions import db
from portal.i18n import _, _l
from portal.org.actor import Actor
from portal.purchases import services
from portal.purchases.actions import PurchaseAction
from portal.purchases.models import Product, Purchase
from portal.purchases.services import LineInput, PurchaseInput

ZERO = Decimal("0")
#: What all rows of one purchase must agree in.
HEAD = ("customer", "credit_code", "purchased_on", "paid_on", "remarks")


def _fields() -> tuple[ImportField, ...]:
    synonyms = read.word_lists()["headings"]["purchases"]
    listed: list[tuple[str, Any, Any, bool]] = [
        ("number", _l("Order number"), read.text, True),
        ("customer", _l("Customer (name, number or credit code)"), read.text, True),
        ("credit_code", _l("Customer's credit code"), read.text, False),
        ("purchased_on", _l("Day of the purchase"), read.day, True),
        ("product", _l("Product (article number or name)"), read.text, True),
        ("quantity", _l("Quantity"), read.whole, True),
        ("unit_price", _l("Unit price"), read.money, False),
        ("discount", _l("Discount of the line"), read.money, False),
        ("paid_on", _l("Paid on"), read.day, False),
        ("remarks", _l("Remarks"), read.text, False),
    ]
    return tuple(
        ImportField(key, label, reader, required, synonyms=tuple(synonyms.get(key, ())))
        for key, label, reader, required in listed
    )


class PurchaseTarget:
    """Purchases with their lines."""

    key = "purchases"
    title = _l("Purchases")
    help = _l("One row for each line of an order; rows with the same order number belong together.")
    icon = "receipt"
    permission = IMPORT
    assigns = False

    def __init__(self) -> None:
        self._known_fields: tuple[ImportField, ...] = ()

    def fields(self) -> Sequence[ImportField]:
        """All fields."""
        if not self._known_fields:
            self._known_fields = _fields()
        return self._known_fields

    def defaults(self) -> Sequence[tuple[str, Any, Sequence[tuple[str, Any]]]]:
        """Nothing is the same for all rows."""
        return ()

    def url(self, target_id: int) -> str:
        """Address of a purchase."""
        return url_for("purchases.show", purchase_id=target_id)

    def group(self, rows: Sequence[Row]) -> list[Record]:
        """One purchase for each order number."""
        found: dict[str, Record] = {}
        records: list[Record] = []
        for row in rows:
            number = row.values.get("number") or ""
            present = found.get(number) if number else None
            if present is None:
                present = Record([row])
                records.append(present)
                if number:
                    found[number] = present
                else:
                    row.errors.append(("number", _("Enter the order's number.")))
            else:
                present.rows.append(row)
                head = present.rows[0]
                for key in HEAD:
                    value = row.values.get(key)
                    if value not in (None, "") and value != head.values.get(key):
                        row.errors.append(
                            (key, _("Row %(row)s of the same order says something else.", row=head.number))
                        )
            present.errors = []
        for item in records:
            if any(row.errors for row in item.rows):
                item.errors.append(("", _("The order is refused as a whole, because one of its rows is wrong.")))
        return records

    def check(self, records: Sequence[Record], rules: Rules, actor: Actor) -> None:
        """Find customers, products and purchases that exist already."""
        lookup = _Lookup(records, actor)
        for item in records:
            if item.errors:
                item.action = RowAction.REFUSED
                continue
            self._check_one(item, rules, actor, lookup)

    def _check_one(self, item: Record, rules: Rules, actor: Actor, lookup: _Lookup) -> None:
        values = item.rows[0].values
        present = lookup.purchases.get(values["number"])
        if present is not None and present.customer_id not in lookup.editable:
            item.refuse("number", _("This order number is taken."))
            return
        if present is not None and rules.policy == SKIP:
            item.action, item.target_id = RowAction.SKIP, present.id
            return
        customer_id = lookup.customer(values, item)
        lines = [lookup.line(row, present) for row in item.rows]
        if customer_id is None or any(line is None for line in lines):
            item.action = RowAction.REFUSED
            if not item.errors:
                item.errors.append(("", _("The order is refused as a whole, because one of its rows is wrong.")))
            return
        data = PurchaseInput(
            customer_id,
            values["number"],
            values.get("purchased_on"),
            tuple(line for line in lines if line is not None),
            values.get("paid_on") or (present.paid_on if present else None),
            values.get("remarks") or (present.remarks if present else ""),
        )
        if present is not None and present.cancelled_at is not None:
            item.refuse("number", _("The purchase was cancelled."))
            return
        if present is not None and data.customer_id != present.customer_id:
            item.refuse("customer", _("This order number belongs to another customer."))
            return
        try:
            services.check_purchase(data, present, actor)
        except Invalid as error:
            _spread(error, item)
            return
        payload = _dump(data)
        if present is not None:
            item.target_id = present.id
            item.action = RowAction.UNCHANGED if payload == _dump(_input_of(present)) else RowAction.UPDATE
            item.payload = {**payload, "version": present.version}
        else:
            item.action, item.payload = RowAction.CREATE, payload

    def apply(self, works: Sequence[Work], rules: Rules, actor: Actor, batch_id: int) -> None:
        """Write the purchases of a chunk."""
        new = [work for work in works if work.action == RowAction.CREATE]
        try:
            with db.session.begin_nested():
                ids = services.record_purchases([_load(work.payload) for work in new], actor, batch_id)
            for work, purchase_id in zip(new, ids, strict=True):
                work.target_id = purchase_id
        except PortalError:
            # One of them cannot be any more: find out which.
            for work in new:
                self._apply_one(work, actor, batch_id)
        for work in works:
            if work.action == RowAction.UPDATE:
                self._change(work, actor)
        made = [work for work in new if work.target_id is not None]
        purchases = _loaded([work.target_id for work in made if work.target_id is not None])
        for work in made:
            work.effect = {"created": True, "content": _content(purchases[work.target_id or 0])}

    @staticmethod
    def _apply_one(work: Work, actor: Actor, batch_id: int) -> None:
        try:
            with db.session.begin_nested():
                work.target_id = services.record_purchase(_load(work.payload), actor, batch_id).id
        except PortalError as error:
            work.reasons.append(("number", _sentence(error)))

    @staticmethod
    def _change(work: Work, actor: Actor) -> None:
        try:
            with db.session.begin_nested():
                purchase = services.load_editable(work.target_id or 0, actor)
                before = _dump(_input_of(purchase))
                purchase = services.change_purchase(purchase.id, _load(work.payload), work.payload["version"], actor)
                work.effect = {"created": False, "before": before, "content": _content(purchase)}
        except PortalError as error:
            work.reasons.append(("number", _sentence(error)))

    def undo(self, works: Sequence[Work], actor: Actor, batch_id: int) -> None:
        """Remove what was created, restore what was changed."""
        ids = [work.target_id for work in works if work.target_id is not None]
        purchases = _loaded(ids)
        used = referring("purchase", ids)
        customers: set[int] = set()
        for work in works:
            purchase = purchases.get(work.target_id or 0)
            if purchase is None:
                work.reasons.append(("number", _("It is not there any more.")))
            elif _content(purchase) != work.effect["content"]:
                work.reasons.append(("number", _("It was changed since.")))
            elif not work.effect["created"]:
                self._restore(work, purchase, actor)
            elif any(table != "purchase_line" for table, _row in used.get(purchase.id, [])):
                work.reasons.append(("number", _("Something else refers to it since.")))
            else:
                self._remove(work, purchase, customers, actor)
        db.session.flush()
        if customers:
            services.purchases_were_changed(sorted(customers), actor)

    @staticmethod
    def _restore(work: Work, purchase: Purchase, actor: Actor) -> None:
        try:
            with db.session.begin_nested():
                services.change_purchase(purchase.id, _load(work.effect["before"]), None, actor)
        except PortalError as error:
            work.reasons.append(("number", _sentence(error)))

    @staticmethod
    def _remove(work: Work, purchase: Purchase, customers: set[int], actor: Actor) -> None:
        try:
            services.load_editable(purchase.id, actor)
        except PortalError as error:
            work.reasons.append(("number", _sentence(error)))
            return
        record(
            actor,
            PurchaseAction.REMOVED,
            object_type="purchase",
            object_id=purchase.id,
            object_label=purchase.number,
            customer_id=purchase.customer_id,
            old=services.purchase_fields(purchase),
        )
        customers.add(purchase.customer_id)
        db.session.delete(purchase)


class _Lookup:
    """Customers, products and purchases that a chunk names, in a fixed number of statements."""

    def __init__(self, records: Sequence[Record], actor: Actor) -> None:
        rows = [row.values for item in records for row in item.rows]
        numbers = {values.get("number") or "" for values in rows} - {""}
        self.purchases = {
            purchase.number: purchase
            for purchase in db.session.scalars(
                select(Purchase).where(Purchase.number.in_(numbers)).options(selectinload(Purchase.lines))
            )
        }
        self.products = self._find_products({values.get("product") or "" for values in rows} - {""})
        self.customers = self._find_customers(rows)
        ids = {found for group in self.customers.values() for found in group}
        ids.update(purchase.customer_id for purchase in self.purchases.values())
        self.editable = set(db.session.scalars(select(Customer.id).where(Customer.id.in_(ids), visible(actor, EDIT))))

    @staticmethod
    def _find_products(texts: set[str]) -> dict[str, list[int]]:
        """Article number or name → ids."""
        found: dict[str, list[int]] = {}
        for row in db.session.execute(select(Product.id, Product.code).where(Product.code.in_(texts))):
            found[row.code] = [row.id]
        for row in db.session.execute(select(Product.id, Product.name).where(Product.name.in_(texts))):
            if row.name not in found or row.id not in found[row.name]:
                found.setdefault(row.name, []).append(row.id)
        return found

    @staticmethod
    def _find_customers(rows: Sequence[Mapping[str, Any]]) -> dict[str, set[int]]:
        """What stands in the file → customers that it may mean: by number of another system, code, name."""
        texts = {values.get("customer") or "" for values in rows} - {""}
        codes = {_code(values.get("credit_code") or values.get("customer") or "") for values in rows} - {""}
        found: dict[str, set[int]] = {}
        for key, record_id in db.session.execute(
            select(ImportKey.key, ImportKey.record_id).where(ImportKey.target == "customers", ImportKey.key.in_(texts))
        ):
            found.setdefault(f"key:{key}", set()).add(final_record(record_id))
        for code, customer_id in db.session.execute(
            select(Customer.credit_code, Customer.id).where(
                Customer.credit_code.in_(codes), Customer.status != Status.MERGED.value
            )
        ):
            found.setdefault(f"code:{code}", set()).add(customer_id)
        wanted = {fold(text) for text in texts}
        ids = set(
            db.session.scalars(
                select(CustomerTerm.customer_id).where(
                    CustomerTerm.kind == NAME_START, CustomerTerm.term.in_({lookup_prefix(text)[0] for text in texts})
                )
            )
        )
        named = [
            *db.session.execute(select(Customer.id, Customer.name).where(Customer.id.in_(ids))),
            *db.session.execute(
                select(CustomerAlias.customer_id, CustomerAlias.alias).where(CustomerAlias.customer_id.in_(ids))
            ),
        ]
        for customer_id, name in named:
            if fold(name) in wanted:
                found.setdefault(f"name:{fold(name)}", set()).add(customer_id)
        return found

    def customer(self, values: Mapping[str, Any], item: Record) -> int | None:
        """The customer of a purchase, among those the actor may change; notes why there is none."""
        text = values.get("customer") or ""
        code = _code(values.get("credit_code") or "") or _code(text)
        for key in (f"code:{code}", f"key:{text}", f"name:{fold(text)}"):
            mine = self.customers.get(key, set()) & self.editable
            if len(mine) == 1:
                return next(iter(mine))
            if len(mine) > 1:
                item.refuse("customer", _("Several of your customers are called this. Give the credit code."))
                return None
        item.refuse("customer", _("None of your customers is called “%(name)s”.", name=text[:60]))
        return None

    def line(self, row: Row, present: Purchase | None) -> LineInput | None:
        """A line; notes in the row what is wrong with it."""
        values = row.values
        found = self.products.get(values.get("product") or "", [])
        if len(found) != 1:
            name = (values.get("product") or "")[:60]
            message = (
                _("Several products are called this.") if found else _("There is no product “%(name)s”.", name=name)
            )
            row.errors.append(("product", message))
            return None
        price = values.get("unit_price")
        if price is None and present is not None:
            price = next((line.unit_price for line in present.lines if line.product_id == found[0]), None)
        return LineInput(found[0], values.get("quantity"), price, values.get("discount") or ZERO)


def _code(text: str) -> str:
    return normalise_credit_code(text) if text and is_credit_code(text) else ""


#: Field of a service's line → column of the file.
_COLUMNS = {"product_id": "product", "quantity": "quantity", "unit_price": "unit_price", "discount": "discount"}


def _spread(error: Invalid, item: Record) -> None:
    """Put messages about lines beside their rows."""
    for name, message in error.errors:
        parts = name.split("-", 2)
        row = whole_from(parts[1]) if parts[0] == "lines" and len(parts) == 3 else None
        if row is not None and 0 <= row < len(item.rows):
            item.rows[row].errors.append((_COLUMNS.get(parts[2], ""), str(message)))
        else:
            item.errors.append(("" if name == "lines" else name, str(message)))
    item.action = RowAction.REFUSED
    if not item.errors:
        item.errors.append(("", _("The order is refused as a whole, because one of its rows is wrong.")))


def _sentence(error: PortalError) -> str:
    if isinstance(error, Invalid):
        return " ".join(str(message) for _field, message in error.errors)
    return str(error.message) or _("You may not change this customer.")


def _loaded(ids: Sequence[int]) -> dict[int, Purchase]:
    rows = db.session.scalars(select(Purchase).where(Purchase.id.in_(ids)).options(selectinload(Purchase.lines)))
    return {row.id: row for row in rows}


def _input_of(purchase: Purchase) -> PurchaseInput:
    lines = tuple(LineInput(line.product_id, line.quantity, line.unit_price, line.discount) for line in purchase.lines)
    return PurchaseInput(
        purchase.customer_id, purchase.number, purchase.purchased_on, lines, purchase.paid_on, purchase.remarks
    )


def _dump(data: PurchaseInput) -> dict[str, Any]:
    """A purchase as JSON; amounts with two decimals, so that equal ones are equal."""
    return {
        "customer_id": data.customer_id,
        "number": data.number,
        "purchased_on": to_json(data.purchased_on),
        "paid_on": to_json(data.paid_on),
        "remarks": data.remarks,
        "lines": [
            [line.product_id, line.quantity, _amount(line.unit_price), _amount(line.discount)] for line in data.lines
        ],
    }


def _amount(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:.2f}"


def _load(payload: Mapping[str, Any]) -> PurchaseInput:
    """What `_dump` made."""
    lines = tuple(
        LineInput(product, quantity, None if price is None else Decimal(price), Decimal(discount))
        for product, quantity, price, discount in payload["lines"]
    )
    purchased_on: date | None = from_json(payload["purchased_on"])
    return PurchaseInput(
        payload["customer_id"],
        payload["number"],
        purchased_on,
        lines,
        from_json(payload["paid_on"]),
        payload["remarks"],
    )


def _content(purchase: Purchase) -> str:
    """A digest of all that people enter of a purchase: tells whether it was changed since."""
    values = [_dump(_input_of(purchase)), purchase.cancelled_at is not None]
    return hashlib.sha256(json.dumps(values, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
