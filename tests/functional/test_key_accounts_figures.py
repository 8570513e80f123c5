"""Measures, tiers and the portfolio of key accounts: what follows from purchases and contacts, and who sees it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, func, select, update
from sqlalchemy import text as sql
from sqlalchemy.exc import DBAPIError
from werkzeug.datastructures import MultiDict

from plugins.key_accounts.measures import services as measures
from plugins.key_accounts.measures.models import CustomerMeasure, PortfolioGroup
from plugins.key_accounts.measures.settings import Thresholds
from plugins.key_accounts.overview.documents import make_review
from plugins.key_accounts.portfolio import queries as portfolio
from plugins.key_accounts.portfolio import whatif
from plugins.key_accounts.tiers import queries as tiers
from plugins.key_accounts.tiers import services as deciding
from plugins.key_accounts.tiers.listings import TIER_LIST
from plugins.key_accounts.tiers.models import CustomerTier, TierDecision
from portal.core import clock
from portal.core.errors import Invalid, NotAllowed
from portal.core.transaction import transaction
from portal.customers import services as customers
from portal.customers.inputs import InteractionInput
from portal.customers.merging.services import MergeInput, merge_customers, undo_merge
from portal.customers.models import Customer
from portal.documents.models import READY
from portal.extensions import db
from portal.purchases.services import cancel_purchase
from tests.key_account_story import buy, make_product, measure
from tests.world import World

pytestmark = pytest.mark.db


@pytest.fixture
def product(app: Flask, world: World) -> int:
    """A product that costs 60 and sells for 100."""
    return make_product(world)


def test_a_purchase_a_contact_and_their_cancellation_are_in_the_measures_at_once(
    app: Flask, world: World, product: int
) -> None:
    purchase = buy(world, "maotai", product, 30)
    buy(world, "maotai", product, 10, days_ago=400)
    with transaction():
        data = InteractionInput(
            "visit",
            clock.now() - timedelta(days=1),
            minutes=90,
            cost=Decimal("25.50"),
            result="谈妥",
            colleague_ids=(world.user("ben").id,),
        )
        met = customers.record_interaction(world.customer_id("maotai"), data, world.actor("anna")).id
    found = measure(world, "maotai")
    assert (found.sales, found.goods_cost, found.sales_before) == (Decimal(3000), Decimal(1800), Decimal(1000))
    assert (found.minutes, found.orders, found.growth) == (180, 1, 200)
    # three hours at 150 yuan, and the expenses
    assert found.contact_cost == Decimal("475.50")
    assert found.profit == Decimal("724.50")
    with transaction():
        customers.cancel_interaction(met, "误记", world.actor("anna"))
        cancel_purchase(purchase, "退货", world.actor("boss"))
    found = measure(world, "maotai")
    assert (found.sales, found.contact_cost, found.profit, found.minutes) == (0, 0, 0, 0)


def test_a_merge_adds_the_measures_and_its_undo_parts_them(app: Flask, world: World, product: int) -> None:
    buy(world, "maotai", product, 3)
    buy(world, "wuliang", product, 5)
    kept, merged = world.customer_id("maotai"), world.customer_id("wuliang")
    with transaction():
        merge_id = merge_customers(MergeInput(kept, merged), world.actor("hanna")).id
    assert measure(world, "maotai").sales == 800
    assert db.session.get(CustomerMeasure, merged) is None
    _groups_are_true()
    with transaction():
        undo_merge(merge_id, world.actor("hanna"))
    assert (measure(world, "maotai").sales, measure(world, "wuliang").sales) == (300, 500)
    _groups_are_true()


def _groups_are_true() -> None:
    """The sums that triggers keep are those of the measures."""
    group, row = PortfolioGroup, CustomerMeasure
    kept = {
        tuple(item)
        for item in db.session.execute(
            select(
                group.department_id,
                group.manager_key,
                group.status,
                group.tier,
                group.proposal,
                group.customers,
                group.sales,
                group.goods_cost,
                group.contact_cost,
                group.profit,
                group.minutes,
            ).where(group.customers != 0)
        )
    }
    key = (
        Customer.department_id,
        func.coalesce(Customer.account_manager_id, 0),
        Customer.status,
        row.tier,
        row.proposal,
    )
    sums = (row.sales, row.goods_cost, row.contact_cost, row.profit, row.minutes)
    wanted = {
        (*item[:10], int(item[10]))
        for item in db.session.execute(
            select(*key, func.count(), *(func.sum(column) for column in sums))
            .join(row, row.customer_id == Customer.id)
            .group_by(*key)
        )
    }
    assert kept == wanted
    assert wanted


def test_the_sums_follow_a_change_of_the_account_manager_and_every_new_customer(
    app: Flask, world: World, product: int
) -> None:
    buy(world, "maotai", product, 3)
    _groups_are_true()
    with transaction():
        customer = db.session.get_one(Customer, world.customer_id("maotai"))
        customer.account_manager_id, customer.department_id = world.user("cara").id, world.department("two").id
    _groups_are_true()
    mine = portfolio.portfolio(world.actor("cara"), portfolio.DECIDED)
    assert (mine.total.customers, mine.total.sales) == (2, Decimal(300))
    assert portfolio.portfolio(world.actor("anna"), portfolio.DECIDED).total.sales == 0


def test_everybody_gets_the_totals_of_the_customers_he_sees(app: Flask, world: World, product: int) -> None:
    for key, quantity in (("maotai", 1), ("yanghe", 2), ("fenjiu", 4), ("orphan", 8)):
        buy(world, key, product, quantity)
    sales = {
        login: portfolio.portfolio(world.actor(login), portfolio.DECIDED).total.sales
        for login in ("anna", "ben", "hanna", "hector", "boss")
    }
    assert sales == {"anna": 100, "ben": 200, "hanna": 300, "hector": 1200, "boss": 1500}


def test_ranks_classes_and_proposals_treat_equal_sales_alike(app: Flask, world: World, product: int) -> None:
    for key, quantity in (("maotai", 50), ("wuliang", 50), ("yanghe", 5), ("fenjiu", 1)):
        buy(world, key, product, quantity)
    with transaction():
        measures.rank_all()
    found = {key: measure(world, key) for key in ("maotai", "wuliang", "yanghe", "fenjiu", "luzhou")}
    assert [found[key].rank for key in found] == [1, 1, 3, 4, None]
    assert [found[key].abc for key in found] == ["A", "A", "B", "C", ""]
    # One of four is key by the share of 4 %, rounded up; both that share the rank bought in one year alone.
    assert [found[key].proposal for key in found] == ["important", "important", "ordinary", "ordinary", "ordinary"]
    assert found["luzhou"].cumulated is None


def test_one_customer_with_everything_is_class_a_and_key_when_he_buys_every_year(
    app: Flask, world: World, product: int
) -> None:
    buy(world, "maotai", product, 50)
    buy(world, "maotai", product, 50, days_ago=400)
    with transaction():
        measures.rank_all()
    found = measure(world, "maotai")
    assert (found.abc, found.cumulated, found.proposal, found.repeat_years) == ("A", 10000, "key", 2)


def test_a_loss_lowers_the_proposal(app: Flask, world: World, product: int) -> None:
    buy(world, "maotai", product, 50)
    buy(world, "maotai", product, 50, days_ago=400)
    with transaction():
        data = InteractionInput("event", clock.now(), minutes=600, cost=Decimal("9000"), result="年会")
        customers.record_interaction(world.customer_id("maotai"), data, world.actor("anna"))
    with transaction():
        measures.rank_all()
    found = measure(world, "maotai")
    assert found.profit < 0
    assert found.proposal == "important"


def test_the_full_computation_gives_what_the_small_ones_gave(app: Flask, world: World, product: int) -> None:
    for key, quantity in (("maotai", 50), ("yanghe", 5), ("fenjiu", 1)):
        buy(world, key, product, quantity)
    before = {
        row.customer_id: (row.sales, row.profit, row.orders) for row in db.session.scalars(select(CustomerMeasure))
    }
    assert measures.work_to_do() == "all"
    measures.recompute_all()
    after = {
        row.customer_id: (row.sales, row.profit, row.orders) for row in db.session.scalars(select(CustomerMeasure))
    }
    assert before == after
    _groups_are_true()
    state = tiers.state()
    assert state is not None
    assert (state.buyers, state.sales) == (3, Decimal(5600))
    assert measure(world, "maotai").rank == 1


def _all_sums() -> dict[int, tuple[Decimal, Decimal, int]]:
    rows = db.session.scalars(select(CustomerMeasure))
    return {row.customer_id: (row.sales, row.profit, row.orders) for row in rows}


def test_a_head_accepts_and_declines_and_the_history_keeps_both(
    app: Flask, world: World, client: FlaskClient, product: int
) -> None:
    buy(world, "maotai", product, 50)
    buy(world, "maotai", product, 50, days_ago=400)
    buy(world, "wuliang", product, 1)
    measures.recompute_all()
    maotai, wuliang = world.customer_id("maotai"), world.customer_id("wuliang")
    hanna = world.actor("hanna")
    with transaction():
        outcome = deciding.decide(deciding.TierInput([maotai, wuliang], "proposed"), hanna)
    assert (outcome.decided, outcome.unchanged) == (2, 0)
    assert tiers.tier_of([maotai, wuliang]) == {maotai: "key", wuliang: "ordinary"}
    assert measure(world, "maotai").tier == "key"
    with transaction():
        deciding.decide(deciding.TierInput([wuliang], "important", "有潜力"), hanna)
    with pytest.raises(Invalid):
        deciding.decide(deciding.TierInput([wuliang], "present"), hanna)
    with transaction():
        deciding.decide(deciding.TierInput([wuliang], "present", "再观察一季"), hanna)
    kinds = [(row.to_tier, row.answer) for row in tiers.history_of(wuliang)]
    assert kinds == [("important", "declined"), ("important", "by_hand"), ("ordinary", "accepted")]
    _groups_are_true()


def test_a_tier_changed_by_somebody_else_meanwhile_is_left_alone(app: Flask, world: World) -> None:
    maotai = world.customer_id("maotai")
    with transaction():
        deciding.decide(deciding.TierInput([maotai], "important", "重点培育"), world.actor("boss"))
    with transaction():
        outcome = deciding.decide(
            deciding.TierInput([maotai], "key", "应为关键", seen={maotai: ""}), world.actor("hanna")
        )
    assert (outcome.decided, outcome.changed) == (0, ("贵州茅台",))
    assert tiers.tier_of([maotai]) == {maotai: "important"}


def test_nobody_decides_on_customers_of_others(app: Flask, world: World) -> None:
    maotai = world.customer_id("maotai")
    with pytest.raises(NotAllowed):
        deciding.decide(deciding.TierInput([maotai], "key", "重要"), world.actor("anna"))
    with transaction():
        outcome = deciding.decide(deciding.TierInput([maotai], "key", "重要"), world.actor("hector"))
    assert (outcome.decided, outcome.foreign) == (0, 1)
    assert db.session.scalar(select(func.count()).select_from(CustomerTier)) == 0


def test_a_strategic_role_lifts_an_ordinary_customer(app: Flask, world: World) -> None:
    maotai = world.customer_id("maotai")
    with transaction():
        deciding.set_roles(maotai, deciding.RolesInput(frozenset({"role_reputation"})), world.actor("anna"))
        measures.rank_all()
    assert measure(world, "maotai").proposal == "important"
    assert tiers.tier_of([maotai]) == {}


def test_decisions_cannot_be_changed_by_anybody(app: Flask, world: World) -> None:
    with transaction():
        deciding.decide(deciding.TierInput([world.customer_id("maotai")], "key", "重要"), world.actor("boss"))
    statement = update(TierDecision).values(reason="改过的理由")
    with pytest.raises(DBAPIError, match="append-only"), transaction():
        db.session.execute(statement)


def test_hours_moved_change_sales_by_the_response_and_cost_by_the_hours() -> None:
    sums = portfolio.TierSums
    before = portfolio.Portfolio(
        (
            sums("key", 4, Decimal(6400), Decimal(3000), Decimal(100), Decimal(3300), 60),
            sums("important", 16, Decimal(1600), Decimal(800), Decimal(300), Decimal(500), 180),
            sums("ordinary", 80, Decimal(2000), Decimal(1000), Decimal(600), Decimal(400), 360),
        ),
        0,
    )
    assert whatif.present_points(before) == {"key": 10, "important": 30, "ordinary": 60}
    assumption = whatif.Assumption(
        {"key": 20, "important": 30, "ordinary": 30}, {"key": 30, "important": 20, "ordinary": 10}
    )
    effect = whatif.effect_of(before, assumption)
    assert assumption.freed == 20
    assert effect.freed_hours == 2
    assert [item.sales_after for item in effect.tiers] == [Decimal(8320), Decimal(1600), Decimal(1900)]
    # key: margin 3400 × 1.3 − 200; ordinary: margin 1000 × 0.95 − 300
    assert [item.profit_after for item in effect.tiers] == [Decimal(4220), Decimal(500), Decimal(650)]
    by, again, same = whatif.from_json(whatif.to_json("decided", before, assumption))
    assert (by, again.tiers, same) == ("decided", before.tiers, assumption)


def test_the_list_of_tiers_is_read_in_its_order_and_shows_whom_its_reader_sees(
    app: Flask, world: World, product: int
) -> None:
    for key, quantity in (("maotai", 5), ("yanghe", 50), ("fenjiu", 500)):
        buy(world, key, product, quantity)
    rows = {}
    for login in ("boss", "hugo", "hanna", "anna", "cara"):
        statement = TIER_LIST.statement(world.actor(login), MultiDict())
        rows[login] = [row.id for row in db.session.execute(statement)]
        if db.engine.dialect.name == "sqlite" and login == "hanna":
            text = statement.compile(db.engine, compile_kwargs={"literal_binds": True})
            plan = [row[3] for row in db.session.execute(sql(f"EXPLAIN QUERY PLAN {text}"))]
            assert not [line for line in plan if "ORDER BY" in line], plan
    ids = {key: world.customer_id(key) for key in ("maotai", "wuliang", "yanghe", "fenjiu", "luzhou")}
    assert rows["hanna"] == [ids["yanghe"], ids["maotai"], ids["wuliang"]]
    assert rows["anna"] == [ids["maotai"], ids["wuliang"]]
    assert rows["cara"] == [ids["fenjiu"]]
    assert rows["boss"][:3] == rows["hugo"][:3] == [ids["fenjiu"], ids["yanghe"], ids["maotai"]]
    assert (tiers.sees_many(world.actor("hanna")), tiers.sees_many(world.actor("anna"))) == (True, False)


PAGES = (
    "/key-accounts/",
    "/key-accounts/?by=proposed",
    "/key-accounts/what-if",
    "/key-accounts/what-if?start=reference",
    "/key-accounts/what-if?points_key=x&response_key=900",
    "/key-accounts/tiers",
    "/key-accounts/tiers?scene=decide&cols=customer,roles,manager,proposal",
    "/key-accounts/priorities",
    "/key-accounts/accounts",
    "/key-accounts/accounts?scene=ill",
    "/key-accounts/customer-plan",
    "/key-accounts/policies",
    "/key-accounts/due",
    "/key-accounts/satisfaction?grade=4",
    "/key-accounts/customers/{id}",
    "/key-accounts/customers/{id}/scorecards",
    "/key-accounts/customers/{id}/scorecards/selection",
    "/key-accounts/customers/{id}/policy",
    "/key-accounts/customers/{id}/whitespace",
    "/key-accounts/customers/{id}/drivers?price=5&volume=-10",
    "/key-accounts/customers/{id}/satisfaction",
    "/customers/?cols=name,tier&tier=key",
)


def test_every_page_opens_with_figures_and_with_none_and_asks_few_statements(
    app: Flask, world: World, client: FlaskClient, product: int
) -> None:
    world.login(client, "hanna")
    statements: list[str] = []

    def note(_c: object, _cursor: object, text: str, *_more: object) -> None:
        if text.lstrip().upper().startswith(("SELECT", "WITH")):
            statements.append(text)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        for filled in (False, True):
            if filled:
                for key, quantity in (("maotai", 50), ("yanghe", 5), ("wuliang", 1)):
                    buy(world, key, product, quantity)
                measures.recompute_all()
                with transaction():
                    ids = [world.customer_id(key) for key in ("maotai", "yanghe", "wuliang")]
                    deciding.decide(deciding.TierInput(ids, "key", "重要"), world.actor("hanna"))
            for page in PAGES:
                path = page.format(id=world.customer_id("maotai"))
                db.session.remove()
                statements.clear()
                answer = client.get(path)
                assert answer.status_code == 200, (path, answer.status_code)
                assert len(statements) <= 15, (path, [text[:160] for text in statements])
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def test_the_review_pack_and_the_portfolio_are_printed(
    app: Flask, world: World, client: FlaskClient, product: int
) -> None:
    buy(world, "maotai", product, 50)
    measures.recompute_all()
    with app.test_request_context():
        customer = db.session.get_one(Customer, world.customer_id("maotai"))
        document = make_review(customer, world.actor("anna"))
        assert document.state == READY
    world.login(client, "anna")
    token = _token(client, "/key-accounts/")
    answer = client.post("/key-accounts/portfolio/pdf", data={"csrf_token": token})
    assert answer.status_code == 302, answer.text


def _token(client: FlaskClient, path: str) -> str:
    return client.get(path).text.split('name="csrf_token" value="')[1].split('"')[0]


def test_the_limits_round_up() -> None:
    limits = Thresholds()
    assert [limits.key_limit(n) for n in (0, 1, 25, 26)] == [0, 1, 1, 2]
    assert limits.important_limit(26) == 6
