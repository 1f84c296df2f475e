"""Where one party's node keeps what is its own: a folder, and what lies where in it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from keepclear.channel.canonical import decode, encode
from keepclear.channel.charter import Charter, Desk, Party, SignedCharter, verify_charter
from keepclear.edge.channel.keys import NodeKeys, create_keys, open_keys
from keepclear.edge.channel.sql import SqlStore
from keepclear.edge.channel.store import ChannelStore
from keepclear.edge.whole_file import write_bytes
from keepclear.errors import InputError, LimitExceeded, UsageError

__all__ = ["NodeFolder", "read_bounded", "read_card", "read_charter"]

CARD_BYTES_MAX = 65_535


@dataclass(frozen=True, slots=True)
class NodeFolder:
    path: Path

    @property
    def store(self) -> Path:
        return self.path / "channel.sqlite"

    @property
    def lock(self) -> Path:
        """The newest head that we signed. Keep it off the store's backups: it is what tells an old one."""
        return self.path / "lock.sqlite"

    @property
    def begun(self) -> Path:
        """Its presence says that our log was begun: a lock that is missing then was lost, and is not simply made."""
        return self.path / "begun"

    @property
    def database_file(self) -> Path:
        """Where a node on PostgreSQL keeps the address of its database, for its owner's eyes only."""
        return self.path / "database"

    def open_store(self) -> SqlStore:
        """The channel's store: SQLite in the folder, or the PostgreSQL that the node was made with. It knows the
        charters that the node joined under."""
        first, *later = self.charters()
        store = self._open_store(first)
        for charter in later:
            store.learn(charter)
        return store

    def _open_store(self, first: Charter) -> SqlStore:
        if not self.database_file.exists():
            return ChannelStore.open(self.store, first)
        from keepclear.edge.channel.postgres import PostgresChannelStore

        address = read_bounded(self.database_file, CARD_BYTES_MAX).decode("utf-8", "replace").strip()
        return PostgresChannelStore.open(address, f"keepclear_{self.card().id}", first)

    @property
    def card_file(self) -> Path:
        return self.path / "card.json"

    @property
    def charter_file(self) -> Path:
        """The first charter: later versions are entries of the logs."""
        return self.path / "charter.json"

    def create(
        self, *, party: str, name: str, url: str, languages: Sequence[str], desks: Sequence[Desk], passphrase: str,
        scrypt_n: int | None = None,
    ) -> Party:  # fmt: skip
        """Keys and the card that the others put into the charter."""
        given = {} if scrypt_n is None else {"scrypt_n": scrypt_n}
        draft = Party(
            id=party, name=name, languages=tuple(languages), entry_key="0" * 64, log_key="0" * 64, mirror_key="0" * 64,
            tls_certificate="A", urls=(url,), desks=tuple(desks),
        )  # fmt: skip
        decode(encode(draft), Party, what="the party")  # refuse a bad name before there are keys
        card = _card(draft, create_keys(self.path, party, url, passphrase, **given))
        write_bytes(self.card_file, encode(card) + b"\n")
        return card

    def rotate(self, passphrase: str) -> Path:
        """New keys for the same party, and their card: in force when a charter that names them is."""
        card = self.card()
        open_keys(self.path, passphrase)  # the passphrase of the node, and no other by mistake
        number = len(self.generations())
        place = self.path / f"keys-{number}"
        keys = create_keys(place, card.id, card.urls[0], passphrase)
        write_bytes(place / "card.json", encode(_card(card, keys)) + b"\n")
        return place / "card.json"

    def generations(self) -> list[Path]:
        """Where keys lie: the first in the folder itself, later ones in folders of their own."""
        found = [self.path]
        while (place := self.path / f"keys-{len(found)}").is_dir():
            found.append(place)
        return found

    def keys_of(self, passphrase: str, entry_key: str) -> NodeKeys:
        """The keys whose entry key a charter names (hexadecimal); raises :class:`InputError` where there are none."""
        for place in reversed(self.generations()):
            if read_card(place / "card.json").entry_key == entry_key:
                return open_keys(place, passphrase)
        raise InputError("the charter names an entry key that this node has not", source=str(self.path))

    def card(self) -> Party:
        if not self.card_file.exists():
            raise InputError("there is no node here; make one with «keepclear node init»", source=str(self.path))
        return read_card(self.card_file)

    def keys(self, passphrase: str) -> NodeKeys:
        """The first keys."""
        return open_keys(self.path, passphrase)

    def charter(self) -> Charter:
        """The channel's first charter; raises :class:`UsageError` while the node is on no channel."""
        if not self.charter_file.exists():
            raise UsageError(f"{self.path}: this node is on no channel yet; join one with «keepclear channel join»")
        return verify_charter(read_charter(self.charter_file))

    def join(self, signed: SignedCharter, *later: SignedCharter) -> Charter:
        """``later`` are the versions after the first, for a party that one of them adds. Returns the newest."""
        chain = _verified_chain((signed, *later))
        card = self.card()
        if self.charter_file.exists():
            if self.charters()[: len(chain)] == chain:
                return chain[-1]
            raise UsageError(f"{self.path}: this node is on a channel already; another channel needs another node")
        if chain[-1].party(card.id).entry_key != card.entry_key:
            raise InputError(f"the charter names another entry key for {card.id} than this node's own")
        for serial, one in enumerate(later, 1):
            write_bytes(self.path / f"charter-{serial}.json", one.encode() + b"\n")
        write_bytes(self.charter_file, signed.encode() + b"\n")  # last: its presence says that the node has joined
        return chain[-1]

    def charters(self) -> tuple[Charter, ...]:
        """Those that the node joined under, the first first; later versions are entries of the logs."""
        self.charter()
        return _verified_chain(self.signed_charters())

    def signed_charters(self) -> tuple[SignedCharter, ...]:
        """The same as they were signed; not verified here."""
        signed = [read_charter(self.charter_file)]
        while (place := self.path / f"charter-{len(signed)}.json").exists():
            signed.append(read_charter(place))
        return tuple(signed)


def _verified_chain(signed: Sequence[SignedCharter]) -> tuple[Charter, ...]:
    """Each version as all of it and of the one before have signed it; raises :class:`InputError`."""
    chain: list[Charter] = []
    for one in signed:
        chain.append(verify_charter(one, chain[-1] if chain else None))
    return tuple(chain)


def _card(party: Party, keys: NodeKeys) -> Party:
    """The party with these keys."""
    return msgspec.structs.replace(
        party, entry_key=keys.entry.public.hex(), log_key=keys.log.public.hex(), mirror_key=keys.mirror.public.hex(),
        tls_certificate=b64encode(keys.certificate_der).decode(),
    )  # fmt: skip


def read_card(path: Path) -> Party:
    data = read_bounded(path, CARD_BYTES_MAX)
    try:
        return decode(data.removesuffix(b"\n"), Party, what="the card")
    except InputError as error:
        raise InputError(error.message, where=error.where, source=str(path)) from None


def read_charter(path: Path) -> SignedCharter:
    """Well-formed; not yet verified."""
    data = read_bounded(path, CARD_BYTES_MAX + 1)
    try:
        return SignedCharter.parse(data)
    except InputError as error:
        raise InputError(error.message, where=error.where, source=str(path)) from None


def read_bounded(path: Path, bytes_max: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(bytes_max + 1)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", source=str(path)) from None
    if len(data) > bytes_max:
        raise LimitExceeded(f"the file has more than {bytes_max:,} bytes", source=str(path))
    return data
