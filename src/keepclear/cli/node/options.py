"""Options of the commands that act as one party's node: which folder, and how its keys are opened."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from keepclear.errors import UsageError

if TYPE_CHECKING:
    from keepclear.edge.channel.node_folder import NodeFolder

__all__ = ["folder_of", "node_option", "passphrase_of", "passphrase_option"]

F = TypeVar("F", bound=Callable[..., Any])

node_option = click.option(
    "--node", "node", default="keepclear-node", show_default=True, envvar="KEEPCLEAR_NODE", show_envvar=True,
    type=click.Path(path_type=Path), help="The folder of this party's node.",
)  # fmt: skip
passphrase_option = click.option(
    "--passphrase-file", type=click.Path(path_type=Path, allow_dash=True),
    help="File whose first line opens the keys («-»: standard input). Otherwise KEEPCLEAR_PASSPHRASE, or a prompt.",
)  # fmt: skip


def folder_of(node: Path) -> NodeFolder:
    from keepclear.edge.channel.node_folder import NodeFolder

    return NodeFolder(node)


def passphrase_of(file: Path | None, *, confirm: bool = False) -> str:
    """From the file, the environment or a prompt that shows nothing; never from the command line, which others see."""
    if file is not None:
        try:
            with click.open_file(str(file)) as stream:
                line = stream.readline(4096)
        except OSError as error:
            raise UsageError(f"{file}: the passphrase cannot be read ({error.strerror})") from None
        return str(line).rstrip("\r\n")
    given = os.environ.get("KEEPCLEAR_PASSPHRASE")
    if given is not None:
        return given
    if not os.isatty(0):
        raise UsageError("the keys need a passphrase: give --passphrase-file or set KEEPCLEAR_PASSPHRASE")
    said: str = click.prompt("Passphrase of this node's keys", hide_input=True, confirmation_prompt=confirm, err=True)
    return said
