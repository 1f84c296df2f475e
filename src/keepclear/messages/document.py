"""A message as it is shown: lines of labels and values, to plain text and to HTML, also right to left.

Values (numbers, positions, times, codes) always run left to right in Western digits, and free text has the direction
of its own; both stand in isolates (Unicode UAX #9: LRI and FSI … PDI; HTML: ``bdi``), so that neither can reorder the
other. A position that reads differently in another language would defeat everything else here.
"""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from keepclear.messages.catalogue import Language, say

__all__ = ["RLM", "Document", "Line", "Part", "Quote", "Table", "Value", "page", "plain", "to_html", "to_text"]

LRI, FSI, PDI, RLM = "\u2066", "\u2068", "\u2069", "\u200f"
STYLE = (
    "body{font-family:'Noto Sans','Noto Sans Arabic','DejaVu Sans',sans-serif;max-width:60rem;margin:auto;padding:1rem}"
    "article{border:1px solid #888;padding:0 1rem;margin:1rem 0}h2{overflow-wrap:anywhere}"
    "dl{display:grid;grid-template-columns:minmax(8rem,14rem) 1fr;gap:.25rem 1rem}dt{font-weight:bold}"
    "dd{margin:0;min-width:0;overflow-wrap:anywhere}dd:has(.block){grid-column:1/-1;margin-inline-start:1rem}"
    ".wide{overflow-x:auto;margin:1rem 0}table{border-collapse:collapse;width:100%}"
    "th,td{border:1px solid #888;padding:.25rem .5rem;text-align:start;vertical-align:top}th{background:#eee}"
    "td bdi[dir=ltr]{white-space:nowrap}"
    ".banner{border:3px solid #b00;padding:.5rem;font-weight:bold}.note{font-size:.9rem}"
    ".text{white-space:pre-wrap}.block{display:block;unicode-bidi:plaintext;text-align:start}"
    "@media(max-width:40rem){dl{display:block}dd{margin-bottom:.5rem}}"
    "@media print{body{padding:0}article{border:0}thead{display:table-header-group}tr,dt{break-inside:avoid}}"
)
"""Labels beside their values, beneath each other where it is narrow; a text of several lines over the whole width, each
line in its own direction; what is too wide for the screen is scrolled and never cut."""


@dataclass(frozen=True, slots=True)
class Value:
    """What is the same in every language: shown left to right."""

    text: str


@dataclass(frozen=True, slots=True)
class Quote:
    """What a party wrote: a name, a role, a text; shown as it is, in its own direction."""

    text: str
    language: str = ""
    """BCP 47, where it is known"""


Part = str | Value | Quote
"""``str``: a phrase in the document's own language."""


@dataclass(frozen=True, slots=True)
class Line:
    label: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of one kind, such as who took which position; every row has as many cells as there are heads."""

    heads: tuple[str, ...]
    rows: tuple[tuple[tuple[Part, ...], ...], ...]


@dataclass(frozen=True, slots=True)
class Document:
    language: Language
    title: tuple[Part, ...]
    banners: tuple[tuple[Part, ...], ...]
    """what must be seen first"""
    lines: tuple[Line, ...]
    notes: tuple[tuple[Part, ...], ...] = ()
    """what must not be forgotten at the end"""
    tables: tuple[Table, ...] = ()
    """after the lines, before the notes"""


def to_text(document: Document) -> str:
    """Plain text in UTF-8 for terminals, printers and mail; ends with a line feed."""
    rtl = document.language.direction == "rtl"
    begin, colon = RLM if rtl else "", say(document.language, "mark.colon")
    rows = [f"=== {plain(document.title, rtl)} ==="]
    rows += [f"!!! {plain(banner, rtl)}" for banner in document.banners]
    for line in document.lines:
        if any(isinstance(part, Quote) and "\n" in part.text for part in line.parts):
            rows.append(f"{line.label}{colon.rstrip()}")
            for part in line.parts:
                text = part if isinstance(part, str) else part.text
                rows += [f"    {plain((_like(part, row),), rtl)}" for row in text.split("\n")]
        else:
            rows.append(f"{line.label}{colon}{plain(line.parts, rtl)}")
    for table in document.tables:
        rows.append(" | ".join(table.heads))
        rows += [" | ".join(plain(cell, rtl) for cell in row) for row in table.rows]
    rows += [f"--- {plain(note, rtl)}" for note in document.notes]
    return "".join(f"{begin}{row}\n" for row in rows)


def to_html(document: Document) -> str:
    """One ``article`` element, to be put into a page; everything a party wrote is escaped."""
    language = document.language
    rows = [
        f'<article class="message" lang="{language.value}" dir="{language.direction}">',
        f"<h2>{_marked(document.title)}</h2>",
    ]
    rows += [f'<p class="banner" role="alert">{_marked(banner)}</p>' for banner in document.banners]
    rows.append("<dl>")
    rows += [f"<dt>{html.escape(line.label)}</dt><dd>{_marked(line.parts)}</dd>" for line in document.lines]
    rows.append("</dl>")
    for table in document.tables:
        heads = "".join(f"<th>{html.escape(head)}</th>" for head in table.heads)
        rows.append(f'<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>')
        rows += ["<tr>" + "".join(f"<td>{_marked(cell)}</td>" for cell in row) + "</tr>" for row in table.rows]
        rows.append("</tbody></table></div>")
    rows += [f'<p class="note">{_marked(note)}</p>' for note in document.notes]
    return "\n".join([*rows, "</article>", ""])


def page(documents: Iterable[Document], language: Language, title: str) -> str:
    """A whole page, without scripts and without anything from elsewhere."""
    head = (
        f'<!DOCTYPE html>\n<html lang="{language.value}" dir="{language.direction}">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
    )
    return head + "".join(to_html(document) for document in documents) + "</body>\n</html>\n"


def _like(part: Part, text: str) -> Part:
    if isinstance(part, str):
        return text
    return Value(text) if isinstance(part, Value) else Quote(text, part.language)


def plain(parts: Iterable[Part], rtl: bool) -> str:
    """The parts as one string, values and quotations in isolates where the direction could be mistaken."""
    return "".join(_isolated(part, rtl) for part in parts)


def _isolated(part: Part, rtl: bool) -> str:
    """Isolates only where a text of the other direction is near, so that plain Latin text stays plain bytes."""
    if isinstance(part, str) or not part.text:
        return part if isinstance(part, str) else ""
    if isinstance(part, Value):
        return f"{LRI}{part.text}{PDI}" if rtl else part.text
    mixed = any(unicodedata.bidirectional(character) in ("R", "AL", "AN") for character in part.text)
    return f"{FSI}{part.text}{PDI}" if rtl or mixed else part.text


def _marked(parts: Iterable[Part]) -> str:
    marked = []
    for part in parts:
        if isinstance(part, str):
            marked.append(html.escape(part))
        elif isinstance(part, Value):
            marked.append(f'<bdi dir="ltr">{html.escape(part.text)}</bdi>')
        else:
            language = f' lang="{html.escape(part.language)}"' if part.language else ""
            kind = "text block" if "\n" in part.text else "text"
            marked.append(f'<bdi class="{kind}" dir="auto"{language}>{html.escape(part.text)}</bdi>')
    return "".join(marked)
