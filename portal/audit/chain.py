"""How an entry is hashed. Pure functions: the same for writing and for proving.

hash(n) = SHA-256 of the canonical JSON list of the fields in the order of `FIELDS`, in UTF-8; the list ends with
hash(n − 1). Personal data and the label of the object enter only as `private_hash` = SHA-256(salt ‖ canonical JSON of
[label, private]), so that they can be erased and the chain stays whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from portal.audit.ddl import GENESIS

#: Order of the hashed fields. Never reordered: old entries would no longer prove themselves.
FIELDS = (
    "seq", "at", "actor_id", "actor_name", "on_behalf_of_id", "action", "object_type", "object_id", "customer_id",
    "old_values", "new_values", "private_hash", "ip", "session_hint", "result", "reason", "previous_hash",
)  # fmt: skip

#: One encoder for all entries: `json.dumps` would make a new one for each.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode

__all__ = ["FIELDS", "GENESIS", "canonical", "entry_hash", "moment_text", "private_digest"]


def canonical(values: Mapping[str, Any]) -> str:
    """JSON with sorted keys and no blanks. Dates become ISO texts, amounts decimal texts, sets sorted lists.

    :raises TypeError: for anything else that JSON does not know (a float that is no number included).
    """
    return json.dumps(
        values, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain, allow_nan=False
    ).replace("\\u0000", "\\ufffd")  # PostgreSQL keeps no NUL


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat() if value.tzinfo else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if hasattr(value, "__html__") or hasattr(value, "_args"):  # translated lazily, or markup
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be kept in the audit trail")


def moment_text(moment: datetime) -> str:
    """A moment in UTC to the microsecond, always in the same form."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return f"{moment.isoformat(timespec='microseconds')[:-6]}Z"


def private_digest(salt: str, label: str, private: str | None) -> str:
    """Hash that stands in the chain for the label and the personal data."""
    payload = _encode([label, private])
    return hashlib.sha256(f"{salt}{payload}".encode("utf-8", "surrogatepass")).hexdigest()


def entry_hash(values: list[Any]) -> str:
    """Hash of an entry. :param values: in the order of `FIELDS`, `at` already as `moment_text`."""
    payload = _encode(values)
    return hashlib.sha256(payload.encode("utf-8", "surrogatepass")).hexdigest()
