"""Writing our own log from many threads: those that wait go together, with one signed head and one flush."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from keepclear.channel.entry import CHARTER_KIND, SALT_BYTES, Draft
from keepclear.channel.own_log import Node, append_own
from keepclear.channel.store import Kept
from keepclear.errors import InputError, UsageError

__all__ = ["ChannelWriter"]

GROUP_ENTRIES_MAX = 512
"""As many as are sealed while the disk flushes once, with room to spare; a head's entries then fit one push."""
GROUP_BYTES_MAX = 4 << 20
"""The lock file holds them until the next group."""


@dataclass(slots=True)
class _Ticket:
    drafts: Sequence[Draft]
    kept: list[Kept] = field(default_factory=list)
    error: BaseException | None = None
    done: bool = False

    @property
    def bytes(self) -> int:
        return sum(len(d.body) for d in self.drafts)


class ChannelWriter:
    """One a process; other processes may write the same log (``append_own`` sees to that)."""

    def __init__(self, node: Node, clock: Callable[[], int], salt: Callable[[int], bytes] = os.urandom) -> None:
        self._node, self._clock, self._salt = node, clock, salt
        self._waiting: list[_Ticket] = []
        self._list_lock = threading.Lock()
        self._turn = threading.Lock()

    def append(self, drafts: Sequence[Draft]) -> list[Kept]:
        """As ``own_log.append_own``: durable and in this order when it returns, all or nothing."""
        ticket = _Ticket(drafts)
        with self._list_lock:
            self._waiting.append(ticket)
        with self._turn:
            while not ticket.done:  # the queue is taken in order, so this one's turn comes
                self._write(self._group())
        if ticket.error is not None:
            raise ticket.error
        return ticket.kept

    def _group(self) -> list[_Ticket]:
        """The first that wait, as many as go together; a charter goes alone."""
        with self._list_lock:
            group: list[_Ticket] = []
            entries = size = 0
            while self._waiting:
                ticket = self._waiting[0]
                alone = any(d.kind == CHARTER_KIND for d in ticket.drafts)
                entries, size = entries + len(ticket.drafts), size + ticket.bytes
                if group and (alone or entries > GROUP_ENTRIES_MAX or size > GROUP_BYTES_MAX):
                    break
                group.append(self._waiting.pop(0))
                if alone:
                    break
            return group

    def _write(self, group: Sequence[_Ticket]) -> None:
        drafts = [draft for ticket in group for draft in ticket.drafts]
        try:
            kept = append_own(self._node, drafts, clock=self._clock, salts=[self._salt(SALT_BYTES) for _ in drafts])
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
                ticket.kept = kept[at : at + len(ticket.drafts)]
                at += len(ticket.drafts)
        for ticket in group:
            ticket.done = True
