"""Visits and meetings as a calendar that other programs subscribe to (RFC 5545).

icalendar is loaded with the first calendar: it is large, and few ask for one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from plugins.key_accounts.care.models import Meeting
from portal.core import clock
from portal.customers.models import Contact
from portal.i18n import _
from portal.notifications.services import CalendarPart
from portal.org.models import User

if TYPE_CHECKING:
    from icalendar import Calendar, Event

PRODUCT = "-//portal//key accounts//EN"


def calendar_of(visits: Sequence[Any], meetings: Sequence[Any], host: str, link: Any) -> bytes:
    """The calendar as it is sent.

    :param host: of the portal; with the id it makes the entry's lasting name. :param link: endpoint, id → address.
    """
    calendar = _calendar("PUBLISH")
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


def invitation_of(meeting: Meeting, guest: Contact, organiser: User | None, host: str) -> CalendarPart:
    """A meeting as an invitation of one guest (RFC 5546): REQUEST, or CANCEL for one that was called off."""
    from icalendar import vCalAddress

    is_off = meeting.state == "cancelled"
    calendar = _calendar("CANCEL" if is_off else "REQUEST")
    event = _event(
        f"meeting-{meeting.id}@{host}", meeting, meeting.title, meeting.agenda, "CANCELLED" if is_off else "CONFIRMED"
    )
    if organiser is not None and organiser.email:
        event.add("organizer", vCalAddress(f"mailto:{organiser.email}"), {"cn": organiser.name})
    event.add("attendee", vCalAddress(f"mailto:{guest.email}"), {"cn": guest.name, "rsvp": "TRUE"})
    calendar.add_component(event)
    return CalendarPart(str(calendar["method"]), calendar.to_ical().decode("utf-8"))


def _calendar(method: str) -> Calendar:
    from icalendar import Calendar

    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", method)
    return calendar


def _event(uid: str, row: Any, summary: str, description: str, state: str, url: str = "") -> Event:
    from icalendar import Event

    event = Event()
    event.add("uid", uid)
    event.add("dtstamp", clock.now())
    event.add("dtstart", row.starts_at)
    event.add("dtend", row.starts_at + timedelta(minutes=row.minutes))
    event.add("summary", summary)
    event.add("description", description)
    event.add("status", state)
    event.add("sequence", row.version)
    if url:
        event.add("url", url)
    if row.place:
        event.add("location", row.place)
    return event
