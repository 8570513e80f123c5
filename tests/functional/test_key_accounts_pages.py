"""Stories through pages of key accounts: tiers asked for and decided, texts saved while they are written, the menu."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from plugins.key_accounts.measures import services as measures
from plugins.key_accounts.plans import queries as plan_queries
from plugins.key_accounts.plans import services as plans
from plugins.key_accounts.team.services import MemberInput, add_member
from plugins.key_accounts.tiers import queries as tiers
from plugins.key_accounts.tiers import services as deciding
from plugins.key_accounts.tiers.models import TierDecision
from portal.approvals.models import ApprovalRequest
from portal.approvals.queries import digest_of
from portal.approvals.services import decide
from portal.audit.models import AuditEntry
from portal.core import clock
from portal.core.transaction import transaction
from portal.extensions import db
from tests.world import World

pytestmark = pytest.mark.db


def test_a_tier_is_asked_for_and_the_head_decides(app: Flask, world: World) -> None:
    maotai = world.customer_id("maotai")
    page = f"/key-accounts/customers/{maotai}"
    anna = world.login(app.test_client(), "anna")
    form = anna.get(page).text
    token = re.search(r'name="token"[^>]*value="([^"]+)"', form)
    assert token is not None
    wish = {"tier": "key", "reason": "三年框架合同", "token": token.group(1)}
    for _twice in range(2):
        anna.post(f"{page}/tier/ask", data=wish)
    request = db.session.scalars(select(ApprovalRequest)).one()
    assert f"/approvals/{request.id}" in anna.get(page).text
    assert "tier/ask" not in anna.get(page).text
    assert tiers.tier_of([maotai]) == {}
    assert world.login(app.test_client(), "cara").post(f"{page}/tier/ask", data=wish).status_code == 403

    hanna = world.login(app.test_client(), "hanna")
    assert "三年框架合同" in hanna.get(f"/approvals/{request.id}").text
    shown = digest_of(request)
    with transaction():
        decide(request.id, world.actor("hanna"), vote="approve", opinion="", seen_digest=shown)
    assert tiers.tier_of([maotai]) == {maotai: "key"}
    [kept] = tiers.history_of(maotai)
    assert (kept.by_id, kept.reason, kept.to_tier) == (world.user("hanna").id, "三年框架合同", "key")
    anna.post(f"{page}/tier/ask", data={"tier": "key", "reason": "再来", "token": "x" * 20})
    assert db.session.scalar(select(func.count()).select_from(ApprovalRequest)) == 1, "he has this tier already"

    # Decided by hand meanwhile: the request falls away, nothing is overwritten.
    anna.post(f"{page}/tier/ask", data={"tier": "ordinary", "reason": "停产", "token": "y" * 20})
    with transaction():
        deciding.decide(deciding.TierInput([maotai], "important", "先观察"), world.actor("boss"))
    states = list(db.session.scalars(select(ApprovalRequest.state).order_by(ApprovalRequest.id)))
    assert states == ["approved", "cancelled"]
    assert tiers.tier_of([maotai]) == {maotai: "important"}


def test_several_tiers_are_decided_and_one_changed_meanwhile_is_left_alone(app: Flask, world: World) -> None:
    measures.recompute_all()
    ids = [world.customer_id("maotai"), world.customer_id("wuliang")]
    hanna = world.login(app.test_client(), "hanna")
    shown = hanna.post("/key-accounts/tiers/decide", data={"ids": [str(key) for key in ids]}).text
    seen = re.search(r'name="seen" value="([^"]*)"', shown)
    assert seen is not None
    assert len(re.findall(r'type="hidden"', shown.split("<form", 1)[1])) <= 12
    with transaction():
        deciding.decide(deciding.TierInput(ids[:1], "key", "另有原因"), world.actor("boss"))
    answer = hanna.post(
        "/key-accounts/tiers/decide",
        data={"seen": seen.group(1), "tier": "important", "reason": "统一调整"},
        follow_redirects=True,
    )
    assert answer.status_code == 200
    assert tiers.tier_of(ids) == {ids[0]: "key", ids[1]: "important"}
    assert db.session.scalar(select(func.count()).select_from(TierDecision)) == 2


def test_a_section_is_saved_while_written_and_never_over_another(app: Flask, world: World) -> None:
    with transaction():
        plan = plans.create_plan(world.customer_id("maotai"), "计划", clock.today().year, 1, world.actor("anna")).id
    page = f"/key-accounts/plans/{plan}/sections/priorities"
    anna, hanna = (world.login(app.test_client(), login) for login in ("anna", "hanna"))
    before = plan_queries.sections_of(plan)
    version = before["priorities"].version if "priorities" in before else 0
    entries = func.count(AuditEntry.seq)
    trail = select(entries).where(AuditEntry.action == "key_accounts:plan:section")

    def write(text: str, seen: int) -> tuple[int, dict[str, object]]:
        answer = anna.post(page, data={"body": text, "version": str(seen), "do": "autosave"})
        return answer.status_code, answer.get_json()

    status, found = write("第一", version)
    assert status == 200
    status, found = write("第一句", int(str(found["version"])))
    assert status == 200
    assert plan_queries.sections_of(plan)["priorities"].body == "第一句"
    assert db.session.scalar(trail) == 1, "a text being written is one entry of the trail"

    assert hanna.post(page, data={"body": "部门意见", "version": str(found["version"])}).status_code == 302
    status, refused = write("第一句和第二句", int(str(found["version"])))
    assert status == 409
    assert "problem" in refused
    assert plan_queries.sections_of(plan)["priorities"].body == "部门意见"
    conflict = anna.post(page, data={"body": "第一句和第二句", "version": str(found["version"])})
    assert conflict.status_code == 409
    assert "部门意见" in conflict.text
    assert "第一句和第二句" in conflict.text

    present = plan_queries.sections_of(plan)["priorities"].version
    with clock.frozen(clock.now() + timedelta(minutes=11)):
        assert write("合并后的文字", present)[0] == 200
    assert db.session.scalar(trail) == 3


def test_the_menu_shows_where_one_is(app: Flask, world: World) -> None:
    client = world.login(app.test_client(), "hanna")
    maotai = world.customer_id("maotai")
    for path, wanted in (
        (f"/key-accounts/customers/{maotai}", "/customers/"),
        (f"/key-accounts/customers/{maotai}/care", "/customers/"),
        ("/key-accounts/", "/key-accounts/"),
        ("/key-accounts/what-if", "/key-accounts/"),
        ("/key-accounts/priorities", "/key-accounts/tiers"),
        ("/key-accounts/meetings", "/key-accounts/calendar"),
        ("/key-accounts/policies/new", "/key-accounts/policies"),
        ("/key-accounts/opportunities/board", "/key-accounts/opportunities"),
    ):
        page = client.get(path).text
        menu = page[page.index('id="sidebar"') :]
        active = re.findall(r'<a[^>]*aria-current="page"[^>]*>', menu[: menu.index("</nav>")])
        assert [re.search(r'href="([^"]+)"', link).group(1) for link in active] == [wanted], path  # type: ignore[union-attr]


def test_a_member_without_the_permission_is_shown_only_pages_that_open(app: Flask, world: World) -> None:
    maotai = world.customer_id("maotai")
    with transaction():
        today = clock.today()
        data = MemberInput(world.user("nora").id, "technical", today, today + timedelta(days=60), "试制")
        add_member(maotai, data, world.actor("anna"))
    client = world.login(app.test_client(), "nora")
    record = client.get(f"/customers/{maotai}").text
    [tab] = set(re.findall(rf'href="(/key-accounts/customers/{maotai}/[a-z]+)"', record))
    links = set(re.findall(rf'href="(/key-accounts/customers/{maotai}[^"?]*)"', client.get(tab).text))
    assert {f"{tab.rsplit('/', 1)[0]}/plan", f"{tab.rsplit('/', 1)[0]}/care"} <= links
    assert f"/key-accounts/customers/{maotai}/drivers" not in links
    assert {link: client.get(link).status_code for link in links} == dict.fromkeys(links, 200)
