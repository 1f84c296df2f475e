"""``keepclear verify``: a channel's record, or one proof of it, checked offline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from keepclear.errors import InputError, UsageError

if TYPE_CHECKING:
    from keepclear.channel.charter import Charter
    from keepclear.channel.record.verify import Expected

__all__ = ["command"]

CHANNEL_DIGITS, CHANNEL_HEX = 30, 64


@click.command(name="verify")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--charter", "charter_files", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
              help="A charter that you trust, from elsewhere than the bundle; repeatable, one a version.")  # fmt: skip
@click.option("--channel", metavar="ID", help="The channel's id that you trust: 64 hexadecimal, or its thirty digits.")
@click.option("--entry", type=click.Path(path_type=Path), metavar="FILE",
              help="The entry's exact bytes, where BUNDLE is a .tlog-proof.")  # fmt: skip
@click.option(
    "--jobs", type=click.IntRange(min=1, max=256), help="Processes; else as many as there are logs and cores."
)
@click.option("--skip-transcripts", is_flag=True, help="Do not compare what is for people with the entries.")
@click.option("--format", "format_", type=click.Choice(("text", "json")), default="text", show_default=True)
@click.pass_context
def command(
    ctx: click.Context, bundle: Path, charter_files: tuple[Path, ...], channel: str | None, entry: Path | None,
    jobs: int | None, skip_transcripts: bool, format_: str,
) -> None:  # fmt: skip
    """Verify what a channel's export wrote: no server is asked, nothing in it is taken on trust.

    BUNDLE is the exported folder or a zip of it; or a single .tlog-proof (with --entry), proof of a fork, or signed
    charter. Without --charter or --channel only the bundle's own consistency is shown: whoever made it may have made
    up its parties too.

    Decisions are recomputed from the logs, and held against what their secretary said came of them.

    Transcripts are written again from the entries and compared.

    Exit code 0: verified. 1: not verified, a fork is proved, or a secretary or a transcript says something else than
    the logs. 2: the input or the call is wrong.

    \b
    Example:
      keepclear verify record/ --channel 91534-80217-33106-55982-07714-60923
    """
    from keepclear.cli.verify.alone import kind_of, verify_alone
    from keepclear.cli.verify.output import write_alone, write_verification
    from keepclear.cli.verify.run import run_verification
    from keepclear.cli.verify.transcripts import compare_transcripts
    from keepclear.decisions.procedure.recomputation import recompute
    from keepclear.edge.channel.files import open_record

    charters = [_charter(path) for path in charter_files]
    expected = _expected(channel, charters)
    kind = "record" if bundle.is_dir() else kind_of(bundle)
    if kind != "record":
        statement = verify_alone(bundle, kind, charters, expected, entry)
        write_alone(statement, format_)
        ctx.exit(statement.exit_code)
    if entry is not None:
        raise UsageError("--entry goes with a single .tlog-proof")
    files = open_record(bundle)
    found = run_verification(files, expected, jobs)
    recomputed = recompute(files, found)
    if found.verified and not skip_transcripts:
        compare_transcripts(files, found)
    write_verification(found, recomputed, format_)
    good = found.verified and not found.forks and not found.untrue_transcripts and not recomputed.faults
    ctx.exit(0 if good else 1)


def _charter(path: Path) -> Charter:
    """Its own signatures are checked where its chain is: here only that it is one."""
    from keepclear.channel.charter import CHARTER_BYTES_MAX, SignedCharter

    try:
        with open(path, "rb") as file:
            return SignedCharter.parse(file.read(CHARTER_BYTES_MAX + 1)).charter
    except InputError as error:
        raise InputError(error.message, where=error.where, source=str(path)) from None


def _expected(channel: str | None, charters: list[Charter]) -> Expected:
    from keepclear.channel.record.verify import Expected

    if channel is None:
        return Expected(charters=tuple(charters))
    plain = channel.replace("-", "").replace(" ", "").lower()
    if len(plain) == CHANNEL_DIGITS and plain.isascii() and plain.isdigit():
        return Expected(digits=plain, charters=tuple(charters))
    if len(plain) == CHANNEL_HEX and set(plain) <= set("0123456789abcdef"):
        return Expected(channel=plain, charters=tuple(charters))
    raise UsageError("--channel takes the id (64 hexadecimal digits) or the thirty decimal digits of the first charter")
