"""People, departments, leaving: stories of an administrator and of everybody."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from portal.audit.models import AuditEntry
from portal.auth.models import AuthSession
from portal.core.errors import Conflict, Invalid, NotAllowed
from portal.core.transaction import transaction
from portal.extensions import db
from portal.org import queries, services
from portal.org.models import ADMINISTRATOR, AUDITOR, Delegation, Department, User
from portal.org.services import DepartmentInput, LeavingInput, PersonInput
from tests.world import World


def last_entry() -> AuditEntry:
    db.session.rollback()
    entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.seq.desc())).first()
    assert entry is not None
    return entry


def person_form(world: World, login: str, **changes: Any) -> dict[str, Any]:
    """What the browser would send for a person."""
    user = world.user(login)
    form: dict[str, Any] = {
        "name": user.name,
        "login": user.login,
        "department_id": str(user.department_id),
        "title": user.title,
        "email": user.email,
        "phone": user.phone,
        "person_key": user.person_key,
        "supervisor_id": "",
        "supervisor_id_text": "",
        "roles": [role.role for role in user.roles],
        "version": str(user.version),
    }
    return {**form, **changes}


# ---- people --------------------------------------------------------------------------------------------------------


def test_person_is_added_and_can_be_found_by_pinyin(client: FlaskClient, world: World) -> None:
    world.login(client, "admin")
    form = {
        "name": "单雄信",
        "login": "Shan.X",
        "department_id": str(world.department("one").id),
        "roles": ["account_manager", "auditor"],
        "email": "shan@example.com",
        "phone": "021 5555-1234",
        "supervisor_id_text": "hugo",
    }
    answer = client.post("/admin/people/new", data=form)
    user = world.user("shan.x")
    assert answer.headers["Location"] == f"/admin/people/{user.id}/account"
    assert {role.role for role in user.roles} == {"account_manager", "auditor"}
    assert user.supervisor_id == world.user("hugo").id, "found by the log-in name typed without script"
    for typed in ("单雄", "shanxiongxin", "shan xiong", "sxx", "shan.x", "5555-12"):
        found = client.get("/staff/pick", query_string={"q": typed}).get_json()
        assert [item["value"] for item in found] == [str(user.id)], typed
        assert "单雄信" in client.get("/staff", query_string={"q": typed}).text, typed
    assert "单雄信" not in client.get("/staff", query_string={"q": "100%"}).text


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"login": "anna"}, "login", "taken"),
        ({"login": "a b"}, "login", "letters"),
        ({"login": "安娜"}, "login", "letters"),
        ({"name": ""}, "name", "filled in"),
        ({"name": "\u202e\u200b"}, "name", "filled in"),
        ({"name": "x" * 100_000}, "name", "100"),
        ({"department_id": ""}, "department_id", "Choose a department"),
        ({"department_id": "99999999"}, "department_id", "Choose a department"),
        ({"email": "no-address"}, "email", "e-mail"),
        ({"email": "a@b.c\r\nBcc: x@y.z"}, "email", "e-mail"),
        ({"phone": "call me"}, "phone", "digits"),
        ({"supervisor_id_text": "Niemand"}, "supervisor_id", "Nobody"),
        ({"roles": ["emperor"]}, "roles", "list"),
    ],
)
def test_bad_fields_are_answered_beside_the_field(
    client: FlaskClient, world: World, changes: dict[str, Any], field: str, words: str
) -> None:
    world.login(client, "admin")
    form = {"name": "新人", "login": "newcomer", "department_id": str(world.department("one").id), **changes}
    answer = client.post("/admin/people/new", data=form)
    assert answer.status_code == 400
    error = re.search(rf'id="{field}-error"[^>]*>(.*?)</p>', answer.text, re.S)
    assert error, field
    assert words in error.group(1)
    assert "新人" in answer.text or "name" in changes, "what was typed is still there"
    assert db.session.scalar(select(func.count()).select_from(User).where(User.login == "newcomer")) == 0


def test_roles_follow_the_form_and_extra_fields_nothing(client: FlaskClient, world: World) -> None:
    world.login(client, "admin")
    nora = world.user("nora")
    form = person_form(world, "nora", roles=[AUDITOR], is_active="", person_id="1", id="1", created_at="2000-01-01")
    assert client.post(f"/admin/people/{nora.id}/edit", data=form).status_code == 302
    db.session.rollback()
    after = world.user("nora")
    assert [role.role for role in after.roles] == [AUDITOR]
    assert (after.id, after.is_active, after.version) == (nora.id, True, 2)
    assert after.created_at.year == 2026
    entry = last_entry()
    assert entry.action == "org:person:edit"
    assert json.loads(entry.new_values or "{}") == {"roles": [AUDITOR]}


def test_posting_roles_to_ones_own_profile_changes_nothing(client: FlaskClient, world: World) -> None:
    world.login(client, "anna")
    form = {"phone": "021-1234 5678", "email": "a@example.com", "theme": "dark", "language": "en",
            "roles": [ADMINISTRATOR], "department_id": "1", "login": "root", "name": "Root"}  # fmt: skip
    assert client.post("/account", data=form).status_code == 302
    db.session.rollback()
    anna = world.user("anna")
    assert (anna.phone, anna.theme, anna.language, anna.name) == ("021-1234 5678", "dark", "en", "安娜")
    assert [role.role for role in anna.roles] == ["account_manager"]
    assert anna.department_id == world.department("one").id


@pytest.mark.parametrize(("field", "value"), [("theme", "pink"), ("language", "xx"), ("email", "x"), ("phone", "x")])
def test_bad_profile(client: FlaskClient, world: World, field: str, value: str) -> None:
    world.login(client, "anna")
    answer = client.post("/account", data={"theme": "auto", "language": "", field: value})
    assert answer.status_code == 400
    assert f'id="{field}' in answer.text


def test_second_editor_sees_both_versions_and_chooses(client: FlaskClient, world: World) -> None:
    world.login(client, "admin")
    nora = world.user("nora").id
    mine, theirs = person_form(world, "nora", title="Mine"), person_form(world, "nora", title="Theirs")
    assert client.post(f"/admin/people/{nora}/edit", data=theirs).status_code == 302
    conflict = client.post(f"/admin/people/{nora}/edit", data=mine)
    assert conflict.status_code == 409
    assert "Mine" in conflict.text
    assert "Theirs" in conflict.text
    assert queries.person_line(nora).title == "Theirs"
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', conflict.text)
    again: dict[str, Any] = {}
    for name, value in fields:
        again.setdefault(name, []).append(value)
    assert client.post(f"/admin/people/{nora}/edit", data=again).status_code == 302
    assert queries.person_line(nora).title == "Mine"


def test_nobody_is_his_own_superior(world: World) -> None:
    admin = world.actor("admin")
    anna, ben = world.user("anna"), world.user("ben")

    def put(user: User, above: User) -> None:
        data = services.person_input(user)
        with transaction():
            services.edit_person(user.id, PersonInput(**{**vars(data), "supervisor_id": above.id}), user.version, admin)

    put(anna, ben)
    for user, above in ((ben, anna), (anna, anna)):
        with pytest.raises(Invalid) as refused:
            put(user, above)
        assert refused.value.errors[0][0] == "supervisor_id"
        db.session.rollback()


def test_superior_defaults_to_the_nearest_head(world: World) -> None:
    assert queries.supervisor_of(world.user("anna").id) == world.user("hanna").id
    assert queries.supervisor_of(world.user("hanna").id) == world.user("hugo").id
    assert queries.supervisor_of(world.user("boss").id) is None
    with transaction():
        db.session.execute(update(User).where(User.login == "hanna").values(is_active=False))
    assert queries.supervisor_of(world.user("anna").id) == world.user("hugo").id


def test_the_last_administrator_stays(world: World) -> None:
    admin = world.user("admin")
    data = PersonInput(**{**vars(services.person_input(admin)), "roles": ()})
    with pytest.raises(Invalid), transaction():
        services.edit_person(admin.id, data, admin.version, world.actor("admin"))


def test_only_administrators_change_people(world: World) -> None:
    for login in ("boss", "hanna", "audrey", "nora"):
        with pytest.raises(NotAllowed), transaction():
            services.create_department(DepartmentInput("X", "X"), world.actor(login))


# ---- departments ---------------------------------------------------------------------------------------------------


def test_moving_a_department_takes_everything_below_along(world: World) -> None:
    admin = world.actor("admin")
    sales, office = world.department("sales"), world.department("office")
    data = services.department_input(sales)
    with transaction():
        services.edit_department(
            sales.id, DepartmentInput(data.name, data.code, office.id, data.head_id, None), sales.version, admin
        )
    db.session.rollback()
    company, sales, one = world.department("company"), world.department("sales"), world.department("one")
    assert sales.path == f"/{company.id}/{office.id}/{sales.id}/"
    assert one.path == f"{sales.path}{one.id}/"
    assert one.id in world.actor("olga").oversees
    assert one.id in world.actor("hugo").oversees


def test_no_department_below_itself(client: FlaskClient, world: World) -> None:
    world.login(client, "admin")
    company, one = world.department("company"), world.department("one")
    form = {"name": company.name, "code": "COMPANY2", "parent_id": str(one.id), "version": str(company.version)}
    answer = client.post(f"/admin/departments/{company.id}", data=form)
    assert answer.status_code == 400
    assert "below itself" in answer.text
    assert world.department("company").path == f"/{company.id}/"


def test_every_path_ends_in_its_own_id_after_random_moves(world: World) -> None:
    import random

    chance, admin = random.Random(7), world.actor("admin")
    for _move in range(40):
        moved, target = (chance.choice(("sales", "one", "two", "archive", "office", "company")) for _ in range(2))
        department, parent = world.department(moved), world.department(target)
        data = DepartmentInput(department.name, department.code, parent.id, department.head_id, department.deputy_id)
        try:
            with transaction():
                services.edit_department(department.id, data, department.version, admin)
        except Invalid:
            pass
        db.session.rollback()
        by_id = {row.id: row for row in db.session.scalars(select(Department))}
        for row in by_id.values():
            above = by_id[row.parent_id].path if row.parent_id else "/"
            assert row.path == f"{above}{row.id}/"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"code": ""}, "code"),
        ({"code": "ONE "}, "code"),
        ({"code": " new-1 "}, None),
        ({"code": "a/b"}, "code"),
        ({"name": ""}, "name"),
        ({"parent_id": "99999"}, "parent_id"),
        ({"head_id": "99999", "head_id_text": "x"}, "head_id"),
        ({"head_id_text": "anna", "deputy_id_text": "anna"}, "deputy_id"),
    ],
)
def test_bad_departments(client: FlaskClient, world: World, changes: dict[str, str], field: str | None) -> None:
    world.login(client, "admin")
    answer = client.post("/admin/departments/new", data={"name": "新部门", "code": "NEW", **changes})
    if field is None:
        assert answer.status_code == 302
        return
    assert answer.status_code == 400
    assert f'id="{field}-error"' in answer.text


def test_closing_needs_an_empty_department(client: FlaskClient, world: World) -> None:
    world.login(client, "admin")
    one = world.department("one").id
    client.post(f"/admin/departments/{one}/close")
    assert "still work here" in client.get(f"/admin/departments/{one}").text
    assert queries.department(one).is_active
    client.post("/admin/departments/new", data={"name": "Leer", "code": "EMPTY", "parent_id": str(one)})
    empty = world.department("EMPTY").id
    client.post(f"/admin/departments/{empty}/close")
    db.session.rollback()
    assert not queries.department(empty).is_active
    assert (
        client.post("/admin/people/new", data={"name": "x", "login": "xx", "department_id": str(empty)}).status_code
        == 400
    )
    client.post(f"/admin/departments/{empty}/reopen")
    db.session.rollback()
    assert queries.department(empty).is_active


def head_over(department_id: int) -> int | None:
    """The nearest active head, from a department upwards (R-ORG-3)."""
    return next((link.head_id for link in queries.approver_chain(department_id) if link.head_id is not None), None)


def test_without_a_head_the_department_above_decides(world: World) -> None:
    one, hugo = world.department("one"), world.user("hugo")
    assert head_over(one.id) == world.user("hanna").id
    with transaction():
        db.session.execute(update(Department).where(Department.id == one.id).values(head_id=None))
    assert head_over(one.id) == hugo.id
    with transaction():
        db.session.execute(update(User).where(User.id == hugo.id).values(is_active=False))
    chain = queries.approver_chain(one.id)
    assert [link.head_id for link in chain] == [None, None, world.user("boss").id]
    assert chain[0].deputy_id == world.user("dora").id
    assert head_over(one.id) == world.user("boss").id


# ---- leaving -------------------------------------------------------------------------------------------------------


def test_leaving_in_one_step(app: Flask, client: FlaskClient, world: World) -> None:
    hanna, ben = world.user("hanna"), world.user("ben")
    other = app.test_client()
    world.login(other, "hanna")
    with transaction() as session:
        session.add(
            Delegation(
                delegator_id=hanna.id,
                delegate_id=ben.id,
                begins_at=hanna.created_at,
                ends_at=hanna.created_at.replace(year=2099),
                created_at=hanna.created_at,
                created_by_id=hanna.id,
            )
        )
    world.login(client, "admin")
    path = f"/admin/people/{hanna.id}/leave"
    assert client.post(path, data={"sure": "y"}).status_code == 400
    assert world.user("hanna").is_active, "a head needs a successor"
    assert client.post(path, data={"successor_id_text": "hanna", "sure": "y"}).status_code == 400
    assert client.post(path, data={"successor_id_text": "ben"}).status_code == 400, "needs the tick"
    answer = client.post(
        path, data={"successor_id_text": "ben", "departments_too": "y", "sure": "y", "reason": "retired"}
    )
    assert answer.status_code == 302
    db.session.rollback()
    hanna = world.user("hanna")
    assert not hanna.is_active
    assert hanna.successor_id == ben.id
    assert world.department("one").head_id == ben.id
    assert db.session.scalars(select(Delegation.revoked_at)).one() is not None
    assert db.session.scalar(select(func.count()).where(AuthSession.user_id == hanna.id)) == 0
    assert other.get("/account").status_code == 302
    assert client.get(f"/staff/{hanna.id}").status_code == 404
    assert "韩娜" not in client.get("/staff").text
    assert "韩娜" in client.get("/admin/people?scene=left").text
    assert last_entry().reason == "retired"


def test_account_manager_leaving_hands_customers_over(world: World) -> None:
    from portal.customers.models import Customer

    anna, ben = world.user("anna"), world.user("ben")
    before = db.session.scalar(select(func.count()).where(Customer.account_manager_id == anna.id))
    assert before == 2
    with transaction():
        services.deactivate_person(anna.id, LeavingInput(ben.id), world.actor("admin"))
    db.session.rollback()
    assert db.session.scalar(select(func.count()).where(Customer.account_manager_id == anna.id)) == 0
    assert db.session.scalar(select(func.count()).where(Customer.account_manager_id == ben.id)) == 3


def test_leaving_twice_and_leaving_oneself(world: World) -> None:
    admin, nora = world.actor("admin"), world.user("nora")
    with transaction():
        services.deactivate_person(nora.id, LeavingInput(None), admin)
    with pytest.raises(Conflict), transaction():
        services.deactivate_person(nora.id, LeavingInput(None), admin)
    with pytest.raises(Invalid), transaction():
        services.deactivate_person(admin.user_id or 0, LeavingInput(nora.id), admin)
    with transaction():
        services.reactivate_person(nora.id, admin)
    assert queries.person_line(nora.id).is_active


# ---- lists ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/admin/people", "/staff", "/staff/chart", "/admin/departments"])
def test_statements_do_not_grow_with_people(app: Flask, client: FlaskClient, world: World, path: str) -> None:
    from sqlalchemy import event

    seen: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda c, cur, statement, *rest: seen.append(statement))
    world.login(client, "admin")
    client.get(path)
    seen.clear()
    client.get(path)
    few = len(seen)
    with transaction():
        one = world.department("one").id
        for number in range(30):
            data = PersonInput(f"extra{number}", f"员工{number}", one, ("account_manager", "auditor"))
            services.create_person(data, world.actor("admin"))
            services.create_department(DepartmentInput(f"组{number}", f"T{number}", one), world.actor("admin"))
    seen.clear()
    client.get(path)
    assert len(seen) == few


def test_directory_shows_no_account_data(client: FlaskClient, world: World) -> None:
    world.login(client, "nora")
    page = client.get("/staff").text
    assert "安娜" in page
    assert "person-anna" not in page
    assert "/admin/" not in page
