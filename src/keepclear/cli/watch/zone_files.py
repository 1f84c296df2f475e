"""The zone files of a running watch, looked at again and again."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keepclear.cli.progress import say
from keepclear.cli.zone_decisions import ZoneDecisions

__all__ = ["ZoneFileWatch"]


@dataclass(slots=True)
class ZoneFileWatch:
    """Notices when the zone files were written anew. A broken edit is said, and the zones stay as they were.

    An edit with an error that was not there before counts as broken even where other blocks can be read: a zone
    whose block is damaged, or half written at this moment, has not been withdrawn by anybody.
    """

    files: tuple[Path, ...]
    firs: tuple[Path, ...]
    _checked_s: float = 0.0
    _stamp: tuple[tuple[str, int, int], ...] | None = None
    why: str = ""
    """the last change"""
    _known_errors: frozenset[str] = frozenset()
    _said: str = ""
    _decisions: ZoneDecisions | None = None
    _plain: Any = None
    """the zones as they were read, without flags"""
    _flagged: Any = None

    def __post_init__(self) -> None:
        with contextlib.suppress(OSError):
            self._stamp = self._stamps()  # before the zones are read, so that no edit falls between

    def begin(self) -> None:
        """Errors that the files have from the start were said then; they do not make a later edit broken."""
        from keepclear.errors import KeepclearError
        from keepclear.node import read_zones

        with contextlib.suppress(KeepclearError, OSError):
            self._known_errors = frozenset(str(e) for e in read_zones(*self.files, firs=list(self.firs)).errors)

    def hold_against(self, decisions: ZoneDecisions, zones: Any, now_s: float) -> Any:
        """From now on zones are flagged by the decisions that they cite, anew where those change."""
        self._decisions, self._plain = decisions, zones
        self._flagged = decisions.flag(zones, now_s)
        return self._flagged

    def _restood(self, now_s: float) -> Any:
        """The zones where a decision stands otherwise than before."""
        if self._decisions is None:
            return None
        flagged = self._decisions.flag(self._plain, now_s)
        if flagged == self._flagged:
            return None
        self._flagged, self.why = flagged, "what zones rest on has changed"
        return flagged

    def changed(self, now_s: float) -> Any:
        if now_s - self._checked_s < 2.0:
            return None
        self._checked_s = now_s
        from keepclear.errors import KeepclearError
        from keepclear.node import read_zones

        try:
            stamp = self._stamps()
            if stamp == self._stamp:
                return self._restood(now_s)
            self._stamp = stamp
            load = read_zones(*self.files, firs=list(self.firs))
        except (KeepclearError, OSError) as error:
            return self._stay(str(error))
        errors = [str(error) for error in load.errors]
        new = [error for error in errors if error not in self._known_errors]
        if new or not len(load.zones):
            return self._stay(
                new[0] + (f" (and {len(new) - 1} more)" if len(new) > 1 else "")
                if new
                else "the files hold no zone any more; to end one, give it an end or the status WITHDRAWN"
            )
        self._known_errors, self._said = frozenset(errors), ""
        self.why = "the zone files changed and were read again"
        return load.zones if self._decisions is None else self.hold_against(self._decisions, load.zones, now_s)

    def _stay(self, reason: str) -> None:
        if reason != self._said:
            say(f"keepclear: the zones stay as they were: {reason}")
            self._said = reason

    @property
    def outdated(self) -> str:
        """Why the zones are not what the files say now; for the heartbeat, which shows it as DEGRADED."""
        return f"the zones stay as they were: {self._said}" if self._said else ""

    def _stamps(self) -> tuple[tuple[str, int, int], ...]:
        return tuple(
            (str(p), p.stat().st_mtime_ns, p.stat().st_size)
            for f in (*self.files, *self.firs)
            for p in ([f] if not f.is_dir() else sorted(f.rglob("*")))
        )
