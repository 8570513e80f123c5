"""Everything that modules register: keys, titles in every language, audit actions, settings, tables."""

from __future__ import annotations

import ast
import dataclasses
import enum
import importlib
import pkgutil
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale
from sqlalchemy import Table

import plugins
import portal
from plugins.archive.copies import vocabulary as copy_words
from plugins.archive.dossiers import fields as dossier_fields
from plugins.archive.dossiers import models as dossiers
from plugins.archive.dossiers import vocabulary as dossier_words
from plugins.archive.lookups import models as lookups
from plugins.key_accounts.care import models as care
from plugins.key_accounts.care import vocabulary as care_words
from plugins.key_accounts.opportunities.services import FIELDS as OPPORTUNITY_FIELDS
from plugins.key_accounts.plans import vocabulary as plan_words
from plugins.key_accounts.policies import models as policies
from plugins.key_accounts.policies.services import POLICY_FIELDS, PROPOSITION_FIELDS
from plugins.key_accounts.satisfaction import vocabulary as satisfaction_words
from plugins.key_accounts.scorecards import criteria
from plugins.key_accounts.scorecards import models as scorecards
from plugins.key_accounts.team import vocabulary as team_words
from plugins.vip import models as vip
from portal.app import REGISTRIES
from portal.approvals.models import FINAL_STATES, VOTES
from portal.audit import labels
from portal.audit.field_names import FIELD_NAMES
from portal.core.registry import registry
from portal.core.uploads import problems
from portal.customers import vocabulary as customer_words
from portal.customers.importing.models import RowAction
from portal.customers.importing.targets import POLICIES
from portal.customers.inputs import ContactInput
from portal.customers.merging.fields import table_label
from portal.customers.references import MOVE, customer_references
from portal.customers.services import customers, interactions
from portal.customers.vocabulary import CustomerKind
from portal.extensions import Base
from portal.org.models import ROLES
from portal.org.services import DepartmentInput, PersonInput
from portal.pluginmanager import CORE_MODULES

KEY = re.compile(r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_-]*)*$")
ROOT = Path(portal.__file__).parents[1]
CHINESE = re.compile("[\u4e00-\u9fff]")
#: Registry → attributes that people read.
SHOWN = {"approval_kinds": ("title",), "jobs": ("title",), "notice_kinds": ("title", "help"), "listings": ("title",)}


def _titles(app: Flask) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name in REGISTRIES:
        for item in app.extensions[f"portal_{name}"]:
            for attribute in SHOWN.get(name, ("title", "label")):
                if getattr(item, attribute, ""):
                    found.append((f"{name} {item.key} {attribute}", getattr(item, attribute)))
    for listing in app.extensions["portal_listings"]:
        for part in [*listing.columns, *listing.filters, *listing.scenes, *listing.bulk_actions]:
            found.append((f"{listing.key} {part.key}", part.label))
    for entry in app.extensions["portal_navigation"]:
        found.append((f"menu {entry.key}", entry.label))
    for permission in app.extensions["portal_permissions"].permissions.values():
        found.append((f"permission {permission.name}", permission.title))
        rules = app.extensions["portal_permissions"].rules[permission.name]
        found += [(f"rule {permission.name} {rule.key}", rule.reason) for rule in rules]
    for setting in app.extensions["portal_settings"].definitions.values():
        found.append((f"setting {setting.key}", setting.label))
        found += [(f"setting {setting.key} {value}", label) for value, label in setting.choices]
    for plugin in app.extensions["portal_plugins"].plugins:
        found += [(f"plugin {plugin.info.name}", plugin.info.title), ("plugin", plugin.info.summary)]
    return found


def test_everything_registered_has_chinese_words(app: Flask) -> None:
    with app.test_request_context(), force_locale("zh_Hans_CN"):
        bare = [f"{where}: {title}" for where, title in _titles(app) if not CHINESE.search(str(title))]
    # Words that are the same in every language.
    assert [line for line in bare if line.split(": ", 1)[1] not in {"ID"}] == []


def test_everything_registered_has_english_words(app: Flask) -> None:
    with app.test_request_context(), force_locale("en"):
        wrong = [f"{where}: {title}" for where, title in _titles(app) if CHINESE.search(str(title)) or not str(title)]
    assert wrong == []


def test_keys_are_unique_and_of_one_form(app: Flask) -> None:
    for name in REGISTRIES:
        items = list(app.extensions[f"portal_{name}"])
        if name == "audit_words":
            continue
        assert [item.key for item in items if not KEY.match(item.key)] == [], name
        with pytest.raises(ValueError, match="twice"):
            app.extensions[f"portal_{name}"].add(items[:1] or [type("Item", (), {"key": "x.y"})()] * 2)
    for listing in app.extensions["portal_listings"]:
        for parts in (listing.columns, listing.filters, listing.scenes, listing.bulk_actions):
            keys = [part.key for part in parts]
            assert len(keys) == len(set(keys)), listing.key
        assert listing.endpoint in app.view_functions
        assert listing.default_sort.lstrip("-") in {column.key for column in listing.columns if column.sort is not None}
        for action in listing.bulk_actions:
            assert action.endpoint in app.view_functions


def test_what_a_plugin_registers_bears_its_name(app: Flask) -> None:
    plugins = app.extensions["portal_plugins"]
    for plugin in plugins.enabled:
        module = plugins.pluggy.get_plugin(plugin.info.name)
        for hook in (*REGISTRIES.values(), "register_permissions", "register_settings"):
            # Words and occasions are named after what they speak of ("customers.created"), not after who offers them.
            if hook not in {"register_audit_words", "register_occasions"} and hasattr(module, hook):
                keys = [getattr(item, "key", getattr(item, "name", "")) for item in getattr(module, hook)()]
                assert all(key.startswith(f"{plugin.info.name}.") for key in keys), (hook, keys)


def test_permissions_are_named_after_their_module(app: Flask) -> None:
    for name in app.extensions["portal_permissions"].permissions:
        assert re.fullmatch(r"[a-z_]+\.[a-z_]+", name)


def test_schedules_have_a_next_time(app: Flask) -> None:
    from portal.core import clock

    for job in app.extensions["portal_jobs"]:
        if job.schedule is not None:
            assert job.schedule.following(clock.now()) is not None, job.key
            assert job.idempotent, f"{job.key}: the clock may start it again after a crash"


# ---- audit actions -------------------------------------------------------------------------------------------------


def _actions(app: Flask) -> dict[str, list[str]]:
    """Action → modules that define it."""
    packages = [*CORE_MODULES, *(plugin.package.__name__ for plugin in app.extensions["portal_plugins"].plugins)]
    found: dict[str, list[str]] = {}
    for package in packages:
        try:
            module = importlib.import_module(f"{package}.actions")
        except ModuleNotFoundError:
            continue
        for item in vars(module).values():
            if isinstance(item, type) and issubclass(item, enum.StrEnum) and item.__module__ == module.__name__:
                for action in item:
                    found.setdefault(action.value, []).append(package)
    return found


def test_audit_actions_are_unique_and_name_their_module(app: Flask) -> None:
    found = _actions(app)
    assert len(found) > 60
    assert {action: where for action, where in found.items() if len(where) > 1} == {}
    for action, [package] in found.items():
        assert re.fullmatch(r"[a-z_]+:[a-z_]+:[a-z_]+", action), action
        own = {package.split(".")[1], package.split(".")[-1], "settings" if package == "portal.auth" else ""}
        if package == "portal.auth":
            own |= {"plugins"}
        assert action.split(":")[0] in own, (action, package)


# ---- tables --------------------------------------------------------------------------------------------------------


def _tables() -> list[Table]:
    return list(Base.metadata.tables.values())


def test_tables_of_plugins_bear_their_name(app: Flask) -> None:
    plugins = {plugin.package.__name__: plugin.info.name for plugin in app.extensions["portal_plugins"].plugins}
    seen = set()
    for mapper in Base.registry.mappers:
        owner = next((name for package, name in plugins.items() if mapper.class_.__module__.startswith(package)), None)
        table = mapper.local_table.name  # type: ignore[attr-defined]
        prefixed = [name for name in plugins.values() if table.startswith(f"{name}_")]
        assert prefixed == ([owner] if owner else []), table
        seen.add(owner)
    assert seen >= set(plugins.values())


def test_every_reference_to_a_customer_says_what_a_merge_does() -> None:
    found = {reference.name for reference in customer_references()}
    expected = {
        f"{table.name}.{key.parent.name}"
        for table in _tables()
        for key in table.foreign_keys
        if key.target_fullname == "customer.id"
    }
    assert found == expected
    assert {"contact.customer_id", "purchase.customer_id", "vip_membership.customer_id"} <= expected


def test_foreign_keys_are_indexed_where_rows_are_looked_up() -> None:
    """A reference to customer, contact or membership without an index makes merges and pages slow."""
    slow = []
    for table in _tables():
        leading = {next(iter(index.columns)).name for index in table.indexes if len(index.columns)}
        leading |= {column.name for column in list(table.primary_key.columns)[:1]}
        for constraint in table.constraints:
            if type(constraint).__name__ == "UniqueConstraint":
                leading.add(next(iter(constraint.columns)).name)  # type: ignore[attr-defined]
        for key in table.foreign_keys:
            if key.target_fullname in {"customer.id", "contact.id"} and key.parent.name not in leading:
                slow.append(f"{table.name}.{key.parent.name}")
    assert slow == []


def test_constraints_have_names() -> None:
    """Without a name a migration cannot change them on PostgreSQL."""
    assert [str(c) for table in _tables() for c in table.constraints if c.name is None] == []


def test_money_is_never_a_float() -> None:
    floats = {
        f"{table.name}.{column.name}"
        for table in _tables()
        for column in table.columns
        if type(column.type).__name__ in {"Float", "Numeric", "REAL"}
    }
    assert floats == {"customer.latitude", "customer.longitude"}


def test_every_audit_action_has_words(app: Flask) -> None:
    actions: set[str] = set()
    for package in (portal, plugins):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if found.name.endswith(".actions"):
                for value in vars(importlib.import_module(found.name)).values():
                    if isinstance(value, type) and issubclass(value, enum.StrEnum) and value is not enum.StrEnum:
                        actions |= {str(action) for action in value}
    assert len(actions) > 200
    offered = registry("audit_words")
    wordless = set()
    for action in actions:
        _source, subject, verb = action.split(":", 2)
        if subject not in labels.SUBJECTS and not (
            offered.get(f"subject:{subject}") or offered.get(f"object:{subject}")
        ):
            wordless.add(f"subject {subject}")
        if verb not in labels.VERBS and not offered.get(f"verb:{verb}"):
            wordless.add(f"verb {verb}")
    assert wordless == set()


#: Functions that pass `old`, `new` and `private` on to the trail.
WRITERS = {"record", "write_audit", "_record", "_audit", "_record_candidate", "_note"}


def _recorded_fields() -> dict[str, set[str]]:
    """Names of fields that stand as text in calls that write the trail, with the files."""
    found: dict[str, set[str]] = {}
    for folder in ("portal", "plugins"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for call in ast.walk(ast.parse(path.read_text())):
                if not isinstance(call, ast.Call):
                    continue
                name = getattr(call.func, "id", getattr(call.func, "attr", ""))
                if name not in WRITERS:
                    continue
                values = [keyword.value for keyword in call.keywords if keyword.arg in ("old", "new", "private")]
                for node in (node for value in values for node in ast.walk(value) if isinstance(node, ast.Dict)):
                    for key in node.keys:
                        if isinstance(key, ast.Constant):
                            found.setdefault(str(key.value), set()).add(path.name)
    return found


def test_every_field_in_the_trail_has_a_word(app: Flask) -> None:
    """The time line of a customer and the auditor's page show fields by name, in the reader's language."""
    fields = _recorded_fields()
    assert len(fields) > 150
    offered = registry("audit_words")
    assert {
        name: files for name, files in fields.items() if name not in FIELD_NAMES and not offered.get(f"field:{name}")
    } == {}


def test_values_in_the_trail_are_said_in_words_of_their_module(app: Flask) -> None:
    with app.test_request_context():
        assert labels.value_text("vip", "level", "gold") == "Gold"
        assert labels.value_text("key_accounts", "tier", "important") == "Important customer"
        assert labels.value_text("key_accounts", "kind", "diversion") != "diversion"
        assert labels.value_text("vip", "condition", "single") == "Single purchase"
        assert labels.value_text("approvals", "outcome", "approved") == "Approved"
        assert labels.value_text("archive", "to", "destroyed") == "Destroyed"
        assert labels.value_text("sop", "side", "before") == "Before the introduction"
        assert labels.value_text("customers", "stage", "potential") != "potential"
        assert labels.value_text("customers", "level", "gold") is None


#: (first part of the action, field) → every code that is kept there.
CODES: dict[tuple[str, str], tuple[Any, ...]] = {
    ("approvals", "kind"): ("archive.lookup", "sop.version", "a.plugin_that_is_off"),
    ("approvals", "outcome"): FINAL_STATES,
    ("approvals", "vote"): VOTES,
    ("archive", "fields"): tuple(dossier_fields.FIELDS),
    ("archive", "from"): tuple(copy_words.STATES),
    ("archive", "kind"): dossiers.CHANGE_KINDS,
    ("archive", "mode"): lookups.MODES,
    ("archive", "part"): dossiers.PARTS,
    ("archive", "problem"): tuple(problems.MESSAGES),
    ("archive", "state"): (
        *dossiers.FILE_STATES,
        *dossier_words.CHANGE_STATES,
        *copy_words.STATES,
        "draft",
        "accepted",
    ),
    ("auth", "method"): ("local", "GET", "POST"),
    ("customers", "counts"): (*RowAction, "rows", "refused_rows", "created", "updated", "failed", "undone", "kept"),
    ("customers", "appointment"): tuple(customer_words.Appointment),
    ("customers", "direction"): tuple(customer_words.Direction),
    ("customers", "kind"): (*CustomerKind, *customer_words.InteractionKind),
    ("customers", "listing"): ("customers", "purchases"),
    ("customers", "moved"): ("interaction", "next_step", "vip_membership", "customer_person"),
    ("customers", "policy"): POLICIES,
    ("customers", "roles"): ROLES,
    ("customers", "target"): ("customers", "purchases"),
    ("documents", "kind"): ("vip.certificate", "archive.card"),
    ("key_accounts", "card"): tuple(criteria.CRITERIA),
    ("key_accounts", "duty"): care.DUTIES,
    ("key_accounts", "factors"): policies.EMPHASES,
    ("key_accounts", "grade"): (1, 2, 3, 4, 5),
    ("key_accounts", "kind"): (*care_words.INCENTIVES, *plan_words.ENTRIES, *scorecards.VIOLATIONS, *CustomerKind),
    ("key_accounts", "level"): tuple(team_words.LEVELS),
    ("key_accounts", "phase"): (*plan_words.PHASES, *team_words.PHASES, *satisfaction_words.PHASES),
    ("key_accounts", "section"): tuple(plan_words.SECTIONS),
    ("key_accounts", "set_up"): care.DUTIES,
    ("key_accounts", "state"): (
        *plan_words.STATES,
        *plan_words.ACTION_STATES,
        *care_words.VISIT_STATES,
        "ours",
        "rival",
    ),
    ("org", "kinds"): ("vip.application", "customers.export vip.application", "a.plugin_that_is_off"),
    ("org", "roles"): ROLES,
    ("settings", "permission"): ("customers.export",),
    ("sop", "audience"): ("all", "department", "role"),
    ("sop", "classification"): ("internal", "confidential"),
    ("sop", "occasion"): ("customers.created", "customers.ordering"),
    ("sop", "part"): ("all", "role:executive", "department:7"),
    ("sop", "role"): ("everybody", "head", *ROLES),
    ("sop", "starters"): ("archive-lookup", "backup-keys"),
    ("sop", "unit"): ("list",),
    ("vip", "level"): vip.LEVELS,
    ("vip", "state"): ("active", "suspended", "withdrawn", "lapsed"),
}


#: First part of the action → names of fields that services keep from lists and inputs.
KEPT: dict[str, set[str]] = {
    "customers": {
        *customers.PLAIN_FIELDS,
        *customers.PERSON_FIELDS,
        *interactions.FIELDS,
        *interactions.STEP_FIELDS,
        *(field.name for field in dataclasses.fields(ContactInput)),
        *("aliases", "colleagues", "credit_code", "means", "need", "person", "reputation"),
    },
    "key_accounts": {*OPPORTUNITY_FIELDS, *POLICY_FIELDS, *PROPOSITION_FIELDS},
    "org": {field.name for form in (PersonInput, DepartmentInput) for field in dataclasses.fields(form)},
}


def test_fields_that_services_keep_from_lists_have_words(app: Flask) -> None:
    with app.test_request_context(), force_locale("zh_Hans_CN"):
        kept = [(name, source) for source, names in KEPT.items() for name in sorted(names)]
        assert [key for key in kept if not CHINESE.search(labels.field_text(*key))] == []
        # The same name is another thing elsewhere.
        assert labels.field_text("code", "org") != labels.field_text("code", "purchases")


def test_no_code_of_a_vocabulary_is_seen_in_the_trail(app: Flask, world: Any) -> None:
    with app.test_request_context(), force_locale("zh_Hans_CN"):
        codes = [(source, field, code) for (source, field), values in CODES.items() for code in values]
        unsaid = [key for key in codes if not CHINESE.search(labels.value_text(*key) or "")]
        assert unsaid == []
        assert [labels.value_text("archive", "parts", text) for text in ("card contract", "", "x")] == [
            "基本信息卡、供货合同",
            None,
            None,
        ]
        said = labels.value_text("approvals", "authority", "head:7 delegation:3")
        assert (said, labels.value_text("approvals", "authority", "king:7")) == ("部门负责人、以代理人身份", None)
        names = [("2026 cross_selling", "key_accounts"), ("approvals.decided", "notifications")]
        assert [bool(CHINESE.search(labels.field_text(*name))) for name in names] == [True, True]
        objects = [
            ("setting", "customers.exports_hour"),
            ("job", "jobs.tidy"),
            ("page", "audit.index"),
            ("plugin", "vip"),
            ("sop_schedule", "monthly"),
            ("sop_schedule", "customers.created"),
        ]
        assert [name for name in objects if not CHINESE.search(labels.label_text(*name))] == []


def test_what_a_merge_moves_is_called_by_words(app: Flask) -> None:
    """The preview of a merge counts rows of every table; people read words, not names of tables."""
    with app.test_request_context(), force_locale("zh_Hans_CN"):
        moved = [reference.name for reference in customer_references() if reference.on_merge == MOVE]
        called = {name: table_label(name) for name in moved}
    assert len(called) > 20
    assert {name: label for name, label in called.items() if not CHINESE.search(label)} == {}
