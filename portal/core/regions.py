"""Administrative divisions of China: provinces, prefectures and districts with their codes (GB/T 2260).

The table is that of python-stdnum (`stdnum/cn/loc.dat`, gathered from the lists of 中华人民共和国民政部, abolished
codes with their years included); `_CORRECTIONS` adds what that table misses. Codes have six digits: two for the
province, two for the prefecture, two for the district; 00 stands for the whole. Chinese words in this module are
data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

from portal.core.han.folding import simplify, traditional
from portal.core.han.pinyin import pinyin_syllables

PROVINCE, CITY, DISTRICT = 1, 2, 3

#: Source: 民政部, 县级以上行政区划变更情况 2021 (临平区, 钱塘区); old codes of 随州 (now 421300) and 神农架 (now
#: 429021) were not closed.
_CORRECTIONS: dict[str, str | None] = {
    "330113": "临平区",
    "330114": "钱塘区",
    "429001": None,
    "422921": None,
}
#: Rows that group districts without being a place: 市辖区, 县 (in municipalities), counties directly under a province.
_GROUPING = re.compile(r"市辖区|市区|市|县|林区|(?:省|自治区)直辖县级行政(?:单位|区划)")
#: A few names of the table are in traditional characters (加格達奇區, 松嶺區).
_MISSPELT = str.maketrans("達區嶺", "达区岭")
_DATED = re.compile(r"\[(\d{4})?-(\d{4})?\]")
_LINE = re.compile(r'\s+(\d{4}) county="(.*)"')

_PEOPLES = (
    "蒙古族|回族|藏族|维吾尔族|维吾尔|苗族|彝族|壮族|布依族|朝鲜族|满族|侗族|瑶族|白族|土家族|哈尼族|哈萨克族|哈萨克|傣族|黎族|傈僳族|佤族|畲族|高山族|拉祜族|水族|"
    "东乡族|纳西族|景颇族|柯尔克孜族|柯尔克孜|土族|达斡尔族|仫佬族|羌族|布朗族|撒拉族|毛南族|仡佬族|锡伯族|阿昌族|普米族|塔吉克族|塔吉克|怒族|鄂温克族|保安族|裕固族|"
    "独龙族|鄂伦春族|门巴族|珞巴族|基诺族|各族|蒙古"
)
_ENDING = re.compile(rf"(?:特别行政区|(?:{_PEOPLES})*自治(?:区|州|县|旗)|地区|矿区|林区|新区|特区|省|市|盟|区|县|旗)\Z")
_SEPARATORS = re.compile(r"[\s,，、/\\\-_－—·.|>]+")

#: Names in English where they are not the plain pinyin. Source: the English names used by the State Council and the
#: Xinhua stylebook.
_ENGLISH = {
    "150000": "Inner Mongolia", "610000": "Shaanxi", "540000": "Tibet (Xizang)", "710000": "Taiwan",
    "810000": "Hong Kong", "820000": "Macao", "150100": "Hohhot", "150600": "Ordos", "150700": "Hulunbuir",
    "150800": "Bayannur", "150900": "Ulanqab", "152200": "Hinggan League", "152500": "Xilingol League",
    "152900": "Alxa League", "230100": "Harbin", "230200": "Qiqihar", "540100": "Lhasa",
    "540200": "Xigaze (Shigatse)", "540300": "Qamdo", "540400": "Nyingchi", "540600": "Nagqu", "542500": "Ngari",
    "650100": "Urumqi", "650200": "Karamay", "650400": "Turpan", "650500": "Hami (Kumul)", "652300": "Changji",
    "652700": "Bortala", "652800": "Bayingolin", "652900": "Aksu", "653000": "Kizilsu", "653100": "Kashgar",
    "653200": "Hotan", "654000": "Ili", "654200": "Tacheng", "654300": "Altay", "659001": "Shihezi",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Region:
    """One division. `level` 1 province, 2 prefecture, 3 district or county; `parent` is None for provinces; an
    abolished code keeps its last name and has `current` False."""

    code: str
    name: str
    short: str
    level: int
    parent: str | None
    current: bool = True


def _short(name: str) -> str:
    """The name without its ending (深圳市 → 深圳), unless less than two characters would stay (单县)."""
    short = "内蒙古" if name == "内蒙古自治区" else _ENDING.sub("", name)
    return short if len(short) >= 2 else name


@dataclass(frozen=True, slots=True)
class _Table:
    regions: dict[str, Region]
    children: dict[str, tuple[str, ...]]
    #: name or short name → codes of current divisions, upper levels first
    names: dict[str, tuple[str, ...]]
    longest: int


def _read() -> dict[str, tuple[str, bool]]:
    """code → (newest name, whether in force)."""
    found: dict[str, tuple[str, bool]] = {}
    province = ""
    text = resources.files("stdnum.cn").joinpath("loc.dat").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith(("#", " ")):
            match = _LINE.match(line)
            if match:
                # The entries of a code stand in the order of time; the last one is the newest.
                newest = match[2].rsplit(",", 1)[-1]
                dated = _DATED.match(newest)
                found[province + match[1]] = (_DATED.sub("", newest).translate(_MISSPELT), not (dated and dated[2]))
        else:
            province = line[:2]
    for code, name in _CORRECTIONS.items():
        found[code] = (name or found[code][0], name is not None)
    return found


@lru_cache(maxsize=1)
def _table() -> _Table:
    raw = _read()
    regions: dict[str, Region] = {}
    children: dict[str, list[str]] = {}
    names: dict[str, list[str]] = {}
    grouping = {code for code, (name, _current) in raw.items() if code[2:] != "0000" and _GROUPING.fullmatch(name)}
    for code in sorted(raw):
        name, current = raw[code]
        if code in grouping:
            continue
        province, city = code[:2] + "0000", code[:4] + "00"
        if code == province:
            level, parent = PROVINCE, None
        elif code == city:
            level, parent = CITY, province
        else:
            # Districts of a municipality and counties governed directly by a province stand under the province.
            level, parent = DISTRICT, city if city in raw and city not in grouping else province
        regions[code] = Region(code, name, _short(name), level, parent, current)
        if current:
            if parent:
                children.setdefault(parent, []).append(code)
            # The simplified spelling too, for a converted address: the 乾 of 乾县 is simplified yet a converter
            # changes it.
            short = regions[code].short
            for key in dict.fromkeys((name, short, simplify(name), simplify(short))):
                names.setdefault(key, []).append(code)
    for codes in names.values():
        codes.sort(key=lambda code: regions[code].level)
    return _Table(
        regions,
        {parent: tuple(codes) for parent, codes in children.items()},
        {name: tuple(codes) for name, codes in names.items()},
        max(map(len, names)),
    )


def region(code: str) -> Region | None:
    """The division with this code (abolished ones too: see `Region.current`), None when there is none."""
    return _table().regions.get(code)


@cache
def provinces() -> tuple[Region, ...]:
    """The 34 provinces, autonomous regions, municipalities and special regions in the official order (that of the
    codes)."""
    return tuple(r for r in _table().regions.values() if r.level == PROVINCE and r.current)


def children(code: str) -> list[Region]:
    """The divisions next below, in the order of the codes: of a province its prefectures (and counties governed
    directly), of a municipality such as Beijing its districts. Empty for districts and unknown codes. `children("")`
    gives the provinces."""
    if not code:
        return list(provinces())
    table = _table()
    return [table.regions[child] for child in table.children.get(code, ())]


def ancestors(code: str) -> list[Region]:
    """The division and those above it, the province first; empty for an unknown code."""
    found: list[Region] = []
    current = region(code)
    while current is not None:
        found.insert(0, current)
        current = region(current.parent) if current.parent else None
    return found


def full_name(code: str, separator: str = "") -> str:
    """ "440305" → "广东省深圳市南山区"; "" for an unknown code."""
    return separator.join(r.name for r in ancestors(code))


def code_prefix(code: str) -> str:
    """The digits that all codes inside this division share: "440000" → "44", "440300" → "4403", "440305" → "440305".
    For SQL: `region_code LIKE prefix || '%'`, or a range on the prefix."""
    for _pair in range(2):
        if code.endswith("00"):
            code = code[:-2]
    return code


def is_within(code: str, ancestor: str) -> bool:
    """Whether `code` is `ancestor` or lies inside it."""
    return len(code) == 6 and len(ancestor) == 6 and code.startswith(code_prefix(ancestor))


def short_names(levels: Iterable[int] = (PROVINCE, CITY, DISTRICT)) -> frozenset[str]:
    """The names without their endings (广东, 深圳) of the current divisions of these levels."""
    wanted = set(levels)
    return frozenset(r.short for r in _table().regions.values() if r.current and r.level in wanted)


_SPECIAL = {"内蒙": "150000"}


def _matches(text: str, scope: str | None) -> list[tuple[int, Region]]:
    """Divisions whose name begins the text, within `scope`: (length of the name, division), longest first."""
    table = _table()
    found: list[tuple[int, Region]] = []
    for length in range(min(table.longest, len(text)), 1, -1):
        piece = text[:length]
        codes = table.names.get(piece, ())
        if not codes and piece in _SPECIAL and not text.startswith("内蒙古"):
            codes = (_SPECIAL[piece],)
        found += [(length, table.regions[c]) for c in codes if scope is None or (c != scope and is_within(c, scope))]
    return found


def _walk(text: str, scope: str | None, code: str | None) -> list[tuple[int, str | None, str]]:
    """All ways to read the beginning of the text as divisions inside each other: (letters left, code, the rest)."""
    text = _SEPARATORS.sub("", text[:1]) + text[1:]
    ways: list[tuple[int, str | None, str]] = [(len(text), code, text)]
    for length, match in _matches(text, scope):
        if scope is None or match.level > _table().regions[scope].level:
            ways += _walk(text[length:], match.code, match.code)
    return ways


def split_address(address: str) -> tuple[Region | None, str]:
    """Take the division off the beginning of an address: "广东省深圳市南山区科技园路1号" → (南山区, "科技园路1号").

    The reading that explains the most characters wins; None with the whole address when nothing is recognised or two
    divisions of the same level fit equally (朝阳区 alone is in Beijing and in Changchun).
    """
    original = _SEPARATORS.sub("", address)
    text = simplify(original)
    ways = [way for way in _walk(text, None, None) if way[1] is not None]
    if not ways:
        return None, address.strip()
    table = _table()
    least = min(left for left, _code, _rest in ways)
    best = sorted({(table.regions[code].level, code) for left, code, _rest in ways if left == least and code})
    # A province and a city of the same name (吉林, 海南): the larger one is meant unless the text says more.
    if len(best) > 1 and best[0][0] == best[1][0]:
        return None, address.strip()
    return table.regions[best[0][1]], (original if len(original) == len(text) else text)[len(text) - least :]


def find(name: str) -> Region | None:
    """The division that a text names as a whole: "深圳", "广东省深圳市南山区", "广东 深圳", "内蒙"; None when unknown
    or ambiguous."""
    found, rest = split_address(name)
    return found if found is not None and not rest else None


def find_all(name: str) -> list[Region]:
    """Every current division of exactly this name, with or without its ending, upper levels first (for pickers)."""
    table = _table()
    return [table.regions[code] for code in table.names.get(_SEPARATORS.sub("", name), ())]


def english_name(code: str) -> str:
    """The English name: pinyin with a capital ("Guangdong", "Xi'an"), the established name where there is one
    ("Shaanxi", "Inner Mongolia", "Harbin"); "" for an unknown code."""
    found = region(code)
    if found is None:
        return ""
    if code in _ENGLISH:
        return _ENGLISH[code]
    word = ""
    for syllable in pinyin_syllables(found.short):
        # The apostrophe parts a syllable that begins with a vowel (GB/T 16159-2012, 6.4).
        word += ("'" if word and syllable[0] in "aeo" else "") + syllable.replace("v", "ü")
    return word.capitalize()


def label(code: str, locale: str = "zh_Hans_CN") -> str:
    """The name for a language of the portal: "zh_Hans_CN" 广东省, "zh_Hant" 廣東省, else English; "" for an unknown
    code."""
    found = region(code)
    if found is None:
        return ""
    if locale.startswith("zh_Hant"):
        return traditional(found.name)
    return found.name if locale.startswith("zh") else english_name(code)
