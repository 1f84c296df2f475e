"""ASTERIX records: which octets belong to which data item, for the categories that carry positions.

The layouts are those of EUROCONTROL-SPEC-0149 Part 12 (CAT021 ed. 2.1–2.7), Part 4 (CAT048 ed. 1.27–1.32) and
Part 9 (CAT062 ed. 1.16–1.21); the item sizes are the same in all these editions. Values are read in
:mod:`keepclear.feeds.asterix_items`.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CATEGORIES", "SUBFIELDS", "Record", "read_records", "split_compound"]

EXTENTS_MAX = 16
"""Octets of an item extended by FX bits; the longest defined has nine."""

Record = dict[str, bytes]
"""item number («040») → its octets"""


class Extended(NamedTuple):
    """Parts of ``octets`` octets; the last bit of each says that another follows."""

    octets: int = 1


class Repeated(NamedTuple):
    """One octet with the count, then so many parts."""

    octets: int


class Explicit(NamedTuple):
    """One octet with the length of the whole, itself included (reserved expansion, special purpose)."""


class Compound(NamedTuple):
    """A primary field of presence bits extended by FX, then the subfields that are present."""

    subfields: tuple[tuple[str, Layout], ...]


Layout = int | Extended | Repeated | Explicit | Compound

FX = Extended()


def _named(text: str) -> tuple[tuple[str, Layout], ...]:
    """«ADR3 ID6»: names with sizes in octets; «+» extended, «*n» repeated."""
    found: list[tuple[str, Layout]] = []
    for word in text.split():
        name, _, size = word.partition(":")
        layout: Layout = FX if size == "+" else Repeated(int(size[1:])) if size[0] == "*" else int(size)
        found.append((name, layout))
    return tuple(found)


SUBFIELDS: dict[str, Compound] = {
    "021/110": Compound(_named("TIS:+ TID:*15")),
    "021/220": Compound(_named("WS:2 WD:2 TMP:2 TRB:1")),
    "021/295": Compound(_named(" ".join(f"A{i}:1" for i in range(23)))),
    "048/120": Compound(_named("CAL:2 RDS:*6")),
    "048/130": Compound(_named("SRL:1 SRR:1 SAM:1 PRL:1 PAM:1 RPD:1 APD:1")),
    "062/110": Compound(_named("SUM:1 PMN:4 POS:6 GA:2 EM1:2 TOS:1 XP:1")),
    "062/290": Compound(_named("TRK:1 PSR:1 SSR:1 MDS:1 ADS:2 ES:1 VDL:1 UAT:1 LOP:1 MLT:1")),
    "062/295": Compound(_named(" ".join(f"A{i}:1" for i in range(31)))),
    "062/340": Compound(_named("SID:2 POS:4 HEIGHT:2 MDC:2 MDA:2 TYP:1")),
    "062/380": Compound(
        _named(
            "ADR:3 ID:6 MHG:2 IAS:2 TAS:2 SAL:2 FSS:2 TIS:+ TID:*15 COM:2 SAB:2 ACS:7 BVR:2 GVR:2 RAN:2 TAR:2 TAN:2"
            " GSP:2 VUN:1 MET:8 EMC:1 POS:6 GAL:2 PUN:1 MB:*8 IAR:2 MAC:2 BPS:2"
        )
    ),
    "062/390": Compound(
        _named(
            "TAG:2 CS:7 IFI:4 FCT:1 TAC:4 WTC:1 DEP:4 DST:4 RDS:3 CFL:2 CTL:2 TOD:*4 AST:6 STS:1 STD:7"
            " STA:7 PEM:2 PEC:7"
        )
    ),
    "062/500": Compound(_named("APC:4 COV:2 APW:4 AGA:1 ABA:1 ATV:2 AA:2 ARC:1")),
}


def _uap(category: str, text: str) -> tuple[tuple[str, Layout] | None, ...]:
    """A user application profile in field order: «-» spare, «:c» compound, «:e» explicit, else as in :func:`_named`."""
    found: list[tuple[str, Layout] | None] = []
    for word in text.split():
        name, _, size = word.partition(":")
        if word == "-":
            found.append(None)
        elif size == "c":
            found.append((name, SUBFIELDS[f"{category}/{name}"]))
        elif size == "e":
            found.append((name, Explicit()))
        elif size == "+3":
            found.append((name, Extended(3)))
        else:
            found.extend(_named(word))
    return tuple(found)


CATEGORIES: dict[int, tuple[tuple[str, Layout] | None, ...]] = {
    21: _uap(
        "021",
        "010:2 040:+ 161:2 015:1 071:3 130:6 131:8 072:3 150:2 151:2 080:3 073:3 074:4 075:3 076:4 140:2 090:+ 210:1"
        " 070:2 230:2 145:2 152:2 200:1 155:2 157:2 160:4 165:2 077:3 170:6 020:1 220:c 146:2 148:2 110:c 016:1 008:1"
        " 271:+ 132:1 250:*8 260:7 400:1 295:c - - - - - RE:e SP:e",
    ),
    48: _uap(
        "048",
        "010:2 140:3 020:+ 040:4 070:2 090:2 130:c 220:3 240:6 250:*8 161:2 042:4 200:4 170:+ 210:4 030:+ 080:2 100:4"
        " 110:2 120:c 230:2 260:7 055:1 050:2 065:1 060:2 SP:e RE:e",
    ),
    62: _uap(
        "062",
        "010:2 - 015:1 070:3 105:8 100:6 185:4 210:2 060:2 245:7 380:c 040:2 080:+ 290:c 200:1 295:c 136:2 130:2 135:2"
        " 220:2 390:c 270:+ 300:1 110:c 120:2 510:+3 500:c 340:c - - - - - RE:e SP:e",
    ),
}
"""category → its user application profile: (item, layout) by field reference number, ``None`` where spare"""


def _end_of(layout: Layout, data: bytes, at: int, stop: int) -> int:
    """Where an item that begins at ``at`` ends, or -1 where it does not fit before ``stop`` or is not defined."""
    if isinstance(layout, int):
        end = at + layout
    elif isinstance(layout, Extended):
        end = at + layout.octets
        for _ in range(EXTENTS_MAX):
            if end > stop or not data[end - 1] & 1:
                break
            end += layout.octets
        else:
            return -1
    elif isinstance(layout, Repeated):
        end = at + 1 + (data[at] * layout.octets if at < stop else 0)
    elif isinstance(layout, Explicit):
        if at >= stop or data[at] < 1:
            return -1
        end = at + data[at]
    else:
        end, present = _presence(data, at, stop, len(layout.subfields))
        for number in present:
            if end < 0:
                break
            end = _end_of(layout.subfields[number][1], data, end, stop)
    return end if at < end <= stop else -1


def _presence(data: bytes, at: int, stop: int, fields: int) -> tuple[int, list[int]]:
    """Presence octets: where they end (-1: cut, or a bit beyond ``fields`` is set) and the numbers of the set bits."""
    present: list[int] = []
    number = 0
    while at < stop:
        octet = data[at]
        at += 1
        for bit in range(7):
            if octet & (0x80 >> bit):
                if number + bit >= fields:
                    return -1, []
                present.append(number + bit)
        number += 7
        if not octet & 1:
            return at, present
        if number >= fields + 7:
            break
    return -1, []


def read_records(category: int, data: bytes, at: int, stop: int) -> tuple[list[Record], int]:
    """The records of a data block's body and where reading ended: ``stop`` if all of it was well formed.

    A malformed record ends the reading, because nothing says where the next one begins.
    """
    profile = CATEGORIES[category]
    records: list[Record] = []
    while at < stop:
        record: Record = {}
        end, present = _presence(data, at, stop, len(profile))
        if end < 0 or not present:
            return records, at
        for number in present:
            entry = profile[number]
            after = _end_of(entry[1], data, end, stop) if entry else -1
            if after < 0 or entry is None:
                return records, at
            record[entry[0]] = data[end:after]
            end = after
        records.append(record)
        at = end
    return records, at


def split_compound(item: str, octets: bytes) -> dict[str, bytes]:
    """The subfields of a compound item («062/380») that was read whole."""
    layout = SUBFIELDS[item]
    at, present = _presence(octets, 0, len(octets), len(layout.subfields))
    found: dict[str, bytes] = {}
    for number in present:
        name, part = layout.subfields[number]
        end = _end_of(part, octets, at, len(octets))
        if end < 0:
            break
        found[name] = octets[at:end]
        at = end
    return found
