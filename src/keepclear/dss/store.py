"""What the DSS asks of a database: keep changes, in order, and never lose one that was acknowledged.

The airspace lives in memory (:class:`~keepclear.dss.airspace.Airspace`); the database is its durable log. So the rules
are written once, and a database needs no knowledge of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from keepclear.dss.records import Change
from keepclear.errors import KeepclearError

__all__ = ["DssStoreError", "FellBehind", "Store", "TurnLost"]


class DssStoreError(KeepclearError):
    """The DSS's database cannot be opened, read or written. What was being written may or may not be kept."""


class TurnLost(Exception):
    """Another server was faster: nothing was written; begin again."""


class FellBehind(Exception):
    """Deletions since the position last seen are no longer remembered: load everything again."""


class Store(Protocol):
    """One server's access. Methods are called one at a time."""

    shared: bool
    """other servers may write to the same database"""

    async def load(self) -> list[Change]:
        """Everything that is kept."""

    async def news(self) -> list[Change]:
        """What other servers have changed since the last call of load, news or begin. Raises :class:`FellBehind`."""

    async def begin(self) -> list[Change]:
        """Take the writer's turn, which others wait for. Returns as :meth:`news`."""

    async def commit(self, changes: Sequence[Change]) -> None:
        """Write the changes and end the turn. When this returns, they survive a crash.

        Raises :class:`TurnLost` (nothing is kept) or :class:`DssStoreError` (it is not known whether it is).
        """

    async def abort(self) -> None:
        """End the turn without writing."""

    async def close(self) -> None:
        """Let go of the database."""
