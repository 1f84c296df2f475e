"""Alerts go into the channel as messages that name what is known, once each, and not more than people can read."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from keepclear.alerts.model import Alert, AlertEvent, AlertStatus, AlertType, EventKind, Fix, Severity, Sighting
from keepclear.channel.charter import Charter, SignedCharter, sign_charter
from keepclear.channel.entry import Draft
from keepclear.channel.protocol import exchange
from keepclear.channel_alerts import AT_ONCE_MAX, AlertSender, message_of
from keepclear.channel_node import ChannelNode, now_ms
from keepclear.detection.situation import Verdict
from keepclear.edge.channel.node_folder import NodeFolder
from keepclear.messages.bodies import decode_body, encode_body, kind_of
from keepclear.messages.correspondence import Correspondence
from keepclear.messages.delivery import filed
from keepclear.messages.denial import Denial
from keepclear.messages.fields import Area, Position
from keepclear.messages.message import Message
from keepclear.messages.vocabulary import Action, ForceClass, Kind, Precedence
from tests.channel.line import drive

FIX = Fix(1_700_000_000.0, 50.45, 30.52, ground_speed_mps=200.0, track_deg=271.4, squawk=1200)
TRACK = Sighting(1, "abc123", "SIM1", "feed", FIX, FIX)
ALERT = Alert(
    id="1-1", judged_by="", type=AlertType.APW, status=AlertStatus.ACTUAL, verdict=Verdict.ACTUAL,
    worst_verdict=Verdict.ACTUAL, severity=Severity.HIGH, track=TRACK, other=None, zone_id="Z1", zone_version="3",
    zone_name="Closure", zone_text="", raised_s=1_700_000_000.0, changed_s=1_700_000_000.0,
)  # fmt: skip


def test_a_message_names_its_addressee_as_it_can_be_recognised_and_asks_to_leave() -> None:
    message = message_of(ALERT, "ALFA-2026-0001", "watch", 1_700_000_000_000)
    assert (message.kind, message.precedence, message.action) == (Kind.WARNING, Precedence.IMMEDIATE, Action.LEAVE_AREA)
    said = message.addressee
    assert said is not None
    assert (said.call_sign, said.squawk, said.heading_deg, said.speed_kt) == ("SIM1", "1200", 271, 389)
    assert (message.zone, message.zone_version) == ("Z1", "3")
    assert "No reply is not a refusal" in message.text


def test_what_is_not_known_is_left_out() -> None:
    bare = Fix(1_700_000_000.0, 50.45, 179.99999999)
    alert = replace(ALERT, verdict=Verdict.PREDICTED, severity=Severity.LOW, track=replace(TRACK, last=bare))
    message = message_of(alert, "ALFA-2026-0001", "watch", 1_700_000_000_000)
    said = message.addressee
    assert said is not None
    assert (said.squawk, said.heading_deg, said.speed_kt) == (None, None, None)
    assert message.action is Action.KEEP_CLEAR
    assert math.isclose(abs(message.positions[0].lon_deg), 180.0, abs_tol=1e-6)


@pytest.fixture
def sender(tmp_path: Path) -> AlertSender:
    folders = {party: NodeFolder(tmp_path / party) for party in ("alfa", "bravo")}
    cards = tuple(
        folder.create(party=party, name=party, url=f"https://{party}", languages=("en",), desks=(), passphrase="w",
                      scrypt_n=2**10)
        for party, folder in folders.items()
    )  # fmt: skip
    signed = SignedCharter(Charter("Test", 1, cards))
    for party, folder in folders.items():
        signed = sign_charter(signed, party, folder.keys("w").entry)
    folders["alfa"].join(signed)
    node = ChannelNode.open(folders["alfa"], "w")
    return AlertSender(node, Correspondence(node.charter, "alfa"), "watch", ("bravo",))


def test_each_alert_is_told_once_and_again_when_it_becomes_actual(sender: AlertSender) -> None:
    predicted = replace(ALERT, verdict=Verdict.PREDICTED)
    told = [
        sender.take(AlertEvent(kind, 0.0, alert))
        for kind, alert in (
            (EventKind.RAISED, predicted), (EventKind.STALE, predicted), (EventKind.CHANGED, predicted),
            (EventKind.CHANGED, ALERT), (EventKind.CHANGED, ALERT), (EventKind.ENDED, ALERT),
        )
    ]  # fmt: skip
    assert [bool(number) for number in told] == [True, False, False, True, False, False]
    kept = sender.node.store.records("alfa", 0)
    bodies = [decode_body("message", k.record.body or b"") for k in kept]
    assert [body.id for body in bodies if isinstance(body, Message)] == [told[0], told[3]]


def test_a_flood_is_held_back_and_counted(sender: AlertSender) -> None:
    for number in range(AT_ONCE_MAX + 5):
        sender.take(AlertEvent(EventKind.RAISED, 0.0, replace(ALERT, id=f"1-{number}")))
    assert (sender.sent, sender.held_back) == (AT_ONCE_MAX, 5)
    assert sender.node.own_size() == AT_ONCE_MAX


def test_r1_4_a_denial_that_a_sighting_contradicts_raises_one_question_to_the_party_that_made_it(
    sender: AlertSender, tmp_path: Path
) -> None:
    charters = NodeFolder(tmp_path / "alfa").signed_charters()
    NodeFolder(tmp_path / "bravo").join(*charters)
    bravo = ChannelNode.open(NodeFolder(tmp_path / "bravo"), "w")
    now = now_ms()
    for position in (Position.of(50.45, 30.52), Position.of(10.0, 10.0)):
        denial = Denial(
            party="bravo", forces=(ForceClass.OWN,), by_role="watch", from_ms=now - 60_000, to_ms=now + 60_000,
            area=Area(positions=(position,), radius_m=5_000),
        )  # fmt: skip
        bravo.append([Draft(kind_of(denial), encode_body(denial))])
    drive(exchange.push_log(bravo.node, "alfa", "bravo", 0, now_ms), sender.node.node, "bravo", now_ms)
    seen = replace(ALERT, track=replace(TRACK, last=replace(FIX, time_s=now / 1000.0)))
    for kind in (EventKind.RAISED, EventKind.CHANGED):
        sender.take(AlertEvent(kind, now / 1000.0, seen))
    entries = [filed(k.record) for k in sender.node.store.records("alfa", 0)]
    asked = [e for e in entries if e and isinstance(e.body, Message) and e.body.kind is Kind.QUERY]
    assert sender.asked == len(asked) == 1
    (query,) = asked
    assert query.to == ("bravo",)
    assert query.re == {bravo.store.records("bravo", 0)[0].record.leaf.hex()}
    assert len({e.body.id for e in entries if e and isinstance(e.body, Message)}) == len(entries) == 2
