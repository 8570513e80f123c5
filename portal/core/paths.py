"""Paths of pages for services and jobs, which know no request."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import current_app, has_request_context, request


def path_for(endpoint: str, **values: Any) -> str:
    """Path of a page, with or without a request: for notices and for facts of approvals."""
    return current_app.url_map.bind("localhost").build(endpoint, values)


def address_for(endpoint: str, **values: Any) -> str:
    """Address of a page for what leaves the portal (calendars, messages): from BASE_URL, so that nobody who asks under
    another name can make it point elsewhere. Without BASE_URL: as the present request asked."""
    return base_address() + path_for(endpoint, **values)


def base_address() -> str:
    """BASE_URL, or else the address of the present request ("" without one); without the last slash."""
    kept: str = current_app.config["BASE_URL"]
    if not kept and has_request_context():
        kept = request.url_root
    return kept.rstrip("/")


def host_name() -> str:
    """The portal's name among hosts."""
    return urlsplit(base_address()).hostname or "localhost"
