"""`portal audit …`"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from portal.audit.anchors import FILE_NAME, AnchorError, write_anchor
from portal.audit.rights import RightsError, restrict, surplus
from portal.audit.services import note_check
from portal.audit.verify import verify_chain
from portal.core.transaction import transaction

_EXPECTED = re.compile(r"([1-9][0-9]{0,18})[: ]([0-9a-f]{64})")


@click.group("audit")
def audit() -> None:
    """The audit trail."""


@audit.command("verify")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
@click.option("--expect", default="", help="SEQ:HASH known from elsewhere (a mail, a printed sheet).")
@click.option("--no-anchor", is_flag=True, help="Do not write a new anchor.")
@with_appcontext
def verify(as_json: bool, expect: str, no_anchor: bool) -> None:
    """Prove the whole trail (exit 0), or name the first broken entry (exit 1)."""
    expected = None
    if expect:
        match = _EXPECTED.fullmatch(expect.strip())
        if match is None:
            raise click.BadParameter("SEQ:HASH with 64 hexadecimal digits is wanted", param_hint="--expect")
        expected = (int(match[1]), match[2])
    path = Path(current_app.config["DATA_DIR"]) / FILE_NAME
    verdict = verify_chain(path, expected=expected)
    with transaction():
        note_check(verdict)
    anchored = verdict.last_anchor
    if verdict.is_whole and not no_anchor:
        try:
            anchored = write_anchor(path) or anchored
        except AnchorError as error:
            click.echo(f"No anchor was written: {error}.", err=True)
    held = surplus()
    if as_json:
        answer = {
            "whole": verdict.is_whole,
            "entries": verdict.entries,
            "head": verdict.head_hash,
            "broken": verdict.broken_seq,
            "problem": verdict.problem,
            "sentence": verdict.sentence,
            "erased": verdict.erased,
            "anchors": verdict.anchors,
            "anchored": anchored.seq if anchored else None,
            "seconds": round(verdict.seconds, 3),
            "rights": held,
        }
        click.echo(json.dumps(answer))
    elif verdict.is_whole:
        erased = f" {verdict.erased} with personal data erased." if verdict.erased else ""
        compared = f"compared with {verdict.anchors} anchors" if verdict.anchors else "no anchor to compare with yet"
        click.echo(f"The audit trail is whole: {verdict.entries} entries, {compared}.{erased}")
        click.echo(f"Head {verdict.entries}:{verdict.head_hash}")
    elif verdict.broken_seq:
        click.echo(f"The audit trail is broken at entry {verdict.broken_seq}: {verdict.sentence}")
    else:
        click.echo(f"The audit trail is broken: {verdict.sentence}")
    if held and not as_json:
        click.echo(
            f"Warning: the account of the database could get past the triggers of the trail ({', '.join(held)}); "
            "see “portal audit restrict”.",
            err=True,
        )
    if not verdict.is_whole:
        sys.exit(1)


@audit.command("restrict")
@click.argument("account")
@with_appcontext
def restrict_account(account: str) -> None:
    """Give the PostgreSQL ACCOUNT that the portal shall run with what it needs, and nothing on the trail but adding.

    Run it with the account that owns the tables, once more after upgrades.
    """
    try:
        with transaction():
            done = restrict(account)
    except RightsError as error:
        raise click.ClickException(str(error)) from error
    for statement in done:
        click.echo(f"{statement};")


@audit.command("anchor")
@with_appcontext
def anchor() -> None:
    """Write the head of the trail down outside the database."""
    try:
        written = write_anchor(Path(current_app.config["DATA_DIR"]) / FILE_NAME)
    except AnchorError as error:
        raise click.ClickException(str(error)) from error
    click.echo("The trail is empty." if written is None else f"{written.seq}:{written.hash}")
