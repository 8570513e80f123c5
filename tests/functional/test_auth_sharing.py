"""What several threads and HTTPS change about log-in."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.auth import services, throttle
from portal.config import ConfigError
from portal.core import clock
from portal.core.transaction import transaction
from portal.extensions import db
from tests.conftest import make_app
from tests.world import World


def test_parallel_attempts_gain_nothing(app: Flask, world: World) -> None:
    """Twenty attempts at once: no more of them get to the password than one after another would."""
    answers: list[int] = []
    start = threading.Barrier(20)

    def attempt() -> None:
        with app.app_context():
            start.wait()
            with transaction():
                answers.append(throttle.reserve("anna", "10.0.0.1"))
            db.session.remove()

    db.session.rollback()
    with clock.frozen(clock.now()):
        threads = [threading.Thread(target=attempt) for _number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(answers) == 20
    assert answers.count(0) == throttle.LIMITS["pair"].free


def test_cookie_over_https(app: Flask, world: World, tmp_path: Path) -> None:
    with transaction():
        services.give_password(world.user("anna").id, "blaue Wolken tanzen 77")
    db.session.remove()
    settings = {"HTTPS": True, "TRUSTED_HOSTS": "portal.example"}
    secure = make_app(tmp_path, app.config["SQLALCHEMY_DATABASE_URI"], **settings)
    with secure.app_context():
        client: FlaskClient = secure.test_client()
        form = {"login": "anna", "password": "blaue Wolken tanzen 77"}
        answer = client.post("/login", data=form, base_url="https://portal.example")
        cookies = [item for item in answer.headers.getlist("Set-Cookie") if item.startswith("__Host-portal=")]
        assert len(cookies) == 1
        for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
            assert part in cookies[0]
        assert "Domain" not in cookies[0]
        db.session.remove()
        db.engine.dispose()


@pytest.mark.parametrize("limits", [{"SESSION_IDLE_MINUTES": 31}, {"SESSION_HOURS": 13}, {"SESSION_IDLE_MINUTES": 0}])
def test_limits_beyond_the_rules_stop_the_start(tmp_path: Path, limits: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="SESSION_"):
        make_app(tmp_path, f"sqlite:///{tmp_path}/x.sqlite3", **limits)
