"""What the buttons beside the steps of the editor do: pure changes of the list that was typed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from plugins.sop.manuals.inputs import StepInput
from portal.core.numbers import whole_from


def apply(steps: Sequence[StepInput], command: str) -> tuple[list[StepInput], int | None]:
    """Do what a button says.

    :param command: "add", "insert:2" (before the third), "up:2", "down:2", "duplicate:2", "delete:2", "place:2:5" (the
        third becomes the fifth); anything else changes nothing.
    :returns: the steps, and the index of the one to be shown next.
    """
    found = list(steps)
    word, *numbers = command.split(":")
    places = [place for number in numbers if (place := whole_from(number, 4)) is not None and place >= 0]
    if len(places) < len(numbers):
        return found, None
    if word == "add" and not places:
        return [*found, StepInput()], len(found)
    if not places or not 0 <= places[0] < len(found):
        return found, None
    index = places[0]
    if word == "insert":
        found.insert(index, StepInput())
    elif word == "duplicate":
        found.insert(index + 1, replace(found[index], key=""))
        index += 1
    elif word == "delete":
        found.pop(index)
        index = min(index, len(found) - 1)
    elif word in ("up", "down", "place") and (word != "place" or len(places) == 2):
        target = {"up": index - 1, "down": index + 1}.get(word, places[-1] - 1)
        target = min(max(target, 0), len(found) - 1)
        found.insert(target, found.pop(index))
        index = target
    else:
        return found, None
    return found, index if found else None
