"""Every feed format by name: how to recognise it and where its decoder is. Decoders load on first use."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from keepclear.errors import UsageError
from keepclear.feeds.decoder import Decoder

__all__ = ["FORMATS", "DecoderOptions", "Format", "make_decoder", "recognise"]

SNIFF_BYTES = 4096
"""How much of a file's head a recogniser sees (after gzip)."""


@dataclass(frozen=True, slots=True)
class DecoderOptions:
    """What some decoders must be told because the bytes do not say it."""

    source: str = ""
    """the feed's name, put into the ``source`` column"""
    start_s: float | None = None
    """the instant of the first byte, for formats without absolute time (Beast, AVR, NMEA without tag block)"""
    receiver_lat_deg: float | None = None
    receiver_lon_deg: float | None = None
    """where the receiver stood: needed for Mode S surface positions and for polar radar plots"""
    radars: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """ASTERIX CAT048 from several radars: SAC and SIC in hex («190c») → the radar's latitude and longitude"""
    columns: Mapping[str, str] = field(default_factory=dict)
    """CSV and Parquet: our column name → the file's"""


@dataclass(frozen=True, slots=True)
class Format:
    """``decoder`` and ``sniff`` are «module:name» paths; ``make(options)`` is the decoder's constructor."""

    name: str
    title: str
    suffixes: tuple[str, ...]
    decoder: str
    sniff: str
    """«module:function», called with the first bytes: does this look like the format?"""
    streaming: bool
    """may be read from a socket chunk by chunk"""


def _load(path: str) -> Callable[..., object]:
    module, _, name = path.partition(":")
    found: Callable[..., object] = getattr(importlib.import_module(module), name)
    return found


FORMATS: dict[str, Format] = {
    f.name: f
    for f in (
        Format("readsb", "readsb, dump1090, tar1090 aircraft.json", (".json",),
               "keepclear.feeds.readsb:AircraftJsonDecoder", "keepclear.feeds.readsb:looks_like_aircraft_json", True),
        Format("readsb-trace", "readsb trace file (one aircraft, one day)", (".json",),
               "keepclear.feeds.readsb_trace:TraceDecoder", "keepclear.feeds.readsb_trace:looks_like_trace", False),
        Format("sbs", "SBS-1 BaseStation text", (".sbs", ".csv", ".txt"),
               "keepclear.feeds.sbs:SbsDecoder", "keepclear.feeds.sbs:looks_like_sbs", True),
        Format("beast", "Mode S Beast binary", (".bin", ".beast"),
               "keepclear.feeds.mode_s:BeastDecoder", "keepclear.feeds.mode_s:looks_like_beast", True),
        Format("avr", "Mode S AVR / raw hex lines", (".avr", ".raw"),
               "keepclear.feeds.mode_s:AvrDecoder", "keepclear.feeds.mode_s:looks_like_avr", True),
        Format("mode-s", "Mode S hex frames with time stamps, CSV or JSON lines", (".csv", ".jsonl"),
               "keepclear.feeds.mode_s:HexLinesDecoder", "keepclear.feeds.mode_s:looks_like_hex_lines", True),
        Format("opensky", "OpenSky state vectors", (".json",),
               "keepclear.feeds.opensky:StatesDecoder", "keepclear.feeds.opensky:looks_like_states", True),
        Format("asterix", "ASTERIX CAT021, CAT048, CAT062 (raw, pcap)", (".ast", ".pcap", ".bin"),
               "keepclear.feeds.asterix:AsterixDecoder", "keepclear.feeds.asterix:looks_like_asterix", True),
        Format("ais", "AIS NMEA (AIVDM, tag blocks)", (".nm4", ".nmea", ".ais", ".txt"),
               "keepclear.feeds.ais:AisDecoder", "keepclear.feeds.ais:looks_like_ais", True),
        Format("cot", "Cursor-on-Target XML", (".xml", ".cot"),
               "keepclear.feeds.cursor_on_target:XmlDecoder", "keepclear.feeds.cursor_on_target:looks_like_xml", True),
        Format("cot-protobuf", "Cursor-on-Target protobuf (TAK protocol 1)", (".tak", ".pb"),
               "keepclear.feeds.cursor_on_target:ProtobufDecoder",
               "keepclear.feeds.cursor_on_target:looks_like_protobuf", True),
        Format("remote-id", "ASTM F3411 remote ID flights", (".json",),
               "keepclear.feeds.remote_id:FlightsDecoder", "keepclear.feeds.remote_id:looks_like_flights", True),
        Format("gpx", "GPX tracks", (".gpx",),
               "keepclear.feeds.gpx:GpxDecoder", "keepclear.feeds.gpx:looks_like_gpx", False),
        Format("mavlink", "MAVLink 1 and 2 (telemetry log or stream)", (".tlog", ".mavlink"),
               "keepclear.feeds.mavlink:MavlinkDecoder", "keepclear.feeds.mavlink:looks_like_mavlink", True),
        Format("parquet", "Parquet with the documented columns", (".parquet", ".pq"),
               "keepclear.feeds.parquet:ParquetDecoder", "keepclear.feeds.parquet:looks_like_parquet", False),
        Format("arrow", "Arrow IPC stream or file with the documented columns", (".arrow", ".arrows", ".feather"),
               "keepclear.feeds.arrow_stream:ArrowDecoder", "keepclear.feeds.arrow_stream:looks_like_arrow", True),
        Format("csv", "CSV with the documented columns", (".csv", ".tsv", ".txt"),
               "keepclear.feeds.csv_table:CsvDecoder", "keepclear.feeds.csv_table:looks_like_csv", True),
    )
}  # fmt: skip


def make_decoder(name: str, options: DecoderOptions) -> Decoder:
    """The decoder of a format. Raises :class:`UsageError` for an unknown name."""
    if name not in FORMATS:
        raise UsageError(f"no feed format is called {name!r}; known: {', '.join(FORMATS)}")
    decoder: Decoder = _load(FORMATS[name].decoder)(options)  # type: ignore[assignment]
    return decoder


def recognise(head: bytes, suffix: str = "") -> str | None:
    """The format's name that ``head`` looks like, those with this file suffix asked first; ``None`` if none does."""
    candidates = sorted(FORMATS.values(), key=lambda f: suffix.lower() not in f.suffixes)
    for candidate in candidates:
        if _load(candidate.sniff)(head[:SNIFF_BYTES]):
            return candidate.name
    return None
