"""Paths of pages for services and jobs, which know no request."""

from __future__ import annotations

from typing import Any

from flask import current_app


def path_for(endpoint: str, **values: Any) -> str:
    """Path of a page, with or without a request: for notices and for facts of approvals."""
    return current_app.url_map.bind("localhost").build(endpoint, values)
