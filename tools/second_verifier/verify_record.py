#!/usr/bin/env python3
"""A second verifier of channel records, from docs/reference/channel-record.md, sharing no code with Keepclear.

    python verify_record.py RECORD [--channel ID]

RECORD is the exported folder or a zip of it. Python's standard library is enough; with PyNaCl installed, signatures are
checked by libsodium, else by the arithmetic of RFC 8032 written out below, which is slow. Exit code 0: verified;
1: not verified, or a fork is proved; 2: no record.

It is simple rather than fast: everything is kept in memory, and trees are computed as the RFC defines them.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import sys
import zipfile
from pathlib import Path

try:
    import nacl.bindings
    import nacl.exceptions
except ImportError:
    nacl = None

WIDTH = 256
LIMIT, CHARTER_LIMIT = 65_535, 1 << 20
LAST_MS = 253_402_300_799_999  # of the year 9999
NOTE_LIMIT, PROOF_LIMIT, FORK_LIMIT = 65_536, 69_632, 400_000


class Fault(Exception):
    """What denies the verdict."""


class NoRecord(Exception):
    """Nothing that could be judged."""


# --- Ed25519, pinned -----------------------------------------------------------------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SMALL_Y = {
    0,
    1,
    2**255 - 20,
    int.from_bytes(bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"),
    int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"),
}


def screened(point):
    y = int.from_bytes(point, "little") & (2**255 - 1)
    return len(point) == 32 and y < P and y not in SMALL_Y


def signed(key, message, signature):
    """Whether the signature verifies, by the pinned rule."""
    if len(signature) != 64 or not screened(key) or not screened(signature[:32]):
        return False
    if int.from_bytes(signature[32:], "little") >= ORDER:
        return False
    if nacl is None:
        return rfc8032(key, message, signature)
    try:
        nacl.bindings.crypto_sign_open(signature + message, key)
    except nacl.exceptions.BadSignatureError:
        return False
    return True


def rfc8032(key, message, signature):
    a, r = decompressed(key), decompressed(signature[:32])
    if a is None or r is None:
        return False
    s = int.from_bytes(signature[32:], "little")
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % ORDER
    left, right = times(s, BASE), added(r, times(h, a))
    # Projective coordinates: equal if the cross products are.
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


def added(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(n, p):
    q = (0, 1, 1, 0)
    while n:
        if n & 1:
            q = added(q, p)
        p, n = added(p, p), n >> 1
    return q


def decompressed(point):
    y = int.from_bytes(point, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - x2) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = decompressed((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))

# --- the tree of RFC 6962 ------------------------------------------------------------------------------------------


def sha256(data):
    return hashlib.sha256(data).digest()


def leaf_hash(payload):
    return sha256(b"\x00" + payload)


def node(left, right):
    return sha256(b"\x01" + left + right)


def grown(stack, leaf):
    """A stack of (height, root) of complete subtrees, with one leaf more."""
    height = 0
    while stack and stack[-1][0] == height:
        leaf, height = node(stack.pop()[1], leaf), height + 1
    stack.append((height, leaf))


def root_of(stack):
    if not stack:
        return sha256(b"")
    root = stack[-1][1]
    for _, left in reversed(stack[:-1]):
        root = node(left, root)
    return root


def subtree(hashes):
    stack = []
    for one in hashes:
        grown(stack, one)
    return root_of(stack)


def included(leaf, index, size, path, root):
    """RFC 9162 §2.1.3.2."""
    fn, sn, r = index, size - 1, leaf
    for p in path:
        if sn == 0:
            return False
        if fn % 2 == 1 or fn == sn:
            r = node(p, r)
            if fn % 2 == 0:
                while fn % 2 == 0 and fn != 0:
                    fn, sn = fn >> 1, sn >> 1
        else:
            r = node(r, p)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r == root


def consistent(first, second, path):
    """RFC 9162 §2.1.4.2: the two roots that a path leads to; its first element is where both begin."""
    fn, sn = first - 1, second - 1
    while fn % 2 == 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            return None
        if fn % 2 == 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            if fn % 2 == 0:
                while fn % 2 == 0 and fn != 0:
                    fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return (fr, sr) if sn == 0 else None


# --- JSON ----------------------------------------------------------------------------------------------------------


def refuse(_):
    raise Fault("a number that is no integer")


def canonical(value):
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def parsed(data):
    try:
        value = json.loads(data.decode(), parse_float=refuse, parse_constant=refuse)
        if canonical(value) == data:
            return value
    except (ValueError, RecursionError):
        pass
    raise Fault("not canonical JSON")


def need(condition, what):
    if not condition:
        raise Fault(what)


def count(value, low=0, high=2**53 - 1):
    need(type(value) is int and low <= value <= high, "a number is none, or out of its bounds")


def text(value, pattern):
    need(type(value) is str and re.fullmatch(pattern, value), "a text is not as it should be")


def name(value):
    need(type(value) is str and 1 <= len(value) <= 200, "a name is too short or too long")


def members(value, keys):
    need(type(value) is dict and set(value) == set(keys.split()), "an object has not exactly its keys")
    return value


def items(value, low, high):
    need(type(value) is list and low <= len(value) <= high, "a list is too short or too long")
    return value


HASH = "[0-9a-f]{64}"
ID = r"[a-z0-9](?:[a-z0-9.\-]{0,61}[a-z0-9])?"
NUMBER = "(?:0|[1-9][0-9]{0,15})"
TILES = "tile/entries|tile/[0-6]|signatures|bodies"


def unbase64(value, length=None):
    need(type(value) is str, "a text is none")
    try:
        data = base64.b64decode(value, validate=True)
    except ValueError:
        raise Fault("not base64") from None
    need(base64.b64encode(data).decode() == value, "base64 in another form")
    need(length in (None, len(data)), "base64 of another length")
    return data


# --- charters ------------------------------------------------------------------------------------------------------


def check_charter(charter):
    members(charter, "v name created_ms parties witnesses witnesses_needed timers limits in_doubt serial previous")
    count(charter["v"], 1, 1)
    name(charter["name"])
    count(charter["created_ms"], 0, LAST_MS)
    keys, ids = [], []
    for party in items(charter["parties"], 2, 256):
        members(party, "id name languages entry_key log_key mirror_key tls_certificate urls desks")
        text(party["id"], ID)
        name(party["name"])
        for language in items(party["languages"], 1, 8):
            name(language)
        for purpose in ("entry_key", "log_key", "mirror_key"):
            text(party[purpose], HASH)
            keys.append(party[purpose])
        text(party["tls_certificate"], r"[A-Za-z0-9+/]+={0,2}")
        need(len(party["tls_certificate"]) <= 4096, "a certificate is too long")
        for url in items(party["urls"], 1, 4):
            text(url, r"https://\S{1,500}")
        for desk in items(party["desks"], 0, 16):
            members(desk, "name steps")
            name(desk["name"])
            for step in items(desk["steps"], 1, 16):
                members(step, "role after_s transports")
                name(step["role"])
                count(step["after_s"])
                for transport in items(step["transports"], 0, LIMIT):
                    name(transport)
        ids.append(party["id"])
    need(ids == sorted(set(ids)), "the parties are not sorted")
    for witness in items(charter["witnesses"], 0, 32):
        members(witness, "id key url")
        text(witness["id"], r"[^\s+]{1,200}")
        text(witness["key"], HASH)
        text(witness["url"], r"https?://\S{1,500}")
        keys.append(witness["key"])
        ids.append(witness["id"])
    need(len(set(ids)) == len(ids), "an id occurs twice")
    need(len(set(keys)) == len(keys), "a key occurs twice")
    need(all(screened(bytes.fromhex(key)) for key in keys), "a key is weak")
    count(charter["witnesses_needed"], 0, len(charter["witnesses"]))
    timers = members(charter["timers"], "check_every_ms degraded_after_misses silent_after_ms messages")
    count(timers["check_every_ms"], 100, 3_600_000)
    count(timers["degraded_after_misses"], 1, 100)
    count(timers["silent_after_ms"], 100, 86_400_000)
    need(type(timers["messages"]) is dict, "the timers of messages are no object")
    for value in timers["messages"].values():
        count(value)
    limits = members(charter["limits"], "clock_ahead_max_ms entries_per_minute_max")
    count(limits["clock_ahead_max_ms"], 1000, 86_400_000)
    count(limits["entries_per_minute_max"], 1, 10_000_000)
    need(charter["in_doubt"] in ("restrictive", "unchanged"), "in_doubt is unknown")
    count(charter["serial"])
    if charter["serial"]:
        text(charter["previous"], HASH)
    else:
        need(charter["previous"] is None, "the first charter names one before it")


def signed_charter(data, before):
    """The charter in the bytes, which must follow ``before``."""
    whole = members(parsed(data), "charter signatures approvals")
    charter = whole["charter"]
    check_charter(charter)
    digest = sha256(canonical(charter))
    need(charter["serial"] == (before["serial"] + 1 if before else 0), "the charter has another serial")
    if before:
        need(charter["previous"] == sha256(canonical(before)).hex(), "the charter follows another one")
    for signatures, version in ((whole["signatures"], charter), (whole["approvals"], before)):
        wanted = {party["id"]: party["entry_key"] for party in version["parties"]} if version else {}
        need(type(signatures) is dict and set(signatures) == set(wanted), "a signature is missing, or a stranger's")
        for party, key in wanted.items():
            message = b"keepclear/charter/v1\n" + digest
            need(signed(bytes.fromhex(key), message, unbase64(signatures[party])), f"{party} did not sign the charter")
    return charter


def party_of(charter, party):
    for one in charter["parties"]:
        if one["id"] == party:
            return one
    raise Fault(f"{party} is no party of version {charter['serial']}")


# --- entries -------------------------------------------------------------------------------------------------------


def entry_of(payload):
    need(len(payload) <= LIMIT, "the payload is too long")
    entry = members(parsed(payload), "v channel party seq prev kind body at_ms to re seen from_ms until_ms")
    count(entry["v"], 1, 1)
    for key in ("channel", "prev", "body"):
        text(entry[key], HASH)
    text(entry["party"], ID)
    text(entry["kind"], r"[a-z][a-z0-9\-]{0,39}")
    count(entry["seq"])
    count(entry["at_ms"], 0, LAST_MS)
    for one in items(entry["to"], 0, 256):
        text(one, ID)
    need(entry["to"] == sorted(set(entry["to"])), "the recipients are not sorted")
    for one in items(entry["re"], 0, 16):
        members(one, "party seq leaf")
        text(one["party"], ID)
        count(one["seq"])
        text(one["leaf"], HASH)
    need(type(entry["seen"]) is dict, "seen is no object")
    for party, head in entry["seen"].items():
        text(party, ID)
        members(head, "size root")
        count(head["size"])
        text(head["root"], HASH)
    for key in ("from_ms", "until_ms"):
        if entry[key] is not None:
            count(entry[key], 0, LAST_MS)
    if entry["from_ms"] is not None and entry["until_ms"] is not None:
        need(entry["from_ms"] <= entry["until_ms"], "the validity ends before it begins")
    return entry


# --- notes ---------------------------------------------------------------------------------------------------------


def note_of(data):
    """Text and signature lines as (name, key id, what follows)."""
    need(len(data) <= NOTE_LIMIT, "the note is too long")
    try:
        whole = data.decode()
    except UnicodeDecodeError:
        raise Fault("the note is not UTF-8") from None
    need(not re.search(r"[\x00-\x09\x0b-\x1f]", whole), "the note has control characters")
    body, blank, tail = whole.rpartition("\n\n")
    need(blank and body and tail.endswith("\n"), "the note has no signature lines")
    lines = []
    for line in tail[:-1].split("\n"):
        parts = line.split(" ")
        need(len(parts) == 3 and parts[0] == "—", "a signature line is malformed")
        need(parts[1] and "+" not in parts[1] and not re.search(r"\s", parts[1]), "a key's name is malformed")
        blob = unbase64(parts[2])
        need(4 < len(blob) <= 5124, "a signature has a strange length")
        lines.append((parts[1], blob[:4], blob[4:]))
    need(len(lines) <= 256, "the note has too many signatures")
    return body + "\n", lines


def checkpoint_of(body):
    lines = body.split("\n")
    need(len(lines) == 4 and lines[3] == "" and lines[0], "a checkpoint has three lines")
    need(re.fullmatch(NUMBER, lines[1]), "the checkpoint's size is none")
    return lines[0], int(lines[1]), unbase64(lines[2], 32)


def key_id(owner, kind, key):
    return sha256(owner.encode() + b"\n" + bytes([kind]) + key)[:4]


class Record:
    """One record's verification; ``faults``, ``remarks`` and ``forks`` say what was found."""

    def __init__(self, read, names):
        self.read, self.names = read, names
        self.faults, self.remarks, self.forks, self.for_people = [], [], [], []
        self.charters, self.logs, self.channel = [], {}, ""

    @property
    def verdict(self):
        return "NOT VERIFIED" if self.faults else "VERIFIED"

    def attempt(self, where, step, *arguments):
        try:
            return step(*arguments)
        except Fault as fault:
            self.faults.append(f"{where}: {fault}")
            return None

    def file(self, path, limit):
        data = self.read(path)
        need(data is not None, f"{path} is missing")
        need(len(data) <= limit, f"{path} is too long")
        return data

    def verify(self, channel=None):
        if self.read("charter-0.json") is None:
            raise NoRecord("there is no charter-0.json")
        self.attempt("charters", self.read_charters)
        if self.faults:
            return self
        if channel is not None and channel != self.channel:
            self.faults.append(f"the record is of the channel {self.channel}")
        for party in self.parties:
            data = self.read(f"logs/{party}/checkpoint")
            if data is None:
                self.remarks.append(f"there is no log of {party}")
            else:
                self.attempt(f"logs/{party}/checkpoint", self.open_log, party, data)
        if not self.logs and not self.faults:
            self.faults.append("there is no log at all")
        self.attempt("names", self.check_names)
        if self.faults:
            return self
        for party in self.logs:
            self.attempt(f"logs/{party}", self.read_log, party)
        if not self.faults:
            self.check_links()
            for party, number in self.proofs:
                self.attempt(f"proofs/{party}-{number}.tlog-proof", self.check_proof, party, number)
            for party, number in self.fork_files:
                self.attempt(f"forks/{party}-{number}.json", self.check_fork, party, number)
        return self

    def read_charters(self):
        while (data := self.read(f"charter-{len(self.charters)}.json")) is not None:
            need(len(data) <= CHARTER_LIMIT, "a charter is too long")
            self.charters.append(signed_charter(data, self.charters[-1] if self.charters else None))
        self.channel = sha256(canonical(self.charters[0])).hex()
        self.parties = sorted({party["id"] for charter in self.charters for party in charter["parties"]})
        self.cosigners = {}
        for charter in self.charters:
            for party in charter["parties"]:
                self.cosigner(f"{party['id']}/mirror", party["mirror_key"], party["id"], "mirror", charter["serial"])
            for witness in charter["witnesses"]:
                self.cosigner(witness["id"], witness["key"], witness["id"], "witness", charter["serial"])

    def cosigner(self, line, key, owner, role, serial):
        public = bytes.fromhex(key)
        self.cosigners[line, key_id(line, 4, public)] = (public, owner, role, serial)

    def origin(self, party):
        return f"{party}/keepclear/{self.channel[:32]}"

    def open_log(self, party, data):
        _, size, _ = checkpoint_of(note_of(data)[0])
        self.logs[party] = {"size": size, "heads": {}, "leaves": [], "entries": [], "wanted": {}}

    def check_names(self):
        self.proofs, self.fork_files = [], []
        for path in self.names():
            self.attempt(path, self.check_name, path)
        self.proofs.sort()
        self.fork_files.sort()

    def check_name(self, path):
        if re.fullmatch(r"transcript[a-z0-9.\-]{0,20}\.(txt|html)|README\.txt", path):
            self.for_people.append(path)
            return
        if found := re.fullmatch(rf"charter-({NUMBER})\.json", path):
            need(int(found[1]) < len(self.charters), "a charter beyond the last")
        elif found := re.fullmatch(rf"proofs/({ID})-({NUMBER})\.tlog-proof", path):
            need(found[1] in self.parties, "a proof of a stranger")
            self.proofs.append((found[1], int(found[2])))
        elif found := re.fullmatch(rf"forks/({ID})-({NUMBER})\.json", path):
            need(found[1] in self.parties, "a fork of a stranger")
            self.fork_files.append((found[1], int(found[2])))
        elif found := re.fullmatch(rf"logs/({ID})/checkpoint", path):
            need(found[1] in self.parties, "a log of a stranger")
        elif found := re.fullmatch(rf"logs/({ID})/checkpoints/({NUMBER})", path):
            need(found[1] in self.logs and int(found[2]) < self.logs[found[1]]["size"], "a head that is not smaller")
            self.logs[found[1]]["heads"][int(found[2])] = path
        else:
            self.check_tile_name(path)

    def check_tile_name(self, path):
        found = re.fullmatch(rf"logs/({ID})/({TILES})/((?:x[0-9]{{3}}/)*)([0-9]{{3}})(\.p/([0-9]{{1,3}}))?", path)
        need(found and found[1] in self.logs, "no file of a record")
        level = int(found[2][5:]) if found[2][5:].isdigit() else 0
        index = int(found[3].replace("x", "").replace("/", "") + found[4])
        width = int(found[6]) if found[5] else WIDTH
        need(self.numbered(index, width) == found[3] + found[4] + (found[5] or ""), "a tile's path in another form")
        whole = self.logs[found[1]]["size"] >> 8 * level
        need(width == min(WIDTH, whole - index * WIDTH), "no tile of this log")

    @staticmethod
    def numbered(index, width):
        groups = []
        while index or not groups:
            groups.append(f"{index % 1000:03d}")
            index //= 1000
        number = "/".join(["x" + group for group in groups[:0:-1]] + [groups[0]])
        return number if width == WIDTH else f"{number}.p/{width}"

    # --- one log ---

    def read_log(self, party):
        log = self.logs[party]
        charter = next(one for one in self.charters if any(p["id"] == party for p in one["parties"]))
        revoked, stack, seq, before = False, [], 0, bytes(32)
        log["heads"][log["size"]] = f"logs/{party}/checkpoint"
        log["held"], log["witnessed"] = {}, 0
        self.reach(party, 0, stack, charter)
        for first in range(0, log["size"], WIDTH):
            width = min(WIDTH, log["size"] - first)
            number = self.numbered(first // WIDTH, width)
            payloads = self.bundle(self.file(f"logs/{party}/tile/entries/{number}", WIDTH * (LIMIT + 2)), width)
            signatures = self.file(f"logs/{party}/signatures/{number}", WIDTH * 64)
            need(len(signatures) == 64 * width, "the signatures are too few or too many")
            bodies = self.bodies(self.file(f"logs/{party}/bodies/{number}", WIDTH * (CHARTER_LIMIT + 37)), width)
            for k, payload in enumerate(payloads):
                entry = entry_of(payload)
                need(entry["channel"] == self.channel and entry["party"] == party, f"entry {seq} is of another log")
                need(entry["seq"] == seq and entry["prev"] == before.hex(), f"entry {seq} does not follow")
                if bodies[k] is not None:
                    digest = sha256(b"keepclear/body/v1\n" + b"".join(bodies[k])).hex()
                    need(digest == entry["body"], f"the body of entry {seq} is another one")
                    limit = CHARTER_LIMIT if entry["kind"] == "charter" else LIMIT
                    need(len(bodies[k][1]) <= limit, f"the body of entry {seq} is too long")
                if entry["kind"] == "charter":
                    need(bodies[k] is not None, f"entry {seq} came without its charter")
                    charter, revoked = signed_charter(bodies[k][1].removesuffix(b"\n"), charter), False
                    need(charter in self.charters, f"the charter of entry {seq} is not the record's")
                else:
                    need(not revoked, f"entry {seq} was written with a revoked key")
                    revoked = entry["kind"] == "key-revocation"
                key = bytes.fromhex(party_of(charter, party)["entry_key"])
                signature = signatures[64 * k : 64 * k + 64]
                need(signed(key, b"keepclear/entry/v1\n" + payload, signature), f"entry {seq} is not signed")
                before = leaf_hash(payload)
                log["leaves"].append(before)
                log["entries"].append((entry["re"], entry["seen"]))
                grown(stack, before)
                seq += 1
                self.reach(party, seq, stack, charter)
        self.check_tiles(party, log["leaves"])
        log["root"] = root_of(stack).hex()
        if charter["witnesses_needed"] and log["size"] and not log["witnessed"]:
            raise Fault("no head is witnessed as the charter asks")

    @staticmethod
    def bundle(data, width):
        payloads = []
        while data:
            length = int.from_bytes(data[:2], "big")
            need(len(data) >= 2 + length, "a bundle is cut")
            payloads.append(data[2 : 2 + length])
            data = data[2 + length :]
        need(len(payloads) == width, "a bundle has too few or too many entries")
        return payloads

    @staticmethod
    def bodies(data, width):
        bodies = []
        while data:
            if data[0] == 0:
                bodies.append(None)
                data = data[1:]
                continue
            start = 33 + 2 * data[0]  # after the length: two bytes, or four where two do not do
            need(data[0] in (1, 2) and len(data) >= start, "a bundle of bodies is cut")
            length = int.from_bytes(data[33:start], "big")
            need(len(data) >= start + length, "a bundle of bodies is cut")
            need(data[0] == 1 or length > LIMIT, "a length in the long form that the short one does")
            bodies.append((data[1:33], data[start : start + length]))
            data = data[start + length :]
        need(len(bodies) == width, "a bundle has too few or too many bodies")
        return bodies

    def check_tiles(self, party, hashes):
        level = 0
        while hashes:
            above = []
            for first in range(0, len(hashes), WIDTH):
                part = hashes[first : first + WIDTH]
                path = f"logs/{party}/tile/{level}/{self.numbered(first // WIDTH, len(part))}"
                need(self.file(path, WIDTH * 32) == b"".join(part), f"{path} holds other hashes")
                if len(part) == WIDTH:
                    above.append(subtree(part))
            hashes, level = above, level + 1

    def reach(self, party, size, stack, charter):
        """If there is a head of that size: check it against the tree and the charter in force."""
        log = self.logs[party]
        if size not in log["heads"]:
            return
        data = self.file(log["heads"][size], NOTE_LIMIT)
        _, root, cosigned = self.head(party, data, size, [party_of(charter, party)["log_key"]])
        need(root == root_of(stack), f"the head of {size} entries has another root")
        for owner, role, serial, time_s in cosigned:
            if role == "mirror" and serial >= charter["serial"]:
                log["held"][owner] = (size, time_s)
        witnesses = {owner for owner, role, serial, _ in cosigned if role == "witness" and serial >= charter["serial"]}
        if len(witnesses) >= charter["witnesses_needed"]:
            log["witnessed"] = size

    def head(self, party, data, size, keys):
        body, lines = note_of(data)
        origin, stated, root = checkpoint_of(body)
        need(origin == self.origin(party), "the head is of another log")
        need(size is None or stated == size, "the head is of another size")
        first = lines[0]
        publics = [bytes.fromhex(key) for key in keys]
        publics = [public for public in publics if first[:2] == (origin, key_id(origin, 1, public))]
        need(publics and signed(publics[0], body.encode(), first[2]), "the head is not signed by the log's key")
        places = [line[:2] for line in lines[1:]]
        need(places == sorted(set(places)), "the cosignatures are not in order")
        cosigned = []
        for line, identifier, blob in lines[1:]:
            need((line, identifier) in self.cosigners, f"the charter knows no key {line}")
            public, owner, role, serial = self.cosigners[line, identifier]
            time_s = int.from_bytes(blob[:8], "big")
            message = f"cosignature/v1\ntime {time_s}\n{body}".encode()
            need(len(blob) == 72 and time_s < 2**63 and signed(public, message, blob[8:]), f"{line} did not cosign")
            cosigned.append((owner, role, serial, time_s))
        return stated, root, cosigned

    # --- between the logs ---

    def check_links(self):
        for party, log in self.logs.items():
            for seq, (answers, seen) in enumerate(log["entries"]):
                for answer in answers:
                    self.attempt(f"entry {seq} of {party}", self.check_answer, answer)
                for other, head in seen.items():
                    if self.known(other) and head["size"] <= self.logs[other]["size"]:
                        self.logs[other]["wanted"].setdefault(head["size"], set()).add((head["root"], party, seq))
        for party, log in self.logs.items():
            stack = []
            log["roots"] = {0: root_of(stack)}
            for seq in range(log["size"] + 1):
                for root, other, number in log["wanted"].get(seq, ()):
                    if root != root_of(stack).hex():
                        self.faults.append(f"entry {number} of {other}: saw a head of {party} that never was")
                if seq < log["size"]:
                    grown(stack, log["leaves"][seq])

    def check_answer(self, answer):
        party, seq = answer["party"], answer["seq"]
        if self.known(party) and seq < self.logs[party]["size"]:
            need(self.logs[party]["leaves"][seq].hex() == answer["leaf"], f"refers to an entry {seq} that never was")

    def known(self, party):
        if party not in self.parties:
            self.faults.append(f"{party} is spoken of and is no party")
        return party in self.logs

    # --- proofs ---

    def check_proof(self, party, seq):
        need(party in self.logs, "there is no such log")
        log = self.logs[party]
        data = self.file(f"proofs/{party}-{seq}.tlog-proof", PROOF_LIMIT)
        top, _, note = data.partition(b"\n\n")
        try:
            lines = top.decode().split("\n")
        except UnicodeDecodeError:
            raise Fault("not UTF-8") from None
        need(len(lines) >= 2 and lines[0] == "c2sp.org/tlog-proof@v1" and lines[1] == f"index {seq}", "no such proof")
        need(len(lines) <= 65, "the proof is too long")
        path = [unbase64(line, 32) for line in lines[2:]]
        keys = [p["log_key"] for charter in self.charters for p in charter["parties"] if p["id"] == party]
        size, root, _ = self.head(party, note, None, keys)
        need(seq < size <= log["size"], "its head is not of this log")
        need(included(log["leaves"][seq], seq, size, path, root), "it does not lead to the head")
        need(subtree(log["leaves"][:size]) == root, "its head is not one of this log")

    def check_fork(self, party, number):
        data = self.file(f"forks/{party}-{number}.json", FORK_LIMIT)
        proof = parsed(data)
        need(type(proof) is dict and proof.get("party") == party, "it accuses another")
        owners = [p for charter in self.charters for p in charter["parties"] if p["id"] == party]
        if set(proof) == {"party", "entries"}:
            items(proof["entries"], 2, 2)
            pair = [self.fork_entry(party, one, {p["entry_key"] for p in owners}) for one in proof["entries"]]
            (one, first), (other, second) = sorted(pair, key=lambda found: found[0]["seq"])
            if one["seq"] == other["seq"]:
                need(first != second, "the entries are the same")
            else:
                follows = one["seq"] + 1 == other["seq"]
                need(follows and other["prev"] != leaf_hash(first).hex(), "the entries can be of one log")
        else:
            need(set(proof) in ({"party", "heads"}, {"party", "heads", "path"}), "it holds neither entries nor heads")
            items(proof["heads"], 2, 2)
            need(all(type(one) is str for one in proof["heads"]), "a head is no text")
            if "path" in proof:
                items(proof["path"], 1, 63)
            path = [unbase64(one) for one in proof.get("path", [])]
            heads = [self.fork_head(party, one, {p["log_key"] for p in owners}) for one in proof["heads"]]
            need(self.contradict(*heads[0], *heads[1], path), "the heads can be of one log")
        self.forks.append(party)

    def fork_entry(self, party, pair, keys):
        members(pair, "payload signature")
        payload, signature = unbase64(pair["payload"]), unbase64(pair["signature"])
        entry = entry_of(payload)
        need(entry["party"] == party and entry["channel"] == self.channel, "an entry is of another log")
        message = b"keepclear/entry/v1\n" + payload
        need(any(signed(bytes.fromhex(key), message, signature) for key in keys), "an entry is not signed")
        return entry, payload

    def fork_head(self, party, whole, keys):
        try:
            body, lines = note_of(whole.encode())
        except UnicodeEncodeError:
            raise Fault("a head is no text") from None
        origin, size, root = checkpoint_of(body)
        need(origin == self.origin(party), "a head is of another log")
        need(len(lines) == 1, "a head has more than the log's signature")
        for key in keys:
            public = bytes.fromhex(key)
            if lines[0][:2] == (origin, key_id(origin, 1, public)) and signed(public, body.encode(), lines[0][2]):
                return size, root
        raise Fault("a head is not signed")

    @staticmethod
    def contradict(size, root, larger, larger_root, path):
        if size == larger and not path:
            return root != larger_root
        if not 0 < size <= larger or not path or any(len(one) != 32 for one in path):
            return False
        if size & (size - 1) and size == larger:
            return False
        if size == larger and len(path) > 1:
            return False
        roots = consistent(size, larger, path)
        return roots is not None and roots[1] == larger_root and roots[0] != root


# --- the outside ---------------------------------------------------------------------------------------------------


def open_folder(path):
    def read(place):
        file = path.joinpath(*place.split("/"))
        if file.is_symlink():
            raise Fault(f"{place} is a symbolic link")
        return file.read_bytes() if file.is_file() else None

    def names():
        for file in sorted(path.rglob("*")):
            if file.is_symlink() or not file.is_dir():
                yield file.relative_to(path).as_posix()

    return read, names


def open_zip(path):
    try:
        archive = zipfile.ZipFile(path)
        members = [info.filename for info in archive.infolist() if not info.is_dir()]
        if archive.testzip() is not None:
            raise NoRecord("the zip is damaged")
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise NoRecord(f"neither a folder nor a zip: {error}") from None
    tops = [one.removesuffix("charter-0.json") for one in members if one.endswith("charter-0.json")]
    top = min((one for one in tops if one.count("/") < 2), key=len, default=None)
    if top is None or len(set(members)) < len(members):
        raise NoRecord("no record in the zip, or two members of one name")
    inside = {one.removeprefix(top) if one.startswith(top) else f"../{one}": one for one in members}
    return (lambda place: archive.read(inside[place]) if place in inside else None), lambda: iter(inside)


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("record", type=Path)
    options.add_argument("--channel", help="the channel's id, known from elsewhere")
    given = options.parse_args()
    try:
        read, names = open_folder(given.record) if given.record.is_dir() else open_zip(given.record)
        record = Record(read, names).verify(given.channel)
    except NoRecord as error:
        print(f"no record: {error}", file=sys.stderr)
        return 2
    for line in record.faults[:100]:
        print(f"fault: {line}")
    for line in record.remarks:
        print(f"remark: {line}")
    for party in record.forks:
        print(f"fork: {party} told two histories")
    for party, log in record.logs.items():
        print(f"{party}: {log['size']} entries, root {log.get('root', '?')}")
    for name in sorted(record.for_people):
        print(f"not looked into: {name}, which is for people and proves nothing")
    known = "the channel expected" if given.channel else "a channel that nothing from elsewhere confirms"
    print(f"{record.verdict}: {known}, {record.channel}; signatures by {'libsodium' if nacl else 'RFC 8032 in Python'}")
    return 1 if record.faults or record.forks else 0


if __name__ == "__main__":
    sys.exit(main())
