"""Visits and meetings as a calendar that other programs subscribe to (RFC 5545)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from icalendar import Calendar, Event

from portal.core import clock
from portal.i18n import _

PRODUCT = "-//portal//key accounts//EN"


def calendar_of(visits: Sequence[Any], meetings: Sequence[Any], host: str, link: Any) -> bytes:
    """The calendar as it is sent.

    :param host: of the portal; with the id it makes the entry's lasting name. :param link: endpoint, id → address.
    """
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", _("Key accounts"))
    for row in visits:
        summary = _("Visit: %(customer)s (%(executive)s)", customer=row.customer, executive=row.executive)
        state = "CANCELLED" if row.state == "cancelled" else "CONFIRMED"
        calendar.add_component(
            _event(f"visit-{row.id}@{host}", row, summary, row.purpose, state, link("key_accounts.visit", row.id))
        )
    for row in meetings:
        state = "CANCELLED" if row.state == "cancelled" else "CONFIRMED"
        calendar.add_component(
            _event(f"meeting-{row.id}@{host}", row, row.title, row.agenda, state, link("key_accounts.meeting", row.id))
        )
    return bytes(calendar.to_ical())


def _event(uid: str, row: Any, summary: str, description: str, state: str, url: str) -> Event:
    event = Event()
    event.add("uid", uid)
    event.add("dtstamp", clock.now())
    event.add("dtstart", row.starts_at)
    event.add("dtend", row.starts_at + timedelta(minutes=row.minutes))
    event.add("summary", summary)
    event.add("description", description)
    event.add("status", state)
    event.add("sequence", row.version)
    event.add("url", url)
    if row.place:
        event.add("location", row.place)
    return event
