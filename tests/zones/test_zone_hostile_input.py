"""No bytes bring a zone reader to anything but zones, problems or a typed refusal."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keepclear.errors import InputError
from keepclear.zones import ed269, ed318, geojson, kml
from keepclear.zones.model import Zone
from keepclear.zones.reading import ZoneReading

FORMATS = {"geojson": geojson, "ed269": ed269, "ed318": ed318, "kml": kml}
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 1e308, 10**24, "", "x", "NaN", [], {}, [[]], [None], {"type": "Point"}, "2026-13-45T99:99:99Z",
     "\ufeff", "Z" * 300, [[[[1, 2]]]], "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "24:00:00Z"]
)  # fmt: skip


def survives(module: Any, data: bytes) -> None:
    module.looks_like(data[:4096])
    try:
        reading = module.read(data, "x")
    except InputError:
        return
    assert isinstance(reading, ZoneReading)
    module.write(reading.zones)


@st.composite
def mutated_bytes(draw: st.DrawFn, data: bytes) -> bytes:
    out = bytearray(data)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(len(out) - 1, 0)))
        kind = draw(st.sampled_from(["flip", "cut", "copy", "insert"]))
        if kind == "flip" and out:
            out[at] = draw(st.integers(0, 255))
        elif kind == "cut":
            del out[at : at + draw(st.integers(1, 40))]
        elif kind == "copy":
            out[at:at] = out[at : at + draw(st.integers(1, 200))]
        else:
            out[at:at] = draw(
                st.sampled_from([b'"', b"[", b"}", b"<", b"&", b"\xff", b"-", b"1e999", b"NaN", b"\\ud800"])
            )
    return bytes(out)


def paths(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [here]
    if isinstance(value, dict):
        found += [path for key in value for path in paths(value[key], (*here, key))]
    elif isinstance(value, list):
        found += [path for index in range(len(value)) for path in paths(value[index], (*here, index))]
    return found


@st.composite
def mutated_values(draw: st.DrawFn, data: bytes) -> bytes:
    value = json.loads(data)
    for _ in range(draw(st.integers(1, 4))):
        path = draw(st.sampled_from(paths(value)))
        target = value
        for step in path[:-1]:
            target = target[step]
        if path and draw(st.booleans()) and isinstance(target, dict):
            del target[path[-1]]
        elif path:
            target[path[-1]] = deepcopy(draw(ODD))
    return json.dumps(value).encode()


@pytest.mark.parametrize("name", FORMATS)
def test_mutated_documents(name: str, any_zones: st.SearchStrategy[list[Zone]]) -> None:
    module: Any = FORMATS[name]
    strategy = any_zones.map(lambda zones: module.write(zones).data).flatmap(
        lambda data: mutated_bytes(data) if name == "kml" else st.one_of(mutated_bytes(data), mutated_values(data))
    )

    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def check(data: bytes) -> None:
        survives(module, data)

    check()


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200))
def test_any_bytes(name: str, data: bytes) -> None:
    survives(FORMATS[name], data)
    survives(FORMATS[name], b"PK\x03\x04" + data)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mutated_archives(any_zones: st.SearchStrategy[list[Zone]], data: st.DataObject) -> None:
    survives(kml, data.draw(mutated_bytes(kml.write_kmz(data.draw(any_zones)).data)))


@pytest.mark.parametrize("name", ["geojson", "ed269", "ed318"])
@pytest.mark.parametrize("bracket", [b"[", b'{"a":', b'{"features":['])
def test_depth_is_bounded(name: str, bracket: bytes) -> None:
    closing = b"".join({91: b"]", 123: b"}"}[c] for c in reversed(bracket) if c in b"[{")
    for text in (bracket * 100_000, bracket * 60 + b"1" + closing * 60):
        with pytest.raises(InputError):
            FORMATS[name].read(text, "x")


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_cut_in_the_middle_is_refused(name: str, any_zones: st.SearchStrategy[list[Zone]]) -> None:
    module: Any = FORMATS[name]

    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
    @given(any_zones, st.floats(0.0, 0.99))
    def check(zones: list[Zone], share: float) -> None:
        data = module.write(zones).data.rstrip()
        with pytest.raises(InputError):
            module.read(data[: int(share * len(data))], "x")

    check()
