"""Triggers that hold when code is bypassed: nobody decides on his own request, decisions stay, final is final.

`statements` is used by ``create_all`` (tests, demo) and by the migration alike.
"""

from __future__ import annotations

#: People for whose gain or by whose hand the request of the new decision is: they never decide.
_PARTIES = """
  SELECT applicant_id AS user_id FROM approval_request WHERE id = NEW.request_id AND applicant_id IS NOT NULL
  UNION SELECT typed_by_id FROM approval_request WHERE id = NEW.request_id AND typed_by_id IS NOT NULL
  UNION SELECT user_id FROM approval_beneficiary WHERE request_id = NEW.request_id
"""

#: A decider (or the one he decides for) is a party, or another account of one.
_IS_PARTY = f"""EXISTS (
  SELECT 1 FROM ({_PARTIES}) party
  JOIN org_user party_user ON party_user.id = party.user_id
  JOIN org_user decider ON decider.id = NEW.by_id OR decider.id = NEW.for_id
  WHERE decider.id = party_user.id OR (decider.person_key <> '' AND decider.person_key = party_user.person_key))"""

#: A decider stands in for a party just now, for this kind of request. (REPLACE: a percent sign of LIKE would be taken
#: for a parameter by the PostgreSQL driver.)
_IS_DELEGATE = f"""EXISTS (
  SELECT 1 FROM ({_PARTIES}) party
  JOIN org_user party_user ON party_user.id = party.user_id
  JOIN org_user delegator ON delegator.id = party_user.id
    OR (delegator.person_key <> '' AND delegator.person_key = party_user.person_key)
  JOIN org_delegation d ON d.delegator_id = delegator.id
  JOIN approval_request r ON r.id = NEW.request_id
  WHERE d.delegate_id = NEW.by_id AND d.revoked_at IS NULL
    AND d.begins_at <= NEW.decided_at AND NEW.decided_at < d.ends_at
    AND (d.kinds = '' OR REPLACE(' ' || d.kinds || ' ', ' ' || r.kind || ' ', '') <> ' ' || d.kinds || ' '))"""

#: The vote belongs to an open seat of the open step of a request under way.
_NOT_OPEN = """NOT EXISTS (
  SELECT 1 FROM approval_request r
  JOIN approval_step s ON s.id = NEW.step_id AND s.request_id = r.id AND s.state = 'open'
  JOIN approval_seat a ON a.id = NEW.seat_id AND a.step_id = s.id AND a.state = 'open'
  WHERE r.id = NEW.request_id AND r.state = 'pending' AND a.user_id = COALESCE(NEW.for_id, NEW.by_id))"""

_FINAL = "('approved', 'rejected', 'returned', 'withdrawn', 'expired', 'cancelled')"

#: A state that only a vote leads to, without that vote.
_NO_VOTE = """NEW.state IN ('approved', 'rejected', 'returned') AND OLD.state <> NEW.state AND NOT EXISTS (
  SELECT 1 FROM approval_decision d WHERE d.request_id = NEW.id AND d.outcome = NEW.state)"""

#: Columns that are frozen once the request was filed.
FROZEN = ("kind", "title", "scope", "payload", "round", "token", "policy_version", "subject_type")
FROZEN_NULLABLE = ("applicant_id", "typed_by_id", "previous_id")
_EDITED = "OLD.state <> 'draft' AND ({})".format(
    " OR ".join(
        [f"NEW.{name} <> OLD.{name}" for name in FROZEN]
        + [f"COALESCE(NEW.{name}, 0) <> COALESCE(OLD.{name}, 0)" for name in FROZEN_NULLABLE]
    )
)

MESSAGES = {
    "party": "approval: nobody decides on his own request",
    "delegate": "approval: the delegate of a party does not decide",
    "not_open": "approval: no open seat for this decision",
    "append_only": "approval: decisions and events are append-only",
    "final": "approval: a final state is final",
    "no_vote": "approval: no such decision was taken",
    "edited": "approval: a filed request is not edited",
    "kept": "approval: requests are kept",
    "beneficiary": "approval: beneficiaries are fixed once the request is filed",
}

_FILED = "EXISTS (SELECT 1 FROM approval_request r WHERE r.id = {row}.request_id AND r.state <> 'draft')"

#: (name, table, event, [(condition, message key)])
_TRIGGERS: tuple[tuple[str, str, str, tuple[tuple[str, str], ...]], ...] = (
    (
        "approval_decision_insert",
        "approval_decision",
        "INSERT",
        ((_IS_PARTY, "party"), (_IS_DELEGATE, "delegate"), (_NOT_OPEN, "not_open")),
    ),
    ("approval_decision_update", "approval_decision", "UPDATE", (("1 = 1", "append_only"),)),
    ("approval_decision_delete", "approval_decision", "DELETE", (("1 = 1", "append_only"),)),
    ("approval_event_update", "approval_event", "UPDATE", (("1 = 1", "append_only"),)),
    ("approval_event_delete", "approval_event", "DELETE", (("1 = 1", "append_only"),)),
    (
        "approval_request_update",
        "approval_request",
        "UPDATE",
        (
            (f"OLD.state IN {_FINAL} AND NEW.state <> OLD.state", "final"),
            ("OLD.state = 'pending' AND NEW.state = 'draft'", "final"),
            (_NO_VOTE, "no_vote"),
            (_EDITED, "edited"),
        ),
    ),
    (
        "approval_request_insert",
        "approval_request",
        "INSERT",
        (("NEW.state IN ('approved', 'rejected', 'returned')", "no_vote"),),
    ),
    ("approval_request_delete", "approval_request", "DELETE", (("OLD.state <> 'draft'", "kept"),)),
    ("approval_beneficiary_insert", "approval_beneficiary", "INSERT", ((_FILED.format(row="NEW"), "beneficiary"),)),
    ("approval_beneficiary_update", "approval_beneficiary", "UPDATE", ((_FILED.format(row="OLD"), "beneficiary"),)),
    ("approval_beneficiary_delete", "approval_beneficiary", "DELETE", ((_FILED.format(row="OLD"), "beneficiary"),)),
)


def statements(dialect_name: str) -> list[str]:
    """The CREATE statements for "sqlite" or "postgresql"; safe to run again."""
    return _sqlite() if dialect_name == "sqlite" else _postgresql()


def drop_statements(dialect_name: str) -> list[str]:
    """What takes the triggers away again (migrations going back)."""
    found = []
    for name, table, _event, _conditions in _TRIGGERS:
        if dialect_name == "sqlite":
            found.append(f"DROP TRIGGER IF EXISTS {name}")
        else:
            found += [f"DROP TRIGGER IF EXISTS {name} ON {table}", f"DROP FUNCTION IF EXISTS {name}()"]
    return found


def _sqlite() -> list[str]:
    found = []
    for name, table, event, conditions in _TRIGGERS:
        body = " ".join(f"SELECT RAISE(ABORT, '{MESSAGES[key]}') WHERE {condition};" for condition, key in conditions)
        found.append(f"CREATE TRIGGER IF NOT EXISTS {name} BEFORE {event} ON {table} BEGIN {body} END")
    return found


def _postgresql() -> list[str]:
    found = []
    for name, table, event, conditions in _TRIGGERS:
        # The class "integrity constraint violation", as for a constraint: the same error on both databases.
        body = " ".join(
            f"IF {condition} THEN RAISE EXCEPTION '{MESSAGES[key]}' USING ERRCODE = 'integrity_constraint_violation'; "
            "END IF;"
            for condition, key in conditions
        )
        result = "OLD" if event == "DELETE" else "NEW"
        found.append(
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$portal$ BEGIN {body} RETURN {result}; END $portal$"
        )
        found.append(f"DROP TRIGGER IF EXISTS {name} ON {table}")
        found.append(f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
    return found
