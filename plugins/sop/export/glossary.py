"""Terms explained at the end of a manual: those of a small list that the manual really uses."""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Any

from plugins.sop.library import ROOT
from portal.core.han.folding import traditional
from portal.core.text import sort_key


@cache
def _terms(language: str) -> tuple[tuple[str, str], ...]:
    source = "zh_Hans_CN" if language.startswith("zh") else "en"
    text = (ROOT / "glossary" / f"{source}.toml").read_text("utf-8")
    if language == "zh_Hant":
        text = traditional(text)
    return tuple((item["term"], item["meaning"]) for item in tomllib.loads(text)["terms"])


def glossary_for(text: str, language: str) -> list[dict[str, Any]]:
    """The terms that occur in a text, in the order of their sound."""
    folded = text.casefold()
    found = [(term, meaning) for term, meaning in _terms(language) if term.casefold() in folded]
    return [{"term": term, "meaning": meaning} for term, meaning in sorted(found, key=lambda item: sort_key(item[0]))]
