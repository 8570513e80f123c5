"""Reads of dossiers. Facts about files (title, number, dates) are for whoever may see that the dossier exists;
contents come from the vault alone, and only to those who were granted them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Integer, Select, bindparam, func, select
from sqlalchemy.orm import joinedload

from plugins.archive.dossiers.completeness import FileFacts, PartState, Rules, states_of
from plugins.archive.dossiers.models import (
    CONTRACT,
    CURRENT,
    PARTS,
    QUARANTINED,
    ArchiveContent,
    ArchiveFile,
    ArchiveSupplement,
    Dossier,
)
from plugins.archive.dossiers.vocabulary import CONTRACT_PHASE, PHASE_OF_STAGE, PHASES, PROSPECT
from portal.core import clock, settings
from portal.core.errors import NotFound
from portal.core.together import Question, any_of
from portal.customers.models import Customer, CustomerStageChange, Interaction
from portal.customers.vocabulary import Status
from portal.extensions import db
from portal.org.models import User


def dossier_of(customer_id: int) -> Dossier | None:
    """The dossier of a customer, when one was opened."""
    return db.session.scalars(select(Dossier).where(Dossier.customer_id == customer_id)).first()


def customer_for(customer_id: int) -> Customer:
    """A customer whose existence everybody in the company may see. :raises NotFound: none, or merged into another."""
    customer = db.session.scalars(
        select(Customer)
        .where(Customer.id == customer_id, Customer.status != Status.MERGED.value)
        .options(joinedload(Customer.department), joinedload(Customer.account_manager))
    ).first()
    if customer is None:
        raise NotFound()
    return customer


def files_of(
    customer_id: int, parts: Iterable[str] = PARTS, states: Sequence[str] = (CURRENT,)
) -> Sequence[ArchiveFile]:
    """Files of some parts of a customer's dossier, in the order of the parts, newest first within each.

    :param parts: of `PARTS`. :param states: of `FILE_STATES`; default those in force.
    """
    found = db.session.scalars(_files_statement(tuple(parts), tuple(states)), {"customer_id": customer_id})
    return sorted(found, key=lambda file: PARTS.index(file.part))


def any_question(customer_id: int) -> Question:
    """Whether there was ever a file in the customer's dossier."""
    return Question(_any_statement(), {"customer_id": customer_id})


@cache
def _any_statement() -> Select[bool]:
    return any_of(ArchiveFile, ArchiveFile.customer_id == bindparam("customer_id", type_=Integer))


@lru_cache(maxsize=64)
def _files_statement(parts: tuple[str, ...], states: tuple[str, ...]) -> Select[ArchiveFile]:
    """Built once for each choice: every record page asks it."""
    return (
        select(ArchiveFile)
        .where(
            ArchiveFile.customer_id == bindparam("customer_id"),
            ArchiveFile.part.in_(parts),
            ArchiveFile.state.in_(states),
        )
        .options(joinedload(ArchiveFile.made_by))
        .order_by(ArchiveFile.dated_on.desc(), ArchiveFile.id.desc())
    )


def load_file(file_id: int) -> ArchiveFile:
    """A file's row. Who may open its content is the caller's question. :raises NotFound: when there is none."""
    file = db.session.get(ArchiveFile, file_id)
    if file is None:
        raise NotFound()
    return file


def rules() -> Rules:
    """The rules of completeness as they are set now."""
    return Rules(settings.get("archive.fresh_months"), settings.get("archive.contract_warning_days"))


def part_states(files: Iterable[ArchiveFile], customer: Customer) -> list[PartState]:
    """How the four parts of a dossier stand today."""
    facts = [FileFacts(file.part, file.dated_on, file.valid_until) for file in files if file.state == CURRENT]
    return states_of(facts, customer.purchase_count > 0, rules(), clock.today())


def used_bytes() -> int:
    """Bytes of all contents of the archive, before sealing."""
    return int(db.session.scalar(select(func.coalesce(func.sum(ArchiveContent.size), 0))) or 0)


def quarantined() -> list[ArchiveFile]:
    """Files that wait for the virus scanner, oldest first."""
    statement = select(ArchiveFile).where(ArchiveFile.state == QUARANTINED)
    return list(db.session.scalars(statement.order_by(ArchiveFile.id)))


# ---- the course ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Phase:
    """One phase of the course with what belongs to it.

    :ivar state: done, current or todo, as `ui.steps` knows them. :ivar first: day on which it was reached.
    """

    key: str
    label: Any
    state: str
    first: date | None
    files: tuple[ArchiveFile, ...]
    supplements: tuple[ArchiveSupplement, ...]


def course_of(
    customer: Customer, files: Sequence[ArchiveFile], supplements: Sequence[ArchiveSupplement]
) -> list[Phase]:
    """The dossier by the phases of the customer's course; two statements have been made before, this makes one.

    A file belongs to the phase in which the customer was on the day it is dated; a contract always to the contract
    phase; a supplement to the phase its author chose.
    """
    changes = db.session.execute(
        select(CustomerStageChange.changed_at, CustomerStageChange.to_stage)
        .where(CustomerStageChange.customer_id == customer.id)
        .order_by(CustomerStageChange.changed_at, CustomerStageChange.id)
    ).all()
    reached: dict[str, date] = {}
    course: list[tuple[date, str]] = []
    for moment, stage in changes:
        phase = PHASE_OF_STAGE.get(stage, PROSPECT)
        day = clock.local(moment).date()
        reached.setdefault(phase, day)
        course.append((day, phase))
    present = PHASE_OF_STAGE.get(customer.stage, PROSPECT)
    reached.setdefault(present, clock.local(customer.stage_changed_at).date())

    def phase_on(file: ArchiveFile) -> str:
        if file.part == CONTRACT:
            return CONTRACT_PHASE
        earlier = [phase for day, phase in course if day <= file.dated_on]
        return earlier[-1] if earlier else present if not course else course[0][1]

    placed = [(phase_on(file), file) for file in files]
    order = list(PHASES)
    return [
        Phase(
            key=key,
            label=label,
            state="current" if key == present else "done" if order.index(key) < order.index(present) else "todo",
            first=reached.get(key),
            files=tuple(file for phase, file in placed if phase == key),
            supplements=tuple(one for one in supplements if one.phase == key),
        )
        for key, label in PHASES.items()
    ]


def supplements_of(customer_id: int, limit: int = 100) -> Sequence[ArchiveSupplement]:
    """Supplements of a customer, newest first."""
    return list(
        db.session.scalars(
            select(ArchiveSupplement)
            .where(ArchiveSupplement.customer_id == customer_id)
            .options(joinedload(ArchiveSupplement.written_by))
            .order_by(ArchiveSupplement.dated_on.desc(), ArchiveSupplement.id.desc())
            .limit(limit)
        )
    )


def recent_interactions(customer_id: int, limit: int = 10) -> list[Any]:
    """What account managers wrote down last: kind, day, author, result, opinions. The caller checked the customer."""
    return list(
        db.session.execute(
            select(
                Interaction.kind, Interaction.at, Interaction.result, Interaction.opinions, User.name.label("author")
            )
            .outerjoin(User, User.id == Interaction.author_id)
            .where(Interaction.customer_id == customer_id, Interaction.cancelled_at.is_(None))
            .order_by(Interaction.at.desc(), Interaction.id.desc())
            .limit(limit)
        )
    )
