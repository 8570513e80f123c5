"""Pages of the plugin key_accounts about opportunities, teams, stakeholders, plans and care."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from plugins.key_accounts.care import meetings, visits
from plugins.key_accounts.care import services as care
from plugins.key_accounts.care.models import CareDuty, MeetingGuest
from plugins.key_accounts.opportunities.inputs import OpportunityInput
from plugins.key_accounts.opportunities.services import create_opportunity
from plugins.key_accounts.plans import emergencies, follow_up, versions
from plugins.key_accounts.plans import services as plans
from plugins.key_accounts.team import channels
from plugins.key_accounts.team import services as team
from portal.core import clock
from portal.core.transaction import transaction
from portal.extensions import db
from tests.access.letters import HIDDEN, LEADERS, PUBLIC, RECORD, SALES, STAFF, VIP_RECORD
from tests.world import World

QUERY: dict[str, dict[str, str]] = {}
FORM: dict[str, dict[str, str]] = {}

_OPPORTUNITY = "/key-accounts/opportunities/<int:opportunity_id>"
_CUSTOMER = "/key-accounts/customers/<int:customer_id>"
_MEETING = "/key-accounts/meetings/<int:meeting_id>"
MATRIX: dict[str, str] = {
    "GET /key-accounts/opportunities": SALES,
    "GET /key-accounts/opportunities/board": SALES,
    "GET /key-accounts/opportunities/matrix": SALES,
    "GET /key-accounts/opportunities/forecast": SALES,
    "GET /key-accounts/opportunities/gap": SALES,
    "GET /key-accounts/opportunities/targets": LEADERS,
    "POST /key-accounts/opportunities/targets": LEADERS,
    "GET /key-accounts/opportunities/new": SALES,
    "POST /key-accounts/opportunities/new": SALES,
    f"GET {_CUSTOMER}/opportunities/new": RECORD,
    f"POST {_CUSTOMER}/opportunities/new": RECORD,
    f"GET {_CUSTOMER}/opportunities": RECORD,
    f"GET {_OPPORTUNITY}": HIDDEN,
    f"GET {_OPPORTUNITY}/edit": HIDDEN,
    f"POST {_OPPORTUNITY}/edit": HIDDEN,
    f"POST {_OPPORTUNITY}/move": HIDDEN,
    f"GET {_OPPORTUNITY}/<any(won, lost):outcome>": HIDDEN,
    f"POST {_OPPORTUNITY}/<any(won, lost):outcome>": HIDDEN,
    f"POST {_OPPORTUNITY}/reopen": HIDDEN,
    f"GET {_OPPORTUNITY}/step": HIDDEN,
    f"POST {_OPPORTUNITY}/step": HIDDEN,
    f"GET {_CUSTOMER}/team": RECORD,
    f"GET {_CUSTOMER}/team/members/new": RECORD,
    f"POST {_CUSTOMER}/team/members/new": RECORD,
    "GET /key-accounts/team/members/<int:member_id>": HIDDEN,
    "POST /key-accounts/team/members/<int:member_id>": HIDDEN,
    "GET /key-accounts/team/members/<int:member_id>/end": HIDDEN,
    "POST /key-accounts/team/members/<int:member_id>/end": HIDDEN,
    f"GET {_CUSTOMER}/team/edit": RECORD,
    f"POST {_CUSTOMER}/team/edit": RECORD,
    f"GET {_CUSTOMER}/phase": RECORD,
    f"POST {_CUSTOMER}/phase": RECORD,
    f"GET {_CUSTOMER}/channels/new": RECORD,
    f"POST {_CUSTOMER}/channels/new": RECORD,
    "POST /key-accounts/team/channels/<int:channel_id>/end": HIDDEN,
    "GET /key-accounts/experts": STAFF,
    "GET /key-accounts/experts/<int:person_id>": HIDDEN,
    "POST /key-accounts/experts/<int:person_id>": HIDDEN,
    f"GET {_CUSTOMER}/stakeholders": RECORD,
    "GET /key-accounts/stakeholders/<int:contact_id>": HIDDEN,
    "POST /key-accounts/stakeholders/<int:contact_id>": HIDDEN,
    f"GET {_CUSTOMER}/plan": RECORD,
    f"GET {_CUSTOMER}/plan/new": RECORD,
    f"POST {_CUSTOMER}/plan/new": RECORD,
    "GET /key-accounts/plans/<int:plan_id>/edit": HIDDEN,
    "POST /key-accounts/plans/<int:plan_id>/edit": HIDDEN,
    "POST /key-accounts/plans/<int:plan_id>/phase": HIDDEN,
    "GET /key-accounts/plans/<int:plan_id>/sections/<section>": HIDDEN,
    "POST /key-accounts/plans/<int:plan_id>/sections/<section>": HIDDEN,
    "GET /key-accounts/plans/<int:plan_id>/targets": HIDDEN,
    "POST /key-accounts/plans/<int:plan_id>/targets": HIDDEN,
    "GET /key-accounts/plans/<int:plan_id>/actions/new": HIDDEN,
    "POST /key-accounts/plans/<int:plan_id>/actions/new": HIDDEN,
    "GET /key-accounts/plans/actions/<int:action_id>": HIDDEN,
    "POST /key-accounts/plans/actions/<int:action_id>": HIDDEN,
    "GET /key-accounts/plans/actions/<int:action_id>/finish": HIDDEN,
    "POST /key-accounts/plans/actions/<int:action_id>/finish": HIDDEN,
    "GET /key-accounts/plans/<int:plan_id>/reviews/new": HIDDEN,
    "POST /key-accounts/plans/<int:plan_id>/reviews/new": HIDDEN,
    "GET /key-accounts/plans/reviews/<int:review_id>": HIDDEN,
    "POST /key-accounts/plans/reviews/<int:review_id>": HIDDEN,
    "POST /key-accounts/plans/<int:plan_id>/submit": HIDDEN,
    "POST /key-accounts/plans/<int:plan_id>/<any(keep, archive):step>": HIDDEN,
    "GET /key-accounts/plans/versions/<int:version_id>": HIDDEN,
    "POST /key-accounts/plans/<int:plan_id>/print": HIDDEN,
    f"GET {_CUSTOMER}/emergencies": RECORD,
    f"GET {_CUSTOMER}/emergencies/new": RECORD,
    f"POST {_CUSTOMER}/emergencies/new": RECORD,
    "GET /key-accounts/emergencies/<int:emergency_id>": HIDDEN,
    "POST /key-accounts/emergencies/<int:emergency_id>": HIDDEN,
    "GET /key-accounts/emergencies/<int:emergency_id>/log": HIDDEN,
    "POST /key-accounts/emergencies/<int:emergency_id>/log": HIDDEN,
    "GET /key-accounts/care": SALES,
    f"GET {_CUSTOMER}/care": RECORD,
    f"POST {_CUSTOMER}/care/set-up": RECORD,
    "GET /key-accounts/care/duties/<int:duty_id>": HIDDEN,
    "POST /key-accounts/care/duties/<int:duty_id>": HIDDEN,
    "GET /key-accounts/care/duties/<int:duty_id>/done": HIDDEN,
    "POST /key-accounts/care/duties/<int:duty_id>/done": HIDDEN,
    "POST /key-accounts/care/records/<int:record_id>/take-back": HIDDEN,
    f"POST {_CUSTOMER}/care/print": RECORD,
    f"GET {_CUSTOMER}/forecast": RECORD,
    f"POST {_CUSTOMER}/forecast": RECORD,
    f"GET {_CUSTOMER}/incentives/new": RECORD,
    f"POST {_CUSTOMER}/incentives/new": RECORD,
    "GET /key-accounts/calendar": SALES,
    "POST /key-accounts/calendar/address": SALES,
    "POST /key-accounts/calendar/address/revoke": SALES,
    "GET /key-accounts/calendar/<token>.ics": PUBLIC,
    f"GET {_CUSTOMER}/visits/new": RECORD,
    f"POST {_CUSTOMER}/visits/new": RECORD,
    "GET /key-accounts/visits/<int:visit_id>": HIDDEN,
    "GET /key-accounts/visits/<int:visit_id>/edit": HIDDEN,
    "POST /key-accounts/visits/<int:visit_id>/edit": HIDDEN,
    "GET /key-accounts/visits/<int:visit_id>/end": HIDDEN,
    "POST /key-accounts/visits/<int:visit_id>/end": HIDDEN,
    "POST /key-accounts/visits/<int:visit_id>/briefing": HIDDEN,
    "GET /key-accounts/meetings": SALES,
    "GET /key-accounts/meetings/new": LEADERS,
    "POST /key-accounts/meetings/new": LEADERS,
    f"GET {_MEETING}": SALES,
    f"GET {_MEETING}/edit": LEADERS,
    f"POST {_MEETING}/edit": LEADERS,
    f"POST {_MEETING}/guests": SALES,
    "POST /key-accounts/meetings/guests/<int:guest_id>": VIP_RECORD,
    f"GET {_MEETING}/actions/new": LEADERS,
    f"POST {_MEETING}/actions/new": LEADERS,
    # The owner, who is anna, and whoever leads key accounts.
    "POST /key-accounts/meetings/actions/<int:meeting_action_id>": "l-o-ooo----",
}


def build(stage: Any, world: World) -> None:
    """Of anna's customer: an opportunity, a team, a plan, an emergency plan, duties, a visit; a meeting of hanna's."""
    ids, customer, today = stage.ids, stage.ids["customer_id"], clock.today()
    anna, hanna = world.actor("anna"), world.actor("hanna")
    ids["key_accounts.close_opportunity:outcome"] = "won"
    ids["key_accounts.plan_section:section"] = "priorities"
    ids["key_accounts.keep_plan:step"] = "keep"
    ids["key_accounts.edit_skills:person_id"] = anna.user_id
    with transaction():
        data = OpportunityInput(customer, "续签框架协议", "more_use", Decimal("250000"))
        ids["opportunity_id"] = create_opportunity(data, anna).id
        # The sponsor sees the customer anyway: nobody gets more sight by this membership.
        part = team.MemberInput(world.user("boss").id, "other", today, today + timedelta(days=30))
        member = team.add_member(customer, part, anna).id
        ids["key_accounts.change_member:member_id"] = ids["key_accounts.end_member:member_id"] = member
        ids["channel_id"] = channels.add_channel(customer, "technical", anna.user_id, ids["contact_id"], "", anna).id
        plan = plans.create_plan(customer, "计划", today.year, 1, anna).id
        ids["plan_id"] = plan
        plans.save_section(plan, "priorities", "续签", 0, anna)
        action = follow_up.save_action(plan, None, "送样品", anna.user_id, today, anna).id
        ids["key_accounts.edit_action:action_id"] = ids["key_accounts.finish_action:action_id"] = action
        ids["key_accounts.edit_review:review_id"] = follow_up.save_review(plan, None, today, None, "", anna).id
        ids["key_accounts.plan_version:version_id"] = versions.keep_version(plan, anna).id
        accident = emergencies.EmergencyInput("断供", anna.user_id, None, "电话告知")
        ids["emergency_id"] = emergencies.save_emergency(customer, None, accident, anna).id
        care.set_up_duties(customer, anna)
        ids["duty_id"] = db.session.scalars(select(CareDuty.id).where(CareDuty.customer_id == customer).limit(1)).one()
        done = care.finish_duty(ids["duty_id"], care.DoneInput(today, "已完成"), anna).id
        ids["key_accounts.take_back_record:record_id"] = done
        trip = visits.VisitInput(world.user("boss").id, clock.now() + timedelta(days=3), 60, "回顾")
        ids["visit_id"] = visits.save_visit(customer, None, trip, anna).id
        ids["key_accounts.feed:token"] = visits.open_feed(anna)
        begin = clock.now() + timedelta(days=30)
        meeting = meetings.save_meeting(None, meetings.MeetingInput("年会", "yearly", begin, 60, hanna.user_id), hanna)
        ids["meeting_id"] = meeting.id
        meetings.invite(meeting.id, [ids["contact_id"]], anna)
        ids["guest_id"] = db.session.scalars(select(MeetingGuest.id)).one()
        ids["meeting_action_id"] = meetings.add_meeting_action(meeting.id, "答复", anna.user_id, today, hanna).id
