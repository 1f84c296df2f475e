"""The voting sheet: who said what to a text, when the secretary had it, what did not count and why, and the outcome."""

from __future__ import annotations

from collections.abc import Iterable

from keepclear.decisions.acts import Position
from keepclear.decisions.documents.text import add_rule, translated_note
from keepclear.decisions.procedure.status import Contradiction, Counted, Round, Status, Void
from keepclear.decisions.rules.body import Body
from keepclear.decisions.rules.tally import Check, Tally
from keepclear.decisions.vocabulary import Effect, Under
from keepclear.messages.catalogue import Language, say
from keepclear.messages.document import Document, Part, Quote, Table, Value
from keepclear.messages.message_lines import Lines
from keepclear.messages.wording import codes, joined, sentence, word
from keepclear.quantities import format_instant

__all__ = ["describe_sheet"]

Cell = tuple[Part, ...]


def describe_sheet(found: Status, language: Language) -> Document:
    """Of the last circulation; earlier ones, which failed, stand in the table of rounds."""
    lines = Lines(language)
    if found.effect is Effect.ADVISORY:
        lines.banners.append(sentence(language, "banner.advisory"))
    body, current = found.body, found.round
    if body is not None:
        lines.add("label.body", Quote(body.name), " ", Value(f"[{body.id}]"))
    lines.add("label.proposal", Value(found.proposal))
    lines.add("label.text_version", Value(str(found.version)))
    lines.add("label.text_hash", Value(found.text_hash))
    if found.rule is not None:
        add_rule(lines, found.rule)
    lines.add("label.decision", *word(language, "decision", found.state))
    tables: list[Table] = []
    if current is not None:
        _add_round(lines, current, found)
        if current.tally is not None:
            tables.append(_conditions(current.tally, language))
        tables.append(_positions(current, found, language))
        if len(found.rounds) > 1:
            tables.append(_rounds(found, language))
    if found.void:
        tables.append(_void(found.void, found.body, language))
    _add_notes(lines, found)
    title = (say(language, "title.voting_sheet"), say(language, "mark.colon"), Quote(found.title))
    return Document(language, title, tuple(lines.banners), tuple(lines.lines), tuple(lines.notes), tuple(tables))


def _add_round(lines: Lines, current: Round, found: Status) -> None:
    language = lines.language
    lines.add("label.under", *word(language, "under", current.under))
    lines.add("label.ballot", *word(language, "ballot", current.ballot))
    lines.add_instant("label.opened", current.opened_ms)
    lines.add_instant("label.closes", current.closes_ms)
    if found.outcome is not None:
        lines.add("label.outcome", *word(language, "outcome", found.outcome))
    if current.tally is not None and current.tally.objectors:
        names = ((_name(found.body, member),) for member in current.tally.objectors)
        lines.add("label.objectors", *joined(language, names))
    bound = [(_name(found.body, one.member),) for one in found.bound if one.bound]
    if bound:
        lines.add("label.bound", *joined(language, bound))
    if current.under is Under.SILENCE:
        lines.notes.append(sentence(language, "banner.silence_rule"))
    lines.notes.append(sentence(language, "banner.exact_second"))


def _add_notes(lines: Lines, found: Status) -> None:
    language = lines.language
    if found.contradictions:
        names = joined(language, ((_name(found.body, one.member),) for one in found.contradictions))
        lines.banners.append(sentence(language, "banner.contradictory", members=names))
    for statement in found.statements:
        version: Cell = (say(language, "label.version"), " ", Value(str(statement.version)))
        earlier = (say(language, "mark.comma"), *version) if statement.version != found.version else ()
        lines.add("label.statement", _name(found.body, statement.member), *earlier, say(language, "mark.colon"),
                  Quote(statement.text, statement.language))  # fmt: skip
    if found.statements:
        lines.notes.append(sentence(language, "banner.statement"))
    lines.notes.append(sentence(language, "banner.recompute"))
    translated_note(lines)


def _conditions(tally: Tally, language: Language) -> Table:
    heads = tuple(say(language, key) for key in ("label.check", "label.have", "label.of", "label.needed", "label.met"))
    return Table(heads, tuple(_condition(check, language) for check in tally.checks))


def _condition(check: Check, language: Language) -> tuple[Cell, ...]:
    most: Cell = (say(language, "word.at_most"), " ") if check.at_most else ()
    met: Cell = (say(language, "word.yes" if check.met else "word.no"),)
    if check.deemed:
        met = (*met, say(language, "mark.semicolon"), say(language, "word.deemed"))
    numbers = ((Value(f"{number:,}"),) for number in (check.have, check.of))
    return (word(language, "condition", check.condition), *numbers, (*most, Value(f"{check.needed:,}")), met)


def _positions(current: Round, found: Status, language: Language) -> Table:
    """Every member that takes part has a row, also where nothing came of it."""
    heads = tuple(
        say(language, key)
        for key in ("label.member", "label.position_taken", "label.represented_by", "label.registered")
    )
    counted = {one.member: one for one in current.counted}
    contradictory = {one.member: one for one in current.contradictions}
    rows = []
    for member in current.members:
        if member in contradictory:
            row = _contradictory(contradictory[member], language)
        elif member in counted:
            row = _counted(counted[member], language)
        else:
            row = ((say(language, _quiet(current, member)),), (), ())
        rows.append(((_name(found.body, member),), *row))
    return Table(heads, tuple(rows))


def _quiet(current: Round, member: str) -> str:
    if current.under is Under.VOTE:
        return "word.not_cast"
    return "word.silent" if member in current.delivered else "word.unreached"


def _counted(one: Counted, language: Language) -> tuple[Cell, ...]:
    party = (Value(one.reference.party),) if one.reference else ()
    return word(language, "stance", one.stance), party, (Value(format_instant(one.received_ms / 1000.0)),)


def _contradictory(one: Contradiction, language: Language) -> tuple[Cell, ...]:
    stances = joined(language, (word(language, "stance", stance) for stance in one.stances))
    said: Cell = (say(language, "word.contradictory"), say(language, "mark.colon"), *stances)
    places = codes(language, (f"{ref.party} {ref.seq}" for ref in one.references))
    return said, places, ()


def _void(found: Iterable[Void], body: Body | None, language: Language) -> Table:
    heads = tuple(
        say(language, key) for key in ("label.member", "label.position_taken", "label.log", "label.not_counted")
    )
    rows = []
    for one in found:
        act = one.filed.act
        stance = word(language, "stance", act.stance) if isinstance(act, Position) and act.stance else ()
        who: Cell = (_name(body, one.member),) if one.member else ()
        rows.append((who, stance, (Value(f"{one.filed.party} {one.filed.seq}"),), word(language, "void", one.reason)))
    return Table(heads, tuple(rows))


def _rounds(found: Status, language: Language) -> Table:
    """Every circulation, with those who kept it from being adopted: a record of what failed names them."""
    heads = tuple(
        say(language, key)
        for key in ("label.text_version", "label.under", "label.closes", "label.decision", "label.objectors")
    )
    rows = []
    for one in found.rounds:
        against = one.broken_by or (one.tally.objectors if one.tally else ())
        rows.append((
            (Value(str(one.version)),), word(language, "under", one.under),
            (Value(format_instant(one.closes_ms / 1000.0)),), word(language, "decision", one.state),
            joined(language, ((_name(found.body, member),) for member in against)),
        ))  # fmt: skip
    return Table(heads, tuple(rows))


def _name(body: Body | None, member_id: str) -> Quote:
    """By name; the newest, where it had several."""
    names = [one.name for one in body.members if one.id == member_id and one.name] if body else []
    return Quote(names[-1] if names else member_id)
