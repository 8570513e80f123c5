"""Saving and deleting scenarios."""

from __future__ import annotations

from dataclasses import dataclass

from plugins.key_accounts.actions import KeyAccountAction
from plugins.key_accounts.permissions import USE
from plugins.key_accounts.portfolio import queries, whatif
from plugins.key_accounts.portfolio.models import Scenario
from plugins.key_accounts.tiers.models import TIERS
from portal.audit.services import record
from portal.core import clock
from portal.core.errors import ErrorList, NotAllowed
from portal.core.permissions import require
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor

NAME_LENGTH = 80


@dataclass(frozen=True)
class ScenarioInput:
    """A what-if under a name."""

    name: str
    by: str
    assumption: whatif.Assumption
    is_shared: bool = False
    remarks: str = ""


def save_scenario(data: ScenarioInput, scope: str, actor: Actor) -> Scenario:
    """Keep a what-if with the figures of today. :param scope: whose customers the figures cover, in words.

    :raises Invalid: no name, points outside 0 … 300, a response outside 0 … 300.
    """
    require(actor, USE)
    if actor.user_id is None:
        raise NotAllowed()
    errors = ErrorList()
    name = data.name.strip()
    if not name:
        errors.add("name", _("Enter a name."))
    if len(name) > NAME_LENGTH:
        errors.add("name", _("At most %(n)s characters.", n=NAME_LENGTH))
    for tier in TIERS:
        for kind, values in (("points", data.assumption.points), ("response", data.assumption.response)):
            if not 0 <= values.get(tier, -1) <= whatif.MOST_POINTS:
                errors.add(f"{kind}_{tier}", _("Enter a number from 0 to %(most)s.", most=whatif.MOST_POINTS))
    errors.raise_if_any()
    found = queries.portfolio(actor, data.by)
    row = Scenario(
        name=name,
        owner_id=actor.user_id,
        is_shared=data.is_shared,
        content=whatif.to_json(data.by, found, data.assumption),
        scope=scope[:200],
        remarks=data.remarks.strip()[:500],
        created_at=clock.now(),
    )
    db.session.add(row)
    db.session.flush()
    record(
        actor,
        KeyAccountAction.SCENARIO_SAVED,
        object_type="key_accounts_scenario",
        object_id=row.id,
        object_label=name,
        new={"shared": row.is_shared},
    )
    return row


def delete_scenario(scenario_id: int, actor: Actor) -> None:
    """Delete one's own scenario. :raises NotFound: one may not open it. :raises NotAllowed: it is another's."""
    row = queries.scenario(scenario_id, actor)
    if row.owner_id != actor.user_id:
        raise NotAllowed()
    record(
        actor,
        KeyAccountAction.SCENARIO_DELETED,
        object_type="key_accounts_scenario",
        object_id=row.id,
        object_label=row.name,
    )
    db.session.delete(row)
    db.session.flush()
