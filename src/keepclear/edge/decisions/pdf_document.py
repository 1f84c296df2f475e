"""A document as PDF, in any of the five languages: Arabic shaped and from right to left (extra ``documents``).

fpdf2 orders and breaks bidirectional lines, HarfBuzz joins the letters; the fonts are Noto Sans and Noto Sans Arabic,
from their packages. What is drawn is the same text, with the same isolates, as :func:`messages.document.to_text` has.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable
from datetime import datetime
from importlib.resources import files
from importlib.util import find_spec
from typing import TYPE_CHECKING

from keepclear.errors import LimitExceeded, MissingExtra
from keepclear.messages.catalogue import Language, say
from keepclear.messages.document import Document, Line, Part, Table, plain

if TYPE_CHECKING:
    from fpdf import FPDF

__all__ = ["write_pdf"]

LATIN, ARABIC = "fontpkg_noto_sans", "fontpkg_noto_sans_arabic"
FONT_FILES = {LATIN: "NotoSans[wdth,wght].ttf", ARABIC: "NotoSansArabic[wdth,wght].ttf"}
"""Both as they come, in their regular weight: to make a bold one of a variable font takes fifteen seconds."""
TITLE_PT, TEXT_PT, CELL_PT, SMALL_PT = 16.0, 10.5, 9.0, 8.5
LEADING = 1.45
MARGIN_MM, LABEL_MM, GAP_MM = 18.0, 48.0, 3.0
COLUMN_MM = 60.0
"""More than that does not make a column wider; it is broken into lines."""
CELL_MARGIN_MM = 2.5
CELL_CHARACTERS_MAX = 600
"""A longer value gets the page's width: the row of a table cannot be broken between pages."""
PAGES_MAX = 500
"""A body of 193 with a position each takes some ten."""
MM_OF_PT = 25.4 / 72.0


def write_pdf(documents: Iterable[Document], language: Language, at: datetime) -> bytes:
    """Each document from a page of its own. ``at`` is written down as when it was made: the same documents at the same
    instant give the same bytes. Raises :class:`MissingExtra`, or :class:`LimitExceeded` beyond :data:`PAGES_MAX`.
    """
    pdf = _blank(language, at)
    try:
        pen = _Pen(pdf, language)
        for document in documents:
            pdf.add_page()
            pen.draw(document)
        if pen.missing:
            codes = ", ".join(f"U+{ord(character):04X}" for character in sorted(pen.missing))
            pen.paragraph(f"{say(language, 'note.characters')}{say(language, 'mark.colon')}{codes}", SMALL_PT)
        return bytes(pdf.output())
    finally:
        for font in pdf.fonts.values():
            font.close()  # type: ignore[union-attr]


def _blank(language: Language, at: datetime) -> FPDF:
    if any(find_spec(name) is None for name in ("fpdf", "uharfbuzz", LATIN, ARABIC)):
        raise MissingExtra("a PDF", "documents")
    from fpdf import FPDF

    class Numbered(FPDF):
        def footer(self) -> None:
            self.set_y(-MARGIN_MM + 4.0)
            self.set_font(size=SMALL_PT)
            self.cell(0.0, 5.0, str(self.page_no()), align="C")

    pdf = Numbered(format="A4")
    pdf.set_margin(MARGIN_MM)
    pdf.set_auto_page_break(True, MARGIN_MM)
    pdf.set_lang(language.value)
    pdf.set_creation_date(at)
    for family in (LATIN, ARABIC):
        pdf.add_font(family, "", str(files(family) / "files" / FONT_FILES[family]))
    first, second = (ARABIC, LATIN) if language.direction == "rtl" else (LATIN, ARABIC)
    pdf.set_fallback_fonts([second], exact_match=False)
    pdf.set_font(first, "", TEXT_PT)
    pdf.set_text_shaping(True, direction=language.direction)
    return pdf


class _Pen:
    """Draws on the page that is open, in one language and its direction."""

    def __init__(self, pdf: FPDF, language: Language) -> None:
        self.pdf = pdf
        self.colon = say(language, "mark.colon").rstrip()
        self.rtl = language.direction == "rtl"
        self.align = "R" if self.rtl else "L"
        self.known = frozenset().union(*(font.cmap for font in pdf.fonts.values()))  # type: ignore[union-attr]
        self.missing: set[str] = set()

    def draw(self, document: Document) -> None:
        title = self.drawable(plain(document.title, self.rtl))
        if self.pdf.page_no() == 1:
            self.pdf.set_title(_without_isolates(title))
        self.paragraph(title, TITLE_PT)
        self.pdf.ln(GAP_MM)
        for banner in document.banners:
            self.paragraph(plain(banner, self.rtl), TEXT_PT, border=1)
            self.pdf.ln(GAP_MM)
        self.lines(document.lines)
        for table in document.tables:
            self.pdf.ln(GAP_MM)
            self.table(table)
        for note in document.notes:
            self.pdf.ln(GAP_MM)
            self.paragraph(plain(note, self.rtl), SMALL_PT)

    def paragraph(self, text: str, size_pt: float, border: int = 0) -> None:
        if self.pdf.page_no() > PAGES_MAX:
            raise LimitExceeded(f"the document has more than {PAGES_MAX} pages: take HTML or text")
        self.pdf.set_font(size=size_pt)
        self.pdf.multi_cell(
            0.0, size_pt * LEADING * MM_OF_PT, self.drawable(text), align=self.align, border=border,  # type: ignore[arg-type]
            new_x="LMARGIN", new_y="NEXT", padding=1 if border else 0,
        )  # fmt: skip
        self.pdf.set_font(size=TEXT_PT)

    def own_direction(self, text: str) -> None:
        """A paragraph of what a party wrote: its direction is that of its first letter (UAX #9, P2 and P3)."""
        kinds = map(unicodedata.bidirectional, text)
        strong = next((kind for kind in kinds if kind in ("L", "R", "AL")), "R" if self.rtl else "L")
        rtl, align = strong != "L", self.align
        self.pdf.set_text_shaping(True, direction="rtl" if rtl else "ltr")
        self.align = "R" if rtl else "L"
        self.paragraph(text, TEXT_PT)
        self.align = align
        self.pdf.set_text_shaping(True, direction="rtl" if self.rtl else "ltr")

    def lines(self, lines: Collection[Line]) -> None:
        """Labels and values in two columns; what is long stands under its label in the page's whole width."""
        short: list[tuple[str, str]] = []
        for line in lines:
            value = plain(line.parts, self.rtl)
            if len(value) <= CELL_CHARACTERS_MAX and "\n" not in value:
                short.append((f"{line.label}{self.colon}", value))
                continue
            self.columns(short)
            short = []
            self.paragraph(f"{line.label}{self.colon}", TEXT_PT)
            for part in line.parts:
                for row in (part if isinstance(part, str) else part.text).split("\n"):
                    self.own_direction(row or " ")
            self.pdf.ln(GAP_MM)
        self.columns(short)

    def columns(self, rows: Collection[tuple[str, str]]) -> None:
        if not rows:
            return
        widths = (LABEL_MM, self.pdf.epw - LABEL_MM)
        with self.pdf.table(
            borders_layout="NONE", first_row_as_headings=False, col_widths=widths[::-1] if self.rtl else widths,
            text_align=self.align, line_height=TEXT_PT * LEADING * MM_OF_PT, v_align="TOP",
        ) as table:  # fmt: skip
            for row in rows:
                cells = [self.drawable(cell) for cell in row]
                table.row(cells[::-1] if self.rtl else cells)

    def table(self, given: Table) -> None:
        """Columns share the width by what stands in them, so that an instant or a code is not broken without need."""
        from fpdf.fonts import FontFace

        self.pdf.set_font(size=CELL_PT)
        rows = [[self.cell(parts) for parts in row] for row in (tuple((head,) for head in given.heads), *given.rows)]
        wanted = self.widths(rows)
        with self.pdf.table(
            text_align=self.align, line_height=CELL_PT * LEADING * MM_OF_PT, padding=1.0, v_align="TOP",
            headings_style=FontFace(emphasis="", fill_color=230), col_widths=wanted[::-1] if self.rtl else wanted,
        ) as table:  # fmt: skip
            for cells in rows:
                table.row(cells[::-1] if self.rtl else cells)
        self.pdf.set_font(size=TEXT_PT)

    def widths(self, rows: Collection[Collection[str]]) -> list[float]:
        """Of each column, as much as its widest cell; what is too much is taken where words can still be parted."""
        natural, least = [], []
        for column in zip(*rows):
            whole = max(self.pdf.get_string_width(cell) for cell in column)
            words = (word for cell in column for word in cell.split())
            longest = max((self.pdf.get_string_width(word) for word in words), default=0.0)
            natural.append(max(min(whole, COLUMN_MM), longest) + CELL_MARGIN_MM)
            least.append(longest + CELL_MARGIN_MM)
        room = self.pdf.epw - sum(least)
        if room <= 0.0 or sum(natural) <= self.pdf.epw:
            return natural
        share = room / (sum(natural) - sum(least))
        return [few + share * (much - few) for few, much in zip(least, natural, strict=True)]

    def cell(self, parts: Collection[Part]) -> str:
        text = self.drawable(plain(parts, self.rtl))
        return text if len(text) <= CELL_CHARACTERS_MAX else f"{text[:CELL_CHARACTERS_MAX]}…"

    def drawable(self, text: str) -> str:
        """The text with every character that no font has as its code: an empty box would say nothing."""
        absent = {character for character in text if ord(character) not in self.known and character not in "\n\t"}
        self.missing |= absent
        return "".join(f"[U+{ord(c):04X}]" if c in absent else c for c in text)


def _without_isolates(text: str) -> str:
    return text.translate(dict.fromkeys(map(ord, "\u2066\u2067\u2068\u2069")))
