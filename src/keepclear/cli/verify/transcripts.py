"""A record's transcripts held against its entries: written again from the same bytes, and compared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from keepclear.channel.record.layout import is_for_people
from keepclear.channel.record.transcript import Transcript, transcribe
from keepclear.channel.record.verification import Verification
from keepclear.cli.progress import say
from keepclear.decisions.acts import DECISION_KIND
from keepclear.decisions.documents.act import ActDescriber
from keepclear.edge.channel.files import FolderFiles, ZipFiles
from keepclear.messages.catalogue import Language
from keepclear.messages.transcript import Describers, transcript_html, transcript_text

__all__ = ["compare_transcripts", "written_transcripts"]

DESCRIBERS: Describers = {DECISION_KIND: ActDescriber}
"""Of the kinds that messages know nothing about."""

_NAMED = re.compile(rf"transcript-({'|'.join(Language)})\.(txt|html)\Z")
WORTH_SAYING = 2_000
"""Entries: a language takes some seconds for every ten thousand."""


def written_transcripts(languages: Iterable[str]) -> dict[str, Transcript]:
    """What an export writes for people, by file name."""
    found: dict[str, Transcript] = {}
    for language in languages:
        found[f"transcript-{language}.txt"] = transcript_text(language, DESCRIBERS)
        found[f"transcript-{language}.html"] = transcript_html(language, DESCRIBERS)
    return found


def compare_transcripts(files: FolderFiles | ZipFiles, found: Verification) -> None:
    """Into ``found.transcripts``: for each file for people whether it is what this version writes of these entries, or
    nothing where this version writes no such file. Only for a verified record: of another, no entry is known."""
    entries = sum(log.size for log in found.logs)
    for name in sorted(name for name in files.names() if is_for_people(name)):
        named = _NAMED.match(name)
        if named is None:
            found.transcripts[name] = None
            continue
        if entries > WORTH_SAYING:
            say(f"comparing {name} with {entries:,} entries …")
        transcript = written_transcripts([named[1]])[name]
        found.transcripts[name] = _same(files.pieces(name), (t.encode() for t in transcribe(files, transcript)))


def _same(here: Iterator[bytes], right: Iterator[bytes]) -> bool:
    """Whether both give the same bytes, however they are cut; stops at the first difference."""
    rest = b""
    for piece in right:
        while len(rest) < len(piece):
            more = next(here, None)
            if more is None:
                return False
            rest += more
        if not rest.startswith(piece):
            return False
        rest = rest[len(piece) :]
    return not rest and next(here, None) is None
