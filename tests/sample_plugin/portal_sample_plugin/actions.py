"""Audit actions of this plugin."""

from __future__ import annotations

from enum import StrEnum


class SampleAction(StrEnum):
    """What the trail can say about samples."""

    ASK = "sample:delivery:ask"
    SEND = "sample:delivery:send"
