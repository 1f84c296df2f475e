"""A page that applies the differences in order holds exactly the picture that was published."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.errors import InputError
from keepclear.server import picture_delta
from keepclear.server.messages import PictureColumns
from keepclear.server.picture_delta import difference, travelling, whole
from keepclear.server.plain_json import encode

MOVING = ("lon_deg", "lat_deg", "altitude_m", "ground_speed_mps", "track_deg", "vertical_rate_mps", "time_s", "status",
          "flags", "exempt")  # fmt: skip
NAMES = ("altitude_datum", "target", "callsign", "source", "domain", "category", "squawk")


def apply(state: dict[int, dict[str, Any]], message: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """The page's side, slow and obvious."""
    state = {} if message["full"] else {key: dict(row) for key, row in state.items()}
    for key in message["gone"]:
        del state[key]
    for i, key in enumerate(message["key"]):
        state.setdefault(key, {}).update({name: message[name][i] for name in MOVING})
    for i, key in enumerate(message["names"]["key"]):
        state[key].update({name: message["names"][name][i] for name in NAMES})
    return state


number = st.one_of(st.just(math.nan), st.integers(0, 3).map(float))
row = st.fixed_dictionaries(
    {
        **dict.fromkeys(MOVING[:7], number),
        **dict.fromkeys(MOVING[7:], st.integers(0, 2)),
        **dict.fromkeys(NAMES[:4], st.sampled_from(["", "a", "ж"])),
        **dict.fromkeys(NAMES[4:], st.integers(-1, 2)),
    }
)
pictures = st.lists(st.dictionaries(st.integers(0, 12), row, max_size=8), min_size=1, max_size=6)


def columns(rows: dict[int, dict[str, Any]], now_s: float) -> PictureColumns:
    empty: dict[str, Any] = {name: [] for name in (
        "kind", "key", "other", "verdict", "time_to_s", "at_lon_deg", "at_lat_deg", "exempt")}  # fmt: skip
    built: dict[str, Any] = {name: [r[name] for r in rows.values()] for name in (*MOVING, *NAMES)}
    return {"now_s": now_s, "key": list(rows), "situations": empty, **built}  # type: ignore[typeddict-item]


@given(pictures)
@settings(deadline=None)
def test_differences_in_order_rebuild_each_picture(sequence: list[dict[int, dict[str, Any]]]) -> None:
    state: dict[int, dict[str, Any]] = {}
    before = None
    for now_s, rows in enumerate(sequence):
        after = travelling(columns(rows, float(now_s)))
        message = whole(after) if before is None else difference(before, after)
        state = apply(state, json.loads(encode(message)))
        assert state == apply({}, json.loads(encode(whole(after))))
        before = after


def test_a_picture_in_which_nothing_changed_says_nothing(picture: Any) -> None:
    one = travelling(picture(0.0))
    message = difference(one, travelling(picture(1.0)))
    assert message["key"] == message["names"]["key"] == message["gone"] == []
    assert message["tracks"] == 3
    assert message["now_s"] == 1.0


def test_only_the_track_that_moved_is_sent_and_no_names(picture: Any) -> None:
    message = difference(travelling(picture()), travelling(picture(lon_deg=[1.0, 2.5, 3.0])))
    assert message["key"] == [2]
    assert message["names"]["key"] == []


def test_what_is_not_known_travels_as_null(picture: Any) -> None:
    sent = json.loads(encode(whole(travelling(picture()))))
    assert sent["altitude_m"] == [None, None, None]


def test_numpy_columns_are_as_good_as_lists(picture: Any) -> None:
    given_lists = picture()
    given_arrays: Any = {
        **given_lists,
        "key": np.array([1, 2, 3]),
        "lon_deg": np.array([1.0, 2.0, 3.0], dtype=np.float32),
    }
    assert encode(whole(travelling(given_arrays))) == encode(whole(travelling(given_lists)))


def test_ragged_columns_and_repeated_keys_are_refused(picture: Any) -> None:
    with pytest.raises(InputError, match="column lat_deg has 1 rows, key has 3"):
        travelling(picture(lat_deg=[1.0]))
    with pytest.raises(InputError, match="twice"):
        travelling(picture(keys=(4, 4)))


def test_more_tracks_than_a_page_can_draw_are_left_out_and_counted(picture: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(picture_delta, "TRACKS_MAX", 2)
    message = whole(travelling(picture()))
    assert message["key"] == [1, 2]
    assert message["tracks_omitted"] == 1
