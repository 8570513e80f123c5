"""Pinyin of Chinese names: fast, without tones, with the readings that company and place names want.

Readings come from pypinyin's dictionaries (MIT licence); a name is cut by forward maximum matching over its phrases,
as pypinyin does, but on a table prepared once (about ten times as fast). The tables `_PHRASES` and `_CHARACTERS`
below correct what the dictionaries read otherwise in names: 长 is cháng in 长园 and 长电, 厦 is xià in 厦工, 行 is
háng at the end of a trading house.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, NamedTuple

from .folding import fold, is_han, simplify

#: Readings of single characters in names, where the dictionary's first reading is not the usual one in names.
_CHARACTERS = {
    "长": "chang", "厦": "xia", "藏": "zang", "都": "du", "调": "diao", "曾": "zeng", "翟": "zhai", "还": "huan",
    "佛": "fo", "勒": "le", "爪": "zhua", "幢": "zhuang", "琢": "zhuo", "什": "shi", "轧": "zha", "单": "dan",
    "盛": "sheng", "重": "zhong", "〇": "ling",
}  # fmt: skip

#: Readings of words in names, where the dictionary has none or another one. Sources: 现代汉语词典 (place names), bank
#: and company usage.
_PHRASES = {
    "涡阳": "guo yang", "洪洞": "hong tong", "浚县": "xun xian", "六合区": "lu he qu", "南京六合": "nan jing lu he",
    "单县": "shan xian", "会稽": "kuai ji", "薄膜": "bo mo", "朝阳": "chao yang", "长垣": "chang yuan",
    "大厦": "da sha", "广厦": "guang sha", "商厦": "shang sha", "华厦": "hua sha", "支行": "zhi hang",
    "分行": "fen hang", "总行": "zong hang", "商行": "shang hang", "车行": "che hang", "洋行": "yang hang",
    "农行": "nong hang", "招行": "zhao hang", "建行": "jian hang", "工行": "gong hang", "中行": "zhong hang",
    "交行": "jiao hang", "典当行": "dian dang hang", "拍卖行": "pai mai hang", "茶行": "cha hang", "米行": "mi hang",
    "布行": "bu hang", "药行": "yao hang", "粮行": "liang hang", "琴行": "qin hang", "金行": "jin hang",
    "表行": "biao hang", "珠宝行": "zhu bao hang", "律师行": "lv shi hang", "测量师行": "ce liang shi hang",
    "重汽": "zhong qi", "重工": "zhong gong", "重庆": "chong qing", "西藏": "xi zang", "藏族": "zang zu",
    "曾都": "zeng du", "解放": "jie fang", "阿胶": "e jiao", "东阿": "dong e", "乐亭": "lao ting", "乐清": "yue qing",
    "蔚县": "yu xian", "会计": "kuai ji", "调味": "tiao wei", "调料": "tiao liao", "空调": "kong tiao",
    "调节": "tiao jie", "调理": "tiao li", "调和": "tiao he", "冷藏": "leng cang", "储藏": "chu cang",
    "收藏": "shou cang", "珍藏": "zhen cang", "典藏": "dian cang", "窖藏": "jiao cang", "解州": "hai zhou",
    "覃塘": "qin tang", "牟平": "mu ping", "中牟": "zhong mu", "丽水": "li shui", "台州": "tai zhou",
    "行唐": "xing tang", "繁峙": "fan shi", "井陉": "jing xing", "任丘": "ren qiu", "任县": "ren xian",
    "莘县": "shen xian", "获嘉": "huo jia", "武陟": "wu zhi", "柘城": "zhe cheng", "郫都": "pi du",
    "犍为": "qian wei", "筠连": "jun lian", "荥经": "ying jing", "番禺": "pan yu", "东莞": "dong guan",
    "吴堡": "wu bu", "十里堡": "shi li pu", "七里堡": "qi li pu", "黄埔": "huang pu", "大埔": "da bu",
    "阆中": "lang zhong", "厦门": "xia men", "长安": "chang an", "银行": "yin hang",
}  # fmt: skip

#: Family names read otherwise than the character alone. Source: 通用规范汉字字典, 中国姓氏大辞典.
_SURNAMES = {
    "单于": "chan yu", "尉迟": "yu chi", "万俟": "mo qi", "澹台": "tan tai", "令狐": "ling hu", "宰父": "zai fu",
    "长孙": "zhang sun", "皇甫": "huang fu", "单": "shan", "仇": "qiu", "曾": "zeng", "查": "zha", "盖": "ge",
    "解": "xie", "区": "ou", "朴": "piao", "尹": "yin", "冼": "xian", "翟": "zhai", "覃": "qin", "乐": "yue",
    "任": "ren", "华": "hua", "折": "she", "缪": "miao", "种": "chong", "秘": "bi", "繁": "po", "逄": "pang",
    "员": "yun", "宓": "mi", "燕": "yan", "祭": "zhai", "黑": "he", "召": "shao", "那": "na", "葛": "ge", "纪": "ji",
    "宁": "ning", "应": "ying", "卜": "bu", "贾": "jia", "阚": "kan", "郗": "xi", "訾": "zi", "隗": "wei",
    "长": "zhang", "占": "zhan", "於": "yu", "佟": "tong", "石": "shi", "车": "che", "洗": "xian", "句": "gou",
    "哈": "ha",
}  # fmt: skip

_LONGEST = 6


class Unit(NamedTuple):
    """One piece of a name as it is typed: a syllable for a Chinese character, the character itself for a letter or
    digit."""

    character: str
    reading: str
    han: bool


def _plain(reading: str) -> str:
    """A syllable without its tone mark, ü as v."""
    letters = unicodedata.normalize("NFD", reading).replace("u\u0308", "v")
    return "".join(c for c in letters if not unicodedata.combining(c))


#: What is known of Chinese characters: character → reading; phrase → readings, None where each character reads as it
#: does alone; first character → lengths of phrases, the longest first.
_Tables = tuple[dict[str, str], dict[str, tuple[str, ...] | None], dict[str, tuple[int, ...]]]


@lru_cache(maxsize=1)
def _tables() -> _Tables:
    """Built at first use (about a quarter of a second)."""
    plain = lru_cache(maxsize=4096)(_plain)
    characters = {
        chr(point): plain(readings.partition(",")[0]) for point, readings in _dictionary("pinyin_dict").items()
    }
    characters.update(_CHARACTERS)
    phrases: dict[str, tuple[str, ...] | None] = {}
    for phrase, readings in _dictionary("phrases_dict").items():
        if 2 <= len(phrase) <= _LONGEST and len(phrase) == len(readings):
            said = tuple(plain(choices[0]) for choices in readings)
            phrases[phrase] = None if said == tuple(characters.get(character) for character in phrase) else said
    phrases.update({phrase: tuple(readings.split()) for phrase, readings in _PHRASES.items()})
    lengths: dict[str, set[int]] = {}
    for phrase in phrases:
        lengths.setdefault(phrase[0], set()).add(len(phrase))
    return characters, phrases, {first: tuple(sorted(found, reverse=True)) for first, found in lengths.items()}


def _dictionary(name: str) -> dict[Any, Any]:
    """A dictionary of pypinyin, out of its file alone, for as long as it is used: the package would keep all of them in
    memory for good, some fifty MiB in each process."""
    package = find_spec("pypinyin")
    if package is None or not package.submodule_search_locations:
        raise RuntimeError("The package pypinyin is not installed.")
    spec = spec_from_file_location(name, Path(next(iter(package.submodule_search_locations))) / f"{name}.py")
    if spec is None or spec.loader is None:
        raise RuntimeError(f"pypinyin has no {name}.")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    # Taken out of the module, whose functions know it in a circle that only the collector would end.
    found: dict[Any, Any] = vars(module).pop(name)
    return found


def syllables_of(text: str) -> list[str | None]:
    """For each character of the (simplified) text its syllable, None where it is no Chinese character with a known
    reading."""
    characters, phrases, lengths = _tables()
    found: list[str | None] = []
    position, end = 0, len(text)
    while position < end:
        character = text[position]
        for length in lengths.get(character, ()):
            phrase = text[position : position + length]
            if phrase in phrases and position + length <= end:
                readings = phrases[phrase]
                found.extend(readings if readings is not None else (characters.get(known) for known in phrase))
                position += length
                break
        else:
            found.append(characters.get(character) if character > "\u3000" else None)
            position += 1
    return found


def _person_syllables(text: str) -> list[str | None]:
    for length in (2, 1):
        readings = _SURNAMES.get(text[:length])
        if readings is not None and len(text) >= length:
            return [*readings.split(), *syllables_of(text[length:])]
    return syllables_of(text)


def units(text: str, *, person: bool = False) -> list[Unit]:
    """The pieces of a name in order; blanks and punctuation give none.

    `person` reads the first characters as a family name (单 → shan, 曾 → zeng, 仇 → qiu).
    """
    if text.isascii():
        return [Unit(c, c, False) for c in fold(text)]
    simple = simplify(unicodedata.normalize("NFKC", text))
    readings = _person_syllables(simple) if person else syllables_of(simple)
    pieces: list[Unit] = []
    for character, reading in zip(simple, readings, strict=True):
        if reading is not None:
            pieces.append(Unit(character, reading, True))
        else:
            pieces.extend(Unit(c, c, is_han(c)) for c in fold(character))
    return pieces


def pinyin_syllables(text: str, *, person: bool = False) -> list[str]:
    """Syllables without tones; a run of letters or digits is one entry: "TCL科技" → ["tcl", "ke", "ji"]."""
    result: list[str] = []
    run = False
    for unit in units(text, person=person):
        if unit.han:
            result.append(unit.reading)
        elif run:
            result[-1] += unit.reading
        else:
            result.append(unit.reading)
        run = not unit.han
    return result


def pinyin_full(text: str, *, person: bool = False) -> str:
    """All syllables in one word, lower case, no tones: "贵州茅台" → "guizhoumaotai"; other letters pass through in
    lower case."""
    return "".join(unit.reading for unit in units(text, person=person))


def pinyin_initials(text: str, *, person: bool = False) -> str:
    """The first letter of each syllable: "贵州茅台" → "gzmt"; each other letter or digit stands for itself: "TCL科技"
    → "tclkj"."""
    return "".join(unit.reading[0] for unit in units(text, person=person))


def sort_key(text: str, *, person: bool = False) -> str:
    """A string by which names sort in the order of their pinyin, syllable by syllable, equal readings by character.

    Compare by code point: in PostgreSQL the column needs COLLATE "C" (SQLite compares so by itself).
    """
    return " ".join(pinyin_syllables(text, person=person)) + "  " + fold(text)


@lru_cache(maxsize=1)
def known_syllables() -> frozenset[str]:
    """Every syllable of standard Chinese without tones, as the dictionaries know them (about 400)."""
    characters, phrases, _lengths = _tables()
    # Interjections (n, ng, m, hm) are left out: with them nearly every consonant would count as a syllable.
    found = {reading for reading in characters.values() if reading.isascii() and any(v in reading for v in "aeiouv")}
    found.update(reading for readings in phrases.values() if readings is not None for reading in readings)
    return frozenset(
        s for s in found if s.isascii() and s.isalpha() and 1 <= len(s) <= 6 and any(v in s for v in "aeiouv")
    )
