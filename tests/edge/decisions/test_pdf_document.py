"""Documents as PDF: every language's words are there and drawn, and what no font has is said and not an empty box."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import pypdfium2
import pytest

from keepclear.edge.decisions import pdf_document
from keepclear.edge.decisions.pdf_document import write_pdf
from keepclear.errors import LimitExceeded, MissingExtra
from keepclear.messages.catalogue import Language, say
from keepclear.messages.document import Document, Line, Quote, Table, Value
from keepclear.messages.phrases import PHRASES

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)


def document(language: Language, text: str = "North agrees.\nSouth agrees.", rows: int = 3) -> Document:
    title = (say(language, "title.voting_sheet"), say(language, "mark.colon"), Quote("Corridor"))
    lines = (
        Line(say(language, "label.closes"), (Value("[2026-05-01T12:00:00Z]"),)),
        Line(say(language, "label.original"), (Quote(text),)),
    )
    stance = (say(language, "stance.FOR"), " ", Value("[FOR]"))
    table = Table(
        (say(language, "label.member"), say(language, "label.position_taken")),
        tuple(((Quote(f"Member {number}"),), stance) for number in range(rows)),
    )
    banner = (say(language, "banner.exact_second"),)
    return Document(language, title, (banner,), lines, ((say(language, "banner.recompute"),),), (table,))


def pages_of(data: bytes) -> list[str]:
    opened = pypdfium2.PdfDocument(data)
    return [page.get_textpage().get_text_bounded() for page in opened]


@pytest.mark.parametrize("language", list(Language))
def test_a_page_in_every_language_has_its_words_drawn_and_not_as_boxes(language: Language) -> None:
    [text] = pages_of(write_pdf([document(language)], language, AT))
    assert all(latin in text for latin in ("Corridor", "Member 2", "[FOR]"))
    if language.direction == "ltr":
        words = f"{say(language, 'title.voting_sheet')} {say(language, 'label.member')} {say(language, 'stance.FOR')}"
        assert all(word in text.replace("\r\n", " ") for word in words.split())
        assert "[2026-05-01T12:00:00Z]" in text
    else:  # a reader of the file gets the letters back one by one, so only that they are there is held here
        assert sum("\u0600" <= character <= "\u06ff" for character in text) > 150


def test_arabic_letters_are_joined_and_lines_begin_at_the_right() -> None:
    pdf = pdf_document._blank(Language.ARABIC, AT)
    word = "مجلس"
    alone = sum(pdf.get_string_width(letter) for letter in word)
    assert pdf.get_string_width(word) < 0.95 * alone, "joined letters are narrower than letters that stand alone"
    for font in pdf.fonts.values():
        font.close()  # type: ignore[union-attr]
    page = pypdfium2.PdfDocument(write_pdf([document(Language.ARABIC)], Language.ARABIC, AT))[0]
    ink = page.render(scale=1.0, grayscale=True).to_numpy() < 128
    columns = ink[45:78].any(axis=0).nonzero()[0]  # the title
    assert columns.max() > 0.88 * ink.shape[1]
    assert columns.min() > 0.5 * ink.shape[1]


def test_every_fixed_phrase_can_be_drawn() -> None:
    pdf = pdf_document._blank(Language.ARABIC, AT)
    known = set().union(*(font.cmap for font in pdf.fonts.values()))  # type: ignore[union-attr]
    for font in pdf.fonts.values():
        font.close()  # type: ignore[union-attr]
    texts = "".join(say(language, key) for language in Language for key in PHRASES)
    assert {character for character in texts if ord(character) not in known} == set()


def test_what_no_font_has_is_given_as_its_code_and_said() -> None:
    pages = pages_of(write_pdf([document(Language.ENGLISH, "会 agrees.\nSouth too.")], Language.ENGLISH, AT))
    assert "[U+4F1A] agrees." in pages[0]
    assert "Not in the fonts of this file, given as codes: U+4F1A" in pages[-1]


def test_a_long_text_and_a_body_of_193_run_over_pages_and_stay_whole() -> None:
    text = "\n".join(f"Paragraph {number} of the text." for number in range(200))
    pages = pages_of(write_pdf([document(Language.FRENCH, text, rows=193)], Language.FRENCH, AT))
    whole = "\n".join(pages)
    assert len(pages) > 5
    assert all(f"Paragraph {number} of" in whole for number in range(200))
    assert all(f"Member {number}" in whole for number in range(193))


def test_an_instant_is_not_broken_where_names_can_be() -> None:
    heads = ("Member", "Position", "Taken by the party", "Received by the secretary")
    name = Quote("United Kingdom of Great Britain and Northern Ireland")
    row = (
        (name,),
        ("abstention, with a formal declaration",),
        (Value("gb, ie"),),
        (Value("2026-01-02T14:00:00.001Z"),),
    )
    wide = Document(Language.ENGLISH, ("Sheet",), (), (), (), (Table(heads, (row,)),))
    [text] = pages_of(write_pdf([wide], Language.ENGLISH, AT))
    assert "2026-01-02T14:00:00.001Z" in text


def test_the_same_document_gives_the_same_bytes() -> None:
    once, again = (write_pdf([document(Language.UKRAINIAN)], Language.UKRAINIAN, AT) for _ in range(2))
    assert once == again


def test_a_document_beyond_every_measure_and_a_missing_library_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_document, "PAGES_MAX", 2)
    with pytest.raises(LimitExceeded, match="more than 2 pages"):
        write_pdf([document(Language.ENGLISH, "\n".join(["line"] * 400))], Language.ENGLISH, AT)
    monkeypatch.setattr(pdf_document, "find_spec", cache(lambda name: None))
    with pytest.raises(MissingExtra, match=r"keepclear\[documents\]"):
        write_pdf([], Language.ENGLISH, AT)
