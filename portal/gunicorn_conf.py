"""Settings of the web server, taken from the portal's own (see `portal.config`). Loaded by gunicorn, not imported."""

from __future__ import annotations

import gc
from typing import Any

from portal.config import load_config
from portal.startup import settle

# Until the application is built: see `portal.startup`.
gc.disable()

_config = load_config()

bind = f"{_config['HOST']}:{_config['PORT']}"
workers = _config["WEB_WORKERS"]
# Threads keep a worker answering while one client reads slowly.
worker_class = "gthread"
threads = 4
# A kept connection stays with the process that took it, and a process without work takes all that come: 24 people who
# paused for less than five seconds were served by one process while the other slept (p50 99 ms; without keeping 47).
keepalive = 0
# A page takes milliseconds; what takes longer is a job. A worker that says nothing for so long is replaced.
timeout = 60
graceful_timeout = 8
# Built once and shared by the workers: half the start, and the memory is shared.
preload_app = True
# The heartbeat files must not wait for a busy disk.
# A world-writable folder is no danger here: gunicorn makes the file with a random name and unlinks it.
worker_tmp_dir = "/dev/shm"  # nosec B108
# What is written is for the portal's own account alone, whoever starts the server.
umask = 0o077
# Nobody steers the server through a socket; signals are enough.
control_socket_disable = True
loglevel = "warning"
# Proxies are trusted through PROXY_HOPS alone.
forwarded_allow_ips = "127.0.0.1,::1"
limit_request_line = 8190
limit_request_fields = 100


def when_ready(_server: Any) -> None:
    """Called once the application is built, before the workers are forked."""
    gc.enable()
    settle()


def post_fork(_server: Any, worker: Any) -> None:
    """Called in each new worker: connections made before the fork, if any, belong to the master."""
    from portal.extensions import db

    application = worker.app.wsgi()
    with application.app_context():
        db.engine.dispose(close=False)
