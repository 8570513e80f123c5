"""What people call the stored words of introduction programmes."""

from __future__ import annotations

from typing import Any

from plugins.sop.programme import budget, models, questionnaire
from portal.i18n import _l

STAGES: dict[int, Any] = {
    1: _l("Concept training"),
    2: _l("Forming the manual"),
    3: _l("Introducing it"),
}
STEPS: dict[str, Any] = {
    "senior_training": _l("Workshop of the senior management"),
    "middle_training": _l("Training of the middle management"),
    "staff_training": _l("Spreading the ideas among the staff"),
    "research": _l("Research inside the company and among users"),
    "drafting": _l("Drafting the manual"),
    "confirmation": _l("Adjusting and confirming the manual"),
    "managers_accept": _l("Managers learn and accept the manual"),
    "staff_master": _l("Staff master and use the manual"),
    "company_fluent": _l("The whole company is fluent in the manual"),
}
STATES: dict[str, Any] = {
    models.PLANNED: _l("Being planned"),
    models.RUNNING: _l("In progress"),
    models.FINISHED: _l("Introduced"),
    models.STOPPED: _l("Stopped"),
}
STATE_TONES = {
    models.PLANNED: "info",
    models.RUNNING: "accent",
    models.FINISHED: "success",
    models.STOPPED: "neutral",
}
EVENTS: dict[str, Any] = {
    "created": _l("Plan made"),
    "moved": _l("Dates moved"),
    "progress": _l("Progress reported"),
    "finished": _l("Step finished"),
    "reopened": _l("Step taken up again"),
    "owner": _l("Responsible person named"),
    "state": _l("State changed"),
    "budget": _l("Budget decided"),
}
MODES: dict[str, Any] = {
    budget.OWN: _l("Own staff"),
    budget.SHORT: _l("Short advice"),
    budget.DEEP: _l("Deep advice"),
    budget.MANUAL: _l("Full advice with a manual"),
    budget.ASSISTED: _l("Full advice with assisted introduction"),
    budget.TAILORED: _l("Tailored to the company"),
}
MODE_HELPS: dict[str, Any] = {
    budget.OWN: _l("The company works with this portal alone; what it costs is the staff's time."),
    budget.SHORT: _l("An adviser answers the open questions of those who introduce the procedures."),
    budget.DEEP: _l("An adviser examines the present state and works out the main points together with the heads."),
    budget.MANUAL: _l("The adviser writes the manual with the departments."),
    budget.ASSISTED: _l("The adviser writes the manual and stays until the whole company works with it."),
    budget.TAILORED: _l("Scope, days and fee are negotiated."),
}
MOMENTS: dict[str, Any] = {
    questionnaire.START: _l("Assessment at the start"),
    questionnaire.INTERIM: _l("Assessment in between"),
    questionnaire.END: _l("Assessment at the end"),
}
MOMENT_SHORT: dict[str, Any] = {
    questionnaire.START: _l("At the start"),
    questionnaire.INTERIM: _l("In between"),
    questionnaire.END: _l("At the end"),
}
LEVELS: dict[int, Any] = {
    1: _l("Not there"),
    2: _l("Here and there"),
    3: _l("Written down"),
    4: _l("Practised everywhere"),
    5: _l("Measured and improved"),
}
AREAS: dict[str, Any] = {
    "purpose": _l("Purpose and leadership"),
    "customers": _l("Customer data"),
    "segments": _l("Which customers matter"),
    "access": _l("Archive and secrecy"),
    "contact": _l("Contact and care"),
    "service": _l("Service and complaints"),
    "procedures": _l("Procedures in daily work"),
    "use": _l("Use in decisions"),
}
QUESTIONS: dict[str, Any] = {
    "purpose.1": _l("Do all managers say the same when asked what customer relations are to achieve?"),
    "purpose.2": _l("Do goals, people and money for customer relations stand in the yearly plan?"),
    "customers.1": _l("Is every customer recorded once, completely and up to date?"),
    "customers.2": _l("Is every visit, call and purchase to be found with the customer on the same day?"),
    "segments.1": _l("Does everybody know which customers are key, important or ordinary, and by which measures?"),
    "segments.2": _l("Do time and money go to customers according to what they are worth?"),
    "access.1": _l("Is it settled who may see whose file, and is each look recorded?"),
    "access.2": _l("Do customers stay with the company when a member of staff leaves?"),
    "contact.1": _l("Are contacts planned, prepared and followed up?"),
    "contact.2": _l("Are customers treated individually: anniversaries, interests, preferences?"),
    "service.1": _l("Is every complaint answered within the promised time and followed to its end?"),
    "service.2": _l("Are adverse events noticed before the customer leaves?"),
    "procedures.1": _l("Is there a written procedure for every recurring task with customers?"),
    "procedures.2": _l("Do staff work by these procedures, and is that checked?"),
    "use.1": _l("Do decisions on products, prices and promotion rest on customer data?"),
    "use.2": _l("Are results of customer relations measured and discussed every month?"),
}
SIDES: dict[str, Any] = {
    models.BEFORE: _l("Before the introduction"),
    models.AFTER: _l("After the introduction"),
}


def word(table: dict[Any, Any], value: Any) -> str:
    """The word for a stored value; the value itself when it is not known."""
    return str(table.get(value, value))


def step_title(step: models.SopProgrammeStep) -> str:
    """The company's own words for a step, else those of the template."""
    return step.title or word(STEPS, step.key)
