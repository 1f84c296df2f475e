"""All commands by name: the overview names them without importing any, and only the one that is called is loaded."""

from __future__ import annotations

import importlib

import click

from keepclear import __version__

__all__ = ["COMMANDS", "LazyGroup", "command"]

COMMANDS: dict[str, str] = {
    "demo": "Show the whole flow on bundled, simulated traffic.",
    "zones": "Validate, convert and show zone files of any format.",
    "scan": "Search archives: which tracks were where they must not be.",
    "encounters": "Search archives: which pairs came too close.",
    "tracks": "Check the sensors that recorded tracks come from.",
    "conflicts": "Search declarations: which declared volumes intersect.",
    "watch": "Watch live feeds: infringements and encounters, predicted and actual.",
    "alerts": "List, acknowledge and review the alerts that were kept.",
    "node": "One party's node: make it, serve it, see how it is.",
    "channel": "The channel between parties: always open, acknowledged, read back, provable.",
    "decide": "Decisions of bodies with rules: tabled, circulated, recomputed by anyone from the logs.",
    "verify": "Verify a channel's record, or one proof of it, offline.",
    "witness": "A neutral witness: cosigns the heads of logs that only grow.",
    "dss": "Serve a Discovery and Synchronization Service for UTM and remote ID.",
}
"""Each command's line in the overview, kept here so that ``--help`` imports none of them."""


class LazyGroup(click.Group):
    """A group whose commands live in ``keepclear.cli.<name>:command`` and are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        found = importlib.import_module(f"keepclear.cli.{cmd_name}").command
        if not isinstance(found, click.Command):
            raise TypeError(f"keepclear.cli.{cmd_name}.command is not a click command")
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(COMMANDS)}"
            raise click.UsageError(f"no command {args[0]!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Exit codes: 0 nothing found, 1 something found, 2 the input or the call is wrong.",
)
@click.version_option(__version__, "-V", "--version", prog_name="keepclear", message="%(prog)s %(version)s")
def command() -> None:
    """Keep aircraft, vehicles and ships clear of declared zones and of each other.

    \b
    Example:
      keepclear scan flights.parquet --zones closure.txt --firs firs.geojson
    """
