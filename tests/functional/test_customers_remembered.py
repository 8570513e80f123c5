"""Sums that are remembered: true as long as nothing was changed, patient only with what takes long."""

from __future__ import annotations

from typing import Any

import pytest

from portal.customers import remembered
from portal.customers.remembered import FigureCache


class Machine:
    """A clock that moves when something is computed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, cost: float) -> None:
        self.now, self.cost, self.version, self.computed = 1000.0, cost, 7, 0
        monkeypatch.setattr(remembered.time, "monotonic", lambda: self.now)

    def compute(self) -> int:
        self.now += self.cost
        self.computed += 1
        return self.computed

    def ask(self, figures: FigureCache) -> Any:
        return figures.get("key", self.compute, lambda: self.version)


def test_quick_sums_are_never_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    machine, figures = Machine(monkeypatch, 0.001), FigureCache()
    assert [machine.ask(figures).value for _turn in range(3)] == [1, 2, 3]


def test_slow_sums_hold_until_something_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    machine, figures = Machine(monkeypatch, 0.1), FigureCache()
    first, second = machine.ask(figures), machine.ask(figures)
    assert (first.value, first.fresh, second.value, second.fresh) == (1, True, 1, False)
    assert second.as_of == first.as_of
    machine.version += 1
    assert machine.ask(figures).value == 2


def test_very_slow_sums_are_given_out_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    machine, figures = Machine(monkeypatch, 1.0), FigureCache()
    machine.ask(figures)
    machine.version += 1
    machine.now += 19
    assert machine.ask(figures).value == 1
    machine.now += 2
    assert machine.ask(figures).value == 2


def test_nothing_holds_longer_than_ten_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    machine, figures = Machine(monkeypatch, 0.1), FigureCache()
    machine.ask(figures)
    machine.now += 601
    assert machine.ask(figures).value == 2


def test_a_change_while_adding_up_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    machine, figures = Machine(monkeypatch, 0.1), FigureCache()

    def disturbed() -> int:
        machine.version += 1
        return machine.compute()

    figures.get("key", disturbed, lambda: machine.version)
    assert machine.ask(figures).value == 2


def test_people_with_different_sight_never_share(monkeypatch: pytest.MonkeyPatch, world: Any) -> None:
    monkeypatch.setattr(remembered, "SLOW", 0.0)
    calls: list[str] = []

    def ask(login: str) -> str:
        def compute() -> str:
            calls.append(login)
            return login

        return remembered.remembered(world.actor(login), "x", (), compute).value

    assert [ask(login) for login in ("anna", "ben", "hanna", "dora", "hector", "boss", "anna")] == [
        "anna", "ben", "hanna", "dora", "hector", "boss", "anna",
    ]  # fmt: skip
    assert calls == ["anna", "ben", "hanna", "dora", "hector", "boss"]
