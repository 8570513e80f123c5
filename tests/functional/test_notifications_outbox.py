"""Mail: nothing is lost while the server is away, nothing is sent twice, nothing is smuggled into a header."""

from __future__ import annotations

import email
import email.policy
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from flask import Flask
from sqlalchemy import func, select, update

from portal.core import clock
from portal.core.errors import Invalid
from portal.core.transaction import transaction
from portal.extensions import db
from portal.notifications import kinds, mailer
from portal.notifications.digest import write_digests
from portal.notifications.kinds import Message, NoticeKind, message, message_n
from portal.notifications.mailer import compose, release_lost, send_due, spool_folder
from portal.notifications.models import Channel, Notice, NoticePreference, OutboxMessage, OutboxState
from portal.notifications.services import choose_channels, notify, queue_mail, retry_message
from tests.conftest_servers import free_port
from tests.world import World

pytestmark = pytest.mark.db

MAILED = NoticeKind("tests.mailed", "Mailed", default_mail=True)
QUIET = NoticeKind("tests.quiet", "Quiet")
SECURITY = NoticeKind("tests.security", "Security", default_mail=True, mandatory=True)


class Inbox:
    """What arrived; some addresses are refused, for now or for good."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.envelopes: list[Any] = []
        self.lock = threading.Lock()

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        if address.startswith("nobody"):
            return "550 5.1.1 no such person"
        if address.startswith("later"):
            return "451 4.7.1 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        with self.lock:
            self.envelopes.append(envelope)
            self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 OK"


class Server:
    """A mail server that can go away and come back on the same port."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.inbox = Inbox()
        self.controller: Controller | None = None

    def start(self) -> None:
        self.controller = Controller(self.inbox, hostname="127.0.0.1", port=self.port)
        self.controller.start()

    def stop(self) -> None:
        if self.controller is not None:
            self.controller.stop()
            self.controller = None


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def app_settings(port: int) -> dict[str, Any]:
    return {
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": port,
        "SMTP_TLS": "none",
        "BASE_URL": "https://portal.example.com",
        "MAIL_FROM": "portal@example.com",
    }


@pytest.fixture
def server(app: Flask, port: int) -> Iterator[Server]:
    app.extensions["portal_notice_kinds"].add([MAILED, QUIET, SECURITY])
    made = Server(port)
    made.start()
    yield made
    made.stop()


def tell(world: World, *logins: str, kind: str = "tests.mailed", **more: Any) -> list[Notice]:
    given = {"title": message("%(name)s was approved", name="贵州茅台"), "url": "/customers/1", **more}
    with transaction():
        return notify([world.user(login).id for login in logins], kind, **given)


def states() -> dict[str, int]:
    db.session.rollback()
    rows = db.session.execute(select(OutboxMessage.state, func.count()).group_by(OutboxMessage.state))
    return {state: number for state, number in rows}  # noqa: C416


def test_a_mail_arrives_in_the_readers_language_with_a_link(app: Flask, world: World, server: Server) -> None:
    with transaction():
        world.user("anna").language = "zh_Hans_CN"
    tell(world, "anna", body="第一行\n第二行")
    assert send_due() == {"sent": 1, "spooled": 0, "later": 0, "failed": 0}
    mail = server.inbox.mails[0]
    assert mail["To"] == "anna@example.com"
    assert "贵州茅台" in mail["Subject"]
    assert mail["Content-Language"] == "zh-Hans-CN"
    text = mail.get_body(("plain",))
    html = mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "https://portal.example.com/customers/1" in text.get_content()
    assert 'href="https://portal.example.com/customers/1"' in html.get_content()
    assert "<p>第二行</p>" in html.get_content()
    assert states() == {"sent": 1}
    assert send_due()["sent"] == 0


def test_html_in_a_title_stays_text(app: Flask, world: World, server: Server) -> None:
    tell(world, "anna", title="<b>x</b> & co", body="<script>alert(1)</script>")
    send_due()
    html = server.inbox.mails[0].get_body(("html",))
    assert html is not None
    assert "<script>" not in html.get_content()
    assert "&lt;b&gt;x&lt;/b&gt; &amp; co" in html.get_content()


def test_two_hundred_notices_while_the_server_is_away(app: Flask, world: World, server: Server) -> None:
    server.stop()
    start = clock.now()
    with transaction():
        for number in range(200):
            notify([world.user("anna").id], "tests.mailed", title=f"notice {number}", about=f"thing:{number}")
    for minute in range(0, 60, 5):
        with clock.frozen(start + timedelta(minutes=minute)):
            assert send_due()["sent"] == 0
    assert states() == {"queued": 200}, "nothing is lost, nothing has failed"
    server.start()
    minute = 60
    while server.inbox.mails == [] or states().get("queued"):
        with clock.frozen(start + timedelta(minutes=minute)):
            send_due()
        minute += 5
        assert minute < 400
    subjects = [mail["Subject"] for mail in server.inbox.mails]
    assert sorted(subjects) == sorted(f"notice {number}" for number in range(200))
    assert states() == {"sent": 200}


def test_the_server_going_away_in_the_middle_loses_nothing(app: Flask, world: World, server: Server) -> None:
    with transaction():
        for number in range(6):
            notify([world.user("anna").id], "tests.mailed", title=f"notice {number}")
    sent = 0

    def cancelled() -> bool:
        nonlocal sent
        sent += 1
        if sent == 4:
            server.stop()
        return False

    now = clock.now()
    result = send_due(cancelled)
    assert (result["sent"], result["later"]) == (3, 1)
    server.start()
    with clock.frozen(now + timedelta(minutes=2)):
        send_due()
    assert [mail["Subject"] for mail in server.inbox.mails].count("notice 3") == 1
    assert states() == {"sent": 6}


def test_senders_side_by_side_send_each_message_once(app: Flask, world: World, server: Server) -> None:
    with transaction():
        for number in range(40):
            notify([world.user("anna").id], "tests.mailed", title=f"notice {number}")
    gate = threading.Barrier(4)

    def work() -> None:
        with app.app_context():
            gate.wait()
            send_due()
            db.session.remove()

    threads = [threading.Thread(target=work) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    subjects = [mail["Subject"] for mail in server.inbox.mails]
    assert sorted(subjects) == sorted(f"notice {number}" for number in range(40))


def test_a_sender_that_dies_repeats_once_under_the_same_message_id(
    app: Flask, world: World, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(world, "anna")
    now = clock.now()

    class Killed(BaseException):
        pass

    def die(*_args: Any, **_values: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):  # noqa: PT012
        patch.setattr(mailer, "_end", die)
        send_due()
    assert states() == {"sending": 1}
    with clock.frozen(now + timedelta(minutes=5)):
        send_due()
    assert len(server.inbox.mails) == 1, "the row still belongs to the other sender"
    with clock.frozen(now + timedelta(minutes=11)):
        send_due()
        send_due()
    first, second = server.inbox.mails
    assert first["Message-ID"] == second["Message-ID"]
    assert states() == {"sent": 1}


def test_refusals_for_good_and_for_now(app: Flask, world: World, server: Server) -> None:
    with transaction():
        queue_mail("nobody@example.com", subject="one")
        queue_mail("later@example.com", subject="two")
        queue_mail("anna@example.com", subject="three")
    assert send_due() == {"sent": 1, "spooled": 0, "later": 1, "failed": 1}
    failed = db.session.scalars(select(OutboxMessage).where(OutboxMessage.state == OutboxState.FAILED)).one()
    assert failed.error == "550 5.1.1 no such person"
    waiting = db.session.scalars(select(OutboxMessage).where(OutboxMessage.state == OutboxState.QUEUED)).one()
    assert waiting.next_at > clock.now()
    assert waiting.error.startswith("451")
    number = failed.id
    with transaction():
        db.session.get_one(OutboxMessage, number).to_address = "ben@example.com"
        retry_message(number, world.actor("admin"))
    send_due()
    assert {mail["To"] for mail in server.inbox.mails} == {"anna@example.com", "ben@example.com"}


def test_after_three_days_a_message_has_failed(app: Flask, world: World, server: Server) -> None:
    server.stop()
    tell(world, "anna")
    now = clock.now()
    moment, tries = now, 0
    while states() == {"queued": 1}:
        tries += 1
        with clock.frozen(moment):
            send_due()
        moment += timedelta(hours=1)
        assert moment < now + timedelta(days=4)
    assert states() == {"failed": 1}
    assert moment > now + timedelta(days=3)


def test_an_encryption_that_the_server_does_not_offer_sends_nothing(app: Flask, world: World, server: Server) -> None:
    app.config["SMTP_TLS"] = "starttls"
    tell(world, "anna")
    assert send_due()["later"] == 1
    assert server.inbox.mails == []
    assert "STARTTLS" in db.session.scalars(select(OutboxMessage)).one().error


def test_without_a_server_mail_goes_into_the_spool(app: Flask, world: World, server: Server) -> None:
    app.config["SMTP_HOST"] = ""
    tell(world, "anna", "ben")
    assert send_due()["spooled"] == 2
    files = sorted(spool_folder().iterdir())
    assert len(files) == 2
    mail = email.message_from_bytes(files[0].read_bytes(), policy=email.policy.default)
    assert "贵州茅台" in mail["Subject"]
    assert files[0].stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "subject",
    ["one\r\nBcc: all@example.com", "one\nBcc: x", "one\x00two", message("%(name)s ok", name="a\nBcc: x"), "a\x7fb"],
)
def test_line_breaks_in_a_subject_are_refused(app: Flask, world: World, server: Server, subject: Any) -> None:
    with pytest.raises(Invalid), transaction():
        queue_mail("anna@example.com", subject=subject)
    with pytest.raises(Invalid), transaction():
        notify([world.user("anna").id], "tests.mailed", title=subject)
    assert states() == {}


@pytest.mark.parametrize(
    "address",
    [
        "anna@example.com\nBcc: x@example.com",
        "a@b, c@d",
        "anna",
        "@example.com",
        "anna@",
        "",
        "Anna <anna@example.com>",
    ],
)
def test_what_is_no_address_is_refused(app: Flask, server: Server, address: str) -> None:
    with pytest.raises(Invalid), transaction():
        queue_mail(address, subject="hello")


def test_a_wrong_address_does_not_stop_the_notice(app: Flask, world: World, server: Server) -> None:
    with transaction():
        world.user("anna").email = "not an address"
        world.user("ben").email = ""
    assert len(tell(world, "anna", "ben")) == 2
    assert states() == {}


def test_links_come_from_the_configuration_alone(app: Flask, world: World, server: Server) -> None:
    app.config["BASE_URL"] = ""
    with app.test_request_context("/", headers={"Host": "evil.example"}):
        tell(world, "anna")
        row = db.session.execute(select(*OutboxMessage.__table__.c)).one()
        content = compose(row).as_string()
    assert "evil.example" not in content
    tell(world, "ben", url="https://evil.example/x")
    assert db.session.scalars(select(Notice.url).where(Notice.user_id == world.user("ben").id)).one() == ""


def test_a_rolled_back_action_sends_nothing(app: Flask, world: World, server: Server) -> None:
    with pytest.raises(RuntimeError), transaction():  # noqa: PT012
        notify([world.user("anna").id], "tests.mailed", title="never")
        raise RuntimeError
    assert states() == {}
    assert db.session.scalar(select(func.count()).select_from(Notice)) == 0


def test_the_same_news_is_told_once(app: Flask, world: World, server: Server) -> None:
    with transaction():
        for _number in range(3):
            notify([world.user("anna").id], "tests.mailed", title="request 12 waits", about="request:12")
    assert states() == {"queued": 1}
    tell(world, "anna", title="request 12 waits", about="request:12")
    assert db.session.scalar(select(func.count()).select_from(Notice)) == 1
    assert states() == {"queued": 1}, "the same words are not mailed again while they are unread"
    tell(world, "anna", title="request 12 was returned", about="request:12")
    assert states() == {"queued": 1}, "a mail that nobody has begun to send takes the newer words"
    send_due()
    assert [mail["Subject"] for mail in server.inbox.mails] == ["request 12 was returned"]
    tell(world, "anna", title="request 12 was approved", about="request:12")
    assert states() == {"sent": 1, "queued": 1}
    titles = db.session.scalars(select(Notice.title)).all()
    assert len(titles) == 1
    assert "approved" in titles[0]


def test_each_person_hears_by_the_way_he_chose(app: Flask, world: World, server: Server) -> None:
    for login, channel in (
        ("anna", Channel.MAIL),
        ("ben", Channel.DIGEST),
        ("cara", Channel.PORTAL),
        ("carl", Channel.NONE),
    ):
        with transaction():
            choose_channels(world.actor(login), {"tests.quiet": channel})
    with transaction():
        world.user("nora").is_active = False
    told = tell(world, "anna", "ben", "cara", "carl", "dora", "nora", kind="tests.quiet")
    assert {notice.user_id for notice in told} == {world.user(login).id for login in ("anna", "ben", "cara", "dora")}
    assert states() == {"queued": 1}
    with pytest.raises(Invalid), transaction():
        choose_channels(world.actor("anna"), {"tests.security": Channel.NONE})
    with transaction():
        db.session.add(NoticePreference(user_id=world.user("carl").id, kind="tests.security", channel="none"))
    assert len(tell(world, "carl", kind="tests.security")) == 1, "what may not be silent is not"
    with pytest.raises(KeyError):
        tell(world, "anna", kind="tests.unknown")


def test_the_digest_gathers_what_is_unread_and_comes_once(app: Flask, world: World, server: Server) -> None:
    for login in ("anna", "ben"):
        with transaction():
            choose_channels(world.actor(login), {"tests.quiet": Channel.DIGEST})
    for number in range(3):
        tell(world, "anna", kind="tests.quiet", title=f"news {number}", url=f"/customers/{number}")
    tell(world, "ben", kind="tests.quiet", title="read already")
    with transaction():
        db.session.execute(
            update(Notice).where(Notice.user_id == world.user("ben").id).values(read_at=datetime.now(UTC))
        )
    assert write_digests() == 1
    assert write_digests() == 0
    send_due()
    mail = server.inbox.mails[0]
    text = mail.get_body(("plain",))
    assert text is not None
    assert mail["Subject"].startswith("3 new notices")
    for number in range(3):
        assert f"news {number}" in text.get_content()
        assert f"https://portal.example.com/customers/{number}" in text.get_content()
    tell(world, "anna", kind="tests.quiet", title="news 4")
    assert write_digests() == 1


def test_the_digest_comes_on_working_days_at_eight(app: Flask) -> None:
    schedule = app.extensions["portal_jobs"]["notifications.digest"].schedule
    friday_noon = datetime(2026, 9, 25, 4, 0, tzinfo=UTC)
    following = clock.local(schedule.following(friday_noon - timedelta(days=3)))
    assert following.strftime("%H:%M") == "08:00"
    # 1 to 7 October 2026 are holidays.
    assert clock.local(schedule.following(datetime(2026, 10, 1, 0, 30, tzinfo=UTC))).date() >= date(2026, 10, 8)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (message("%(name)s was approved", name="100%"), "100% was approved"),
        (message("100%% done"), "100% done"),
        (message_n("%(num)s request of %(who)s", "%(num)s requests of %(who)s", 1, who="A"), "1 request of A"),
        (message_n("%(num)s request of %(who)s", "%(num)s requests of %(who)s", 3, who="A"), "3 requests of A"),
        (message("at %(when)s", when=datetime(2026, 3, 5, 1, 30, tzinfo=UTC)), "at 2026-03-05 09:30"),
    ],
)
def test_messages_are_filled_when_they_are_read(app: Flask, text: Message, shown: str) -> None:
    assert str(text) == shown


def test_placeholders_may_be_called_anything(app: Flask) -> None:
    """A filled word may have the name of something of the translator's own: number, message, singular."""
    kept = kinds.encode(message_n("%(num)s of %(number)s", "%(num)s of %(number)s", 2, number="FB-1", plural="x"))
    assert kinds.render(kept) == "2 of FB-1"
    assert kinds.render(kinds.encode(message("%(message)s", message="so", singular="y"))) == "so"


def test_lost_claims_go_back_into_the_queue(app: Flask, world: World, server: Server) -> None:
    tell(world, "anna")
    with transaction():
        db.session.execute(
            update(OutboxMessage).values(state="sending", claimed_at=clock.now() - timedelta(minutes=11))
        )
    assert release_lost() == 1
    assert states() == {"queued": 1}
