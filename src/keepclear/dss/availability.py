"""Whether a USS is there, as the arbiter says (F3548-21, USS availability)."""

from __future__ import annotations

from keepclear.dss.airspace import Airspace
from keepclear.dss.records import Availability, Change, Kind, UssState
from keepclear.dss.refusal import Refusal, RefusalKind, bad
from keepclear.dss.request import Moment, Outcome
from keepclear.dss.utm_messages import AvailabilityAnswer, SetAvailability, UssAvailability

__all__ = ["get", "put"]

USS_ID_CHARACTERS_MAX = 256
"""A token's ``sub`` is no longer in any pool known."""


def get(airspace: Airspace, uss_id: str) -> AvailabilityAnswer:
    """Unknown for a USS that nobody has judged."""
    known = airspace.availabilities.get(uss_id)
    return _answer(known or Availability(uss_id, UssState.UNKNOWN, ""))


def put(airspace: Airspace, moment: Moment, uss_id: str, message: SetAvailability) -> Outcome:
    if not uss_id or len(uss_id) > USS_ID_CHARACTERS_MAX:
        raise bad(f"a USS's id has 1 to {USS_ID_CHARACTERS_MAX} characters")
    state = next((s for s in UssState if s.value.lower() == message.availability.lower()), None)
    if state is None:
        raise bad(f"availability must be one of {', '.join(UssState)}")
    known = airspace.availabilities.get(uss_id)
    if message.old_version != (known.version if known else ""):
        raise Refusal(RefusalKind.CONFLICT, f"the availability of {uss_id} has changed since that version")
    new = Availability(uss_id, state, moment.new_ovn())
    return Outcome(_answer(new), [Change(Kind.AVAILABILITY, uss_id, new)])


def _answer(known: Availability) -> AvailabilityAnswer:
    return AvailabilityAnswer(known.version, UssAvailability(known.id, known.state.value))
