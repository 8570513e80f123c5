"""Reading pages as a browser would: links and forms."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class FoundForm:
    """A form with the values that a browser would send."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    #: whether a button sends the form to its own address; others name addresses of theirs (formaction)
    is_sent: bool = False


class Page(HTMLParser):
    """Links, forms, ids and what must not be there (inline scripts and styles, pictures without words)."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[str] = []
        self.forms: list[FoundForm] = []
        self.ids: list[str] = []
        self.inline: list[str] = []
        self.images_without_text: list[str] = []
        self._form: FoundForm | None = None
        self._select: str = ""
        self._chosen: str | None = None
        self._first: str | None = None
        self._area: str = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if values.get("id"):
            self.ids.append(values["id"] or "")
        self.inline += [name for name, _value in attrs if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and not values.get("src") and values.get("type") != "application/json"):
            self.inline.append(tag)
        if tag == "a" and values.get("href"):
            self.links.append(values["href"] or "")
        if tag == "img" and values.get("alt") is None:
            self.images_without_text.append(values.get("src") or "")
        if tag == "form":
            self._form = FoundForm(values.get("action") or "", (values.get("method") or "get").lower())
            self.forms.append(self._form)
        elif self._form is not None:
            self._control(tag, values)

    def _control(self, tag: str, values: dict[str, str | None]) -> None:
        assert self._form is not None
        name = values.get("name") or ""
        kind = values.get("type") or ("submit" if tag == "button" else "text")
        if tag in ("button", "input") and kind in ("submit", "image"):
            if values.get("formaction"):
                # The fields of a form are shared by the addresses its buttons name.
                self.forms.append(FoundForm(values["formaction"] or "", self._form.method, self._form.fields, True))
            else:
                self._form.is_sent = True
        elif tag == "input" and name:
            if kind in ("checkbox", "radio"):
                if "checked" in values:
                    self._form.fields.append((name, values.get("value") or "on"))
                elif all(field != name for field, _value in self._form.fields):
                    self._form.fields.append((name, ""))
            elif kind not in ("button", "reset", "file"):
                self._form.fields.append((name, values.get("value") or ""))
        elif tag == "textarea" and name:
            self._form.fields.append((name, ""))
        elif tag == "select" and name:
            self._select, self._chosen, self._first = name, None, None
        elif tag == "option" and self._select:
            value = values.get("value") or ""
            self._first = value if self._first is None else self._first
            if "selected" in values:
                self._chosen = value

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select" and self._select and self._form is not None:
            self._form.fields.append((self._select, self._chosen or self._first or ""))
            self._select = ""
