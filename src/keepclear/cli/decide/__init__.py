"""``keepclear decide``: who may decide what, by which rule, where a text stands, and what follows from it."""

from __future__ import annotations

import click

from keepclear.cli.decide.applications import COMMANDS as APPLICATION_COMMANDS
from keepclear.cli.decide.bodies import COMMANDS as BODY_COMMANDS
from keepclear.cli.decide.documents import COMMANDS as DOCUMENT_COMMANDS
from keepclear.cli.decide.history import COMMANDS as HISTORY_COMMANDS
from keepclear.cli.decide.meetings import COMMANDS as MEETING_COMMANDS
from keepclear.cli.decide.positions import COMMANDS as POSITION_COMMANDS
from keepclear.cli.decide.proposals import COMMANDS as PROPOSAL_COMMANDS
from keepclear.cli.decide.show import COMMANDS as SHOW_COMMANDS

__all__ = ["command"]


@click.group(name="decide")
def command() -> None:
    """Decisions of bodies with rules: tabled, circulated, recomputed by anyone from the logs."""


for one in (
    *BODY_COMMANDS, *PROPOSAL_COMMANDS, *POSITION_COMMANDS, *SHOW_COMMANDS, *APPLICATION_COMMANDS, *MEETING_COMMANDS,
    *DOCUMENT_COMMANDS, *HISTORY_COMMANDS,
):  # fmt: skip
    command.add_command(one)
