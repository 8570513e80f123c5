"""Every list answers with each of its ready views, choices and marks, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict

from portal.core.listing import Listing
from portal.core.registry import registry
from tests.world import World

pytestmark = pytest.mark.db


def narrowings(listing: Listing, actor: Any) -> list[dict[str, str]]:
    """What the address of a list may say: nothing, a scene, one value of a choice, a mark."""
    found: list[dict[str, str]] = [{}, *({"scene": scene.key} for scene in listing.scenes)]
    for filter_ in listing.filters:
        if filter_.kind == "choice" and filter_.choices is not None:
            found += [{filter_.key: str(value)} for value, _label in list(filter_.choices(actor))[:2]]
        elif filter_.kind == "flag":
            found.append({filter_.key: "1"})
    return found


@pytest.mark.parametrize("who", ["anna", "boss"])
def test_every_list_answers_however_it_is_narrowed(app: Flask, world: World, who: str) -> None:
    actor = world.actor(who)
    asked = 0
    with app.test_request_context():
        for listing in registry("listings"):
            for chosen in narrowings(listing, actor):
                ids: list[int] = []
                _headers, rows = listing.export_rows(actor, MultiDict(chosen), ids.append)
                for _row in rows:
                    pass
                assert listing.shows_all(actor, ids), (listing.key, chosen)
                asked += 1
    assert asked > 200
