"""Forms of this module: shape only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def posted_choices(form: Mapping[str, str], kinds: Iterable[str]) -> dict[str, str]:
    """The channels chosen on the page: one field "kind.<key>" per kind; kinds that are not on the page stay."""
    return {key: form[f"kind.{key}"] for key in kinds if f"kind.{key}" in form}
