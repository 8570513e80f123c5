"""Making the parts 1, 2 and 4 of a dossier as numbered PDFs whose content lies in the vault alone.

`portal.documents` lays them out and gives the number; then the content goes into the vault, and the document keeps
number, digest and history without it. Nobody can download these documents: their kinds refuse it, whoever asks.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import false

from plugins.archive import vault
from plugins.archive.dossiers import assessment, queries, services, statistics
from plugins.archive.dossiers.models import ASSESSMENT, CARD, STATISTICS
from plugins.archive.dossiers.services import ProducedInput
from plugins.archive.dossiers.statistics import Quarter, quarter_of
from plugins.archive.dossiers.vocabulary import PHASES, word
from plugins.archive.permissions import MAINTAIN
from portal.core import clock, settings
from portal.core.errors import Conflict
from portal.core.permissions import require
from portal.core.storage import storage
from portal.core.transaction import transaction
from portal.customers import card
from portal.documents.kinds import DocumentKind
from portal.documents.models import READY, Document
from portal.documents.services import erase_content, produce
from portal.extensions import db
from portal.i18n import _, _l, speaking
from portal.org.actor import SYSTEM, Actor


def _nobody(_actor: Any, _document: Document) -> bool:
    return False


def _none(_actor: Any) -> Any:
    return false()


def _kind(key: str, title: Any, prefix: str, template: str) -> DocumentKind:
    return DocumentKind(
        key=key,
        title=title,
        number_prefix=prefix,
        template=template,
        may_read=_nobody,
        rows=_none,
        classification=_l("Customer archive · confidential"),
    )


CARD_KIND = _kind("archive.card", _l("Customer basic information card"), "ARCC", "archive/dossiers/card_pdf.html")
ASSESSMENT_KIND = _kind(
    "archive.assessment", _l("Consumption assessment report"), "ARCA", "archive/dossiers/assessment_pdf.html"
)
STATISTICS_KIND = _kind(
    "archive.statistics", _l("Sales statistics report"), "ARCS", "archive/dossiers/statistics_pdf.html"
)
KINDS = {CARD: CARD_KIND, ASSESSMENT: ASSESSMENT_KIND, STATISTICS: STATISTICS_KIND}


def produce_part(customer_id: int, part: str, actor: Actor, quarter: Quarter | None = None) -> int:
    """Make a part anew and put it into the dossier; the id of its file. Call it outside `transaction()`.

    :param part: card, assessment or statistics. :param quarter: of the statistics; default the present one.
    :raises NotAllowed: unless the actor is an archive maintainer or the portal itself.
    :raises CannotRender, VaultTrouble: it could not be made or kept; the dossier stays as it was.
    """
    if not actor.is_system:
        require(actor, MAINTAIN)
    customer = queries.customer_for(customer_id)
    language = settings.option("DEFAULT_LANGUAGE")
    kind = KINDS[part]
    period = (quarter or quarter_of(clock.today())) if part == STATISTICS else None
    with speaking(language):
        context: dict[str, Any]
        if part == CARD:
            # The portal itself gathers the card: the maintainer needs no right to the customer's live record.
            context = {"card": dict(card.build_context(customer_id, SYSTEM, language))}
            context["supplements"] = _supplements(customer_id)
            title = _("Customer basic information card: %(name)s", name=customer.name)
        elif part == ASSESSMENT:
            context = {"report": assessment.build_context(customer)}
            title = _("Consumption assessment report: %(name)s", name=customer.name)
        else:
            assert period is not None
            context = {"report": statistics.build_context(customer, period)}
            title = _("Sales statistics report %(quarter)s: %(name)s", quarter=period.text, name=customer.name)
    document_id = produce(
        kind,
        actor,
        title=title,
        context=context,
        customer_id=customer_id,
        subject=f"{part}:{period.text}" if period else part,
        language=language,
    ).id
    return _move_to_vault(document_id, part, actor, period)


def _supplements(customer_id: int) -> list[dict[str, str]]:
    return [
        {
            "on": row.dated_on.isoformat(),
            "phase": word(PHASES, row.phase),
            "by": row.written_by.name if row.written_by else "",
            "body": row.body,
        }
        for row in queries.supplements_of(customer_id, 30)
    ]


def _move_to_vault(document_id: int, part: str, actor: Actor, quarter: Quarter | None) -> int:
    """Content first, then in one transaction the file's row and the end of the document's own content."""
    document = db.session.get_one(Document, document_id)
    if document.state != READY:
        raise Conflict(_("This document was put into the archive already."))
    key = document.storage_key
    content = storage().get(key)
    db.session.rollback()  # the vault opens transactions of its own
    digest = vault.put(content)
    with transaction():
        document = db.session.get_one(Document, document_id)
        assert document.customer_id is not None  # produced for a customer
        file = services.add_produced(
            ProducedInput(
                customer_id=document.customer_id,
                part=part,
                title=document.title,
                number=document.number,
                dated_on=clock.local(document.made_at).date(),
                pages=document.pages or 1,
                digest=digest,
                size=len(content),
                period_first=quarter.first if quarter else None,
                period_last=quarter.last if quarter else None,
            ),
            actor,
        )
        file_id = file.id
        erase_content(document, actor, _("Kept in the archive."))
    storage().delete(key)
    return file_id
