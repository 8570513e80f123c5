"""F23 and F15: a printer that misbehaves, and clocks that are wrong (`make faults` plays each fault ten times).

The portal drives no printer (docs/operations.md): what a printer does reaches it through the operator who counts the
sheets. Each way to fail is played through the pages. Afterwards no grant has given more copies than approved,
each copy whose pages went out stands in the register, none went out twice, and nothing was printed again by itself.
"""

from __future__ import annotations

import os
import secrets
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from plugins.archive.copies import jobs, printing, services, states
from plugins.archive.copies.models import ArchiveCopy, ArchiveCopyEvent
from plugins.archive.lookups import grants
from plugins.archive.lookups.grants import Ended
from plugins.archive.lookups.models import PAPER, VIEW, ArchiveGrant
from portal.audit.models import AuditEntry
from portal.audit.verify import verify_chain
from portal.core import clock, settings
from portal.core.transaction import transaction
from portal.extensions import db
from tests.archive_world import add_file, granted, ready, reserved
from tests.functional.test_archive_copies import Quiet
from tests.world import World

pytestmark = pytest.mark.db
TIMES = 10 if os.environ.get("PORTAL_FAULTS") == "full" else 1


@pytest.fixture
def app_settings() -> dict[str, object]:
    return {"JOBS_IMMEDIATE": False}


class Station:
    """The operator at his machine, with one copy."""

    def __init__(self, client: FlaskClient, world: World, copy_id: int) -> None:
        self.client, self.world, self.id = client, world, copy_id
        world.login(client, "otto")

    def fetch(self) -> bool:
        """Whether pages came."""
        return self.client.post(f"/archive/copies/{self.id}/pages").status_code == 200

    def step(self, name: str, **form: object) -> int:
        return self.client.post(f"/archive/copies/{self.id}/{name}", data=form).status_code

    @property
    def state(self) -> str:
        db.session.rollback()
        return db.session.get_one(ArchiveCopy, self.id).state

    def burn(self) -> None:
        witness = str(self.world.user("paula").id)
        assert self.step("burn", witness=witness, witness_text="鲍兰") == 302


def refuses(station: Station) -> str:
    assert station.fetch()
    station.step("nothing", note="打印机拒绝")
    return station.state


def hangs(station: Station) -> str:
    assert station.fetch()
    with clock.frozen(clock.now() + timedelta(minutes=61)):
        jobs.look_after(None)  # type: ignore[arg-type]
    assert station.state == states.SUSPECT
    assert not station.fetch()
    station.step("count", sheets="2")
    return station.state


def dies_after_accepting(station: Station) -> str:
    assert station.fetch()
    assert not station.fetch()  # the answer was lost, the operator clicks again: nothing comes a second time
    station.step("nothing", note="没有出纸")
    return station.state


def jams(station: Station) -> str:
    assert station.fetch()
    assert station.step("count", sheets="1") == 400
    station.step("spoil", note="第二张卡纸")
    assert station.state == states.SPOILED
    station.burn()
    return station.state


def acknowledges_twice(station: Station) -> str:
    assert station.fetch()
    for _time in range(2):
        station.step("count", sheets="2")
    return station.state


def restarts(station: Station) -> str:
    """The worker runs the job again while and after the copy is printed."""
    printing.run(Quiet(), station.id)  # type: ignore[arg-type]
    assert station.fetch()
    printing.run(Quiet(), station.id)  # type: ignore[arg-type]
    assert not station.fetch()
    station.step("count", sheets="2")
    return station.state


FAULTS: dict[Callable[[Station], str], str] = {
    refuses: states.VOID,
    hangs: states.PRINTED,
    dies_after_accepting: states.VOID,
    jams: states.VOID,
    acknowledges_twice: states.PRINTED,
    restarts: states.PRINTED,
}


def test_a_printer_that_misbehaves_prints_no_copy_too_many(
    app: Flask, client: FlaskClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(printing, "make_pdf", lambda *_arguments: (b"%PDF-1.7 pages", 2))
    with transaction():
        settings.put("archive.prints_hour", 10**6, None)
    add_file(world.customer_id("maotai"))
    grant_id = granted(app, world, "anna", "maotai", PAPER, 1)
    outcome: Counter[str] = Counter()
    for fault, expected in FAULTS.items():
        for _time in range(TIMES):
            with transaction():  # each trial has one copy
                db.session.execute(
                    update(ArchiveGrant).where(ArchiveGrant.id == grant_id).values(quota=ArchiveGrant.used + 1)
                )
            copy_id = reserved(world, grant_id) if fault is restarts else ready(world, grant_id)
            assert fault(Station(client, world, copy_id)) == expected
            outcome[f"{fault.__name__}: {expected}"] += 1
    db.session.rollback()
    copies = Counter(db.session.scalars(select(ArchiveCopy.state)))
    sends = Counter(db.session.scalars(select(ArchiveCopyEvent.copy_id).where(ArchiveCopyEvent.step == states.SEND)))
    counts = Counter(db.session.scalars(select(ArchiveCopyEvent.copy_id).where(ArchiveCopyEvent.step == states.COUNT)))
    assert copies == Counter({states.VOID: 3 * TIMES, states.PRINTED: 3 * TIMES})
    assert db.session.get_one(ArchiveGrant, grant_id).used == copies[states.PRINTED]
    assert set(sends.values()) == set(counts.values()) == {1}
    assert len(sends) == len(FAULTS) * TIMES
    print(
        f"\n  F23: {dict(outcome)}; {copies[states.PRINTED]} copies on paper, as many as approved",
        flush=True,
    )


CLOCKS = {
    "a day ahead": timedelta(days=1),
    "a day behind": timedelta(days=-1),
    "a month ahead": timedelta(days=30),
    "a month behind": timedelta(days=-30),
    "two hours ahead": timedelta(hours=2),
    "two hours behind": timedelta(hours=-2),
}
ZONES = ("America/New_York", "Pacific/Kiritimati")


def test_wrong_clocks_give_nothing_early_or_late(app: Flask, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    add_file(world.customer_id("maotai"))
    anna, otto, now = world.actor("anna"), world.actor("otto"), clock.now()
    hour = timedelta(hours=1)
    periods = {
        "over": (now - 2 * hour, now - hour),
        "live": (now - hour, now + hour),
        "to come": (now + hour, now + 2 * hour),
    }
    found = {}
    for mode in (VIEW, PAPER):
        for name, (begins, ends) in periods.items():
            grant_id = found[mode, name] = granted(app, world, "anna", "maotai", mode, 1)
            with transaction():
                changed = update(ArchiveGrant).where(ArchiveGrant.id == grant_id)
                db.session.execute(changed.values(begins_at=begins, ends_at=ends, quota=100))

    def given() -> set[tuple[str, str]]:
        """Which grants give something just now, and open views that may be looked at."""
        gave = set()
        for (mode, name), grant_id in found.items():
            token = secrets.token_hex(8)
            try:
                with transaction():
                    if mode == VIEW:
                        view_id = grants.open_view(grant_id, token, anna).id
                    else:
                        services.reserve(grant_id, token, otto)
            except Ended:
                continue
            gave.add((mode, name))
            if mode == VIEW:
                assert grants.view_for(view_id, anna).is_open
        return gave

    wanted = {(VIEW, "live"), (PAPER, "live")}
    for shift in CLOCKS.values():
        with monkeypatch.context() as wrong:
            wrong.setattr(clock, "now", lambda shift=shift: now + shift)
            assert given() == wanted
    for zone in ZONES:
        clock.set_zone(zone)
        assert given() == wanted
    clock.set_zone(app.config["TIMEZONE"])
    verdict = verify_chain(None)
    moments = list(db.session.scalars(select(AuditEntry.at).order_by(AuditEntry.seq)))
    assert verdict.is_whole
    assert moments != sorted(moments)  # the clocks were wrong indeed; the order is that of the numbers
    print(
        f"\n  F15: {len(CLOCKS)} wrong clocks and {len(ZONES)} zones × 6 grants: 0 given early, 0 given late, "
        "0 refused wrongly; trail whole, in the order of its numbers",
        flush=True,
    )
