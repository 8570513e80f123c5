"""Changes to what belongs to the person: saved views, language, theme."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import select

from portal.core import clock
from portal.core.errors import Invalid, NotFound
from portal.core.listing.models import SavedView
from portal.core.registry import registry
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor

#: Parameters that name a place in a list, not a choice.
NOT_SAVED = frozenset({"after", "before"})
MAX_VIEWS = 50


@dataclass(frozen=True)
class SavedViewInput:
    """A view to save: the list's key, a name, the query string it stands for."""

    listing: str
    name: str
    query: str
    is_shared: bool = False
    is_pinned: bool = False


def save_view(data: SavedViewInput, actor: Actor) -> SavedView:
    """Save a view, replacing one's own of the same name. :raises Invalid: without a name or beyond the limit."""
    if data.listing not in registry("listings"):
        raise NotFound()
    if not data.name or len(data.name) > 60:
        raise Invalid([("label", _("Give the view a name of at most 60 characters."))])
    own = list(
        db.session.scalars(
            select(SavedView).where(SavedView.listing == data.listing, SavedView.owner_id == actor.user_id)
        )
    )
    view = next((row for row in own if row.name == data.name), None)
    if view is None:
        if len(own) >= MAX_VIEWS:
            raise Invalid([("label", _("At most %(n)s views can be saved; delete one first.", n=MAX_VIEWS))])
        view = SavedView(listing=data.listing, owner_id=actor.user_id, name=data.name, created_at=clock.now())
        db.session.add(view)
    kept = [(name, value) for name, value in parse_qsl(data.query) if name not in NOT_SAVED]
    view.query = urlencode(kept)
    view.is_shared, view.is_pinned = data.is_shared, data.is_pinned
    db.session.flush()
    return view


def delete_view(view_id: int, actor: Actor) -> SavedView:
    """Delete one's own view. :raises NotFound: for another person's."""
    view = db.session.get(SavedView, view_id)
    if view is None or view.owner_id != actor.user_id:
        raise NotFound()
    db.session.delete(view)
    db.session.flush()
    return view
