"""Changing the portal's settings: forms made from their definitions, and the service behind them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from wtforms import (
    BooleanField,
    Field,
    HiddenField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import InputRequired, Optional

from portal.audit.services import record
from portal.auth.actions import Action
from portal.auth.permissions import SETTINGS
from portal.core import settings
from portal.core.errors import ErrorList, NotFound
from portal.core.forms import BoxesField, ChoiceField, Form, NumberField, TextField, YuanField, at_most, options
from portal.core.permissions import require
from portal.core.settings import Setting, SettingValue
from portal.extensions import db
from portal.i18n import _, _l
from portal.org.actor import Actor

MAXIMUM_TEXT = 2000
MAXIMUM_JSON = 20_000


class LargeNumberField(NumberField):
    """A whole number of up to fifteen digits: settings are kept as JSON, exact up to there."""

    digits = 15


class JsonField(TextAreaField):
    """A value written as JSON."""

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return json.dumps(self.data, ensure_ascii=False, indent=2)

    def process_formdata(self, valuelist: list[Any]) -> None:
        text = valuelist[0] if valuelist else ""
        if len(text) > MAXIMUM_JSON:
            raise ValueError(_("At most %(count)s characters.", count=MAXIMUM_JSON))
        try:
            self.data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(_("This is not valid JSON.")) from error


def field_name(key: str) -> str:
    """A setting's key as a form field's name."""
    return key.replace(".", "__")


def _within(setting: Setting) -> Callable[[Any, Field], None]:
    def check(_form: Any, field: Field) -> None:
        if field.data is None:
            return
        if setting.minimum is not None and field.data < setting.minimum:
            raise ValidationError(_("At least %(limit)s.", limit=setting.minimum))
        if setting.maximum is not None and field.data > setting.maximum:
            raise ValidationError(_("At most %(limit)s.", limit=setting.maximum))

    return check


def _field(setting: Setting) -> Any:
    label, help_text = setting.label, setting.help
    choices = [(value, text) for value, text in setting.choices]
    if setting.kind == "bool":
        return BooleanField(label, description=help_text)
    if setting.kind == "int":
        needed = InputRequired(_l("Enter a whole number."))
        return LargeNumberField(label, [needed, _within(setting)], description=help_text)
    if setting.kind == "money":
        needed = InputRequired(_l("Enter an amount in yuan, such as 1,234.50."))
        return YuanField(label, [needed, _within(setting)], description=help_text)
    if setting.kind == "choice":
        return ChoiceField(label, choices=options(choices), description=help_text)
    if setting.kind == "choices":
        return BoxesField(label, choices=options(choices), description=help_text)
    if setting.kind == "json":
        return JsonField(label, description=help_text)
    longest = int(setting.maximum) if setting.maximum is not None else MAXIMUM_TEXT
    return TextField(
        label,
        [Optional(), at_most(longest)],
        description=help_text,
    )


def shown(value: Any) -> str:
    """A value as one comparable text; what a form carries to notice that somebody else changed it."""
    return json.dumps(str(value) if isinstance(value, Decimal) else value, ensure_ascii=False, sort_keys=True)


def settings_of(module: str) -> list[Setting]:
    """The settings of a module, in the order of registration."""
    return [s for s in settings.registry().definitions.values() if s.key.partition(".")[0] == module]


def modules() -> list[str]:
    """Modules that have settings, in the order of registration."""
    return list(dict.fromkeys(key.partition(".")[0] for key in settings.registry().definitions))


def make_form(definitions: Sequence[Setting]) -> Form:
    """A form with one field for each setting and, hidden, the value it had when the form was drawn."""
    attributes: dict[str, Any] = {}
    for setting in definitions:
        attributes[field_name(setting.key)] = _field(setting)
        attributes["was__" + field_name(setting.key)] = HiddenField()
    values: dict[str, Any] = {}
    for setting in definitions:
        value = settings.get(setting.key)
        values[field_name(setting.key)] = list(value) if setting.kind == "choices" else value
        values["was__" + field_name(setting.key)] = shown(value)
    form_class = type("SettingsForm", (Form,), attributes)
    form: Form = form_class(data=values)
    return form


def posted_values(form: Form, definitions: Sequence[Setting]) -> tuple[dict[str, Any], dict[str, str]]:
    """What the form holds: key → value, key → the value the person had before him."""
    values: dict[str, Any] = {}
    was: dict[str, str] = {}
    for setting in definitions:
        value = form[field_name(setting.key)].data
        values[setting.key] = list(value or ()) if setting.kind == "choices" else value
        was[setting.key] = form["was__" + field_name(setting.key)].data or ""
    return values, was


def change_settings(values: Mapping[str, Any], was: Mapping[str, str], actor: Actor) -> list[str]:
    """Store what differs from the present values, in the caller's transaction.

    :param was: for each key the value the person had before him, as `shown` gives it.
    :returns: the keys that changed. :raises Invalid: where somebody else changed the same setting meanwhile.
    """
    require(actor, SETTINGS)
    settings.forget_cache()
    errors = ErrorList()
    changed: dict[str, Any] = {}
    for key, value in values.items():
        present = settings.get(key)
        mine = list(value) if isinstance(value, list | tuple) else value
        before = list(present) if isinstance(present, list | tuple) else present
        if shown(mine) == shown(before) or shown(mine) == was.get(key):
            continue  # not touched, or somebody else set the same meanwhile
        if was.get(key) != shown(present):
            errors.add(field_name(key), _("Somebody else changed this to %(value)s meanwhile.", value=shown(present)))
        changed[key] = mine
    errors.raise_if_any()
    for key, value in changed.items():
        old, new = settings.put(key, value, actor.user_id)
        record(
            actor,
            Action.SETTING_CHANGE,
            object_type="setting",
            object_id=None,
            object_label=key,
            old={"value": old},
            new={"value": new},
        )
    return list(changed)


def reset_setting(key: str, actor: Actor) -> None:
    """Give a setting its default again. :raises NotFound: for an unknown key."""
    require(actor, SETTINGS)
    definition = settings.registry().definitions.get(key)
    if definition is None:
        raise NotFound()
    settings.forget_cache()
    row = db.session.get(SettingValue, key)
    if row is None:
        return
    old = settings.get(key)
    db.session.delete(row)
    db.session.flush()
    settings.forget_cache()
    record(
        actor,
        Action.SETTING_CHANGE,
        object_type="setting",
        object_id=None,
        object_label=key,
        old={"value": old},
        new={"value": definition.default, "default": True},
    )


def changed_keys() -> set[str]:
    """Keys whose value differs from the default."""
    return set(db.session.scalars(select(SettingValue.key)))
