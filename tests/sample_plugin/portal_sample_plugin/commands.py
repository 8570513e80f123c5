"""A command of this plugin."""

from __future__ import annotations

import click
from flask.cli import with_appcontext
from sqlalchemy import func, select

from portal.extensions import db
from portal_sample_plugin.models import SampleDelivery


@click.command("samples")
@with_appcontext
def samples() -> None:
    """Say how many samples there are."""
    click.echo(f"samples: {db.session.scalar(select(func.count()).select_from(SampleDelivery))}")
