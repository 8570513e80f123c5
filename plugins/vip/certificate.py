"""The certificate of a VIP membership as a numbered document."""

from __future__ import annotations

from typing import Any

from flask import current_app

from plugins.vip.models import VipMembership
from plugins.vip.vocabulary import LEVELS, word
from portal.core.permissions import can
from portal.documents.kinds import DocumentKind, of_visible_customers
from portal.documents.models import Document
from portal.documents.services import produce
from portal.i18n import _, _l
from portal.org.actor import Actor

KIND = "vip.certificate"


def _may_read(actor: Any, document: Document) -> bool:
    return document.customer_id is not None and can(actor, "customers.view", document.customer_id)


CERTIFICATE = DocumentKind(
    key=KIND,
    title=_l("VIP certificate"),
    number_prefix="VIPC",
    template="vip/certificate_pdf.html",
    may_read=_may_read,
    rows=of_visible_customers("customers.view"),
)


def make_certificate(membership: VipMembership, benefits: list[str], actor: Actor) -> Document:
    """Make the certificate, or return the one that was made with the same content. Call outside a transaction."""
    customer = membership.customer
    holder = membership.contact.name if membership.contact else customer.name
    return produce(
        KIND,
        actor,
        title=_("VIP certificate %(number)s", number=membership.number),
        context={
            "number": membership.number,
            "holder": holder,
            "company": customer.name if membership.contact else "",
            "level": word(LEVELS, membership.level),
            "level_key": membership.level,
            "valid_from": membership.valid_from.isoformat(),
            "valid_until": membership.valid_until.isoformat(),
            "benefits": benefits,
            "issuer": current_app.config["ORGANISATION"],
        },
        customer_id=customer.id,
        subject=f"vip_membership:{membership.id}",
        reuse=True,
    )
