"""The list of dossiers with what is missing, out of date or about to expire."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import url_for
from markupsafe import Markup
from sqlalchemy import ColumnElement, Select, and_, exists, func, not_, or_, select, true

from plugins.archive.dossiers.completeness import FileFacts, months_earlier, states_of
from plugins.archive.dossiers.models import (
    ASSESSMENT,
    CARD,
    CONTRACT,
    CURRENT,
    PARTS,
    QUARANTINED,
    STATISTICS,
    ArchiveFile,
    Dossier,
)
from plugins.archive.dossiers.queries import rules
from plugins.archive.dossiers.vocabulary import (
    NOT_DUE,
    SHORT_PARTS,
    STANDING_TONES,
    STANDINGS,
    label_of,
    word,
)
from plugins.archive.permissions import MAINTAIN
from portal.core import clock
from portal.core.components import day, tag
from portal.core.listing import CellContext, Column, EmptyText, Filter, Listing, Scene
from portal.core.permissions import can, visible
from portal.customers.models import Customer
from portal.customers.search import matching_ids
from portal.customers.vocabulary import Status
from portal.i18n import _l
from portal.org.actor import Actor
from portal.org.models import Department, User


def _source(statement: Select[Any]) -> Select[Any]:
    return (
        statement.select_from(Customer)
        .join(Department, Department.id == Customer.department_id)
        .outerjoin(User, User.id == Customer.account_manager_id)
        .outerjoin(Dossier, Dossier.customer_id == Customer.id)
    )


def _seen(actor: Actor) -> list[ColumnElement[bool]]:
    """Maintainers keep the dossiers of all customers; others see those of the customers they may see."""
    live = Customer.status != Status.MERGED.value
    return [live, true() if can(actor, MAINTAIN) else visible(actor, "customers.view")]


def _in_force(part: str, *more: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(
        ArchiveFile.customer_id == Customer.id, ArchiveFile.part == part, ArchiveFile.state == CURRENT, *more
    )


def _newest(part: str, column: Any) -> Any:
    return (
        select(func.max(column))
        .where(ArchiveFile.customer_id == Customer.id, ArchiveFile.part == part, ArchiveFile.state == CURRENT)
        .correlate(Customer)
        .scalar_subquery()
    )


def _endless() -> Any:
    """Whether there is a contract without an end."""
    return (
        select(func.count())
        .where(
            ArchiveFile.customer_id == Customer.id,
            ArchiveFile.part == CONTRACT,
            ArchiveFile.state == CURRENT,
            ArchiveFile.valid_until.is_(None),
        )
        .correlate(Customer)
        .scalar_subquery()
    )


def missing(_actor: Actor) -> ColumnElement[bool]:
    """Dossiers that lack a part they need: always the card, the other parts from the first purchase on."""
    others = [not_(_in_force(part)) for part in (ASSESSMENT, CONTRACT, STATISTICS)]
    return or_(not_(_in_force(CARD)), and_(Customer.purchase_count > 0, or_(*others)))


def out_of_date(_actor: Actor) -> ColumnElement[bool]:
    """Dossiers with a produced part whose newest file is too old."""
    limit = months_earlier(clock.today(), rules().fresh_months)
    return or_(
        *(
            and_(_in_force(part), not_(_in_force(part, ArchiveFile.dated_on >= limit)))
            for part in (CARD, ASSESSMENT, STATISTICS)
        )
    )


def contracts_end(_actor: Actor) -> ColumnElement[bool]:
    """Dossiers whose last contract has expired or does so soon."""
    limit = clock.today() + timedelta(days=rules().warning_days)
    lasting = or_(ArchiveFile.valid_until.is_(None), ArchiveFile.valid_until > limit)
    return and_(_in_force(CONTRACT), not_(_in_force(CONTRACT, lasting)))


def in_quarantine(_actor: Actor) -> ColumnElement[bool]:
    """Dossiers with a file that waits for the virus scanner."""
    return exists().where(ArchiveFile.customer_id == Customer.id, ArchiveFile.state == QUARANTINED)


def _facts(row: Any) -> list[FileFacts]:
    facts = [
        FileFacts(part, _as_day(when))
        for part, when in ((CARD, row.card), (ASSESSMENT, row.assessment), (STATISTICS, row.statistics))
        if when is not None
    ]
    if row.contract is not None:
        until = None if row.endless or row.contract_until is None else _as_day(row.contract_until)
        facts.append(FileFacts(CONTRACT, _as_day(row.contract), until))
    return facts


def _as_day(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))


def _parts_cell(row: Any, _context: CellContext) -> Markup:
    """The four parts, each with its standing: tone and word."""
    states = states_of(_facts(row), row.purchase_count > 0, rules(), clock.today())
    cells = [tag(label_of(state), STANDING_TONES[state.standing]) for state in states if state.standing != NOT_DUE]
    return Markup(" ").join(cells)


def _lacking(row: Any, _context: CellContext) -> str:
    states = states_of(_facts(row), row.purchase_count > 0, rules(), clock.today())
    return " ".join(
        f"{word(SHORT_PARTS, state.part)}: {word(STANDINGS, state.standing)}" for state in states if not state.is_fine
    )


DOSSIERS = Listing(
    key="archive.dossiers",
    title=_l("Customer dossiers"),
    endpoint="archive.dossiers",
    identity=Customer.id,
    source=_source,
    where=_seen,
    default_sort="name",
    columns=[
        Column("name", _l("Customer"), {"name": Customer.name}, sort=Customer.name_sort, sticky=True),
        Column(
            "number",
            _l("Dossier"),
            {"number": Dossier.number},
            cell=lambda row, _c: row.number or "—",
            export=lambda row, _c: row.number or "",
        ),
        Column(
            "parts",
            _l("Parts"),
            {
                "card": _newest(CARD, ArchiveFile.dated_on),
                "assessment": _newest(ASSESSMENT, ArchiveFile.dated_on),
                "statistics": _newest(STATISTICS, ArchiveFile.dated_on),
                "contract": _newest(CONTRACT, ArchiveFile.dated_on),
                "contract_until": _newest(CONTRACT, ArchiveFile.valid_until),
                "endless": _endless(),
                "purchase_count": Customer.purchase_count,
            },
            cell=_parts_cell,
            export=_lacking,
        ),
        Column(
            "changed",
            _l("Last change"),
            {"changed_at": Dossier.changed_at},
            cell=lambda row, _c: day(clock.local(row.changed_at).date()) if row.changed_at else "—",
            export=lambda row, _c: clock.local(row.changed_at).date() if row.changed_at else None,
        ),
        Column("manager", _l("Account manager"), {"manager": func.coalesce(User.name, "")}),
        Column("department", _l("Department"), {"department": Department.name}),
    ],
    filters=[
        Filter(
            "part",
            _l("Missing part"),
            "choice",
            lambda value, _a: or_(*(not_(_in_force(part)) for part in value.values if part in PARTS)),
            lambda _a: list(SHORT_PARTS.items()),
        ),
    ],
    scenes=[
        Scene("open", _l("With a dossier"), lambda _a: Dossier.id.is_not(None)),
        Scene("missing", _l("Parts missing"), lambda actor: and_(Dossier.id.is_not(None), missing(actor))),
        Scene("old", _l("Out of date"), out_of_date),
        Scene("ending", _l("Contracts that end"), contracts_end),
        Scene("quarantine", _l("In quarantine"), in_quarantine),
        Scene("none", _l("Without a dossier"), lambda _a: Dossier.id.is_(None)),
        Scene("mine", _l("My customers"), lambda actor: Customer.account_manager_id == actor.user_id),
    ],
    row_url=lambda row: url_for("archive.dossier", customer_id=row.id),
    search=lambda text, _a: or_(Dossier.number == text.upper(), Customer.id.in_(matching_ids(text))),
    empty=EmptyText(
        _l("No dossiers here"),
        _l("A dossier is opened with its first part: open a customer and produce the card, or upload a contract."),
    ),
)

LISTINGS = (DOSSIERS,)
