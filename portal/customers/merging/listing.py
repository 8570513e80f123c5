"""The list of merges."""

from __future__ import annotations

from typing import Any

from flask import url_for
from sqlalchemy import ColumnElement, Select
from sqlalchemy.orm import aliased

from portal.core import clock
from portal.core.listing import Column, EmptyText, Listing, Scene
from portal.core.permissions import Actor, visible
from portal.customers.merging.models import CustomerMerge
from portal.customers.models import Customer
from portal.customers.permissions import EDIT
from portal.i18n import _, _l
from portal.org.models import User

MERGES = "customer_merges"


def merges_listing() -> Listing:
    """Merges into customers that the actor may edit, the newest first."""
    other = aliased(Customer)

    def source(statement: Select[Any]) -> Select[Any]:
        return (
            statement.join(Customer, Customer.id == CustomerMerge.kept_id)
            .join(other, other.id == CustomerMerge.merged_id)
            .outerjoin(User, User.id == CustomerMerge.merged_by_id)
        )

    def where(actor: Actor) -> list[ColumnElement[bool]]:
        return [visible(actor, EDIT)]

    return Listing(
        key=MERGES,
        title=_l("Merges"),
        endpoint="customers_merge.index",
        identity=CustomerMerge.id,
        source=source,
        where=where,
        columns=[
            Column(
                "at",
                _l("When"),
                {"merged_at": CustomerMerge.merged_at},
                cell=lambda row, _c: f"{clock.local(row.merged_at):%Y-%m-%d %H:%M}",
                sort=CustomerMerge.merged_at,
                sticky=True,
            ),
            Column("merged", _l("Merged record"), {"merged": other.name}),
            Column("kept", _l("Kept record"), {"kept": Customer.name}),
            Column("by", _l("By"), {"by": User.name}),
            Column(
                "state",
                _l("State"),
                {"undone_at": CustomerMerge.undone_at},
                cell=lambda row, _c: _("Undone") if row.undone_at else _("In force"),
            ),
        ],
        default_sort="-at",
        scenes=[Scene("force", _l("In force"), lambda _actor: CustomerMerge.undone_at.is_(None))],
        row_url=lambda row: url_for("customers_merge.show", merge_id=row.id),
        muted=lambda row: getattr(row, "undone_at", None) is not None,
        empty=EmptyText(
            _l("Nothing was merged yet"),
            _l("When a customer is there twice, make one record of both; it can be undone."),
            _l("Merge two customers"),
            "customers_merge.start",
        ),
    )
