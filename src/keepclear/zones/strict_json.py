"""JSON read strictly: what two readers could understand differently is refused, and every place has a name.

Source: RFC 8259 leaves duplicate keys, huge numbers and lone surrogates to the reader («unpredictable»); RFC 7493
(I-JSON) forbids them. A zone that two parties read differently is worse than one that is refused.
"""

from __future__ import annotations

import json
import math
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NoReturn

import numpy as np

from keepclear.errors import InputError, LimitExceeded

__all__ = ["MAX_DEPTH", "MAX_DOCUMENT_BYTES", "MAX_OWN_DEPTH", "Document", "Node", "load", "within"]

MAX_DOCUMENT_BYTES = 64 * 1024 * 1024
"""A whole state's zones are some 20 MB; parsed JSON takes about fifteen times its size in memory."""
MAX_DEPTH = 24
"""A GeometryCollection of multipolygons nests 10 deep; properties of real files stay under 16."""
MAX_OWN_DEPTH = 40
"""Of our own files, which hold what other files carried a few levels deeper."""
_MAX_INTEGER_DIGITS = 25
"""No published identifier is longer; Python's integers would grow with the input."""

_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"(\s*+:)?+|\[(?:[-+0-9.eE,\s]++|\[[-+0-9.eE,\s]*+\])*+\]|[\[\]{}]')
"""Strings with the colon that makes them keys, lists of numbers and of such lists (a border has ten thousand
positions), other brackets."""
_DIGITS_BLOCK = 128
"""A number beyond a double and without an exponent has 309 digits: a block of so many is full of them."""
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class _Duplicate(Exception):
    pass


class _BadNumber(Exception):
    """The number as it stands in the text, and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed document, and the line on which each element of a top-level array begins, by the array's key
    (``""`` where the document itself is an array)."""

    value: object
    element_lines: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    depth: int = 0

    def line_of(self, key: str, index: int) -> int:
        """The element's line, 0 where not known."""
        lines = self.element_lines.get(key, ())
        return lines[index] if index < len(lines) else 0

    def place(self, key: str, index: int) -> str:
        """«features[3] (line 120)», as a person would look for it."""
        line = self.line_of(key, index)
        return f"{key}[{index}] (line {line})" if line else f"{key}[{index}]"


def load(data: bytes, *, source: str = "", max_depth: int = MAX_DEPTH) -> Document:
    """The document; raises :class:`InputError` with the place for anything not strictly JSON.

    Refused: bytes after the end, duplicate keys, NaN and Infinity, numbers beyond a double, lone surrogates, more
    than ``max_depth`` levels, more than ``MAX_DOCUMENT_BYTES``, anything but UTF-8 (a byte order mark is skipped).
    """
    if len(data) > MAX_DOCUMENT_BYTES:
        raise LimitExceeded(f"the file has {len(data):,} bytes, more than {MAX_DOCUMENT_BYTES:,}", source=source)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        encoding = "this is UTF-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "this is not UTF-8"
        where = f"byte {error.start}"
        raise InputError(f"{encoding} text: save it as UTF-8", where=where, source=source) from None
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_float=_float if _may_overflow(data) else None,
            parse_int=_integer,
            parse_constant=_constant,
        )
    except json.JSONDecodeError as error:
        raise InputError(f"this is not JSON ({error.msg})", where=f"line {error.lineno}", source=source) from None
    except RecursionError:
        raise LimitExceeded(f"the JSON nests more than {max_depth} deep", source=source) from None
    except _Duplicate as error:
        where = _duplicate_place(text)
        raise InputError(f"the key {error.args[0]} is given twice in one object", where=where, source=source) from None
    except _BadNumber as error:
        token, message = error.args
        raise InputError(message, where=_number_place(text, token), source=source) from None
    if _SURROGATE.search(text):
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise InputError("a text holds half of a surrogate pair (\\ud800–\\udfff)", source=source) from None
        except RecursionError:
            raise LimitExceeded(f"the JSON nests more than {max_depth} deep", source=source) from None
    return Document(value, *_element_lines(text, source, max_depth))


def within(place: str, element: Node, where: str) -> str:
    """A refusal's place inside an element, whose own path ``place`` already says with its line."""
    inner = where.removeprefix(element.path).lstrip(".")
    return f"{place}, {inner}" if place and inner else place or inner


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Duplicate(_shown(key))
            seen.add(key)
    return members


def _may_overflow(data: bytes) -> bool:
    """Whether a number may be beyond a double. Where none may, the reader's own conversion will do: a file of borders
    is numbers, and a call for each takes twice as long."""
    text = np.frombuffer(data, dtype=np.uint8)
    digit = (text - ord("0")) < 10
    if bool((digit[:-1] & ((text[1:] | 0x20) == ord("e"))).any()):
        return True
    blocks = digit[: len(digit) // _DIGITS_BLOCK * _DIGITS_BLOCK].reshape(-1, _DIGITS_BLOCK)
    return bool(blocks.all(axis=1).any())


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _BadNumber(text, f"the number {text[:40]} is too large")
    return number


def _integer(text: str) -> int:
    if len(text) > _MAX_INTEGER_DIGITS:
        raise _BadNumber(text, f"the number {text[:20]}… has {len(text)} digits")
    return int(text)


def _constant(text: str) -> NoReturn:
    raise _BadNumber(text, f"{text} is not a JSON number: write null or leave it out")


def _shown(value: object) -> str:
    """A value in a message: quoted, and never long."""
    try:
        text = json.dumps(value, ensure_ascii=True)
    except (TypeError, ValueError, RecursionError):
        text = type(value).__name__
    return text if len(text) <= 60 else text[:57] + "…"


def _duplicate_place(text: str) -> str:
    """The line of the first key that its object already has; the text before it is known to be well formed."""
    objects: list[set[str] | None] = []
    for match in _TOKEN.finditer(text):
        piece = match.group()
        if piece == "{":
            objects.append(set())
        elif piece == "[":
            objects.append(None)
        elif piece in "]}":
            objects.pop()
        elif piece[0] == '"' and match.group(1) and objects and (known := objects[-1]) is not None:
            key = json.loads(piece[: piece.rindex('"') + 1])
            if key in known:
                return f"line {text.count(chr(10), 0, match.start()) + 1}"
            known.add(key)
    return ""


def _number_place(text: str, token: str) -> str:
    """The line on which the number first stands outside a text."""
    pattern = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|(?<![\w.+-])' + re.escape(token))
    for match in pattern.finditer(text):
        if text[match.start()] != '"':
            return f"line {text.count(chr(10), 0, match.start()) + 1}"
    return ""


def _element_lines(text: str, source: str, max_depth: int) -> tuple[dict[str, tuple[int, ...]], int]:
    """One pass over the brackets of well-formed JSON: bounds the depth and finds where elements begin."""
    depth = deepest = 0
    key = ""
    arrays: dict[str, list[int]] = {}
    inside: list[int] | None = None
    element_depth = 0
    for match in _TOKEN.finditer(text):
        piece = match.group()
        if piece[0] == "[" and len(piece) > 1:
            lists = piece.find("[", 1) > 0
            reached = depth + 1 + lists
            deepest = max(deepest, reached)
            if reached > max_depth:
                raise LimitExceeded(f"the JSON nests more than {max_depth} deep", source=source)
            if lists and inside is None and depth < 2:
                arrays.setdefault(key, []).extend(match.start() + m.start() for m in re.finditer(r"(?<!^)\[", piece))
            elif inside is not None and depth + 1 == element_depth:
                inside.append(match.start())
        elif piece in "[{":
            depth += 1
            deepest = max(deepest, depth)
            if depth > max_depth:
                raise LimitExceeded(f"the JSON nests more than {max_depth} deep", source=source)
            if inside is not None:
                if depth == element_depth:
                    inside.append(match.start())
            elif piece == "[" and depth <= 2:
                element_depth = depth + 1
                inside = arrays.setdefault(key, [])
        elif piece in "]}":
            depth -= 1
            if inside is not None and depth < element_depth - 1:
                inside = None
        elif depth == 1 and match.group(1):
            key = json.loads(piece[: piece.rindex('"') + 1])
    if not arrays:
        return {}, deepest
    breaks = [match.start() for match in re.finditer("\n", text)]
    lines = {key: tuple(bisect_right(breaks, at) + 1 for at in places) for key, places in arrays.items()}
    return lines, deepest


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it stands (``features[3].geometry``), so that every refusal names its place."""

    value: object
    path: str = ""

    def refuse(self, message: str) -> NoReturn:
        raise InputError(message, where=self.path)

    def has(self, key: str) -> bool:
        """Whether the member is there and not null: the files in use write both for «not stated»."""
        return isinstance(self.value, dict) and self.value.get(key) is not None

    def __getitem__(self, key: str) -> Node:
        if not isinstance(self.value, dict):
            self.refuse(f"an object is expected here, not {_shown(self.value)}")
        return Node(self.value.get(key), f"{self.path}.{key}" if self.path else key)

    def members(self) -> dict[str, object]:
        if not isinstance(self.value, dict):
            self.refuse(f"an object is expected here, not {_shown(self.value)}")
        return self.value

    def items(self) -> Iterator[Node]:
        if not isinstance(self.value, list):
            self.refuse(f"a list is expected here, not {_shown(self.value)}")
        for index, value in enumerate(self.value):
            yield Node(value, f"{self.path}[{index}]")

    def text(self, default: str | None = None) -> str:
        if self.value is None and default is not None:
            return default
        if not isinstance(self.value, str):
            self.refuse("this is missing" if self.value is None else f"a text is expected, not {_shown(self.value)}")
        return self.value

    def number(self) -> float:
        """A finite number; a text that is a number counts too, since published files have them."""
        value = self.value
        if isinstance(value, str):
            try:
                value = float(value) if len(value) <= 40 else math.nan
            except ValueError:
                value = math.nan
            if not math.isfinite(value):
                self.refuse(f"a number is expected, not {_shown(self.value)}")
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.refuse("this is missing" if value is None else f"a number is expected, not {_shown(value)}")
        return float(value)

    def one_of(self, *words: str) -> str:
        text = self.text()
        if text not in words:
            self.refuse(f"{_shown(text)} is not one of {', '.join(words)}")
        return text
