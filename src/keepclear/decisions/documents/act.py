"""The acts of a record as its transcript shows them: who did what, by whose log, and every word that was written.

A heading, a line with what the act rests on, then the texts as they stand. What the acts before it have declared (a
body's members and their names) is remembered; what came of it all is for the voting sheet to say.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from keepclear.channel.record.transcript import Spoken
from keepclear.decisions import acts
from keepclear.decisions.acts import AnyAct, decode_act
from keepclear.decisions.documents.act_page import ActPage
from keepclear.decisions.documents.act_words import write_act
from keepclear.decisions.rules.body import Body, body_hash
from keepclear.messages.catalogue import Language
from keepclear.messages.document import Document
from keepclear.messages.message_lines import Lines

__all__ = ["ActDescriber"]

BODIES_MAX, NUMBERS_MAX = 1_000, 10_000
"""Remembered; older bodies are named by their hashes, and their members by their ids."""


@dataclass(slots=True)
class ActDescriber:
    """For the entries of one record, in its order. Raises :class:`InputError` for what is no act."""

    _bodies: dict[str, Body] = field(default_factory=dict)
    _decides: dict[str, str] = field(default_factory=dict)
    """by the number of a proposal or a meeting, its body's hash"""

    def __call__(self, body: bytes, language: Language, spoken: Spoken) -> Document:
        act = decode_act(body)
        self._remember(act)
        page = ActPage(Lines(language), self._bodies, self._body_of(act))
        page.written(spoken.entry)
        title = write_act(page, act)
        page.facts_first()
        return Document(language, title, (), tuple(page.lines.lines), tuple(page.lines.notes))

    def _remember(self, act: AnyAct) -> None:
        if isinstance(act, acts.Constitute):
            self._bodies[body_hash(act.body)] = act.body
        elif isinstance(act, acts.Table | acts.Convene):
            self._decides.setdefault(_number(act), act.body)
        if len(self._bodies) > BODIES_MAX:
            del self._bodies[next(iter(self._bodies))]
        if len(self._decides) > NUMBERS_MAX:
            del self._decides[next(iter(self._decides))]

    def _body_of(self, act: AnyAct) -> Body | None:
        return self._bodies.get(self._decides.get(_number(act), ""))


def _number(act: AnyAct) -> str:
    names = ("proposal", "meeting", "application")
    return next((number for name in names if (number := getattr(act, name, None)) is not None), "")
