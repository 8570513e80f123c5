"""The one blueprint of this plugin; the views of each area register their pages on it (see `plugins/sop/views.py`)."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("sop", __name__, url_prefix="/sop", template_folder="templates")
