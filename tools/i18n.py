"""The translations: source strings are English, zh_Hans_CN is written by people, zh_Hant and en follow from them.

    python tools/i18n.py extract           messages of the core and of each plugin → translations/messages.pot
    python tools/i18n.py update            templates → the .po files of all languages; drops what is gone
    python tools/i18n.py fill FILE.json …  empty zh_Hans_CN entries from {"msgid": "中文"}; --replace: others too
    python tools/i18n.py missing           what zh_Hans_CN lacks, as JSON ready for `fill`
    python tools/i18n.py compile           .po → .mo where the .mo is older
    python tools/i18n.py check             exit 1 when something is missing, fuzzy, or has other placeholders

zh_Hant is made by OpenCC's s2tw: character by character, with the standard forms of the characters. s2twp also swaps
words for those of Taiwan and is out of the question: it turns 文件 into 檔案, which is our word for the archive, and
审批对象 into 審批物件; s2hk prefers forms (説, 閲) that look wrong outside Hong Kong. The everyday words of programs
that do differ (登录 → 登入) are in portal/translations/zh_Hant_overrides.json: "terms" maps simplified to traditional
words, "terms of" does so for one domain (导入 is 匯入 of a file in the core, the introduction of a manual in sop), and
"messages" maps a msgid to its whole translation.

Entries with a context are named "context|msgid" in the JSON files.
"""

from __future__ import annotations

import argparse
import configparser
import io
import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from babel.core import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
SOURCE, TRADITIONAL, ENGLISH = "zh_Hans_CN", "zh_Hant", "en"
LOCALES = (SOURCE, TRADITIONAL, ENGLISH)
OVERRIDES = ROOT / "portal" / "translations" / "zh_Hant_overrides.json"
#: Other folders than these are not searched inside the core's and a plugin's.
_SKIPPED = {"migrations", "tests", "translations", "static", "__pycache__"}
_NAMED = re.compile(r"%\((\w+)\)[sd]")
_PLAIN = re.compile(r"(?<!%)(?:%%)*%(?![%(])")
_WORDS = re.compile(r"[a-z]{3,}")
_CHINESE = re.compile("[\u4e00-\u9fff]")


@dataclass(frozen=True)
class Domain:
    """The messages of the core or of one plugin: where they are looked for and where their catalogues are."""

    name: str
    sources: tuple[Path, ...]
    folder: Path

    @property
    def template(self) -> Path:
        """The file that `extract` writes (not tracked)."""
        return self.folder / "messages.pot"

    def catalogue(self, locale: str) -> Path:
        """The .po file of a language."""
        return self.folder / locale / "LC_MESSAGES" / "messages.po"


def domains() -> list[Domain]:
    """The core and every plugin of this project."""
    core = Domain("portal", (ROOT / "portal", ROOT / "templates"), ROOT / "portal" / "translations")
    plugins = [path.parent for path in sorted((ROOT / "plugins").glob("*/__init__.py"))]
    return [core, *(Domain(path.name, (path,), path / "translations") for path in plugins)]


# ---- extraction -----------------------------------------------------------------------------------------------------


def keywords() -> dict[str, Any]:
    """The functions that mark a message, from setup.cfg, section [babel]."""
    from babel.messages.frontend import parse_keywords

    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parse_keywords(parser["babel"]["keywords"].split())


def extract(domain: Domain) -> Catalog:
    """Collect the messages of a domain from its Python files and templates."""
    catalog = Catalog(project="customer-portal", charset="utf-8", fuzzy=False)
    found: list[tuple[Any, str | None, str, list[str]]] = []
    for source in domain.sources:
        rows = extract_from_dir(
            source,
            method_map=[("**.py", "python"), ("**.html", "jinja2"), ("**.txt", "jinja2")],
            options_map={"**.html": _TEMPLATE_OPTIONS, "**.txt": _TEMPLATE_OPTIONS},
            keywords=keywords(),
            comment_tags=("Translators:",),
            directory_filter=lambda folder: Path(folder).name not in _SKIPPED,
        )
        for name, _line, message, comments, context in rows:
            if name.endswith(".txt") and "templates" not in (source / name).parts:
                continue
            found.append((message, context, (source / name).relative_to(ROOT).as_posix(), comments))
    for message, context, path, comments in sorted(found, key=lambda row: (row[2], str(row[0]))):
        # Without line numbers: else every change of a file would change every catalogue.
        catalog.add(message, locations=[(path, None)], auto_comments=comments, context=context)
    return catalog


_TEMPLATE_OPTIONS = {"silent": "false", "trimmed": "true"}


# ---- catalogues -----------------------------------------------------------------------------------------------------


def load(domain: Domain, locale: str) -> Catalog:
    """Read a catalogue; an absent one is empty."""
    path = domain.catalogue(locale)
    if not path.is_file():
        return Catalog(locale=Locale.parse(locale), project="customer-portal", charset="utf-8", fuzzy=False)
    with path.open("rb") as handle:
        return read_po(handle, locale=locale, charset="utf-8")


def save(domain: Domain, locale: str, catalog: Catalog) -> None:
    """Write a catalogue, sorted and without dates, so that a change of one message changes one place."""
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=120, sort_output=True, include_lineno=False, omit_header=True, ignore_obsolete=True)
    header = (
        'msgid ""\nmsgstr ""\n"Project-Id-Version: customer-portal\\n"\n'
        f'"Language: {locale}\\n"\n"MIME-Version: 1.0\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n'
        f'"Content-Transfer-Encoding: 8bit\\n"\n"Plural-Forms: {catalog.plural_forms}\\n"\n\n'
    )
    _replace(domain.catalogue(locale), header.encode() + buffer.getvalue())


def _replace(path: Path, content: bytes) -> bool:
    """Write a file in one step; False when it has that content already."""
    if path.is_file() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(content)
    os.replace(temporary, path)
    return True


def messages(catalog: Catalog) -> Iterator[Message]:
    """The entries without the header."""
    return (message for message in catalog if message.id)


def key(message: Message) -> str:
    """Name of an entry in the JSON files: the (singular) msgid, with its context before it."""
    singular = message.id if isinstance(message.id, str) else message.id[0]
    return f"{message.context}|{singular}" if message.context else singular


def strings(message: Message) -> list[str]:
    """All translations of an entry."""
    return [message.string] if isinstance(message.string, str) else list(message.string)


def originals(message: Message) -> list[str]:
    """The msgid, and the plural one if there is one."""
    return [message.id] if isinstance(message.id, str) else list(message.id)


# ---- zh_Hant and en ---------------------------------------------------------------------------------------


class Traditional:
    """From simplified to traditional Chinese; a domain may have terms of its own, which go before the common ones."""

    def __init__(self, domain: str = "", overrides: Path = OVERRIDES) -> None:
        import opencc

        self._converter = opencc.OpenCC("s2tw")
        stored = json.loads(overrides.read_text(encoding="utf-8")) if overrides.is_file() else {}
        self.terms: dict[str, str] = stored.get("terms", {}) | stored.get("terms of", {}).get(domain, {})
        self.messages: dict[str, str] = stored.get("messages", {})
        longest_first = sorted(self.terms, key=len, reverse=True)
        # Placeholders are names in the code and stay as they are.
        words = [re.escape(term) for term in longest_first]
        self._parts = re.compile("(" + "|".join([r"%\(\w+\)[sd]", *words]) + ")")

    def convert(self, text: str) -> str:
        """Convert one text."""
        return "".join(
            part if part.startswith("%(") else self.terms.get(part) or self._converter.convert(part)
            for part in self._parts.split(text)
            if part
        )


def derive(domain: Domain) -> None:
    """Write zh_Hant and en from zh_Hans_CN and the source strings."""
    simplified = load(domain, SOURCE)
    traditional = Traditional(domain.name)
    target, english = load(domain, TRADITIONAL), load(domain, ENGLISH)
    for message in messages(simplified):
        if entry := target.get(message.id, message.context):
            override = traditional.messages.get(key(message))
            converted = [override or traditional.convert(text) for text in strings(message)]
            entry.string = converted[0] if isinstance(message.id, str) else tuple(converted)
        if entry := english.get(message.id, message.context):
            entry.string = message.id
    save(domain, TRADITIONAL, target)
    save(domain, ENGLISH, english)


# ---- commands -------------------------------------------------------------------------------------------------------


def run_extract() -> int:
    """Write the templates."""
    for domain in domains():
        catalog = extract(domain)
        if not len(catalog):
            continue
        buffer = io.BytesIO()
        write_po(buffer, catalog, width=120, sort_output=True, include_lineno=False, omit_header=True)
        _replace(domain.template, buffer.getvalue())
        print(f"{domain.name}: {len(catalog)} messages")
    return 0


def run_update() -> int:
    """Bring the catalogues of all languages up to the templates."""
    for domain in domains():
        if not domain.template.is_file():
            continue
        with domain.template.open("rb") as handle:
            template = read_po(handle, charset="utf-8")
        for locale in LOCALES:
            catalog = load(domain, locale)
            # No guesses: a fuzzy entry is a wrong text that looks like a right one.
            catalog.update(template, no_fuzzy_matching=True)
            for message in messages(catalog):
                message.flags.discard("fuzzy")
            save(domain, locale, catalog)
        derive(domain)
    return 0


def run_fill(files: list[str], *, replace: bool = False) -> int:
    """Put translations into zh_Hans_CN; says which ones no catalogue knows and which differ from what is there."""
    given: dict[str, str] = {}
    for name in files:
        for msgid, text in json.loads(Path(name).read_text(encoding="utf-8")).items():
            if msgid in given and given[msgid] != text:
                print(f"differs: {msgid!r}: {given[msgid]!r} and {text!r} (the first is used)")
            elif text:
                given.setdefault(msgid, text)
    used: set[str] = set()
    filled = 0
    for domain in domains():
        if not domain.catalogue(SOURCE).is_file():
            continue
        catalog = load(domain, SOURCE)
        for message in messages(catalog):
            text = given.get(key(message))
            if text is None:
                continue
            used.add(key(message))
            if replace or not all(strings(message)):
                message.string = text if isinstance(message.id, str) else (text,)
                filled += 1
        save(domain, SOURCE, catalog)
        derive(domain)
    for msgid in sorted(set(given) - used):
        print(f"unused: {msgid!r}")
    print(f"{filled} entries filled, {len(set(given) - used)} of {len(given)} unused")
    return 0


def run_missing() -> int:
    """Print what zh_Hans_CN lacks."""
    lacking = {
        key(message): ""
        for domain in domains()
        for message in messages(load(domain, SOURCE))
        if not all(strings(message))
    }
    print(json.dumps(lacking, ensure_ascii=False, indent=1))
    return 0


def run_compile() -> int:
    """Write the binary catalogues that are older than their sources."""
    for domain in domains():
        for locale in LOCALES:
            source = domain.catalogue(locale)
            target = source.with_suffix(".mo")
            if not source.is_file():
                continue
            if target.is_file() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
                continue
            buffer = io.BytesIO()
            write_mo(buffer, load(domain, locale))
            if not _replace(target, buffer.getvalue()):
                os.utime(target)
    return 0


def run_check() -> int:
    """Compare the catalogues with the code; prints each problem."""
    problems = []
    for domain in domains():
        traditional = Traditional(domain.name)
        wanted = {(key(message)): message for message in messages(extract(domain))}
        for locale in LOCALES:
            catalog = load(domain, locale)
            where = f"{domain.name}/{locale}"
            there = {key(message): message for message in messages(catalog)}
            problems += [f"{where}: not in the catalogue: {name!r}" for name in sorted(set(wanted) - set(there))]
            problems += [f"{where}: gone from the code: {name!r}" for name in sorted(set(there) - set(wanted))]
            for name in sorted(set(there) & set(wanted)):
                problems += [f"{where}: {name!r}: {what}" for what in faults(there[name], locale)]
        simplified = {key(message): message for message in messages(load(domain, SOURCE))}
        for message in messages(load(domain, TRADITIONAL)):
            origin = simplified.get(key(message))
            if origin and all(strings(origin)) and key(message) not in traditional.messages:
                expected = [traditional.convert(text) for text in strings(origin)]
                if strings(message) != expected and all(strings(message)):
                    problems.append(f"{domain.name}/{TRADITIONAL}: {key(message)!r} does not follow from {SOURCE}")
    problems += disagreements()
    if problems:
        print("\n".join(problems))
        print(
            f"\n{len(problems)} problems. `make i18n` updates the catalogues; `tools/i18n.py missing` lists the gaps."
        )
        return 1
    print("The translations are complete.")
    return 0


def disagreements() -> list[str]:
    """Texts that two catalogues translate differently: one of them would win on the pages of both."""
    said: dict[str, dict[tuple[str, ...], str]] = {}
    for domain in domains():
        for message in messages(load(domain, SOURCE)):
            if all(strings(message)):
                said.setdefault(key(message), {}).setdefault(tuple(strings(message)), domain.name)
    return [
        f"{name!r} is translated differently: {', '.join(f'{where} {texts[0]}' for texts, where in found.items())}"
        for name, found in sorted(said.items())
        if len(found) > 1
    ]


def faults(message: Message, locale: str) -> list[str]:
    """What is wrong with one entry."""
    texts = strings(message)
    if message.fuzzy:
        return ["fuzzy"]
    if not texts or not all(texts):
        return ["not translated"]
    found = []
    ids = originals(message)
    # With plural forms the singular may say "one" instead of the number; a language with one form must have it.
    names = set(_NAMED.findall(ids[-1]))
    for text in texts:
        have = set(_NAMED.findall(text))
        optional = names - set(_NAMED.findall(ids[0])) if len(texts) > 1 else set()
        if not names - optional <= have <= names:
            found.append(f"placeholders {sorted(have)} instead of {sorted(names)}")
        if names and _PLAIN.search(text):
            found.append("a % that is no placeholder must be written %%")
    if locale != ENGLISH:
        for text in texts:
            if not _CHINESE.search(text) and text == ids[0] and len(_WORDS.findall(_NAMED.sub("", text))) > 1:
                found.append("still English")
    return found


def main(arguments: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("extract", "update", "missing", "compile", "check"):
        commands.add_parser(name)
    fill = commands.add_parser("fill")
    fill.add_argument("files", nargs="+")
    fill.add_argument("--replace", action="store_true")
    chosen = parser.parse_args(arguments)
    if chosen.command == "fill":
        return run_fill(chosen.files, replace=chosen.replace)
    command = {
        "extract": run_extract,
        "update": run_update,
        "missing": run_missing,
        "compile": run_compile,
        "check": run_check,
    }[chosen.command]
    return command()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
