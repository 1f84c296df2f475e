"""XML as a small bounded tree that knows its lines: no document types, no entities, no outside references.

Names are kept without their namespace prefix, since the files in use declare three different ones for the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.sax import SAXException, SAXParseException
from xml.sax.handler import ContentHandler

from keepclear.errors import InputError, LimitExceeded

__all__ = ["MAX_DOCUMENT_BYTES", "Element", "parse_xml"]

MAX_DOCUMENT_BYTES = 64 * 1024 * 1024
"""The largest published zone files have some 20 MB."""
MAX_DEPTH = 64
"""Folders in folders, then a MultiGeometry: real files stay under 20."""
MAX_ELEMENTS = 2_000_000
"""Some 500 bytes each in memory; 20 MB of KML have some 300,000."""


@dataclass(slots=True)
class Element:
    """One element; ``text`` is all of its own character data."""

    name: str
    line: int
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def child(self, name: str) -> Element | None:
        return next((child for child in self.children if child.name == name), None)

    def all(self, name: str) -> Iterator[Element]:
        return (child for child in self.children if child.name == name)

    def word(self, name: str) -> str:
        """The text of the child of this name, stripped; empty where there is none."""
        child = self.child(name)
        return child.text.strip() if child is not None else ""


class _Builder(ContentHandler):
    def __init__(self, source: str) -> None:
        super().__init__()
        self.source = source
        self.root: Element | None = None
        self.open: list[Element] = []
        self.parts: list[list[str]] = []
        self.count = 0
        self.locator: Any = None

    def setDocumentLocator(self, locator: Any) -> None:  # noqa: N802
        self.locator = locator

    def startElement(self, name: str, attrs: Any) -> None:  # noqa: N802
        self.count += 1
        line = int(self.locator.getLineNumber() or 0)
        if self.count > MAX_ELEMENTS or len(self.open) >= MAX_DEPTH:
            what = (
                f"nests more than {MAX_DEPTH} deep" if len(self.open) >= MAX_DEPTH else f"has {self.count:,} elements"
            )
            raise LimitExceeded(f"the XML {what}", where=f"line {line}", source=self.source)
        element = Element(
            name.rpartition(":")[2], line, {key.rpartition(":")[2]: value for key, value in attrs.items()}
        )
        if self.open:
            self.open[-1].children.append(element)
        else:
            self.root = element
        self.open.append(element)
        self.parts.append([])

    def characters(self, content: str) -> None:
        self.parts[-1].append(content)

    def endElement(self, name: str) -> None:  # noqa: N802
        self.open.pop().text = "".join(self.parts.pop())


def parse_xml(data: bytes, *, source: str = "") -> Element:
    """The root element; raises :class:`InputError` for anything not well formed, or with a document type."""
    from defusedxml.common import DefusedXmlException
    from defusedxml.sax import parseString

    if len(data) > MAX_DOCUMENT_BYTES:
        raise LimitExceeded(f"the file has {len(data):,} bytes, more than {MAX_DOCUMENT_BYTES:,}", source=source)
    builder = _Builder(source)
    try:
        parseString(data, builder, forbid_dtd=True)
    except SAXParseException as error:
        where = f"line {error.getLineNumber()}"
        raise InputError(f"this is not XML ({error.getMessage()})", where=where, source=source) from None
    except DefusedXmlException:
        raise InputError("the XML has a document type or entities, which zone files need not", source=source) from None
    except (SAXException, ValueError, LookupError) as error:
        raise InputError(f"this is not XML ({error})", source=source) from None
    if builder.root is None:
        raise InputError("this is not XML: there is no element", source=source)
    return builder.root
