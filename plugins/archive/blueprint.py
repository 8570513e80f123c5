"""The one blueprint of the archive's pages; the areas' `views` modules put their pages on it."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("archive", __name__, url_prefix="/archive", template_folder="templates")
