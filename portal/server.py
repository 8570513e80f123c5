"""Starts web server and worker together and stops them together: what `portal run` does.

The supervisor builds the application once and forks both, so that a start takes the time of one, and the processes
share its memory. The two have process groups of their own, so that a Ctrl-C in the terminal reaches only the
supervisor, which then ends them in order. Should the supervisor itself be killed, the kernel tells them to end
(`PR_SET_PDEATHSIG`).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import http.client
import ipaddress
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Any, TextIO

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from portal import migrating, web_server
from portal.app import create_app
from portal.config import ConfigError, load_config
from portal.demo import load as demo_company
from portal.demo.words import SHORT_NAME
from portal.extensions import db
from portal.jobs import worker as job_worker
from portal.pluginmanager import PluginError
from portal.startup import settle, without_collector

#: Seconds that a child has to finish what it is doing before it is interrupted, and before it is killed.
GRACE_SECONDS = 10.0
INTERRUPT_SECONDS = 5.0
#: Seconds after which a portal that is up but not well says so.
READY_SECONDS = 45.0

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class StartError(Exception):
    """The portal cannot start; the message says why."""


@dataclass
class Child:
    """One of the two processes.

    :ivar name: as it is called in messages.
    :ivar work: what it does until it is told to stop.
    :ivar gently: the signal that lets it finish its present work. :ivar firmly: the one that interrupts it.
    """

    name: str
    work: Callable[[], None]
    gently: signal.Signals
    firmly: signal.Signals
    process: ForkProcess | None = None

    def start(self) -> None:
        """Fork it, in a process group of its own."""
        self.process = get_context("fork").Process(target=self._run, name=self.name)
        self.process.start()

    def _run(self) -> None:
        """In the child: end with the supervisor, receive signals again, then work."""
        os.setsid()
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        self.work()

    @property
    def code(self) -> int | None:
        """How it ended: its exit code, the negative number of the signal that ended it, None while it runs."""
        return self.process.exitcode if self.process else None

    @property
    def ended(self) -> bool:
        """Whether it has run and is gone."""
        return self.code is not None

    def send(self, number: signal.Signals, *, group: bool = False) -> None:
        """Send a signal to it, or to everything it started as well."""
        if self.process is None or self.process.pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            if group:
                os.killpg(self.process.pid, number)
            elif not self.ended:
                os.kill(self.process.pid, number)


def main(*, demo: bool = False, web: bool = True, worker: bool = True) -> int:
    """Run web server and worker until a signal arrives or one of them ends.

    :param demo: migrate first, load the demo company into an empty database, print its accounts with the address.
    :param web: start the web server.
    :param worker: start the worker (on one machine only where several share a database).
    :return: exit code: 0 after a stop that was asked for, 1 when the start failed or a child ended by itself.
    """
    try:
        config = load_config()
        parts = [name for name, wanted in (("web", web), ("worker", worker)) if wanted]
        with _only_one(config["DATA_DIR"], parts):
            if web:
                _refuse_busy_port(config["HOST"], config["PORT"])
            with without_collector():
                app = create_app()
            accounts = _prepare(app, demo=demo)
            settle()
            return _supervise(_children(app, web=web, worker=worker), config, accounts if web else "")
    except (ConfigError, PluginError, StartError) as error:
        _say(f"The portal cannot start: {error}")
        return 1
    except KeyboardInterrupt:
        return 130


def _prepare(app: Flask, *, demo: bool) -> str:
    """Bring the database up to date, and leave no connection open for the children to inherit.

    :return: the demo accounts as text, empty without a demo company.
    """
    with app.app_context():
        if not _is_ready(app, demo=demo):
            # In a process of its own, so that this one, and all that share its memory, stay small.
            command = [sys.executable, "-c", "from portal.cli import main; main()", "prepare"]
            done = subprocess.run([*command, *(["--demo"] if demo else [])], stdin=subprocess.DEVNULL)
            if done.returncode:
                raise StartError("the database could not be made ready (see above).")
        accounts = demo_company.accounts_text() if demo else ""
        db.session.remove()
        db.engine.dispose()
    if accounts:
        # The log-in page of the demo company names its accounts, and everything bears its name.
        for name, value in (("DEMO", True), ("ORGANISATION", SHORT_NAME)):
            if name not in os.environ:
                app.config[name] = value
    return accounts


def _is_ready(app: Flask, *, demo: bool) -> bool:
    """Whether the database needs nothing; in doubt no, for `portal prepare` says what is wrong."""
    try:
        return not migrating.missing_heads(app) and not (demo and demo_company.is_empty())
    except (migrating.UnknownRevision, SQLAlchemyError, OSError):
        return False
    finally:
        # What was read holds nothing any more while `portal prepare` works.
        db.session.remove()


def _children(app: Flask, *, web: bool, worker: bool) -> list[Child]:
    children = []
    if web:
        children.append(Child("web server", lambda: web_server.serve(app), signal.SIGTERM, signal.SIGQUIT))
    if worker:
        children.append(Child("worker", lambda: job_worker.work(app), signal.SIGTERM, signal.SIGINT))
    return children


@contextlib.contextmanager
def _only_one(data_dir: Path, parts: Sequence[str] = ("web", "worker")) -> Iterator[None]:
    """Two workers on one data folder would run every scheduled job twice; so each part holds a lock of its own there.

    :param parts: what is started: "web" and "worker" together, or one of them beside a service that runs the other.
    """
    with contextlib.ExitStack() as held:
        try:
            data_dir.mkdir(parents=True, exist_ok=True)
            handles = [held.enter_context((data_dir / f"{part}.lock").open("a+", encoding="ascii")) for part in parts]
        except OSError as error:
            raise StartError(
                f"the data folder {data_dir} cannot be written ({error.strerror}). Give it to the user that runs the "
                "portal, or name another folder: DATA_DIR=…"
            ) from error
        for handle in handles:
            _hold(handle, data_dir)
        yield


def _hold(handle: TextIO, data_dir: Path) -> None:
    """Lock a file until it is closed, and write our process number into it."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        handle.seek(0)
        owner = handle.read().strip()
        raise StartError(
            f"another portal runs on the data folder {data_dir}{f' (process {owner})' if owner else ''}. "
            "Stop it, or name another folder: DATA_DIR=…"
        ) from error
    handle.truncate(0)
    handle.write(str(os.getpid()))
    handle.flush()


def _refuse_busy_port(host: str, port: int) -> None:
    """Find out early, for one clear sentence instead of the server's five attempts."""
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise StartError(f"HOST {host!r} is not an address of this machine.") from error
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise StartError(f"port {port} on {host} is in use. Choose another: PORT={port + 1}") from error
            if error.errno == errno.EACCES:
                raise StartError(f"port {port} needs more rights than this user has. Choose one above 1024.") from error
            raise StartError(f"cannot listen on {host}:{port}: {error.strerror}.") from error


def _supervise(children: list[Child], config: dict[str, Any], accounts: str) -> int:
    """Start the children, wait, stop them; returns the exit code."""
    watched = {*_STOP_SIGNALS, signal.SIGCHLD}
    # Blocked signals wait in the kernel until sigtimedwait fetches them: none is lost between two steps.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    try:
        for child in children:
            child.start()
        started = time.monotonic()
        announced = all(child.name != "web server" for child in children)
        if announced:
            _say("The worker runs (Ctrl-C stops it).")
        while True:
            received = signal.sigtimedwait(watched, 1.0 if announced else 0.2)
            number = received.si_signo if received else None
            if number in _STOP_SIGNALS:
                _say("\nStopping …" if number == signal.SIGINT else "Stopping …")
                _stop(children, watched)
                return 0
            gone = next((child for child in children if child.ended), None)
            if gone:
                _say(f"The {gone.name} ended by itself ({_reason(gone)}); stopping the portal.")
                _stop(children, watched)
                return 1
            if not announced:
                announced = _announce_when_ready(config, time.monotonic() - started, accounts)
    except BaseException:
        for child in children:
            child.send(signal.SIGKILL, group=True)
        raise
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _stop(children: list[Child], watched: set[signal.Signals]) -> None:
    """End all children: gently, then firmly, then for certain. A second Ctrl-C shortens the patience."""
    steps: tuple[tuple[str, float], ...] = (("gently", GRACE_SECONDS), ("firmly", INTERRUPT_SECONDS))
    for manner, patience in steps:
        for child in children:
            child.send(getattr(child, manner))
        deadline = time.monotonic() + patience
        while any(not child.ended for child in children) and (left := deadline - time.monotonic()) > 0:
            received = signal.sigtimedwait(watched, min(left, 0.2))
            if received and received.si_signo in _STOP_SIGNALS:
                break
    for child in children:
        # The group may hold what the child itself did not end.
        child.send(signal.SIGKILL, group=True)
        if child.process:
            child.process.join()


def _reason(child: Child) -> str:
    code = child.code or 0
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _announce_when_ready(config: dict[str, Any], waited: float, accounts: str) -> bool:
    """Print the address once the portal is well, or once it has had time enough and is not."""
    status, body = _health(config)
    if status != 200 and waited < READY_SECONDS:
        return False
    address = _address(config)
    if status == 200:
        _say(f"\nThe portal runs at {address} (Ctrl-C stops it).\n")
    else:
        _say(f"\nThe portal runs at {address}, but is not well: {body or 'it does not answer yet'}\n")
    if accounts:
        _say(f"Accounts of the demo company:\n\n{accounts}\n")
    return True


def _health(config: dict[str, Any]) -> tuple[int, str]:
    """Ask /healthz; returns status (0 when nobody answers) and the body's beginning."""
    connection = http.client.HTTPConnection(_reachable(config["HOST"]), config["PORT"], timeout=3)
    headers = {"Host": config["TRUSTED_HOSTS"][0].lstrip(".")} if config["TRUSTED_HOSTS"] else {}
    try:
        connection.request("GET", "/healthz", headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read(500).decode("utf-8", "replace").strip()
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()


def _address(config: dict[str, Any]) -> str:
    """The address for the browser."""
    host = _reachable(config["HOST"])
    return config["BASE_URL"] or f"http://{f'[{host}]' if ':' in host else host}:{config['PORT']}"


def _reachable(host: str) -> str:
    """Where a server that listens on HOST is reached from this machine: all addresses include the loopback one."""
    with contextlib.suppress(ValueError):
        address = ipaddress.ip_address(host)
        if address.is_unspecified:
            return "127.0.0.1" if address.version == 4 else "::1"
    return host


def _say(text: str) -> None:
    print(text, flush=True)
