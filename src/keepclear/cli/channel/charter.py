"""``keepclear channel charter``: put a charter together, sign it, look at it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from keepclear.cli.node.options import folder_of, node_option, passphrase_of, passphrase_option
from keepclear.errors import InputError, UsageError

if TYPE_CHECKING:
    from keepclear.channel.charter import Charter, SignedCharter, Timers, Witness

__all__ = ["charter"]


@click.group()
def charter() -> None:
    """Who is on the channel, with which keys, under which rules; signed by all."""


@charter.command(name="new")
@click.option("--name", required=True, help="What the channel is called, e.g. 'Northern line'.")
@click.option("--card", "cards", multiple=True, type=click.Path(path_type=Path),
              help="A party's card.json, as «node init» wrote it; one for each party.")  # fmt: skip
@click.option("--witness", "witnesses", multiple=True, metavar="VKEY@URL",
              help="A neutral witness: its verifier key, and where it answers.")  # fmt: skip
@click.option("--witnesses-needed", type=click.IntRange(min=0), help="How many must cosign; all if not given.")
@click.option("--timer", "timers", multiple=True, metavar="NAME=NUMBER",
              help="check_every_ms, degraded_after_misses, silent_after_ms; of messages: flash.shown_s.")  # fmt: skip
@click.option("--after", type=click.Path(path_type=Path), metavar="CHARTER",
              help="The version in force, to be followed; its parties stay unless a card replaces them.")  # fmt: skip
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Where to write it.")
def new(
    name: str, cards: tuple[Path, ...], witnesses: tuple[str, ...], witnesses_needed: int | None,
    timers: tuple[str, ...], after: Path | None, out: Path,
) -> None:  # fmt: skip
    """Write a charter for all to sign. It is in force when all have signed it."""
    from keepclear.channel.charter import Charter, SignedCharter, charter_digits, charter_hash
    from keepclear.edge.channel.node_folder import read_card, read_charter
    from keepclear.edge.whole_file import write_bytes

    previous = read_charter(after).charter if after else None
    parties = {p.id: p for p in previous.parties} if previous else {}
    parties.update({card.id: card for card in map(read_card, cards)})
    named = tuple(_witness(text) for text in witnesses) or (previous.witnesses if previous else ())
    made = Charter(
        name=name, created_ms=time.time_ns() // 1_000_000, parties=tuple(parties[i] for i in sorted(parties)),
        witnesses=named, witnesses_needed=len(named) if witnesses_needed is None else witnesses_needed,
        timers=_timers(timers, previous), serial=previous.serial + 1 if previous else 0,
        previous=charter_hash(previous).hex() if previous else None,
    )  # fmt: skip
    # Read back as a stranger would, so that nothing is written that the others would refuse.
    written = SignedCharter.parse(SignedCharter(made).encode())
    write_bytes(out, written.encode() + b"\n")
    click.echo(f"{out}: to be signed by {', '.join(made.ids)} (keepclear channel charter sign)")
    click.echo(f"digits: {charter_digits(made)}")


@charter.command()
@node_option
@passphrase_option
@click.option("--after", type=click.Path(path_type=Path), metavar="CHARTER",
              help="The version in force, if this one changes it: sign with the key that it names too.")  # fmt: skip
@click.argument("file", type=click.Path(path_type=Path))
def sign(node: Path, passphrase_file: Path | None, after: Path | None, file: Path) -> None:
    """Add this node's signature to a charter. Read it first: «channel charter show»."""
    from keepclear.channel.charter import sign_charter
    from keepclear.edge.channel.node_folder import read_charter
    from keepclear.edge.whole_file import write_bytes

    folder = folder_of(node)
    party = folder.card().id
    signed = read_charter(file)
    passphrase, previous = passphrase_of(passphrase_file), read_charter(after).charter if after else None
    named = {c.party(party).entry_key for c in (signed.charter, previous) if c and party in c.ids}
    if not named:
        raise UsageError(f"neither this charter nor the one before it names {party}")
    for entry_key in sorted(named):  # with new keys both sign: the old ones approve, the new ones are shown to be held
        signed = sign_charter(signed, party, folder.keys_of(passphrase, entry_key).entry, previous)
    write_bytes(file, signed.encode() + b"\n")
    click.echo(f"{file}: signed by {party}; {_still_missing(signed)}")


@charter.command()
@node_option
@passphrase_option
@click.argument("file", type=click.Path(path_type=Path))
def enact(node: Path, passphrase_file: Path | None, file: Path) -> None:
    """Put a later charter, signed by all, into our log: from then on it is in force for it. Every party does so."""
    from keepclear.channel_node import ChannelNode
    from keepclear.edge.channel.node_folder import read_charter

    folder, passphrase = folder_of(node), passphrase_of(passphrase_file)
    signed = read_charter(file)
    kept = ChannelNode.open(folder, passphrase).enact(signed, folder, passphrase)
    click.echo(f"version {signed.charter.serial} is in force for our log from entry {kept.seq} on")


@charter.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_context
def show(ctx: click.Context, file: Path) -> None:
    """Show a charter: parties, keys, witnesses, timers, who has signed. Exit code 1 while signatures are missing."""
    from keepclear.channel.charter import charter_digits, charter_hash, log_note_key
    from keepclear.edge.channel.node_folder import read_charter
    from keepclear.quantities import format_instant

    signed = read_charter(file)
    it = signed.charter
    version = "first version" if it.serial == 0 else f"version {it.serial}, after {it.previous}"
    click.echo(f"{it.name}: {version}, of {format_instant(it.created_ms / 1000)}")
    if it.serial == 0:
        click.echo(f"channel id: {charter_hash(it).hex()}")
    click.echo(f"digits, to be compared over another medium: {charter_digits(it)}")
    for party in it.parties:
        click.echo(f"\n{party.id}: {party.name}; {', '.join(party.languages)}; {', '.join(party.urls)}")
        click.echo(f"  entry key {party.entry_key}")
        if it.serial == 0:
            click.echo(f"  log       {log_note_key(party, charter_hash(it).hex()).vkey}")
        click.echo(f"  mirror    {party.mirror.vkey}")
        for desk in party.desks:
            steps = " → ".join(f"{s.role} after {s.after_s} s by {'/'.join(s.transports)}" for s in desk.steps)
            click.echo(f"  desk {desk.name}: {steps}")
    for witness in it.witnesses:
        click.echo(f"\nwitness {witness.note_key.vkey} at {witness.url}")
    if it.witnesses:
        click.echo(f"witnesses needed: {it.witnesses_needed}")
    timers, doubt = it.timers, "more restrictive" if it.in_doubt == "restrictive" else "present"
    click.echo(
        f"\ncheck every {timers.check_every_ms} ms; degraded after {timers.degraded_after_misses} misses; silent after "
        f"{timers.silent_after_ms} ms; in doubt the {doubt} state stands"
    )
    click.echo(_still_missing(signed))
    _say_whether_in_force(ctx, signed)


def _say_whether_in_force(ctx: click.Context, signed: SignedCharter) -> None:
    from keepclear.channel.charter import verify_charter

    if _missing(signed):
        ctx.exit(1)
    if signed.charter.serial == 0:
        verify_charter(signed)


def _missing(signed: SignedCharter) -> list[str]:
    return [i for i in signed.charter.ids if i not in signed.signatures]


def _still_missing(signed: SignedCharter) -> str:
    missing = _missing(signed)
    return f"still to be signed by {', '.join(missing)}" if missing else "signed by all its parties"


def _witness(text: str) -> Witness:
    from keepclear.channel.charter import Witness
    from keepclear.channel.signed_note import ED25519_COSIGNATURE, NoteKey

    vkey, at, url = text.partition("@")
    if not at:
        raise UsageError(
            f"--witness reads VKEY@URL, e.g. witness.example+0a1b2c3d+BA…@https://witness.example: {text!r}"
        )
    key = NoteKey.parse(vkey)
    if key.kind != ED25519_COSIGNATURE:
        raise InputError(f"the key of the witness {key.name} is not one for cosignatures (type 04)")
    return Witness(key.name, key.public.hex(), url)


def _timers(given: tuple[str, ...], previous: Charter | None) -> Timers:
    import msgspec

    from keepclear.channel.charter import Timers

    timers = previous.timers if previous else Timers()
    messages = dict(timers.messages)
    own: dict[str, int] = {}
    for text in given:
        name, _, number = text.partition("=")
        if not number.isdigit():
            raise UsageError(f"--timer reads NAME=NUMBER, e.g. check_every_ms=2000: {text!r}")
        if name in ("check_every_ms", "degraded_after_misses", "silent_after_ms"):
            own[name] = int(number)
        else:
            messages[name] = int(number)
    return msgspec.structs.replace(timers, **own, messages=messages)
