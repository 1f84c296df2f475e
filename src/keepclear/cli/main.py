"""The command line's door: loads only the command that was called, and turns every error into one line.

Exit codes: 0 nothing was found, 1 something was found, 2 the input or the call is wrong, 130 interrupted,
141 the reader of our output went away, 70 a defect in Keepclear. A command says 1 with ``ctx.exit(1)``.
"""

from __future__ import annotations

import errno
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any

import click

from keepclear import __version__
from keepclear.errors import KeepclearError

__all__ = ["COMMANDS", "LazyGroup", "command", "main"]

COMMANDS: dict[str, str] = {
    "demo": "Show the whole flow on bundled, simulated traffic.",
    "zones": "Validate, convert and show zone files of any format.",
    "scan": "Search archives: which tracks were where they must not be.",
    "encounters": "Search archives: which pairs came too close.",
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

EXIT_INPUT, EXIT_DEFECT, EXIT_INTERRUPTED, EXIT_BROKEN_PIPE = 2, 70, 130, 141


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


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line and exits. The only place where errors become text and exit codes."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not where a parent has us ignore it
        signal.signal(signal.SIGINT, _interrupt)
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line and returns its exit code; every refusal is one line on stderr."""
    try:
        code = _invoke(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
        return code
    except KeepclearError as error:
        return _say(str(error), EXIT_INPUT)
    except BrokenPipeError:
        _let_go_of_stdout()
        return EXIT_BROKEN_PIPE
    except OSError as error:
        if error.filename is None and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            _let_go_of_stdout()  # files that we write are named; what has no name is where the output was sent
            return _say(f"the output cannot be written ({error.strerror})", EXIT_INPUT)
        return _say(f"{error.filename}: {error.strerror}" if error.filename else str(error), EXIT_INPUT)
    except KeyboardInterrupt:
        return _say("interrupted; nothing was left half-written", EXIT_INTERRUPTED)
    except Exception as error:
        if os.environ.get("KEEPCLEAR_TRACEBACK"):
            raise
        said = f"a defect in Keepclear, please report it: {type(error).__name__}: {error}"
        return _say(f"{said} (KEEPCLEAR_TRACEBACK=1 shows where)", EXIT_DEFECT)


def _interrupt(signum: int, frame: FrameType | None) -> None:
    """Ctrl-C. An interrupt in the middle of a library's constructor leaves an object behind whose finaliser fails, and
    Python would print that failure, traceback and all, below our one line (seen with llvmlite while compiling)."""
    sys.unraisablehook = lambda _: None
    raise KeyboardInterrupt


def _invoke(arguments: list[str]) -> int:
    try:
        # Not command.main(): it answers a broken pipe with exit code 1, which here means «something was found».
        with command.make_context("keepclear", arguments) as ctx:
            result: Any = command.invoke(ctx)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 0
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.UsageError as error:
        place = f" (see '{error.ctx.command_path} --help')" if error.ctx else ""
        return _say(f"{error.format_message()}{place}", EXIT_INPUT)
    except click.ClickException as error:
        return _say(error.format_message(), EXIT_INPUT)
    return result if isinstance(result, int) else 0


def _say(message: str, code: int) -> int:
    line = " ".join(message.split())
    try:
        sys.stderr.write(f"keepclear: {line}\n")
        sys.stderr.flush()
    except BrokenPipeError:
        pass
    return code


def _let_go_of_stdout() -> None:
    """The interpreter flushes stdout at exit; point it to nowhere so that it has nothing to complain about."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
    except (OSError, ValueError):
        pass


if __name__ == "__main__":
    main()
