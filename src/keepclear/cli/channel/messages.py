"""``keepclear channel send|inbox|show|read-back|answer|log``: what people say to each other over the channel.

They write to the node's own log directly, whether it is being served or not; the serving process delivers.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keepclear.cli.channel.message_fields import critical_fields, critical_options, duration_ms, shown
from keepclear.cli.node.options import folder_of, node_option, passphrase_of, passphrase_option
from keepclear.cli.options import output_options
from keepclear.errors import UsageError

if TYPE_CHECKING:
    from keepclear.channel.charter import Charter
    from keepclear.channel.store import Kept, Store
    from keepclear.channel_node import ChannelNode
    from keepclear.messages.bodies import AnyBody
    from keepclear.messages.correspondence import Correspondence
    from keepclear.messages.delivery import Delivery, Filed, ToRecipient
    from keepclear.messages.message import Message
    from keepclear.messages.read_back import Mismatch

__all__ = ["COMMANDS", "Reading", "reading", "writing"]

KINDS = (
    "NOTIFICATION", "WARNING", "CEASE_REQUEST", "QUERY", "REPLY", "CLARIFICATION", "CORRECTION", "CANCELLATION",
    "PROTEST", "TEST",
)  # fmt: skip
PRECEDENCES = ("FLASH", "IMMEDIATE", "PRIORITY", "ROUTINE")
DESKS = ("AIR", "GROUND", "MARITIME", "POLITICAL")
ANSWERS = ("WILL_COMPLY", "UNABLE", "STAND_BY", "ACCEPT", "OBJECT", "CANNOT_COMPLY", "NO_COMMENT")
LANGUAGES = ("en", "fr", "uk", "ru", "ar")
LEVELS = ("DELIVERED", "READ", "READ_BACK", "ANSWERED")

by_option = click.option("--by", "by_role", required=True, metavar="ROLE", help="Which role says so.")
language_option = click.option(
    "--language", type=click.Choice(LANGUAGES), help="In which language to show it; the node's first if not given."
)


@dataclass(frozen=True, slots=True)
class Reading:
    """A node's store, looked at without its keys."""

    charter: Charter
    party: str
    store: Store
    correspondence: Correspondence

    def delivery(self, message: Filed, now_ms: int) -> Delivery:
        from keepclear.channel_desk import held_of

        return self.correspondence.delivery(message, held_of(self.store, message), now_ms)

    @property
    def language(self) -> str:
        """The first of the node's languages that there is a catalogue for."""
        return next((la for la in self.charter.party(self.party).languages if la in LANGUAGES), "en")


def reading(node: Path) -> Reading:
    from keepclear.channel_desk import read_new
    from keepclear.messages.correspondence import Correspondence

    folder = folder_of(node)
    store, party = folder.open_store(), folder.card().id
    charters = store.charters()
    found = Reading(charters[-1], party, store, Correspondence(charters[-1], party, charters))
    read_new(found.store, found.correspondence)
    return found


def writing(node: Path, passphrase_file: Path | None) -> ChannelNode:
    from keepclear.channel_node import ChannelNode

    return ChannelNode.open(folder_of(node), passphrase_of(passphrase_file))


def _append(channel: ChannelNode, body: AnyBody, **about: Any) -> Kept:
    from keepclear.channel.entry import Draft
    from keepclear.messages.bodies import encode_body, kind_of

    return channel.append([Draft(kind_of(body), encode_body(body), **about)])[0]


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
    _append(channel, message, to=to, re=references, until_ms=message.valid_until_ms)
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
            click.echo(f"{message_id}: {_recipient_line(delivery.weakest)}; the line to it may be down", err=True)
            return False
        time.sleep(0.02)


@click.command()
@node_option
@click.option("--all", "everything", is_flag=True, help="Also what was sent, and what is done.")
@output_options
@click.pass_context
def inbox(ctx: click.Context, node: Path, everything: bool, format: str | None, out: Path | None) -> None:
    """List messages, the most urgent first, and how far each got. Exit code 1 says that something waits for us."""
    import pyarrow as pa

    from keepclear.cli.output import write_rows

    read = reading(node)
    correspondence = read.correspondence
    now_ms = time.time_ns() // 1_000_000
    rows: list[dict[str, Any]] = []
    waits = False
    for message in [*correspondence.inbox(), *(correspondence.outbox() if everything else ())]:
        mine = message.party == read.party
        for recipient in (r for r in read.delivery(message, now_ms).recipients if mine or r.party == read.party):
            open_ = recipient.awaited is not None
            waits |= open_ and not mine
            if everything or open_:
                rows.append(_row(message, recipient))
    for unread in correspondence.unread:
        click.echo(f"note: {unread}", err=True)
    when = pa.timestamp("ms", tz="UTC")
    schema = pa.schema(
        [(n, pa.string()) for n in ("id", "from", "to", "kind", "precedence", "desk")]
        + [("sent_time", when), ("valid_until", when)]
        + [(n, pa.string()) for n in ("state", "currency", "awaited")] + [("due_time", when), ("answer", pa.string())]
    )  # fmt: skip
    write_rows(pa.Table.from_pylist(rows, schema), format, out)
    if waits:
        ctx.exit(1)


def _row(message: Filed, recipient: ToRecipient) -> dict[str, Any]:
    body: Any = message.body
    return {
        "id": body.id, "from": message.party, "to": recipient.party, "kind": body.kind.value,
        "precedence": body.precedence.value, "desk": body.desk.value, "sent_time": message.at_ms,
        "valid_until": body.valid_until_ms, "state": recipient.state.value, "currency": recipient.currency.value,
        "awaited": recipient.awaited.value if recipient.awaited else None, "due_time": recipient.due_ms,
        "answer": recipient.answer.answer.value if recipient.answer else None,
    }  # fmt: skip


def _recipient_line(recipient: ToRecipient) -> str:
    waits = f", waits for {recipient.awaited.value}" if recipient.awaited else ""
    return f"{recipient.party} {recipient.state.value}{waits}"


@click.command()
@node_option
@passphrase_option
@click.argument("message_id", metavar="ID")
@click.option("--by", "by_role", metavar="ROLE", help="Who reads it: that it was shown goes on the record.")
@language_option
def show(node: Path, passphrase_file: Path | None, message_id: str, by_role: str | None, language: str | None) -> None:
    """Show a message and what became of it. With --by, its sender gets the receipt SHOWN."""
    from keepclear.messages.catalogue import Language
    from keepclear.messages.document import to_text
    from keepclear.messages.receipt import Receipt
    from keepclear.messages.rendering import Circumstances, describe
    from keepclear.messages.vocabulary import Shown

    read = reading(node)
    message = read.correspondence.message(message_id)
    now_ms = time.time_ns() // 1_000_000
    delivery = read.delivery(message, now_ms)
    mine = next((r for r in delivery.recipients if r.party == read.party), None)
    seen = Circumstances(
        party=message.party, to=message.to, sent_ms=message.at_ms, now_ms=now_ms,
        delivered_ms=mine.delivered_ms if mine else None, state=mine.state if mine else None,
    )  # fmt: skip
    click.echo(to_text(describe(message.body, Language(language or read.language), seen)))
    for recipient in delivery.recipients:
        click.echo(f"{_recipient_line(recipient)}, {recipient.currency.value}")
        for mismatch in recipient.mismatches:
            click.echo(f"  MISMATCH in {mismatch.field.value}: {_both(mismatch)}")
    if by_role and message.party != read.party:
        receipt = Receipt(level=Shown.SHOWN, by_role=by_role, at_ms=now_ms)
        reference = read.correspondence.reference(message_id)
        _append(writing(node, passphrase_file), receipt, to=(message.party,), re=(reference,))
        click.echo(f"{message.body.id}: shown to {by_role}; the receipt is in the log")  # type: ignore[union-attr]


@click.command(name="read-back")
@node_option
@passphrase_option
@click.argument("message_id", metavar="ID")
@by_option
@critical_options
@click.pass_context
def read_back(ctx: click.Context, /, node: Path, passphrase_file: Path | None, message_id: str, **given: Any) -> None:
    """Repeat the critical fields of a message, as you have understood them; do not copy them.

    They are compared one by one, here and by the sender. Exit code 1: they differ, and both sides are told.
    """
    from keepclear.messages.message import Message
    from keepclear.messages.read_back import ReadBack, compare_read_back

    channel, read = writing(node, passphrase_file), reading(node)
    message = read.correspondence.message(message_id)
    body = message.body
    assert isinstance(body, Message)
    fields = critical_fields(given)
    said = ReadBack(
        message=body.id, kind=body.kind, by_role=given["by_role"], addressee=body.addressee,
        **{**fields, "positions": tuple(map(_bare, fields["positions"]))},
    )  # fmt: skip
    _append(channel, said, to=(message.party,), re=(read.correspondence.reference(message_id),))
    mismatches = compare_read_back(body, said)
    for mismatch in mismatches:
        apart = f", {mismatch.apart_m / 1000.0:.1f} km apart" if mismatch.apart_m else ""
        click.echo(f"{body.id}: MISMATCH in {mismatch.field.value}{apart}: {_both(mismatch)}", err=True)
    if mismatches:
        click.echo(f"{body.id}: read back with differences; {message.party} is told", err=True)
        ctx.exit(1)
    click.echo(f"{body.id}: read back as it was sent")


def _both(mismatch: Mismatch) -> str:
    return f"sent {shown(mismatch.sent)}; read back {shown(mismatch.read_back)}"


def _bare(position: Any) -> Any:
    from keepclear.messages.fields import Position

    return Position(lat_deg_e7=position.lat_deg_e7, lon_deg_e7=position.lon_deg_e7)


@click.command()
@node_option
@passphrase_option
@click.argument("message_id", metavar="ID")
@click.argument("said", metavar="ANSWER", type=click.Choice(ANSWERS, case_sensitive=False))
@by_option
@click.option("--reason", default="", help="UNABLE, OBJECT and CANNOT_COMPLY need one.")
@click.option("--reason-language", metavar="TAG", help="Language of the reason; the node's first if not given.")
def answer(
    node: Path, passphrase_file: Path | None, message_id: str, said: str, by_role: str, reason: str,
    reason_language: str | None,
) -> None:  # fmt: skip
    """Answer a message: will comply, unable, stand by … No answer is never taken for one."""
    from keepclear.messages.receipt import Answer
    from keepclear.messages.vocabulary import Answering

    channel, read = writing(node, passphrase_file), reading(node)
    message = read.correspondence.message(message_id)
    if message.party == channel.party:
        raise UsageError(f"{message_id} is this party's own message; the others answer it")
    language = (reason_language or read.language) if reason else None
    body = Answer(answer=Answering(said.upper()), by_role=by_role, reason=reason, language=language)
    _append(channel, body, to=(message.party,), re=(read.correspondence.reference(message_id),))
    click.echo(f"{message_id}: answered {said.upper()}")


@click.command()
@node_option
@click.option("--party", help="Only this party's log.")
@click.option("--from", "start", type=click.IntRange(min=0), default=0, show_default=True, help="From this entry on.")
@output_options
def log(node: Path, party: str | None, start: int, format: str | None, out: Path | None) -> None:
    """List the entries of the logs as this node holds them."""
    import pyarrow as pa

    from keepclear.channel.entry import Entry
    from keepclear.cli.output import write_rows

    read = reading(node)
    if party and party not in read.correspondence.parties:
        raise UsageError(f"{party} is not a party of the channel; there are: {', '.join(read.correspondence.parties)}")
    logs = [party] if party else read.correspondence.parties
    rows = []
    for name in logs:
        at = start
        while kept := read.store.records(name, at):
            for one in kept:
                entry = Entry.parse(one.record.payload)
                rows.append({
                    "log": name, "entry": entry.seq, "kind": entry.kind, "to": ",".join(entry.to) or "all",
                    "written_time": entry.at_ms, "received_time": one.received_ms, "leaf": one.record.leaf.hex(),
                    "body": "erased" if one.erased else "absent" if one.record.body is None else "here",
                })  # fmt: skip
            at = kept[-1].seq + 1
    when = pa.timestamp("ms", tz="UTC")
    schema = pa.schema(
        [("log", pa.string()), ("entry", pa.int64()), ("kind", pa.string()), ("to", pa.string()),
         ("written_time", when), ("received_time", when), ("leaf", pa.string()), ("body", pa.string())]
    )  # fmt: skip
    write_rows(pa.Table.from_pylist(rows, schema), format, out)


COMMANDS = (send, inbox, show, read_back, answer, log)
