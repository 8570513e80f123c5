"""Imports the views of every area, so that all of them are on the blueprint. One line for each module."""

from __future__ import annotations

from plugins.sop.blueprint import blueprint

__all__ = ["blueprint"]
