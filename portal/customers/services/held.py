"""Fields of customers that change another way than directly (hook `customer_held_fields`): forms, imports and merges
ask here, and nothing is written past it, whatever the actor's rank."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from portal.core.errors import Invalid
from portal.core.panels import HeldFields
from portal.customers.models import Customer
from portal.extensions import db
from portal.org.actor import Actor
from portal.pluginmanager import manager

NOTHING_HELD = HeldFields(frozenset(), "")
#: Without a consent these facts have to go; that is never held back.
CONSENT = "consent"


def held_fields(customer_ids: Iterable[int], actor: Actor) -> dict[int, HeldFields]:
    """Customer → what is held of it; customers of which nothing is held are missing. The portal itself is free.

    One statement for each plugin that holds fields.
    """
    wanted = list(dict.fromkeys(customer_ids))
    if not wanted or actor.is_system:
        return {}
    found: dict[int, HeldFields] = {}
    with db.session.no_autoflush:  # the change in hand is written by its service, which knows what its errors mean
        answers = manager().hook.customer_held_fields(customer_ids=wanted, actor=actor)
    for answer in answers:
        for customer_id, held in answer.items():
            before = found.get(customer_id)
            found[customer_id] = (
                HeldFields(before.fields | held.fields, before.reason, before.url) if before is not None else held
            )
    return found


def held_of(customer_id: int, actor: Actor) -> HeldFields:
    """What is held of one customer."""
    return held_fields([customer_id], actor).get(customer_id, NOTHING_HELD)


def touched(changes: Mapping[str, Sequence[Any]]) -> set[str]:
    """Names of the fields that a change touches: field → (old, new); facts about the person by their own names.

    Facts that go together with the consent they rest on are left out: who withdraws it need not wait for anybody.
    """
    names = set(changes) - {"person"}
    old, new = (changes["person"][0] or {}, changes["person"][1] or {}) if "person" in changes else ({}, {})
    for name in {*old, *new}:
        is_withdrawn = not new.get(CONSENT) and not new.get(name)
        if (old.get(name) or None) != (new.get(name) or None) and not is_withdrawn:
            names.add(name)
    return names


def problems(held: HeldFields, changes: Mapping[str, Sequence[Any]]) -> list[tuple[str, str]]:
    """(field, reason) of each held field that a change touches."""
    if not held.fields:
        return []
    return [(name, str(held.reason)) for name in sorted(held.fields & touched(changes))]


def refuse_held(customer: Customer, changes: Mapping[str, Sequence[Any]], actor: Actor) -> None:
    """:raises Invalid: naming each held field that the change touches; the whole change is undone."""
    found = problems(held_of(customer.id, actor), changes)
    if found:
        raise Invalid(found)
