"""A channel's record for people to read: every entry in order, in the language of the reader, from the same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from keepclear.channel.charter import Charter
from keepclear.channel.record.transcript import Spoken, Transcript
from keepclear.errors import InputError
from keepclear.messages.bodies import BODIES, decode_body
from keepclear.messages.catalogue import Language
from keepclear.messages.document import Document, Line, Quote, Value, page, to_html, to_text
from keepclear.messages.message import Message
from keepclear.messages.rendering import Circumstances, describe
from keepclear.quantities import format_instant

__all__ = ["transcript_html", "transcript_text"]

REMEMBERED_MAX = 10_000
"""Messages that a later receipt or answer may be about; older ones are named by their entry."""


def transcript_text(language: str) -> Transcript:
    """For :func:`keepclear.edge.channel.export.export_record`."""
    return partial(_text, Language(language))


def transcript_html(language: str) -> Transcript:
    return partial(_html, Language(language))


def _text(language: Language, charter: Charter, entries: Iterable[Spoken]) -> Iterator[str]:
    yield f"{charter.name}\n\n"
    for document in _documents(language, entries):
        yield to_text(document) + "\n"


def _html(language: Language, charter: Charter, entries: Iterable[Spoken]) -> Iterator[str]:
    head, _, tail = page((), language, charter.name).partition("</body>")
    yield head
    for document in _documents(language, entries):
        yield to_html(document)
    yield "</body>" + tail


def _documents(language: Language, entries: Iterable[Spoken]) -> Iterator[Document]:
    messages: dict[str, Message] = {}
    for spoken in entries:
        entry = spoken.entry
        if spoken.body is None or entry.kind not in BODIES:
            yield _bare(language, spoken)
            continue
        try:
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
