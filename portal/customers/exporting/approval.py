"""The kind of request for large exports."""

from __future__ import annotations

from collections.abc import Sequence

from portal.approvals.kinds import ApplicantHead, ApprovalKind, Description, Fact, StepSpec
from portal.approvals.models import ApprovalDecision, ApprovalRequest
from portal.core.coded import N_
from portal.customers.exporting.models import DataExport, ExportState
from portal.customers.exporting.services import KIND, queue
from portal.extensions import db
from portal.i18n import _, _l
from portal.org.actor import Actor, load_actor

HEAD_STEP = N_("Approval by the department head")


def route(_request: ApprovalRequest) -> Sequence[StepSpec]:
    """The head of the applicant's department."""
    return [StepSpec("head", HEAD_STEP, (ApplicantHead(),))]


def describe(request: ApprovalRequest) -> Description:
    """What leaves the portal, how much, why."""
    payload = request.payload
    facts = (
        Fact(_("List"), payload["title"], important=True),
        Fact(_("Rows"), f"{payload['rows']:,}", important=True, tone="warning"),
        Fact(_("Filters"), payload["filters"] or _("none"), important=True),
        Fact(_("Format"), payload["format"].upper()),
        Fact(_("Reason"), payload["reason"], important=True),
    )
    return Description(_("Export of customer data"), facts, _("The data leave the portal as a file."))


def _export(request: ApprovalRequest) -> DataExport | None:
    return db.session.get(DataExport, int(request.payload["export"]))


def filed(request: ApprovalRequest, _decision: ApprovalDecision | None, _actor: Actor) -> None:
    """Filed again after a refusal: the export waits for the new decision."""
    export = _export(request)
    if export is not None and export.state == ExportState.REFUSED:
        export.state, export.request_id = ExportState.WAITING.value, request.id
        db.session.flush()


def approved(request: ApprovalRequest, _decision: ApprovalDecision | None, _actor: Actor) -> None:
    """The file is made with the rights of the applicant, for him alone."""
    export = _export(request)
    if export is not None and export.state == ExportState.WAITING:
        queue(export, load_actor(export.owner_id))


def closed(request: ApprovalRequest, _decision: ApprovalDecision | None, _actor: Actor) -> None:
    """Nothing is made."""
    export = _export(request)
    if export is not None and export.state == ExportState.WAITING:
        export.state = ExportState.REFUSED.value
        db.session.flush()


def page(request: ApprovalRequest) -> str:
    """The page of the export."""
    return f"/exports/{request.payload['export']}"


KINDS = (
    ApprovalKind(
        KIND,
        _l("Export of data"),
        route,
        describe,
        icon="download",
        url=page,
        on_filed=filed,
        on_approved=approved,
        on_rejected=closed,
        on_returned=closed,
        on_withdrawn=closed,
        on_expired=closed,
        on_cancelled=closed,
    ),
)
