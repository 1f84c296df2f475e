"""What is checked before an act goes into the log: what everybody would call void is not written at all.

The procedure judges what stands in logs; this judges what is about to. It may refuse what would have counted by a
hair (a clock that is ahead), and lets nothing through that is certain not to.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from keepclear.decisions import acts
from keepclear.decisions.application import application
from keepclear.decisions.body import Body, body_hash
from keepclear.decisions.docket import Docket, origin
from keepclear.decisions.duties import spoken
from keepclear.decisions.opening import way_of
from keepclear.decisions.procedure import status
from keepclear.decisions.status import Round, Status, day_of
from keepclear.decisions.vocabulary import Ballot, Effect, Stage, State
from keepclear.errors import InputError
from keepclear.quantities import format_instant

__all__ = ["members_of", "verify_act"]

_BY_DECISION = frozenset({Stage.GRANTED, Stage.DEFERRED_WITH_CONDITIONS, Stage.REFUSED})
_TURNED_DOWN = frozenset({State.REJECTED, State.LAPSED, State.BROKEN, State.CONSULTATION})
_ENDED = frozenset({State.ADOPTED, State.REJECTED, State.LAPSED, State.MOVED, State.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class _Desk:
    """Who is about to write, when, and what it can read."""

    docket: Docket
    party: str
    parties: Collection[str]
    now_ms: int

    def status(self, proposal: str) -> Status:
        return status(self.docket, proposal)

    def secretary(self, body: Body | None) -> None:
        if body is None or body.secretary != self.party:
            who = body.secretary if body and body.secretary else "nobody"
            raise InputError(f"only the secretary can do this, which is {who}, not {self.party}")

    def future(self, at_ms: int | None, where: str) -> None:
        if at_ms is not None and at_ms <= self.now_ms:
            raise InputError(f"{format_instant(at_ms / 1000.0)} is in the past", where=where)

    def body(self, digest: str) -> Body:
        return self.docket.body(digest)


def members_of(body: Body, party: str, now_ms: int) -> tuple[str, ...]:
    """The members for which a party speaks today."""
    today = day_of(now_ms)
    return tuple(m.id for m in body.members if m.holds(today) and party in m.represented(today))


def verify_act(act: acts.AnyAct, docket: Docket, party: str, parties: Collection[str], now_ms: int) -> None:
    """Raises :class:`InputError` with one line where the act would be void."""
    _CHECKS[type(act)](act, _Desk(docket, party, parties, now_ms))


def _constitute(act: acts.Constitute, desk: _Desk) -> None:
    body = act.body
    if body.secretary is None:
        raise InputError("a body on a channel needs a secretary: the party whose log says when something came in")
    named = {body.secretary} | {one.party for member in body.members for one in member.represented_by}
    strange = sorted(named - set(desk.parties))
    if strange:
        raise InputError(f"{', '.join(strange)} is no party of this channel; there are: {', '.join(desk.parties)}")
    if not any(member.represented_by for member in body.members):
        raise InputError("no member is represented by a party: nobody could take a position")
    if body_hash(body) in desk.docket.bodies():
        raise InputError(f"exactly this body is on the channel already: {body_hash(body)[:16]}…")


def _accept(act: acts.Accept, desk: _Desk) -> None:
    desk.body(act.body)
    if desk.party in desk.docket.accepted(act.body):
        raise InputError("we have accepted it already")


def _table(act: acts.Table, desk: _Desk) -> None:
    body = desk.body(act.body)
    rule = body.rule(act.rule)
    if body.secretary != desk.party and not members_of(body, desk.party, desk.now_ms):
        raise InputError(f"{desk.party} speaks for no member of {body.id} today, and so cannot table a text there")
    if body.secretary is None or body.secretary not in desk.docket.accepted(act.body):
        raise InputError(f"the secretary, {body.secretary or 'nobody'}, has not accepted the body yet")
    desk.future(act.expires_ms, "expires")
    if len(act.excluded) > rule.excluded_max:
        raise InputError(f"the rule {rule.id} leaves out {rule.excluded_max} members at most", where="excluded")
    body.electorate(day_of(desk.now_ms), act.excluded)
    for number in (*act.revokes, *((act.key_of,) if act.key_of else ())):
        desk.status(number)
    if act.key_of and desk.status(act.key_of).text_hash != acts.text_hash(act.title, act.text, act.language):
        raise InputError(f"its text is not that of {act.key_of}: both bodies decide on one text", where="key_of")


def _amend(act: acts.Amend, desk: _Desk) -> None:
    found = desk.status(act.proposal)
    _not_ended(found)
    if desk.party not in (origin(act.proposal), found.body.secretary if found.body else None):
        raise InputError(f"only who tabled {act.proposal}, or the secretary, can table another text; say AMEND instead")
    if acts.text_hash(act.title, act.text, act.language) == found.text_hash:
        raise InputError("this is the text that stands already, byte for byte", where="text")


def _received(act: acts.Received, desk: _Desk) -> None:
    found = desk.status(act.proposal)
    _this_text(found, act.version, act.text_hash)
    _speaks(found, desk)


def _circulate(act: acts.Circulate, desk: _Desk) -> None:
    found = desk.status(act.proposal)
    desk.secretary(found.body)
    _not_ended(found)
    _this_text(found, act.version, act.text_hash)
    desk.future(act.closes_ms, "closes")
    if found.state.open:
        raise InputError(f"{act.proposal} is with the members already: extend it, or table another text")
    last, rule = found.round, found.rule
    if last is not None and act.version <= last.version and last.state is not State.LAPSED:
        raise InputError(f"version {act.version} was decided ({last.state.value}): amend the text first")
    if rule is None:
        raise InputError(f"{act.proposal} names a rule that its body has not")
    if act.under is not way_of(rule):
        raise InputError(f"the rule {rule.id} is for {way_of(rule).value}, not for {act.under.value}", where="under")
    if act.closes_ms - desk.now_ms < rule.silence_min_s * 1_000:
        raise InputError(f"the rule {rule.id} asks for {rule.silence_min_s / 3_600:g} hours at least", where="closes")


def _extend(act: acts.Extend, desk: _Desk) -> None:
    found = desk.status(act.proposal)
    desk.secretary(found.body)
    desk.future(act.closes_ms, "closes")
    current = _open_round(found, desk)
    if act.closes_ms == current.closes_ms:
        raise InputError("the deadline is that already", where="closes")
    if act.closes_ms < current.first_closes_ms:
        first = format_instant(current.first_closes_ms / 1000.0)
        raise InputError(f"members rely on what was first announced, {first}: not before that", where="closes")
    if current.open_by_ms is not None and act.closes_ms >= current.open_by_ms:
        raise InputError("the ballot would be opened before it is closed", where="closes")


def _position(act: acts.Position, desk: _Desk) -> None:
    found = desk.status(act.proposal)
    _this_text(found, act.version, act.text_hash)
    current = _open_round(found, desk)
    if current.ballot is Ballot.SECRET and act.stance is not None:
        raise InputError("the vote is secret: an open position would not count")
    _member(found, act.member, desk)


def _commit(act: acts.Commit, desk: _Desk) -> None:
    found = desk.status(act.proposal)
    current = _open_round(found, desk)
    if current.ballot is not Ballot.SECRET:
        raise InputError("the vote is open: a sealed position would not count")
    _member(found, act.member, desk)


def _open(act: acts.Open, desk: _Desk) -> None:
    found = desk.status(act.proposal)
    current = found.round
    if current is None or current.open_by_ms is None:
        raise InputError(f"{act.proposal} is in no secret vote")
    if desk.now_ms <= current.closes_ms:
        when = format_instant(current.closes_ms / 1000.0)
        raise InputError(f"opened before the deadline ({when}) it would not count: wait, so that all open together")
    if desk.now_ms > current.open_by_ms:
        raise InputError(f"it could be opened until {format_instant(current.open_by_ms / 1000.0)}, which has passed")
    _member(found, act.member, desk)


def _register(act: acts.Register, desk: _Desk) -> None:
    desk.secretary(desk.status(act.proposal).body)


def _sheet(act: acts.Sheet, desk: _Desk) -> None:
    found = desk.status(act.proposal)
    desk.secretary(found.body)
    _this_text(found, act.version, act.text_hash)
    current = _open_round(found, desk)
    strange = sorted(set(act.roll) - set(current.members))
    if strange:
        raise InputError(f"{strange[0]} takes no part in this decision", where="roll")
    if act.counts:
        said = act.counts.in_favour + act.counts.against + act.counts.abstaining
        if said > len(current.members):
            raise InputError(f"{said} votes of {len(current.members)} members", where="counts")


def _close(act: acts.Close, desk: _Desk) -> None:
    found = desk.status(act.proposal)
    desk.secretary(found.body)
    last = found.round
    if last is None:
        raise InputError(f"{act.proposal} was not put to the members yet")
    if last.closed is not None:
        raise InputError(f"{act.proposal} is closed already: {last.closed.outcome.value}")
    everybody = spoken(last) >= set(last.members)
    by_sheet = any(one.by_sheet for one in last.counted)
    if found.state.open and desk.now_ms <= last.closes_ms and not (last.broken_by or everybody or by_sheet):
        until = format_instant(last.closes_ms / 1000.0)
        raise InputError(f"members can still take positions until {until}; there is nothing to close yet")


def _withdraw(act: acts.Withdraw, desk: _Desk) -> None:
    _not_ended(desk.status(act.proposal))
    if desk.party != origin(act.proposal):
        raise InputError(f"only {origin(act.proposal)}, who tabled it, can take it back")


def _move(act: acts.Move, desk: _Desk) -> None:
    found = desk.status(act.proposal)
    desk.secretary(found.body)
    desk.body(act.to_body)
    if found.state in (State.ADOPTED, State.MOVED, State.WITHDRAWN):
        raise InputError(f"{act.proposal} is {found.state.value}: there is nothing to move")


def _convene(act: acts.Convene, desk: _Desk) -> None:
    desk.secretary(desk.body(act.body))
    desk.future(act.starts_ms, "starts")
    for item in act.agenda:
        if item.proposal is not None:
            desk.status(item.proposal)


def _minutes(act: acts.Minutes, desk: _Desk) -> None:
    convened = [f.act for f in desk.docket.about(act.meeting) if isinstance(f.act, acts.Convene)]
    if not convened:
        raise InputError(f"no meeting {act.meeting} was convened here")
    body = desk.body(convened[0].body)
    desk.secretary(body)
    if convened[-1].starts_ms > desk.now_ms:
        raise InputError(f"{act.meeting} has not begun: {format_instant(convened[-1].starts_ms / 1000.0)}")
    on = day_of(convened[-1].starts_ms)
    for member_id in act.present:
        if body.member(member_id, on) is None:
            raise InputError(f"{member_id} was no member of {body.id} on {on}", where="present")


def _apply(act: acts.Apply, desk: _Desk) -> None:
    desk.body(act.body)


def _stage(act: acts.StageReached, desk: _Desk) -> None:
    found = application(desk.docket, act.application)
    before = found.stage.value if found.stage else "an application that nobody has received yet"
    if act.stage not in found.next:
        allowed = ", ".join(stage.value for stage in found.next) or "nothing"
        raise InputError(f"{act.stage.value} does not follow {before}; what follows is {allowed}", where="stage")
    secretary = found.body.secretary if found.body else None
    entitled: set[str | None]
    if act.stage is Stage.WITHDRAWN:
        entitled = {found.filed.party}
    else:
        entitled = {secretary} if act.stage in _BY_DECISION else {secretary, found.owner}
    if desk.party not in entitled:
        who = " or ".join(sorted(party for party in entitled if party))
        raise InputError(f"it is for {who} to say so, not for {desk.party}", where="stage")
    if act.stage is Stage.DEFERRED_WITH_CONDITIONS and not act.conditions:
        raise InputError("a deferral with conditions names them", where="conditions")
    for number in (act.decision, act.advisory):
        if number is not None:
            desk.status(number)
    if act.stage in _BY_DECISION:
        _carried(act, desk)
    desk.future(act.due_ms, "due")


def _carried(act: acts.StageReached, desk: _Desk) -> None:
    """Only a binding decision changes a status; an advisory vote never does (practice R4.5)."""
    if act.decision is None:
        said = "; an advisory vote changes no status" if act.advisory else ""
        raise InputError(f"{act.stage.value} names the decision that it rests on{said}", where="decision")
    decision = desk.status(act.decision)
    if decision.effect is Effect.ADVISORY:
        raise InputError(f"{act.decision} is advisory: it changes no status", where="decision")
    if decision.state is not State.ADOPTED and not (act.stage is Stage.REFUSED and decision.state in _TURNED_DOWN):
        raise InputError(f"{act.decision} is {decision.state.value}: nothing rests on it", where="decision")


def _not_ended(found: Status) -> None:
    if found.state in _ENDED:
        raise InputError(f"{found.proposal} is {found.state.value}: that cannot be changed any more")


def _this_text(found: Status, version: int, text_hash: str) -> None:
    if (version, text_hash) != (found.version, found.text_hash):
        raise InputError(
            f"the text of {found.proposal} is version {found.version}, {found.text_hash[:16]}…, not {text_hash[:16]}…",
            where="text",
        )


def _open_round(found: Status, desk: _Desk) -> Round:
    current = found.round
    if current is None or current.version != found.version:
        raise InputError(f"version {found.version} of {found.proposal} was not put to the members yet")
    if not found.state.open:
        raise InputError(f"{found.proposal} is {found.state.value}: nothing can be said to it any more")
    if desk.now_ms > current.closes_ms and found.state is not State.RESERVED:
        raise InputError(f"the deadline has passed: {format_instant(current.closes_ms / 1000.0)}")
    return current


def _speaks(found: Status, desk: _Desk) -> None:
    if found.body is not None and not members_of(found.body, desk.party, desk.now_ms):
        raise InputError(f"{desk.party} speaks for no member of {found.body.id} today")


def _member(found: Status, member_id: str, desk: _Desk) -> None:
    body, today = found.body, day_of(desk.now_ms)
    assert body is not None
    periods = [member for member in body.members if member.id == member_id]
    if not periods:
        raise InputError(f"{member_id} is no member of {body.id}", where="member")
    member = body.member(member_id, today)
    if member is None:
        left = max((one.until_date for one in periods if one.until_date), default=None)
        said = f"left {body.id} on {left}" if left and left < today else f"is not yet a member of {body.id}"
        raise InputError(f"{member_id} {said}: its position would not count", where="member")
    if desk.party not in member.represented(today):
        spoken = ", ".join(member.represented(today)) or "nobody"
        raise InputError(f"{desk.party} does not speak for {member_id} today, {spoken} does", where="member")
    if found.round is not None and member_id not in found.round.members:
        raise InputError(f"{member_id} takes no part in this decision", where="member")


_CHECKS: dict[type, Callable[[Any, _Desk], None]] = {
    acts.Constitute: _constitute, acts.Accept: _accept, acts.Table: _table, acts.Amend: _amend,
    acts.Received: _received, acts.Circulate: _circulate, acts.Extend: _extend, acts.Position: _position,
    acts.Register: _register, acts.Sheet: _sheet, acts.Commit: _commit, acts.Open: _open, acts.Close: _close,
    acts.Withdraw: _withdraw, acts.Move: _move, acts.Convene: _convene, acts.Minutes: _minutes, acts.Apply: _apply,
    acts.StageReached: _stage,
}  # fmt: skip
