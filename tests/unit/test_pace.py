"""Answers that say "not found" leave at even marks of time (portal/core/pace.py)."""

from __future__ import annotations

from time import perf_counter

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from portal.core import pace


@given(st.floats(0, 100), st.floats(0.001, 1))
def test_the_next_mark_is_never_past_and_never_farther_than_a_step(elapsed: float, step: float) -> None:
    wait = pace.until_mark(elapsed, step)
    assert 0 <= wait <= step
    marks = (elapsed + wait) / step
    assert marks == pytest.approx(round(marks), abs=1e-6 * max(1, marks))


def test_outside_of_tests_answers_wait() -> None:
    app = Flask(__name__)
    pace.init_app(app)
    assert pace.pace_of(app).step == pace.STEP > 0


@pytest.mark.parametrize(("asks", "waits"), [(True, True), (False, False)])
def test_only_who_asks_for_it_waits(asks: bool, waits: bool) -> None:
    def inner(environ: dict[str, object], _start: object) -> list[bytes]:
        if asks:
            environ[pace._ASKED] = True
        return [b"answer"]

    begin = perf_counter()
    assert pace.Pace(inner, 0.05)({}, None) == [b"answer"]
    assert (perf_counter() - begin >= 0.05) is waits
