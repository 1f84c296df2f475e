"""A channel's record for people to read: every entry in order, in the language of the reader, from the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Protocol

from keepclear.channel.charter import Charter
from keepclear.channel.record.transcript import Spoken, Transcript
from keepclear.errors import InputError
from keepclear.messages.bodies import BODIES, decode_body
from keepclear.messages.catalogue import Language, say
from keepclear.messages.document import RLM, Document, Line, Quote, Value, page, to_html, to_text
from keepclear.messages.message import Message
from keepclear.messages.rendering import Circumstances, describe
from keepclear.quantities import format_instant

__all__ = ["Describer", "Describers", "transcript_html", "transcript_text"]

REMEMBERED_MAX = 10_000
"""Messages that a later receipt or answer may be about; older ones are named by their entry."""


class Describer(Protocol):
    """Makes the document of an entry's body of a kind that is not the messages' own; asked in the record's order.

    Raises :class:`InputError` where the body is not what its kind says.
    """

    def __call__(self, body: bytes, language: Language, spoken: Spoken) -> Document: ...


Describers = Mapping[str, Callable[[], Describer]]
"""By kind, what makes the describer of one record: it may remember what it has been asked about."""
NONE: Describers = MappingProxyType({})


def transcript_text(language: str, describers: Describers = NONE) -> Transcript:
    """For :func:`keepclear.edge.channel.export.export_record`. A kind that nobody describes is shown from outside."""
    return partial(_text, Language(language), describers)


def transcript_html(language: str, describers: Describers = NONE) -> Transcript:
    return partial(_html, Language(language), describers)


def _text(language: Language, describers: Describers, charter: Charter, entries: Iterable[Spoken]) -> Iterator[str]:
    yield f"{charter.name}\n\n"
    if language is not Language.ENGLISH:
        begin = RLM if language.direction == "rtl" else ""
        yield f"{begin}--- {say(language, 'banner.translation')}\n\n"
    for document in _documents(language, describers, entries):
        yield to_text(document) + "\n"


def _html(language: Language, describers: Describers, charter: Charter, entries: Iterable[Spoken]) -> Iterator[str]:
    head, _, tail = page((), language, charter.name).partition("</body>")
    yield head
    if language is not Language.ENGLISH:
        yield f'<p class="note">{say(language, "banner.translation")}</p>\n'
    for document in _documents(language, describers, entries):
        yield to_html(document)
    yield "</body>" + tail


def _documents(language: Language, describers: Describers, entries: Iterable[Spoken]) -> Iterator[Document]:
    messages: dict[str, Message] = {}
    others = {kind: make() for kind, make in describers.items()}
    for spoken in entries:
        entry = spoken.entry
        if spoken.body is None or (entry.kind not in BODIES and entry.kind not in others):
            yield _bare(language, spoken)
            continue
        try:
            if entry.kind in others:
                yield others[entry.kind](spoken.body, language, spoken)
                continue
            body = decode_body(entry.kind, spoken.body)
        except InputError as error:
            yield _bare(language, spoken, str(error))
            continue
        about = next((messages[ref.leaf] for ref in entry.re if ref.leaf in messages), None)
        if isinstance(body, Message):
            messages[spoken.leaf.hex()] = body
            if len(messages) > REMEMBERED_MAX:
                del messages[next(iter(messages))]
        seen = Circumstances(party=entry.party, to=entry.to, sent_ms=entry.at_ms, about=about)
        yield describe(body, language, seen)


def _bare(language: Language, spoken: Spoken, trouble: str = "") -> Document:
    """An entry of which only the outside is known here: in codes, which are the same in every language."""
    entry = spoken.entry
    outside = Value(f"{entry.party} {entry.seq} · {entry.kind} · {format_instant(entry.at_ms / 1000.0)}")
    hashed = Line("SHA-256", (Value(entry.body),))
    return Document(language, (outside,), (), (hashed,), ((Quote(trouble),),) if trouble else ())
