"""Samples that were sent before the portal was there, from a spreadsheet: customer and product."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import url_for
from sqlalchemy import delete, select

from portal.core import clock
from portal.core.permissions import visible
from portal.customers.importing import values
from portal.customers.importing.models import RowAction
from portal.customers.importing.targets import ImportField, Record, Row, Rules, Work
from portal.customers.models import Customer
from portal.extensions import db
from portal.i18n import _, _l
from portal.org.actor import Actor
from portal_sample_plugin.models import SENT, SampleDelivery
from portal_sample_plugin.permissions import USE


class SampleTarget:
    """Samples of customers that the actor may edit, found by their exact name."""

    key = "sample.deliveries"
    title = _l("Product samples")
    help = _l("Samples that were sent before.")
    icon = "box"
    permission = USE
    assigns = False

    def fields(self) -> Sequence[ImportField]:
        return [
            ImportField("customer", _l("Customer"), values.text, required=True),
            ImportField("product", _l("What is to be sent"), values.text, required=True),
        ]

    def defaults(self) -> Sequence[tuple[str, Any, Sequence[tuple[str, Any]]]]:
        return []

    def group(self, rows: Sequence[Row]) -> list[Record]:
        return [Record([row], RowAction.CREATE, payload=dict(row.values)) for row in rows]

    def check(self, records: Sequence[Record], rules: Rules, actor: Actor) -> None:
        names = {record.payload.get("customer", "") for record in records}
        statement = select(Customer.name, Customer.id).where(Customer.name.in_(names), visible(actor, "customers.edit"))
        known = {row.name: row.id for row in db.session.execute(statement)}
        for record in records:
            if record.payload.get("customer") in known:
                record.payload["customer_id"] = known[record.payload["customer"]]
            else:
                record.refuse("customer", _("There is no such customer."))

    def apply(self, works: Sequence[Work], rules: Rules, actor: Actor, batch_id: int) -> None:
        for work in works:
            row = SampleDelivery(
                customer_id=work.payload["customer_id"],
                product=work.payload["product"],
                state=SENT,
                asked_at=clock.now(),
                asked_by_id=actor.user_id,
                sent_at=clock.now(),
            )
            db.session.add(row)
            db.session.flush()
            work.target_id, work.effect = row.id, {"made": True}

    def undo(self, works: Sequence[Work], actor: Actor, batch_id: int) -> None:
        ids = [work.target_id for work in works]
        db.session.execute(delete(SampleDelivery).where(SampleDelivery.id.in_(ids)))

    def url(self, target_id: int) -> str:
        return url_for("sample.index")
