"""Forms of products and purchases: shape and format; what was typed stays, right or wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from wtforms import BooleanField, FieldList, FormField
from wtforms import Form as PlainForm
from wtforms.validators import Optional

from portal.core import clock
from portal.core.errors import Invalid
from portal.core.forms import (
    REQUIRED,
    ChoiceField,
    DayField,
    Form,
    LongText,
    NumberField,
    TextField,
    VersionedForm,
    YuanField,
    at_most,
    options,
)
from portal.customers.fields import CustomerField
from portal.i18n import _l
from portal.purchases import services
from portal.purchases.fields import ProductField
from portal.purchases.models import Product, Purchase
from portal.purchases.services import LineInput, ProductInput, PurchaseInput
from portal.purchases.vocabulary import GRADES

#: Empty lines on a new form, and how many "more lines" adds.
FIRST_LINES = 4
MORE_LINES = 5
_LINE_FIELD = re.compile(r"lines-(\d+)-(\w+)\Z")


class LineProductField(ProductField):
    """The product of a line; the texts of all lines are looked up at once, and told by `tell`."""

    known: Mapping[int, str] | None = None

    def tell(self, known: Mapping[int, str]) -> None:
        """The texts of the products of all lines."""
        self.known = known

    def name_of(self, value: int) -> str:
        """The text, as far as it is told."""
        return self.known.get(value, "") if self.known is not None else ""

    def find(self, text: str) -> int | None:
        """Nothing before the texts are told: the field is read again then."""
        return super().find(text) if self.known is not None else None


class LineForm(PlainForm):
    """One line. A line in which nothing stands is left out; so is one whose fields were emptied."""

    product_id = LineProductField(_l("Product"))
    quantity = NumberField(_l("Quantity"), [Optional()])
    unit_price = YuanField(_l("Unit price"), [Optional()])
    discount = YuanField(_l("Discount"), [Optional()])

    @property
    def is_empty(self) -> bool:
        """Whether nothing was typed."""
        typed = [
            str(value) for field in (self.quantity, self.unit_price, self.discount) for value in field.raw_data or ()
        ]
        return not self.product_id.text and not any(value.strip() for value in typed)

    def to_input(self) -> LineInput:
        """The service's input."""
        return LineInput(
            self.product_id.data,
            self.quantity.data,
            self.unit_price.data,
            self.discount.data if self.discount.data is not None else Decimal("0"),
        )

    def validate(self, extra_validators: Any = None) -> bool:
        if self.is_empty:
            for field in self:
                field.errors = []
            return True
        return bool(super().validate(extra_validators))


class PurchaseForm(VersionedForm):
    """A purchase with its lines."""

    customer_id = CustomerField(_l("Customer"))
    number = TextField(_l("Order number"), [REQUIRED, at_most(services.NUMBER_LENGTH)])
    purchased_on = DayField(_l("Date"), [REQUIRED])
    paid_on = DayField(_l("Paid on"), [Optional()])
    discount = YuanField(_l("Discount on the whole order"), [Optional()])
    remarks = LongText(_l("Remarks"), [at_most(services.REMARKS_LENGTH)])
    lines = FieldList(FormField(LineForm), label=_l("Lines"), max_entries=services.MAX_LINES)

    def fill_new(self, customer_id: int | None) -> None:
        """What an empty form begins with."""
        if customer_id is not None:
            self.customer_id.show(customer_id)
        self.purchased_on.data = clock.today()
        self.add_lines(FIRST_LINES)

    def fill(self, purchase: Purchase) -> None:
        """Show a purchase as it is."""
        self.version.data = str(purchase.version)
        self.customer_id.data = purchase.customer_id
        self.number.data, self.remarks.data = purchase.number, purchase.remarks
        self.purchased_on.data, self.paid_on.data = purchase.purchased_on, purchase.paid_on
        for line in purchase.lines:
            self.lines.append_entry(
                {
                    "product_id": line.product_id,
                    "quantity": line.quantity,
                    "unit_price": line.unit_price,
                    "discount": line.discount or None,
                }
            )
        self.add_lines(1)

    def add_lines(self, count: int) -> None:
        """Empty lines at the end."""
        for _number in range(count):
            if len(self.lines) >= services.MAX_LINES:
                return
            self.lines.append_entry()

    @property
    def used_lines(self) -> list[Any]:
        """The lines in which something stands, with their place in the form kept."""
        return [entry for entry in self.lines if not entry.form.is_empty]

    def to_input(self, customer_id: int | None = None) -> PurchaseInput:
        """The service's input. :param customer_id: of a purchase that exists already."""
        chosen = customer_id if customer_id is not None else self.customer_id.data or 0
        return PurchaseInput(
            customer_id=chosen,
            number=self.number.data or "",
            purchased_on=self.purchased_on.data,
            lines=tuple(entry.form.to_input() for entry in self.used_lines),
            paid_on=self.paid_on.data,
            remarks=self.remarks.data or "",
            discount=self.discount.data if self.discount.data is not None else Decimal("0"),
        )

    def show(self, error: Invalid) -> None:
        """Put a service's errors beside their fields, those of lines into their line."""
        others = []
        used = self.used_lines
        for name, message in error.errors:
            match = _LINE_FIELD.match(name)
            if match and int(match[1]) < len(used) and match[2] in used[int(match[1])].form._fields:
                target = used[int(match[1])].form._fields[match[2]]
                target.errors = [*target.errors, str(message)]
            elif name == "lines":
                self.form_errors.append(str(message))
            else:
                others.append((name, message))
        super().show(Invalid(others))

    @property
    def has_errors(self) -> bool:
        """Whether anything is wrong, in a line or outside."""
        return (
            bool(self.form_errors)
            or any(field.errors for field in self if field.name != "lines")
            or any(self.line_errors)
        )

    @property
    def line_errors(self) -> list[tuple[int, str, str, str]]:
        """(line from 1, name of the field, its id, message) of everything wrong in lines."""
        return [
            (number, str(field.label.text), field.id, str(message))
            for number, entry in enumerate(self.lines, start=1)
            for field in entry.form
            for message in field.errors
        ]


class ReasonForm(Form):
    """A reason for cancelling or restoring."""

    reason = LongText(_l("Reason"), [REQUIRED, at_most(services.REASON_LENGTH)])


class PaymentForm(Form):
    """The day of full payment."""

    paid_on = DayField(_l("Paid on"), [REQUIRED])


class ProductForm(VersionedForm):
    """A product."""

    code = TextField(_l("Article number"), [REQUIRED, at_most(40)])
    name = TextField(_l("Name"), [REQUIRED, at_most(200)])
    category = TextField(_l("Category"), [at_most(100)])
    grade = ChoiceField(_l("Grade"), choices=options(GRADES.items()))
    unit = TextField(_l("Unit"), [at_most(20)])
    list_price = YuanField(_l("List price"))
    unit_cost = YuanField(_l("Unit cost"))
    days_per_unit = NumberField(_l("Days that one unit lasts"), [Optional()])
    is_active = BooleanField(_l("On sale"), default=True)

    def fill(self, product: Product) -> None:
        """Show a product as it is."""
        self.version.data = str(product.version)
        for name in (
            "code",
            "name",
            "category",
            "grade",
            "unit",
            "list_price",
            "unit_cost",
            "days_per_unit",
            "is_active",
        ):
            self[name].data = getattr(product, name)

    def to_input(self) -> ProductInput:
        """The service's input."""
        return ProductInput(
            code=self.code.data or "",
            name=self.name.data or "",
            category=self.category.data or "",
            grade=self.grade.data or "",
            list_price=self.list_price.data,
            unit_cost=self.unit_cost.data,
            unit=self.unit.data or "",
            days_per_unit=self.days_per_unit.data,
            is_active=bool(self.is_active.data),
        )
