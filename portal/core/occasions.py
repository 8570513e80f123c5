"""Occasions: things that happen and that other modules may answer with work, such as a checklist.

A module names its occasions once (hook `register_occasions`) and tells when one happens (hook `occasion_happened`). It
does not know who listens: a new customer may start a checklist, a complaint too, or nothing at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from portal.core.registry import Registry, registry


@dataclass(frozen=True)
class Occasion:
    """A kind of thing that happens.

    :ivar key: "module.event" ("customers.created"), unique.
    :ivar title: translatable words for it ("each new customer").
    :ivar of_customer: whether it is always about a customer.
    """

    key: str
    title: Any
    of_customer: bool = True


def occasions() -> Registry[Occasion]:
    """All registered occasions: by key, in order."""
    return registry("occasions")
