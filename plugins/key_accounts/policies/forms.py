"""Forms of policies: shape and format."""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField
from wtforms.validators import InputRequired, Optional

from plugins.key_accounts.policies.models import EMPHASES, RESPONSIVE, STANDARD, TECHNICAL
from plugins.key_accounts.policies.services import (
    POLICY_TEXTS,
    PROPOSITION_TEXTS,
    TEXT_LENGTH,
    BuyingInput,
    EmphasisInput,
    PolicyInput,
    PropositionInput,
)
from plugins.key_accounts.tiers.vocabulary import TIERS
from portal.core.forms import (
    ChoiceField,
    DayField,
    Form,
    LongText,
    NumberField,
    TextField,
    VersionedForm,
    YuanField,
    at_most,
    options,
)
from portal.core.numbers import id_from
from portal.customers.vocabulary import LABELS, CustomerKind
from portal.i18n import _l

SEGMENT_WORDS: dict[str, Any] = {
    TECHNICAL: _l("Technically demanding"),
    RESPONSIVE: _l("Served quickly"),
    STANDARD: _l("Standard needs"),
}
EMPHASIS_WORDS: dict[str, Any] = {
    "price": _l("Low price"),
    "quality": _l("Good quality"),
    "timeliness": _l("Timely supply"),
    "rebate": _l("High rebate"),
    "payment_term": _l("Long payment term"),
    "brand": _l("Well-known brand"),
}
TEXT_WORDS: dict[str, Any] = {
    "stock": _l("Stock: quantity, time, variety"),
    "sales": _l("Sales: allowances, rebates"),
    "delivery": _l("Delivery: radius, time"),
    "finance": _l("Finance: credit and terms"),
    "risk": _l("Risk control"),
    "pricing": _l("Pricing"),
    "appraisal": _l("Appraisal"),
    "service": _l("Service before and after the sale"),
    "promotion": _l("Advertising and promotion"),
    "outlets": _l("Outlets"),
    "people": _l("Sales people: number, visiting time"),
    "target": _l("For whom"),
    "advantages": _l("Our advantages"),
    "price": _l("Price promise"),
    "quality": _l("Quality promise"),
    "trading": _l("Trading mode"),
    "payment": _l("Payment"),
}


def _texts(names: tuple[str, ...]) -> dict[str, Any]:
    return {name: LongText(TEXT_WORDS[name], validators=[at_most(TEXT_LENGTH)]) for name in names}


class _PolicyForm(VersionedForm):
    name = TextField(_l("Name"), validators=[InputRequired(_l("Enter a name.")), at_most(100)])
    tier = ChoiceField(_l("For the tier"), choices=options(TIERS, _l("all tiers")))
    kind = ChoiceField(
        _l("For customers of the kind"),
        choices=options(LABELS[CustomerKind], _l("all kinds")),
    )
    valid_from = DayField(_l("Valid from"), validators=[InputRequired(_l("Enter a date."))])
    valid_until = DayField(_l("Valid until"), validators=[Optional()])
    visit_days = NumberField(_l("A visit at least every"), validators=[Optional()])
    contact_days = NumberField(_l("A contact at least every"), validators=[Optional()])
    credit_limit = YuanField(_l("Credit limit"), validators=[Optional()])
    credit_days = NumberField(_l("Days of credit"), validators=[Optional()])
    minimum_order = YuanField(_l("Minimum order"), validators=[Optional()])
    discount = NumberField(_l("Discount off the list price"), validators=[Optional()])

    def to_input(self) -> PolicyInput:
        """The service's input."""
        return PolicyInput(
            name=self.name.data,
            valid_from=self.valid_from.data,
            tier=self.tier.data or "",
            kind=self.kind.data or "",
            valid_until=self.valid_until.data,
            visit_days=self.visit_days.data,
            contact_days=self.contact_days.data,
            credit_limit=self.credit_limit.data,
            credit_days=self.credit_days.data,
            minimum_order=self.minimum_order.data,
            discount=self.discount.data,
            texts={name: self[name].data or "" for name in POLICY_TEXTS},
            version=self.seen_version,
        )


PolicyForm: type[_PolicyForm] = type("PolicyForm", (_PolicyForm,), _texts(POLICY_TEXTS))


class _PropositionForm(VersionedForm):
    name = TextField(_l("Name"), validators=[InputRequired(_l("Enter a name.")), at_most(100)])
    segment = ChoiceField(_l("Segment"), choices=options(SEGMENT_WORDS))
    valid_from = DayField(_l("Valid from"), validators=[InputRequired(_l("Enter a date."))])
    valid_until = DayField(_l("Valid until"), validators=[Optional()])
    price_position = TextField(_l("Price position"), validators=[at_most(200)])

    def to_input(self) -> PropositionInput:
        """The service's input."""
        return PropositionInput(
            name=self.name.data,
            segment=self.segment.data,
            valid_from=self.valid_from.data,
            valid_until=self.valid_until.data,
            price_position=self.price_position.data or "",
            texts={name: self[name].data or "" for name in PROPOSITION_TEXTS},
            version=self.seen_version,
        )


PropositionForm: type[_PropositionForm] = type("PropositionForm", (_PropositionForm,), _texts(PROPOSITION_TEXTS))


class _BuyingForm(Form):
    segment = ChoiceField(_l("Segment"), choices=options(SEGMENT_WORDS, _l("none chosen")))

    def to_input(self) -> BuyingInput:
        """The service's input; factors without a place are left out."""
        return BuyingInput(
            self.segment.data or "",
            tuple(
                EmphasisInput(
                    factor,
                    self[f"position_{factor}"].data,
                    bool(self[f"met_{factor}"].data),
                    self[f"note_{factor}"].data or "",
                )
                for factor in EMPHASES
                if self[f"position_{factor}"].data is not None
            ),
        )


def _buying_fields() -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for factor in EMPHASES:
        fields[f"position_{factor}"] = ChoiceField(
            EMPHASIS_WORDS[factor],
            coerce=id_from,
            choices=options(((n, str(n)) for n in range(1, len(EMPHASES) + 1)), "—"),
            validators=[Optional()],
        )
        fields[f"met_{factor}"] = BooleanField(_l("We meet it"))
        fields[f"note_{factor}"] = TextField(_l("Note"), validators=[at_most(300)])
    return fields


BuyingForm: type[_BuyingForm] = type("BuyingForm", (_BuyingForm,), _buying_fields())
