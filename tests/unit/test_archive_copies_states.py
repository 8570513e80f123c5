"""The steps of a copy, its number, narrowing of grants, quiet hours: pure rules."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.archive.copies import states
from plugins.archive.copies.numbers import new_token, normal_number, with_check_digits
from plugins.archive.copies.vocabulary import EVENTS, STATES, STEPS
from plugins.archive.lookups.rules import Scope, is_quiet, narrowed, wider_than


def test_every_state_is_reached_and_final_ones_are_final() -> None:
    reached, waiting = {states.RESERVED}, [states.RESERVED]
    while waiting:
        for table in states.TRANSITIONS.values():
            after = table.get(waiting[0])
            if after is not None and after not in reached:
                reached.add(after)
                waiting.append(after)
        waiting.pop(0)
    assert reached == set(states.STATES)
    assert all(states.steps_from(state) == () for state in states.FINAL)
    assert all(states.steps_from(state) for state in states.STATES if state not in states.FINAL)


def test_no_way_leads_twice_through_the_printer() -> None:
    """Once pages were sent, no chain of steps makes or sends them again: a reprint is a new number."""
    seen, waiting = set(), [states.SENT]
    while waiting:
        state = waiting.pop()
        for step in states.steps_from(state):
            assert step not in (states.MAKE, states.SEND, states.CANCEL), (state, step)
            after = states.TRANSITIONS[step][state]
            if after not in seen:
                seen.add(after)
                waiting.append(after)
    assert states.READY not in seen


def test_quota_comes_back_only_where_no_sheet_is_left() -> None:
    for step in states.GIVES_QUOTA_BACK:
        assert set(states.TRANSITIONS[step].values()) <= {states.VOID, states.CANCELLED}


def test_every_state_and_step_has_words() -> None:
    assert set(STATES) == set(states.STATES)
    assert set(STEPS) == set(states.BY_OPERATOR)
    assert set(EVENTS) == {*states.STEPS, "reserve", "recall"}


@given(st.integers(1, 999_999))
def test_a_number_finds_itself_and_no_slip_of_one_character_passes(serial: int) -> None:
    number = with_check_digits(f"FB-2026-{serial:06d}")
    assert normal_number(number.lower().replace("-", " ")) == number
    for place, letter in enumerate(number):
        if letter.isdigit():
            wrong = number[:place] + str((int(letter) + 1) % 10) + number[place + 1 :]
            assert normal_number(wrong) is None


def test_full_width_digits_are_read_and_other_things_are_not() -> None:
    number = with_check_digits("FB-2026-000123")
    wide = "".join(chr(ord(letter) + 0xFEE0) if letter.isalnum() else letter for letter in number)
    assert normal_number(wide) == number
    for text in ("", "FB", "CY-2026-000123-51", "1" * 500, "FB-2026-000123", "' OR 1=1"):
        assert normal_number(text) is None


def test_tokens_are_long_and_different() -> None:
    tokens = {new_token() for _n in range(200)}
    assert len(tokens) == 200
    assert all(len(token) == 32 for token in tokens)  # 192 bits, six in a character


@pytest.mark.parametrize(
    ("hour", "working", "begin", "end", "quiet"),
    [
        (19, True, 20, 7, False),
        (20, True, 20, 7, True),
        (3, True, 20, 7, True),
        (7, True, 20, 7, False),
        (12, False, 20, 7, True),
        (12, True, 12, 14, True),
        (14, True, 12, 14, False),
        (3, True, 8, 8, False),
        (12, False, 8, 8, False),
    ],
)
def test_quiet_hours(hour: int, working: bool, begin: int, end: int, quiet: bool) -> None:
    assert is_quiet(hour, working, begin, end) is quiet


SCOPES = st.builds(
    Scope,
    st.frozensets(st.sampled_from(("card", "assessment", "contract", "statistics")), min_size=1),
    st.integers(1, 9),
    st.dates(date(2026, 1, 1), date(2026, 2, 1)),
)


@given(SCOPES, st.lists(SCOPES, max_size=4))
def test_several_approvers_never_grant_more_than_what_was_asked(asked: Scope, given_by: list[Scope]) -> None:
    found = narrowed(asked, given_by)
    assert found.parts <= asked.parts
    assert found.quantity <= asked.quantity
    assert found.until_on <= asked.until_on
    for one in given_by:
        assert (found.parts <= one.parts, found.quantity <= one.quantity, found.until_on <= one.until_on) == (True,) * 3


@given(SCOPES, SCOPES)
def test_wider_is_said_of_exactly_what_is_wider(wanted: Scope, limit: Scope) -> None:
    beyond = wider_than(wanted, limit)
    assert ("parts" in beyond) is not wanted.parts.issubset(limit.parts)
    assert ("quantity" in beyond) is (wanted.quantity > limit.quantity)
    assert ("until_on" in beyond) is (wanted.until_on > limit.until_on)
    assert wider_than(Scope(frozenset(), 0, limit.until_on), limit) == ["parts", "quantity"]
