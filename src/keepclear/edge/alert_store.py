"""Every alert kept in one SQLite file: its whole history, the zone version it was judged against, who saw it and
what it was worth afterwards (practice §2: keep every alert, judge each later; R2.1, R2.11).

One process writes what happens (``watch``), others may acknowledge and review at the same time. Where the disk fails
in the middle of a watch, alerts go on: they wait in memory, marked unsaved, and are saved when it works again.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from keepclear.alerts.model import (
    Acknowledgement,
    Alert,
    AlertEvent,
    AlertStatus,
    EventKind,
    Review,
    ReviewVerdict,
    checked_role,
    reviewed,
)
from keepclear.alerts.record import decode_alert, encode_alert, plain
from keepclear.alerts.state import ended_with_watch
from keepclear.alerts.statistics import TypeStatistics, alert_statistics
from keepclear.edge.alert_file import AlertStoreError, explained, open_file
from keepclear.errors import InputError, UsageError
from keepclear.zones.model import Zone
from keepclear.zones.zone_set import ZoneSet

__all__ = ["UNSAVED_MAX", "AlertStore"]

UNSAVED_MAX = 100_000
"""Events that wait in memory while the disk fails, some 200 MB; then the oldest go, and it is said how many."""


class AlertStore:
    """Open one with :meth:`open`, as a context manager. Not for several threads at once."""

    def __init__(self, path: Path, connection: sqlite3.Connection, on_problem: Callable[[str], None]) -> None:
        self.path = path
        self._connection = connection
        self._on_problem = on_problem
        self._waiting: deque[tuple[AlertEvent, Zone | None]] = deque()
        self._zones_kept: set[tuple[str, str]] = set()
        self._data_version = -1
        self._event_seen = 0
        self.problem: AlertStoreError | None = None
        """why alerts are not being saved at the moment"""
        self.forgotten = 0
        """unsaved events that had to go because UNSAVED_MAX of them waited"""

    @staticmethod
    def open(path: str | Path, *, create: bool = True, on_problem: Callable[[str], None] | None = None) -> AlertStore:
        """Opens, checks and if need be creates the file. ``on_problem`` is told once when saving begins to fail and
        once when it works again (default: a line on stderr). Raises :class:`AlertStoreError`."""
        path = Path(path)
        connection = open_file(path, create=create)
        store = AlertStore(path, connection, on_problem or _say)
        store.acknowledged_elsewhere()  # what was there before is no news
        return store

    def __enter__(self) -> AlertStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.record((), None)
        waiting, problem = self.unsaved, self.problem
        self.close()
        if waiting and kind is None:
            raise AlertStoreError(f"{waiting} events could not be saved and are lost with this process. {problem}")

    def close(self) -> None:
        self._connection.close()

    @property
    def unsaved(self) -> int:
        """Events that wait in memory."""
        return len(self._waiting)

    def record(self, events: Iterable[AlertEvent], zones: ZoneSet | None) -> bool:
        """Keep what happened, all of it in one transaction that is on the disk when this returns True.

        Returns False where it could not be saved: the events wait in memory and every later call tries again.
        Nothing is raised for it, so that a full disk never silences a watch; :attr:`problem` says why.
        """
        of_version = {(zone.id, zone.version): zone for zone in zones} if zones is not None else {}
        for event in events:
            zone = of_version.get((event.alert.zone_id, event.alert.zone_version))
            self._waiting.append((event, zone))
        while len(self._waiting) > UNSAVED_MAX:
            self._waiting.popleft()
            self.forgotten += 1
        if not self._waiting:
            return True
        try:
            self._write(list(self._waiting))
        except sqlite3.Error as error:
            newly = self.problem is None
            self.problem = explained(self.path, error)
            if newly:
                self._on_problem(f"{self.problem} Alerts go on, unsaved, and wait in memory.")
            return False
        self._waiting.clear()
        if self.problem is not None:
            self.problem = None
            lost = f" but for the oldest {self.forgotten}, which are lost" if self.forgotten else ""
            self._on_problem(f"{self.path}: alerts are saved again, all that waited included{lost}.")
        return True

    def alerts(
        self,
        *,
        status: Sequence[AlertStatus] = (),
        type: str | None = None,
        track_id: str | None = None,
        zone_id: str | None = None,
        since_s: float | None = None,
        exempt: bool = False,
        limit: int | None = None,
    ) -> Iterator[Alert]:
        """Kept alerts, the newest first, with their acknowledgements and review. Exempt tracks on request only.

        Raises :class:`AlertStoreError`."""
        asked = {"type = ?": type, "track_id = ?": track_id, "zone_id = ?": zone_id, "raised_s >= ?": since_s}
        given = {clause: value for clause, value in asked.items() if value is not None}
        where = " AND ".join([*given, *(() if exempt else ("exempt = 0",))])
        # The clauses are our own words; what was given travels as parameters.
        query = f"SELECT document FROM alert {'WHERE ' + where if where else ''}"  # noqa: S608
        query += " ORDER BY raised_s DESC, judged_by, id DESC"
        found = 0
        try:
            for (document,) in self._connection.execute(query, list(given.values())):
                alert = self._complete(decode_alert(document))
                if status and alert.status not in status:
                    continue
                yield alert
                found += 1
                if limit is not None and found >= limit:
                    return
        except (sqlite3.Error, InputError) as error:
            raise explained(self.path, error) from None

    def alert(self, alert_id: str, judged_by: str | None = None) -> Alert:
        """One alert. Raises :class:`UsageError` if there is none, or several parties' and none was named."""
        try:
            rows = self._connection.execute(
                "SELECT document FROM alert WHERE id = ? AND (? IS NULL OR judged_by = ?)",
                (alert_id, judged_by, judged_by),
            ).fetchall()
            found = [decode_alert(document) for (document,) in rows]
        except (sqlite3.Error, InputError) as error:
            raise explained(self.path, error) from None
        if not found:
            raise UsageError(f"no alert {alert_id} in {self.path}: see «keepclear alerts list»")
        if len(found) > 1:
            whose = ", ".join(sorted(alert.judged_by or "(unnamed)" for alert in found))
            raise UsageError(f"alert {alert_id} exists by {whose}: say whose with --judged-by")
        return self._complete(found[0])

    def versions(self, track_id: str, zone_id: str) -> list[Alert]:
        """All parties' and sources' alerts of one target and one zone, side by side by time, none merged with
        another (practice R2.1)."""
        return sorted(
            self.alerts(track_id=track_id, zone_id=zone_id), key=lambda a: (a.raised_s, a.judged_by, a.track.source)
        )

    def zone_text(self, zone_id: str, version: str) -> str:
        """The published words of a zone's version that some alert was judged against (practice R2.11)."""
        row = self._fetch("SELECT text FROM zone_version WHERE zone_id = ? AND version = ?", zone_id, version)
        if row is None:
            raise UsageError(f"no alert in {self.path} was judged against zone {zone_id} version {version}")
        return str(row[0])

    def history(self, alert: Alert) -> list[tuple[float, EventKind, Alert]]:
        """What happened to an alert, in order, each time with the alert as it then stood."""
        try:
            rows = self._connection.execute(
                "SELECT at_s, kind, document FROM event WHERE judged_by = ? AND alert_id = ? ORDER BY number",
                (alert.judged_by, alert.id),
            ).fetchall()
            return [(at_s, EventKind(kind), decode_alert(document)) for at_s, kind, document in rows]
        except (sqlite3.Error, InputError) as error:
            raise explained(self.path, error) from None

    def acknowledge(self, alert_id: str, by_role: str, at_s: float, judged_by: str | None = None) -> Alert:
        """Note that a role has seen the alert. Raises :class:`UsageError` for an ended one."""
        role = checked_role(by_role)
        alert = self.alert(alert_id, judged_by)
        if alert.status in (AlertStatus.ENDED, AlertStatus.REVIEWED):
            raise UsageError(f"alert {alert_id} has ended: it can be reviewed, not acknowledged any more")
        seen = Acknowledgement(role, at_s, _stage(alert))
        acknowledged = replace(
            alert, status=AlertStatus.ACKNOWLEDGED, acknowledgements=(*alert.acknowledgements, seen), changed_s=at_s
        )
        self._write_or_raise([(AlertEvent(EventKind.ACKNOWLEDGED, at_s, acknowledged), None)], update=False)
        return self.alert(alert_id, alert.judged_by)

    def end_left_open(self, judged_by: str) -> int:
        """Ends what a watch left open that was killed, or whose disk failed; returns how many. For the next watch, of
        which a store has one at a time."""
        open_now = (AlertStatus.PREDICTED.value, AlertStatus.ACTUAL.value)
        try:
            rows = self._connection.execute(
                "SELECT document FROM alert WHERE judged_by = ? AND exempt = 0 AND status IN (?, ?)",
                (judged_by, *open_now),
            ).fetchall()
            left = [decode_alert(document) for (document,) in rows]
        except (sqlite3.Error, InputError) as error:
            raise explained(self.path, error) from None
        self.record([ended_with_watch(alert, alert.changed_s) for alert in left], None)
        return len(left)

    def acknowledged_elsewhere(self) -> list[tuple[str, str, Acknowledgement]]:
        """(whose, alert id, acknowledgement) of what other processes wrote since the last call, for a watch to take
        over. A few microseconds where nobody wrote; nothing where the file cannot be read at the moment."""
        try:
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
            if version == self._data_version:
                return []
            (newest,) = self._connection.execute("SELECT coalesce(max(number), 0) FROM event").fetchone()
            rows = self._connection.execute(
                "SELECT judged_by, alert_id, document FROM event WHERE kind = ? AND number > ? AND number <= ?"
                " ORDER BY number",
                (EventKind.ACKNOWLEDGED.value, self._event_seen if self._data_version >= 0 else newest, newest),
            ).fetchall()
            found = [(whose, alert_id, decode_alert(document)) for whose, alert_id, document in rows]
        except (sqlite3.Error, InputError):
            return []
        self._data_version, self._event_seen = version, newest
        return [(whose, alert_id, alert.acknowledgements[-1]) for whose, alert_id, alert in found]

    def review(
        self,
        alert_id: str,
        verdict: ReviewVerdict,
        by_role: str,
        at_s: float,
        note: str = "",
        judged_by: str | None = None,
    ) -> Alert:
        """Judge an ended alert; an earlier review stays in the history. Raises :class:`UsageError`."""
        event = reviewed(self.alert(alert_id, judged_by), verdict, by_role, at_s, note)
        self._write_or_raise([(event, None)], update=False)
        return self.alert(alert_id, event.alert.judged_by)

    def statistics(self, since_s: float | None = None) -> list[TypeStatistics]:
        """Counts by type and review, and how long things took."""
        return alert_statistics(self.alerts(since_s=since_s))

    def _fetch(self, query: str, *values: object) -> tuple[object, ...] | None:
        try:
            row: tuple[object, ...] | None = self._connection.execute(query, values).fetchone()
        except sqlite3.Error as error:
            raise explained(self.path, error) from None
        return row

    def _complete(self, alert: Alert) -> Alert:
        """With the acknowledgements and the review that other processes may have added since."""
        key = (alert.judged_by, alert.id)
        seen = self._connection.execute(
            "SELECT by_role, at_s, status FROM acknowledgement WHERE judged_by = ? AND alert_id = ? ORDER BY at_s", key
        ).fetchall()
        judged = self._connection.execute(
            "SELECT verdict, by_role, at_s, note FROM review WHERE judged_by = ? AND alert_id = ?"
            " ORDER BY number DESC LIMIT 1",
            key,
        ).fetchone()
        acknowledgements = tuple(Acknowledgement(role, at_s, AlertStatus(status)) for role, at_s, status in seen)
        status = alert.status
        if status in (AlertStatus.PREDICTED, AlertStatus.ACTUAL) and status in {a.status for a in acknowledgements}:
            status = AlertStatus.ACKNOWLEDGED
        review = None
        if judged is not None:
            review = Review(ReviewVerdict(judged[0]), judged[1], judged[2], judged[3])
            status = AlertStatus.REVIEWED if status is AlertStatus.ENDED else status
        return replace(alert, status=status, acknowledgements=acknowledgements, review=review)

    def _write_or_raise(self, events: list[tuple[AlertEvent, Zone | None]], *, update: bool) -> None:
        try:
            self._write(events, update=update)
        except sqlite3.Error as error:
            raise explained(self.path, error) from None

    def _write(self, events: list[tuple[AlertEvent, Zone | None]], *, update: bool = True) -> None:
        zones, kept, happened, seen, judged = [], {}, [], [], []
        for event, zone in events:
            alert = event.alert
            key = (alert.judged_by, alert.id)
            document = encode_alert(alert)
            version = (alert.zone_id, alert.zone_version)
            if alert.zone_id and version not in self._zones_kept:
                described = json.dumps(plain(zone), ensure_ascii=False, default=str) if zone is not None else "{}"
                zones.append((*version, alert.zone_name, alert.zone_text, described))
            happened.append((*key, event.kind.value, event.at_s, document))
            seen += [(*key, a.at_s, a.by_role, a.status.value) for a in alert.acknowledgements]
            if event.kind is EventKind.REVIEWED and alert.review is not None:
                r = alert.review
                judged.append((*key, r.at_s, r.by_role, r.verdict.value, r.note))
            stage = _stage(alert)
            ended_s = alert.ended_s if alert.ended_s == alert.ended_s else None
            kept[key] = (
                *key, alert.type.value, stage.value, alert.exempt, alert.track.track_id, alert.track.source, *version,
                alert.raised_s, ended_s, encode_alert(replace(alert, status=stage)),
            )  # fmt: skip
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.executemany("INSERT OR IGNORE INTO zone_version VALUES (?, ?, ?, ?, ?)", zones)
            if update:
                connection.executemany(
                    "INSERT OR REPLACE INTO alert VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", kept.values()
                )
            connection.executemany(
                "INSERT INTO event (judged_by, alert_id, kind, at_s, document) VALUES (?, ?, ?, ?, ?)", happened
            )
            connection.executemany("INSERT OR IGNORE INTO acknowledgement VALUES (?, ?, ?, ?, ?)", seen)
            connection.executemany(
                "INSERT INTO review (judged_by, alert_id, at_s, by_role, verdict, note) VALUES (?, ?, ?, ?, ?, ?)",
                judged,
            )
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self._zones_kept.update((zone[0], zone[1]) for zone in zones)


def _stage(alert: Alert) -> AlertStatus:
    """The status without acknowledgement and review, which are kept beside it."""
    if alert.status is AlertStatus.ACKNOWLEDGED:
        return alert.acknowledgements[-1].status
    return AlertStatus.ENDED if alert.status is AlertStatus.REVIEWED else alert.status


def _say(message: str) -> None:
    with contextlib.suppress(OSError):  # the log is on the same full disk
        sys.stderr.write(f"keepclear: {message}\n")
        sys.stderr.flush()
