"""The phrases in five languages, from gettext catalogues that translators' tools read and write.

The ``.po`` files are read as they are: nothing is compiled that could be older than its source. Babel reads them and
knows plurals and dates (CLDR); it is imported on first use.
"""

from __future__ import annotations

import gettext
import io
import string
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from importlib.resources import files

from keepclear.errors import UsageError
from keepclear.messages.phrases import PHRASES, PLURALS

__all__ = ["Language", "catalogue_bytes", "count", "pieces", "say"]


class Language(StrEnum):
    """Those in which everything fixed can be shown. Free texts may be in any language."""

    ENGLISH = "en"
    FRENCH = "fr"
    UKRAINIAN = "uk"
    RUSSIAN = "ru"
    ARABIC = "ar"

    @property
    def direction(self) -> str:
        """``rtl`` or ``ltr``, as HTML calls them."""
        return "rtl" if self is Language.ARABIC else "ltr"

    @staticmethod
    def of(tag: str) -> Language:
        """Of «fr», «fr-CA» and the like; raises :class:`UsageError` for a language that is not here."""
        try:
            return Language(tag.partition("-")[0].lower())
        except ValueError:
            known = ", ".join(Language)
            raise UsageError(f"there is no catalogue for the language {tag[:20]!r}; there are {known}") from None


def say(language: Language, key: str) -> str:
    """The phrase, its placeholders as they are. Raises ``KeyError`` for a key that is none."""
    english = PHRASES[key]
    return english if language is Language.ENGLISH else _translations(language).pgettext(key, english)


def pieces(language: Language, key: str) -> Iterator[tuple[str, str]]:
    """The phrase as (text, name of the placeholder after it or ``""``), in the language's own order."""
    for text, name, _, _ in string.Formatter().parse(say(language, key)):
        yield text, name or ""


def count(language: Language, key: str, number: int) -> str:
    """The phrase for a number of things, in the form that the language has for it (CLDR plural rules)."""
    one, other = PLURALS[key]
    if language is Language.ENGLISH:
        form = one if number == 1 else other
    else:
        form = _translations(language).npgettext(key, one, other, number)
    return form.replace("{count}", str(number))


def catalogue_bytes(language: Language) -> bytes:
    """The catalogue's file."""
    return (files("keepclear.messages") / "catalogues" / f"{language.value}.po").read_bytes()


@cache
def _translations(language: Language) -> gettext.GNUTranslations:
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(catalogue_bytes(language)), abort_invalid=True))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
