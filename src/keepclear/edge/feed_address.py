"""What stands on the command line for a feed: a path, ``-``, or a URL, each with an optional ``#format``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from keepclear.errors import UsageError
from keepclear.feeds.formats import FORMATS

__all__ = ["FeedAddress", "FeedKind", "parse_feed"]


class FeedKind(StrEnum):
    FILE = "file"
    STDIN = "stdin"
    TCP = "tcp"
    UDP = "udp"
    HTTP = "http"
    POLL = "poll"
    """a file that is written anew all the time, such as readsb's aircraft.json"""


@dataclass(frozen=True, slots=True)
class FeedAddress:
    kind: FeedKind
    location: str
    """path, ``host:port`` or URL"""
    format: str | None
    """``None``: recognise it from the first bytes"""
    text: str

    @property
    def live(self) -> bool:
        return self.kind in (FeedKind.TCP, FeedKind.UDP, FeedKind.HTTP, FeedKind.POLL)

    @property
    def host_port(self) -> tuple[str, int]:
        parts = urlsplit(f"//{self.location}")
        return parts.hostname or "", parts.port or 0  # parse_feed has refused an address without either


def parse_feed(text: str) -> FeedAddress:
    """``flights.csv``, ``flights.csv#opensky``, ``-`` or ``stdin#sbs``, ``tcp://host:30005#beast``, ``udp://0.0.0.0:8600``,
    ``http://host/data/aircraft.json``, ``poll:/run/readsb/aircraft.json``.

    Raises :class:`UsageError` with the mend.
    """
    location, _, name = text.rpartition("#") if "#" in text and text.rpartition("#")[2] in FORMATS else (text, "", "")
    if not name and "#" in text and not Path(text).exists():
        wrong = text.rpartition("#")[2]
        raise UsageError(f"{text}: no feed format is called {wrong!r}; known: {', '.join(FORMATS)}")
    chosen = name or None
    if location == "-" or (location == "stdin" and not Path(location).exists()):
        return FeedAddress(FeedKind.STDIN, "-", chosen, text)
    scheme, separator, rest = location.partition("://")
    if separator and scheme in ("tcp", "udp"):
        try:
            parts = urlsplit(f"//{rest}")
            usable = parts.hostname is not None and parts.port is not None and not parts.path
        except ValueError:
            usable = False
        if not usable:
            raise UsageError(f"{text}: write {scheme}://HOST:PORT, for example {scheme}://127.0.0.1:30005")
        return FeedAddress(FeedKind(scheme), rest, chosen, text)
    if separator and scheme in ("http", "https"):
        try:
            usable = bool(urlsplit(location).hostname) and urlsplit(location).port != 0
        except ValueError:
            usable = False
        if not usable:
            raise UsageError(f"{text}: write {scheme}://HOST/PATH, for example http://127.0.0.1/data/aircraft.json")
        return FeedAddress(FeedKind.HTTP, location, chosen, text)
    if location.startswith("poll:"):
        return FeedAddress(FeedKind.POLL, location.removeprefix("poll:"), chosen, text)
    if separator:
        raise UsageError(f"{text}: feeds come from files, -, tcp://, udp://, http://, https:// or poll:PATH")
    if not Path(location).exists():
        raise UsageError(f"{location}: there is no such file or folder")
    return FeedAddress(FeedKind.FILE, location, chosen, text)
