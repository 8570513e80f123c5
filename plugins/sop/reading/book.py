"""A manual as a book to leaf through: its tree of chapters and procedures, drawn once for each published version."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flask import get_template_attribute, request, url_for
from markupsafe import Markup

from plugins.sop.manuals import queries, reviewing
from plugins.sop.manuals import vocabulary as words
from plugins.sop.manuals.content import ProcedureContent
from plugins.sop.manuals.models import ManualVersion
from plugins.sop.manuals.queries import names_of_departments
from plugins.sop.manuals.remembered import remembered
from portal.core.errors import NotFound


@dataclass(frozen=True)
class Leaf:
    """A procedure in the tree."""

    procedure_id: int
    code: str
    title: str


@dataclass(frozen=True)
class Part:
    """A chapter in the tree."""

    key: str
    number: int
    title: str
    procedures: tuple[Leaf, ...]


@dataclass(frozen=True)
class Tree:
    """Chapters with their procedures. `order`: all procedures; one whose chapter was taken out has no place in it."""

    parts: tuple[Part, ...]
    order: tuple[int, ...]

    def part(self, key: str) -> Part | None:
        """A chapter."""
        return next((part for part in self.parts if part.key == key), None)

    def neighbours(self, procedure_id: int) -> tuple[int | None, int | None]:
        """The procedures before and behind one."""
        if procedure_id not in self.order:
            return None, None
        index = self.order.index(procedure_id)
        return self.order[index - 1] if index else None, self.order[index + 1] if index + 1 < len(self.order) else None


def tree_of(version: ManualVersion) -> Tree:
    """The tree of a version; two statements, none when it is remembered."""
    return remembered(version, "tree", lambda: _tree(version.id))


def _tree(version_id: int) -> Tree:
    leaves: dict[str, list[Leaf]] = {}
    for row in queries.procedures_of(version_id):
        leaves.setdefault(row.chapter_key, []).append(Leaf(row.procedure_id, row.code, row.title))
    parts = tuple(
        Part(row.key, number, row.title, tuple(leaves.get(row.key, ())))
        for number, row in enumerate(queries.chapters_of(version_id), start=1)
    )
    return Tree(parts, tuple(leaf.procedure_id for part in parts for leaf in part.procedures))


def body_of(version: ManualVersion, key: str) -> str:
    """The Markdown of a chapter; one statement."""
    body = queries.chapter_body(version.id, key)
    if body is None:
        raise NotFound()
    return body


def content_of(version: ManualVersion, procedure_id: int) -> ProcedureContent:
    """What a version says in a procedure, with its departments as they are called today.

    Six statements; one when it is remembered. :raises NotFound: the version does not have it.
    """
    content = remembered(
        version, ("procedure", procedure_id), lambda: queries.procedure_content(version.id, procedure_id)
    )
    names = names_of_departments([part.department_id for part in content.departments])
    departments = tuple(replace(part, name=names.get(part.department_id, part.name)) for part in content.departments)
    return replace(content, departments=departments)


def draw_tree(version: ManualVersion, tree: Tree, query: dict[str, Any], here: str, chapter_key: str = "") -> Markup:
    """The tree beside a page. Three hundred links are built once for each version, not for each reader.

    :param query: kept in the links. :param here: address of the page, to be marked. :param chapter_key: stays open.
    """
    drawn = _drawn(version, "tree", query, lambda macro: macro(tree.parts, version.manual_id, query))
    link, part = Markup('href="{}"').format(here), Markup('data-part="{}"').format(chapter_key)
    marked = drawn.replace(link, Markup('{} aria-current="page"').format(link), 1)
    return marked.replace(part, Markup("{} open").format(part), 1)


def draw_list(version: ManualVersion, part: Part, query: dict[str, Any]) -> Markup:
    """The procedures of a chapter as a list of links."""
    return _drawn(version, "procedures", query, lambda macro: macro(part.procedures, query), part.key)


def draw_changes(version: ManualVersion, query: dict[str, Any]) -> Markup:
    """What a version changes against the one it came from, as a list of links."""
    compared = reviewing.comparison_of(version)
    return _drawn(version, "changes", query, lambda macro: macro(compared, version.manual_id, version.id, query, words))


def _drawn(version: ManualVersion, name: str, query: dict[str, Any], draw: Any, part: str = "") -> Markup:
    what = ("drawn", name, part, request.script_root, tuple(sorted(query.items())))
    drawn: Markup = remembered(version, what, lambda: draw(get_template_attribute("sop/reading/_tree.html", name)))
    return drawn


def address_of(
    version: ManualVersion, query: dict[str, Any], *, chapter: str = "", procedure: int | None = None
) -> str:
    """The address of a page of the book, as the tree has it."""
    if procedure is not None:
        return url_for("sop.procedure", procedure_id=procedure, **query)
    if chapter:
        return url_for("sop.read", manual_id=version.manual_id, chapter=chapter, **query)
    return url_for("sop.read", manual_id=version.manual_id, **query)
