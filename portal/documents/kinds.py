"""What a module says of a kind of document it produces."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from portal.core.permissions import Actor, Condition, registry, visible
from portal.documents.models import Document
from portal.documents.page import DocumentFacts
from portal.documents.render import Rendered


@dataclass(frozen=True)
class Making:
    """What a kind's own maker needs to know: where DATA_DIR is, for whom, how long, and whom to tell of progress."""

    folder: Path
    person: int | None
    seconds: int
    progress: Callable[[int, int], None] | None = None


@dataclass(frozen=True)
class DocumentKind:
    """A kind of numbered PDF, registered through the hook `register_document_kinds`.

    :ivar key: "module.word", unique.
    :ivar title: translatable name of the kind.
    :ivar number_prefix: capital letters; numbers are PREFIX-YEAR-000001. Kinds with one prefix share its sequence.
    :ivar template: Jinja template that extends "pdf/base.html"; gets the context and `document` (`DocumentFacts`).
    :ivar may_read: whether an actor may read one document. Asked at every download.
    :ivar rows: SQL condition of the documents that lists show to an actor; None shows people their own. A document is
        readable when both `rows` (if given) and `may_read` say so: the stricter one wins. `of_visible_customers` makes
        one for documents that are as secret as the customer's record.
    :ivar classification: translatable words at the head of every page ("Internal"); "" prints none.
    :ivar seconds: longest time for making one; above 30 only in background jobs.
    :ivar make: makes the PDF by itself instead of from `template` (long documents: `portal.documents.book`); gets what
        is known of the document, the context and the `Making`. Runs outside any transaction, with no language set.
    """

    key: str
    title: Any
    number_prefix: str
    template: str
    may_read: Callable[[Any, Document], bool]
    rows: Callable[[Any], Condition] | None = None
    classification: Any = ""
    seconds: int = 30
    make: Callable[[DocumentFacts, Mapping[str, Any], Making], Rendered] | None = None


@dataclass(frozen=True)
class of_visible_customers:
    """For `DocumentKind.rows`: documents about customers on whom the actor has the permission ("customers.view").

    Kinds with the same permission share one condition in a statement.
    """

    permission: str

    def __call__(self, actor: Actor) -> Condition:
        """SQL condition of the rows."""
        entity: Any = registry().permissions[self.permission].entity
        return Document.customer_id.in_(select(entity.id).where(visible(actor, self.permission)))


def anyone_listed(_actor: Actor, _document: Document) -> bool:
    """For `DocumentKind.may_read`, when `rows` says everything there is to say."""
    return True
