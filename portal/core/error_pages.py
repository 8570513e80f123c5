"""The one place where errors become pages."""

from __future__ import annotations

import secrets

from flask import Flask, Response, current_app, g, jsonify, make_response, render_template, request
from flask.globals import request_ctx
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError

from portal.core import clock, pace
from portal.core.database import is_disk_full
from portal.core.errors import Conflict, Invalid, NotAllowed, NotFound, PortalError, TooMany
from portal.extensions import db

PAGES = frozenset({400, 403, 404, 409, 413, 429, 500, 503})


def init_app(app: Flask) -> None:
    """Attach the handlers."""
    for kind in (Invalid, NotAllowed, NotFound, Conflict, TooMany):
        app.register_error_handler(kind, portal_error)
    app.register_error_handler(CSRFError, csrf_error)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, unexpected_error)


def portal_error(error: PortalError) -> tuple[Response | str, int]:
    """An error that a service raised and no view caught."""
    if isinstance(error, (NotAllowed, TooMany)):
        note_refusal(error)
    answer, status = page(error.status, message=str(error.message) if error.message else "", details=error.details)
    again_at = error.details.get("again_at")
    if again_at is None:
        return answer, status
    response = make_response(answer)
    response.headers["Retry-After"] = str(max(1, round((again_at - clock.now()).total_seconds())))
    return response, status


def csrf_error(_error: CSRFError) -> tuple[Response | str, int]:
    """The form's token is missing or of another session."""
    return page(400, reason="csrf")


def http_error(error: HTTPException) -> tuple[Response | str, int] | HTTPException:
    """Errors that Werkzeug raises itself (404 for unknown addresses, 413 for large bodies …)."""
    code = error.code or 500
    if code < 400:
        return error
    if code not in PAGES:
        return page(400 if code < 500 else 500, status=code)
    return page(code)


def unexpected_error(error: Exception) -> tuple[Response | str, int]:
    """A bug: logged with an id, shown with that id and nothing else."""
    db.session.rollback()
    error_id = secrets.token_hex(4)
    current_app.logger.error("unexpected error %s at %s %s", error_id, request.method, request.path, exc_info=error)
    if is_disk_full(error):
        # Reading goes on; what would be written is refused here, with words that say what to do.
        return page(503, error_id=error_id)
    if current_app.config.get("PROPAGATE_EXCEPTIONS"):
        raise error
    return page(InternalServerError.code, error_id=error_id)


def page(code: int, status: int | None = None, **context: object) -> tuple[Response | str, int]:
    """Render the page of a code; scripts that asked for JSON get JSON."""
    db.session.rollback()
    if code == NotFound.status:
        pace.wait_for_mark()
    if not has_address():
        return Response(f"{code}\n", mimetype="text/plain"), status or code
    if request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json":
        return jsonify(error=code, message=context.get("message", "")), status or code
    return render_template(f"errors/{code}.html", **context), status or code


def has_address() -> bool:
    """Whether addresses can be made: not for a request to a name of the host that is none of ours."""
    return request_ctx.url_adapter is not None


def note_refusal(error: NotAllowed | TooMany) -> None:
    """Write a refusal into the trail, once a request; for views that draw the page of a refusal themselves."""
    recorder = current_app.extensions.get("portal_refusal_recorder")
    if recorder is not None and not g.get("refusal_recorded"):
        g.refusal_recorded = True
        recorder(error)
