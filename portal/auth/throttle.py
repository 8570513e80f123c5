"""Slows guessing down without letting an outsider lock anybody out.

Each attempt is counted as failed before the password is looked at, so that parallel attempts gain nothing; a success
takes it back. Four kinds of key are counted:

* account and address: strict, because one person types slowly;
* address: looser, because an office shares one;
* account: from all addresses together; short delays only, so that an attacker with many addresses slows strangers'
  attempts down but keeps nobody out for long;
* known device: a browser in which this account has logged in before carries a signed cookie. It is counted alone, so
  that nobody else's attempts delay it (OWASP "device cookies").

The counters are in the database: all processes share them. Blocked attempts are not counted, so that hammering does not
prolong a delay.
"""

from __future__ import annotations

import hashlib
import ipaddress
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from portal.auth.models import Throttle
from portal.core import clock
from portal.extensions import db


@dataclass(frozen=True)
class Limit:
    """How a kind of key is slowed: `free` failures without delay, then `first` doubled each time up to `longest`.

    Failures are forgotten `memory` after the last one.
    """

    free: int
    first: timedelta
    longest: timedelta
    memory: timedelta

    def delay(self, failures: int) -> timedelta:
        """How long to wait after so many failures in a row."""
        if failures < self.free:
            return timedelta(0)
        doublings = min(failures - self.free, 20)
        return min(self.longest, self.first * 2**doublings)


LIMITS = {
    "pair": Limit(5, timedelta(seconds=2), timedelta(minutes=15), timedelta(hours=1)),
    "address": Limit(30, timedelta(seconds=1), timedelta(minutes=5), timedelta(minutes=30)),
    "account": Limit(20, timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)),
    "device": Limit(5, timedelta(seconds=2), timedelta(minutes=15), timedelta(hours=1)),
}
#: Rows nobody has failed behind for so long are deleted.
KEEP = timedelta(days=1)


def normal_login(login: str) -> str:
    """One form for all ways to type a log-in name."""
    return unicodedata.normalize("NFC", login).strip().casefold()


def network(ip: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 that one IPv6 customer has."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ip
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _keys(login: str, ip: str, device: str) -> dict[str, Limit]:
    account, source = normal_login(login), network(ip)
    if device:
        named = {f"device|{account}|{device}": LIMITS["device"]}
    else:
        named = {
            f"pair|{account}|{source}": LIMITS["pair"],
            f"address|{source}": LIMITS["address"],
            f"account|{account}": LIMITS["account"],
        }
    return {hashlib.sha256(name.encode()).hexdigest(): limit for name, limit in sorted(named.items())}


def reserve(login: str, ip: str, device: str = "") -> int:
    """Count an attempt, in the caller's transaction, before the password is looked at.

    :param device: number of a known device of this account, "" for any other browser.
    :returns: 0 when the attempt may go on; else the seconds to wait, and nothing was counted.
    """
    now = clock.now()
    keys = _keys(login, ip, device)
    rows = _locked_rows(list(keys))
    waits = [row.blocked_until - now for row in rows if row.blocked_until is not None and row.blocked_until > now]
    if waits:
        return max(1, ceil(max(waits).total_seconds()))
    for row in rows:
        limit = keys[row.key]
        if now - row.last_failure_at > limit.memory:
            row.failures = 0
        row.failures += 1
        row.last_failure_at = now
        delay = limit.delay(row.failures)
        row.blocked_until = now + delay if delay else None
    db.session.flush()
    return 0


def forgive(login: str, ip: str, device: str = "") -> None:
    """The attempt was right: forget what was counted for this browser, take one back from the shared counters."""
    keys = _keys(login, ip, device)
    for row in _locked_rows(list(keys)):
        personal = keys[row.key] in (LIMITS["pair"], LIMITS["device"])
        row.failures = 0 if personal else max(0, row.failures - 1)
        row.blocked_until = None if personal or row.failures < keys[row.key].free else row.blocked_until
    db.session.flush()
    db.session.execute(delete(Throttle).where(Throttle.last_failure_at < clock.now() - KEEP))


def _locked_rows(keys: list[str]) -> list[Throttle]:
    """The counters of the keys, made when missing, locked until the commit; always in the same order."""
    insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    ordered = sorted(keys)
    now = clock.now()
    db.session.execute(
        insert(Throttle)
        .values([{"key": key, "failures": 0, "last_failure_at": now, "blocked_until": None} for key in ordered])
        .on_conflict_do_nothing(index_elements=["key"])
    )
    return list(
        db.session.scalars(
            select(Throttle)
            .where(Throttle.key.in_(ordered))
            .order_by(Throttle.key)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )
