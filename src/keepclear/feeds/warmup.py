"""Compile the decoders' kernels before a feed needs them."""

from __future__ import annotations

__all__ = ["warm_up_aircraft_json", "warm_up_mode_s"]


def warm_up_mode_s() -> None:
    """Compile, or load from the cache, every kernel of the Mode S decoders by decoding one frame."""
    from keepclear.feeds.formats import DecoderOptions
    from keepclear.feeds.mode_s import BeastDecoder

    frame = bytes.fromhex("1a33000000000001408d40621d58c382d690c8ac2863a7")
    BeastDecoder(DecoderOptions()).decode(frame, 0.0)


def warm_up_aircraft_json() -> None:
    """Compile, or load from the cache, the kernels of the aircraft.json decoder."""
    from keepclear.feeds.formats import DecoderOptions
    from keepclear.feeds.kernels.json_keys import count_keys
    from keepclear.feeds.readsb import AircraftJsonDecoder

    AircraftJsonDecoder(DecoderOptions()).decode(b'{"now":0,"aircraft":[]}', 0.0)
    count_keys(b'{"now":0}', (b'"now"',))
