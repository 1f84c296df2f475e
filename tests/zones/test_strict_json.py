"""The strict loader refuses what two readers could understand differently, and names the place."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.errors import InputError, LimitExceeded
from keepclear.zones.strict_json import MAX_DEPTH, Node, load

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(VALUES, st.booleans())
def test_it_reads_what_the_plain_loader_reads(value: object, ascii_only: bool) -> None:
    data = json.dumps(value, ensure_ascii=ascii_only).encode()
    assert load(data).value == json.loads(data)


@pytest.mark.parametrize(
    ("data", "reason", "where"),
    [
        (b"", "not JSON", "line 1"),
        (b'{"a": 1} x', "not JSON", "line 1"),
        (b'{"a": 1,\n"b": [1,]}', "not JSON", "line 2"),
        (b'{"a": 1,\n "b": {"c": 1, "d": 2,\n "c": 3}}', 'the key "c" is given twice', "line 3"),
        (b'{"\\u0061": 1, "a": 2}', 'the key "a" is given twice', "line 1"),
        (b'[{"a": [1], "b": "x:\\"", "a": 2}]', 'the key "a" is given twice', "line 1"),
        (b'["NaN", "\\"NaN",\n1, NaN]', "NaN is not", "line 2"),
        (b"[\n\n-Infinity]", "-Infinity is not", "line 3"),
        (b"[21e999,\n1e999]", "21e999 is too large", "line 1"),
        (b"[" + b"9" * 5000 + b"]", "5000 digits", "line 1"),
        ('{"a": 1}'.encode("utf-16"), "UTF-16 text: save it as UTF-8", "byte 0"),
        (b'["\\ud800"]', "surrogate", ""),
        (b'{"\\uDFFF": 1}', "surrogate", ""),
        (b'["\xff"]', "not UTF-8", "byte 2"),
    ],
)
def test_refused(data: bytes, reason: str, where: str) -> None:
    with pytest.raises(InputError) as caught:
        load(data, source="f.json")
    assert reason in caught.value.message
    assert caught.value.where == where
    assert caught.value.source == "f.json"


def test_whole_surrogate_pairs_and_byte_order_marks_are_read() -> None:
    assert load(b'\xef\xbb\xbf["\\ud83d\\ude00"]').value == ["😀"]


@pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 1, 500, 100_000])
@pytest.mark.parametrize(("opening", "closing", "core"), [("[", "]", "1"), ('{"a":', "}", "1"), ("[", "]", '{"x": 2}')])
def test_depth_is_bounded(depth: int, opening: str, closing: str, core: str) -> None:
    inner = core.startswith("{")
    data = (opening * (depth - inner) + core + closing * (depth - inner)).encode()
    if depth <= MAX_DEPTH:
        assert load(data).depth == depth
    else:
        with pytest.raises(LimitExceeded):
            load(data)


def test_brackets_within_texts_do_not_count() -> None:
    assert load(json.dumps({"a": "[{" * 1000, 'b\\"]': ["}"]}).encode()).depth == 2


def test_elements_know_their_lines() -> None:
    document = load(b'{"x": [[1, 2],\n[3]],\n "features": [\n {"a": [{}]},\n\n {}, {"b": "]"}]\n, "y": [1]}')
    assert document.element_lines == {"x": (1, 2), "features": (4, 6, 6)}
    assert document.place("features", 1) == "features[1] (line 6)"
    assert document.place("features", 9) == "features[9]"
    assert load(b'[\n{},\n{"a": {}}]').element_lines[""] == (2, 3)


@pytest.mark.parametrize(
    "number", ["2" * 309 + ".5", "-" + "9" * 400 + ".0", "1e999", "-2E400", "0." + "0" * 300 + "1"]
)
def test_a_number_is_finite_wherever_it_stands(number: str) -> None:
    around = ["", " " * 77, "[1.5, 2.5, [3.25, 4.125]], " * 20]
    for before in around:
        text = f'{{"a": [{before}{number}]}}'.encode()
        if number.startswith("0."):
            assert load(text).depth == 2 if not before.strip() else 4
        else:
            with pytest.raises(InputError, match="is too large"):
                load(text)


def test_rings_count_as_deep_as_they_are() -> None:
    rings = b'{"features": [\n{"c": [[[1, 2], [3, 4]], [[5, 6]]]},\n{"c": [[1, 2], [3]]}, [[7]]]}'
    assert load(rings).depth == 6
    assert load(rings).element_lines == {"features": (2, 3, 3)}
    with pytest.raises(InputError, match="more than 5 deep"):
        load(rings, max_depth=5)


def test_nodes_name_their_place() -> None:
    node = Node({"features": [{"geometry": {"type": 3}}]})
    (feature,) = node["features"].items()
    with pytest.raises(InputError) as caught:
        feature["geometry"]["type"].text()
    assert caught.value.where == "features[0].geometry.type"


@pytest.mark.parametrize("value", [True, None, "x", "nan", "inf", [], "1" * 50])
def test_numbers_are_finite(value: object) -> None:
    with pytest.raises(InputError):
        Node(value, "a").number()


def test_a_text_that_is_a_number_counts() -> None:
    assert Node("12.5", "a").number() == 12.5
