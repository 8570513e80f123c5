"""What the check of a file needs from the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from portal.core.permissions import visible
from portal.core.text import fold, latin_form, lookup_prefix, seen_form
from portal.customers.importing.customers.fields import KEY
from portal.customers.importing.customers.rows import code_of, regions_agree
from portal.customers.importing.models import ImportKey
from portal.customers.importing.targets import CREATE_ANYWAY, Record, Rules
from portal.customers.models import Contact, Customer, CustomerAlias
from portal.customers.permissions import EDIT, VIEW
from portal.customers.queries import final_record
from portal.customers.search_index import NAME_START, CustomerTerm
from portal.customers.services import bulk
from portal.customers.services.held import held_fields
from portal.customers.vocabulary import Status
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor
from portal.org.models import Department, User


class Lookup:
    """Everything that the check of a chunk needs from the database, fetched in a fixed number of statements."""

    def __init__(self, records: Sequence[Record], actor: Actor) -> None:
        self.actor = actor
        heads = [record.rows[0].values for record in records if not record.errors]
        self.by_key = self._by_key({values.get("external_key") or "" for values in heads} - {""})
        self.known_keys = set(self.by_key)
        self.by_code = self._by_code({code_of(values) for values in heads} - {""})
        self.by_name = self._by_name({values.get("name") or "" for values in heads} - {""})
        ids = {*self.by_key.values(), *self.by_code.values()}
        ids.update(found for group in self.by_name.values() for found, _region in group)
        self.editable = loaded_customers(ids, actor)
        self.existing = self._existing(ids)
        self.contacts = contacts_of(list(self.editable))
        self.held = held_fields(self.editable, actor)
        self._placed: dict[tuple[int | None, int | None], tuple[int | None, int | None, list[tuple[str, str]]]] = {}
        self._people: dict[str, list[int]] | None = None
        self._departments: dict[str, int] | None = None

    def _by_key(self, keys: set[str]) -> dict[str, int]:
        rows = db.session.execute(
            select(ImportKey.key, ImportKey.record_id, Customer.status)
            .join(Customer, Customer.id == ImportKey.record_id)
            .where(ImportKey.target == KEY, ImportKey.key.in_([key[:100] for key in keys]))
        )
        return {row.key: final_record(row.record_id) if row.status == Status.MERGED else row.record_id for row in rows}

    def _by_code(self, codes: set[str]) -> dict[str, int]:
        rows = db.session.execute(
            select(Customer.credit_code, Customer.id).where(
                Customer.credit_code.in_(codes), Customer.status != Status.MERGED.value
            )
        )
        return {row.credit_code: row.id for row in rows}

    def _by_name(self, names: set[str]) -> dict[str, list[tuple[int, str]]]:
        """Name as a reader sees it → (id, region) of customers that bear it as name or other name."""
        terms = {lookup_prefix(form)[0] for name in names if fold(name) for form in (name, latin_form(name))}
        wanted = {seen_form(name) for name in names}
        ids = set(
            db.session.scalars(
                select(CustomerTerm.customer_id).where(CustomerTerm.kind == NAME_START, CustomerTerm.term.in_(terms))
            )
        )
        found: dict[str, dict[int, str]] = {}
        rows = [
            *db.session.execute(select(Customer.id, Customer.name, Customer.region_code).where(Customer.id.in_(ids))),
            *db.session.execute(
                select(Customer.id, CustomerAlias.alias, Customer.region_code)
                .join(CustomerAlias, CustomerAlias.customer_id == Customer.id)
                .where(Customer.id.in_(ids))
            ),
        ]
        for customer_id, name, region_code in rows:
            if (seen := seen_form(name)) in wanted:
                found.setdefault(seen, {})[customer_id] = region_code
        return {name: sorted(group.items()) for name, group in found.items()}

    def _existing(self, ids: set[int]) -> dict[int, tuple[str, bool]]:
        """id → (who looks after it, whether the actor sees it)."""
        rows = db.session.execute(
            select(Customer.id, Department.name, User.name.label("manager"), visible(self.actor, VIEW).label("visible"))
            .join(Department, Department.id == Customer.department_id)
            .outerjoin(User, User.id == Customer.account_manager_id)
            .where(Customer.id.in_(ids))
        )
        return {row.id: (f"{row.name} · {row.manager}" if row.manager else row.name, bool(row.visible)) for row in rows}

    def match(self, record: Record, rules: Rules) -> Customer | None:
        """The customer that a record means; notes in the record what stands against it."""
        values = record.rows[0].values
        key, code = (values.get("external_key") or "")[:100], code_of(values)
        by_key, by_code = self.by_key.get(key), self.by_code.get(code)
        if by_key is not None and by_code is not None and by_key != by_code:
            record.refuse("credit_code", _("The number and the code belong to two different customers."))
            return None
        sure = by_key if by_key is not None else by_code
        if sure is None:
            if rules.policy == CREATE_ANYWAY:
                return None
            near = [
                found
                for found, region in self.by_name.get(seen_form(values.get("name") or ""), ())
                if regions_agree(values.get("region") or "", region) and self._code_fits(found, code)
            ]
            if len(near) > 1:
                record.refuse("name", _("Several customers have this name. Give the credit code or the region."))
                return None
            sure = near[0] if near else None
        elif rules.policy == CREATE_ANYWAY and by_key is None:
            keeper, _seen = self.existing[sure]
            record.refuse("credit_code", _("A customer with this code exists already: %(keeper)s.", keeper=keeper))
            return None
        if sure is None:
            return None
        customer = self.editable.get(sure)
        if customer is None:
            keeper, _seen = self.existing[sure]
            record.refuse(
                "name", _("This customer exists and is looked after by somebody else: %(keeper)s.", keeper=keeper)
            )
        return customer

    def _code_fits(self, found: int, code: str) -> bool:
        """A namesake with another code is another company."""
        customer = self.editable.get(found)
        return not (code and customer is not None and customer.credit_code and customer.credit_code != code)

    def keeper(self, values: Mapping[str, Any], rules: Rules, record: Record) -> tuple[int | None, int | None]:
        """Account manager and department that a row names, else those chosen for the whole file."""
        manager_id, department_id = rules.manager_id, rules.department_id
        if values.get("account_manager"):
            found = self._people_by_name().get(fold(values["account_manager"]), [])
            if len(found) != 1:
                record.refuse(
                    "account_manager",
                    _(
                        "“%(name)s” fits nobody or more than one; write the log-in name.",
                        name=values["account_manager"],
                    ),
                )
            else:
                manager_id = found[0]
        if values.get("department"):
            department = self._departments_by_name().get(fold(values["department"]))
            if department is None:
                record.refuse("department", _("There is no department “%(name)s”.", name=values["department"]))
            department_id = department
        return manager_id, department_id

    def placed(
        self, manager_id: int | None, department_id: int | None
    ) -> tuple[int | None, int | None, list[tuple[str, str]]]:
        """`bulk.place`, asked once for each pair."""
        pair = (manager_id, department_id)
        if pair not in self._placed:
            self._placed[pair] = bulk.place(manager_id, department_id, self.actor)
        return self._placed[pair]

    def _people_by_name(self) -> dict[str, list[int]]:
        if self._people is None:
            self._people = {}
            for row in db.session.execute(select(User.id, User.login, User.name).where(User.is_active)):
                self._people.setdefault(fold(row.name), []).append(row.id)
                self._people[fold(row.login)] = [row.id]
        return self._people

    def _departments_by_name(self) -> dict[str, int]:
        if self._departments is None:
            rows = db.session.execute(
                select(Department.id, Department.code, Department.name).where(Department.is_active)
            ).all()
            self._departments = {fold(row.name): row.id for row in rows} | {fold(row.code): row.id for row in rows}
        return self._departments


def loaded_customers(ids: Any, actor: Actor) -> dict[int, Customer]:
    """Those of the customers that the actor may edit, with all that a change looks at."""
    rows = db.session.scalars(
        select(Customer)
        .where(Customer.id.in_(list(ids)), visible(actor, EDIT))
        .options(selectinload(Customer.aliases), selectinload(Customer.person))
    )
    return {row.id: row for row in rows}


def contacts_of(ids: Sequence[int]) -> dict[int, list[Contact]]:
    """The contacts of customers with their telephones: customer → contacts."""
    found: dict[int, list[Contact]] = {}
    for contact in db.session.scalars(
        select(Contact).where(Contact.customer_id.in_(ids)).options(selectinload(Contact.phones)).order_by(Contact.id)
    ):
        found.setdefault(contact.customer_id, []).append(contact)
    return found
