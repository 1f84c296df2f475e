"""A real Chromium shows what the hub publishes, says at once when it no longer can, and asks no other host."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from keepclear.server.hub import Hub
from keepclear.server.serve import ServerHandle, serve

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

WAIT_S = 40.0
"""A map drawn in software on a busy machine takes its time."""


@pytest.fixture
def hub(traffic: Any) -> Hub:
    hub = Hub(run="first")
    hub.set_zones(traffic.zones())
    hub.publish_picture(traffic.picture(0.0))
    hub.publish_health(traffic.health(0.0))
    return hub


@pytest.fixture
def server(hub: Hub) -> Iterator[ServerHandle]:
    with serve(hub, port=0) as running:
        yield running


def state(page: Page) -> dict[str, Any]:
    told: dict[str, Any] = page.evaluate("window.keepclear")
    return told


def until(page: Page, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Asks until it holds. The page's own policy forbids the strings that Playwright would evaluate for waiting."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        told = state(page)
        if holds(told):
            return told
        page.wait_for_timeout(50)
    raise AssertionError(f"not within {WAIT_S} s: {state(page)}")


def opened(page: Page, server: ServerHandle) -> Page:
    page.goto(server.url)
    until(page, lambda s: s["ready"] and s["basemap"] and s["tracks"] == 60 and s["zones"] == 2)
    return page


def test_the_page_shows_the_picture_and_asks_no_other_host(
    page: Page, server: ServerHandle, hub: Hub, traffic: Any, console_lines: list[str], requested: list[str],
    pictures_dir: Path,
) -> None:  # fmt: skip
    opened(page, server)
    hub.publish_alert_event(traffic.alert(1))
    hub.publish_alert_event(traffic.alert(2))
    hub.publish_alert_event(traffic.alert(3, state="ended", who="SIM0031", ended_s=1_794_999_600.0))
    for cycle in range(1, 9):
        hub.publish_picture(traffic.picture(cycle * 5.0))
    until(page, lambda s: s["alerts"] == 2 and s["pictures"] == 8)
    assert page.locator("#live").inner_text() == "59"
    assert page.locator("#stale").inner_text() == "1"
    assert page.locator("#simulated").is_visible()
    assert page.locator("#status").inner_text() == "Live"
    assert page.locator("#clock").inner_text().startswith("11:07:2")  # the picture's own time, to the second
    first, second, third = page.locator("#alerts button").all()
    assert "ACTUAL" in first.inner_text().upper()
    assert "ADRIA EAST · v3" in first.inner_text()
    assert "inside since 11:03:35Z" in first.inner_text()
    assert "entry in 4:" in second.inner_text()
    assert third.get_attribute("data-severity") == "ended"
    page.wait_for_timeout(1_500)
    page.screenshot(path=pictures_dir / "console-dark.png")

    first.click()
    assert page.locator("#card h2").inner_text() == "CARGO7"
    assert "ADRIA EAST" in page.locator("#card").inner_text()
    page.keyboard.press("t")
    page.wait_for_timeout(1_500)
    page.screenshot(path=pictures_dir / "console-light.png")
    page.keyboard.press("Escape")
    assert page.locator("#card").is_hidden()

    assert all(url.startswith((server.url, f"blob:{server.url}")) for url in requested), requested
    assert [line for line in console_lines if "GL Driver Message" not in line] == []


def test_published_words_are_never_markup(page: Page, server: ServerHandle, hub: Hub, traffic: Any) -> None:
    opened(page, server)
    evil = "<img src=x onerror=window.keepclear.evil=1>"
    hub.publish_alert_event(traffic.alert(1, who=evil, zone_name=evil, note=evil))
    hub.publish_health(traffic.health(0.0, "DEGRADED", reasons=[evil]))
    until(page, lambda s: s["alerts"] == 1)
    page.locator("#alerts button").first.click()
    assert evil in page.locator("#alerts").inner_text()
    assert page.locator("main img, #banners img").count() == 0
    assert "evil" not in state(page)


def test_an_alert_arrives_changes_and_ends_by_itself(page: Page, server: ServerHandle, hub: Hub, traffic: Any) -> None:
    opened(page, server)
    assert page.locator("#alerts-none").is_visible()
    hub.publish_alert_event(traffic.alert(1))
    until(page, lambda s: s["alerts"] == 1)
    assert page.locator("#announce").inner_text() == "Predicted: NORTH21 ADRIA EAST · v3"
    hub.publish_alert_event(traffic.alert(1, state="acknowledged", acknowledged_s=1_795_000_001.0))
    page.locator("#alerts .ack").wait_for(timeout=WAIT_S * 1000)
    hub.publish_alert_event(traffic.alert(1, state="ended", verdict="CLEAR", ended_s=1_795_000_009.0))
    until(page, lambda s: s["alerts"] == 0)
    assert page.locator("#alerts-none").is_visible()
    assert "ended 11:06:49Z" in page.locator("#alerts button").inner_text()


def test_r2_10_degraded_and_a_stalled_watch_are_shown_never_silence(
    page: Page, traffic: Any, pictures_dir: Path
) -> None:
    now = [0.0]
    hub = Hub(run="first", monotonic=lambda: now[0])
    hub.set_zones(traffic.zones())
    hub.publish_picture(traffic.picture(0.0))
    with serve(hub, port=0) as server:
        opened(page, server)
        hub.publish_health(traffic.health(1.0, "DEGRADED"))
        banner = page.locator('.banner[data-id="health"]')
        banner.wait_for(timeout=WAIT_S * 1000)
        assert "DEGRADED" in banner.inner_text().upper()
        assert "ais-coast is silent for 94 s" in banner.inner_text()
        assert "no report for 94 s" in page.locator("#feeds").inner_text()
        page.screenshot(path=pictures_dir / "console-degraded.png")
        hub.publish_health(traffic.health(2.0))
        banner.wait_for(state="detached", timeout=WAIT_S * 1000)
        now[0] = 60.0  # the server lives, the watch does not
        stalled = page.locator('.banner[data-id="stalled"]')
        stalled.wait_for(timeout=WAIT_S * 1000)
        assert "60 s" in stalled.inner_text()
        assert page.locator("#status").inner_text() == "Stalled"


def test_a_broken_connection_is_said_and_a_restarted_server_leaves_no_gap(
    page: Page, traffic: Any, hub: Hub, pictures_dir: Path
) -> None:
    server = serve(hub, port=0)
    opened(page, server)
    hub.publish_alert_event(traffic.alert(1))
    until(page, lambda s: s["alerts"] == 1)
    server.stop()
    until(page, lambda s: s["lost"])
    banner = page.locator('.banner[data-id="lost"]')
    banner.wait_for(timeout=WAIT_S * 1000)
    assert "11:06:40Z" in banner.inner_text()
    assert page.evaluate("document.body.classList.contains('lost')")
    page.screenshot(path=pictures_dir / "console-lost.png")
    again = Hub(run="second")
    again.set_zones(traffic.zones())
    again.publish_picture(traffic.picture(60.0))
    again.publish_health(traffic.health(60.0))
    for number in (1, 2):
        again.publish_alert_event(traffic.alert(number))
    with serve(again, port=server.port):
        until(page, lambda s: s["alerts"] == 2 and not s["lost"] and s["lastId"] == "second-5")
        banner.wait_for(state="detached", timeout=WAIT_S * 1000)
        assert state(page)["gaps"] == 0


def test_a_page_cut_off_for_a_moment_resumes_where_it_was(page: Page, hub: Hub, traffic: Any) -> None:
    server = serve(hub, port=0)
    opened(page, server)
    snapshots = state(page)["snapshots"]
    server.stop()
    for number in (1, 2):  # while nobody listens
        hub.publish_alert_event(traffic.alert(number))
        hub.publish_picture(traffic.picture(number * 5.0))
    # The same run goes on behind a new socket, as after a broken network.
    with serve(hub, port=server.port):
        told = until(page, lambda s: s["alerts"] == 2 and s["pictures"] == 2)
    assert told["snapshots"] == snapshots
    assert told["gaps"] == 0


def test_on_a_telephone_the_state_and_the_clock_are_in_sight_and_the_card_leaves_the_map_free(
    page: Page, server: ServerHandle, hub: Hub, traffic: Any, pictures_dir: Path
) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    opened(page, server)
    hub.publish_health(traffic.health(1.0))  # simulated traffic: the widest header
    hub.publish_alert_event(traffic.alert(1))
    until(page, lambda s: s["alerts"] == 1)
    page.locator("#alerts button").first.click()
    page.wait_for_timeout(1_500)
    page.screenshot(path=pictures_dir / "console-telephone.png")
    for name in ("#simulated", "#status", "#clock"):
        box = page.locator(name).bounding_box()
        assert box is not None
        assert 0 <= box["x"] <= box["x"] + box["width"] <= 360, name
    card, bar = page.locator("#card").bounding_box(), page.locator(".bar").bounding_box()
    assert card is not None
    assert bar is not None
    assert card["y"] - bar["height"] > 0.4 * (740 - bar["height"])


def test_it_works_by_keyboard_and_layers_can_be_put_away(page: Page, server: ServerHandle) -> None:
    opened(page, server)
    page.keyboard.press("l")
    assert page.locator("#layerbox").is_visible()
    assert page.evaluate("document.activeElement.name") == "zones"
    page.keyboard.press("Space")
    assert not page.locator('input[name="zones"]').is_checked()
    page.keyboard.press("Escape")
    assert page.locator("#layerbox").is_hidden()
    assert page.locator("#layers").get_attribute("aria-expanded") == "false"
