"""Queries that very many names answer: one's own customers are found among them, however many there are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import event

from portal.core.text import sort_key
from portal.core.transaction import transaction
from portal.customers import search as searching
from portal.customers.models import Customer
from portal.customers.search_index import rebuild_all
from portal.extensions import db
from tests.world import CREATED, World

pytestmark = pytest.mark.db


@pytest.fixture
def crowd(world: World) -> Iterator[None]:
    """150 strangers' names that come before the one of Anna's."""
    department = world.department("one").id
    names = [("ben", f"华山{number:03}") for number in range(150)] + [("anna", "华山顶")]
    with transaction() as session:
        for login, name in names:
            session.add(
                Customer(
                    party="organisation",
                    kind="end_user",
                    name=name,
                    name_sort=sort_key(name),
                    account_manager_id=world.user(login).id,
                    department_id=department,
                    stage_changed_at=CREATED,
                    created_at=CREATED,
                    updated_at=CREATED,
                )
            )
        session.flush()
        rebuild_all()
    yield
    searching._first_terms.cache_clear()
    searching._terms_of_visible.cache_clear()


@pytest.mark.parametrize("bound", [1000, 10])
def test_own_customers_are_not_cut_off(world: World, crowd: None, bound: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether few enough terms answer to follow each of them, or too many."""
    monkeypatch.setattr(searching, "CROWD", bound)
    searching._terms_of_visible.cache_clear()
    statements: list[str] = []
    engine = db.engine
    event.listen(engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    hits = searching.search(world.actor("anna"), "华山", limit=20)
    assert "华山顶" in [hit.name for hit in hits if hit.visible]
    assert len(hits) == 20
    followed = [text for text in statements if "customer_term" in text]
    assert len(followed) == (2 if bound == 1000 else 3)
