"""Rules of look-ups that need no database: quiet hours, and granting less than what was asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date


def is_quiet(hour: int, working_day: bool, quiet_from: int, quiet_to: int) -> bool:
    """Whether a moment lies outside working hours.

    :param hour: of the organisation's clock, 0 … 23. :param working_day: by the Chinese calendar.
    :param quiet_from, quiet_to: hours [from, to); from 20 to 7 goes over midnight; equal hours: no hours are quiet, and
        days off are not marked either.
    """
    if quiet_from == quiet_to:
        return False
    if not working_day:
        return True
    if quiet_from < quiet_to:
        return quiet_from <= hour < quiet_to
    return hour >= quiet_from or hour < quiet_to


@dataclass(frozen=True)
class Scope:
    """What is asked or granted for each customer."""

    parts: frozenset[str]
    quantity: int
    until_on: date


def wider_than(wanted: Scope, limit: Scope) -> list[str]:
    """In what something is wider than its limit: "parts", "quantity", "until_on"; empty: it stays within.

    No part at all, or none or a negative quantity, is no grant and counts as beyond the limit too.
    """
    beyond = []
    if not wanted.parts or not wanted.parts <= limit.parts:
        beyond.append("parts")
    if not 0 < wanted.quantity <= limit.quantity:
        beyond.append("quantity")
    if wanted.until_on > limit.until_on:
        beyond.append("until_on")
    return beyond


def narrowed(asked: Scope, conditions: Iterable[Scope]) -> Scope:
    """What holds in the end when several approvers each granted less: the narrowest of everything."""
    found = asked
    for one in conditions:
        found = Scope(found.parts & one.parts, min(found.quantity, one.quantity), min(found.until_on, one.until_on))
    return found
