"""Changes to customers, contacts, interactions and next steps. Services flush; views, jobs and commands commit."""

from portal.customers.inputs import (
    AssignInput,
    ContactInput,
    CustomerInput,
    InteractionInput,
    NextStepInput,
    PersonInput,
    PhoneInput,
    QualificationInput,
)
from portal.customers.services.assignment import BulkResult, Refusal, assign_customers, hand_over_customers
from portal.customers.services.contacts import (
    add_contact,
    change_contact,
    contact_input_of,
    deactivate_contact,
    reactivate_contact,
    reveal_phone,
)
from portal.customers.services.customers import (
    change_customer,
    create_customer,
    input_of,
    reveal_customer_phone,
    set_favourite,
)
from portal.customers.services.interactions import (
    cancel_interaction,
    cancel_step,
    change_interaction,
    change_step,
    finish_step,
    interaction_input_of,
    plan_step,
    record_interaction,
)
from portal.customers.services.stages import assess_customer, change_stage, change_stages

__all__ = [
    "AssignInput",
    "BulkResult",
    "ContactInput",
    "CustomerInput",
    "InteractionInput",
    "NextStepInput",
    "PersonInput",
    "PhoneInput",
    "QualificationInput",
    "Refusal",
    "add_contact",
    "assess_customer",
    "assign_customers",
    "cancel_interaction",
    "cancel_step",
    "change_contact",
    "change_customer",
    "change_interaction",
    "change_stage",
    "change_stages",
    "change_step",
    "contact_input_of",
    "create_customer",
    "deactivate_contact",
    "finish_step",
    "hand_over_customers",
    "input_of",
    "interaction_input_of",
    "plan_step",
    "reactivate_contact",
    "record_interaction",
    "reveal_customer_phone",
    "reveal_phone",
    "set_favourite",
]
