"""The hub loses nothing that it still holds, says when it no longer does, and never grows without bound."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from keepclear.server import hub as hub_module
from keepclear.server.hub import Hub
from keepclear.server.messages import AlertMessage, HealthMessage


def alert(number: int, state: Any = "actual") -> AlertMessage:
    return {
        "id": f"a{number}", "kind": "APW", "state": state, "verdict": "ACTUAL", "who": "X", "raised_s": 0.0,
        "updated_s": 0.0,
    }  # fmt: skip


def health(state: Any = "OK") -> HealthMessage:
    return {"now_s": 0.0, "state": state, "reasons": [], "simulated": False, "feeds": []}


@pytest.fixture
def hub() -> Hub:
    return Hub(run="r")


def test_a_page_gets_exactly_what_it_missed_in_order(hub: Hub) -> None:
    for number in range(5):
        hub.publish_alert_event(alert(number))
    events = hub.since(2)
    assert events is not None
    assert [event.sequence for event in events] == [3, 4, 5]
    assert [json.loads(event.data)["id"] for event in events] == ["a2", "a3", "a4"]
    assert hub.since(5) == []


def test_a_page_behind_the_ring_is_told_to_take_a_snapshot(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "EVENTS_MAX", 3)
    for number in range(5):
        hub.publish_alert_event(alert(number))
    assert hub.since(1) is None
    events = hub.since(2)
    assert events is not None
    assert len(events) == 3


def test_a_page_with_too_many_bytes_to_catch_up_gets_a_snapshot(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "BACKLOG_BYTES_MAX", 150)
    for number in range(4):
        hub.publish_alert_event(alert(number))
    assert hub.since(0) is None
    assert hub.since(3) is not None


def test_the_ring_is_bounded_in_bytes(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "RING_BYTES_MAX", 1_000)
    for number in range(200):
        hub.publish_alert_event(alert(number))
    held = hub._ring
    assert sum(len(event.data) for event in held) <= 1_000
    assert held[-1].sequence == 200


def test_ids_of_another_run_or_from_the_future_are_no_place(hub: Hub) -> None:
    hub.publish_health(health())
    assert hub.place_of("r-1") == 1
    for strange in ("", "r-2", "q-1", "r-", "r--1", "r-1x", "-1", "r-٣", "r-" + "9" * 400):
        assert hub.place_of(strange) is None


def test_a_snapshot_holds_the_newest_of_everything(hub: Hub, picture: Any) -> None:
    hub.publish_picture(picture(1.0))
    hub.publish_picture(picture(2.0, keys=(2, 9)))
    hub.publish_alert_event(alert(1, "predicted"))
    hub.publish_alert_event(alert(1, "actual"))
    hub.publish_health(health("DEGRADED"))
    hub.set_zones({"type": "FeatureCollection", "features": [], "drawing_only": "x"})
    event = hub.snapshot()
    message = json.loads(event.data)
    assert message["id"] == "r-6"
    assert message["picture"]["key"] == [2, 9]
    assert message["picture"]["full"] is True
    assert [a["state"] for a in message["alerts"]] == ["actual"]
    assert message["health"]["state"] == "DEGRADED"
    assert message["zones_version"] == 1
    assert json.loads(hub.zones()[1])["version"] == 1


def test_ended_alerts_make_room_before_open_ones_and_a_loss_is_counted(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "ALERTS_MAX", 2)
    hub.publish_alert_event(alert(1))
    hub.publish_alert_event(alert(2, "ended"))
    hub.publish_alert_event(alert(3))
    assert [a["id"] for a in hub.alerts()] == ["a1", "a3"]
    hub.publish_alert_event(alert(4))
    assert [a["id"] for a in hub.alerts()] == ["a3", "a4"]
    assert json.loads(hub.snapshot().data)["alerts_dropped"] == 1


def test_r2_10_a_heartbeat_tells_an_old_picture_from_a_live_server(picture: Any) -> None:
    now = [100.0]
    hub = Hub(run="r", monotonic=lambda: now[0])
    assert json.loads(hub.heartbeat())["picture_age_s"] is None
    hub.publish_picture(picture())
    now[0] = 130.0
    assert json.loads(hub.heartbeat())["picture_age_s"] == 30.0


def test_publishing_from_a_thread_while_reading_neither_loses_nor_repeats(hub: Hub, picture: Any) -> None:
    def publish() -> None:
        for number in range(300):
            hub.publish_alert_event(alert(number))
            if number % 10 == 0:
                hub.publish_picture(picture(float(number)))

    writer = threading.Thread(target=publish)
    writer.start()
    place, seen = 0, []
    while writer.is_alive() or place < 330:
        for event in hub.since(place) or []:
            seen.append(event.sequence)
            place = event.sequence
    writer.join()
    assert seen == list(range(1, 331))


def test_those_who_listen_are_woken_until_they_stop(hub: Hub) -> None:
    woken: list[int] = []
    stop = hub.listen(lambda: woken.append(1))
    hub.publish_health(health())
    stop()
    hub.publish_health(health())
    assert woken == [1]
