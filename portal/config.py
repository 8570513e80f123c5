"""Every setting of the portal: name, type, default and one line of help.

Values come from the environment, then from ``DATA_DIR/portal.env`` (lines ``NAME=value``), then from the default.
They are checked once, at start: a wrong value stops the start with a sentence that names the setting.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

PROJECT_ROOT = Path(__file__).resolve().parent.parent
ENV_FILE = "portal.env"
SECRET_FILE = "secret.key"
MINIMUM_SECRET_BYTES = 32


class ConfigError(Exception):
    """A setting has a value that the portal cannot start with."""


@dataclass(frozen=True)
class Option:
    """One setting. ``kind`` is one of str, int, bool, list, path, choice:a|b."""

    name: str
    kind: str
    default: Any
    help: str


OPTIONS: tuple[Option, ...] = (
    Option("DATA_DIR", "path", "data", "Folder for everything the portal keeps: database, files, keys, anchors."),
    Option("HOST", "str", "127.0.0.1", "Address the web server listens on."),
    Option("PORT", "int", 8000, "Port the web server listens on."),
    Option("WEB_WORKERS", "int", 2, "Number of web processes."),
    Option("DATABASE_URL", "str", "", "SQLAlchemy URL; empty means the embedded database in DATA_DIR."),
    Option("FILES_URL", "str", "", "Files of the core: file:///folder or s3://bucket/prefix; empty: DATA_DIR/files."),
    Option("ARCHIVE_URL", "str", "", "The archive's own space, written likewise; empty: DATA_DIR/archive."),
    Option(
        "ARCHIVE_KEY_FILE",
        "str",
        "",
        "Key of both, not beside them; empty: DATA_DIR/keys/storage.keys.",
    ),
    Option("BACKUP_URL", "str", "", "Where backups go, best another disk; empty: DATA_DIR/backups."),
    Option("BACKUP_KEY_FILE", "str", "", "Key of the backups; empty: DATA_DIR/keys/backup.keys."),
    Option("S3_ENDPOINT", "str", "", "Address of the S3-compatible service; empty means AWS."),
    Option("S3_REGION", "str", "us-east-1", "Region of the buckets."),
    Option("S3_ACCESS_KEY_ID", "str", "", "Who the portal is there; empty: from the machine's role."),
    Option("S3_SECRET_ACCESS_KEY", "str", "", "The secret to it."),
    Option("S3_PATH_STYLE", "bool", True, "The bucket is part of the path, not of the host's name."),
    Option("REDIS_URL", "str", "", "Redis that tells workers of new jobs; empty means a file in DATA_DIR."),
    Option("SECRET_KEY", "str", "", "At least 32 random bytes as text; empty means DATA_DIR/secret.key, made once."),
    Option("SECRET_KEY_FALLBACKS", "list", (), "Earlier secret keys that are still accepted, newest first."),
    Option("TRUSTED_HOSTS", "list", (), "Host names the portal answers to; empty means any, which HTTPS refuses."),
    Option("PROXY_HOPS", "int", 0, "Number of trusted proxies that set X-Forwarded-* headers."),
    Option("HTTPS", "bool", False, "The portal is reached over HTTPS: secure __Host- cookie and HSTS."),
    Option("BASE_URL", "str", "", "Address used for links in messages, e.g. https://portal.example.com."),
    Option("ORGANISATION", "str", "示例公司", "Name of the organisation, on pages and documents."),
    Option("TIMEZONE", "str", "Asia/Shanghai", "Time zone of the organisation."),
    Option("DEFAULT_LANGUAGE", "choice:zh_Hans_CN|zh_Hant|en", "zh_Hans_CN", "Language before a person chose one."),
    Option("SESSION_IDLE_MINUTES", "int", 30, "A session ends after so many minutes without a request."),
    Option("SESSION_HOURS", "int", 12, "A session ends after so many hours in any case."),
    Option("PASSWORD_COMPLEXITY", "bool", False, "Ask for character classes (organisations under GB/T 22239)."),
    Option("PASSWORD_MAX_DAYS", "int", 0, "Passwords must be changed after so many days; 0 means never."),
    Option("MAX_UPLOAD_MIB", "int", 20, "Largest request body in MiB."),
    Option("EXPORT_FREE_ROWS", "int", 500, "Exports above this number of rows need the head's approval."),
    Option("SMTP_HOST", "str", "", "Mail server; empty means that mail is only written to the spool."),
    Option("SMTP_PORT", "int", 25, "Port of the mail server."),
    Option("SMTP_USER", "str", "", "User name at the mail server."),
    Option("SMTP_PASSWORD", "str", "", "Password at the mail server."),
    Option("SMTP_TLS", "choice:none|starttls|tls", "starttls", "Encryption towards the mail server."),
    Option("MAIL_FROM", "str", "portal@localhost", "Sender address of mail."),
    Option("DISABLED_PLUGINS", "list", (), "Names of installed plugins that are switched off."),
    Option("DEBUG", "bool", False, "Refused: the portal never runs with the debugger."),
    Option("DEMO", "bool", False, "This is the demo company: the log-in page shows the demo accounts."),
)

#: Options whose values nobody is shown.
SECRET_OPTIONS = frozenset(
    {"SECRET_KEY", "SECRET_KEY_FALLBACKS", "SMTP_PASSWORD", "DATABASE_URL", "REDIS_URL", "S3_SECRET_ACCESS_KEY"}
)
OPTION_NAMES = frozenset(option.name for option in OPTIONS)


def read_env_file(path: Path) -> dict[str, str]:
    """Read ``NAME=value`` lines; blank lines and lines that start with # are ignored. A missing file is empty."""
    if not path.is_file():
        return {}
    values = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        line = line.strip()
        if line and not line.startswith("#") and "=" in line:
            name, value = line.split("=", 1)
            values[name.strip()] = value.strip()
    return values


def write_env_value(path: Path, name: str, value: str) -> None:
    """Set one ``NAME=value`` line in the file, keeping the others; replaces the file in one step."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    kept = [line for line in lines if line.split("=", 1)[0].strip() != name]
    kept.append(f"{name}={value}")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text("\n".join(kept) + "\n", encoding="utf-8")
    os.replace(temporary, path)


def _convert(option: Option, raw: Any) -> Any:
    if option.kind == "bool":
        if isinstance(raw, bool):
            return raw
        if str(raw).lower() in {"1", "true", "yes", "on"}:
            return True
        if str(raw).lower() in {"0", "false", "no", "off", ""}:
            return False
        raise ConfigError(f"{option.name} must be true or false, not {raw!r}.")
    if option.kind == "int":
        try:
            number = int(raw)
        except ValueError as error:
            raise ConfigError(f"{option.name} must be a whole number, not {raw!r}.") from error
        if number < 0:
            raise ConfigError(f"{option.name} must not be negative.")
        return number
    if option.kind == "list":
        items = raw.split(",") if isinstance(raw, str) else raw
        return tuple(item.strip() for item in items if item.strip())
    if option.kind == "path":
        path = Path(raw)
        return path if path.is_absolute() else (PROJECT_ROOT / path).resolve()
    if option.kind.startswith("choice:"):
        choices = option.kind.removeprefix("choice:").split("|")
        if raw not in choices:
            raise ConfigError(f"{option.name} must be one of {', '.join(choices)}, not {raw!r}.")
    return str(raw)


def load_config(environ: Mapping[str, str] | None = None, **overrides: Any) -> dict[str, Any]:
    """Collect all settings into a Flask configuration.

    :param environ: the environment, default ``os.environ``.
    :param overrides: values that win over everything (tests); further Flask keys are passed through.
    :raises ConfigError: when a value cannot be used.
    """
    environ = os.environ if environ is None else environ
    by_name = {option.name: option for option in OPTIONS}
    data_option = by_name["DATA_DIR"]
    data_dir = _convert(data_option, overrides.get("DATA_DIR") or environ.get("DATA_DIR") or data_option.default)
    try:
        file_values = read_env_file(data_dir / ENV_FILE)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(f"{data_dir / ENV_FILE} cannot be read: {why}.") from error
    config: dict[str, Any] = {}
    for option in OPTIONS:
        raw = overrides.get(option.name, environ.get(option.name, file_values.get(option.name, option.default)))
        config[option.name] = _convert(option, raw)
    config["DATA_DIR"] = data_dir
    config.update({key: value for key, value in overrides.items() if key not in OPTION_NAMES})
    _check(config)
    _derive(config)
    return config


def _check(config: dict[str, Any]) -> None:
    if config["DEBUG"]:
        raise ConfigError("DEBUG must stay off: the debugger would give every visitor a shell.")
    try:
        ZoneInfo(config["TIMEZONE"])
    except Exception as error:
        raise ConfigError(f"TIMEZONE {config['TIMEZONE']!r} is not known.") from error


def _derive(config: dict[str, Any]) -> None:
    from sqlalchemy.engine import make_url

    data_dir: Path = config["DATA_DIR"]
    url = config["DATABASE_URL"] or f"sqlite:///{data_dir / 'portal.sqlite3'}"
    if url.startswith(("postgresql://", "postgres://")):
        url = "postgresql+psycopg://" + url.split("://", 1)[1]
    backend = make_url(url).get_backend_name()
    if backend not in {"sqlite", "postgresql"}:
        raise ConfigError(f"DATABASE_URL must name SQLite or PostgreSQL, not {backend!r}.")
    config["SQLALCHEMY_DATABASE_URI"] = url
    if not config["SECRET_KEY"]:
        path = data_dir / SECRET_FILE
        try:
            config["SECRET_KEY"] = _secret_from_file(path)
        except OSError as error:
            raise ConfigError(
                f"{path} can be neither read nor made: {error.strerror}. The data folder belongs to the user that runs "
                "the portal; DATA_DIR=… names another folder."
            ) from error
    if len(config["SECRET_KEY"].encode()) < MINIMUM_SECRET_BYTES:
        raise ConfigError(f"SECRET_KEY must have at least {MINIMUM_SECRET_BYTES} bytes.")
    config["SECRET_KEY_FALLBACKS"] = list(config["SECRET_KEY_FALLBACKS"])
    if config["HTTPS"] and not config["TRUSTED_HOSTS"]:
        raise ConfigError("HTTPS=true needs TRUSTED_HOSTS: without it anybody may choose the name in the addresses.")
    config["TRUSTED_HOSTS"] = list(config["TRUSTED_HOSTS"]) or None
    config["MAX_CONTENT_LENGTH"] = config["MAX_UPLOAD_MIB"] * 1024 * 1024
    config["MAX_FORM_MEMORY_SIZE"] = 2 * 1024 * 1024
    config["MAX_FORM_PARTS"] = 2000
    config["SESSION_COOKIE_NAME"] = "__Host-portal" if config["HTTPS"] else "portal"
    config["SESSION_COOKIE_SECURE"] = config["HTTPS"]
    config["SESSION_COOKIE_HTTPONLY"] = True
    config["SESSION_COOKIE_SAMESITE"] = "Lax"
    config["PREFERRED_URL_SCHEME"] = "https" if config["HTTPS"] else "http"
    config["WTF_CSRF_TIME_LIMIT"] = None  # the token lives as long as the server-side session
    config["BABEL_DEFAULT_LOCALE"] = config["DEFAULT_LANGUAGE"]
    config["BABEL_DEFAULT_TIMEZONE"] = config["TIMEZONE"]
    config["BOOTSTRAP_SERVE_LOCAL"] = True


def _secret_from_file(path: Path) -> str:
    """Read the secret key, making it on the first start (readable by the owner only)."""
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        secret = secrets.token_hex(MINIMUM_SECRET_BYTES)
        # Written aside and linked, so that two processes starting at once agree on one key.
        temporary = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as handle:
            handle.write(secret)
        try:
            os.link(temporary, path)
        except FileExistsError:
            secret = path.read_text(encoding="ascii").strip()
        finally:
            os.unlink(temporary)
        return secret
