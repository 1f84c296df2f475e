"""The bodies that come with Keepclear, by id: as data, with dated memberships and what is confirmed of them.

Their figures are for rehearsal and for reading history; who sets up a real body states its own members and parties.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from keepclear.decisions.rules.body import Body
from keepclear.decisions.rules.body_file import read_body
from keepclear.errors import InputError

__all__ = ["shipped_bodies", "shipped_body"]


@cache
def shipped_bodies() -> tuple[str, ...]:
    """Their ids, sorted."""
    folder = files("keepclear.decisions").joinpath("data/bodies")
    return tuple(sorted(f.name.removesuffix(".json") for f in folder.iterdir() if f.name.endswith(".json")))


@cache
def shipped_body(body_id: str) -> Body:
    """Read and checked once. Raises :class:`InputError` for a body that is not there."""
    if body_id not in shipped_bodies():
        known = ", ".join(shipped_bodies())
        raise InputError(f"no body called {body_id[:80]!r} comes with Keepclear; there are {known}", where="body")
    data = files("keepclear.decisions").joinpath(f"data/bodies/{body_id}.json").read_bytes()
    body = read_body(data)
    assert body.id == body_id, "a body is not called as its file"
    return body
