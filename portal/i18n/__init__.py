"""Languages: source strings are English; zh_Hans_CN is the default, zh_Hant and en are complete too."""

from __future__ import annotations

from portal.i18n.catalogue import current_language, refresh, speaking
from portal.i18n.catalogue import gettext as _
from portal.i18n.catalogue import lazy_gettext as _l
from portal.i18n.catalogue import ngettext as _n

#: (code, own name) of every language, in the order of the menu.
LANGUAGES: tuple[tuple[str, str], ...] = (("zh_Hans_CN", "简体中文"), ("zh_Hant", "繁體中文"), ("en", "English"))
LANGUAGE_CODES = frozenset(code for code, _name in LANGUAGES)
#: BCP 47 tags for the lang attribute.
LANGUAGE_TAGS = {"zh_Hans_CN": "zh-Hans-CN", "zh_Hant": "zh-Hant", "en": "en"}

__all__ = ["LANGUAGES", "LANGUAGE_CODES", "LANGUAGE_TAGS", "_", "_l", "_n", "current_language", "refresh", "speaking"]
