"""``keepclear channel inbox|show|log``: what was said over the channel, and how far it got."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keepclear.cli.channel.message_fields import shown
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
    from keepclear.messages.read_back import Mismatch

__all__ = ["COMMANDS", "DESKS", "LANGUAGES", "Reading", "append", "both", "by_option", "reading", "recipient_line",
           "writing"]  # fmt: skip

DESKS = ("AIR", "GROUND", "MARITIME", "POLITICAL")
LANGUAGES = ("en", "fr", "uk", "ru", "ar")

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


def append(channel: ChannelNode, body: AnyBody, **about: Any) -> Kept:
    from keepclear.channel.entry import Draft
    from keepclear.messages.bodies import encode_body, kind_of

    return channel.append([Draft(kind_of(body), encode_body(body), **about)])[0]


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


def recipient_line(recipient: ToRecipient) -> str:
    waits = f", waits for {recipient.awaited.value}" if recipient.awaited else ""
    return f"{recipient.party} {recipient.state.value}{waits}"


def both(mismatch: Mismatch) -> str:
    return f"sent {shown(mismatch.sent)}; read back {shown(mismatch.read_back)}"


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
        click.echo(f"{recipient_line(recipient)}, {recipient.currency.value}")
        for mismatch in recipient.mismatches:
            click.echo(f"  MISMATCH in {mismatch.field.value}: {both(mismatch)}")
    if by_role and message.party != read.party:
        receipt = Receipt(level=Shown.SHOWN, by_role=by_role, at_ms=now_ms)
        reference = read.correspondence.reference(message_id)
        append(writing(node, passphrase_file), receipt, to=(message.party,), re=(reference,))
        click.echo(f"{message.body.id}: shown to {by_role}; the receipt is in the log")  # type: ignore[union-attr]


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


COMMANDS = (inbox, show, log)
