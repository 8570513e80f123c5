"""Small pieces of HTML that Python builds, mostly for the cells of lists: the same look as macros/ui.html.

A list of fifty rows has four hundred cells; one call of a function that returns Markup costs a fraction of a macro's.
Everything given in is escaped here.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask import Flask, request
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from portal.i18n import _, _n

#: What a cell shows when nothing is known.
DASH = Markup('<span class="none">—</span>')
TONES = frozenset({"neutral", "info", "success", "warning", "danger", "accent"})


def icon_markup(sprite_url: str, name: str, label: str | None = None) -> Markup:
    """An icon out of the sprite; with a label it is read out, without one it is decoration."""
    spoken = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    return Markup(f'<svg class="ic" {spoken}><use href="{escape(sprite_url)}#{escape(name)}"></use></svg>')


def tag(text: object, tone: str = "neutral") -> Markup:
    """A badge. :param tone: one of TONES."""
    if tone not in TONES:
        raise ValueError(f"Unknown tone {tone!r}.")
    return Markup(f'<span class="tag tag-{tone}">{escape(text)}</span>')


def link(text: object, url: str) -> Markup:
    """A link."""
    return Markup(f'<a href="{escape(url)}">{escape(text)}</a>')


def money(value: Decimal | int | None, symbol: bool = True) -> Markup:
    """An amount in yuan with two decimals and grouped thousands; None is a dash."""
    if value is None:
        return DASH
    text = f"{abs(value):,.2f}"
    sign, tone = ("−", " neg") if value < 0 else ("", "")
    return Markup(f'<span class="num{tone}">{sign}{"¥" if symbol else ""}{text}</span>')


def number(value: int | Decimal | None, digits: int = 0) -> Markup:
    """A number with grouped thousands; None is a dash."""
    return DASH if value is None else Markup(f'<span class="num">{value:,.{digits}f}</span>')


def day(value: date | None) -> Markup:
    """A date as 2026-03-05; None is a dash."""
    if value is None:
        return DASH
    text = value.isoformat()[:10]
    return Markup(f'<time class="num" datetime="{text}">{text}</time>')


def moment(value: datetime) -> Markup:
    """The day of a local moment, with the whole moment for machines."""
    return Markup(f'<time class="num" datetime="{value.isoformat()}">{value:%Y-%m-%d}</time>')


def due(value: date | None, today: date) -> Markup:
    """How far away a date is, in words and a tone (the macro ui.due, for cells)."""
    if value is None:
        return DASH
    days = (value - today).days
    tone = "danger" if days < 0 else "warning" if days <= 2 else "neutral"
    if days < 0:
        text = _n("%(num)s day overdue", "%(num)s days overdue", -days)
    elif days == 0:
        text = _("Due today")
    elif days == 1:
        text = _("Due tomorrow")
    elif days <= 14:
        text = _n("%(num)s day left", "%(num)s days left", days)
    else:
        text = value.isoformat()
    iso = value.isoformat()
    return Markup(f'<time class="tag tag-{tone}" datetime="{iso}" title="{iso}">{escape(text)}</time>')


def unbroken(text: object) -> Markup:
    """A number of a request, a copy or a document on one line: it would break at its hyphens."""
    return Markup('<span class="num">{}</span>').format(text)


def stack(main: object, detail: object) -> Markup:
    """Two lines in one cell: the fact and, quieter, what belongs to it."""
    return Markup(f'{escape(main)}<span class="cell-detail">{escape(detail)}</span>') if detail else escape(main)


def tags(texts: Iterable[object], tone: str = "neutral") -> Markup:
    """Several badges in a row."""
    return Markup(" ").join(tag(text, tone) for text in texts)


def list_rows(rows: Iterable[Any], select_word: str = "") -> Markup:
    """The body of a list (macros/listing.html): the first cell links to the row, further cells stand as they are.

    Built here and not by a template because it is the largest part of the busiest pages: five times faster.

    :param rows: objects with id, url, cells, muted (portal.core.listing.page.PageRow).
    :param select_word: spoken before a row's name for its tick box; empty: no tick boxes.
    """
    word = escape(select_word or "")
    table = list(rows)
    escaped = iter(escape_all([cell for row in table for cell in row.cells if type(cell) is not Markup]))
    parts: list[str] = []
    for row in table:
        cells: list[str] = [cell if type(cell) is Markup else next(escaped) for cell in row.cells]
        first, others = cells[0], cells[1:]
        box = ""
        if word:
            key = row.id if type(row.id) is int else escape(row.id)
            box = (
                f'<td class="sel"><input type="checkbox" name="ids" form="bulk" value="{key}"'
                f' aria-label="{word}" aria-describedby="r{key}"></td>'
            )
            first = f'<span id="r{key}">{first}</span>'
        head = f'<a href="{escape(row.url)}">{first}</a>' if row.url else first
        line = "</td><td>".join(others)
        parts.append(
            f'<tr{" class=muted" if row.muted else ""}>{box}<th scope="row">{head}</th>'
            f"{f'<td>{line}</td>' if others else ''}</tr>"
        )
    return Markup("\n".join(parts))


def filter_choices(name: str, choices: Iterable[tuple[str, object, bool]]) -> Markup:
    """Tick boxes of a filter: the choices may be hundreds of people, so they are built here as the rows are.

    :param choices: (value, label, chosen).
    """
    offered = list(choices)
    values = escape_all([value for value, _label, _chosen in offered])
    labels = escape_all([label for _value, label, _chosen in offered])
    return Markup(
        "".join(
            f'<label class="check"><input type="checkbox" name="{escape(name)}" value="{value}"'
            f"{' checked' if chosen else ''}><span>{label}</span></label>"
            for value, label, (_value, _label, chosen) in zip(values, labels, offered, strict=True)
        )
    )


#: Stands between texts that are escaped in one go: names never hold it (portal.core.text), and a text that does is
#: escaped by itself.
_BETWEEN = "\x00"


def escape_all(texts: Sequence[object]) -> list[str]:
    """Every text as `escape` gives it, many of them at a fraction of its price."""
    plain = [str(text) for text in texts if not hasattr(text, "__html__")]
    joined = str(escape(_BETWEEN.join(plain))).split(_BETWEEN)
    if plain and len(joined) != len(plain):
        return [str(escape(text)) for text in texts]
    rest = iter(joined)
    return [str(escape(text)) if hasattr(text, "__html__") else next(rest) for text in texts]


#: Parts of pages that are kept for an application at most; then it begins anew.
KEPT_PARTS = 1000


@pass_context
def kept_part(context: Context, name: str, key: Hashable = None) -> Markup:
    """A template that says the same to everybody of one language who has the same key, drawn once and kept.

    :param key: whatever the part shows must follow from it.
    """
    kept: dict[Hashable, Markup] = context.environment.portal_kept_parts  # type: ignore[attr-defined]
    whole = (name, key, context.get("language_tag"), request.script_root)
    found = kept.get(whole)
    if found is None:
        if len(kept) >= KEPT_PARTS:
            kept.clear()
        found = kept[whole] = Markup(context.environment.get_template(name).render(context.get_all()))
    return found


def name_tint(name: object) -> int:
    """Which of the six avatar colours a name has: always the same one for the same name."""
    return sum(ord(character) for character in str(name)) % 6


def install_components(app: Flask) -> None:
    """Offer the pieces to templates as `cells.money(…)`, and what macros/ui.html itself needs."""
    pieces: dict[str, Any] = {
        function.__name__: function for function in (tag, tags, link, money, number, day, due, stack, unbroken)
    }
    app.jinja_env.globals.update(cells=pieces, name_tint=name_tint, list_rows=list_rows)
    app.jinja_env.globals.update(filter_choices=filter_choices, kept_part=kept_part)
    app.jinja_env.portal_kept_parts = {}  # type: ignore[attr-defined]
