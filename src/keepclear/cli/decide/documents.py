"""``keepclear decide document|calendar``: texts, voting sheets, notices, minutes and applications to hand out."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from keepclear.cli.decide.reading import LANGUAGES, deciding
from keepclear.cli.node.options import node_option
from keepclear.errors import UsageError

if TYPE_CHECKING:
    from keepclear.cli.decide.reading import Deciding
    from keepclear.messages.catalogue import Language
    from keepclear.messages.document import Document

__all__ = ["COMMANDS"]

SUFFIXES = {".txt": "text", ".html": "html", ".htm": "html", ".pdf": "pdf"}


@click.command()
@node_option
@click.argument("number", metavar="PROPOSAL|MEETING|APPLICATION")
@click.option("--sheet", is_flag=True, help="Of a proposal: the voting sheet, not the text.")
@click.option("--language", type=click.Choice(LANGUAGES), help="The node's first if not given.")
@click.option("--format", "format", type=click.Choice(("text", "html", "pdf")), help="The suffix of --out says it too.")
@click.option("--out", type=click.Path(path_type=Path), help="Write to this file; it is whole or absent.")
def document(node: Path, number: str, sheet: bool, language: str | None, format: str | None, out: Path | None) -> None:
    """Write a text, a voting sheet, a notice with the minutes, or an application, in one of five languages.

    What is fixed is translated; what a party wrote stays as it was written.

    \b
    Example:
      keepclear decide document P-ALFA-2026-0001 --sheet --language ar --out sheet.pdf
    """
    from keepclear.cli.output import write_data
    from keepclear.messages.catalogue import Language
    from keepclear.messages.document import page, to_text

    if out is not None and format is None and out.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{out}: a document is a .txt, .html or .pdf file; else say which with --format")
    read = deciding(node)
    chosen = format or (SUFFIXES[out.suffix.lower()] if out else "text")
    tongue = Language(language or read.language)
    at_ms, documents = _documents(read, number, sheet, tongue)
    if chosen == "pdf":
        from keepclear.edge.decisions.pdf_document import write_pdf

        data = write_pdf(documents, tongue, datetime.fromtimestamp(at_ms / 1000.0, UTC))
    elif chosen == "html":
        data = page(documents, tongue, number).encode()
    else:
        data = "\n".join(to_text(one) for one in documents).encode()
    write_data(lambda file: _put(file, data), out, binary=chosen == "pdf")


def _documents(read: Deciding, number: str, sheet: bool, language: Language) -> tuple[int, list[Document]]:
    """The documents, and the instant of the newest entry that they speak of: the same logs give the same bytes."""
    from keepclear.cli.decide.shown import application_documents, meeting_documents
    from keepclear.decisions.documents.sheet import describe_sheet
    from keepclear.decisions.documents.text import describe_text

    if number.startswith("M-"):
        found = meeting_documents(read, number, language)
    elif number.startswith("A-"):
        found = application_documents(read, number, language)
    else:
        status = read.status(number)
        found = [describe_sheet(status, language) if sheet else describe_text(status, language)]
    return max((one.at_ms for one in read.docket.about(number)), default=0), found


def _put(file: IO[bytes], data: bytes) -> None:
    file.write(data)


@click.command()
@node_option
@click.option("--out", type=click.Path(path_type=Path), help="Write to this file; it is whole or absent.")
def calendar(node: Path, out: Path | None) -> None:
    """Write the deadlines, meetings and due stages as iCalendar. Written again it moves dates, and adds none twice."""
    from keepclear.cli.output import write_data
    from keepclear.decisions.documents.deadlines import deadlines
    from keepclear.edge.decisions.calendar_file import write_calendar

    read = deciding(node)
    if out is not None and out.suffix.lower() not in (".ics", ".ical"):
        raise UsageError(f"{out}: a calendar is an .ics file")
    data = write_calendar(read.charter.name, deadlines(read.docket))
    write_data(lambda file: _put(file, data), out)


COMMANDS = (document, calendar)
