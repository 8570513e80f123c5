"""The pages of requests: inbox, detail, decision, batch, and everything around them, as people use them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask, render_template_string
from flask.testing import FlaskClient
from sqlalchemy import event, select

from portal.approvals import queries, services
from portal.approvals.models import ApprovalDecision, ApprovalOpinion, ApprovalRequest
from portal.audit.models import AuditEntry
from portal.core import settings
from portal.core.transaction import transaction
from portal.extensions import db
from tests.approvals_kinds import EXECUTIVE, HEAD, digest, install, person, state, step, submit, vote
from tests.world import World


@pytest.fixture(autouse=True)
def _kinds(app: Flask) -> None:
    install(app)


def hidden(page: str, name: str) -> str:
    """Value of a hidden field."""
    tag = next(tag for tag in re.findall(r"<input[^>]*>", page) if f'name="{name}"' in tag)
    return re.search(r'value="([^"]*)"', tag).group(1)  # type: ignore[union-attr]


def decide(client: FlaskClient, request_id: int, choice: str, opinion: str = "", **more: Any) -> Any:
    """Open the confirmation page and send it."""
    page = client.get(f"/approvals/{request_id}/decide?vote={choice}")
    assert page.status_code == 200, page.status_code
    fields = {"vote": choice, "digest": hidden(page.text, "digest"), "seat_of": hidden(page.text, "seat_of")}
    return client.post(f"/approvals/{request_id}/decide", data={**fields, "opinion": opinion, **more})


def test_from_the_inbox_to_the_decision_and_on_to_the_next(world: World, client: FlaskClient) -> None:
    first, second = submit(world.actor("anna")), submit(world.actor("anna"))
    world.login(client, "hanna")
    inbox = client.get("/approvals")
    assert inbox.status_code == 200
    assert inbox.text.count("/approvals/") >= 2
    assert world.user("anna").name in inbox.text
    page = client.get(f"/approvals/{first}")
    for word in ("Approve", "Reject", "Return", "Hand on", "Add a signer"):
        assert word in page.text
    answer = decide(client, first, "approve", "fine")
    assert answer.status_code == 302
    assert answer.location.endswith(f"/approvals/{second}")
    assert state(first) == "approved"
    answer = decide(client, second, "approve")
    assert answer.location.endswith("/approvals")
    assert "Nothing waits for you" in client.get("/approvals").text


def test_the_confirmation_repeats_what_whom_and_how_much(world: World, client: FlaskClient) -> None:
    request_id = submit(world.actor("anna"), copies=3)
    world.login(client, "hanna")
    page = client.get(f"/approvals/{request_id}/decide?vote=approve").text
    found = db.session.get_one(ApprovalRequest, request_id)
    for word in (found.title, world.user("anna").name, "Copies", ">3<", "Decision possible until", found.number):
        assert word in page


def test_get_never_decides(world: World, client: FlaskClient) -> None:
    request_id = submit(world.actor("anna"), kind="test.low")
    world.login(client, "hanna")
    seen = digest(request_id)
    for path in (
        f"decide?vote=approve&digest={seen}",
        f"decide?vote=reject&opinion=x&digest={seen}",
        "withdraw?reason=x",
        "transfer?user=1&reason=x",
        "reassign",
        "resubmit?token=x",
    ):
        client.get(f"/approvals/{request_id}/{path}")
    client.get(f"/approvals/batch?ids={request_id}&item={request_id}:{seen}")
    assert client.get(f"/approvals/{request_id}/remind").status_code in (404, 405)
    assert state(request_id) == "pending"
    assert db.session.scalars(select(ApprovalDecision)).all() == []


def test_an_opinion_is_required_to_refuse(world: World, client: FlaskClient) -> None:
    request_id = submit(world.actor("anna"))
    world.login(client, "hanna")
    answer = decide(client, request_id, "reject")
    assert answer.status_code == 200
    assert "an opinion is needed" in answer.text
    assert state(request_id) == "pending"
    assert decide(client, request_id, "reject", "too much").status_code == 302
    assert state(request_id) == "rejected"


def test_a_decided_request_shows_a_calm_page_with_who_and_when(world: World, client: FlaskClient) -> None:
    people = [person(world.user(login).id) for login in ("hugo", "hector")]
    request_id = submit(world.actor("anna"), step(*people, mode="any"))
    world.login(client, "hector")
    page = client.get(f"/approvals/{request_id}/decide?vote=approve")
    fields = {"vote": "approve", "digest": hidden(page.text, "digest"), "seat_of": ""}
    vote(request_id, world.actor("hugo"))
    answer = client.post(f"/approvals/{request_id}/decide", data=fields)
    assert answer.status_code == 409
    assert world.user("hugo").name in answer.text
    assert "approved this request on" in answer.text
    refused = select(AuditEntry).where(AuditEntry.action == "approvals:request:attempt")
    assert len(db.session.scalars(refused).all()) == 1


def test_a_changed_request_is_shown_again(world: World, client: FlaskClient) -> None:
    request_id = submit(world.actor("anna"))
    world.login(client, "hanna")
    page = client.get(f"/approvals/{request_id}/decide?vote=approve")
    with transaction():
        world.department("one").name = "renamed"
    fields = {"vote": "approve", "digest": hidden(page.text, "digest"), "seat_of": "", "opinion": "my words"}
    answer = client.post(f"/approvals/{request_id}/decide", data=fields)
    assert answer.status_code == 409
    assert "renamed" in answer.text
    assert "my words" in answer.text
    fresh = {**fields, "digest": hidden(answer.text, "digest")}
    assert client.post(f"/approvals/{request_id}/decide", data=fresh).status_code == 302
    assert state(request_id) == "approved"


def test_further_fields_change_nothing(world: World, client: FlaskClient) -> None:
    request_id = submit(world.actor("anna"))
    world.login(client, "hanna")
    decide(client, request_id, "reject", "no", state="approved", outcome="approved", by_id="1", applicant_id="2")
    found = db.session.scalars(select(ApprovalDecision)).one()
    assert (found.outcome, found.by_id) == ("rejected", world.user("hanna").id)


def test_strangers_do_not_learn_that_a_request_exists(world: World, client: FlaskClient) -> None:
    request_id = submit(world.actor("anna"))
    world.login(client, "carl")
    for path in ("", "/decide?vote=approve", "/print", "/withdraw", "/transfer", "/copy"):
        assert client.get(f"/approvals/{request_id}{path}").status_code == 404
    assert client.post(f"/approvals/{request_id}/remind").status_code == 404
    assert client.get(f"/approvals/{request_id}/reassign").status_code == 403


def test_auditors_and_administrators_see_the_status_only(world: World, client: FlaskClient) -> None:
    request_id = submit(world.actor("anna"), copies=77)
    for login in ("audrey", "admin"):
        world.login(client, login)
        page = client.get(f"/approvals/{request_id}")
        assert page.status_code == 200
        assert db.session.get_one(ApprovalRequest, request_id).title not in page.text
        assert ">77<" not in page.text
        assert world.user("hanna").name in page.text
        assert "vote=approve" not in page.text


def test_less_is_granted_through_the_form(world: World, client: FlaskClient) -> None:
    request_id = submit(world.actor("anna"), kind="test.copies", copies=3)
    world.login(client, "hanna")
    answer = decide(client, request_id, "approve", copies="9")
    assert answer.status_code == 200
    assert "not more than what was asked" in answer.text
    assert decide(client, request_id, "approve", copies="2").status_code == 302
    assert db.session.get_one(ApprovalRequest, request_id).conditions == {"copies": 2}


def test_hand_on_add_ask_answer_and_copy(world: World, client: FlaskClient) -> None:
    request_id = submit(world.actor("anna"))
    world.login(client, "hanna")
    base = f"/approvals/{request_id}"
    olga, edda, nora = (world.user(login) for login in ("olga", "edda", "nora"))
    # Without script only the text arrives: a log-in name, or a name that is unique.
    data = {"user": "", "user_text": "olga", "reason": "is it good?"}
    assert client.post(f"{base}/ask", data=data).status_code == 302
    assert client.post(f"{base}/copy", data={"user": str(nora.id), "user_text": nora.name}).status_code == 302
    data = {"user": str(edda.id), "user_text": edda.name, "reason": "signs too"}
    assert client.post(f"{base}/sign", data=data).status_code == 302
    wrong = client.post(f"{base}/transfer", data={"user_text": "anna", "reason": "x"})
    assert wrong.status_code == 200
    assert "Never to the applicant" in wrong.text
    data = {"user_text": "hector", "reason": "on leave"}
    assert client.post(f"{base}/transfer", data=data).status_code == 302
    world.login(client, "olga")
    assert "is it good?" in client.get("/approvals").text
    assert client.post(f"{base}/opinion", data={"answer": "very good"}).status_code == 302
    assert db.session.scalars(select(ApprovalOpinion.answer)).one() == "very good"
    world.login(client, "hector")
    page = client.get(base).text
    assert "very good" in page
    assert olga.name in page
    found = client.get(f"{base}/colleagues?q=").json
    assert world.user("anna").id not in {item["value"] for item in found}
    assert found
    decide(client, request_id, "approve")
    world.login(client, "edda")
    decide(client, request_id, "approve")
    assert state(request_id) == "approved"


def test_the_applicant_follows_reminds_withdraws_and_files_again(world: World, client: FlaskClient) -> None:
    request_id = submit(world.actor("anna"))
    world.login(client, "anna")
    page = client.get(f"/approvals/{request_id}").text
    assert world.user("hanna").name in page
    assert "since" in page
    assert "vote=approve" not in page
    assert client.post(f"/approvals/{request_id}/remind").status_code == 302
    client.post(f"/approvals/{request_id}/remind")
    assert "You reminded them already" in client.get(f"/approvals/{request_id}").text
    assert "without a decision" in client.get(f"/approvals/{request_id}/withdraw").text
    client.post(f"/approvals/{request_id}/withdraw", data={"reason": "changed my mind"})
    assert state(request_id) == "withdrawn"
    form = client.get(f"/approvals/{request_id}/resubmit").text
    data = {"token": hidden(form, "token")}
    answers = [client.post(f"/approvals/{request_id}/resubmit", data=data) for _click in range(2)]
    assert len({answer.location for answer in answers}) == 1
    following = db.session.scalars(select(ApprovalRequest).where(ApprovalRequest.previous_id == request_id)).one()
    assert (following.round, following.state) == (2, "pending")
    assert "round 1" in client.get(f"/approvals/{following.id}").text


def test_a_delegate_is_shown_for_whom_he_decides(world: World, client: FlaskClient) -> None:
    from tests.functional.test_approvals_engine import delegate

    delegate(world, "hanna", "hector")
    request_id = submit(world.actor("anna"))
    world.login(client, "hector")
    assert f"You decide for {world.user('hanna').name}" in client.get(f"/approvals/{request_id}").text
    confirmation = client.get(f"/approvals/{request_id}/decide?vote=approve").text
    assert "You decide for" in confirmation
    assert "Decision possible until" in confirmation
    assert decide(client, request_id, "approve").status_code == 302
    page = client.get(f"/approvals/{request_id}").text
    assert f"{world.user('hector').name} for {world.user('hanna').name}" in page


def test_several_at_once(world: World, client: FlaskClient) -> None:
    low = [submit(world.actor("anna"), kind="test.low") for _number in range(3)]
    plain = submit(world.actor("anna"))
    world.login(client, "hanna")
    assert client.get("/approvals").text.count('name="ids"') == 3
    ids = "&".join(f"ids={request_id}" for request_id in (*low, plain))
    page = client.get(f"/approvals/batch?{ids}").text
    items = re.findall(r'name="item" value="([^"]+)"', page)
    assert len(items) == 3
    assert "left out" in page
    with transaction():
        services.withdraw(low[0], world.actor("anna"))
    result = client.post("/approvals/batch", data={"item": items}).text
    assert "2 of 3 approved" in result
    assert "withdrew this request" in result
    assert [state(request_id) for request_id in low] == ["withdrawn", "approved", "approved"]
    assert client.post("/approvals/batch", data={"item": [f"{plain}:{digest(plain)}"]}).status_code == 200
    assert state(plain) == "pending"


def test_an_administrator_assigns_a_held_request(world: World, client: FlaskClient) -> None:
    with transaction() as session:
        for department in session.scalars(select(type(world.department("one")))):
            department.head_id = department.deputy_id = None
        settings.put("approvals.fallback_role", "", None)
    request_id = submit(world.actor("anna"))
    world.login(client, "admin")
    assert f"/approvals/{request_id}" in client.get("/approvals/held").text
    data = {"from_user": "", "user_text": "olga", "reason": "nobody else"}
    assert client.post(f"/approvals/{request_id}/reassign", data=data).status_code == 302
    world.login(client, "olga")
    decide(client, request_id, "approve")
    assert state(request_id) == "approved"


def test_the_print_view_and_the_other_tabs(world: World, client: FlaskClient) -> None:
    request_id = submit(world.actor("anna"), step(HEAD, key="one"), step(EXECUTIVE, key="two"))
    vote(request_id, world.actor("hanna"), opinion="good reasons")
    with transaction():
        services.copy_to(request_id, world.actor("hanna"), user_ids=[world.user("nora").id])
    world.login(client, "hanna")
    assert "good reasons" in client.get(f"/approvals/{request_id}/print").text
    assert "Request" in client.get("/approvals?tab=done").text
    world.login(client, "anna")
    assert world.user("boss").name in client.get("/approvals?tab=mine").text
    world.login(client, "nora")
    copied = client.get("/approvals?tab=copied").text
    assert db.session.get_one(ApprovalRequest, request_id).title not in copied
    assert client.get(f"/approvals/{request_id}").status_code == 200
    for path in ("?tab=nonsense", "?after=x&before=y", "?after=2026-01-01T00:00:00+00:00~1", "?department=x"):
        assert client.get(f"/approvals{path}").status_code == 200


def _statements(action: Any) -> list[str]:
    """SQL statements of an action."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        action()
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return seen


def _ours(statements: list[str]) -> list[str]:
    """Those about requests; other boxes of the home page have their own tests."""
    return [statement for statement in statements if "approval_" in statement]


def test_statements_do_not_grow_with_the_rows(world: World, client: FlaskClient) -> None:
    world.login(client, "hanna")
    for _number in range(2):
        submit(world.actor("anna"))
    client.get("/approvals")
    client.get("/")
    few = _statements(lambda: client.get("/approvals"))
    home = _statements(lambda: client.get("/"))
    for _number in range(8):
        submit(world.actor("anna"))
    # What is kept while nothing changes (portal.core.transaction) is asked again after the writing above.
    client.get("/approvals")
    assert len(_statements(lambda: client.get("/approvals"))) == len(few)
    assert len(_ours(_statements(lambda: client.get("/")))) == len(_ours(home))
    hanna = world.actor("hanna")
    assert len(_statements(lambda: queries.inbox_count(hanna))) == 1


def test_the_history_macro_for_other_pages(world: World, app: Flask) -> None:
    request_id = submit(world.actor("anna"), subject_id=77)
    rows = queries.history("test", 77)
    source = '{% import "macros/approvals.html" as approvals with context %}{{ approvals.history(rows) }}'
    with app.test_request_context():
        html = render_template_string(source, rows=rows)
    assert f"/approvals/{request_id}" in html
    assert "Waiting for a decision" in html
    assert world.user("hanna").name in html
    assert queries.history("test", 78) == []
