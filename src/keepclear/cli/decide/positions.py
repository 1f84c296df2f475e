"""``keepclear decide receive|position|open|register|sheet``: what members say, and the secretary's receipt."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from keepclear.cli.decide.reading import deciding, declare, now_ms
from keepclear.cli.node.options import folder_of, node_option, passphrase_option
from keepclear.errors import InputError, UsageError

if TYPE_CHECKING:
    from keepclear.cli.decide.reading import Deciding
    from keepclear.decisions.procedure.status import Status
    from keepclear.decisions.rules.stance import Stance

__all__ = ["COMMANDS"]

STANCES = ("FOR", "AGAINST", "ABSTAIN", "QUALIFIED_ABSTAIN", "BREAK_SILENCE", "AMEND", "RESERVE", "ABSENT")


@click.command()
@node_option
@passphrase_option
@click.argument("proposal")
def receive(node: Path, passphrase_file: Path | None, proposal: str) -> None:
    """Prove that we have the newest text, for all members that we speak for. It says nothing about agreeing.

    A served node does it by itself («node serve --text-receipts»).
    """
    from keepclear.decisions.acts import Received
    from keepclear.decisions.procedure.receipts import receipts_of

    read = deciding(node)
    found = read.status(proposal)
    if read.party in receipts_of(read.docket, proposal, found.version, found.text_hash):
        click.echo(f"{proposal} version {found.version}: its receipt is in our log already")
        return
    act = Received(proposal=proposal, version=found.version, text_hash=found.text_hash)
    declare(node, passphrase_file, act, read)
    click.echo(f"{proposal} version {act.version}: its receipt is in our log; from now on our silence can count")


@click.command()
@node_option
@passphrase_option
@click.argument("proposal")
@click.argument("stance", required=False, type=click.Choice(STANCES, case_sensitive=False))
@click.option("--member", metavar="MEMBER", help="For which member; not needed where we speak for one only.")
@click.option("--statement", default="", help="How the member understands the text. It changes no count.")
@click.option("--language", metavar="TAG", help="Of the statement; the node's first if not given.")
@click.option("--authority", "authority_ref", default="", help="The instruction on which you act.")
def position(
    node: Path, passphrase_file: Path | None, proposal: str, stance: str | None, member: str | None, statement: str,
    language: str | None, authority_ref: str,
) -> None:  # fmt: skip
    """Say what a member thinks of the newest text. It counts once the secretary has received it in time.

    Without STANCE a statement alone goes on the record. In a secret vote the stance is sealed; its key stays in the
    node's folder until «decide open».

    \b
    Example:
      keepclear decide position P-ALFA-2026-0001 BREAK_SILENCE --member north --authority 'instruction 12'
    """
    from keepclear.decisions.acts import Position
    from keepclear.decisions.rules.stance import Stance
    from keepclear.decisions.vocabulary import Ballot

    read = deciding(node)
    found = read.status(proposal)
    who = _member(read, proposal, member)
    taken = Stance(stance.upper()) if stance else None
    secret = found.round is not None and found.round.ballot is Ballot.SECRET
    if secret and taken is not None:
        if statement or authority_ref:
            raise UsageError("a sealed vote carries no statement: it would show what is sealed")
        _seal(node, passphrase_file, read, found, who, taken)
        return
    act = Position(
        proposal=proposal, version=found.version, text_hash=found.text_hash, member=who, stance=taken,
        statement=statement, language=(language or read.language) if statement else None, authority_ref=authority_ref,
    )  # fmt: skip
    declare(node, passphrase_file, act, read)
    said = taken.value if taken else "a statement"
    click.echo(f"{proposal} version {found.version}: {said} of {who} is in our log")
    if taken:
        click.echo("it counts when the secretary has received it by the deadline; «decide show» says so")
    else:
        click.echo("it changes no count; «decide show» has it once the secretary has received it")


def _member(read: Deciding, proposal: str, given: str | None) -> str:
    from keepclear.decisions.drafting import members_of

    ours = members_of(read.body(proposal), read.party, now_ms())
    if given is not None:
        return given
    if len(ours) != 1:
        raise UsageError(f"say which member with --member: {read.party} speaks for {', '.join(ours) or 'none today'}")
    return ours[0]


def _seal(node: Path, passphrase_file: Path | None, read: Deciding, found: Status, member: str, stance: Stance) -> None:
    """The key is kept first: a commitment whose key is lost can never be opened."""
    import secrets

    from keepclear.decisions.acts import Commit
    from keepclear.decisions.drafting import verify_act
    from keepclear.decisions.procedure.ballot import seal
    from keepclear.edge.decisions.sealed_votes import SealedVote, keep_sealed

    nonce = secrets.token_bytes(32).hex()
    proposal, version = found.proposal, found.version
    commitment = seal(read.docket.channel, proposal, version, found.text_hash, member, stance, nonce)
    act = Commit(proposal=proposal, version=version, member=member, commitment=commitment)
    verify_act(act, read.docket, read.party, read.charter.ids, now_ms())
    keep_sealed(folder_of(node), SealedVote(proposal, version, member, stance, nonce))
    declare(node, passphrase_file, act, read)
    click.echo(f"{proposal} version {version}: the sealed vote of {member} is in our log; what it says stays here")
    click.echo(f"after the deadline: keepclear decide open {proposal}. Unopened it does not count")


@click.command(name="open")
@node_option
@passphrase_option
@click.argument("proposal")
def open_(node: Path, passphrase_file: Path | None, proposal: str) -> None:
    """Open our sealed votes, after the deadline and until the secretary's second one."""
    from keepclear.decisions.acts import Commit, Open
    from keepclear.decisions.procedure.ballot import seal
    from keepclear.edge.decisions.sealed_votes import sealed_votes

    read = deciding(node)
    found = read.status(proposal)
    ours = [one.act for one in read.docket.about(proposal) if one.party == read.party]
    newest = {a.member: a.commitment for a in ours if isinstance(a, Commit) and a.version == found.version}
    votes = [
        vote
        for vote in sealed_votes(folder_of(node))
        if (vote.proposal, vote.version) == (proposal, found.version)
        and newest.get(vote.member)
        == seal(read.docket.channel, proposal, vote.version, found.text_hash, vote.member, vote.stance, vote.nonce)
    ]
    if not votes:
        raise UsageError(f"no key of a sealed vote on {proposal} version {found.version} is kept in {node}")
    for vote in votes:
        act = Open(proposal=proposal, version=vote.version, member=vote.member, stance=vote.stance, nonce=vote.nonce)
        declare(node, passphrase_file, act, read)
        click.echo(f"{proposal}: the vote of {vote.member} is opened: {vote.stance.value}")


@click.command()
@node_option
@passphrase_option
@click.argument("proposal", required=False)
def register(node: Path, passphrase_file: Path | None, proposal: str | None) -> None:
    """Receive what members have said (for the secretary). A node that is being served does it by itself, at once."""
    from keepclear.decisions.procedure.registering import register_acts

    read = deciding(node)
    bodies = [read.body(proposal)] if proposal else list(read.bodies().values())
    if read.party not in (body.secretary for body in bodies):
        of = f"not that of {bodies[0].id}, which is {bodies[0].secretary}" if proposal else "that of no body here"
        raise UsageError(f"only a secretary receives what members say, and {read.party} is {of}")
    acts = register_acts(read.docket, read.party, proposal)
    for act in acts:
        declare(node, passphrase_file, act, read)
        who = ", ".join(one.member or one.party for one in act.positions)
        click.echo(f"{act.proposal} version {act.version}: received from {who}")
    if not acts:
        click.echo("everything that has come is received already")


@click.command()
@node_option
@passphrase_option
@click.argument("proposal")
@click.option("--roll", type=click.Path(path_type=Path), help="CSV member,stance of a vote by name.")
@click.option("--for", "in_favour", type=click.IntRange(0), help="Votes in favour, where only numbers are known.")
@click.option("--against", type=click.IntRange(0))
@click.option("--abstaining", type=click.IntRange(0))
def sheet(
    node: Path, passphrase_file: Path | None, proposal: str, roll: Path | None, in_favour: int | None,
    against: int | None, abstaining: int | None,
) -> None:  # fmt: skip
    """Write down a vote that was taken in a room (for the secretary). It is shown as the secretary's word."""
    from keepclear.decisions.acts import Counts, Sheet

    numbers = (in_favour, against, abstaining)
    if (roll is None) == all(number is None for number in numbers):
        raise UsageError("give either --roll with a CSV, or --for, --against and --abstaining")
    if roll is None and any(number is None for number in numbers):
        raise UsageError("give all three: --for, --against and --abstaining")
    read = deciding(node)
    found = read.status(proposal)
    counts = None
    if roll is None:
        assert in_favour is not None
        assert against is not None
        assert abstaining is not None
        counts = Counts(in_favour=in_favour, against=against, abstaining=abstaining)
    act = Sheet(
        proposal=proposal, version=found.version, text_hash=found.text_hash, counts=counts,
        roll=_read_roll(roll) if roll else {},
    )  # fmt: skip
    declare(node, passphrase_file, act, read)
    click.echo(f"{proposal} version {found.version}: the vote in the room is in our log")


def _read_roll(file: Path) -> dict[str, Stance]:
    from keepclear.decisions.rules.roll_file import ROLL_BYTES_MAX, read_roll
    from keepclear.edge.channel.node_folder import read_bounded

    try:
        return read_roll(read_bounded(file, ROLL_BYTES_MAX))
    except InputError as error:
        raise type(error)(error.message, where=error.where, source=str(file)) from None


COMMANDS = (receive, position, open_, register, sheet)
