"""Settings that would be unsafe stop the start; keys are long, made once, changed without logging anybody out."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from portal import cli
from portal.auth.sessions import VISITOR_SALT, _visitor_serializer
from portal.config import ConfigError, load_config
from portal.core import checks


def config(folder: Path, **values: Any) -> dict[str, Any]:
    return load_config({"DATA_DIR": str(folder), **values})


def test_a_key_is_made_once_random_and_for_its_owner_alone(tmp_path: Path) -> None:
    first, second = config(tmp_path)["SECRET_KEY"], config(tmp_path)["SECRET_KEY"]
    assert first == second
    assert len(bytes.fromhex(first)) >= 32
    assert config(tmp_path / "other")["SECRET_KEY"] != first
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600


def test_a_data_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=f"{tmp_path}/file/data/secret.key can be neither read nor made"):
        config(tmp_path / "file" / "data")
    (tmp_path / "portal.env").write_bytes("ORGANISATION=示例公司".encode("gbk"))
    with pytest.raises(ConfigError, match=f"{tmp_path}/portal.env cannot be read: it is not UTF-8"):
        config(tmp_path)


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"SECRET_KEY": "change-me"}, "SECRET_KEY"),
        ({"SECRET_KEY": "x" * 31}, "SECRET_KEY"),
        ({"DEBUG": "1"}, "DEBUG"),
        ({"HTTPS": "true"}, "TRUSTED_HOSTS"),
        ({"DATABASE_URL": "mysql://x/y"}, "DATABASE_URL"),
        ({"PROXY_HOPS": "-1"}, "PROXY_HOPS"),
        ({"TIMEZONE": "Nowhere/Else"}, "TIMEZONE"),
    ],
)
def test_what_is_unsafe_or_unknown_stops_the_start(tmp_path: Path, values: dict[str, str], names: str) -> None:
    with pytest.raises(ConfigError, match=names) as caught:
        config(tmp_path, **values)
    assert "change-me" not in str(caught.value), "a key is never repeated"
    assert config(tmp_path, HTTPS="true", TRUSTED_HOSTS="portal.example")["SESSION_COOKIE_NAME"] == "__Host-portal"


def test_bodies_and_forms_have_bounds(tmp_path: Path) -> None:
    found = config(tmp_path, MAX_UPLOAD_MIB="3")
    assert found["MAX_CONTENT_LENGTH"] == 3 * 2**20
    assert 0 < found["MAX_FORM_MEMORY_SIZE"] <= 4 * 2**20
    assert 0 < found["MAX_FORM_PARTS"] <= 5000


def test_earlier_keys_are_accepted_and_only_the_newest_signs(tmp_path: Path) -> None:
    """What was signed before a change of keys is read; an old key that was taken out of the list is worth nothing."""
    old, new = "o" * 40, "n" * 40

    def app_with(key: str, *earlier: str) -> Flask:
        app = Flask("x")
        app.config.update(SECRET_KEY=key, SECRET_KEY_FALLBACKS=list(earlier))
        return app

    signed = {key: _visitor_serializer(app_with(key)).dumps({"a": 1}) for key in (old, new)}
    both = _visitor_serializer(app_with(new, old))
    assert [both.loads(signed[key]) for key in (old, new)] == [{"a": 1}] * 2
    assert _visitor_serializer(app_with(new)).loads(both.dumps({"a": 1})) == {"a": 1}
    with pytest.raises(Exception, match="does not match"):
        _visitor_serializer(app_with(new)).loads(signed[old])
    # The same holds of the library's own cookies (Flask before 3.1.1 had the order wrong).
    interface = SecureCookieSessionInterface()
    serializer = interface.get_signing_serializer(app_with(new, old))
    alone = interface.get_signing_serializer(app_with(new))
    assert serializer is not None
    assert alone is not None
    assert alone.loads(serializer.dumps({"b": 2})) == {"b": 2}
    assert VISITOR_SALT


def test_libraries_that_would_be_unsafe_stop_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    checks.check_libraries()
    with monkeypatch.context() as patch:
        patch.setenv("OPENPYXL_DEFUSEDXML", "False")
        with pytest.raises(ConfigError, match="defusedxml"):
            checks.check_libraries()
    monkeypatch.setattr("importlib.metadata.version", lambda _name: "69.9")
    with pytest.raises(ConfigError, match="WeasyPrint"):
        checks.check_libraries()


def test_what_the_command_writes_is_for_its_own_account_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = os.umask(0o022)
    try:
        monkeypatch.setattr(cli, "cli", lambda: (tmp_path / "portal.sqlite3").write_bytes(b""))
        cli.main()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "portal.sqlite3").stat().st_mode) == 0o600
