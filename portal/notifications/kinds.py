"""Kinds of notice, and messages that each reader sees in his language."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from portal.core import clock
from portal.i18n import _, _n


@dataclass(frozen=True)
class NoticeKind:
    """A kind of notice that people can choose channels for.

    :ivar key: "module.event", unique.
    :ivar help: when one gets it, one sentence.
    :ivar default_mail: sent by mail at once unless the person chose otherwise.
    :ivar mandatory: cannot be switched off (security of one's own account).
    """

    key: str
    title: Any
    help: Any = ""
    default_mail: bool = False
    mandatory: bool = False


@dataclass(frozen=True)
class Message:
    """A sentence and what fills it; translated when it is read."""

    msgid: str
    params: tuple[tuple[str, Any], ...] = ()
    plural: str = ""

    def __str__(self) -> str:
        return render(encode(self))


def message(msgid: str, /, **params: Any) -> Message:
    """A translatable sentence for `notify`: `message("%(name)s was approved", name=…)`.

    `message` is a keyword of the message extraction, so the sentence gets into the catalogues.
    :param params: texts, numbers, dates, Decimals.
    """
    return Message(msgid, tuple(sorted(params.items())))


def message_n(singular: str, plural: str, num: int, /, **params: Any) -> Message:
    """The same with a number: `message_n("%(num)s request", "%(num)s requests", 3)`."""
    return Message(singular, tuple(sorted({**params, "num": num}.items())), plural)


def encode(text: object) -> str:
    """How a text is kept: JSON {"m": msgid, "p": params, "n": plural} or {"t": plain}."""
    if isinstance(text, Message):
        data: dict[str, Any] = {"m": text.msgid, "p": {name: _plain(value) for name, value in text.params}}
        if text.plural:
            data["n"] = text.plural
        return json.dumps(data, ensure_ascii=False)
    return json.dumps({"t": str(text)}, ensure_ascii=False)


def render(kept: str) -> str:
    """A kept text in the present reader's language. What cannot be read is shown as it is."""
    if not kept:
        return ""
    data = json.loads(kept)
    if "t" in data:
        return str(data["t"])
    msgid, plural = data["m"], data.get("n")
    kept_params = data.get("p", {})
    params = {name: _shown(value) for name, value in kept_params.items()}
    if plural:
        number = int(params.pop("num"))
        return str(_n(msgid, plural, number, **params))
    return str(_(msgid, **params)) if params else str(_(msgid)).replace("%%", "%")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"at": value.isoformat()}
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return value if isinstance(value, (int, str)) else str(value)


def _shown(value: Any) -> Any:
    if isinstance(value, dict):
        return clock.local(datetime.fromisoformat(value["at"])).strftime("%Y-%m-%d %H:%M")
    return value
