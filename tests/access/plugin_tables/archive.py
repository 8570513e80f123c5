"""Pages of the plugin archive and what it puts on the stage."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from plugins.archive import vault
from plugins.archive.dossiers import changes
from plugins.archive.dossiers import services as dossiers
from plugins.archive.dossiers.models import ArchiveChange, ArchiveFile
from plugins.archive.reports import services as reports
from plugins.archive.reports.weeks import monday_of
from portal.core import clock
from portal.core.transaction import transaction
from portal.extensions import db
from portal.org.actor import SYSTEM
from tests.access.letters import ADMINISTRATOR, HEAD_OF, LEADERS, OWN, RECORD, SALES, STAFF
from tests.access.saving import saved
from tests.world import World

#: keepers of dossiers
MAINTAINER = "l--------o-"
ACCOUNT_MANAGERS = "l-oo-------"
#: what belongs to one person and those who oversee him
TEAM = "l?o?o?o????"

QUERY: dict[str, dict[str, str]] = {}
FORM: dict[str, dict[str, str]] = {
    "archive.begin_report": {"week": monday_of(clock.today()).isoformat()},
}
MATRIX: dict[str, str] = {
    "GET /archive/dossiers/": STAFF,
    "GET /archive/dossiers/<int:customer_id>": STAFF,
    "POST /archive/dossiers/<int:customer_id>/produce/<any(card, assessment, statistics):part>": MAINTAINER,
    "GET /archive/dossiers/<int:customer_id>/contracts/new": MAINTAINER,
    "POST /archive/dossiers/<int:customer_id>/contracts/new": MAINTAINER,
    "GET /archive/files/<int:file_id>/replace": MAINTAINER,
    "POST /archive/files/<int:file_id>/replace": MAINTAINER,
    "GET /archive/files/<int:file_id>/take-out": MAINTAINER,
    "POST /archive/files/<int:file_id>/take-out": MAINTAINER,
    "GET /archive/dossiers/<int:customer_id>/changes/new": RECORD,
    "POST /archive/dossiers/<int:customer_id>/changes/new": RECORD,
    "GET /archive/dossiers/<int:customer_id>/supplements/new": HEAD_OF,
    "POST /archive/dossiers/<int:customer_id>/supplements/new": HEAD_OF,
    "GET /archive/changes/new-customer": SALES,
    "POST /archive/changes/new-customer": SALES,
    "GET /archive/changes/": MAINTAINER,
    "GET /archive/changes/<int:change_id>": "l?o?o?o??o?",
    "POST /archive/changes/<int:change_id>/<any(post, refuse):verdict>": MAINTAINER,
    "GET /archive/reports/": ACCOUNT_MANAGERS,
    "POST /archive/reports/begin": ACCOUNT_MANAGERS,
    "GET /archive/reports/<int:report_id>": TEAM,
    "POST /archive/reports/<int:report_id>": OWN,
    "GET /archive/reports/team": LEADERS,
    "GET /archive/stock/": SALES,
    "GET /archive/stock/<int:customer_id>": RECORD,
    "GET /archive/targets/": SALES,
    "POST /archive/targets/": LEADERS,
    "GET /archive/assessment/": SALES,
    "GET /archive/forecast/": SALES,
    "GET /archive/planning/": SALES,
    "GET /archive/storage/": ADMINISTRATOR,
    "POST /archive/storage/scan": ADMINISTRATOR,
}


def build(stage: Any, world: World) -> None:
    """One object of every kind of the plugin."""
    _dossiers(stage, world)


def _dossiers(stage: Any, world: World) -> None:
    """A dossier of the customer with a contract, a change that anna asked for, and her weekly report."""
    stage.ids["archive.produce_part:part"] = "card"
    stage.ids["archive.decide_change:verdict"] = "post"
    customer = stage.ids["customer_id"]
    anna = world.actor("anna")
    page = io.BytesIO()
    Image.new("L", (300, 400), 240).save(page, "PNG")
    content = vault.put(page.getvalue())
    with transaction():
        dossiers.open_dossier(customer, SYSTEM)
        stage.ids["file_id"] = saved(
            ArchiveFile(
                # of another customer: copies of this one are counted page by page
                customer_id=world.customer_id("yanghe"),
                part="contract",
                title="供货合同",
                number="HT-1",
                dated_on=clock.today(),
                is_copy=True,
                pages=1,
                media_type="image/png",
                digest=content,
                size=10,
                origin="uploaded",
                made_by_id=world.user("paula").id,
                made_at=clock.now(),
                state="current",
            )
        )
        asked = changes.ChangeInput({"demand": "more"}, "change-token", customer, reason="seen on a visit")
        filed = changes.file_change(asked, anna)
        stage.ids["change_id"] = db.session.query(ArchiveChange).filter_by(request_id=filed.id).one().id
        stage.ids["report_id"] = reports.begin_report(anna.user_id or 0, monday_of(clock.today()), anna).id
