"""The main job from end to end: an account manager applies, the head approves, the certificate prints."""

from __future__ import annotations

import io
import re
from datetime import date, datetime, timedelta
from decimal import Decimal

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from plugins.vip import jobs, ledger, queries, services
from plugins.vip.models import (
    ACTIVE,
    LAPSED,
    SUSPENDED,
    VipApplication,
    VipBenefit,
    VipCandidate,
    VipMembership,
    VipPointEntry,
)
from plugins.vip.services import ApplicationInput
from portal.approvals.models import PENDING, ApprovalRequest
from portal.approvals.queries import description_of, digest_of
from portal.approvals.services import decide as decide_request
from portal.approvals.services import expire as expire_request
from portal.core import clock, settings
from portal.core.errors import Conflict, Invalid, NotAllowed
from portal.core.jobs import JobContext
from portal.core.transaction import transaction
from portal.customers.models import Contact
from portal.extensions import db
from portal.notifications.models import Notice
from portal.org.actor import SYSTEM
from portal.purchases.services import (
    LineInput,
    ProductInput,
    PurchaseInput,
    cancel_purchase,
    create_product,
    record_purchase,
)
from tests.world import World


class Context:
    """What a job needs in a test."""

    run_id = 0
    actor = SYSTEM

    def progress(self, done: int, total: int | None = None, label: object = "") -> None: ...
    def cancelled(self) -> bool:
        return False

    def check_cancelled(self) -> None: ...


def run(job: object) -> dict[str, object]:
    context: JobContext = Context()  # type: ignore[assignment]
    return job(context)  # type: ignore[operator, no-any-return]


@pytest.fixture
def products(world: World) -> dict[str, int]:
    with transaction():
        return {
            grade: create_product(
                ProductInput(f"P-{grade}", f"商品 {grade}", "礼盒", grade, Decimal("1000"), Decimal("500")), SYSTEM
            ).id
            for grade in ("high", "middle", "ordinary")
        }


def buy(world: World, who: str, customer: str, product: int, quantity: int, number: str, days_ago: int = 1) -> int:
    with transaction():
        purchase = record_purchase(
            PurchaseInput(
                customer_id=world.customer_id(customer),
                number=number,
                purchased_on=clock.today() - timedelta(days=days_ago),
                lines=(LineInput(product, quantity, Decimal("1000")),),
            ),
            world.actor(who),
        )
        return int(purchase.id)


def apply(world: World, who: str, customer: str, condition: str = "single", **more: object) -> int:
    data = ApplicationInput(world.customer_id(customer), condition, token=f"{who}-{customer}-{condition}", **more)  # type: ignore[arg-type]
    with transaction():
        return int(services.apply(data, world.actor(who)).id)


def decide(world: World, who: str, request_id: int, vote: str = "approve", opinion: str = "") -> None:
    request = db.session.get(ApprovalRequest, request_id)
    assert request is not None
    digest = digest_of(request)
    with transaction():
        decide_request(request_id, world.actor(who), vote=vote, opinion=opinion, seen_digest=digest)


def member(world: World, products: dict[str, int], customer: str = "maotai", who: str = "anna") -> VipMembership:
    buy(world, who, customer, products["high"], 12, f"N-{customer}")
    decide(world, "hanna" if who in {"anna", "ben"} else "hector", apply(world, who, customer))
    found = queries.live_membership(world.customer_id(customer))
    assert found is not None
    return found


def test_the_whole_story_through_the_pages(app: Flask, world: World, products: dict[str, int]) -> None:
    buy(world, "anna", "maotai", products["high"], 12, "N-1")
    customer = world.customer_id("maotai")
    anna, hanna = app.test_client(), app.test_client()
    world.login(anna, "anna")
    world.login(hanna, "hanna")
    page = anna.get(f"/vip/apply/{customer}")
    assert page.status_code == 200
    body = page.get_data(as_text=True)
    assert "N-1" in body
    assert "12,000.00" in body
    token = re.search(r'name="token"[^>]*value="([^"]+)"', body)
    assert token is not None
    form = {"condition": "single", "token": token.group(1), "reason": ""}
    filed = anna.post(f"/vip/apply/{customer}", data=form)
    assert filed.status_code == 302
    again = anna.post(f"/vip/apply/{customer}", data=form)
    assert again.headers.get("Location", filed.headers["Location"]) == filed.headers["Location"]
    request = db.session.scalars(select(ApprovalRequest).where(ApprovalRequest.kind == "vip.application")).one()
    inbox = hanna.get("/approvals").get_data(as_text=True)
    assert "贵州茅台" in inbox
    shown = hanna.get(f"/approvals/{request.id}").get_data(as_text=True)
    assert "N-1" in shown
    decide(world, "hanna", request.id)
    membership = db.session.scalars(select(VipMembership)).one()
    assert membership.number == f"VIP-{clock.today().year}-000001"
    assert membership.valid_until == services.term_end(clock.today())
    assert anna.get(f"/vip/{membership.id}").status_code == 200
    notices = db.session.scalars(select(Notice).where(Notice.user_id == world.user("anna").id)).all()
    assert any(notice.kind == "vip.membership" for notice in notices)
    record = anna.get(f"/customers/{customer}").get_data(as_text=True)
    assert membership.number in record
    printed = anna.post(f"/vip/{membership.id}/certificate", follow_redirects=True)
    assert printed.status_code == 200
    assert printed.data.startswith(b"%PDF")
    import pikepdf

    with pikepdf.open(io.BytesIO(printed.data)) as pdf:
        assert len(pdf.pages) == 1


def test_evidence_is_found_not_typed(world: World, products: dict[str, int]) -> None:
    buy(world, "anna", "maotai", products["ordinary"], 90, "ORDINARY")
    with pytest.raises(Invalid):
        apply(world, "anna", "maotai", "single")
    buy(world, "anna", "maotai", products["middle"], 11, "MIDDLE")
    request_id = apply(world, "anna", "maotai", "single")
    application = queries.load_application(db.session.get(ApprovalRequest, request_id).payload["application"])  # type: ignore[union-attr]
    assert [item.number for item in application.evidence] == ["MIDDLE"]
    assert application.amount == Decimal("11000.00")


def test_an_exception_needs_a_reason_and_an_executive(world: World) -> None:
    with pytest.raises(Invalid) as refused:
        apply(world, "anna", "maotai", "exception")
    assert [field for field, _message in refused.value.errors] == ["reason"]
    request_id = apply(world, "anna", "maotai", "exception", reason="长期合作")
    decide(world, "hanna", request_id)
    assert queries.live_membership(world.customer_id("maotai")) is None
    decide(world, "boss", request_id)
    assert queries.live_membership(world.customer_id("maotai")) is not None


def test_a_person_of_rank_becomes_the_member(world: World) -> None:
    customer = world.customer_id("maotai")
    with transaction():
        now = clock.now()
        contact = Contact(
            customer_id=customer,
            name="周处",
            name_sort="zhouchu",
            employer_kind="administrative",
            rank="deputy_division",
            created_at=now,
            updated_at=now,
        )
        db.session.add(contact)
        db.session.flush()
        contact_id = contact.id
    decide(world, "hanna", apply(world, "anna", "maotai", "rank", contact_id=contact_id))
    membership = db.session.scalars(select(VipMembership)).one()
    assert membership.contact_id == contact_id
    assert queries.live_membership(customer) is None


def test_strangers_can_neither_apply_nor_see(app: Flask, world: World, products: dict[str, int]) -> None:
    membership = member(world, products)
    with pytest.raises(NotAllowed):
        apply(world, "cara", "maotai", "exception", reason="x")
    client = world.login(app.test_client(), "cara")
    assert client.get(f"/vip/{membership.id}").status_code == 404
    assert membership.number not in client.get("/vip/").get_data(as_text=True)
    assert client.get(f"/vip/apply/{world.customer_id('maotai')}").status_code in {403, 404}
    nora = world.login(app.test_client(), "nora")
    assert nora.get("/vip/").status_code == 403


def test_extra_fields_change_nothing(app: Flask, world: World, products: dict[str, int]) -> None:
    buy(world, "anna", "maotai", products["high"], 12, "N-1")
    client = world.login(app.test_client(), "anna")
    form = {"condition": "single", "token": "t" * 32, "amount": "999999", "level": "diamond", "state": "approved"}
    client.post(f"/vip/apply/{world.customer_id('maotai')}", data=form)
    application = db.session.scalars(select(VipApplication)).one()
    assert application.amount == Decimal("12000.00")
    assert application.level == "silver"
    assert db.session.scalars(select(ApprovalRequest)).one().state == PENDING


def test_two_applications_for_one_customer_are_one_membership(world: World, products: dict[str, int]) -> None:
    buy(world, "anna", "maotai", products["high"], 12, "N-1")
    first = apply(world, "anna", "maotai")
    with pytest.raises((Conflict, Invalid)), transaction():
        services.apply(ApplicationInput(world.customer_id("maotai"), "single", token="another"), world.actor("anna"))
    decide(world, "hanna", first)
    with pytest.raises(Invalid), transaction():
        services.apply(ApplicationInput(world.customer_id("maotai"), "single", token="third"), world.actor("anna"))
    assert len(db.session.scalars(select(VipMembership)).all()) == 1


def test_candidates_are_found_proposed_and_forgotten(world: World, products: dict[str, int]) -> None:
    buy(world, "anna", "maotai", products["high"], 12, "N-1")
    buy(world, "ben", "yanghe", products["middle"], 3, "SMALL")
    assert run(jobs.search_candidates)["customers"] == 1
    candidate = db.session.scalars(select(VipCandidate)).one()
    assert candidate.customer_id == world.customer_id("maotai")
    with transaction():
        request_id = services.propose_candidate(candidate.id, "proposal", world.actor("anna")).id
    decide(world, "hanna", request_id, "reject", "再等等")
    assert db.session.scalars(select(VipCandidate.state)).one() == "open"
    with transaction():
        services.dismiss_candidate(candidate.id, "不合适", world.actor("anna"))
    run(jobs.search_candidates)
    assert db.session.scalars(select(VipCandidate.state)).one() == "dismissed"
    with transaction():
        services.bring_back_candidate(candidate.id, world.actor("anna"))
    with clock.frozen(clock.now() + timedelta(days=400)):
        run(jobs.search_candidates)
    assert db.session.scalars(select(VipCandidate)).all() == []


def test_renewal_is_proposed_once_and_prolongs(world: World, products: dict[str, int]) -> None:
    membership = member(world, products)
    end = membership.valid_until
    with clock.frozen(clock.day_bounds(end - timedelta(days=20))[0] + timedelta(hours=9)):
        buy(world, "anna", "maotai", products["high"], 15, "N-LATER")
        assert run(jobs.review_memberships)["proposed"] == 1
        assert run(jobs.review_memberships)["proposed"] == 0
    request = db.session.scalars(select(ApprovalRequest).where(ApprovalRequest.kind == "vip.renewal")).one()
    assert request.payload["recommended"] is True
    decide(world, "hanna", request.id)
    db.session.refresh(membership)
    assert membership.valid_until > end
    assert membership.state == ACTIVE


def test_a_term_that_ends_lapses_even_without_the_nightly_job(world: World, products: dict[str, int]) -> None:
    membership = member(world, products)
    after = membership.valid_until + timedelta(days=1)
    assert membership.is_valid_on(membership.valid_until)
    assert not membership.is_valid_on(after)
    with clock.frozen(clock.day_bounds(after)[0] + timedelta(hours=9)):
        run(jobs.review_memberships)
    db.session.refresh(membership)
    assert membership.state == LAPSED


def test_suspend_reinstate_withdraw_want_reasons(world: World, products: dict[str, int]) -> None:
    membership = member(world, products)
    hanna = world.actor("hanna")
    with pytest.raises(Invalid), transaction():
        services.suspend(membership, "  ", hanna)
    with transaction():
        services.suspend(membership, "欠款", hanna)
    assert membership.state == SUSPENDED
    with pytest.raises(Conflict), transaction():
        services.suspend(membership, "再来", hanna)
    with transaction():
        services.reinstate(membership, "已付清", hanna)
    with transaction():
        services.withdraw(membership, "违规", hanna)
    kinds = [event.kind for event in queries.history_of(membership.id)]
    assert kinds == ["withdrawn", "reinstated", "suspended", "granted"]


def test_points_follow_purchases_and_never_become_negative(world: World, products: dict[str, int]) -> None:
    membership = member(world, products)
    earned = buy(world, "anna", "maotai", products["middle"], 5, "N-2", days_ago=0)
    db.session.refresh(membership)
    assert membership.points == 5000
    with transaction():
        benefit = ledger.save_benefit(None, "礼盒", "", "silver", 4000, True, world.actor("hanna"))
        benefit_id = benefit.id
    with transaction():
        ledger.redeem(membership, benefit_id, "once", world.actor("anna"))
    with transaction():
        ledger.redeem(membership, benefit_id, "once", world.actor("anna"))
    db.session.refresh(membership)
    assert membership.points == 1000
    with pytest.raises(Invalid), transaction():
        ledger.redeem(membership, benefit_id, "twice", world.actor("anna"))
    with transaction():
        cancel_purchase(earned, "退货", world.actor("anna"))
    db.session.refresh(membership)
    assert membership.points == 0
    balances = db.session.scalars(select(VipPointEntry.balance)).all()
    assert min(balances) >= 0
    total = sum(db.session.scalars(select(VipPointEntry.points)).all())
    assert total == membership.points


def test_the_ledger_cannot_be_rewritten_by_hand(world: World, products: dict[str, int]) -> None:
    membership = member(world, products)
    buy(world, "anna", "maotai", products["middle"], 5, "N-2", days_ago=0)
    for statement in (
        "UPDATE vip_point_entry SET points = 999999",
        "DELETE FROM vip_point_entry",
        "DELETE FROM vip_membership_event",
    ):
        with pytest.raises(DBAPIError), transaction():
            db.session.execute(text(statement))
    with pytest.raises(DBAPIError), transaction():
        db.session.execute(text("UPDATE vip_membership SET points = -1"))
    assert membership.state == ACTIVE


def test_a_benefit_of_a_higher_level_is_refused(world: World, products: dict[str, int]) -> None:
    membership = member(world, products)
    with transaction():
        benefit_id = ledger.save_benefit(None, "参观", "", "diamond", 1, True, world.actor("hanna")).id
    with pytest.raises(Invalid), transaction():
        ledger.redeem(membership, benefit_id, "x", world.actor("anna"))
    assert db.session.scalars(select(VipBenefit)).one().name == "参观"


def test_the_head_does_not_decide_his_own_application(world: World, products: dict[str, int]) -> None:
    buy(world, "hanna", "maotai", products["high"], 12, "N-1")
    request_id = apply(world, "hanna", "maotai")
    with pytest.raises((NotAllowed, Conflict)):
        decide(world, "hanna", request_id)
    decide(world, "hugo", request_id)
    assert queries.live_membership(world.customer_id("maotai")) is not None


def test_pages_of_the_plugin_answer(app: Flask, world: World, products: dict[str, int]) -> None:
    membership = member(world, products)
    run(jobs.search_candidates)
    client: FlaskClient = world.login(app.test_client(), "hanna")
    for path in ("/vip/", "/vip/candidates", "/vip/benefits", "/vip/benefits/new", f"/vip/{membership.id}"):
        assert client.get(path).status_code == 200, path
    assert client.get("/vip/?state=active&level=gold&until_from=0203-01-01&sort=-total").status_code == 200
    refused = client.post("/vip/benefits/new", data={"name": "", "level": "silver", "cost": "-3"})
    assert refused.status_code == 400


def at_day(day: date) -> datetime:
    return clock.day_bounds(day)[0] + timedelta(hours=9)


def renewals() -> list[ApprovalRequest]:
    found = select(ApprovalRequest).where(ApprovalRequest.kind == "vip.renewal", ApprovalRequest.state != "draft")
    return list(db.session.scalars(found.order_by(ApprovalRequest.id)))


def test_without_new_purchases_lapse_is_recommended_and_the_head_decides(
    world: World, products: dict[str, int]
) -> None:
    """A returned renewal is looked at anew by the portal and asked as round 2; a refused one is not asked again."""
    membership = member(world, products)
    end = membership.valid_until
    with clock.frozen(at_day(end - timedelta(days=20))):
        assert run(jobs.review_memberships)["proposed"] == 1
        [first] = renewals()
        assert first.payload["recommended"] is False
        assert "lapse" in str(description_of(first).warning)
        decide(world, "hanna", first.id, "return", "补一份说明")
        assert run(jobs.review_memberships)["proposed"] == 1
        assert run(jobs.review_memberships)["proposed"] == 0
        second = renewals()[-1]
        assert (second.round, second.previous_id) == (2, first.id)
        decide(world, "hanna", second.id, "reject", "不再续期")
        assert run(jobs.review_memberships)["proposed"] == 0
    assert len(db.session.scalars(select(VipApplication)).all()) == 3
    with clock.frozen(at_day(end + timedelta(days=1))):
        assert run(jobs.review_memberships)["lapsed"] == 1
    db.session.refresh(membership)
    assert (membership.state, membership.valid_until) == (LAPSED, end)


def test_a_renewal_nobody_decided_counts_as_refused_and_is_not_asked_every_night(
    world: World, products: dict[str, int]
) -> None:
    membership = member(world, products)
    with clock.frozen(at_day(membership.valid_until - timedelta(days=29))):
        run(jobs.review_memberships)
    applications = len(db.session.scalars(select(VipApplication)).all())
    with clock.frozen(at_day(membership.valid_until - timedelta(days=2))):
        with transaction():
            expire_request(renewals()[0].id)
        assert run(jobs.review_memberships)["proposed"] == 0
    assert len(db.session.scalars(select(VipApplication)).all()) == applications


@pytest.mark.parametrize("nightly", [True, False])
def test_after_its_term_a_suspended_or_forgotten_membership_bars_no_new_one(
    world: World, products: dict[str, int], nightly: bool
) -> None:
    membership = member(world, products)
    if nightly:
        with transaction():
            services.suspend(membership, "欠款", world.actor("hanna"))
    with clock.frozen(at_day(membership.valid_until + timedelta(days=3))):
        if nightly:
            assert run(jobs.review_memberships) == {"proposed": 0, "lapsed": 1, "points": 0}
        buy(world, "anna", "maotai", products["high"], 15, "N-LATER")
        run(jobs.search_candidates)
        assert [row.customer_id for row in db.session.scalars(select(VipCandidate))] == [membership.customer_id]
        with transaction():
            data = ApplicationInput(membership.customer_id, "single", token="anew")
            request_id = services.apply(data, world.actor("anna")).id
        decide(world, "hanna", request_id)
        anew = queries.current_membership(membership.customer_id)
    db.session.refresh(membership)
    assert membership.state == LAPSED
    assert anew is not None
    assert anew.id != membership.id


def test_the_approver_is_told_when_the_evidence_is_gone(world: World, products: dict[str, int]) -> None:
    purchase = buy(world, "anna", "maotai", products["high"], 12, "N-1")
    request = db.session.get(ApprovalRequest, apply(world, "anna", "maotai"))
    assert request is not None
    assert description_of(request).warning == ""
    seen = digest_of(request)
    with transaction():
        cancel_purchase(purchase, "退货", world.actor("anna"))
    assert "cancelled or changed" in str(description_of(request).warning)
    [evidence] = [fact for fact in description_of(request).facts if "N-1" in str(fact.value)]
    assert "cancelled since" in str(evidence.value)
    with pytest.raises(Conflict, match="changed"), transaction():
        decide_request(request.id, world.actor("hanna"), vote="approve", seen_digest=seen)


def test_a_refused_application_filed_again_is_the_next_round(
    app: Flask, world: World, products: dict[str, int]
) -> None:
    """The form looks for the evidence anew; the old vote does not count."""
    buy(world, "anna", "maotai", products["high"], 12, "N-1")
    first = apply(world, "anna", "maotai")
    decide(world, "hanna", first, "reject", "再等等")
    buy(world, "anna", "maotai", products["high"], 13, "N-2")
    anna = world.login(app.test_client(), "anna")
    assert f"/vip/apply/{world.customer_id('maotai')}" in anna.get(f"/approvals/{first}").get_data(as_text=True)
    form = {"condition": "single", "token": "again" * 6, "reason": ""}
    for _click in range(2):
        filed = anna.post(f"/vip/apply/{world.customer_id('maotai')}", data=form)
    request = db.session.scalars(select(ApprovalRequest).where(ApprovalRequest.state == PENDING)).one()
    assert filed.headers["Location"].endswith(f"/approvals/{request.id}")
    assert (request.round, request.previous_id) == (2, first)
    assert [item.number for item in queries.load_application(request.payload["application"]).evidence] == ["N-2"]
    assert queries.current_membership(world.customer_id("maotai")) is None
    decide(world, "hanna", request.id)
    assert queries.current_membership(world.customer_id("maotai")) is not None


def test_a_refused_candidate_can_be_proposed_anew_on_the_same_day(
    app: Flask, world: World, products: dict[str, int]
) -> None:
    """By setting the leader in charge is an executive; who clicks twice proposes once."""
    with transaction():
        settings.put("vip.leader", "executive", None)
    buy(world, "anna", "maotai", products["high"], 12, "N-1")
    run(jobs.search_candidates)
    anna = world.login(app.test_client(), "anna")
    candidate = db.session.scalars(select(VipCandidate.id)).one()
    for end in ("reject", "approve"):
        for _click in range(2):
            anna.post("/vip/candidates/propose", data={"ids": [candidate]})
        request = db.session.scalars(select(ApprovalRequest).where(ApprovalRequest.state == PENDING)).one()
        assert db.session.scalars(select(VipCandidate.state)).one() == "proposed"
        assert [seat.user.login for seat in request.steps[0].seats] == ["boss"]
        decide(world, "boss", request.id, end, "好")
    assert request.round == 2
    assert db.session.scalars(select(VipCandidate)).all() == []
    assert queries.current_membership(world.customer_id("maotai")) is not None


def test_the_vip_list_leaves_as_a_spreadsheet_of_what_one_sees(
    app: Flask, world: World, products: dict[str, int]
) -> None:
    mine, hers = member(world, products), member(world, products, "yanghe", "ben")
    client = world.login(app.test_client(), "anna")
    answer = client.post("/exports/new", data={"listing": "vip.members", "query": "", "format": "xlsx"})
    rows = openpyxl.load_workbook(io.BytesIO(answer.data)).worksheets[0].iter_rows(values_only=True)
    assert [row[0] for row in rows][1:] == [mine.number]
    assert hers.number != mine.number
