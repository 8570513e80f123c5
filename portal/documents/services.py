"""Making, reading and erasing documents.

`produce` is the one way to make a document. It opens short transactions of its own (reserve the number; note the
result), because a database must not stay locked while a page is being laid out; call it outside `transaction()`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from portal.audit.services import record
from portal.core import clock, settings
from portal.core.errors import Conflict, NotFound, PortalError
from portal.core.rates import too_many
from portal.core.storage import DamagedContent, MissingContent, storage
from portal.core.transaction import in_transaction, transaction
from portal.documents import queries
from portal.documents.actions import Action
from portal.documents.kinds import DocumentKind, Making
from portal.documents.models import ERASED, FAILED, READY, RESERVED, Document, DocumentNumber
from portal.documents.page import DocumentFacts, build_page, data_folder, organisation
from portal.documents.render import CannotRender, render_pdf
from portal.extensions import db
from portal.i18n import LANGUAGE_CODES, _, current_language, speaking
from portal.org.actor import Actor
from portal.org.models import User

AREA = "documents"
#: A document still "reserved" after this time was cut off by a crash.
ABANDONED_AFTER = timedelta(minutes=15)
#: Documents that one person may make in an hour.
LIMIT_SETTING = "documents.per_hour"
HOUR = timedelta(hours=1)


class ContentLost(PortalError):
    """The file of a finished document is missing or damaged: restore it from the backup."""

    status = 500


@dataclass(frozen=True)
class _Order:
    """What a document is to be made from."""

    kind: DocumentKind
    title: str
    subject: str
    language: str
    customer_id: int | None
    parameters: dict[str, Any]
    context: dict[str, Any]
    data_digest: str


def produce(
    kind: DocumentKind | str,
    actor: Actor,
    *,
    title: str,
    context: Mapping[str, Any],
    customer_id: int | None = None,
    subject: str = "",
    language: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    reuse: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Document:
    """Make a numbered PDF and keep it. Whoever calls has checked that the actor may see the data.

    :param kind: a registered kind or its key.
    :param title: heading and name of the file, in the document's language.
    :param context: what the template shows: only what JSON can hold (amounts as strings of yuan, dates as ISO
        strings). Pictures: `portal.charts.Chart.as_primitives()`.
    :param subject: what it is about, for lists; with the customer it decides the version number.
    :param language: default is the reader's present language.
    :param parameters: the choices made (period, parts …), kept with the document; no personal data.
    :param reuse: give back the newest earlier document of the same data instead of making another one.
    :param progress: told pages done and pages expected while a long document is made; what it raises stops the work.
    :returns: the finished document.
    :raises TooMany: the actor has made as many as he may in an hour; nothing was reserved.
    :raises CannotRender: it could not be made; its number is kept as a failed document (`details["document_id"]`).
    """
    if in_transaction():
        raise RuntimeError("produce() opens transactions of its own; call it outside transaction()")
    found = queries.kinds()[kind] if isinstance(kind, str) else kind
    order = _order(found, title, context, customer_id, subject, language, parameters)
    if reuse and (earlier := _earlier(order)) is not None:
        return earlier
    with transaction():
        _require_room(actor)
        document_id = _reserve(order, actor).id
    document = db.session.get_one(Document, document_id)
    try:
        pages, stored = _make(order, document, actor, progress)
    except BaseException as error:
        with transaction():
            _note_failure(document_id, actor, error)
        if isinstance(error, CannotRender):
            error.details["document_id"] = document_id
        raise
    with transaction():
        document = db.session.get_one(Document, document_id)
        document.state, document.pages = READY, pages
        document.storage_key, document.content_digest, document.size = stored.key, stored.digest, stored.size
        db.session.flush()
        record(
            actor,
            Action.MAKE,
            object_type="document",
            object_id=document.id,
            object_label=document.number,
            new={"kind": document.kind, "digest": document.content_digest, "pages": pages},
            customer_id=document.customer_id,
        )
    return db.session.get_one(Document, document_id)


def find_same(
    kind: DocumentKind | str, *, title: str, context: Mapping[str, Any], subject: str = "", language: str | None = None
) -> Document | None:
    """The newest finished document about no customer that `produce(…, reuse=True)` would give back; None: none."""
    found = queries.kinds()[kind] if isinstance(kind, str) else kind
    return _earlier(_order(found, title, context, None, subject, language, None))


def _earlier(order: _Order) -> Document | None:
    earlier = queries.same_document(order.kind.key, order.customer_id, order.language, order.data_digest)
    return earlier if earlier is not None and storage().exists(earlier.storage_key) else None


def _order(
    kind: DocumentKind,
    title: str,
    context: Mapping[str, Any],
    customer_id: int | None,
    subject: str,
    language: str | None,
    parameters: Mapping[str, Any] | None,
) -> _Order:
    language = language or (current_language() or "zh_Hans_CN")
    if language not in LANGUAGE_CODES:
        raise ValueError(f"{language!r} is no language of the portal")
    # A round trip through JSON is the proof that no ORM object, lazy text or float-like Decimal slipped in.
    text = json.dumps(dict(context), ensure_ascii=False, sort_keys=True, allow_nan=False)
    digest = hashlib.sha256("\0".join((kind.key, kind.template, language, title, subject, text)).encode("utf-8"))
    return _Order(
        kind=kind,
        title=title[:300],
        subject=subject[:300],
        language=language,
        customer_id=customer_id,
        parameters=json.loads(json.dumps(dict(parameters or {}))),
        context=json.loads(text),
        data_digest=digest.hexdigest(),
    )


def take_number(prefix: str, year: int) -> str:
    """The next number of a prefix and year, e.g. "CARD-2026-000123". Must be used by a row of the same transaction:
    the lock on the counter holds until the commit, so numbers have neither gaps nor doubles."""
    insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    statement = (
        insert(DocumentNumber)
        .values(prefix=prefix, year=year, last=1)
        .on_conflict_do_update(index_elements=["prefix", "year"], set_={"last": DocumentNumber.last + 1})
        .returning(DocumentNumber.last)
    )
    last = db.session.execute(statement).scalar_one()
    return f"{prefix}-{year}-{last:06d}"


def _require_room(actor: Actor) -> None:
    """:raises TooMany: the actor has made as many documents as he may in an hour. What the portal makes is free."""
    if actor.user_id is None:
        return
    # The person's row is the lock: parallel clicks are counted one after the other.
    db.session.execute(select(User.id).where(User.id == actor.user_id).with_for_update())
    limit = int(settings.get(LIMIT_SETTING))
    # The last of these must be older than an hour before there may be another; the index of makers finds them.
    newest = select(Document.made_at).where(Document.made_by_id == actor.user_id).order_by(Document.id.desc())
    made = db.session.scalars(newest.limit(limit)).all()
    if len(made) == limit and made[-1] > clock.now() - HOUR:
        raise too_many(_("You have made %(count)s documents within an hour.", count=limit), made[-1] + HOUR)


def _reserve(order: _Order, actor: Actor) -> Document:
    """Write the row with its number."""
    now = clock.now()
    db.session.execute(
        update(Document)
        .where(Document.state == RESERVED, Document.made_at < now - ABANDONED_AFTER, Document.kind == order.kind.key)
        .values(state=FAILED, reason=_("The portal was stopped while the document was being made."))
    )
    earlier = select(func.max(Document.version)).where(
        Document.kind == order.kind.key,
        Document.customer_id.is_(None) if order.customer_id is None else Document.customer_id == order.customer_id,
        Document.subject == order.subject,
        Document.language == order.language,
        Document.state.in_((READY, ERASED)),
    )
    document = Document(
        kind=order.kind.key,
        number=take_number(order.kind.number_prefix, clock.local(now).year),
        version=(db.session.scalar(earlier) or 0) + 1,
        title=order.title,
        subject=order.subject,
        language=order.language,
        customer_id=order.customer_id,
        parameters=order.parameters,
        data_digest=order.data_digest,
        state=RESERVED,
        made_by_id=actor.user_id,
        made_at=now,
    )
    db.session.add(document)
    db.session.flush()
    return document


def _make(
    order: _Order, document: Document, actor: Actor, progress: Callable[[int, int], None] | None
) -> tuple[int, Any]:
    """Lay out and keep the file; no transaction is open, so the database stays free meanwhile."""
    with speaking(order.language):
        facts = DocumentFacts(
            number=document.number,
            version=document.version,
            title=order.title,
            kind=str(order.kind.title),
            subject=order.subject,
            classification=str(order.kind.classification),
            organisation=organisation(),
            made_by=actor.name if not actor.is_system else _("the portal"),
            made_at=clock.local(document.made_at).strftime("%Y-%m-%d %H:%M"),
            created=clock.local(document.made_at).isoformat(timespec="seconds"),
            language=order.language,
        )
        page = build_page(order.kind.template, facts, order.context) if order.kind.make is None else None
    number = document.number
    db.session.rollback()  # end the reading transaction before the long part
    if order.kind.make is not None:
        rendered = order.kind.make(
            facts, order.context, Making(data_folder(), actor.user_id, order.kind.seconds, progress)
        )
    else:
        assert page is not None
        rendered = render_pdf(
            page.html,
            folder=data_folder(),
            identifier=number,
            assets=page.assets,
            person=actor.user_id,
            seconds=order.kind.seconds,
        )
    try:
        return rendered.pages, storage().put(AREA, rendered.content)
    except OSError as error:
        raise CannotRender(_("The document could not be kept: the disk is full."), cause=str(error)) from error


def _note_failure(document_id: int, actor: Actor, error: BaseException) -> None:
    document = db.session.get_one(Document, document_id)
    document.state = FAILED
    document.reason = (
        str(error.message)
        if isinstance(error, PortalError)
        else _("The document could not be made because of an error.")
    )
    db.session.flush()
    cause = error.details.get("cause", "") if isinstance(error, PortalError) else type(error).__name__
    record(
        actor,
        Action.FAIL,
        object_type="document",
        object_id=document.id,
        object_label=document.number,
        reason=str(cause)[:300],
        customer_id=document.customer_id,
        result="failed",
    )


def require_readable(actor: Actor, document_id: int) -> Document:
    """The document, when the actor may read it. :raises NotFound: otherwise; that it exists is a secret too."""
    document = db.session.get(Document, document_id)
    if document is None or not queries.may_read(actor, document):
        raise NotFound(_("There is no such document, or you may not read it."))
    return document


def download(document: Document, actor: Actor) -> bytes:
    """The PDF of a document that `require_readable` gave; written to the audit trail.

    :raises Conflict: it is not finished. :raises ContentLost: the file is missing or not the one that was kept.
    """
    if document.state != READY:
        raise Conflict(_("This document has no file: %(reason)s", reason=document.reason or document.number))
    try:
        content = storage().get(document.storage_key)
    except (MissingContent, DamagedContent) as error:
        raise ContentLost(
            _("The file of this document is missing or damaged. Please tell the administrator its number."),
            cause=type(error).__name__,
        ) from error
    record(
        actor,
        Action.DOWNLOAD,
        object_type="document",
        object_id=document.id,
        object_label=document.number,
        customer_id=document.customer_id,
    )
    return content


def note_damage(document: Document, actor: Actor, cause: str) -> None:
    """Write to the audit trail that the file of a document is gone or damaged."""
    record(
        actor,
        Action.DAMAGED,
        object_type="document",
        object_id=document.id,
        object_label=document.number,
        reason=cause,
        customer_id=document.customer_id,
        result="failed",
    )


def erase_content(document: Document, actor: Actor, reason: str) -> str:
    """Take back the content of a document for good (erasure of personal data, a period that ran out); number, digest
    and history stay. Returns the storage key, which the caller deletes after the commit: ``storage().delete(key)``.

    :raises Conflict: there is no content.
    """
    if document.state != READY:
        raise Conflict(_("This document has no content to erase."))
    key = document.storage_key
    document.state, document.storage_key, document.reason, document.parameters = ERASED, "", reason, {}
    db.session.flush()
    record(
        actor,
        Action.ERASE,
        object_type="document",
        object_id=document.id,
        object_label=document.number,
        reason=reason,
        customer_id=document.customer_id,
    )
    return key
