"""Where the news of a watch goes: lines, the alert store, the map page, the channel."""

from __future__ import annotations

import contextlib
import errno
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from keepclear.cli.progress import counted, say
from keepclear.errors import KeepclearError, UsageError

if TYPE_CHECKING:
    from keepclear.alerts.model import AlertEvent
    from keepclear.channel_alerts import AlertSender
    from keepclear.edge.alert_store import AlertStore
    from keepclear.feeds.health import FeedHealth
    from keepclear.node import Cycle, Watch
    from keepclear.server.publish import Publisher

__all__ = ["Outlet", "open_outlet"]

HEARTBEAT_S = 10.0
"""How often a heartbeat line is written when nothing changes; a change of state is written at once."""
_NUMBER = re.compile(r"\d+")


@dataclass(slots=True)
class Outlet:
    """Where a cycle's news goes: lines, the store, the page."""

    write: Callable[[Sequence[AlertEvent], Watch], None]
    heartbeat: Callable[[Cycle], None]
    store: AlertStore | None = None
    publisher: Publisher | None = None
    sender: AlertSender | None = None
    raised: Counter[str] = field(default_factory=Counter)
    """alerts by type"""
    cycles: int = 0
    _now_s: float = 0.0
    _last: tuple[Cycle, list[FeedHealth]] | None = None
    _beat_s: float = field(default=-1e18)
    _beat_state: str = ""

    def take(self, cycle: Cycle, watch: Watch, health: list[FeedHealth]) -> None:
        from keepclear.alerts.model import EventKind

        self.cycles += 1
        self._now_s = cycle.now_s
        if cycle.events:
            self.write(cycle.events, watch)
            self.raised.update(event.alert.type for event in cycle.events if event.kind is EventKind.RAISED)
            for event in cycle.events:
                self._tell(event)
            if self.store is not None:
                self.store.record(cycle.events, watch.zones)
        acknowledged = list(self._acknowledged(watch))
        if acknowledged:
            self.write(acknowledged, watch)
            cycle.events.extend(acknowledged)
        # The seconds of «no new report for 11 s» go on counting; a line for each would say nothing new.
        state = _NUMBER.sub("", f"{cycle.heartbeat.state}{cycle.heartbeat.reasons}")
        if state != self._beat_state or cycle.now_s - self._beat_s >= HEARTBEAT_S:
            self.heartbeat(cycle)
            self._beat_s, self._beat_state = cycle.now_s, state
        if self.publisher is not None:
            self.publisher.publish(cycle, watch, health)
            self._last = cycle, health

    def finish(self, watch: Watch) -> None:
        """Alerts that are open when the watch ends end with it, in the lines and in the store."""
        events = watch.finish(self._now_s) if self.cycles else []
        if events:
            self.write(events, watch)
            if self.store is not None:
                self.store.record(events, watch.zones)

    def end(self, watch: Watch) -> None:
        """Nothing more will come: the page says so."""
        if self.publisher is not None and self._last is not None:
            self.publisher.end(self._last[0], watch, self._last[1])

    def _tell(self, event: AlertEvent) -> None:
        """Through the channel. A line or a disk that fails stops no alert here."""
        if self.sender is None:
            return
        held_back = self.sender.held_back
        try:
            number = self.sender.take(event)
        except KeepclearError as error:
            say(f"the channel could not take it: {error}")
            return
        if number:
            say(f"{event.alert.id} is told to the other parties as {number}")
        if self.sender.held_back > held_back:
            say(f"{event.alert.id} is not told: too many at once; {self.sender.held_back} held back so far")

    def _acknowledged(self, watch: Watch) -> Iterator[AlertEvent]:
        """Acknowledgements that other processes wrote into the store («alerts ack»); they are kept there already."""
        if self.store is None:
            return
        for whose, alert_id, seen in self.store.acknowledged_elsewhere():
            with contextlib.suppress(UsageError):  # of another run, or ended meanwhile
                if whose == watch.settings.alerts.judged_by:
                    yield watch.acknowledge(alert_id, seen.by_role, seen.at_s)

    def summary(self, watch: Watch) -> str:
        counts = watch.alerts.counts
        alerts = ", ".join(f"{number:,} {name}" for name, number in sorted(self.raised.items())) or "none"
        least = "at least " if counts.at_least else ""
        return (
            f"Alerts: {alerts}. {least}{counted(counts.violations, 'violation')} of zones by "
            f"{counted(counts.targets, 'target')} in {counted(counts.tracks, 'track')}, "
            f"{counts.exempt:,} exempt inside; {counted(self.cycles, 'cycle')}."
        )


@contextlib.contextmanager
def open_outlet(
    watch: Watch, given: dict[str, Any], *, simulated: bool = False, recorded: bool = False
) -> Iterator[Outlet]:  # fmt: skip
    """The outlet that the options ask for; closes the store and the server in the end."""
    from keepclear.alerts.events import event_line, event_text, heartbeat_line, heartbeat_text

    as_json = given["format"] == "json" or (given["format"] is None and not sys.stdout.isatty())

    lines = _Lines()

    def write(events: Sequence[AlertEvent], watch: Watch) -> None:
        text = event_line if as_json else event_text
        # At once: a closed region full of traffic has a hundred lines a cycle.
        lines.write("\n".join(text(event, watch.zones) for event in events))

    def heartbeat(cycle: Cycle) -> None:
        if as_json:
            lines.write(heartbeat_line(cycle.heartbeat))
        elif cycle.heartbeat.reasons:
            say(heartbeat_text(cycle.heartbeat))

    outlet = Outlet(write, heartbeat)
    with contextlib.ExitStack() as closing:
        if given.get("store") is not None:
            from keepclear.edge.alert_store import AlertStore

            outlet.store = closing.enter_context(AlertStore.open(given["store"]))
            left = outlet.store.end_left_open(watch.settings.alerts.judged_by)
            if left:
                say(f"keepclear: {counted(left, 'alert')} of an earlier watch ended with it, and can be reviewed")
        if given.get("channel_node") is not None:
            outlet.sender = _sender(given)
        if given.get("serve"):
            from keepclear.server.publish import Publisher

            outlet.publisher = closing.enter_context(
                Publisher.start(watch, host=given["host"], port=given["port"], simulated=simulated, recorded=recorded)
            )
            say(f"The map is at {outlet.publisher.url}")
        lines.alone = outlet.store is None and outlet.publisher is None and outlet.sender is None
        yield outlet


@dataclass(slots=True)
class _Lines:
    """Lines on stdout. A full disk there ends a watch only where they are all it has."""

    alone: bool = True
    _lost: bool = False

    def write(self, text: str) -> None:
        try:
            click.echo(f"\n{text}" if self._lost else text)  # after half a line
        except OSError as error:
            if self.alone or error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
                raise
            if not self._lost:
                say(f"keepclear: lines of alerts are being lost: stdout cannot be written ({error.strerror})")
            self._lost = True
            return
        if self._lost:
            say("keepclear: stdout can be written again")
        self._lost = False


def _sender(given: dict[str, Any]) -> AlertSender:
    from keepclear.channel_alerts import AlertSender
    from keepclear.cli.channel.messages import reading, writing

    node, read = writing(given["channel_node"], None), reading(given["channel_node"])
    to = tuple(read.charter.party(party).id for party in given["channel_to"])
    return AlertSender(node, read.correspondence, given["channel_by"], to)
