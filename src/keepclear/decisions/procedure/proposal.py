"""A proposal as it was tabled: its texts, body and rule, before anything happens to it."""

from __future__ import annotations

from dataclasses import dataclass

from keepclear.decisions.acts import Amend, Table, text_hash
from keepclear.decisions.procedure.docket import Docket, Filed, origin
from keepclear.decisions.procedure.status import Text, Void, day_of
from keepclear.decisions.rules.body import Body
from keepclear.decisions.rules.rule import Rule
from keepclear.decisions.vocabulary import VoidReason
from keepclear.errors import InputError, UsageError

__all__ = ["Proposal", "read_proposal", "tabled"]


@dataclass(frozen=True, slots=True)
class Proposal:
    number: str
    tabled: Filed
    table: Table
    body: Body | None
    rule: Rule | None
    texts: dict[tuple[int, str], Text]
    """by version and hash: two parties may have written a version each"""
    disputed: frozenset[tuple[int, str]]
    """texts that stand only where a log has two histories: before the members if circulated, by their hash"""
    void: tuple[Void, ...]
    fault: str
    """why it cannot be decided at all; empty: it can"""

    @property
    def secretary(self) -> str | None:
        return self.body.secretary if self.body else None

    @property
    def newest(self) -> Text:
        """The highest version; of two, that of whoever tabled the proposal. No disputed one."""
        known = (text for key, text in self.texts.items() if key not in self.disputed)
        return max(known, key=lambda t: (t.version, t.filed.party == self.tabled.party, t.hash))


def tabled(docket: Docket, number: str) -> Filed:
    """The act that tabled it: the first of that number in the log of the party that the number names.

    Raises :class:`UsageError` where it is not here.
    """
    for filed in docket.about(number):
        if isinstance(filed.act, Table) and filed.party == origin(number):
            return filed
    raise UsageError(f"no proposal {number[:80]} was tabled in the logs that are here")


def read_proposal(docket: Docket, number: str) -> Proposal:
    """Raises :class:`UsageError` where it is not here."""
    filed = tabled(docket, number)
    table = filed.act
    assert isinstance(table, Table)
    body, rule, fault = None, None, ""
    try:
        body = docket.body(table.body)
        rule = body.rule(table.rule)
        fault = _fault(docket, filed, table, body)
    except (InputError, UsageError) as error:
        fault = str(error)
    texts, void = _read_texts(docket, filed, body.secretary if body else None)
    disputed = frozenset(
        key for key, text in texts.items()
        if text.filed is not filed and docket.forked(text.filed.party, text.filed.seq)
    )  # fmt: skip
    return Proposal(number, filed, table, body, rule, texts, disputed, tuple(void), fault)


def _fault(docket: Docket, filed: Filed, table: Table, body: Body) -> str:
    if body.secretary is None:
        return f"{body.id} names no secretary, whose log would say what came in when"
    if body.secretary not in docket.accepted(table.body):
        return f"{body.secretary}, the secretary, has not accepted the body"
    on = day_of(filed.clock_ms)
    if filed.party != body.secretary and not any(filed.party in m.represented(on) for m in body.members if m.holds(on)):
        return f"{filed.party} represents no member of {body.id} on {on}, and may not table"
    return ""


def _read_texts(docket: Docket, first: Filed, secretary: str | None) -> tuple[dict[tuple[int, str], Text], list[Void]]:
    """By whoever tabled it, or by the secretary. Which of them is before the members is for the secretary to say."""
    texts: dict[tuple[int, str], Text] = {}
    void: list[Void] = []
    assert isinstance(first.act, Table)
    for filed in (first, *docket.about(first.act.proposal)):
        act = filed.act
        if not isinstance(act, Table | Amend) or (filed is first and texts):
            continue
        entitled = filed is first or (isinstance(act, Amend) and filed.party in (first.party, secretary))
        version = act.version if isinstance(act, Amend) else 1
        if not entitled or (version == 1 and filed is not first):
            void.append(Void(filed, "", VoidReason.NOT_ENTITLED, "it is not its text to change"))
            continue
        digest = text_hash(act.title, act.text, act.language)
        before = texts.get((version, digest))
        if before is None or docket.forked(before.filed.party, before.filed.seq):
            texts[version, digest] = Text(version, act.title, act.text, act.language, digest, filed)
    return texts, void
