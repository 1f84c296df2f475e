"""A node being served: the server, the links, the desk and the people who are told, until somebody stops it."""

from __future__ import annotations

import gc
import json
import queue
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import FrameType
from urllib.parse import urlsplit

from keepclear.channel.communications import periodic_test
from keepclear.channel.entry import Draft
from keepclear.channel.protocol.own_log import NotReady, make_ready
from keepclear.channel_desk import Desk, Happening, is_alarm, line_draft
from keepclear.channel_node import ChannelNode, Notice, now_ms
from keepclear.decision_desk import DecisionDesk, TextReceipts
from keepclear.decisions.acts import DECISION_KIND, AnyAct, encode_act
from keepclear.edge.channel.node_folder import NodeFolder
from keepclear.edge.channel.tls import server_context
from keepclear.errors import KeepclearError, UsageError
from keepclear.messages.bodies import encode_body, kind_of
from keepclear.messages.message import Message
from keepclear.messages.receipt import Receipt
from keepclear.messages.vocabulary import Desk as MessageDesk
from keepclear.messages.vocabulary import Kind, Precedence, Shown, TestText
from keepclear.quantities import format_instant
from keepclear.server.channel import channel_app
from keepclear.server.mutual_tls import serve_tls

__all__ = ["Serving", "listen_address", "notify_commands"]

STEP_S = 0.5
"""The desk looks at least so often, and whenever entries come."""
GATHER_S = 0.03
"""People do not see it, and what comes together is looked at together."""
NOTICES_MAX = 10_000
FILES_MAX = 16_384
SWITCH_S = 0.000_5
"""How long one thread may keep the others waiting: Python's 5 ms is longer than an acknowledgement takes."""
NOTIFY_MAX_S = 30.0
"""A command that tells somebody ends by then, or is ended."""


def listen_address(given: str | None, url: str) -> tuple[str, int]:
    if given is None:
        return "0.0.0.0", urlsplit(url).port or 443  # noqa: S104 (nobody gets past the handshake without a certificate)
    host, _, port = given.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65_535:
        raise UsageError(f"--listen reads HOST:PORT, e.g. 0.0.0.0:8443: {given!r}")
    return host.strip("[]"), int(port)


def notify_commands(given: Sequence[str]) -> dict[str, list[str]]:
    commands = {}
    for text in given:
        transport, _, command = text.partition("=")
        try:
            commands[transport] = shlex.split(command)
        except ValueError:
            commands[transport] = []
        if not transport or not commands[transport]:
            raise UsageError(f"--notify reads TRANSPORT=COMMAND, e.g. telephone=/usr/local/bin/ring: {text!r}")
    return commands


class Serving:
    def __init__(
        self, folder: NodeFolder, passphrase: str, address: tuple[str, int], on_duty: frozenset[str],
        commands: Mapping[str, list[str]], as_json: bool, test_every_ms: int,
        receipts: TextReceipts = TextReceipts.LADDER,
    ) -> None:  # fmt: skip
        self._notices: queue.Queue[Notice | None] = queue.Queue(NOTICES_MAX)
        self._open: Callable[[], ChannelNode] = lambda: ChannelNode.open(folder, passphrase, self._notice)
        self._node = self._open()
        self._on_duty = on_duty
        self._desk = Desk(self._node.charter, self._node.party, self._node.store, on_duty)
        self._receipts = receipts
        self._decisions = self._decision_desk()
        self._address = address
        self._commands = commands
        self._as_json = as_json
        self._test_every_ms = test_every_ms
        self._tested_ms = now_ms()
        self._misdated: set[str] = set()
        """parties whose clock and ours differ beyond the charter's limit"""
        self._troubled = ""
        """what failed in the last turn"""
        self._stopping = threading.Event()

    def run(self) -> None:
        raise_file_limit()
        sys.setswitchinterval(SWITCH_S)
        gc.freeze()  # what was loaded to begin with stays; looking through it again would hold up acknowledgements
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        while True:
            self._serve()
            self._node.close()
            if self._stopping.is_set():
                return
            # A new charter came: other keys, other certificates, other parties perhaps.
            self._node = self._open()
            self._desk = Desk(self._node.charter, self._node.party, self._node.store, self._on_duty)
            self._desk.step(now_ms())
            self._decisions = self._decision_desk()

    def _decision_desk(self) -> DecisionDesk:
        node = self._node
        return DecisionDesk(node.charter, node.party, node.store, self._on_duty, self._receipts)

    def _serve(self) -> None:
        """Until somebody stops it, or a later charter is known."""
        node = self._node
        versions = len(node.store.charters())
        with serve_tls(channel_app(node), *self._address, server_context(node.tls, node.peers())) as server:
            self._say({
                "event": "serving", "party": node.party, "port": server.port, "entries": node.own_size(),
                "charter": node.charter.serial,
            })  # fmt: skip
            try:
                make_ready(node.node)
            except NotReady as error:
                self._say({"event": "trouble", "text": str(error)})
            node.start()
            try:
                while not self._stopping.is_set() and len(node.store.charters()) == versions:
                    self._turn()
            finally:
                node.stop()
            self._say({"event": "stopped", "party": node.party, "entries": node.own_size()})

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping.set()
        self._notice(None)

    def _notice(self, notice: Notice | None) -> None:
        """From any thread; a full queue drops it, since the logs themselves are what is read."""
        with suppress(queue.Full):
            self._notices.put_nowait(notice)

    def _turn(self) -> None:
        try:
            notices = [self._notices.get(timeout=STEP_S)]
        except queue.Empty:
            notices = []
        if notices:
            self._stopping.wait(GATHER_S)
        while not self._notices.empty():
            notices.append(self._notices.get_nowait())
        for notice in notices:
            if notice is not None and notice.change is not None:
                self._line(notice)
            if notice is not None and notice.trouble:
                self._say({"event": "trouble", "text": f"the line to {notice.peer}: {notice.trouble}"})
        for peer, link in self._node.links.items():
            written = self._desk.correspondence.line(self._node.party, peer)
            if written is not None and written.by_role and written.cause is not link.line.cause:
                link.state_cause(written.cause, written.by_role)
        self._compare_clocks()
        try:
            self._test()
            for happening in self._desk.step(now_ms()):
                self._say(happening)
                if happening["event"] == "message" and happening["kind"] == Kind.TEST.value:
                    self._acknowledge_test(str(happening["id"]))
            self._decide()
            self._troubled = ""
        except KeepclearError as error:
            if str(error) != self._troubled:  # once, and not twice a second until it is mended
                self._say({"event": "trouble", "text": str(error)})
            self._troubled = str(error)

    def _decide(self) -> None:
        """What is news of decisions; the receipts that need no person, at once; then whom to remind of what is left."""
        desk = self._decisions
        for happening in desk.take():
            self._say(happening)
        try:
            self._receive_and_register()
        finally:  # also where our log cannot be written: somebody has to know what is owed
            for happening in desk.remind(now_ms()):
                self._say(happening)

    def _receive_and_register(self) -> None:
        """That texts have arrived; and, where we are the secretary, what others have said: it dates that."""
        desk = self._decisions
        registered, received = desk.to_register(), desk.to_receive(now_ms())
        if not registered and not received:
            return
        acts: list[AnyAct] = [*registered, *received]
        self._node.append([Draft(DECISION_KIND, encode_act(act)) for act in acts])
        desk.take()
        for act in registered:
            who = [one.member or one.party for one in act.positions]
            self._say({"event": "registered", "id": act.proposal, "version": act.version, "from": who})
        for text in received:
            self._say({"event": "received", "id": text.proposal, "version": text.version, "hash": text.text_hash})

    def _compare_clocks(self) -> None:
        """Said once when a party's clock and ours are too far apart to date anything, and once when they are not."""
        limit_ms = self._node.charter.limits.clock_ahead_max_ms
        for peer, link in self._node.links.items():
            clock = link.line.clock
            apart = clock is not None and clock.differs_by(limit_ms)
            if clock is None or apart == (peer in self._misdated):
                continue
            self._misdated ^= {peer}
            self._say({"event": "clock", "peer": peer, "offset_ms": round(clock.offset_ms), "alarm": apart})

    def _test(self) -> None:
        """The periodic test, when it is our turn: a neutral text that both sides know (practice R1.9)."""
        if not self._test_every_ms:
            return
        turn = periodic_test(self._node.charter.ids, ["https"], now_ms(), every_ms=self._test_every_ms)
        if turn.party != self._node.party or turn.begins_ms <= self._tested_ms:
            return
        self._tested_ms = now_ms()
        texts = list(TestText)
        message = Message(
            id=self._desk.correspondence.next_id(self._tested_ms), kind=Kind.TEST, precedence=Precedence.ROUTINE,
            desk=MessageDesk.POLITICAL, valid_until_ms=turn.ends_ms, by_role="node",
            test_text=texts[turn.begins_ms // self._test_every_ms % len(texts)],
        )  # fmt: skip
        self._node.append([Draft(kind_of(message), encode_body(message), until_ms=turn.ends_ms)])

    def _acknowledge_test(self, message_id: str) -> None:
        """Tests are the nodes' own business: nobody is called for one, and the receipt says who gave it."""
        found = self._desk.correspondence.message(message_id)
        reference = self._desk.correspondence.reference(message_id)
        receipt = Receipt(level=Shown.SHOWN, by_role="node", at_ms=now_ms())
        self._node.append([Draft(kind_of(receipt), encode_body(receipt), to=(found.party,), re=(reference,))])

    def _line(self, notice: Notice) -> None:
        change = notice.change
        assert change is not None
        link = self._node.links[notice.peer]
        why = link.said
        self._say({
            "event": "line", "peer": notice.peer, "before": change.before.value, "after": change.after.value,
            "cause": change.cause.value, "alarm": is_alarm(change), **({"text": why} if why else {}),
        })  # fmt: skip
        try:
            self._node.append([line_draft(notice.peer, change, now_ms(), link.stated_by)])
        except KeepclearError as error:  # our log may not be written yet (a restored backup): said, not hidden
            self._say({"event": "trouble", "text": str(error)})

    def _say(self, happening: Happening) -> None:
        stamped = {"time": format_instant(now_ms() / 1000.0), **happening}
        line = json.dumps(stamped, ensure_ascii=False) if self._as_json else _readable(stamped)
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
        command = self._commands.get(str(happening.get("transport"))) if happening["event"] == "call" else None
        if command:
            threading.Thread(target=self._tell, args=(command, json.dumps(stamped)), daemon=True).start()

    def _tell(self, command: list[str], text: str) -> None:
        try:
            done = subprocess.run(  # noqa: S603 (the operator's own command, run without a shell)
                command, input=text, text=True, timeout=NOTIFY_MAX_S, capture_output=True
            )
            failed = f"ended with {done.returncode}" if done.returncode else ""
        except (OSError, subprocess.TimeoutExpired) as error:
            failed = str(error)
        if failed:
            self._say({"event": "trouble", "text": f"nobody was told by {command[0]}: {failed}"})


def raise_file_limit() -> None:
    """Strangers who only open connections must not use up the files that this process may have open."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_MAX if hard == resource.RLIM_INFINITY else min(FILES_MAX, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _readable(happening: Happening) -> str:
    plain = {k: ",".join(map(str, v)) if isinstance(v, list) else v for k, v in happening.items()}
    values = " ".join(f"{k}={v}" for k, v in plain.items() if k not in ("time", "event") and v not in ("", None))
    return f"{happening['time']} {str(happening['event']).upper()} {values}"
