"""``keepclear channel suspend|resume|cause|deny|incident|erase``: what a party declares, beside its messages."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from keepclear.cli.channel.message_fields import instant_ms, position_of
from keepclear.cli.channel.messages import DESKS, by_option, reading, writing
from keepclear.cli.node.options import node_option, passphrase_option
from keepclear.errors import UsageError

__all__ = ["COMMANDS"]

FORCES = ("OWN", "ALLIED", "PROXY", "CONTRACTOR")
desk_option = click.option(
    "--desk", "desks", multiple=True, type=click.Choice(DESKS, case_sensitive=False), help="Only this desk; repeatable."
)


def _declare(node: Path, passphrase_file: Path | None, body: Any) -> None:
    from keepclear.channel.entry import Draft
    from keepclear.messages.bodies import encode_body, kind_of

    kept = writing(node, passphrase_file).append([Draft(kind_of(body), encode_body(body))])[0]
    click.echo(f"declared, as entry {kept.seq} of our log")


@click.command()
@node_option
@passphrase_option
@by_option
@desk_option
@click.option("--until", metavar="INSTANT", help="When it ends; until it is resumed if not given.")
@click.option("--reason", default="", help="In your own language.")
@click.option("--reason-language", metavar="TAG", default="en", show_default=True)
def suspend(
    node: Path, passphrase_file: Path | None, by_role: str, desks: tuple[str, ...], until: str | None, reason: str,
    reason_language: str,
) -> None:  # fmt: skip
    """Declare that this party does not deal with messages for a while.

    The channel stays: messages are still stored and acknowledged as held, tests still run, and FLASH still reaches a
    person.
    """
    from keepclear.messages.suspension import Suspension
    from keepclear.messages.vocabulary import Desk

    body = Suspension(
        from_ms=time.time_ns() // 1_000_000, by_role=by_role, until_ms=instant_ms(until),
        desks=tuple(Desk(d.upper()) for d in desks), reason=reason, language=reason_language if reason else None,
    )  # fmt: skip
    _declare(node, passphrase_file, body)


@click.command()
@node_option
@passphrase_option
@by_option
@desk_option
def resume(node: Path, passphrase_file: Path | None, by_role: str, desks: tuple[str, ...]) -> None:
    """End a suspension."""
    from keepclear.messages.suspension import Resumption
    from keepclear.messages.vocabulary import Desk

    now_ms = time.time_ns() // 1_000_000
    body = Resumption(from_ms=now_ms, by_role=by_role, desks=tuple(Desk(d.upper()) for d in desks))
    _declare(node, passphrase_file, body)


@click.command()
@node_option
@passphrase_option
@click.argument("peer")
@click.argument("why", metavar="CAUSE", type=click.Choice(("TECHNICAL", "DECLINED", "HOLIDAY"), case_sensitive=False))
@by_option
def cause(node: Path, passphrase_file: Path | None, peer: str, why: str, by_role: str) -> None:
    """State why a party does not answer, because you know it: until somebody does, its silence is of cause UNKNOWN."""
    from keepclear.channel.communications import Cause
    from keepclear.messages.state import CommunicationsState

    read = reading(node)
    line = read.correspondence.line(read.party, read.charter.party(peer).id)
    if line is None or line.cause is Cause.NONE:
        raise UsageError(f"the line to {peer} is not written down as disturbed: there is nothing to state a cause for")
    body = CommunicationsState(
        party=peer, before=line.after, after=line.after, at_ms=time.time_ns() // 1_000_000, cause=Cause(why.upper()),
        by_role=by_role,
    )  # fmt: skip
    _declare(node, passphrase_file, body)


@click.command()
@node_option
@passphrase_option
@by_option
@click.option("--forces", multiple=True, required=True, type=click.Choice(FORCES, case_sensitive=False),
              help="Which class of forces it speaks of; repeatable; the others are not denied.")  # fmt: skip
@click.option("--area", "area", multiple=True, required=True, metavar="PLACE", help="Corner, or centre with --radius.")
@click.option("--radius", "radius_m", type=click.IntRange(min=1), metavar="METRES")
@click.option("--from", "from_", required=True, metavar="INSTANT")
@click.option("--until", required=True, metavar="INSTANT", help="Within seven days of --from.")
@click.option("--about", metavar="ID", help="The question that it answers.")
def deny(node: Path, passphrase_file: Path | None, by_role: str, **given: Any) -> None:
    """Claim that none of one's forces of a class are in an area for a time. It expires, and is never clearance."""
    from keepclear.messages.denial import Denial
    from keepclear.messages.fields import Area
    from keepclear.messages.vocabulary import ForceClass

    from_ms, to_ms = instant_ms(given["from_"]), instant_ms(given["until"])
    assert from_ms is not None
    assert to_ms is not None
    body = Denial(
        party=reading(node).party, forces=tuple(ForceClass(f.upper()) for f in given["forces"]), by_role=by_role,
        area=Area(positions=tuple(position_of(p) for p in given["area"]), radius_m=given["radius_m"]),
        from_ms=from_ms, to_ms=to_ms, about=given["about"].upper() if given["about"] else None,
    )  # fmt: skip
    _declare(node, passphrase_file, body)


@click.command()
@node_option
@passphrase_option
@by_option
@click.option("--category", required=True, help="AIRPROX, COLLISION, BORDER_CROSSED, ZONE_INFRINGED, OBJECT_FELL …")
@click.option("--at", "at", required=True, metavar="INSTANT", help="When it happened.")
@click.option("--owner", "owners", multiple=True, required=True, metavar="PARTY",
              help="Whose object it was, and whose place: one or two parties. No finding of fault.")  # fmt: skip
@click.option("--position", metavar="PLACE", help="'50.45,30.52'.")
@click.option("--text", default="")
@click.option("--text-language", metavar="TAG", default="en", show_default=True)
def incident(node: Path, passphrase_file: Path | None, by_role: str, **given: Any) -> None:
    """Record that something happened. If no message about it follows within minutes, both owners are prompted."""
    from keepclear.messages.incident import Incident
    from keepclear.messages.vocabulary import IncidentCategory

    if given["category"].upper() not in IncidentCategory.__members__:
        raise UsageError(f"--category is one of {', '.join(IncidentCategory.__members__)}")
    read = reading(node)
    at_ms = instant_ms(given["at"])
    assert at_ms is not None
    body = Incident(
        id=read.correspondence.next_id(time.time_ns() // 1_000_000), at_ms=at_ms, by_role=by_role,
        category=IncidentCategory(given["category"].upper()),
        owners=tuple(read.charter.party(owner).id for owner in given["owners"]),
        position=position_of(given["position"]) if given["position"] else None, text=given["text"],
        language=given["text_language"] if given["text"] else None,
    )  # fmt: skip
    _declare(node, passphrase_file, body)
    click.echo(f"{body.id}: name it in --ref of the message that tells the other party")


@click.command()
@node_option
@passphrase_option
@click.argument("entries", nargs=-1, required=True, type=click.IntRange(min=0))
@click.confirmation_option(prompt="The bodies are deleted for good, here and by everybody who is honest. Go on?")
def erase(node: Path, passphrase_file: Path | None, entries: tuple[int, ...]) -> None:
    """Take back the bodies of entries of our own log. That they were there, and when, stays provable."""
    from keepclear.channel.entry import ERASURE_KIND, Draft, Reference

    channel = writing(node, passphrase_file)
    references = []
    for seq in sorted(set(entries)):
        kept = channel.store.records(channel.party, seq, count_max=1)
        if not kept or kept[0].seq != seq:
            raise UsageError(f"our log has no entry {seq}")
        references.append(Reference(channel.party, seq, kept[0].record.leaf.hex()))
    channel.append([Draft(ERASURE_KIND, b"{}", re=tuple(references))])
    click.echo(f"taken back: {', '.join(str(r.seq) for r in references)}; the log verifies as before")


COMMANDS = (suspend, resume, cause, deny, incident, erase)
