"""What must hold of decisions in a run, judged from the acts themselves, and what came about in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from keepclear.decisions.acts import Circulate, Received, Table
from keepclear.decisions.procedure.application import Application
from keepclear.decisions.procedure.authority import Authority, Standing, authority
from keepclear.decisions.procedure.docket import Docket
from keepclear.decisions.procedure.status import Round, Status
from keepclear.decisions.vocabulary import Ballot, Effect, Stage, State, Under
from keepclear.simulation.channel import Breach
from keepclear.simulation.delegations import applications

__all__ = ["came_about", "check_contrary", "check_in_force", "check_reached"]

_ENDS = (Stage.GRANTED, Stage.REFUSED, Stage.WITHDRAWN)


def check_contrary(one: str, shown: dict[str, Status], other: str, others: dict[str, Status]) -> None:
    """Also of those who hold different parts of the logs: what each says of a circulation that it saw the end of."""
    for number in shown.keys() & others.keys():
        if shown[number].missing or others[number].missing:
            continue
        ended = {r.circulated.leaf: r.state for r in others[number].rounds if r.finished}
        for found in shown[number].rounds:
            if found.finished and ended.get(found.circulated.leaf, found.state) is not found.state:
                raise Breach(f"{one} says {found.state} of {number}, {other} {ended[found.circulated.leaf]}")


def check_reached(docket: Docket, found: Status) -> None:
    """Nobody is taken for silent whose party had not written that it has this very text when it was circulated."""
    for each in found.rounds:
        if each.tally is None:
            continue
        reached = set(_reached(docket, found, each))
        spoke = {counted.member for counted in each.counted} | {c.member for c in each.contradictions}
        if each.tally.silent > len(reached - spoke) + sum(c.stance == "ABSENT" for c in each.counted):
            raise Breach(f"{found.proposal}: {each.tally.silent} are taken for silent, {len(reached - spoke)} may be")
        if each.under is Under.SILENCE and each.state is State.ADOPTED:
            unheard = set(each.members) - reached - spoke
            if unheard:
                raise Breach(f"{found.proposal} was adopted by the silence of {unheard}, who did not have it")


def _reached(docket: Docket, found: Status, each: Round) -> Iterator[str]:
    circulated = each.circulated.act
    assert isinstance(circulated, Circulate)
    assert found.body is not None
    named = {(reference.party, reference.seq, reference.leaf) for reference in circulated.delivered}
    parties = {
        filed.party for filed in docket.about(found.proposal)
        if isinstance(filed.act, Received) and (filed.party, filed.seq, filed.leaf) in named
        and filed.act.version == each.version and filed.act.text_hash == each.text_hash
    }  # fmt: skip
    for member in found.body.members:
        if parties & {representation.party for representation in member.represented_by}:
            yield member.id


def check_in_force(
    docket: Docket, known: Mapping[str, Status], standings: Mapping[str, Standing], made: Iterable[Application],
    now_ms: int,
) -> None:  # fmt: skip
    """Nothing is in force, and no application is granted, by what was not adopted."""
    for number, standing in standings.items():
        if standing.authority is Authority.IN_FORCE and not _carries(docket, known, known[number], now_ms):
            raise Breach(f"{number} is {known[number].state}, and is in force")
    for each in made:
        by = each.steps[-1].decision if each.granted else None
        if each.granted and (by is None or known[by].state is not State.ADOPTED or known[by].effect is Effect.ADVISORY):
            raise Breach(f"{each.number} was granted by {by}, which does not carry it")


def _carries(docket: Docket, known: Mapping[str, Status], found: Status, now_ms: int) -> bool:
    """Said again in another way than :mod:`authority` says it."""
    table = found.tabled.act
    assert isinstance(table, Table)
    adopted = [each for each in found.rounds if each.state is State.ADOPTED and each.tally and each.tally.adopted]
    if found.state is not State.ADOPTED or not adopted or table.effect is Effect.ADVISORY or found.missing:
        return False
    for other in known.values():
        act = other.tabled.act
        assert isinstance(act, Table)
        ends = found.proposal in act.revokes and act.body == table.body and act.effect is Effect.BINDING
        if ends and other.state is State.ADOPTED and (other.adopted_ms or 0) <= now_ms:
            return False
    key = known.get(table.key_of) if table.key_of else None
    return table.key_of is None or (
        key is not None and key.state is State.ADOPTED and key.text_hash == found.text_hash and key.body != found.body
    )


def came_about(docket: Docket, known: Mapping[str, Status], now_ms: int, subject: str) -> Iterator[str]:
    """By name, what the bodies brought about: to show that the runs meet it at all."""
    for number, found in known.items():
        table, last = found.tabled.act, found.round
        assert isinstance(table, Table)
        standing = authority(docket, number, now_ms, subject=subject).authority
        yield standing.value.lower().replace("_", " ")
        if any(each.state is State.BROKEN for each in found.rounds):
            yield "silence broken"
        if found.state is not State.ADOPTED or last is None:
            continue
        if last.under is Under.SILENCE:
            yield "adopted by silence"
        elif last.under is Under.VOTE:
            yield "adopted by a secret ballot" if last.ballot is Ballot.SECRET else "adopted by a vote"
        else:
            yield "adopted by consensus"
        if len(found.rounds) > 1 and found.version > 1:
            yield "failed, amended, adopted"
        if table.key_of is not None and standing is Authority.IN_FORCE:
            yield "two keys turned"
    for made in applications(docket):
        stage = made.stage
        yield f"application {stage.value.lower() if stage in _ENDS else 'open'}"
