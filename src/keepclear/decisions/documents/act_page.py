"""One act on its page: a line of facts, each with its label, and the words beneath."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from keepclear.channel.entry import Entry
from keepclear.decisions.rules.body import Body
from keepclear.messages.catalogue import Language, say
from keepclear.messages.document import Line, Part, Quote, Value
from keepclear.messages.message_lines import Lines
from keepclear.messages.wording import instant, joined

__all__ = ["ActPage", "Parts"]

HASH_SHOWN = 16
"""Characters of a hash, as people compare them; the entry has it whole."""

Parts = tuple[Part, ...]


@dataclass(slots=True)
class ActPage:
    lines: Lines
    bodies: dict[str, Body]
    body: Body | None
    """that decides, where it is known"""
    facts: list[tuple[str, Parts]] = field(default_factory=list)

    @property
    def language(self) -> Language:
        return self.lines.language

    def fact(self, key: str, *parts: Part) -> None:
        """Where there is something to say."""
        if parts:
            self.facts.append((key, parts))

    def written(self, entry: Entry) -> None:
        """Whose log has it, where in it, and when by its writer's clock."""
        place = Value(f"{entry.party} {entry.seq}")
        self.fact("label.log", place, say(self.language, "mark.semicolon"), *instant(self.language, entry.at_ms))

    def facts_first(self) -> None:
        """All of them in one line, under the label of the first."""
        (first, parts), *rest = self.facts
        semicolon, colon = say(self.language, "mark.semicolon"), say(self.language, "mark.colon")
        for key, more in rest:
            parts = (*parts, semicolon, say(self.language, key), colon, *more)
        self.lines.lines.insert(0, Line(say(self.language, first), parts))

    def title(self, key: str, *about: Part, said: Iterable[Part] = ()) -> Parts:
        said = tuple(said)
        return (say(self.language, key), say(self.language, "mark.colon"), *about, *((" – ", *said) if said else ()))

    def text(self, proposal: str, version: int) -> Parts:
        return (Value(proposal), say(self.language, "mark.comma"), say(self.language, "label.version"), " ",
                Value(str(version)))  # fmt: skip

    def hash(self, key: str, digest: str) -> None:
        self.fact(key, Value(f"{digest[:HASH_SHOWN]}…"))

    def instant(self, key: str, at_ms: int | None) -> None:
        if at_ms is not None:
            self.fact(key, *instant(self.language, at_ms))

    def names(self, key: str, ids: Iterable[str]) -> None:
        self.fact(key, *joined(self.language, ((self.member(one),) for one in ids)))

    def member(self, member_id: str) -> Part:
        """By name; the newest, where it had several."""
        names = [one.name for one in self.body.members if one.id == member_id and one.name] if self.body else []
        return Quote(names[-1]) if names else Value(member_id)

    def named(self, digest: str) -> Parts:
        """A body by its hash."""
        found = self.bodies.get(digest)
        return (Quote(found.name), " ", Value(f"[{found.id}]")) if found else (Value(f"{digest[:HASH_SHOWN]}…"),)
