"""``keepclear channel send``: a message is checked and put into this party's own log.

Whether the node is being served or not; the serving process delivers it.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keepclear.cli.channel.message_fields import critical_fields, critical_options, duration_ms
from keepclear.cli.channel.messages import (
    DESKS,
    Reading,
    append,
    by_option,
    reading,
    recipient_line,
    writing,
)
from keepclear.cli.node.options import node_option, passphrase_option
from keepclear.errors import UsageError

if TYPE_CHECKING:
    from keepclear.channel.charter import Charter
    from keepclear.messages.message import Message

__all__ = ["send"]

KINDS = (
    "NOTIFICATION", "WARNING", "CEASE_REQUEST", "QUERY", "REPLY", "CLARIFICATION", "CORRECTION", "CANCELLATION",
    "PROTEST", "TEST",
)  # fmt: skip
PRECEDENCES = ("FLASH", "IMMEDIATE", "PRIORITY", "ROUTINE")
LEVELS = ("DELIVERED", "READ", "READ_BACK", "ANSWERED")


@click.command()
@node_option
@passphrase_option
@click.option("--kind", type=click.Choice(KINDS, case_sensitive=False), required=True)
@click.option(
    "--precedence", type=click.Choice(PRECEDENCES, case_sensitive=False), default="ROUTINE", show_default=True
)
@click.option("--desk", type=click.Choice(DESKS, case_sensitive=False), default="AIR", show_default=True)
@click.option("--to", "to", multiple=True, metavar="PARTY", help="Recipient; repeatable; all parties if not given.")
@by_option
@click.option(
    "--valid-for", default="24h", show_default=True, metavar="DURATION", help="Afterwards it is shown as late."
)
@click.option("--text", default="", help="Free text, in its own language; it is never translated silently.")
@click.option("--text-language", metavar="TAG", help="Language of the text, e.g. uk.")
@click.option(
    "--translation",
    "translations",
    multiple=True,
    metavar="TAG=TEXT",
    help="The text in another language, shown as a translation beside the original; repeatable.",
)
@click.option("--translator", metavar="WHO", help="Who translated: a role, a person, or a program by name.")
@click.option(
    "--verified-by",
    "verified_by_role",
    default="",
    metavar="ROLE",
    help="The second role that has read it through; the charter may ask for one.",
)
@click.option("--ref", "refs", multiple=True, metavar="ID", help="Message that it is about; repeatable.")
@click.option(
    "--affected", multiple=True, metavar="NAME", help="Affected party that is NOT on the channel; repeatable."
)
@click.option("--none-else-affected", is_flag=True, help="No affected party is known that is not on the channel.")
@click.option("--call-sign", default="", help="Of the aircraft, vehicle or ship that a warning means.")
@click.option("--frequency", "frequency_khz", type=int, metavar="KHZ", help="A frequency that it can receive.")
@click.option("--squawk", metavar="CODE")
@click.option("--heading", "heading_deg", type=click.IntRange(0, 359), metavar="DEGREES")
@click.option("--speed", "speed_kt", type=click.IntRange(0, 5_000), metavar="KNOTS")
@click.option("--test-text", metavar="T01…T12", help="Of a TEST: which of the approved neutral texts.")
@critical_options
@click.option(
    "--gazetteer", type=click.Path(path_type=Path), help="CSV name,lat,lon,radius_km to check places against."
)
@click.option(
    "--place-limit",
    "place_limit_m",
    type=click.IntRange(min=0),
    default=5_000,
    show_default=True,
    metavar="METRES",
    help="How far outside the place that it names a position may lie.",
)
@click.option("--strict-places", is_flag=True, help="Refuse a named place that the gazetteer does not know.")
@click.option("--wait", type=click.Choice(LEVELS, case_sensitive=False), help="Until every recipient has come so far.")
@click.option("--wait-for", default="60s", show_default=True, metavar="DURATION", help="At most so long.")
@click.pass_context
def send(
    ctx: click.Context, /, node: Path, passphrase_file: Path | None, wait: str | None, wait_for: str, **given: Any
) -> None:
    """Check a message and put it into the log. It is sent as soon as the line is up.

    \b
    Example:
      keepclear channel send --kind WARNING --precedence FLASH --by 'duty officer' --none-else-affected \\
        --area 50.45,30.52 --radius 5000 --lower GND --upper FL195 --action KEEP_CLEAR \\
        --from 2026-05-01T06:00:00Z --until 2026-05-01T09:00:00Z
    """
    from keepclear.messages.message import Message
    from keepclear.messages.sending import verify_draft

    channel, read = writing(node, passphrase_file), reading(node)
    correspondence = read.correspondence
    now_ms = time.time_ns() // 1_000_000
    fields = _message_fields(given)
    message = Message(
        id=correspondence.next_id(now_ms), valid_until_ms=now_ms + duration_ms(given["valid_for"]), **fields
    )
    known = [name for party in channel.charter.parties for name in (party.id, party.name)]
    gazetteer = _gazetteer(given["gazetteer"])
    verified = verify_draft(
        message, now_ms, channel.party, known, gazetteer=gazetteer, strict=given["strict_places"],
        limit_m=given["place_limit_m"], read_as_given=_read_as_given,
        two_roles=_asks_for_two(channel.charter, message),
    )  # fmt: skip
    for remark in verified.remarks:
        click.echo(f"note: {remark}", err=True)
    to = tuple(channel.charter.party(party_id).id for party_id in given["to"])
    if channel.party in to:
        raise UsageError("a message to oneself is not sent; leave this party out of --to")
    references = tuple(correspondence.reference(ref) for ref in fields["refs"])
    append(channel, message, to=to, re=references, until_ms=message.valid_until_ms)
    click.echo(f"{message.id} is in the log")
    if wait and not _waited(read, message.id, wait.upper(), duration_ms(wait_for)):
        ctx.exit(1)


def _asks_for_two(charter: Charter, message: Message) -> bool:
    """Whether the charter has a second role verify such a message (``flash.roles`` among its timers)."""
    from keepclear.messages.timers import Timers
    from keepclear.messages.vocabulary import Kind

    roles = Timers.from_charter(charter.timers.messages).of(message.precedence).roles
    return message.kind is not Kind.TEST and (roles > 1 or bool(message.verified_by_role))


def _message_fields(given: dict[str, Any]) -> dict[str, Any]:
    from keepclear.messages.fields import Addressee
    from keepclear.messages.vocabulary import Desk, Kind, Precedence, TestText

    text = given["test_text"]
    if text is not None and text not in TestText.__members__:
        raise UsageError(f"--test-text is one of T01 to T12, not {text!r}")
    if given["none_else_affected"] and given["affected"]:
        raise UsageError("--none-else-affected and --affected contradict each other")
    names = ("call_sign", "frequency_khz", "squawk", "heading_deg", "speed_kt")
    addressee = {name: given[name] for name in names if given[name] not in (None, "")}
    return {
        "kind": Kind(given["kind"].upper()), "precedence": Precedence(given["precedence"].upper()),
        "desk": Desk(given["desk"].upper()), "by_role": given["by_role"], "text": given["text"],
        "language": given["text_language"], "refs": tuple(ref.upper() for ref in given["refs"]),
        "translations": _translations(given), "verified_by_role": given["verified_by_role"],
        "affected": _affected(given), "addressee": Addressee(**addressee) if addressee else None,
        "test_text": TestText(text) if text else None, **critical_fields(given),
    }  # fmt: skip


def _translations(given: dict[str, Any]) -> Any:
    from keepclear.messages.fields import Translation

    if given["translations"] and not given["translator"]:
        raise UsageError("--translation needs --translator: a translation says whose it is")
    pairs = [text.partition("=") for text in given["translations"]]
    if not all(tag and text for tag, _, text in pairs):
        raise UsageError("--translation reads TAG=TEXT, e.g. 'uk=Не наближатися.'")
    return tuple(Translation(language=tag, text=text, translator=given["translator"]) for tag, _, text in pairs)


def _affected(given: dict[str, Any]) -> Any:
    return tuple(given["affected"]) if given["affected"] or given["none_else_affected"] else None


def _gazetteer(file: Path | None) -> Any:
    from keepclear.edge.channel.node_folder import read_bounded
    from keepclear.messages.gazetteer import GAZETTEER_MAX_BYTES, read_gazetteer

    if file is None:
        return None
    load = read_gazetteer(read_bounded(file, GAZETTEER_MAX_BYTES))
    for problem in load.problems[:3]:
        click.echo(f"{file}: {problem}", err=True)
    return load.places


def _read_as_given(text: str) -> tuple[float, float]:
    from keepclear.zones.coordinates import read_position

    return read_position(text)


def _waited(read: Reading, message_id: str, level: str, most_ms: int) -> bool:
    """Whether every recipient has come to ``level`` in time. The serving process does the work; we look."""
    from keepclear.channel_desk import read_new

    begin = time.monotonic()
    rank = {name: k for k, name in enumerate(("SENT", *LEVELS))}
    while True:
        read_new(read.store, read.correspondence)
        delivery = read.delivery(read.correspondence.message(message_id), time.time_ns() // 1_000_000)
        if rank[delivery.weakest.reached.value] >= rank[level]:
            click.echo(f"{message_id}: {level} by all after {time.monotonic() - begin:.2f} s")
            return True
        if (time.monotonic() - begin) * 1000.0 > most_ms:
            click.echo(f"{message_id}: {recipient_line(delivery.weakest)}; the line to it may be down", err=True)
            return False
        time.sleep(0.02)
