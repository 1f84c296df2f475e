"""The command line's door: runs the command that was called, and turns every error and signal into one line.

Exit codes: 0 nothing was found, 1 something was found, 2 the input or the call is wrong, 130 interrupted (143
terminated, 129 its terminal closed), 141 the reader of our output went away, 70 a defect in Keepclear. A command says 1
with ``ctx.exit(1)``.
"""

from __future__ import annotations

import signal

# Everything else is imported once signals are heeded: an interrupt while Python loads is one line too.
TYPE_CHECKING = False
if TYPE_CHECKING:
    import sys
    from collections.abc import Sequence
    from types import FrameType
    from typing import Any

__all__ = ["ENDING", "SAME_S", "end_now", "main", "run"]

EXIT_INPUT, EXIT_DEFECT, EXIT_BROKEN_PIPE = 2, 70, 141
ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
SAME_S = 0.5
"""Signals so soon after the first are the same wish (``timeout`` sends two): what is being left is left tidily."""
AGAIN_S = 0.01
"""Until a finaliser that swallowed an interrupt has ended."""

_ended_by = 0
_ended_s = 0.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line and exits. The only place where errors become text and exit codes."""
    import sys

    try:
        _heed_signals()
        code = run(arguments)
        _ignore_signals()
    except KeyboardInterrupt:  # as it began or had just ended
        _ignore_signals()
        code = _interrupted()
    if _ended_by:
        _let_go_of_stdout()  # half a line may be waiting there for a reader who waits for us to end
    sys.exit(code)


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line and returns its exit code; every refusal is one line on stderr."""
    try:
        return _told(arguments)
    except KeyboardInterrupt:
        return _interrupted()


def _told(arguments: Sequence[str] | None) -> int:
    import errno
    import os
    import sys

    from keepclear.errors import KeepclearError

    try:
        code = _invoke(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
        return code
    except Exception as error:
        if _ended_by:
            raise KeyboardInterrupt from None  # some libraries make an error of their own of it
        if isinstance(error, KeepclearError):
            return _say(str(error), EXIT_INPUT)
        if isinstance(error, BrokenPipeError):
            _let_go_of_stdout()
            return EXIT_BROKEN_PIPE
        if isinstance(error, OSError):
            if error.filename is None and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
                _let_go_of_stdout()  # files that we write are named; what has no name is where the output was sent
                return _say(f"the output cannot be written ({error.strerror})", EXIT_INPUT)
            return _say(f"{error.filename}: {error.strerror}" if error.filename else str(error), EXIT_INPUT)
        if os.environ.get("KEEPCLEAR_TRACEBACK"):
            raise
        said = f"a defect in Keepclear, please report it: {type(error).__name__}: {error}"
        return _say(f"{said} (KEEPCLEAR_TRACEBACK=1 shows where)", EXIT_DEFECT)


def _heed_signals() -> None:
    for number in ENDING:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):  # not where a parent ignores it
            signal.signal(number, end_now)


def _ignore_signals() -> None:
    """What was said stands; Python's own way out would say more."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)


def end_now(signum: int, frame: FrameType | None) -> None:
    """Ctrl-C, SIGTERM, a terminal that closed: leave what is being done, tidily."""
    global _ended_by, _ended_s
    import sys
    import time

    if _ended_by and time.monotonic() - _ended_s < SAME_S:
        return
    _ended_by, _ended_s = signum, time.monotonic()
    sys.unraisablehook = _unraisable
    raise KeyboardInterrupt


def _unraisable(what: sys.UnraisableHookArgs) -> None:
    """An interrupt in the middle of a library's constructor leaves an object behind whose finaliser fails, and Python
    would print that failure, traceback and all, below our one line (seen with llvmlite while compiling). One that falls
    into a finaliser is lost, and the command would go on: it is sent again."""
    global _ended_s
    if what.exc_type is KeyboardInterrupt:
        import _thread
        import threading

        _ended_s = float("-inf")
        again = threading.Timer(AGAIN_S, _thread.interrupt_main, (_ended_by,))
        again.daemon = True
        again.start()


def _interrupted() -> int:
    return _say("interrupted; nothing was left half-written", 128 + (_ended_by or signal.SIGINT))


def _invoke(arguments: list[str]) -> int:
    import click

    from keepclear.cli.commands import command

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
    import sys

    line = " ".join(message.split())
    try:
        sys.stderr.write(f"keepclear: {line}\n")
        sys.stderr.flush()
    except OSError:
        pass  # nobody reads it, or its disk is full: the exit code says it too
    return code


def _let_go_of_stdout() -> None:
    """The interpreter flushes stdout at exit; point it to nowhere so that it has nothing to complain about."""
    import os
    import sys

    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
    except (OSError, ValueError):
        pass


if __name__ == "__main__":
    main()
