"""The typed errors: one shallow tree. Each message is one line: what, where, and how to mend it."""

from __future__ import annotations

__all__ = ["InputError", "KeepclearError", "LimitExceeded", "MissingExtra", "UsageError"]


class KeepclearError(Exception):
    """Anything that Keepclear refuses on purpose. Whatever else escapes is a defect."""


class InputError(KeepclearError):
    """Bytes that are not what they claim to be.

    ``where`` names the place as the reader would look for it: ``line 12``, ``features[3].geometry``,
    ``byte 4096``. ``source`` is the file or feed; the edge fills it in, because a parser knows no file.
    """

    def __init__(self, message: str, *, where: str = "", source: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.source = source

    def __str__(self) -> str:
        place = ", ".join(part for part in (self.source, self.where) if part)
        return f"{place}: {self.message}" if place else self.message


class LimitExceeded(InputError):
    """Input larger than a stated limit. The message names the limit."""


class MissingExtra(KeepclearError):
    """A format whose library is an optional extra that is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs an optional part: pip install 'keepclear[{extra}]'")
        self.what = what
        self.extra = extra


class UsageError(KeepclearError):
    """A call that cannot be carried out as it was put."""
