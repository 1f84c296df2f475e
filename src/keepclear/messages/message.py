"""The message: what one party says to another, in fields that every reader understands the same way (practice §1).

The structured fields are authoritative. The text keeps its original language; a translation is labelled as one and
never takes its place (practice R1.8). Who sent it, to whom and when is the channel entry's to say, which carries it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec

from keepclear.channel.canonical import PartyId
from keepclear.errors import InputError
from keepclear.messages.fields import (
    AREA_POSITIONS_MAX,
    Addressee,
    AltitudeLimit,
    Area,
    Body,
    Instant,
    LanguageTag,
    MessageId,
    Name,
    Names,
    OptionalName,
    Position,
    Text,
    Translation,
    check_free_text,
    check_interval,
    check_text,
)
from keepclear.messages.vocabulary import Action, Desk, Kind, Precedence, TestText
from keepclear.quantities import Datum

__all__ = ["FORMAT", "SERIAL_MAX", "Message", "format_id", "parse_id"]

FORMAT = 1
"""The number of this format. Another number is refused: fields could mean something else there."""
SERIAL_MAX = 999_999_999
"""Serial numbers a year: one every 32 ms."""
_NEEDS_REFS = {Kind.REPLY, Kind.CLARIFICATION, Kind.CORRECTION, Kind.CANCELLATION}
_SAYS_NOTHING_BUT_ITS_TEXT = (
    "positions", "area", "lower", "upper", "from_ms", "to_ms", "addressee", "text", "translations", "affected",
)  # fmt: skip


class Message(Body, frozen=True, kw_only=True):
    """One message. Raises :class:`InputError` when its fields contradict each other; ``where`` names the field."""

    id: MessageId
    kind: Kind
    precedence: Precedence
    desk: Desk
    valid_until_ms: Instant
    """after this it is shown as late, never as current; every message expires"""
    format: Annotated[int, msgspec.Meta(ge=1, le=999)] = FORMAT
    refs: Annotated[tuple[MessageId, ...], msgspec.Meta(max_length=16)] = ()
    """messages and incident records that it is about"""
    from_ms: Instant | None = None
    """the event's beginning: lead time counts from delivery to here (practice R1.3)"""
    to_ms: Instant | None = None
    positions: Annotated[tuple[Position, ...], msgspec.Meta(max_length=AREA_POSITIONS_MAX)] = ()
    area: Area | None = None
    zone: OptionalName = ""
    """the id of a published zone, where the message is about one"""
    zone_version: OptionalName = ""
    lower: AltitudeLimit | None = None
    upper: AltitudeLimit | None = None
    action: Action = Action.NONE
    addressee: Addressee | None = None
    affected: Names | None = None
    """parties that the matter affects and that are NOT on the channel (practice R1.5); () = none is known, null = not
    stated, with which a notification, a warning and a request to cease are not sent"""
    test_text: TestText | None = None
    """a test's text by its number; a test says nothing else (practice R1.9)"""
    text: Text = ""
    language: LanguageTag | None = None
    """of ``text``"""
    translations: Annotated[tuple[Translation, ...], msgspec.Meta(max_length=8)] = ()
    by_role: Name
    """the role that released it"""
    verified_by_role: OptionalName = ""
    """the second pair of eyes, where the charter asks for one"""

    def __post_init__(self) -> None:
        if self.format != FORMAT:
            raise InputError(f"format {self.format} is not known here (this is format {FORMAT})", where="format")
        parse_id(self.id)
        for name in ("zone", "zone_version", "by_role", "verified_by_role"):
            check_text(getattr(self, name), name, lines=False)
        check_free_text(self.text, self.language, self.translations)
        for affected in self.affected or ():
            check_text(affected, "affected", lines=False)
        if self.affected and len(set(self.affected)) < len(self.affected):
            raise InputError("it names one party twice", where="affected")
        check_interval(self.from_ms, self.to_ms, "to_ms")
        self._check_limits()
        self._check_kind()

    def _check_limits(self) -> None:
        low, high = self.lower, self.upper
        if low is None or high is None or Datum.UNBOUNDED in (low.datum, high.datum):
            return
        if low.datum is high.datum and low.unit is high.unit and low.value > high.value:
            raise InputError("the lower limit is above the upper one", where="lower")

    def _check_kind(self) -> None:
        if self.id in self.refs or len(set(self.refs)) < len(self.refs):
            raise InputError("it refers to itself or to one message twice", where="refs")
        if self.kind in _NEEDS_REFS and not self.refs:
            raise InputError(f"a {self.kind.value} names in refs what it is about", where="refs")
        if (self.kind is Kind.TEST) != (self.test_text is not None):
            raise InputError("a TEST carries the number of an approved text, and only a TEST does", where="test_text")
        if self.kind is Kind.TEST:
            said = [name for name in _SAYS_NOTHING_BUT_ITS_TEXT if getattr(self, name) not in ((), "", None)]
            if said or self.action is not Action.NONE or self.zone:
                raise InputError("a TEST says nothing but its approved text", where=said[0] if said else "action")
        if self.kind is Kind.CEASE_REQUEST and self.action is Action.NONE:
            raise InputError("a CEASE_REQUEST says what is asked for", where="action")
        if self.action is Action.CONTACT_ON_FREQUENCY and (
            self.addressee is None or self.addressee.frequency_khz is None
        ):
            raise InputError("to make contact, a frequency that the addressee can receive is named", where="addressee")

    @property
    def origin(self) -> PartyId:
        """The party that it says it is from; the entry's signature says whether that is so."""
        return parse_id(self.id)[0]


def format_id(party: PartyId, at_ms: int, serial: int) -> str:
    """The id of the party's message number ``serial`` in the year of ``at_ms`` (UTC)."""
    if not 1 <= serial <= SERIAL_MAX:
        raise InputError(f"serial {serial} is not between 1 and {SERIAL_MAX}", where="id")
    year = datetime.fromtimestamp(at_ms / 1000.0, UTC).year
    return f"{party.upper()}-{year:04d}-{serial:04d}"


def parse_id(text: str) -> tuple[str, int, int]:
    """Party, year and serial; raises :class:`InputError` where it is not the one way to write them."""
    party, _, rest = text.rpartition("-")
    party, _, year = party.rpartition("-")
    serial = int(rest) if rest.isascii() and rest.isdigit() else 0
    whole = party and year.isascii() and year.isdigit()
    if not whole or not serial or text != f"{party.upper()}-{year:>04}-{serial:04d}":
        raise InputError(f"{text!r} is not of the form ORIG-YYYY-0001", where="id")
    return party.lower(), int(year), serial
