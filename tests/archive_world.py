"""Dossiers with files, and look-ups taken through their approvals, for the tests of the plugin archive."""

from __future__ import annotations

import io
import secrets
from datetime import date
from functools import lru_cache
from typing import Any

from flask import Flask
from PIL import Image, ImageDraw
from pypdf import PdfReader, PdfWriter
from sqlalchemy import select

from plugins.archive import vault
from plugins.archive.copies import sealing, services, states
from plugins.archive.copies.models import ArchiveCopy
from plugins.archive.dossiers.models import ArchiveFile
from plugins.archive.lookups.models import VIEW, ArchiveGrant, ArchiveLookup
from plugins.archive.lookups.services import LookupInput, default_until, file_lookup
from portal.approvals import deciding
from portal.approvals import services as approvals
from portal.approvals.models import APPROVE, PENDING, ApprovalRequest
from portal.approvals.queries import digest_of, seats_of
from portal.core import clock
from portal.core.transaction import transaction
from portal.extensions import db
from portal.org.actor import SYSTEM, load_actor
from tests.world import World

#: Stands in every stored file, outside its pages: whoever receives a stored file's bytes receives it.
CANARY = b"CANARY-7f3a9c"


@lru_cache(maxsize=4)
def pdf(pages: int = 2) -> bytes:
    """A small scanned PDF with the canary in its metadata."""
    sheets = []
    for number in range(1, pages + 1):
        sheet = Image.new("RGB", (413, 585), "white")
        ImageDraw.Draw(sheet).text((40, 40), f"page {number}", fill="black")
        sheets.append(sheet)
    raw = io.BytesIO()
    sheets[0].save(raw, "PDF", save_all=True, append_images=sheets[1:], resolution=50)
    writer = PdfWriter(clone_from=PdfReader(raw))
    writer.add_metadata({"/Keywords": CANARY.decode("ascii")})
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def add_file(customer_id: int, part: str = "contract", pages: int = 2, title: str = "供货合同") -> int:
    """Put a file into a part of a dossier; its id."""
    content = pdf(pages)
    digest = vault.put(content)
    with transaction() as session:
        row = ArchiveFile(
            customer_id=customer_id,
            part=part,
            title=title,
            dated_on=date(2026, 1, 5),
            is_copy=part == "contract",
            pages=pages,
            media_type="application/pdf",
            digest=digest,
            size=len(content),
            origin="uploaded",
            made_at=clock.now(),
        )
        session.add(row)
        session.flush()
        return row.id


def ask(world: World, login: str, *customers: str, mode: str = VIEW, **more: Any) -> int:
    """File a look-up request; the id of the request."""
    values = {
        "parts": ("contract",),
        "quantity": 1,
        "until_on": default_until(),
        "purpose": "核对合同付款条款",
        "token": secrets.token_hex(16),
        **more,
    }
    data = LookupInput(customer_ids=tuple(world.customer_id(name) for name in customers), mode=mode, **values)
    with transaction():
        return file_lookup(data, world.actor(login)).id


def decide(app: Flask, request_id: int, vote: str = APPROVE, conditions: Any = None, opinion: str = "") -> str:
    """The person whose turn it is votes; his log-in name."""
    with app.test_request_context():
        request = db.session.get_one(ApprovalRequest, request_id)
        seat = next(seat for seat in seats_of(request_id) if seat.state == "open")
        actor = load_actor(seat.user_id)
        shown = digest_of(request)
        deciding.attempt(
            request_id,
            actor,
            vote,
            lambda: approvals.decide(
                request_id, actor, vote=vote, seen_digest=shown, conditions=conditions, opinion=opinion
            ),
        )
        db.session.rollback()
        return actor.login


def approve_all(app: Flask, request_id: int) -> list[str]:
    """Everybody whose turn it is approves; their log-in names in order."""
    deciders = []
    while db.session.get_one(ApprovalRequest, request_id).state == PENDING:
        deciders.append(decide(app, request_id))
    return deciders


def grants_of(request_id: int) -> list[ArchiveGrant]:
    """The grants a request led to."""
    db.session.rollback()
    statement = select(ArchiveGrant).where(ArchiveGrant.request_id == request_id).order_by(ArchiveGrant.id)
    return list(db.session.scalars(statement))


def granted(app: Flask, world: World, login: str, customer: str, mode: str = VIEW, quantity: int = 1) -> int:
    """A grant that all heads approved; its id."""
    request_id = ask(world, login, customer, mode=mode, quantity=quantity)
    approve_all(app, request_id)
    return grants_of(request_id)[0].id


def reserved(world: World, grant_id: int, operator: str = "otto") -> int:
    """A copy reserved by the operator, its pages not made; its id."""
    with transaction():
        return services.reserve(grant_id, secrets.token_hex(16), world.actor(operator)).id


def ready(world: World, grant_id: int, content: bytes = b"%PDF-1.7 pages") -> int:
    """A copy whose pages wait, sealed, for the operator; its id."""
    copy_id = reserved(world, grant_id)
    with transaction() as session:
        key = sealing.seal(copy_id, content)
        services.move(session.get_one(ArchiveCopy, copy_id), states.MAKE, SYSTEM, pages=2, seal=key)
    return copy_id


def walk(world: World, copy_id: int, *steps: str) -> None:
    """Take a copy through steps, as job, operator or collector would, without drawing its pages."""
    for step in steps:
        with transaction():
            copy = db.session.get_one(ArchiveCopy, copy_id)
            if step == states.MAKE:
                services.move(copy, step, SYSTEM, pages=2, seal=b"0" * 32)
            elif step == states.SEND:
                services.move(copy, step, world.actor("otto"), sent_at=clock.now(), seal=None)
            elif step == states.ACCEPT:
                services.accept(copy, load_actor(copy.holder_id))
            elif step == states.DOUBT:
                services.move(copy, step, SYSTEM)
            else:
                needs = services.StepInput(sheets=2, witness_id=world.user("paula").id, note="说明")
                services.take_step(copy, step, needs, world.actor("otto"))


def lookup_of(request_id: int) -> ArchiveLookup:
    """The look-up of a request."""
    request = db.session.get_one(ApprovalRequest, request_id)
    return db.session.get_one(ArchiveLookup, int(request.payload["lookup"]))
