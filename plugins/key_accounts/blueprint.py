"""The one blueprint of this plugin; the views of each area register their pages on it."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("key_accounts", __name__, url_prefix="/key-accounts", template_folder="templates")
