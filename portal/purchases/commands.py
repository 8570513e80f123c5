"""`portal purchases …`"""

from __future__ import annotations

import click
from flask.cli import with_appcontext

from portal.core.transaction import transaction
from portal.purchases import summaries


@click.group("purchases")
def purchases() -> None:
    """Purchases and their sums."""


@purchases.command("rebuild-summaries")
@with_appcontext
def rebuild_summaries() -> None:
    """Compute the sums of all customers anew; tells how many were not true."""
    checked = corrected = 0
    for ids in list(summaries.customer_ranges(summaries.CHUNK)):
        with transaction():
            corrected += summaries.refresh(ids)
        checked += len(ids)
    with transaction():
        summaries.rebuild_groups()
    click.echo(f"{checked} customers checked, {corrected} corrected.")
