"""The reporting lines as layers, and the influence–attitude field: places for a picture. Pure, no database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

BOX_WIDTH, BOX_HEIGHT = 150, 58
GAP_X, GAP_Y = 22, 44
MARGIN = 12


@dataclass(frozen=True)
class Box:
    """A person in the picture; x, y: the upper left corner in pixels."""

    key: int
    x: int
    y: int
    parent: int | None


@dataclass(frozen=True)
class Tree:
    """Boxes with their lines and the size of the picture."""

    boxes: tuple[Box, ...]
    width: int
    height: int

    def line_to(self, box: Box) -> str:
        """Path of the line from the superior's box down to this one."""
        above = next(other for other in self.boxes if other.key == box.parent)
        x1, y1 = above.x + BOX_WIDTH // 2, above.y + BOX_HEIGHT
        x2, y2 = box.x + BOX_WIDTH // 2, box.y
        middle = (y1 + y2) // 2
        return f"M{x1} {y1}V{middle}H{x2}V{y2}"


def would_loop(superiors: Mapping[int, int | None], person: int, superior: int | None) -> bool:
    """Whether `person` reporting to `superior` would make a circle of reporting lines."""
    seen = {person}
    at = superior
    while at is not None:
        if at in seen:
            return True
        seen.add(at)
        at = superiors.get(at)
    return False


def chain(superiors: Mapping[int, int | None], person: int) -> list[int]:
    """The superiors of a person from the next one up; stops where a circle would begin."""
    found: list[int] = []
    at = superiors.get(person)
    while at is not None and at not in found and at != person:
        found.append(at)
        at = superiors.get(at)
    return found


def layout(people: Sequence[int], superiors: Mapping[int, int | None]) -> Tree:
    """Place people in layers: everybody below his superior, superiors in the middle above theirs.

    :param people: in the order in which siblings stand. :param superiors: person → superior; one who is not among
        `people` counts as none, and a circle (old data) is cut where it is met first.
    """
    known = set(people)
    parents = {
        key: superior
        for key in people
        if (superior := superiors.get(key)) in known and not would_loop(_cut(superiors, known, key), key, superior)
    }
    children: dict[int | None, list[int]] = defaultdict(list)
    for key in people:
        children[parents.get(key)].append(key)
    places: dict[int, tuple[int, int]] = {}
    lowest = 0
    cursor = 0

    def place(key: int, depth: int) -> float:
        nonlocal cursor, lowest
        lowest = max(lowest, depth)
        below = [place(child, depth + 1) for child in children[key]]
        if below:
            column = (below[0] + below[-1]) / 2
        else:
            column = float(cursor)
            cursor += 1
        places[key] = (round(column * (BOX_WIDTH + GAP_X)) + MARGIN, depth * (BOX_HEIGHT + GAP_Y) + MARGIN)
        return column

    for root in children[None]:
        place(root, 0)
    boxes = tuple(Box(key, *places[key], parents.get(key)) for key in people)
    return Tree(
        boxes,
        max(cursor, 1) * (BOX_WIDTH + GAP_X) - GAP_X + 2 * MARGIN,
        (lowest + 1) * (BOX_HEIGHT + GAP_Y) - GAP_Y + 2 * MARGIN,
    )


def _cut(superiors: Mapping[int, int | None], known: set[int], key: int) -> dict[int, int | None]:
    """Lines among the known people, without the person's own."""
    return {person: superior for person, superior in superiors.items() if person in known and person != key}


def grid(people: Sequence[tuple[int, int, int | None]]) -> dict[tuple[int, int | None], list[int]]:
    """Influence × attitude: (influence 5 … 1, attitude −2 … +2 or None) → people."""
    found: dict[tuple[int, int | None], list[int]] = defaultdict(list)
    for key, influence, attitude in people:
        found[(influence, attitude)].append(key)
    return dict(found)
