"""GPX 1.0 and 1.1 track points to reports.

Elevations are taken as above mean sea level, as receivers write them (the schema says only «in metres»), and are
brought to the WGS84 ellipsoid with the EGM96 geoid. A point without a time is refused; routes and waypoints have
no time of passing and are counted in :attr:`GpxDecoder.skipped`. GPX does not say what moved: domain UNKNOWN.
"""

from __future__ import annotations

import math
import xml.parsers.expat as expat  # document types are refused below, as defusedxml does it

from keepclear.errors import InputError
from keepclear.feeds.decoder import Faults
from keepclear.feeds.formats import DecoderOptions
from keepclear.feeds.report_rows import ReportRows, clean_label
from keepclear.feeds.reports import ReportBatch
from keepclear.quantities import parse_instant

__all__ = ["GpxDecoder", "looks_like_gpx"]

TEXT_MAX = 256
"""Characters kept of one element's text: times and numbers are shorter, names are cut there."""
DEPTH_MAX = 64
"""Nested elements; GPX with extensions has fewer than ten."""
_NAN = math.nan
_NAMESPACES = ("", "http://www.topografix.com/GPX/1/0", "http://www.topografix.com/GPX/1/1")
_READ = ("name", "time", "ele", "speed", "course")


def looks_like_gpx(head: bytes) -> bool:
    """A ``gpx`` element near the beginning."""
    return b"<gpx" in head


class _Refused(Exception):
    """Raised inside the parser's callbacks to stop it."""


def _number(text: str) -> float:
    try:
        return float(text) if "_" not in text else _NAN
    except ValueError:
        return _NAN


class GpxDecoder:
    """A GPX file chunk by chunk, in constant memory. What follows malformed XML is not read; what went before is kept.

    The target is the track's name, else «gpx:» and the track's number.
    """

    def __init__(self, options: DecoderOptions) -> None:
        self.faults = Faults()
        self.skipped: dict[str, int] = {}
        self._rows = ReportRows(self.faults, options.source)
        self._path: list[str] = []
        self._text = ""
        self._point: dict[str, str] | None = None
        self._where = ""
        self._track = ""
        self._tracks = 0
        self._received_s = _NAN
        self._ended = False
        self._root_seen = False
        self._problem = ""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        parser.EntityDeclHandler = self._refuse_doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.buffer_text = True
        self._parser = parser

    def decode(self, data: bytes, received_s: float) -> ReportBatch:
        """Reports of the points that ``data`` completes. Raises :class:`InputError` where the file is no GPX."""
        self._received_s = received_s
        self._parse(data, False)
        return self._rows.take()

    def finish(self) -> ReportBatch:
        self._parse(b"", True)
        return self._rows.take()

    def _parse(self, data: bytes, final: bool) -> None:
        if self._ended:
            return
        try:
            self._parser.Parse(data, final)
        except expat.ExpatError as error:
            self._problem = f"XML is malformed ({expat.ErrorString(error.code)})"
            place = f"line {error.lineno}"
        except _Refused:
            place = f"line {self._parser.CurrentLineNumber}"
        except (ValueError, LookupError):  # an encoding that Python does not know
            self._problem = "XML encoding is not known"
            place = "line 1"
        else:
            self._ended = final
            return
        self._ended = True
        if not self._root_seen:
            raise InputError(f"not a GPX file: {self._problem}", where=place)
        self.faults.add(f"{self._problem}; the rest is not read", place)

    def _refuse_doctype(self, *_: object) -> None:
        self._problem = "a document type or entity is declared"
        raise _Refused

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, local = name.rpartition(" ")
        if not self._path:
            if local != "gpx":
                self._problem = "the root element is not «gpx»"
                raise _Refused
            self._root_seen = True
        if len(self._path) >= DEPTH_MAX:
            self._problem = f"elements nested deeper than {DEPTH_MAX}"
            raise _Refused
        self._path.append(local if space in _NAMESPACES else "?")
        self._text = ""
        match self._path:
            case ["gpx", "trk"]:
                self._tracks += 1
                self._track = f"gpx:{self._tracks}"
            case ["gpx", "trk", "trkseg", "trkpt"]:
                self._point = {key: value[:TEXT_MAX] for key, value in attributes.items() if key in ("lat", "lon")}
                self._where = f"line {self._parser.CurrentLineNumber}"
            case ["gpx", "wpt"] | ["gpx", "rte", "rtept"]:
                what = "waypoint" if local == "wpt" else "route point"
                self.skipped[what] = self.skipped.get(what, 0) + 1

    def _characters(self, text: str) -> None:
        if len(self._text) < TEXT_MAX:
            self._text += text[: TEXT_MAX - len(self._text)]

    def _end(self, name: str) -> None:
        match self._path:
            case ["gpx", "trk", "name"] if clean_label(self._text):
                self._track = clean_label(self._text)
            case ["gpx", "trk", "trkseg", "trkpt", item] if item in _READ and self._point is not None:
                self._point.setdefault(item, self._text.strip())
            case ["gpx", "trk", "trkseg", "trkpt"]:
                self._finish_point()
        self._path.pop()
        self._text = ""

    def _finish_point(self) -> None:
        point, self._point = self._point or {}, None
        if not point.get("time"):
            self.faults.add("track point has no time", self._where)
            return
        try:
            time_s = parse_instant(point["time"])
        except InputError:
            self.faults.add("track point's time is not ISO 8601 with a zone", self._where)
            return
        self._rows.add(
            self._where,
            time_s=time_s,
            received_s=self._received_s,
            lat_deg=_number(point.get("lat", "")),
            lon_deg=_number(point.get("lon", "")),
            target=self._track,
            altitude_geo_m=_number(point.get("ele", "")),
            above_mean_sea_level=True,
            ground_speed_mps=_number(point.get("speed", "")),
            track_deg=_number(point.get("course", "")),
        )
