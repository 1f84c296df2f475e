"""Documents of decisions in a browser: nothing is cut, as wide as paper or a telephone, in any language."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from keepclear.decisions.documents.sheet import describe_sheet
from keepclear.decisions.documents.text import describe_text
from keepclear.messages.catalogue import Language
from keepclear.messages.document import page as page_of
from tests.decisions.documents.test_documents import voted

if TYPE_CHECKING:
    from playwright.sync_api import Page

INSIDE = """() => {
    const room = document.documentElement, boxes = [...document.querySelectorAll('.wide')];
    const cut = [...document.querySelectorAll('h2,dt,dd,p')].filter(e => e.scrollWidth > e.clientWidth + 1);
    return {over: room.scrollWidth - room.clientWidth, cut: cut.map(e => e.textContent),
            scrolled: boxes.every(b => getComputedStyle(b).overflowX === 'auto')};
}"""
AT_START = """() => {
    const [label, value] = ['dt', 'dd'].map(name => document.querySelector(name).getBoundingClientRect());
    return label.left < value.left;
}"""


@pytest.mark.parametrize("language", list(Language))
def test_sheets_and_texts_fit_and_read_from_where_the_language_begins(language: Language, page: Page) -> None:
    found = voted().status()
    page.set_content(page_of([describe_sheet(found, language), describe_text(found, language)], language, "P"))
    for width in (1_000, 360):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(INSIDE) == {"over": 0, "cut": [], "scrolled": True}
        if width == 1_000:
            assert page.evaluate(AT_START) == (language.direction == "ltr"), "labels stand where lines begin"
    lines = page.locator(".block").first.evaluate(
        "e => [getComputedStyle(e).unicodeBidi, e.innerText.split('\\n').length]"
    )
    assert lines == ["plaintext", 2], "each line of a party's text in its own direction"
