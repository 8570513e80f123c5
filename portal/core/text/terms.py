"""The search index in the small: which terms a name gives, which look-ups a query with a slip needs, how good a hit is.

Every character position of a name gives one term that runs to the end of the name, so each part of a name is the
*prefix* of a term: one ordered index answers "贵州茅台", "茅台", "guizhoumaotai", "maotai", "gzmt" and "mt", two
characters included.

A slip (one letter wrong, missing, too many, or two neighbours exchanged) leaves one half of the query intact (the
pigeonhole principle; Navarro, "A guided tour to approximate string matching", ACM Computing Surveys 33, 2001): each
half is looked up as a prefix, the hits are then measured by `rank` with the optimal string alignment distance
(Damerau 1964).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz.distance import OSA, LCSseq

from portal.core.han.folding import fold, has_han, is_latin
from portal.core.han.pinyin import known_syllables, pinyin_full, units

#: A term is at most this long: characters of the name or of the initials, letters of the pinyin.
TERM_CHARACTERS = 16
TERM_LETTERS = 48
#: At most this many positions of a name give terms.
TERM_POSITIONS = 40

#: The legal form at the end of a company's name (公司法 articles 6 and 7, 合伙企业法 article 15), on folded text.
COMPANY_FORM = re.compile(
    r"(?:集团)?(?:股份有限|有限责任|股份|有限)?公司\Z|集团\Z|(?:有限合伙|普通合伙|特殊普通合伙)\Z|(?:个人独资企业|个体工商户)\Z"
)

#: Scores of `rank`: the class of a hit; within a class shorter names come first.
EXACT, STARTS, CONTAINS = 1000, 900, 800
PINYIN_EXACT, PINYIN_STARTS, PINYIN_CONTAINS = 740, 720, 700
INITIALS_EXACT, INITIALS_STARTS, INITIALS_CONTAINS = 640, 620, 600
SAME_SOUND, ONE_SLIP, TWO_SLIPS = 500, 400, 300


class Terms(NamedTuple):
    """The index terms of one name, each kind without repetitions, in the order of the name."""

    name: tuple[str, ...]
    pinyin: tuple[str, ...]
    initials: tuple[str, ...]


def _last_start(folded: str) -> int:
    """The last position that starts a term: the legal form (有限公司 …) gives one term as a whole, none inside."""
    ending = COMPANY_FORM.search(folded)
    return ending.start() if ending and ending.start() > 0 else len(folded)


def suffix_terms(name: str, *, person: bool = False) -> Terms:
    """The terms under which `name` is found: suffixes of the folded name, of the pinyin (from each syllable), of the
    initials.

    "贵州茅台" → name 贵州茅台, 州茅台, 茅台, 台; pinyin guizhoumaotai, zhoumaotai, maotai, tai; initials gzmt, zmt,
    mt, t. A name without Chinese characters has no pinyin and no initials: its letters are in the name terms already.
    """
    folded = fold(name)
    last = _last_start(folded)
    names = dict.fromkeys(
        folded[start : start + TERM_CHARACTERS] for start in range(min(len(folded), last + 1, TERM_POSITIONS))
    )
    pieces = units(name, person=person)
    last_han = max((index for index, unit in enumerate(pieces) if unit.han), default=-1)
    if last_han < 0:
        return Terms(tuple(names), (), ())
    # Only where both forms count the same characters does a position in one mean the same position in the other.
    end = min(last_han + 1, last + 1 if len(pieces) == len(folded) else len(pieces), TERM_POSITIONS)
    whole = "".join(unit.reading for unit in pieces)
    initials = "".join(unit.reading[0] for unit in pieces)
    pinyins: dict[str, None] = {}
    offset = 0
    for index in range(end):
        pinyins[whole[offset : offset + TERM_LETTERS]] = None
        offset += len(pieces[index].reading)
    firsts = dict.fromkeys(initials[start : start + TERM_CHARACTERS] for start in range(end))
    return Terms(tuple(names), tuple(pinyins), tuple(firsts))


def lookup_prefix(query: str) -> tuple[str, str]:
    """The folded query cut to the length of the terms: (for name and initials terms, for pinyin terms).

    The second is "" when the query is not made of letters and digits alone. A longer query must be checked by `rank`
    afterwards.
    """
    folded = fold(query)
    return folded[:TERM_CHARACTERS], folded[:TERM_LETTERS] if is_latin(folded) else ""


@lru_cache(maxsize=1)
def _syllable_parts() -> tuple[frozenset[str], frozenset[str]]:
    """All beginnings and all inner pieces of syllables."""
    syllables = known_syllables()
    beginnings = frozenset(s[:end] for s in syllables for end in range(1, len(s) + 1))
    pieces = frozenset(s[a:b] for s in syllables for a in range(len(s)) for b in range(a + 1, len(s) + 1))
    return beginnings, pieces


def _reads_as_pinyin(letters: str) -> bool:
    """Whether the letters are syllables of Chinese, the last one perhaps only begun."""
    syllables, beginnings = known_syllables(), _syllable_parts()[0]
    reachable = {0}
    for start in range(len(letters)):
        if start not in reachable:
            continue
        if letters[start:] in beginnings:
            return True
        for length in range(1, min(6, len(letters) - start) + 1):
            if letters[start : start + length] in syllables:
                reachable.add(start + length)
    return len(letters) in reachable


_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def _corrections(query: str, before: int) -> list[str]:
    """Every reading of the query as pinyin with one slip before the position `before` put right."""
    found: dict[str, None] = {}
    for at in range(before):
        head, tail = query[:at], query[at + 1 :]
        found[head + tail] = None  # one too many was typed
        for letter in _LETTERS:
            found[head + letter + tail] = None  # a wrong one was typed
            found[head + letter + query[at] + tail] = None  # one was forgotten
        if at + 1 < len(query):
            found[head + query[at + 1] + query[at] + query[at + 2 :]] = None
    found.pop(query, None)
    return [candidate for candidate in found if _reads_as_pinyin(candidate)]


def slip_candidates(query: str) -> list[str]:
    """Prefixes to look up among the terms when the query itself found too little; check the hits with `rank`.

    The most telling prefixes come first; look up all of them, each with a limit.

    Letters (6 and more are guaranteed: each single slip in the pinyin from some syllable on is caught): the query with
    the two letters across the middle exchanged; the first half; each tail that starts between the middle and three
    letters before the end, for terms start at syllables. Where one syllable may span that whole stretch, so that no
    tail starts a term, also the corrections of the first half that read as pinyin (about 50, at most 250), which then
    stand for the tails of three letters. Four and five letters also serve initials: there pieces of two letters count
    when they cannot be pinyin ("gz", "mt").

    Chinese characters (4 and more are guaranteed): the same with tails down to two characters; besides the query's
    pinyin, for most wrong characters are homophones. Shorter queries give what can be had: three characters two
    pairs, two only the pinyin.
    """
    folded = fold(query)
    size = len(folded)
    found: dict[str, None] = {}
    if is_latin(folded):
        if size < 4:
            return []
        middle = size // 2
        tails = [folded[start:] for start in range(middle, size - 2)]
        corrections: list[str] = []
        if folded.isalpha() and 5 <= size <= 20 and folded[middle : size - 2] in _syllable_parts()[1]:
            corrections = _corrections(folded, middle if size >= 6 else size)
            # They say the same as the tails of three letters, which would match thousands of names.
            tails = [tail for tail in tails if len(tail) > 3]
        pieces = [_exchanged(folded, middle), *corrections, folded[:middle], *tails]
        if size < 6:
            pieces = [p for p in (*pieces, folded[middle:]) if len(p) > 2 or not _reads_as_pinyin(p)]
        found.update(dict.fromkeys(p[:TERM_LETTERS] for p in pieces))
    elif size >= 2:
        if has_han(folded):
            found[pinyin_full(query)[:TERM_LETTERS]] = None
        if size >= 3:
            middle = max(size // 2, 2)
            found[folded[:middle][:TERM_CHARACTERS]] = None
            for start in range(size // 2, size - 1):
                found[folded[start : start + TERM_CHARACTERS]] = None
            found[_exchanged(folded, size // 2)[:TERM_CHARACTERS]] = None
    found.pop("", None)
    return list(found)


def _exchanged(text: str, middle: int) -> str:
    return text[: middle - 1] + text[middle] + text[middle - 1] + text[middle + 1 :]


def _slips(query: str, text: str, limit: int) -> tuple[int, int] | None:
    """The fewest slips (at most `limit`) that make the query the beginning of `text` from some position: (slips,
    position)."""
    size = len(query)
    # Each slip costs at most one letter of the common subsequence; most texts have fewer letters in common.
    if LCSseq.similarity(query, text, score_cutoff=size - limit) < size - limit:
        return None
    best: tuple[int, int] | None = None
    for start in range(max(1, len(text) - size + limit + 1)):
        rest = len(text) - start
        for length in range(max(1, size - limit), min(rest, size + limit) + 1):
            bound = limit if best is None else best[0] - 1
            if bound < 1:
                return best
            distance = OSA.distance(query, text[start : start + length], score_cutoff=bound)
            if distance <= bound:
                best = (distance, start)
    return best


def _plain_rank(query: str, text: str, exact: int, starts: int, contains: int, *, boundaries: str = "") -> int | None:
    if not text:
        return None
    if query == text:
        return exact
    if text.startswith(query):
        return starts - min(len(text) - len(query), 19)
    if boundaries:
        # Syllables separated by blanks: a hit counts where a syllable starts ("an" is not in "shan").
        parts = boundaries.split()
        if any("".join(parts[index:]).startswith(query) for index in range(1, len(parts))):
            return contains - min(len(text) - len(query), 19)
        return None
    return contains - min(len(text) - len(query), 19) if query in text else None


def rank(query: str, text: str, pinyin: str = "", initials: str = "") -> int | None:
    """How well a name answers a query: the higher the better, None when it does not (more slips than allowed).

    `query` as typed; `text` the name, folded or not; `pinyin` its full pinyin (in one word, or the syllables
    separated by blanks, then a hit inside must start at a syllable); `initials` its initials. Exact > starts with >
    contains > pinyin > initials > same sound with other characters > one slip (4 letters or 3 characters and more) >
    two slips (8 and more). The query may be only the beginning of the name, and may start inside it.
    """
    query, text = fold(query), fold(text)
    if not query or not text:
        return None
    joined = pinyin.replace(" ", "")
    latin = is_latin(query)
    scores = [_plain_rank(query, text, EXACT, STARTS, CONTAINS)]
    if latin:
        spaced = pinyin if " " in pinyin else ""
        scores.append(_plain_rank(query, joined, PINYIN_EXACT, PINYIN_STARTS, PINYIN_CONTAINS, boundaries=spaced))
        scores.append(_plain_rank(query, initials, INITIALS_EXACT, INITIALS_STARTS, INITIALS_CONTAINS))
    best = max((score for score in scores if score is not None), default=None)
    if best is not None:
        return best
    if not latin and has_han(query) and joined:
        sound = pinyin_full(query)
        if sound and sound in joined:
            return SAME_SOUND - min(len(joined) - len(sound), 19)
    size = len(query)
    limit = 0 if size < (4 if latin else 3) else 1 if size < 8 else 2
    if not limit:
        return None
    for slips in range(1, limit + 1):
        found = [_slips(query, text, slips)]
        if latin:
            found += [_slips(query, joined, slips) if joined else None]
            # Two slips in initials leave too little.
            found += [_slips(query, initials, 1) if initials and slips == 1 else None]
        hits = [hit for hit in found if hit is not None]
        if hits:
            base = ONE_SLIP if slips == 1 else TWO_SLIPS
            inside = all(position > 0 for _slips_found, position in hits)
            return base - (30 if inside else 0) - min(abs(len(text) - size), 19)
    return None
