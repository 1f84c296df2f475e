"""One line of JSON for each request that changed something or was refused: who, what, which code. Never a token, never
a body."""

from __future__ import annotations

import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import msgspec

__all__ = ["Journal"]


class Journal:
    """``stream`` None: say nothing. Questions that were answered are not worth a line."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def request(self, operation: str, method: str, status: int, subject: str | None, took_s: float, said: str) -> None:
        if self._stream is None or (status < 400 and method in ("GET", "POST")):
            return
        self.event(
            "request", operation=operation, status=status, subject=subject, took_ms=round(took_s * 1e3, 1),
            said=said[:200] or None,
        )  # fmt: skip

    def defect(self, operation: str, error: Exception) -> None:
        """Where it happened, for who mends it."""
        frames = traceback.extract_tb(error.__traceback__)[-8:]
        where = " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in reversed(frames))
        self.event("defect", operation=operation, error=f"{type(error).__name__}: {error}"[:400], where=where)

    def event(self, name: str, **said: Any) -> None:
        if self._stream is None:
            return
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = msgspec.json.encode({"at": at, "event": name, **{k: v for k, v in said.items() if v is not None}})
        try:
            self._stream.write(line.decode() + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            self._stream = None  # nobody reads: the service is worth more than its journal
