"""From an upload to a file in a dossier: look at it, scan it, keep the content, write the row.

Opens transactions of its own, because the content is kept between them; call it outside `transaction()`.
"""

from __future__ import annotations

from plugins.archive import vault
from plugins.archive.dossiers import services
from plugins.archive.dossiers.services import ContractInput
from portal.core import settings
from portal.core.errors import ErrorList, Invalid
from portal.core.transaction import transaction
from portal.core.uploads import scanner
from portal.core.uploads.inspecting import inspect
from portal.core.uploads.problems import UploadProblem
from portal.extensions import db
from portal.i18n import _
from portal.org.actor import Actor


def receive_contract(data: ContractInput, name: str, content: bytes, actor: Actor) -> int:
    """Keep an uploaded contract; the id of its file.

    :raises Invalid: what was entered or the file itself; what is wrong with the file stands beside the field "file".
        Nothing of a refused file is kept.
    :raises VaultTrouble: the storage is full or does not answer.
    """
    errors = ErrorList()
    try:
        services.check_contract(data, actor)
    except Invalid as error:
        errors.pairs.extend(error.errors)
    max_bytes = settings.get("archive.file_mib") * 2**20
    address = settings.get("archive.clamd")
    db.session.rollback()  # no transaction stays open while the file is looked at
    verdict = scanner.Verdict(scanner.OFF)
    try:
        inspected = inspect(name, content, max_bytes)
        verdict = scanner.scan(content, address)
        if verdict.state == scanner.INFECTED:
            raise UploadProblem("upload.virus", name=verdict.detail)
    except UploadProblem as problem:
        with transaction():
            services.note_refused_upload(data.customer_id, problem.code, len(content), actor)
        errors.add("file", _(problem.message) % problem.params if problem.params else _(problem.message))
    errors.raise_if_any()
    if not services.room_left(len(inspected.content)):
        raise Invalid([("file", _("The archive has no room left. Please tell the administrator."))])
    digest = vault.put(inspected.content)
    waiting = ""
    if verdict.state == scanner.SILENT:
        waiting = _("The virus scanner did not answer.")
    with transaction():
        return services.add_contract(data, inspected, digest, actor, quarantine=waiting).id
