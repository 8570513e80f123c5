"""Files of dossiers: checks, changes, audit. Only archive maintainers change a dossier, whatever anybody's rank."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from plugins.archive.actions import ArchiveAction
from plugins.archive.dossiers import queries
from plugins.archive.dossiers.models import (
    CONTRACT,
    CURRENT,
    PRODUCED,
    QUARANTINED,
    SUPERSEDED,
    UPLOADED,
    WITHDRAWN,
    ArchiveFile,
    Dossier,
)
from plugins.archive.permissions import MAINTAIN
from portal.audit.services import record
from portal.core import clock, settings
from portal.core.errors import Conflict, ErrorList, Invalid, NotFound
from portal.core.permissions import require
from portal.core.uploads.inspecting import Inspected
from portal.customers.models import Customer
from portal.documents.services import take_number
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor

#: Kind of notice for the archive's maintainers.
DOSSIER_NOTICE = "archive.dossier"
TITLE_LENGTH, NUMBER_LENGTH, PARTIES_LENGTH, REMARKS_LENGTH = 200, 100, 400, 500
REASON_LENGTH = 500


@dataclass(frozen=True)
class ContractInput:
    """What a maintainer enters about a contract that was scanned."""

    customer_id: int
    title: str
    number: str
    parties: str
    dated_on: date | None
    valid_from: date | None = None
    valid_until: date | None = None
    remarks: str = ""
    token: str = ""
    #: the file that this one replaces
    replaces_id: int | None = None


@dataclass(frozen=True)
class ProducedInput:
    """A document that the portal made for a part."""

    customer_id: int
    part: str
    title: str
    number: str
    dated_on: date
    pages: int
    digest: str
    size: int
    period_first: date | None = None
    period_last: date | None = None


def open_dossier(customer_id: int, actor: Actor) -> Dossier:
    """The dossier of a customer; opened when there is none yet. The caller has checked that the actor may."""
    found = queries.dossier_of(customer_id)
    if found is not None:
        return found
    now = clock.now()
    dossier = Dossier(
        customer_id=customer_id,
        number=take_number("ARC", clock.local(now).year),
        opened_at=now,
        opened_by_id=actor.user_id,
        changed_at=now,
    )
    db.session.add(dossier)
    db.session.flush()
    record(
        actor,
        ArchiveAction.DOSSIER_OPENED,
        object_type="archive_dossier",
        object_id=dossier.id,
        object_label=dossier.number,
        customer_id=customer_id,
    )
    return dossier


def check_contract(data: ContractInput, actor: Actor) -> None:
    """Everything that can be wrong with what was entered. :raises Invalid, NotFound, NotAllowed."""
    require(actor, MAINTAIN)
    queries.customer_for(data.customer_id)
    errors = ErrorList()
    for field, text, limit, needed in (
        ("title", data.title, TITLE_LENGTH, _("Enter the title of the contract.")),
        ("number", data.number, NUMBER_LENGTH, _("Enter the number of the contract.")),
        ("parties", data.parties, PARTIES_LENGTH, _("Enter who signed it.")),
        ("remarks", data.remarks, REMARKS_LENGTH, ""),
    ):
        if needed and not text.strip():
            errors.add(field, needed)
        if len(text.strip()) > limit:
            errors.add(field, _("At most %(n)s characters.", n=limit))
    if data.dated_on is None:
        errors.add("dated_on", _("Enter the day of signature."))
    elif data.dated_on > clock.today():
        errors.add("dated_on", _("The day of signature lies in the future."))
    if data.valid_from and data.valid_until and data.valid_until < data.valid_from:
        errors.add("valid_until", _("The end lies before the beginning."))
    errors.raise_if_any()


def room_left(size: int) -> bool:
    """Whether so many bytes more stay within the archive's quota."""
    return queries.used_bytes() + size <= settings.get("archive.quota_gib") * 2**30


def add_contract(
    data: ContractInput, inspected: Inspected, digest: str, actor: Actor, quarantine: str = ""
) -> ArchiveFile:
    """Keep a contract whose content is in the vault already.

    :param quarantine: why it must wait for the virus scanner; "" lets it count at once.
    :raises Invalid, NotFound, NotAllowed: as `check_contract`. :raises Conflict: what it replaces changed meanwhile.
    """
    check_contract(data, actor)
    if data.token:
        earlier = db.session.scalars(select(ArchiveFile).where(ArchiveFile.token == data.token)).first()
        if earlier is not None:
            return earlier  # a double click: the first answer again
    dossier = open_dossier(data.customer_id, actor)
    replaced = _replaced(data)
    now = clock.now()
    assert data.dated_on is not None  # check_contract refused it
    file = ArchiveFile(
        customer_id=data.customer_id,
        part=CONTRACT,
        title=data.title.strip(),
        number=data.number.strip(),
        parties=data.parties.strip(),
        dated_on=data.dated_on,
        valid_from=data.valid_from,
        valid_until=data.valid_until,
        is_copy=True,
        remarks=data.remarks.strip(),
        pages=inspected.pages,
        media_type=inspected.media_type,
        digest=digest,
        size=len(inspected.content),
        origin=UPLOADED,
        original_name=inspected.name,
        made_at=now,
        made_by_id=actor.user_id,
        state=QUARANTINED if quarantine else CURRENT,
        state_reason=quarantine,
        state_at=now,
        replaces_id=replaced.id if replaced else None,
        token=data.token or None,
    )
    db.session.add(file)
    db.session.flush()
    if replaced is not None and not quarantine:
        _supersede(replaced, actor)
    dossier.changed_at = now
    action = ArchiveAction.FILE_QUARANTINED if quarantine else ArchiveAction.FILE_ADDED
    _record(file, action, actor, new=_facts(file), reason=quarantine)
    return file


def _replaced(data: ContractInput) -> ArchiveFile | None:
    if data.replaces_id is None:
        return None
    found = db.session.get(ArchiveFile, data.replaces_id, with_for_update=True, populate_existing=True)
    if found is None or found.customer_id != data.customer_id or found.part != CONTRACT:
        raise NotFound()
    if found.state != CURRENT:
        raise Conflict(_("This file was replaced or taken out meanwhile."))
    return found


def add_produced(data: ProducedInput, actor: Actor) -> ArchiveFile:
    """Keep a document that the portal made; earlier ones of the same part and period are replaced by it.

    A card and an assessment have one file in force; statistics one for each period.
    """
    if not actor.is_system:
        require(actor, MAINTAIN)
    dossier = open_dossier(data.customer_id, actor)
    earlier = [
        file
        for file in queries.files_of(data.customer_id, (data.part,))
        if (file.period_first, file.period_last) == (data.period_first, data.period_last) or data.period_first is None
    ]
    now = clock.now()
    file = ArchiveFile(
        customer_id=data.customer_id,
        part=data.part,
        title=data.title[:TITLE_LENGTH],
        number=data.number,
        dated_on=data.dated_on,
        period_first=data.period_first,
        period_last=data.period_last,
        pages=data.pages,
        media_type="application/pdf",
        digest=data.digest,
        size=data.size,
        origin=PRODUCED,
        made_at=now,
        made_by_id=actor.user_id,
        state=CURRENT,
        state_at=now,
        replaces_id=earlier[0].id if earlier else None,
    )
    db.session.add(file)
    db.session.flush()
    for old in earlier:
        _supersede(old, actor)
    dossier.changed_at = now
    _record(file, ArchiveAction.FILE_ADDED, actor, new=_facts(file))
    return file


def _supersede(file: ArchiveFile, actor: Actor) -> None:
    file.state, file.state_at = SUPERSEDED, clock.now()
    db.session.flush()
    _record(file, ArchiveAction.FILE_REPLACED, actor, old={"state": CURRENT}, new={"state": SUPERSEDED})


def withdraw_file(file_id: int, reason: str, actor: Actor) -> ArchiveFile:
    """Take a file out of the dossier: it stays on record, nobody can be granted it any more.

    :raises Invalid: without a reason. :raises Conflict: it is not in force.
    """
    require(actor, MAINTAIN)
    file = db.session.get(ArchiveFile, file_id, with_for_update=True, populate_existing=True)
    if file is None:
        raise NotFound()
    reason = reason.strip()
    if not reason:
        raise Invalid([("reason", _("Give a reason."))])
    if len(reason) > REASON_LENGTH:
        raise Invalid([("reason", _("At most %(n)s characters.", n=REASON_LENGTH))])
    if file.state not in (CURRENT, QUARANTINED):
        raise Conflict(_("This file was replaced or taken out meanwhile."))
    old, file.state, file.state_reason, file.state_at = file.state, WITHDRAWN, reason, clock.now()
    db.session.flush()
    open_dossier(file.customer_id, actor).changed_at = clock.now()
    _record(file, ArchiveAction.FILE_WITHDRAWN, actor, old={"state": old}, new={"state": WITHDRAWN}, reason=reason)
    return file


def release_file(file: ArchiveFile, actor: Actor) -> None:
    """The scanner found nothing: the file counts from now on, what it replaces no longer does."""
    file.state, file.state_reason, file.state_at = CURRENT, "", clock.now()
    db.session.flush()
    _record(file, ArchiveAction.FILE_RELEASED, actor, old={"state": QUARANTINED}, new={"state": CURRENT})
    replaced = db.session.get(ArchiveFile, file.replaces_id) if file.replaces_id else None
    if replaced is not None and replaced.state == CURRENT:
        _supersede(replaced, actor)


def refuse_file(file: ArchiveFile, found: str, actor: Actor) -> None:
    """The scanner found something: the file leaves the dossier."""
    reason = _("The virus scanner found something in the file: %(name)s", name=found)
    file.state, file.state_reason, file.state_at = WITHDRAWN, reason[:REASON_LENGTH], clock.now()
    db.session.flush()
    _record(
        file, ArchiveAction.FILE_WITHDRAWN, actor, old={"state": QUARANTINED}, new={"state": WITHDRAWN}, reason=reason
    )


def note_refused_upload(customer_id: int, code: str, size: int, actor: Actor) -> None:
    """Write to the trail that an upload was refused, and why; nothing of it was kept."""
    customer = db.session.get(Customer, customer_id)
    record(
        actor,
        ArchiveAction.UPLOAD_REFUSED,
        object_type="customer",
        object_id=customer_id,
        object_label=customer.name if customer else "",
        new={"problem": code, "size": size},
        customer_id=customer_id,
        result="refused",
    )


def _facts(file: ArchiveFile) -> dict[str, Any]:
    return {
        "part": file.part,
        "number": file.number,
        "pages": file.pages,
        "digest": file.digest,
        "size": file.size,
        "dated_on": file.dated_on,
        "valid_until": file.valid_until,
        "replaces": file.replaces_id,
    }


def _record(file: ArchiveFile, action: ArchiveAction, actor: Actor, **details: Any) -> None:
    record(
        actor,
        action,
        object_type="archive_file",
        object_id=file.id,
        object_label=f"{file.title} {file.number}".strip(),
        customer_id=file.customer_id,
        **details,
    )
