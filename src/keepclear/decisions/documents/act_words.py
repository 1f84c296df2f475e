"""What each act says, in the reader's words: its heading, and its facts onto the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from keepclear.decisions import acts
from keepclear.decisions.acts import AnyAct, text_hash
from keepclear.decisions.documents.act_page import ActPage, Parts
from keepclear.decisions.rules.body import body_hash
from keepclear.decisions.rules.stance import Stance
from keepclear.decisions.vocabulary import Ballot
from keepclear.messages.catalogue import say
from keepclear.messages.document import Quote, Value
from keepclear.messages.message_lines import add_text
from keepclear.messages.wording import codes, joined, word

__all__ = ["write_act"]


def write_act(page: ActPage, act: AnyAct) -> Parts:
    """The heading; everything else stands on the page then."""
    return _WRITERS[type(act)](page, act)


def _constitute(page: ActPage, act: acts.Constitute) -> Parts:
    body = page.body = act.body
    page.hash("label.body_hash", body_hash(body))
    page.fact("label.secretary", *((Value(body.secretary),) if body.secretary else ()))
    page.fact("label.rule", *joined(page.language, ((Quote(rule.name),) for rule in body.rules)))
    parties = {one.id: sorted({voice.party for voice in one.represented_by}) for one in body.members}
    by = ((page.member(one), *((" ", Value(f"({', '.join(said)})")) if said else ())) for one, said in parties.items())
    page.fact("label.members", *joined(page.language, by))
    return page.title("act.constitute", Quote(body.name), " ", Value(f"[{body.id}]"))


def _accept(page: ActPage, act: acts.Accept) -> Parts:
    page.hash("label.body_hash", act.body)
    return page.title("act.accept", *page.named(act.body))


def _table(page: ActPage, act: acts.Table) -> Parts:
    page.fact("label.body", *page.named(act.body))
    page.fact("label.rule", Value(act.rule))
    page.fact("label.effect", *word(page.language, "effect", act.effect))
    page.fact("label.authorises", *codes(page.language, act.authorises))
    page.fact("label.revokes", *codes(page.language, act.revokes))
    page.names("label.excluded", act.excluded)
    page.fact("label.key_of", *((Value(act.key_of),) if act.key_of else ()))
    page.instant("label.expires", act.expires_ms)
    return _words(page, "act.table", act, 1)


def _words(page: ActPage, key: str, act: acts.Table | acts.Amend, version: int) -> Parts:
    page.hash("label.text_hash", text_hash(act.title, act.text, act.language))
    add_text(page.lines, "label.original", act.text, act.language, ())
    return page.title(key, *page.text(act.proposal, version), said=(Quote(act.title, act.language),))


def _amend(page: ActPage, act: acts.Amend) -> Parts:
    return _words(page, "act.amend", act, act.version)


def _received(page: ActPage, act: acts.Received) -> Parts:
    page.hash("label.text_hash", act.text_hash)
    return page.title("act.received", *page.text(act.proposal, act.version))


def _circulate(page: ActPage, act: acts.Circulate) -> Parts:
    page.hash("label.text_hash", act.text_hash)
    page.instant("label.closes", act.closes_ms)
    if act.ballot is Ballot.SECRET:
        page.fact("label.ballot", *word(page.language, "ballot", act.ballot))
    page.instant("label.open_by", act.open_by_ms)
    proved = codes(page.language, (one.party for one in act.delivered))
    page.fact("label.proved", *(proved or (say(page.language, "word.nobody"),)))
    return page.title("act.circulate", *page.text(act.proposal, act.version),
                      said=word(page.language, "under", act.under))  # fmt: skip


def _extend(page: ActPage, act: acts.Extend) -> Parts:
    page.instant("label.closes", act.closes_ms)
    page.fact("label.ground", Quote(act.reason))
    return page.title("act.extend", *page.text(act.proposal, act.version))


def _position(page: ActPage, act: acts.Position) -> Parts:
    page.hash("label.text_hash", act.text_hash)
    page.fact("label.authority", *((Quote(act.authority_ref),) if act.authority_ref else ()))
    add_text(page.lines, "label.statement", act.statement, act.language, ())
    colon = say(page.language, "mark.colon")
    said = word(page.language, "stance", act.stance) if act.stance else (say(page.language, "label.statement"),)
    return page.title("label.position_taken", *page.text(act.proposal, act.version),
                      said=(page.member(act.member), colon, *said))  # fmt: skip


def _register(page: ActPage, act: acts.Register) -> Parts:
    received = (
        (page.member(one.member) if one.member else Value(one.party), " ", Value(f"({one.party} {one.seq})"))
        for one in act.positions
    )
    page.fact("label.received_from", *joined(page.language, received))
    return page.title("act.register", *page.text(act.proposal, act.version))


def _sheet(page: ActPage, act: acts.Sheet) -> Parts:
    page.hash("label.text_hash", act.text_hash)
    colon = say(page.language, "mark.colon")
    if act.counts is None:
        roll = ((page.member(one), colon, *word(page.language, "stance", stance)) for one, stance in act.roll.items())
        page.fact("label.position_taken", *joined(page.language, roll))
        counts = dict(Counter(act.roll.values()))
    else:
        numbers = (act.counts.in_favour, act.counts.against, act.counts.abstaining)
        counts = dict(zip((Stance.FOR, Stance.AGAINST, Stance.ABSTAIN), numbers, strict=True))
    return page.title("act.sheet", *page.text(act.proposal, act.version), said=_counted(page, counts))


def _counted(page: ActPage, counts: dict[Stance, int]) -> Parts:
    colon = say(page.language, "mark.colon")
    return joined(page.language, ((*word(page.language, "stance", stance), colon, Value(f"{count:,}"))
                                  for stance, count in sorted(counts.items())))  # fmt: skip


def _commit(page: ActPage, act: acts.Commit) -> Parts:
    page.hash("label.commitment", act.commitment)
    return page.title("act.commit", *page.text(act.proposal, act.version), said=(page.member(act.member),))


def _open(page: ActPage, act: acts.Open) -> Parts:
    said = (page.member(act.member), say(page.language, "mark.colon"), *word(page.language, "stance", act.stance))
    return page.title("act.open", *page.text(act.proposal, act.version), said=said)


def _close(page: ActPage, act: acts.Close) -> Parts:
    page.fact("label.position_taken", *_counted(page, act.tally))
    return page.title("act.close", *page.text(act.proposal, act.version),
                      said=word(page.language, "outcome", act.outcome))  # fmt: skip


def _withdraw(page: ActPage, act: acts.Withdraw) -> Parts:
    page.fact("label.ground", *((Quote(act.reason),) if act.reason else ()))
    return page.title("act.withdraw", Value(act.proposal))


def _move(page: ActPage, act: acts.Move) -> Parts:
    page.fact("label.body", *page.named(act.to_body))
    page.fact("label.as_proposal", Value(act.as_proposal))
    page.fact("label.ground", *((Quote(act.reason),) if act.reason else ()))
    return page.title("act.move", Value(act.proposal))


def _convene(page: ActPage, act: acts.Convene) -> Parts:
    page.fact("label.body", *page.named(act.body))
    page.instant("label.starts", act.starts_ms)
    page.fact("label.meeting_place", Quote(act.place, act.language))
    agenda = ((Value(f"{n}. "), Quote(item.title, act.language), *((" ", Value(f"[{item.proposal}]"))
               if item.proposal else ())) for n, item in enumerate(act.agenda, 1))  # fmt: skip
    page.fact("label.agenda", *joined(page.language, agenda))
    special = (say(page.language, "word.extraordinary"),) if act.extraordinary else ()
    return page.title("title.meeting", Value(act.meeting), said=special)


def _minutes(page: ActPage, act: acts.Minutes) -> Parts:
    page.names("label.present", act.present)
    add_text(page.lines, "label.minutes_text", act.text, act.language, ())
    return page.title("title.minutes", Value(act.meeting))


def _apply(page: ActPage, act: acts.Apply) -> Parts:
    page.fact("label.body", *page.named(act.body))
    page.fact("label.applicant", Quote(act.applicant))
    page.fact("label.basis", Quote(act.basis, act.language))
    add_text(page.lines, "label.original", act.text, act.language if act.text else None, ())
    said = (*word(page.language, "application", act.kind), say(page.language, "mark.colon"), Quote(act.subject))
    return page.title("title.application", Value(act.application), said=said)


def _stage(page: ActPage, act: acts.StageReached) -> Parts:
    page.fact("label.owner", Quote(act.owner))
    page.instant("label.due", act.due_ms)
    page.fact("label.conditions", *joined(page.language, ((Quote(one),) for one in act.conditions)))
    page.fact("label.decision_ref", *((Value(act.decision),) if act.decision else ()))
    page.fact("label.advisory", *((Value(act.advisory),) if act.advisory else ()))
    if act.document:
        page.hash("label.document", act.document)
    return page.title("act.stage", Value(act.application), said=word(page.language, "stage", act.stage))


_WRITERS: dict[type, Callable[[ActPage, Any], Parts]] = {
    acts.Constitute: _constitute, acts.Accept: _accept, acts.Table: _table, acts.Amend: _amend,
    acts.Received: _received, acts.Circulate: _circulate, acts.Extend: _extend, acts.Position: _position,
    acts.Register: _register, acts.Sheet: _sheet, acts.Commit: _commit, acts.Open: _open, acts.Close: _close,
    acts.Withdraw: _withdraw, acts.Move: _move, acts.Convene: _convene, acts.Minutes: _minutes, acts.Apply: _apply,
    acts.StageReached: _stage,
}  # fmt: skip
