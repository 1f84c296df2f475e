"""``keepclear decide apply|stage``: requests for a measure, and applications for membership or candidate status."""

from __future__ import annotations

from pathlib import Path

import click

from keepclear.cli.channel.message_fields import instant_ms
from keepclear.cli.decide.proposals import read_text
from keepclear.cli.decide.reading import deciding, declare
from keepclear.cli.node.options import node_option, passphrase_option
from keepclear.errors import InputError, UsageError

__all__ = ["COMMANDS"]

STAGES = (
    "RECEIVED", "TRANSMITTED", "OPINION_REQUESTED", "QUESTIONNAIRE", "OPINION_GIVEN", "DECISION", "GRANTED",
    "DEFERRED_WITH_CONDITIONS", "REFUSED", "WITHDRAWN",
)  # fmt: skip


@click.command()
@node_option
@passphrase_option
@click.option("--kind", required=True, help="What for.",
              type=click.Choice(("MEASURE", "MEMBERSHIP", "CANDIDATE_STATUS"), case_sensitive=False))  # fmt: skip
@click.option("--body", required=True, metavar="BODY", help="Which body of the channel is asked.")
@click.option("--applicant", help="Who asks, where it is not this party itself.")
@click.option("--subject", required=True, help="In one line: what is asked for.")
@click.option("--basis", required=True, help="The article or the agreement that it rests on.")
@click.option("--text", "text_file", type=click.Path(path_type=Path, allow_dash=True), help="File with the reasons.")
@click.option("--language", default="en", show_default=True, metavar="TAG")
def apply(
    node: Path, passphrase_file: Path | None, kind: str, body: str, applicant: str | None, subject: str, basis: str,
    text_file: Path | None, language: str,
) -> None:  # fmt: skip
    """Ask a body for a measure (a zone, a corridor, assistance), for membership, or for candidate status.

    \b
    Example:
      keepclear decide apply --kind MEASURE --body council --subject 'Corridor to the north' --basis 'Agreement, 4(2)'
    """
    from keepclear.decisions.acts import Apply
    from keepclear.decisions.vocabulary import Request

    read = deciding(node)
    digest = read.find_body(body)
    if digest is None:
        raise UsageError(f"there is no body {body} on the channel; «keepclear decide bodies» lists them")
    act = Apply(
        application=read.number("A"), applicant=applicant or read.charter.party(read.party).name, body=digest,
        kind=Request(kind.upper()), subject=subject, basis=basis, language=language,
        text=read_text(text_file) if text_file else "",
    )  # fmt: skip
    declare(node, passphrase_file, act, read)
    click.echo(f"{act.application} is in our log; the secretary of {body} says when it is received")


@click.command()
@node_option
@passphrase_option
@click.argument("application")
@click.argument("reached", metavar="STAGE", type=click.Choice(STAGES, case_sensitive=False))
@click.option("--owner", required=True, help="Whose move it is now: a party's id, or a role.")
@click.option("--due", metavar="INSTANT", help="Until when.")
@click.option("--document", type=click.Path(path_type=Path), help="The opinion, questionnaire …: its hash is recorded.")
@click.option("--condition", "conditions", multiple=True, help="Of a deferral or a grant; repeatable.")
@click.option("--decision", metavar="PROPOSAL", help="The decision that grants, defers or refuses it.")
@click.option("--advisory", metavar="PROPOSAL", help="An advisory vote; it changes no status.")
def stage(
    node: Path, passphrase_file: Path | None, application: str, reached: str, owner: str, due: str | None,
    document: Path | None, conditions: tuple[str, ...], decision: str | None, advisory: str | None,
) -> None:  # fmt: skip
    """Write down the next stage of an application: with whom it is, and until when."""
    from keepclear.decisions.acts import StageReached
    from keepclear.decisions.procedure.application import application as find_application
    from keepclear.decisions.vocabulary import Stage

    read = deciding(node)
    found = find_application(read.docket, application)
    act = StageReached(
        application=application, stage=Stage(reached.upper()), after=found.last.leaf, owner=owner,
        due_ms=instant_ms(due), document=_digest(document) if document else None, conditions=conditions,
        decision=decision, advisory=advisory,
    )  # fmt: skip
    declare(node, passphrase_file, act, read)
    click.echo(f"{application}: {act.stage.value}, now with {owner}")


def _digest(file: Path) -> str:
    from hashlib import file_digest

    try:
        with file.open("rb") as stream:
            return file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", source=str(file)) from None


COMMANDS = (apply, stage)
