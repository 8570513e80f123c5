"""Sending what is in the outbox: through SMTP, or into a spool folder when no mail server is set.

A row is claimed by a conditional update before it is sent, so no two processes send it. When a process dies between
sending and noting it, the row is sent once more under the same Message-ID: that single repetition cannot be avoided,
more are.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import select, update

from portal.audit.services import record
from portal.core import clock
from portal.core.database import rows_changed
from portal.core.transaction import transaction
from portal.extensions import db
from portal.i18n import LANGUAGE_TAGS, _, speaking
from portal.notifications.actions import NoticeAction
from portal.notifications.kinds import render
from portal.notifications.models import OutboxMessage, OutboxState
from portal.org.actor import SYSTEM

logger = logging.getLogger(__name__)

BATCH = 100
TIMEOUT_SECONDS = 20
#: Waiting time after the first, second … try that failed; the last one repeats.
BACK_OFF = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 30, 60))
#: A message that cannot be delivered for so long has failed.
GIVE_UP = timedelta(days=3)
#: A row claimed so long ago belongs to a process that died.
CLAIM_LOST = timedelta(minutes=10)
SPOOL = "mail"


class ServerAway(Exception):
    """The mail server cannot be reached or refuses us; later messages would fare no better."""


def send_due(cancelled: Callable[[], bool] = lambda: False) -> dict[str, int]:
    """Send what is due, at most `BATCH` messages. Returns numbers: sent, spooled, later, failed."""
    result = {"sent": 0, "spooled": 0, "later": 0, "failed": 0}
    release_lost()
    numbers = list(
        db.session.scalars(
            select(OutboxMessage.id)
            .where(OutboxMessage.state == OutboxState.QUEUED, OutboxMessage.next_at <= clock.now())
            .order_by(OutboxMessage.next_at, OutboxMessage.id)
            .limit(BATCH)
        )
    )
    db.session.rollback()
    if not numbers:
        return result
    with _delivery() as deliver:
        for number in numbers:
            if cancelled():
                break
            try:
                outcome = _send_one(number, deliver)
            except ServerAway:
                result["later"] += 1
                break
            if outcome:
                result[outcome] += 1
    return result


def release_lost() -> int:
    """Put rows of dead senders back into the queue. Returns how many."""
    with transaction() as session:
        done = session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.state == OutboxState.SENDING, OutboxMessage.claimed_at < clock.now() - CLAIM_LOST)
            .values(state=OutboxState.QUEUED, claimed_by="")
        )
    return rows_changed(done)


def _send_one(number: int, deliver: Callable[[EmailMessage, str], str]) -> str:
    """Claim and send one row. Returns the outcome, "" when another process was faster.

    :raises ServerAway: when the server is at fault; the row waits for its next try.
    """
    claim = secrets.token_hex(12)
    with transaction() as session:
        row = session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.id == number, OutboxMessage.state == OutboxState.QUEUED)
            .values(
                state=OutboxState.SENDING,
                claimed_at=clock.now(),
                claimed_by=claim,
                attempts=OutboxMessage.attempts + 1,
            )
            .returning(*OutboxMessage.__table__.c)
        ).first()
    if row is None:
        return ""
    try:
        state = deliver(compose(row), row.to_address)
    except ServerAway as error:
        _later(row, claim, str(error))
        raise
    except smtplib.SMTPRecipientsRefused as error:
        code, text = next(iter(error.recipients.values()))
        return _refused(row, claim, code, _reply(text))
    except smtplib.SMTPResponseException as error:
        return _refused(row, claim, error.smtp_code, _reply(error.smtp_error))
    except Exception as error:
        # Cannot be composed or carried by this server (an address in another script): trying again changes nothing.
        logger.warning("message %s cannot be sent", number, exc_info=True)
        return _failed(row, claim, f"{type(error).__name__}: {error}")
    _end(row, claim, state, sent_at=clock.now(), error="")
    return state


def _refused(row: Any, claim: str, code: int, text: str) -> str:
    """The server answered to this message: 4xx means later, 5xx never."""
    if code < 500:
        return _later(row, claim, f"{code} {text}")
    return _failed(row, claim, f"{code} {text}")


def _later(row: Any, claim: str, error: str) -> str:
    now = clock.now()
    if now - row.created_at >= GIVE_UP:
        return _failed(row, claim, error)
    wait = BACK_OFF[min(row.attempts, len(BACK_OFF)) - 1]
    _end(row, claim, OutboxState.QUEUED, next_at=now + wait, error=error[:500])
    return "later"


def _failed(row: Any, claim: str, error: str) -> str:
    _end(row, claim, OutboxState.FAILED, error=error[:500])
    return "failed"


def _end(row: Any, claim: str, state: str, **values: Any) -> None:
    with transaction() as session:
        session.execute(
            update(OutboxMessage)
            .where(OutboxMessage.id == row.id, OutboxMessage.claimed_by == claim)
            .values(state=state, **values)
        )
        if state == OutboxState.FAILED:
            record(
                SYSTEM,
                NoticeAction.MESSAGE_FAILED,
                object_type="outbox_message",
                object_id=row.id,
                object_label=row.kind,
                private={"to": row.to_address},
                reason=values.get("error", ""),
                result="failed",
            )


def _reply(text: bytes | str) -> str:
    plain = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    return " ".join(plain.split())


def compose(row: Any) -> EmailMessage:
    """Build the mail of an outbox row in its reader's language, as text and as simple HTML.

    Links are built from BASE_URL alone; without it there are none.
    """
    language = row.language or current_app.config["DEFAULT_LANGUAGE"]
    base = current_app.config["BASE_URL"].rstrip("/")
    kept = json.loads(row.items)
    with speaking(language):
        subject = render(row.subject)
        items = [
            {
                "title": render(item["title"]),
                "body": render(item["body"]),
                "link": base + item["url"] if base and item["url"] else "",
                "at": clock.local(datetime.fromisoformat(item["at"])).strftime("%Y-%m-%d %H:%M"),
            }
            for item in kept
        ]
        organisation = current_app.config["ORGANISATION"]
        context = {
            "subject": subject,
            "items": items,
            "organisation": organisation,
            "language_tag": LANGUAGE_TAGS.get(language, "zh-Hans-CN"),
            "preferences_link": f"{base}/notices/preferences" if base and row.user_id else "",
        }
        # Not flask.render_template: what pages receive besides (menu, counters) belongs to a request.
        text = current_app.jinja_env.get_template(f"email/{row.template}.txt").render(context)
        html = current_app.jinja_env.get_template(f"email/{row.template}.html").render(context)
        portal_name = _("%(organisation)s customer portal", organisation=organisation)
    name, address = parseaddr(current_app.config["MAIL_FROM"])
    mail = EmailMessage(policy=SMTPUTF8 if not row.to_address.isascii() else SMTP)
    mail["From"] = Address(name or portal_name, addr_spec=address)
    mail["To"] = Address(addr_spec=row.to_address)
    mail["Subject"] = subject
    mail["Date"] = format_datetime(row.created_at)
    mail["Message-ID"] = row.message_id
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text, cte="base64")
    mail.add_alternative(html, subtype="html", cte="base64")
    for item in kept:
        if item.get("calendar"):
            mail.add_attachment(
                item["calendar"],
                subtype="calendar",
                cte="base64",
                filename="invite.ics",
                params={"method": item["method"]},
            )
    mail["Content-Language"] = context["language_tag"]
    return mail


@contextmanager
def _delivery() -> Iterator[Callable[[EmailMessage, str], str]]:
    """The way out: one SMTP connection for the whole batch, opened with the first message, or the spool folder."""
    if not current_app.config["SMTP_HOST"]:
        yield _spool
        return
    connection: list[smtplib.SMTP] = []

    def deliver(mail: EmailMessage, to_address: str) -> str:
        if not connection:
            connection.append(_connect())
        try:
            connection[0].send_message(mail, to_addrs=[to_address])
        except (smtplib.SMTPSenderRefused, smtplib.SMTPServerDisconnected, smtplib.SMTPHeloError) as error:
            raise ServerAway(f"{type(error).__name__}: {error}") from error
        except smtplib.SMTPException:
            raise  # the answer to this message; an OSError too, so it is named before
        except OSError as error:
            raise ServerAway(f"{type(error).__name__}: {error}") from error
        return OutboxState.SENT

    try:
        yield deliver
    finally:
        for open_connection in connection:
            try:
                open_connection.quit()
            except (smtplib.SMTPException, OSError):
                open_connection.close()


def _connect() -> smtplib.SMTP:
    """:raises ServerAway: for whatever goes wrong before the first message, a wrong certificate included."""
    config = current_app.config
    host, port = config["SMTP_HOST"], config["SMTP_PORT"]
    try:
        if config["SMTP_TLS"] == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                host, port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context()
            )
        else:
            server = smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
            if config["SMTP_TLS"] == "starttls":
                server.starttls(context=ssl.create_default_context())
        if config["SMTP_USER"]:
            server.login(config["SMTP_USER"], config["SMTP_PASSWORD"])
    except (smtplib.SMTPException, OSError) as error:
        raise ServerAway(f"{type(error).__name__}: {error}") from error
    return server


def spool_folder() -> Path:
    """Where mail is kept while no mail server is set."""
    return Path(current_app.config["DATA_DIR"]) / SPOOL


def _spool(mail: EmailMessage, _to_address: str) -> str:
    """Write the mail as a file, whole or not at all; the name comes from the Message-ID, so twice is once."""
    folder = spool_folder()
    folder.mkdir(parents=True, exist_ok=True)
    name = str(mail["Message-ID"]).strip("<>").split("@")[0]
    temporary = folder / f".{name}.tmp"
    with temporary.open("wb") as handle:
        os.fchmod(handle.fileno(), 0o600)
        handle.write(mail.as_bytes())
        handle.flush()
        os.fsync(handle.fileno())
    os.replace(temporary, folder / f"{name}.eml")
    return OutboxState.SPOOLED
