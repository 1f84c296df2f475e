"""Whether a text may be put to the members as the secretary does it, and a deadline be moved (practice R4.4)."""

from __future__ import annotations

from keepclear.decisions.acts import Circulate, Extend, Table
from keepclear.decisions.procedure.circulation import Circulation
from keepclear.decisions.procedure.docket import Docket, Filed
from keepclear.decisions.procedure.status import day_of
from keepclear.decisions.rules.body import Body
from keepclear.decisions.rules.rule import Kind, Rule
from keepclear.decisions.vocabulary import Under
from keepclear.errors import InputError

__all__ = ["open_circulation", "refuse_extension", "way_of"]


def way_of(rule: Rule) -> Under:
    """How a text is put to the members under this rule."""
    if rule.kind is Kind.SILENCE:
        return Under.SILENCE
    return Under.CONSENSUS if rule.kind in (Kind.CONSENSUS, Kind.CONSENSUS_MINUS_ONE) else Under.VOTE


def open_circulation(
    docket: Docket, body: Body, rule: Rule, table: Table, act: Circulate, filed: Filed
) -> Circulation | str:
    """The circulation, or why it is none; ``filed`` is its entry in the secretary's log."""
    if act.under is not way_of(rule):
        return f"the rule {rule.id} is for {way_of(rule).value}, not for {act.under.value}"
    if act.closes_ms <= filed.clock_ms:
        return "its deadline has passed already"
    if act.closes_ms - filed.clock_ms < rule.silence_min_s * 1_000:
        return f"the rule {rule.id} leaves members {rule.silence_min_s:,} s at least"
    if len(table.excluded) > rule.excluded_max:
        return f"the rule {rule.id} leaves out {rule.excluded_max} members at most"
    try:
        electorate = body.electorate(day_of(filed.clock_ms), table.excluded)
    except InputError as error:
        return str(error)
    return Circulation(docket, body, rule, table, act, filed, electorate, act.closes_ms, act.open_by_ms)


def refuse_extension(current: Circulation, act: Extend, at_ms: int) -> str:
    """Why the deadline may not be moved there; empty: it may.

    Later is always allowed while it is open. Earlier is allowed as far back as what was first announced: members have
    relied on that, and on no less than the rule's shortest time.
    """
    if act.closes_ms <= at_ms:
        return "the new deadline has passed already"
    if act.closes_ms < current.act.closes_ms:
        return "a deadline is not moved before the one that was first announced"
    if current.open_by_ms is not None and act.closes_ms >= current.open_by_ms:
        return "the ballot would be opened before it is closed"
    return ""
