"""Forms: the base class, and fields that know no domain.

One behaviour everywhere: what cannot be read is refused with a sentence of ours and stays in its field as it was typed.

Fields of people, customers and products stand in `fields.py` of their rooms.
"""

from portal.core.forms.base import GIVEN, REQUIRED, Form, VersionedForm, at_most, between, new_token, options
from portal.core.forms.fields import (
    BoxesField,
    ChoiceField,
    DayField,
    LongText,
    MomentField,
    NumberField,
    OptionField,
    TextField,
    YuanField,
)
from portal.core.forms.pickers import IdField, PickedField

__all__ = [
    "GIVEN",
    "REQUIRED",
    "BoxesField",
    "ChoiceField",
    "DayField",
    "Form",
    "IdField",
    "LongText",
    "MomentField",
    "NumberField",
    "OptionField",
    "PickedField",
    "TextField",
    "VersionedForm",
    "YuanField",
    "at_most",
    "between",
    "new_token",
    "options",
]
