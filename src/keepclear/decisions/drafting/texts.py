"""What is checked before a body is constituted, and before a text is brought before it or ended there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from keepclear.decisions import acts
from keepclear.decisions.drafting.writer import Writer, members_of, not_ended, open_round, this_text
from keepclear.decisions.procedure.docket import origin
from keepclear.decisions.procedure.duties import spoken
from keepclear.decisions.procedure.opening import way_of
from keepclear.decisions.procedure.status import day_of
from keepclear.decisions.rules.body import body_hash
from keepclear.decisions.vocabulary import State
from keepclear.errors import InputError
from keepclear.quantities import format_instant

__all__ = ["CHECKS"]


def _constitute(act: acts.Constitute, writer: Writer) -> None:
    body = act.body
    if body.secretary is None:
        raise InputError("a body on a channel needs a secretary: the party whose log says when something came in")
    named = {body.secretary} | {one.party for member in body.members for one in member.represented_by}
    strange = sorted(named - set(writer.parties))
    if strange:
        raise InputError(f"{', '.join(strange)} is no party of this channel; there are: {', '.join(writer.parties)}")
    if not any(member.represented_by for member in body.members):
        raise InputError("no member is represented by a party: nobody could take a position")
    if body_hash(body) in writer.docket.bodies():
        raise InputError(f"exactly this body is on the channel already: {body_hash(body)[:16]}…")


def _accept(act: acts.Accept, writer: Writer) -> None:
    writer.body(act.body)
    if writer.party in writer.docket.accepted(act.body):
        raise InputError("we have accepted it already")


def _table(act: acts.Table, writer: Writer) -> None:
    body = writer.body(act.body)
    rule = body.rule(act.rule)
    if body.secretary != writer.party and not members_of(body, writer.party, writer.now_ms):
        raise InputError(f"{writer.party} speaks for no member of {body.id} today, and so cannot table a text there")
    if body.secretary is None or body.secretary not in writer.docket.accepted(act.body):
        raise InputError(f"the secretary, {body.secretary or 'nobody'}, has not accepted the body yet")
    writer.future(act.expires_ms, "expires")
    if len(act.excluded) > rule.excluded_max:
        raise InputError(f"the rule {rule.id} leaves out {rule.excluded_max} members at most", where="excluded")
    body.electorate(day_of(writer.now_ms), act.excluded)
    for number in (*act.revokes, *((act.key_of,) if act.key_of else ())):
        writer.status(number)
    if act.key_of and writer.status(act.key_of).text_hash != acts.text_hash(act.title, act.text, act.language):
        raise InputError(f"its text is not that of {act.key_of}: both bodies decide on one text", where="key_of")


def _amend(act: acts.Amend, writer: Writer) -> None:
    found = writer.status(act.proposal)
    not_ended(found, writer)
    if writer.party not in (origin(act.proposal), found.body.secretary if found.body else None):
        raise InputError(f"only who tabled {act.proposal}, or the secretary, can table another text; say AMEND instead")
    if acts.text_hash(act.title, act.text, act.language) == found.text_hash:
        raise InputError("this is the text that stands already, byte for byte", where="text")


def _circulate(act: acts.Circulate, writer: Writer) -> None:
    found = writer.status(act.proposal)
    writer.secretary(found.body)
    not_ended(found, writer)
    this_text(found, act.version, act.text_hash)
    writer.future(act.closes_ms, "closes")
    if found.state.open:
        raise InputError(f"{act.proposal} is with the members already: extend it, or table another text")
    last, rule = found.round, found.rule
    if last is not None and act.version <= last.version and last.state is not State.LAPSED:
        raise InputError(f"version {act.version} was decided ({last.state.value}): amend the text first")
    if rule is None:
        raise InputError(f"{act.proposal} names a rule that its body has not")
    if act.under is not way_of(rule):
        raise InputError(f"the rule {rule.id} is for {way_of(rule).value}, not for {act.under.value}", where="under")
    if act.closes_ms - writer.now_ms < rule.silence_min_s * 1_000:
        raise InputError(f"the rule {rule.id} asks for {rule.silence_min_s / 3_600:g} hours at least", where="closes")


def _extend(act: acts.Extend, writer: Writer) -> None:
    found = writer.status(act.proposal)
    writer.secretary(found.body)
    writer.future(act.closes_ms, "closes")
    current = open_round(found, writer)
    if act.closes_ms == current.closes_ms:
        raise InputError("the deadline is that already", where="closes")
    if act.closes_ms < current.first_closes_ms:
        first = format_instant(current.first_closes_ms / 1000.0)
        raise InputError(f"members rely on what was first announced, {first}: not before that", where="closes")
    if current.open_by_ms is not None and act.closes_ms >= current.open_by_ms:
        raise InputError("the ballot would be opened before it is closed", where="closes")


def _close(act: acts.Close, writer: Writer) -> None:
    found = writer.status(act.proposal)
    writer.secretary(found.body)
    last = found.round
    if last is None:
        raise InputError(f"{act.proposal} was not put to the members yet")
    if last.closed is not None:
        raise InputError(f"{act.proposal} is closed already: {last.closed.outcome.value}")
    everybody = spoken(last) >= set(last.members)
    by_sheet = any(one.by_sheet for one in last.counted)
    if found.state.open and writer.now_ms <= last.closes_ms and not (last.broken_by or everybody or by_sheet):
        until = format_instant(last.closes_ms / 1000.0)
        raise InputError(f"members can still take positions until {until}; there is nothing to close yet")


def _withdraw(act: acts.Withdraw, writer: Writer) -> None:
    not_ended(writer.status(act.proposal), writer)
    if writer.party != origin(act.proposal):
        raise InputError(f"only {origin(act.proposal)}, who tabled it, can take it back")


def _move(act: acts.Move, writer: Writer) -> None:
    found = writer.status(act.proposal)
    writer.secretary(found.body)
    writer.body(act.to_body)
    if found.state in (State.ADOPTED, State.MOVED, State.WITHDRAWN):
        raise InputError(f"{act.proposal} is {found.state.value}: there is nothing to move")


CHECKS: Mapping[type, Callable[[Any, Writer], None]] = {
    acts.Constitute: _constitute,
    acts.Accept: _accept,
    acts.Table: _table,
    acts.Amend: _amend,
    acts.Circulate: _circulate,
    acts.Extend: _extend,
    acts.Close: _close,
    acts.Withdraw: _withdraw,
    acts.Move: _move,
}
