"""Writing our own log from many threads: those that wait go together, with one signed head and one flush."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from keepclear.channel.entry import CHARTER_KIND, SALT_BYTES, Draft
from keepclear.channel.protocol.own_log import Node, Written, write_own
from keepclear.channel.store import Kept
from keepclear.edge.channel.turns import Turns
from keepclear.errors import InputError, UsageError

__all__ = ["ChannelWriter"]

GROUP_ENTRIES_MAX = 512
"""As many as are sealed while the disk flushes once, with room to spare; a head's entries then fit one push."""
GROUP_BYTES_MAX = 4 << 20
"""The lock file holds them until the next group."""
SETTLED_MAX_S = 10.0
"""A store that takes longer has another trouble; what was acknowledged is shown again at the next check."""


@dataclass(slots=True)
class _Ticket:
    drafts: Sequence[Draft]
    kept: list[Kept] = field(default_factory=list)
    error: BaseException | None = None

    @property
    def bytes(self) -> int:
        return sum(len(d.body) for d in self.drafts)

    @property
    def goes_alone(self) -> bool:
        return any(d.kind == CHARTER_KIND for d in self.drafts)


class ChannelWriter:
    """One a process; other processes may write the same log (``write_own`` sees to that)."""

    def __init__(
        self, node: Node, clock: Callable[[], int], salt: Callable[[int], bytes] = os.urandom,
        on_written: Callable[[Written], None] = lambda written: None,
    ) -> None:  # fmt: skip
        """``on_written`` is called with each group once it may be sent, before anybody's append returns."""
        self._node, self._clock, self._salt, self._on_written = node, clock, salt, on_written
        self._turns: Turns[_Ticket] = Turns(self._write, _fits)

    def append(self, drafts: Sequence[Draft]) -> list[Kept]:
        """As ``own_log.write_own``: durable and in this order when it returns, all or nothing."""
        ticket = _Ticket(drafts)
        self._turns.go(ticket)
        if ticket.error is not None:
            raise ticket.error
        return ticket.kept

    def _write(self, group: Sequence[_Ticket]) -> None:
        drafts = [draft for ticket in group for draft in ticket.drafts]
        settled = threading.Event()
        try:
            written = write_own(
                self._node, drafts, clock=self._clock, salts=[self._salt(SALT_BYTES) for _ in drafts],
                on_locked=lambda locked: self._on_written(
                    replace(locked, settled=lambda: settled.wait(SETTLED_MAX_S))
                ),
            )  # fmt: skip
        except (InputError, UsageError) as error:
            if len(group) > 1:  # somebody's draft cannot be an entry; the others' can
                for ticket in group:
                    self._write([ticket])
                return
            group[0].error = error
        except BaseException as error:
            for ticket in group:
                ticket.error = error
        else:
            at = 0
            for ticket in group:
                ticket.kept = list(written.kept[at : at + len(ticket.drafts)])
                at += len(ticket.drafts)
        finally:
            settled.set()


def _fits(waiting: Sequence[_Ticket]) -> int:
    """As many as go together; a charter goes alone."""
    entries = size = 0
    for k, ticket in enumerate(waiting):
        entries, size = entries + len(ticket.drafts), size + ticket.bytes
        if k and (ticket.goes_alone or entries > GROUP_ENTRIES_MAX or size > GROUP_BYTES_MAX):
            return k
        if ticket.goes_alone:
            return k + 1
    return len(waiting)
