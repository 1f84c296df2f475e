"""``keepclear channel check|fork-proof|export|carry-out|carry-in``: the line, and the record."""

from __future__ import annotations

from pathlib import Path

import click

from keepclear.cli.channel.messages import LANGUAGES, reading, writing
from keepclear.cli.node.options import folder_of, node_option, passphrase_option
from keepclear.cli.options import output_options
from keepclear.errors import KeepclearError, UsageError

__all__ = ["COMMANDS"]


@click.command()
@node_option
@passphrase_option
@output_options
@click.pass_context
def check(ctx: click.Context, node: Path, passphrase_file: Path | None, format: str | None, out: Path | None) -> None:
    """Ask every other party once whether it is there. Exit code 1 says that one did not answer.

    Clocks are compared as NTP does: an offset is known to half the round trip. Nothing is inferred from silence.
    """
    import secrets

    import pyarrow as pa

    from keepclear.channel.communications import Answered, observe
    from keepclear.channel.protocol import exchange
    from keepclear.channel.protocol.wire import NONCE_BYTES
    from keepclear.channel_node import now_ms
    from keepclear.cli.output import write_rows
    from keepclear.edge.channel.client import PeerClient

    channel = writing(node, passphrase_file)
    rows = []
    for peer, link in channel.links.items():
        row: dict[str, object] = {"party": peer, "answers": False, "said": ""}
        try:
            with PeerClient(link.peer, channel.tls) as client:
                found = client.drive(exchange.check(channel.node, peer, secrets.token_bytes(NONCE_BYTES), now_ms))
            said = found.statement
            clock = observe((), Answered(found.asked_ms, said.received_ms, said.answered_ms, found.received_ms))
            row |= {"answers": True, "holds_of_ours": found.holds(channel.party), "its_entries": found.holds(peer)}
            if clock:
                row |= {"round_trip_ms": clock[0].round_trip_ms, "clock_offset_ms": clock[0].offset_ms}
        except KeepclearError as error:
            row["said"] = str(error)
        row |= {"our_entries": channel.own_size()}
        rows.append(row)
    schema = pa.schema(
        [("party", pa.string()), ("answers", pa.bool_()), ("round_trip_ms", pa.float64()),
         ("clock_offset_ms", pa.float64()), ("our_entries", pa.int64()), ("holds_of_ours", pa.int64()),
         ("its_entries", pa.int64()), ("said", pa.string())]
    )  # fmt: skip
    write_rows(pa.Table.from_pylist(rows, schema), format, out)
    if not all(row["answers"] for row in rows):
        ctx.exit(1)


@click.command(name="fork-proof")
@node_option
@click.option("--out", type=click.Path(path_type=Path), help="Folder to write the proofs into, one file each.")
@click.pass_context
def fork_proof(ctx: click.Context, node: Path, out: Path | None) -> None:
    """Show, and write, the proofs that a party told two histories. Exit code 1 says that there is one.

    Anybody with the charter can check a proof: keepclear verify FILE --charter charter.json
    """
    from hashlib import sha256

    from keepclear.channel.fork_proof import verify_fork_proof
    from keepclear.edge.whole_file import write_bytes

    read = reading(node)
    proofs = read.store.forks()
    for proof in proofs:
        click.echo(verify_fork_proof(proof, read.store.channel, read.store.charters()))
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            data = proof.encode() + b"\n"
            file = out / f"fork-{proof.party}-{sha256(data).hexdigest()[:12]}.json"
            write_bytes(file, data)
            click.echo(f"  written to {file}")
    if not proofs:
        click.echo("no fork is known here")
    ctx.exit(1 if proofs else 0)


@click.command()
@node_option
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Folder to write, or a file ending in .zip."
)
@click.option("--language", "languages", multiple=True, type=click.Choice(LANGUAGES),
              help="Of the transcript for people; repeatable; the node's first if not given.")  # fmt: skip
def export(node: Path, out: Path, languages: tuple[str, ...]) -> None:
    """Write the whole record: charters, logs, signatures, heads, proofs, and a transcript for people.

    «keepclear verify» checks it offline, years later and without this program's help if need be: the format is
    documented.
    """
    from keepclear.cli.verify.transcripts import written_transcripts
    from keepclear.edge.channel.export import export_record

    read = reading(node)
    if out.exists():
        raise UsageError(f"{out}: is there already; name another place, or remove it")
    transcripts = written_transcripts(languages or (read.language,))
    count = export_record(read.store, folder_of(node).signed_charters(), out, transcripts)
    click.echo(f"{out}: {count} files; check them with «keepclear verify {out}»")


@click.command(name="carry-out")
@node_option
@passphrase_option
@click.argument("peer")
@click.argument("file", type=click.Path(path_type=Path))
def carry_out(node: Path, passphrase_file: Path | None, peer: str, file: Path) -> None:
    """Write a file for a party that no line reaches, to be carried by hand; its own file brings the acknowledgements.

    The file holds the bodies of messages in the clear: carry it sealed. Who carries it can withhold it, not change it.
    """
    import secrets

    from keepclear.channel.protocol.wire import NONCE_BYTES
    from keepclear.channel_node import now_ms
    from keepclear.edge.channel.bundle import write_bundle

    channel = writing(node, passphrase_file)
    count = write_bundle(file, channel.node, channel.charter.party(peer).id, now_ms, secrets.token_bytes(NONCE_BYTES))
    click.echo(f"{file}: {count} entries for {peer} (keepclear channel carry-in, on its node)")


@click.command(name="carry-in")
@node_option
@passphrase_option
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_context
def carry_in(ctx: click.Context, node: Path, passphrase_file: Path | None, file: Path) -> None:
    """Take in a file that was carried by hand. Exit code 1 says that something of it was refused."""
    from keepclear.channel_node import now_ms
    from keepclear.edge.channel.bundle import read_bundle

    found = read_bundle(file, writing(node, passphrase_file).node, now_ms)
    click.echo(f"{file}: {found.entries} new entries from {found.sender}; carry a file back to acknowledge them")
    for problem in found.problems:
        click.echo(f"{file}: {problem}", err=True)
    if found.problems:
        ctx.exit(1)


COMMANDS = (check, fork_proof, export, carry_out, carry_in)
