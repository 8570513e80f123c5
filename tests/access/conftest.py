"""One stage for all tests of this folder; each test leaves it as it was."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from plugins.sop.export import documents as manual_documents
from portal.documents import services as documents
from portal.documents.render import render_pdf
from portal.extensions import db
from tests.access.stage import Stage, build
from tests.conftest import SERVER_URL, Template, make_app

SHEET = '<!doctype html><html lang="en"><head><title>Sheet</title></head><body><p>Sheet</p></body></html>'


@pytest.fixture(scope="package")
def stage(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Built once; SQLite alone, since who may do what is the same on both databases."""
    if SERVER_URL:
        pytest.skip("the access matrix runs on the embedded database")
    folder = tmp_path_factory.mktemp("stage")
    shutil.copyfile(template.file, folder / "portal.sqlite3")
    app = make_app(folder, f"sqlite:///{folder / 'portal.sqlite3'}")
    made = Stage(app)
    with app.app_context():
        build(made)
    # Who gets a document is the question here, not how it looks: one sheet, really made, stands for all of them.
    sheet = render_pdf(SHEET, folder=folder, identifier="SHEET")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(documents, "render_pdf", lambda *_arguments, **_more: sheet)
        patch.setattr(manual_documents, "render_book", lambda *_arguments, **_more: sheet)
        yield made
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
