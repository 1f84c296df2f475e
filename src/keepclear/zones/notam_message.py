"""NOTAM text to items: splits a file into messages and a message into its items Q) A) B) C) D) E) F) G).

Format: ICAO Annex 15 (16th ed.) appendix 3 and Doc 8126; what is really transmitted differs: padded Q lines
(``/NBO/E /``), lines wrapped anywhere, items run together on one line, AFTN envelopes, parts 1 of n. Also the
United States' domestic form (``!FDC 3/1234 …``), as far as flight restrictions need it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from keepclear.errors import InputError, LimitExceeded

__all__ = ["NotamKind", "NotamMessage", "QLine", "read_instant", "split_messages"]

NotamKind = str
"""``N`` new, ``R`` replaces, ``C`` cancels."""

MESSAGES_MAX = 100_000
"""One file: more than all NOTAMs in force in the world (some 40,000)."""
TEXT_MAX = 20_000
"""One message: ten times the longest that AFTN carries (1,800 characters); beyond it this is no NOTAM."""

_HEADER = re.compile(
    r"(?<![A-Z0-9/])(?P<number>[A-Z]\d{4}/\d{2})\s+NOTAM\s?(?P<kind>[NRC])\b(?:\s+(?P<refers>[A-Z]\d{4}/\d{2}))?"
    r"|(?:^|(?<=\())[ \t]*(?P<bare>[A-Z]\d{4}/\d{2})(?=\s*(?:-\s*)?Q\s?\))"
    r"|(?:^|\n)!(?P<domestic>[A-Z]{3}\s+\d{1,2}/\d{3,4})(?=\s)",
    re.MULTILINE,
)
_Q_LINE = re.compile(
    r"(?P<fir>[A-Z]{4})/?(?P<code>Q[A-Z]{4})/?(?P<traffic>[IVK]*)/?(?P<purpose>[NBOMK]*)/?(?P<scope>[AEWK]*)"
    r"/?(?P<lower>\d{3})/?(?P<upper>\d{3})/?"
    r"(?:(?P<lat>\d{4}(?:\d{2})?)(?P<ns>[NS])(?P<lon>\d{5}(?:\d{2})?)(?P<ew>[EW])(?P<radius>\d{3})?)?"
)
_PART = re.compile(r"\bPART\s+(\d+)\s+OF\s+(\d+)\b")
_TRAILER = re.compile(
    r"(?:^|\n)[ \t]*(?:END PART \d+ OF \d+|CREATED:|SOURCE:|NNNN\b|={3,}|-{5,}|ZCZC|"
    r"(?:GG|DD|FF|SS|KK) [A-Z]{8}\b)",
)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


@dataclass(frozen=True, slots=True)
class QLine:
    """Item Q. ``None`` where the line leaves the centre or the radius (999: «everywhere») unstated."""

    fir: str
    code: str
    traffic: str = ""
    purpose: str = ""
    scope: str = ""
    lower_fl: int = 0
    upper_fl: int = 999
    centre: tuple[float, float] | None = None
    """longitude, latitude"""
    radius_nm: int | None = None


@dataclass(frozen=True, slots=True)
class NotamMessage:
    """One message, its items as text (whitespace in A, B, C collapsed), and where it stands in the file."""

    number: str
    kind: NotamKind
    refers: str
    q: QLine | None
    a: str
    b: str
    c: str
    d: str
    e: str
    f: str
    g: str
    text: str
    line: int
    domestic: bool = False
    problem: str = ""
    """why the message cannot be read further; empty where it can"""


def split_messages(text: str) -> list[NotamMessage]:
    """All messages of a file, in its order; parts of one NOTAM joined. Text outside messages is passed over.

    Raises :class:`LimitExceeded` for more than :data:`MESSAGES_MAX` messages.
    """
    headers = list(_HEADER.finditer(text))
    if len(headers) > MESSAGES_MAX:
        raise LimitExceeded(f"more than {MESSAGES_MAX:,} NOTAMs in one file: split it")
    found: list[NotamMessage] = []
    line, counted = 1, 0
    for header, following in zip(headers, [*headers[1:], None]):
        begin = header.start() + (len(header.group()) - len(header.group().lstrip()))
        line += text.count("\n", counted, begin)
        counted = begin
        body = text[begin : following.start() if following else len(text)]
        found.append(_message(header, _without_trailer(body), line))
    return _join_parts(found)


def _without_trailer(body: str) -> str:
    trailer = _TRAILER.search(body)
    body = (body[: trailer.start()] if trailer else body).rstrip()
    # The closing parenthesis of the AFTN text, and the opening one of the next message.
    body = body.removesuffix("(").rstrip()
    if body.endswith(")") and body.count(")") > body.count("(") + len(re.findall(r"\b[A-GQ]\s?\)", body)):
        body = body[:-1].rstrip()
    return body


def _message(header: re.Match[str], body: str, line: int) -> NotamMessage:
    if len(body) > TEXT_MAX:
        number = header["number"] or header["bare"] or header["domestic"] or ""
        return NotamMessage(
            number, "N", "", None, "", "", "", "", "", "", "", body[:TEXT_MAX], line,
            problem=f"the message is longer than {TEXT_MAX:,} characters: this is no NOTAM",
        )  # fmt: skip
    if header["domestic"]:
        return _domestic(" ".join(header["domestic"].split()), body, line)
    number = header["number"] or header["bare"]
    kind = header["kind"] or "N"
    items = _items(body)
    problem = ""
    q: QLine | None = None
    if "Q" in items:
        q = _q_line(items["Q"])
        if q is None:
            problem = f"item Q) is not understood: {' '.join(items['Q'].split())[:70]!r}"
    if not problem and "B" not in items:
        problem = "item B) (from when) is missing: cut off?"
    elif not problem and "E" not in items and kind != "C":
        problem = "item E) (the text) is missing: cut off?"

    def words(item: str) -> str:
        return " ".join(items.get(item, "").split())

    return NotamMessage(
        number, kind, header["refers"] or "", q, _PART.sub("", words("A")).strip(), words("B"), words("C"),
        words("D"), items.get("E", "").strip(), words("F"), words("G"), body, line, problem=problem,
    )  # fmt: skip


def _items(body: str) -> dict[str, str]:
    """The text of each item. Items come in the order of the alphabet, which tells item B) from a «B)» within E)."""
    marks: list[tuple[str, int, int]] = []
    position = 0
    for letter in "QABCDE":
        # A digit or a blank may stand before the mark (wrapped or run together), a letter not.
        mark = re.compile(rf"(?<![A-Z]){letter}\s?\)").search(body, position)
        if mark and not (letter in "CD" and (e := re.compile(r"(?<![A-Z0-9])E\s?\)").search(body, position))
                         and e.start() < mark.start()):  # fmt: skip
            marks.append((letter, mark.start(), mark.end()))
            position = mark.end()
    tail = re.search(
        r"(?<![A-Z])F\s?\)(?P<f>[^()]{1,40}?)(?<![A-Z])G\s?\)(?P<g>.{1,60}?)\)?\s*$", body[position:], re.S
    )
    if tail and marks and marks[-1][0] == "E":
        marks.append(("F", position + tail.start(), position + tail.start("f")))
        marks.append(("G", position + tail.end("f"), position + tail.start("g")))
    ends = [mark[1] for mark in marks[1:]] + [len(body)]
    return {letter: body[begin:end].strip() for (letter, _, begin), end in zip(marks, ends)}


def _q_line(text: str) -> QLine | None:
    match = _Q_LINE.match("".join(text.split()))
    if not match:
        return None
    centre: tuple[float, float] | None = None
    if match["lat"]:
        lat = _sexagesimal(match["lat"], 2) * (1 if match["ns"] == "N" else -1)
        lon = _sexagesimal(match["lon"], 3) * (1 if match["ew"] == "E" else -1)
        centre = (lon, lat) if abs(lat) <= 90 and abs(lon) <= 180 else None
    return QLine(
        match["fir"], match["code"], match["traffic"], match["purpose"], match["scope"],
        int(match["lower"]), int(match["upper"]), centre, int(match["radius"]) if match["radius"] else None,
    )  # fmt: skip


def _sexagesimal(digits: str, degrees: int) -> float:
    minutes = float(digits[degrees : degrees + 2])
    seconds = float(digits[degrees + 2 :] or 0)
    return float(digits[:degrees]) + minutes / 60 + seconds / 3600


def _domestic(number: str, body: str, line: int) -> NotamMessage:
    """The United States' form: one paragraph, the limits as «SFC-3000FT AGL», the times as two groups at its end."""
    one_line = " ".join(body.split())
    times = re.search(r"\b(\d{10})-(\d{10}|PERM)\s*(EST)?", one_line)
    limits = re.search(r"\b(SFC|GND|\d+FT\s?(?:AGL|MSL)?|FL\d{2,3})-(UNL|FL\d{2,3}|\d+FT(?:\s?(?:AGL|MSL))?)", one_line)
    location = re.match(r"!\S+\s+\S+\s+(\S+)", one_line)
    return NotamMessage(
        number, "N", "", None, location[1] if location else "", times[1] if times else "",
        f"{times[2]} {times[3] or ''}".strip() if times else "", "", one_line, limits[1] if limits else "",
        limits[2] if limits else "", body, line, domestic=True,
        problem="" if times else "no pair of times such as 2305052108-2305060000",
    )  # fmt: skip


def _join_parts(messages: list[NotamMessage]) -> list[NotamMessage]:
    """Parts of a long NOTAM carry the same number and items; their texts in E) follow one another."""
    joined: dict[tuple[str, int, str], NotamMessage] = {}
    for index, message in enumerate(messages):
        part = _PART.search(message.text)
        q = message.q.fir if message.q else ""
        key = (message.number, 0, q) if part else (message.number, index + 1, q)
        known = joined.get(key)
        if known is None:
            joined[key] = message
            continue
        joined[key] = replace(
            known, e=f"{known.e}\n{message.e}", text=f"{known.text}\n{message.text}", f=known.f or message.f,
            g=known.g or message.g, d=known.d or message.d, problem=known.problem or message.problem,
        )  # fmt: skip
    return list(joined.values())


def read_instant(text: str) -> tuple[float, bool] | None:
    """An instant of item B) or C) in POSIX seconds and whether it is estimated; ``None`` for PERM and UFN.

    Ten digits YYMMDDhhmm (Annex 15); also «11 JAN 2023 09:09» and «2023 JAN 11 0909», as briefing systems
    print it. 2400 is the end of the day. Raises :class:`InputError`.
    """
    words = text.upper().strip()
    if re.match(r"(?:PERM|UFN)\b", words):
        return None
    estimated = bool(re.search(r"EST\b", words))
    if match := re.match(r"(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(?!\d)", words):
        year, month, day, hour, minute = (int(group) for group in match.groups())
    elif match := re.match(r"(\d{1,2})[ -]([A-Z]{3})[A-Z]*[ -](\d{4}|\d{2})[ ,]+(\d{2}):?(\d{2})", words):
        day, month, year = int(match[1]), _month(match[2], text), int(match[3]) % 100
        hour, minute = int(match[4]), int(match[5])
    elif match := re.match(r"(\d{4})[ -]([A-Z]{3})[A-Z]*[ -](\d{1,2})[ ,]+(\d{2}):?(\d{2})", words):
        day, month, year = int(match[3]), _month(match[2], text), int(match[1]) % 100
        hour, minute = int(match[4]), int(match[5])
    else:
        raise InputError(f"{text!r} is no time: YYMMDDhhmm in UTC is wanted")
    try:
        instant = datetime(2000 + year, month, day, 0 if hour == 24 else hour, minute, tzinfo=UTC)
    except ValueError as error:
        raise InputError(f"{text!r} is no time ({error})") from None
    if hour == 24:
        if minute:
            raise InputError(f"{text!r} is no time: a day ends at 2400")
        instant += timedelta(days=1)
    return instant.timestamp(), estimated


def _month(name: str, text: str) -> int:
    if name not in _MONTHS:
        raise InputError(f"{text!r} is no time: no month {name}")
    return _MONTHS.index(name) + 1
