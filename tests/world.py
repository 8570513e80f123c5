"""The small organisation that tests work in. All people and companies are invented.

company (head: boss, an executive)
├── sales (head: hugo)
│   ├── one (head: hanna, deputy: dora)   account managers anna, ben
│   └── two (head: hector)                account managers cara, carl
├── archive (head: arne)                  archivist paula (maintainer), otto (print operator)
└── office (head: olga)                   admin, audrey (auditor), edda (SOP editor), nora (no role)
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.core.transaction import transaction
from portal.extensions import db
from portal.org import models as org
from portal.org.actor import Actor, load_actor

PASSWORD = "correct horse battery"
CREATED = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)

#: code, name, parent
DEPARTMENTS = (
    ("company", "测试公司", None),
    ("sales", "销售部", "company"),
    ("one", "销售一部", "sales"),
    ("two", "销售二部", "sales"),
    ("archive", "档案室", "company"),
    ("office", "办公室", "company"),
)

#: login, name, department, roles
PEOPLE = (
    ("boss", "赵总", "company", (org.EXECUTIVE,)),
    ("hugo", "许国强", "sales", ()),
    ("hanna", "韩娜", "one", ()),
    ("dora", "董蕊", "one", ()),
    ("anna", "安娜", "one", (org.ACCOUNT_MANAGER,)),
    ("ben", "贝宁", "one", (org.ACCOUNT_MANAGER,)),
    ("hector", "何可", "two", ()),
    ("cara", "柯兰", "two", (org.ACCOUNT_MANAGER,)),
    ("carl", "康立", "two", (org.ACCOUNT_MANAGER,)),
    ("arne", "阿宁", "archive", ()),
    ("paula", "鲍兰", "archive", (org.ARCHIVE_MAINTAINER,)),
    ("otto", "欧拓", "archive", (org.PRINT_OPERATOR,)),
    ("olga", "欧佳", "office", ()),
    ("admin", "安管", "office", (org.ADMINISTRATOR,)),
    ("audrey", "奥审", "office", (org.AUDITOR,)),
    ("edda", "艾达", "office", (org.SOP_EDITOR,)),
    ("nora", "诺然", "office", ()),
)

HEADS = {
    "company": ("boss", None),
    "sales": ("hugo", None),
    "one": ("hanna", "dora"),
    "two": ("hector", None),
    "archive": ("arne", None),
    "office": ("olga", None),
}

#: key, name, account manager (None: nobody), department
CUSTOMERS = (
    ("maotai", "贵州茅台", "anna", "one"),
    ("wuliang", "五粮液", "anna", "one"),
    ("yanghe", "洋河股份", "ben", "one"),
    ("fenjiu", "山西汾酒", "cara", "two"),
    ("luzhou", "泸州老窖", "carl", "two"),
    ("orphan", "水井坊", None, "two"),
)


def build_world() -> None:
    """Fill an empty, migrated database."""
    from portal.core.text import sort_key
    from portal.customers.models import Customer

    with transaction() as session:
        departments: dict[str, org.Department] = {}
        for code, name, parent in DEPARTMENTS:
            row = org.Department(code=code, name=name, created_at=CREATED)
            if parent:
                row.parent_id = departments[parent].id
            session.add(row)
            session.flush()
            row.path = (departments[parent].path if parent else "/") + f"{row.id}/"
            departments[code] = row
        people: dict[str, org.User] = {}
        for login, name, department, roles in PEOPLE:
            user = org.User(
                login=login,
                name=name,
                name_sort=sort_key(name),
                email=f"{login}@example.com",
                department_id=departments[department].id,
                person_key=f"person-{login}",
                created_at=CREATED,
            )
            user.roles = [org.UserRole(role=role) for role in roles]
            session.add(user)
            people[login] = user
        session.flush()
        for code, (head, deputy) in HEADS.items():
            departments[code].head_id = people[head].id
            departments[code].deputy_id = people[deputy].id if deputy else None
        for _key, name, manager, department in CUSTOMERS:
            session.add(
                Customer(
                    party="organisation",
                    kind="end_user",
                    name=name,
                    name_sort=sort_key(name),
                    account_manager_id=people[manager].id if manager else None,
                    department_id=departments[department].id,
                    stage_changed_at=CREATED,
                    created_at=CREATED,
                    updated_at=CREATED,
                )
            )
        session.flush()
        _index_customers()


def _index_customers() -> None:
    """Put the customers into the search index."""
    from portal.customers.search_index import rebuild_all

    rebuild_all()


@dataclass(frozen=True)
class World:
    """Handles on the small organisation."""

    app: Flask

    def user(self, login: str) -> org.User:
        """The row of a person."""
        return db.session.scalars(select(org.User).where(org.User.login == login)).one()

    def department(self, code: str) -> org.Department:
        """The row of a department."""
        return db.session.scalars(select(org.Department).where(org.Department.code == code)).one()

    def actor(self, login: str) -> Actor:
        """The person as an actor, as of now."""
        return load_actor(self.user(login).id)

    def customer_id(self, key: str) -> int:
        """Id of a customer by its key in CUSTOMERS."""
        from portal.customers.models import Customer

        name = next(name for k, name, _m, _d in CUSTOMERS if k == key)
        return int(db.session.scalars(select(Customer.id).where(Customer.name == name)).one())

    def login(self, client: FlaskClient, login: str) -> FlaskClient:
        """Give the client a session of this person, as the log-in page would."""
        from portal.auth.sessions import open_test_session

        user_id = self.user(login).id
        open_test_session(self.app, client, user_id)
        return client
