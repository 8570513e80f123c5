"""What is remembered of published versions is bounded by its size."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from plugins.sop.manuals.remembered import Shelf, weight


@dataclass(frozen=True)
class Leaf:
    """Something a shelf keeps."""

    title: str
    parts: tuple[str, ...] = ()


def test_a_shelf_never_holds_more_than_its_room_and_lets_the_least_asked_go() -> None:
    shelf = Shelf(50_000)
    for number in range(4):
        shelf.keep(number, Leaf(f"{number}" * 10_000))
    assert shelf.find(0) == (Leaf("0" * 10_000),)
    shelf.keep(4, Leaf("4" * 10_000))
    assert shelf.find(0) != ()
    assert shelf.find(1) == ()
    assert shelf.held <= 50_000
    held = shelf.held
    shelf.keep("too large", Leaf("x" * 60_000))
    assert shelf.find("too large") == ()
    assert shelf.held == held
    assert shelf.find(0) != ()
    for _again in range(3):
        shelf.keep(9, Leaf("9" * 100))
    assert shelf.held - held < 1_000


def test_all_that_a_thing_holds_is_weighed_and_nothing_twice() -> None:
    text = "客户" * 5_000
    assert weight(Leaf("", (text,))) > sys.getsizeof(text)
    twice = weight(Leaf("", (text, text))) - weight(Leaf("", (text, "")))
    assert abs(twice) < 100
    assert weight({"a": [text]}) > sys.getsizeof(text)
