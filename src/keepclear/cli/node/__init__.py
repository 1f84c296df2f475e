"""``keepclear node``: one party's node: made, served, looked at."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from keepclear.cli.node.options import folder_of, node_option, passphrase_of, passphrase_option
from keepclear.errors import UsageError

if TYPE_CHECKING:
    from keepclear.channel.charter import Desk

__all__ = ["command"]


@click.group(name="node")
def command() -> None:
    """One party's node: make it, serve it, see how it is."""


@command.command()
@node_option
@passphrase_option
@click.option("--party", required=True, metavar="ID", help="Short and lower-case, e.g. 'alfa' or 'cell.alfa.example'.")
@click.option("--name", required=True, help="As people call it.")
@click.option("--url", required=True, help="Where the others reach this node, e.g. https://line.alfa.example:8443.")
@click.option("--language", "languages", multiple=True, default=("en",), show_default=True,
              help="What its duty officers read, the first preferred: en, fr, uk, ru, ar.")  # fmt: skip
@click.option("--desk", "desks", multiple=True, metavar="NAME=ROLE[@SECONDS[:TRANSPORT/…]],…",
              help="A desk's duty ladder, e.g. 'AIR=duty officer,watch supervisor@60:console/telephone'.")  # fmt: skip
@click.option("--database", metavar="ADDRESS",
              help="Keep the channel in PostgreSQL, addressed as libpq does, and not in a file.")  # fmt: skip
def init(
    node: Path, passphrase_file: Path | None, party: str, name: str, url: str, languages: tuple[str, ...],
    desks: tuple[str, ...], database: str | None,
) -> None:  # fmt: skip
    """Make a node: new keys, sealed with a passphrase, and the card that goes into the charter."""
    from keepclear.edge.whole_file import write_bytes

    folder = folder_of(node)
    read = [_desk(text) for text in desks]
    folder.create(
        party=party, name=name, url=url, languages=languages, desks=read,
        passphrase=passphrase_of(passphrase_file, confirm=True),
    )  # fmt: skip
    if database is not None:
        write_bytes(folder.database_file, database.encode(), private=True)
    click.echo(f"{folder.card_file}: the card of {party}; give it to whoever writes the charter (it holds no secret)")
    click.echo(f"Keep {node} on one machine, and {folder.lock.name} out of backups: it is what tells an old backup.")


def _desk(text: str) -> Desk:
    from keepclear.channel.charter import Desk, DutyStep

    name, _, ladder = text.partition("=")
    steps = []
    for rung in ladder.split(","):
        role, _, rest = rung.strip().partition("@")
        seconds, _, transports = rest.partition(":")
        if not role or (seconds and not seconds.isdigit()):
            raise UsageError(f"--desk reads NAME=ROLE[@SECONDS[:TRANSPORT/…]],…: {text!r}")
        steps.append(DutyStep(role, int(seconds or 0), tuple((transports or "console").split("/"))))
    return Desk(name, tuple(steps))


@command.command(name="new-keys")
@node_option
@passphrase_option
def new_keys(node: Path, passphrase_file: Path | None) -> None:
    """Make new keys for this party. They are in force when a charter that names them is enacted."""
    place = folder_of(node).rotate(passphrase_of(passphrase_file))
    click.echo(f"{place}: the new card; «channel charter new --after charter.json --card {place}», signed by all")


@command.command(name="revoke-key")
@node_option
@passphrase_option
@click.confirmation_option(prompt="Nothing more can be said with the entry key until a new charter. Go on?")
def revoke_key(node: Path, passphrase_file: Path | None) -> None:
    """Revoke our entry key, because it may be in other hands. Only a new charter can follow in our log."""
    from keepclear.channel.entry import REVOCATION_KIND, Draft
    from keepclear.cli.channel.messages import writing

    kept = writing(node, passphrase_file).append([Draft(REVOCATION_KIND, b"{}")])[0]
    click.echo(f"revoked, as entry {kept.seq} of our log; now: keepclear node new-keys")


@command.command()
@node_option
@passphrase_option
@click.option("--listen", metavar="HOST:PORT", help="Where to listen; all interfaces and the card's port if not given.")
@click.option("--on-duty", multiple=True, metavar="ROLE", help="Role on duty; repeatable; all roles if not given.")
@click.option("--notify", multiple=True, metavar="TRANSPORT=COMMAND",
              help="Command run for each call over this transport; the call is JSON on its input.")  # fmt: skip
@click.option("--test-every", default="1h", show_default=True, metavar="DURATION",
              help="The parties take turns in sending a neutral test; 0s for none.")  # fmt: skip
@click.option("--text-receipts", type=click.Choice(("ladder", "always", "never")), default="ladder", show_default=True,
              help="Prove by itself that texts to be decided on have arrived: where our charter names whom to call "
                   "(ladder), always, or never («decide receive» does it then).")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, for machines.")
def serve(
    node: Path, passphrase_file: Path | None, listen: str | None, on_duty: tuple[str, ...], notify: tuple[str, ...],
    test_every: str, text_receipts: str, as_json: bool,
) -> None:  # fmt: skip
    """Serve this party's node until interrupted: keep every line up, deliver, acknowledge, escalate."""
    from keepclear.cli.channel.message_fields import duration_ms
    from keepclear.cli.node.serving import Serving, listen_address, notify_commands
    from keepclear.decision_desk import TextReceipts

    folder = folder_of(node)
    address = listen_address(listen, folder.card().urls[0])
    commands = notify_commands(notify)
    every_ms = duration_ms(test_every)
    passphrase = passphrase_of(passphrase_file)
    receipts = TextReceipts(text_receipts)
    Serving(folder, passphrase, address, frozenset(on_duty), commands, as_json, every_ms, receipts).run()


@command.command()
@node_option
def status(node: Path) -> None:
    """Show what this node holds and what went wrong. Exit code 1 says that something did."""
    from keepclear.cli.channel.messages import reading
    from keepclear.quantities import format_instant

    read = reading(node)
    click.echo(f"{read.party} on the channel {read.store.channel[:16]}… («{read.charter.name}»)")
    for log in read.correspondence.parties:
        state = read.store.state(log)
        cosigned = ", ".join(f"{h.cosigner} {h.size}" for h in read.store.newest_held(log))
        click.echo(f"log of {log}: {state.size} entries; cosigned: {cosigned or 'by nobody yet'}")
        if state.revoked:
            click.echo(f"  the entry key of {log} is revoked; a new charter has to follow")
    forks, events = read.store.forks(), read.store.events()
    for party, count in sorted(Counter(fork.party for fork in forks).items()):
        written = "writes the proof" if count == 1 else f"writes the {count} proofs"
        click.echo(f"FORK of {party} is proved («keepclear channel fork-proof» {written})")
    for event in events:
        times = f", {event.count} times" if event.count > 1 else ""
        click.echo(f"{format_instant(event.last_ms / 1000.0)} {event.kind.value}: {event.text}{times}")
    click.get_current_context().exit(1 if forks or events else 0)
