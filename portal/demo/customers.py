"""Customers of the demo company: listed companies with invented contacts, stages and interactions."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, insert, update

from portal.core.regions import find, full_name
from portal.core.text import sort_key
from portal.customers import models
from portal.customers.search_index import index_customers
from portal.demo import words
from portal.demo.organisation import Staff
from portal.extensions import db

FILE = Path(__file__).with_name("listed_companies.csv")
FORWARD = ("to_identify", "potential", "opportunity", "ordering", "user")
STAGES = {"to_identify": 14, "potential": 30, "opportunity": 20, "ordering": 15, "user": 15, "dormant": 4, "lost": 2}
KINDS = {"end_user": 70, "dealer": 9, "distributor": 8, "wholesaler": 6, "retailer": 7}
INTERACTION_KINDS = {"visit": 34, "phone": 34, "email": 14, "event": 6, "sms": 6, "web": 4, "letter": 2}
#: Years of history that are invented.
HISTORY_DAYS = 720


@dataclass
class DemoCustomer:
    """What later parts of the demo need to know of a customer."""

    id: int
    name: str
    stage: str
    manager_id: int
    department_id: int
    since: date


def companies() -> Iterator[dict[str, str]]:
    """The listed companies, the showpiece first."""
    with FILE.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    rows.sort(key=lambda row: row["name"] != words.SHOWPIECE)
    return iter(rows)


@cache
def _region(area: str) -> str:
    found = find({"内蒙": "内蒙古"}.get(area, area))
    return found.code if found else ""


def _department_of(area: str) -> str:
    return next((code for code, areas in words.PROVINCES.items() if area in areas), "WEST")


def moment(day: date, hour: int, minute: int = 0) -> datetime:
    """A moment of a working day in China, as UTC."""
    return datetime.combine(day, time(hour, minute), tzinfo=UTC) - timedelta(hours=8)


def create(rng: random.Random, staff: Staff, today: date, limit: int | None = None) -> list[DemoCustomer]:
    """Create the customers with contacts, stage histories and interactions (inside the caller's transaction)."""
    made: list[DemoCustomer] = []
    rows: list[dict[str, Any]] = []
    stage_rows: list[dict[str, Any]] = []
    for number, company in enumerate(companies(), start=1):
        if limit is not None and number > limit:
            break
        customer, values, stages = _customer(rng, number, company, staff, today)
        made.append(customer)
        rows.append(values)
        stage_rows.extend(stages)
    db.session.execute(insert(models.Customer), rows)
    db.session.execute(insert(models.CustomerStageChange), stage_rows)
    contacts = _contacts(rng, made, today)
    _interactions(rng, made, contacts, today)
    ids = [customer.id for customer in made]
    for start in range(0, len(ids), 500):
        index_customers(ids[start : start + 500])
    return made


def _customer(
    rng: random.Random, number: int, company: dict[str, str], staff: Staff, today: date
) -> tuple[DemoCustomer, dict[str, Any], list[dict[str, Any]]]:
    showpiece = company["name"] == words.SHOWPIECE
    department = "EAST" if showpiece else _department_of(company["area"])
    managers = staff.managers[department]
    manager = managers[0] if showpiece else rng.choice(managers)
    stage = "user" if showpiece else rng.choices(list(STAGES), list(STAGES.values()))[0]
    since = today - timedelta(days=700 if showpiece else rng.randint(40, HISTORY_DAYS))
    stages = _stage_history(rng, number, stage, since, manager, today)
    region = _region(company["area"])
    source = rng.choice(["meeting", "referral", "web", "door_to_door", "advertisement", "own_application"])
    values = {
        "id": number,
        "party": "organisation",
        "kind": rng.choices(list(KINDS), list(KINDS.values()))[0],
        "name": company["name"],
        "short_name": "",
        "name_sort": sort_key(company["name"])[:200],
        "industry": company["industry"],
        "size_class": "large" if rng.random() < 0.6 else "small",
        "region_code": region,
        "address": full_name(region) if region else "",
        "demand": rng.choice(words.DEMANDS) if rng.random() < 0.6 else "",
        "phone": "",
        "phone_digits": "",
        "channel": rng.choice(["direct", "direct", "partner", "tender"]),
        "source": source,
        "source_note": rng.choice(words.SOURCE_NOTES) if source in {"meeting", "referral", "web"} else "",
        "account_manager_id": manager,
        "department_id": staff.departments[department],
        "stage": stage,
        "stage_changed_at": stages[-1]["changed_at"],
        "status": "active",
        "created_at": moment(since, 9),
        "created_by_id": manager,
        "updated_at": stages[-1]["changed_at"],
        "updated_by_id": manager,
        "version": 1,
    }
    made = DemoCustomer(number, company["name"], stage, manager, staff.departments[department], since)
    return made, values, stages


def _stage_history(
    rng: random.Random, customer_id: int, stage: str, since: date, manager: int, today: date
) -> list[dict[str, Any]]:
    path = list(FORWARD[: FORWARD.index(stage) + 1]) if stage in FORWARD else [*FORWARD[: rng.randint(2, 5)], stage]
    span = max((today - since).days - 1, 1)
    days = sorted(rng.sample(range(span), k=min(len(path) - 1, span))) if len(path) > 1 else []
    rows = []
    previous = ""
    for step, name in enumerate(path):
        day = since if step == 0 else since + timedelta(days=days[min(step - 1, len(days) - 1)])
        rows.append(
            {
                "customer_id": customer_id,
                "from_stage": previous,
                "to_stage": name,
                "changed_at": moment(day, 10, min(step * 7, 59)),
                "changed_by_id": manager,
                "reason": words.STAGE_REASONS.get(name, ""),
            }
        )
        previous = name
    return rows


def _person_name(rng: random.Random) -> str:
    return rng.choice(words.SURNAMES) + rng.choice(words.GIVEN)


def _contacts(rng: random.Random, customers: list[DemoCustomer], today: date) -> dict[int, list[int]]:
    rows: list[dict[str, Any]] = []
    phones: list[dict[str, Any]] = []
    by_customer: dict[int, list[int]] = {}
    for customer in customers:
        count = 0 if customer.stage == "to_identify" else rng.choice((1, 1, 2, 2, 3))
        if customer.name == words.SHOWPIECE:
            count = 3
        for position in range(count):
            contact_id = len(rows) + 1
            by_customer.setdefault(customer.id, []).append(contact_id)
            rows.append(_contact(rng, contact_id, customer, position, today))
            phones.append(
                {
                    "contact_id": contact_id,
                    # Invented: patterned numbers that no demo should ever dial.
                    "number": f"+861380000{contact_id % 10000:04d}",
                    "digits": f"1380000{contact_id % 10000:04d}",
                    "label": "mobile",
                    "position": 0,
                }
            )
    if rows:
        db.session.execute(insert(models.Contact), rows)
        db.session.execute(insert(models.ContactPhone), phones)
    return by_customer


def _contact(rng: random.Random, contact_id: int, customer: DemoCustomer, position: int, today: date) -> dict[str, Any]:
    name = _person_name(rng)
    calendar = rng.choice(("solar", "solar", "lunar", ""))
    consent = rng.random() < 0.7
    birthday = today + timedelta(days=rng.randint(-180, 185))
    return {
        "id": contact_id,
        "customer_id": customer.id,
        "name": name,
        "name_sort": sort_key(name)[:200],
        "sex": rng.choice(("female", "male")),
        "title": rng.choice(words.TITLES),
        "department": rng.choice(words.DEPARTMENT_NAMES),
        "employer_kind": rng.choice(("state_enterprise", "private_enterprise", "private_enterprise")),
        "email": f"contact{contact_id}@customer.example",
        "birthday_calendar": calendar,
        "birthday_month": birthday.month if calendar else None,
        "birthday_day": min(birthday.day, 29) if calendar else None,
        "birthday_leap": False,
        "birthday_year": rng.randint(1965, 1996) if calendar and rng.random() < 0.6 else None,
        "interests": rng.choice(words.INTERESTS) if rng.random() < 0.5 else "",
        "buying_role": ("decision_maker", "influencer", "user")[position] if position < 3 else "gatekeeper",
        "attitude": rng.choice((-1, 0, 0, 1, 1, 2)),
        "message_consent": consent,
        "message_consent_on": customer.since if consent else None,
        "message_consent_source": words.SOURCE_NOTES[0] if consent else "",
        "is_primary": position == 0,
        "is_active": True,
        "created_at": moment(customer.since, 11),
        "created_by_id": customer.manager_id,
        "updated_at": moment(customer.since, 11),
        "version": 1,
    }


def _interactions(
    rng: random.Random, customers: list[DemoCustomer], contacts: dict[int, list[int]], today: date
) -> None:
    rows: list[dict[str, Any]] = []
    people: list[dict[str, Any]] = []
    steps: list[dict[str, Any]] = []
    last: dict[int, datetime] = {}
    due: dict[int, date] = {}
    for customer in customers:
        for day in _contact_days(rng, customer, today):
            row = _interaction(rng, len(rows) + 1, customer, day)
            rows.append(row)
            last[customer.id] = max(last.get(customer.id, row["at"]), row["at"])
            if customer.id in contacts:
                people.append({"interaction_id": row["id"], "contact_id": rng.choice(contacts[customer.id])})
        wanted = customer.name == words.SHOWPIECE or (
            customer.stage in {"potential", "opportunity", "ordering", "user"} and rng.random() < 0.11
        )
        if wanted and customer.id in last:
            day = today + timedelta(days=rng.randint(-4, 16))
            due[customer.id] = day
            steps.append(
                {
                    "customer_id": customer.id,
                    "interaction_id": rows[-1]["id"],
                    "kind": rng.choice(("visit", "phone", "phone")),
                    "task": rng.choice(words.NEXT_STEPS),
                    "due_on": day,
                    "appointment": "none",
                    "owner_id": customer.manager_id,
                    "created_at": last[customer.id],
                    "created_by_id": customer.manager_id,
                    "version": 1,
                }
            )
    db.session.execute(insert(models.Interaction), rows)
    if people:
        db.session.execute(insert(models.interaction_contact), people)
    if steps:
        db.session.execute(insert(models.NextStep), steps)
    _write_contact_dates(customers, last, due)


def _contact_days(rng: random.Random, customer: DemoCustomer, today: date) -> list[date]:
    if customer.stage == "to_identify":
        return []
    span = (today - customer.since).days
    if customer.stage in {"dormant", "lost"}:
        span = max(span - 200, 1)
    count = min(rng.choice((1, 2, 3, 4, 5, 6, 8)), span)
    if customer.name == words.SHOWPIECE:
        count = min(14, span)
    days = sorted(customer.since + timedelta(days=offset) for offset in rng.sample(range(span), k=count))
    return [day if day.weekday() < 5 else day - timedelta(days=2) for day in days]


def _interaction(rng: random.Random, number: int, customer: DemoCustomer, day: date) -> dict[str, Any]:
    kind = rng.choices(list(INTERACTION_KINDS), list(INTERACTION_KINDS.values()))[0]
    at = moment(day, rng.randint(9, 16), rng.choice((0, 15, 30, 45)))
    return {
        "id": number,
        "customer_id": customer.id,
        "kind": kind,
        "direction": "incoming" if kind == "web" else "outgoing",
        "at": at,
        "minutes": {"visit": rng.choice((45, 60, 90, 120)), "phone": rng.choice((5, 10, 15, 25))}.get(kind, 10),
        "appointment": "confirmed" if kind == "visit" and rng.random() < 0.8 else "none",
        "cost": rng.choice((80, 150, 260, 420)) if kind in {"visit", "event"} else None,
        "subject": rng.choice(words.SUBJECTS[kind]),
        "result": rng.choice(words.RESULTS),
        "opinions": rng.choice(words.OPINIONS),
        "author_id": customer.manager_id,
        "created_at": at,
        "updated_at": at,
        "version": 1,
    }


def _write_contact_dates(customers: list[DemoCustomer], last: dict[int, datetime], due: dict[int, date]) -> None:
    table = models.Customer.__table__
    statement = (
        update(table)
        .where(table.c.id == bindparam("row"))
        .values(last_contact_at=bindparam("last"), next_contact_on=bindparam("due"))
    )
    values = [
        {"row": customer.id, "last": last[customer.id], "due": due.get(customer.id)}
        for customer in customers
        if customer.id in last
    ]
    if values:
        db.session.connection().execute(statement, values)
