"""The web server process of `portal run`: gunicorn with an application that is there already.

Its settings are those of `gunicorn_conf.py`, as for `gunicorn -c python:portal.gunicorn_conf wsgi:app`.
"""

from __future__ import annotations

from flask import Flask
from gunicorn.app.base import Application


class WebServer(Application):
    """gunicorn's master: forks the processes that serve pages, and replaces those that end."""

    def __init__(self, application: Flask) -> None:
        self._application = application
        super().__init__()

    def load_config(self) -> None:
        """Settings from our module alone, none from the command line."""
        self.load_config_from_module_name_or_filename("python:portal.gunicorn_conf")

    def load(self) -> Flask:
        """What the processes serve."""
        return self._application


def serve(application: Flask) -> None:
    """Serve pages until a signal arrives."""
    WebServer(application).run()
