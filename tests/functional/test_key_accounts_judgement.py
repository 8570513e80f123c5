"""Scorecards, breaches, policies, satisfaction, expected loss, health; the pages that put accounts together."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient

from plugins.key_accounts.measures import services as measures
from plugins.key_accounts.measures.settings import hour_rate
from plugins.key_accounts.opportunities.targets import set_targets
from plugins.key_accounts.overview import queries as overview
from plugins.key_accounts.overview.company_plan import company_plan
from plugins.key_accounts.plans.services import create_plan
from plugins.key_accounts.policies import queries as policies
from plugins.key_accounts.policies import services as promising
from plugins.key_accounts.policies.services import BuyingInput, EmphasisInput, PolicyInput, PropositionInput
from plugins.key_accounts.satisfaction import health
from plugins.key_accounts.satisfaction import queries as satisfaction
from plugins.key_accounts.satisfaction import services as asking
from plugins.key_accounts.satisfaction.models import AccountHealth
from plugins.key_accounts.satisfaction.services import GradeInput
from plugins.key_accounts.satisfaction.settings import loss_rates
from plugins.key_accounts.scorecards import queries as cards
from plugins.key_accounts.scorecards import services as scoring
from plugins.key_accounts.scorecards.models import DIVERSION
from plugins.key_accounts.scorecards.services import Answer, ScorecardInput, ViolationInput
from plugins.key_accounts.tiers import services as deciding
from portal.core import clock
from portal.core.errors import Conflict, Invalid, NotAllowed, NotFound
from portal.core.transaction import transaction
from portal.customers.inputs import ContactInput, InteractionInput
from portal.customers.services import add_contact, record_interaction
from portal.extensions import db
from tests.key_account_story import buy, make_product
from tests.world import World

pytestmark = pytest.mark.db


def decide(world: World, tier: str, *keys: str) -> None:
    """Customers of a tier, by decision of the executive."""
    with transaction():
        ids = [world.customer_id(key) for key in keys]
        deciding.decide(deciding.TierInput(ids, tier, "年度评定"), world.actor("boss"))


def person(world: World, name: str, customer: str = "maotai") -> int:
    """A contact of a customer."""
    with transaction():
        return int(add_contact(world.customer_id(customer), ContactInput(name), world.actor("boss")).id)


def test_a_scorecard_grades_what_figures_know_and_asks_why_for_the_rest(
    app: Flask, client: FlaskClient, world: World
) -> None:
    product = make_product(world)
    buy(world, "maotai", product, 60)
    buy(world, "maotai", product, 50, days_ago=400)
    measures.recompute_all()
    maotai, anna = world.customer_id("maotai"), world.actor("anna")
    with pytest.raises(Invalid, match="why"), transaction():
        scoring.save_scorecard(maotai, ScorecardInput("qualification", {"suits": Answer(5, " ")}), anna)
    with pytest.raises(Invalid), transaction():
        scoring.save_scorecard(maotai, ScorecardInput("selection", {"power": Answer(6, "x")}), anna)
    with pytest.raises(NotFound), transaction():
        scoring.save_scorecard(maotai, ScorecardInput("other"), anna)
    with transaction():
        first = scoring.save_scorecard(maotai, ScorecardInput("selection", {"price": Answer(4, "看重交期")}), anna)
        found = {answer.criterion: (answer.source, answer.grade) for answer in first.answers}
    # 40 % margin, bought in two years, 20 % more than the year before; nothing is paid, so payment is not graded.
    assert found == {
        "power": ("data", 5),
        "high_profit": ("data", 5),
        "profitable": ("data", 5),
        "price": ("judgement", 4),
        "cheap": ("data", 5),
        "loyal": ("data", 3),
        "growth": ("data", 4),
    }
    assert (first.score, first.verdict) == (89, "open")
    world.login(client, "anna")
    path = f"/key-accounts/customers/{maotai}/scorecards"
    words = {"grade_suits": "5", "note_suits": "产品对路", "grade_central": "4", "note_central": "集团统采"}
    answer = client.post(f"{path}/qualification", data={**words, "grade_strategic": "4", "note_strategic": "国家项目"})
    assert answer.status_code == 302
    latest = cards.latest(maotai)
    assert (latest["qualification"].verdict, latest["selection"].verdict) == ("qualified", "open")
    assert client.post(f"{path}/qualification", data={**words, "note_suits": ""}).status_code == 400
    with transaction():
        scoring.save_scorecard(maotai, ScorecardInput("qualification", {"suits": Answer(1, "改用别家配方")}), anna)
    assert [row.verdict for row in cards.versions(maotai, "qualification")] == ["not_qualified", "qualified"]
    page = client.get(path).text
    assert page.count("<svg") >= 2
    assert "看重交期" in page
    with pytest.raises(NotAllowed), transaction():
        scoring.save_scorecard(maotai, ScorecardInput("risk"), world.actor("cara"))


def test_breaches_of_market_order_are_kept_settled_once_and_lower_the_health(
    app: Flask, client: FlaskClient, world: World
) -> None:
    decide(world, "key", "maotai")
    maotai, anna = world.customer_id("maotai"), world.actor("anna")
    today = clock.today()
    for wrong in (
        ViolationInput("other", today, "x"),
        ViolationInput(DIVERSION, today + timedelta(days=1), "x"),
        ViolationInput(DIVERSION, None, "x"),
        ViolationInput(DIVERSION, today, " "),
    ):
        with pytest.raises(Invalid), transaction():
            scoring.record_violation(maotai, wrong, anna)
    world.login(client, "anna")
    data = {"kind": DIVERSION, "happened_on": today.isoformat(), "description": "向邻省低价供货"}
    assert client.post(f"/key-accounts/customers/{maotai}/violations", data=data).status_code == 302
    (row,) = cards.violations_of(maotai)
    assert db.session.get_one(AccountHealth, maotai).risk == 85
    with transaction():
        scoring.settle_violation(cards.violation(row.id, anna), "书面警告，收回返利", anna)
    with pytest.raises(Conflict), transaction():
        scoring.settle_violation(cards.violation(row.id, anna), "再来一次", anna)
    db.session.expire_all()
    assert db.session.get_one(AccountHealth, maotai).risk is None
    assert "收回返利" in client.get(f"/key-accounts/customers/{maotai}/scorecards").text
    with pytest.raises(NotFound):
        cards.violation(row.id, world.actor("cara"))


def test_the_most_specific_policy_in_force_holds_and_says_what_is_due(
    app: Flask, client: FlaskClient, world: World
) -> None:
    today, boss = clock.today(), world.actor("boss")
    begin = today - timedelta(days=30)
    with pytest.raises(NotAllowed), transaction():
        promising.save_policy(None, PolicyInput("x", begin), world.actor("anna"))
    wrong = PolicyInput(" ", today, "other", "x", begin, 0, 2000, Decimal("-1"), discount=101)
    with pytest.raises(Invalid) as refused, transaction():
        promising.save_policy(None, wrong, boss)
    named = {field for field, _text in refused.value.errors}
    assert named == {"name", "valid_until", "tier", "kind", "visit_days", "contact_days", "credit_limit", "discount"}
    with transaction():
        promising.save_policy(None, PolicyInput("全体", begin, contact_days=90, visit_days=180), boss)
        promising.save_policy(None, PolicyInput("旧政策", begin, "key", "", today - timedelta(days=1), 1, 1), boss)
        promising.save_policy(None, PolicyInput("将来", today + timedelta(days=1), "key", "", None, 2, 2), boss)
        texts = {"stock": "三个月安全库存"}
        kept = promising.save_policy(None, PolicyInput("关键客户", begin, "key", contact_days=7, texts=texts), boss)
        policy_id, seen = kept.id, kept.version
    decide(world, "key", "maotai", "wuliang")
    with transaction():
        data = InteractionInput("visit", clock.now() - timedelta(days=5), minutes=60, result="拜访")
        record_interaction(world.customer_id("maotai"), data, world.actor("anna"))
    rules = policies.in_force(today)
    assert [row.name for row in policies.applying(rules, "key", "end_user")] == ["关键客户", "全体"]
    assert [row.name for row in policies.applying(rules, "", "end_user")] == ["全体"]
    due = {row.name: (row.due.visit_on, row.due.contact_on) for row in policies.due_list(world.actor("anna"))}
    # The visiting standard comes from the policy for all; who was never contacted is due today.
    assert due == {
        "贵州茅台": (today + timedelta(days=175), today + timedelta(days=2)),
        "五粮液": (today, today),
    }
    assert policies.due_list(world.actor("cara")) == []
    world.login(client, "anna")
    page = client.get(f"/key-accounts/customers/{world.customer_id('maotai')}/policy").text
    assert "三个月安全库存" in page
    assert "旧政策" not in page
    with transaction():
        promising.save_policy(policy_id, PolicyInput("关键客户", begin, "key", contact_days=14, version=seen), boss)
    with pytest.raises(Conflict), transaction():
        promising.save_policy(policy_id, PolicyInput("关键客户", begin, "key", contact_days=21, version=seen), boss)


def test_the_promise_of_a_segment_and_what_a_customer_buys_by_stand_on_his_page(
    app: Flask, client: FlaskClient, world: World
) -> None:
    maotai, anna, today = world.customer_id("maotai"), world.actor("anna"), clock.today()
    with transaction():
        for name, begin, price in (("旧承诺", today - timedelta(days=99), "标准价"), ("新承诺", today, "标准价两倍")):
            data = PropositionInput(name, "technical", begin, None, price, {"advantages": f"{name}的优势"})
            promising.save_proposition(None, data, world.actor("boss"))
    twice = (EmphasisInput("price", 1), EmphasisInput("price", 2))
    for wrong in (BuyingInput("other"), BuyingInput("", twice), BuyingInput("", (EmphasisInput("price", 9),))):
        with pytest.raises(Invalid), transaction():
            promising.set_buying(maotai, wrong, anna)
    emphases = (EmphasisInput("timeliness", 2, True), EmphasisInput("quality", 1, False, "要批次报告"))
    with transaction():
        promising.set_buying(maotai, BuyingInput("technical", emphases), anna)
    assert [(row.factor, row.is_met) for row in policies.emphases_of(maotai)] == [
        ("quality", False),
        ("timeliness", True),
    ]
    world.login(client, "anna")
    page = client.get(f"/key-accounts/customers/{maotai}/policy").text
    assert "新承诺的优势" in page
    assert "旧承诺的优势" not in page
    assert "要批次报告" in page
    with transaction():
        promising.set_buying(maotai, BuyingInput(), anna)
    assert (policies.emphases_of(maotai), promising.segment_of(maotai)) == ([], "")


def test_expected_loss_follows_the_lowest_latest_grade_of_the_contacts(
    app: Flask, client: FlaskClient, world: World
) -> None:
    product = make_product(world)
    for key, quantity in (("maotai", 100), ("wuliang", 10), ("yanghe", 30), ("fenjiu", 70)):
        buy(world, key, product, quantity)
    today = clock.today()
    one, two = person(world, "钱总"), person(world, "周工")
    said = (
        ("maotai", 1, 40, one),
        ("maotai", 4, 1, one),
        ("maotai", 2, 20, two),
        ("maotai", 5, 3, None),
        ("wuliang", 5, 3, None),
        ("yanghe", 4, 3, None),
        ("fenjiu", 1, 3, None),
    )
    with transaction():
        for key, grade, days, contact in said:
            data = GradeInput(today - timedelta(days=days), "after", grade, contact)
            asking.record_grade(world.customer_id(key), data, world.actor("boss"))
        mistake = asking.record_grade(world.customer_id("wuliang"), GradeInput(today, "after", 1), world.actor("anna"))
        asking.cancel_grade(mistake, world.actor("anna"))
    lines = {line.grade: line for line in satisfaction.expected_loss(world.actor("hanna"), loss_rates())}
    # By hand: 10,000 × 40 %; 3,000 × 10 %; 1,000 × 1.5 %. fenjiu is another department's.
    assert {grade: (line.customers, line.lost_customers, line.lost_sales) for grade, line in lines.items()} == {
        1: (0, Decimal("0.00"), Decimal("0.00")),
        2: (1, Decimal("0.40"), Decimal("4000.00")),
        3: (0, Decimal("0.00"), Decimal("0.00")),
        4: (1, Decimal("0.10"), Decimal("300.00")),
        5: (1, Decimal("0.02"), Decimal("15.00")),
    }
    every = satisfaction.expected_loss(world.actor("boss"), loss_rates())
    assert sum(line.lost_sales for line in every) == Decimal("9915.00")
    assert [row.name for row in satisfaction.customers_with(world.actor("hanna"), 2)] == ["贵州茅台"]
    world.login(client, "hanna")
    page = client.get("/key-accounts/satisfaction?grade=2").text
    assert "4,315.00" in page
    assert "山西汾酒" not in client.get("/key-accounts/satisfaction?grade=1").text
    for wrong in (
        GradeInput(today, "after", 6),
        GradeInput(today, "later", 3),
        GradeInput(today + timedelta(days=1), "after", 3),
        GradeInput(None, "after", 3),
        GradeInput(today, "after", 3, person(world, "别家的人", "fenjiu")),
    ):
        with pytest.raises(Invalid), transaction():
            asking.record_grade(world.customer_id("maotai"), wrong, world.actor("anna"))
    assert client.post(f"/key-accounts/satisfaction/{mistake.id + 99}/cancel").status_code == 404


def test_the_health_is_the_weighted_mean_of_parts_that_are_shown(app: Flask, client: FlaskClient, world: World) -> None:
    product = make_product(world)
    buy(world, "maotai", product, 110)
    buy(world, "maotai", product, 100, days_ago=400)
    maotai, anna, today = world.customer_id("maotai"), world.actor("anna"), clock.today()
    with transaction():
        data = InteractionInput("phone", clock.now() - timedelta(days=60), minutes=10, result="电话")
        record_interaction(maotai, data, anna)
    assert db.session.get(AccountHealth, maotai) is None
    decide(world, "key", "maotai")
    with transaction():
        asking.record_grade(maotai, GradeInput(today, "during", 4), anna)
        scoring.save_scorecard(maotai, ScorecardInput("risk", {"demands": Answer(5, "账期越要越长")}), anna)
    kept = db.session.get_one(AccountHealth, maotai)
    # 60 days where 30 are fresh: half of the way to 90; +10 % of sales; no plan.
    assert (kept.freshness, kept.satisfaction, kept.trend, kept.plan) == (50, 75, 80, None)
    assert kept.risk is not None
    weighed = (25 * 50 + 20 * 75 + 25 * 80 + 15 * kept.risk) / 85
    assert abs(Decimal(kept.score or 0) - Decimal(weighed)) <= Decimal("0.5")
    world.login(client, "anna")
    page = client.get(f"/key-accounts/customers/{maotai}/satisfaction").text
    assert f"{kept.score} of 100" in page
    for part in (kept.freshness, kept.satisfaction, kept.trend, kept.risk):
        assert f">{part}</progress>" in page
    decide(world, "ordinary", "maotai")
    assert db.session.get(AccountHealth, maotai, populate_existing=True) is None
    assert health.present(maotai, "ordinary", today).score is not None


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (health.freshness_part(None, 30), 0),
        (health.freshness_part(30, 30), 100),
        (health.freshness_part(60, 30), 50),
        (health.freshness_part(400, 30), 0),
        (health.satisfaction_part([]), None),
        (health.satisfaction_part([1, 5, 5]), 67),
        (health.trend_part(None), None),
        (health.trend_part(-40), 0),
        (health.trend_part(50), 100),
        (health.plan_part(0, 0, 0), None),
        (health.plan_part(0, 4, 0), 50),
        (health.plan_part(3, 4, 1), 65),
        (health.risk_part(None, 0), None),
        (health.risk_part(20, 2), 50),
        (health.risk_part(90, 3), 0),
        (health.score_of({"a": None}, {"a": 10}), None),
        (health.score_of({"a": 80, "b": None, "c": 20}, {"a": 3, "b": 9, "c": 1}), 65),
        (health.score_of({"a": 80}, {"a": 0}), None),
    ],
)
def test_parts_of_the_health(found: int | None, wanted: int | None) -> None:
    assert found == wanted


def test_the_executive_page_sums_what_its_reader_sees_and_leads_on(
    app: Flask, client: FlaskClient, world: World
) -> None:
    product = make_product(world)
    for key, quantity in (("maotai", 50), ("yanghe", 20), ("fenjiu", 5)):
        buy(world, key, product, quantity)
    measures.recompute_all()
    decide(world, "key", "maotai", "fenjiu")
    decide(world, "important", "yanghe")
    found = {login: overview.summary(world.actor(login)) for login in ("boss", "hanna", "anna", "carl")}
    assert {login: (item.key, item.important, item.sales, item.profit) for login, item in found.items()} == {
        "boss": (2, 1, Decimal(7500), Decimal(3000)),
        "hanna": (1, 1, Decimal(7000), Decimal(2800)),
        "anna": (1, 0, Decimal(5000), Decimal(2000)),
        "carl": (0, 0, Decimal(0), Decimal(0)),
    }
    page = world.login(client, "boss").get("/key-accounts/accounts").text
    assert "All customers of the company" in page
    for key, name in (("maotai", "贵州茅台"), ("yanghe", "洋河股份"), ("fenjiu", "山西汾酒")):
        assert name in page
        assert f"/key-accounts/customers/{world.customer_id(key)}" in page
    page = world.login(client, "hanna").get("/key-accounts/accounts").text
    assert "Only the customers that 韩娜 may see" in page
    assert "山西汾酒" not in page


def test_the_customer_plan_of_the_company_shows_its_four_steps(app: Flask, client: FlaskClient, world: World) -> None:
    product, today, boss = make_product(world), clock.today(), world.actor("boss")
    for key, quantity in (("maotai", 50), ("wuliang", 2), ("fenjiu", 5)):
        buy(world, key, product, quantity, days_ago=0)
    decide(world, "key", "maotai", "fenjiu")
    decide(world, "ordinary", "wuliang")
    anna = world.actor("anna")
    with transaction():
        promising.save_policy(None, PolicyInput("关键客户政策", today, "key"), boss)
        proposition = PropositionInput("技术承诺", "technical", today, None, "标准价两倍", {"advantages": "驻厂工程师"})
        promising.save_proposition(None, proposition, boss)
        promising.set_buying(world.customer_id("maotai"), BuyingInput("technical"), anna)
        set_targets(world.user("anna").id, today.year, {"": Decimal("20800")}, world.actor("hanna"))
        create_plan(world.customer_id("maotai"), "", today.year, 1, anna)
        data = InteractionInput("phone", clock.now(), minutes=120, result="谈年度计划")
        record_interaction(world.customer_id("maotai"), data, anna)
    found = company_plan(world.actor("hanna"))
    assert {group.tier: [row.name for row in group.policies] for group in found.groups} == {
        "key": ["关键客户政策"],
        "important": [],
        "ordinary": [],
    }
    assert (found.goals.target, found.goals.sold, found.planned) == (Decimal(20800), Decimal(5200), (1, 1))
    assert [(item.segment, item.customers, item.proposition is None) for item in found.segments] == [
        ("technical", 1, False),
        ("responsive", 0, True),
        ("standard", 0, True),
    ]
    seller = next(item for item in found.sellers if item.name == "安娜")
    assert (seller.customers, seller.sums.sales, seller.reached) == ({"key": 1, "ordinary": 1}, Decimal(5200), 25)
    assert seller.is_mixed
    # 40 % of 5,200 less two hours of contact at the rate of the setting, by two hours.
    assert seller.profit_per_hour == (Decimal(2080) - 2 * hour_rate()) / 2
    assert "柯兰" not in [item.name for item in found.sellers]
    assert company_plan(boss).planned == (1, 2)
    page = world.login(client, "hanna").get("/key-accounts/customer-plan").text
    for words in (
        "关键客户政策",
        "驻厂工程师",
        "nothing is promised",
        "no policy",
        "key and ordinary customers in one hand",
    ):
        assert words in page
    assert world.login(client, "carl").get("/key-accounts/customer-plan").status_code == 200
