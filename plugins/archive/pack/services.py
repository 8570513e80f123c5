"""Making an audit pack: the history as PDF and CSV with the chain's proof, in one ZIP with its digests."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plugins.archive.pack import queries
from plugins.archive.permissions import PACK
from portal.audit.anchors import FILE_NAME
from portal.audit.chain import FIELDS, moment_text
from portal.audit.labels import action_text, problem_text
from portal.audit.models import AuditEntry
from portal.audit.queries import changes_of
from portal.audit.services import record
from portal.audit.verify import Verdict, verify_chain
from portal.core import clock
from portal.core.permissions import can, require
from portal.core.settings import option
from portal.core.spreadsheets import Marks, write_csv
from portal.core.storage import storage
from portal.core.transaction import transaction
from portal.documents.kinds import DocumentKind
from portal.documents.models import Document
from portal.documents.services import produce
from portal.extensions import db
from portal.i18n import _, _l
from portal.org.actor import Actor
from portal.org.queries import names_of

ACTION = "archive:pack:make"
#: Kind of subject → kind of object in the trail.
OBJECTS = {queries.CUSTOMER: "customer", queries.REQUEST: "archive_lookup", queries.COPY: "archive_copy"}
#: Rows of the PDF; the CSV has all.
MOST_IN_PDF = 400

Progress = Callable[[int, int], None]


def _may_read(actor: Any, document: Document) -> bool:
    return can(actor, PACK)


PACK_PDF = DocumentKind(
    key="archive.pack",
    title=_l("Audit pack"),
    number_prefix="SJB",
    template="archive/pack/pack_pdf.html",
    may_read=_may_read,
    classification=_l("Confidential"),
    seconds=120,
)
KINDS = (PACK_PDF,)


@dataclass(frozen=True)
class Pack:
    """A finished pack: the file, its digest, how many entries it has and whether the chain is whole."""

    path: Path
    digest: str
    entries: int
    is_whole: bool


def make_pack(kind: str, subject_id: int, folder: Path, actor: Actor, progress: Progress) -> Pack:
    """Make the pack of a customer, a request or a copy. Call outside a transaction.

    :param folder: where the file is left. :param progress: called with (entries of the trail proved, all).
    :raises NotFound: no such subject. :raises NotAllowed: the actor makes no packs.
    """
    require(actor, PACK)
    subject = queries.subject_of(kind, subject_id)
    db.session.rollback()
    verdict = verify_chain(Path(option("DATA_DIR")) / FILE_NAME, progress=progress)
    subject = queries.subject_of(kind, subject_id)
    entries = queries.entries_of(subject)
    proofs = queries.proofs_of(entries)
    names = names_of([entry.on_behalf_of_id for entry in entries])
    rows = [_row(entry, proofs[entry.seq], names) for entry in entries]
    facts = _facts(subject, verdict, len(entries))
    csv_path = folder / "history.csv"
    marks = Marks(_("About this pack"), facts, _("Rows"), [_("Internal. Every pack is recorded.")])
    write_csv(csv_path, _headers(), rows, marks)
    label, customer_id = subject.label, subject.customer_id
    document = produce(
        PACK_PDF,
        actor,
        title=_("Audit pack: %(what)s", what=label),
        subject=f"{kind}:{subject_id}",
        customer_id=customer_id if kind == queries.CUSTOMER else None,
        context={
            "facts": [[str(name), str(value)] for name, value in facts],
            "is_whole": verdict.is_whole,
            "problem": problem_text(verdict.problem) if verdict.problem else "",
            "rows": [[str(cell) for cell in row] for row in rows[-MOST_IN_PDF:]],
            "left_out": max(0, len(rows) - MOST_IN_PDF),
        },
    )
    pdf = storage().get(document.storage_key)
    name = f"{document.number}.zip"
    path = folder / name
    files = {"history.pdf": pdf, "history.csv": csv_path.read_bytes(), "proof.json": _proof(subject, verdict, entries)}
    digests = "".join(f"{hashlib.sha256(content).hexdigest()}  {one}\n" for one, content in files.items())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for one, content in files.items():
            archive.writestr(one, content)
        archive.writestr("SHA256SUMS", digests)
    csv_path.unlink()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with transaction():
        record(
            actor,
            ACTION,
            object_type=OBJECTS[kind],
            object_id=subject_id,
            object_label=label,
            customer_id=customer_id,
            new={"pack": document.number, "entries": len(entries), "digest": digest, "whole": verdict.is_whole},
        )
    return Pack(path, digest, len(entries), verdict.is_whole)


def _headers() -> list[str]:
    return [
        _("Entry"),
        _("When (UTC)"),
        _("Person"),
        _("On behalf of"),
        _("What"),
        _("Object"),
        _("Result"),
        _("Reason"),
        _("Details"),
        _("Hash before"),
        _("Hash"),
        _("Hash after"),
        _("Content proved"),
        _("Neighbours proved"),
    ]


def _row(entry: AuditEntry, proof: queries.Proof, names: dict[int, str]) -> list[Any]:
    details = "; ".join(f"{name}: {after}" for name, _before, after in changes_of(entry) if after)
    return [
        entry.seq,
        entry.at.strftime("%Y-%m-%d %H:%M:%S"),
        entry.actor_name,
        names.get(entry.on_behalf_of_id or 0, ""),
        action_text(entry.action),
        entry.object_label or f"{entry.object_type} {entry.object_id or ''}".strip(),
        entry.result,
        entry.reason,
        details,
        entry.previous_hash,
        entry.hash,
        proof.after,
        _("Yes") if proof.whole else _("No"),
        _("Yes") if proof.linked else _("No"),
    ]


def _facts(subject: queries.Subject, verdict: Verdict, count: int) -> list[tuple[str, str]]:
    anchor = verdict.last_anchor
    return [
        (_("About"), subject.label),
        (_("Entries in this pack"), str(count)),
        (_("Entries of the whole trail"), f"{verdict.entries:,}"),
        (_("Verification"), _("The trail is whole.") if verdict.is_whole else problem_text(verdict.problem)),
        (_("Hash of the last entry"), verdict.head_hash),
        (_("Last anchor"), f"{anchor.seq} · {anchor.hash}" if anchor else _("none yet")),
        (_("Anchors compared"), str(verdict.anchors)),
        (_("Made on"), clock.local(clock.now()).strftime("%Y-%m-%d %H:%M:%S")),
    ]


def _proof(subject: queries.Subject, verdict: Verdict, entries: list[AuditEntry]) -> bytes:
    """What a program needs to check the entries by itself: the hashed fields in their order, and the verdict."""
    anchor = verdict.last_anchor
    data = {
        "about": {"kind": subject.kind, "id": subject.id, "label": subject.label},
        "rule": "hash = SHA-256 of the JSON list of the fields, in this order, no blanks, UTF-8",
        "fields": list(FIELDS),
        "entries": [
            {
                "values": [moment_text(entry.at) if name == "at" else getattr(entry, name) for name in FIELDS],
                "hash": entry.hash,
            }
            for entry in entries
        ],
        "chain": {
            "whole": verdict.is_whole,
            "problem": verdict.problem,
            "entries": verdict.entries,
            "head": verdict.head_hash,
            "anchor": {"seq": anchor.seq, "hash": anchor.hash} if anchor else None,
        },
    }
    return json.dumps(data, ensure_ascii=False, indent=1).encode("utf-8")
