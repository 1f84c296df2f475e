"""What the rules refuse, by kind. Which HTTP code a kind has is the server's business."""

from __future__ import annotations

from enum import StrEnum

from keepclear.errors import KeepclearError

__all__ = ["Refusal", "RefusalKind"]


class RefusalKind(StrEnum):
    """Why a request is refused."""

    BAD_REQUEST = "BAD_REQUEST"
    """malformed, or against a rule whatever the state"""
    NOT_ALLOWED = "NOT_ALLOWED"
    """somebody else's entity, or a state that needs another role"""
    NOT_FOUND = "NOT_FOUND"
    CONFLICT = "CONFLICT"
    """the version or OVN is missing or stale, or the key does not prove knowledge of the airspace"""
    USS_DOWN = "USS_DOWN"
    """the manager is marked as Down (F3548-21, UssAvailabilityState)"""
    TOO_LARGE = "TOO_LARGE"
    """an area or a body beyond the limit"""
    TOO_MANY = "TOO_MANY"
    """a quota, a rate, or more waiting than the server takes"""


class Refusal(KeepclearError):
    """A request that the rules refuse; ``body`` goes along where a standard defines more than a message."""

    def __init__(self, kind: RefusalKind, message: str, body: object | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.body = body


def bad(message: str) -> Refusal:
    """A refusal that no state can mend."""
    return Refusal(RefusalKind.BAD_REQUEST, message)
