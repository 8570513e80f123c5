"""The person behind the present request. The guard of `portal.auth` puts the actor there before any view runs."""

from __future__ import annotations

from flask import g

from portal.org.actor import Actor


def current_actor() -> Actor:
    """The signed-in person.

    :raises RuntimeError: on a public page or outside a request; such code must not ask who acts.
    """
    actor = current_actor_or_none()
    if actor is None:
        raise RuntimeError("nobody is signed in: a public page must not ask for the actor")
    return actor


def current_actor_or_none() -> Actor | None:
    """The signed-in person, or None on a public page seen by a visitor."""
    actor = g.get("actor")
    return actor if isinstance(actor, Actor) else None
