"""The pool of DSS instances over one airspace: who is in it, and who was last alive (InterUSS auxiliary API)."""

from __future__ import annotations

from typing import Any

from keepclear.dss.airspace import Airspace
from keepclear.dss.instants import rfc3339
from keepclear.dss.records import Change, Heartbeat, Kind
from keepclear.dss.refusal import bad
from keepclear.dss.request import Caller, Moment, Outcome

__all__ = ["beat", "instances"]

SOURCE_CHARACTERS_MAX = 256
"""Words such as Startup; a longer source says nothing more."""


def instances(airspace: Airspace) -> dict[str, Any]:
    """DSSInstancesResponse."""
    return {"dss_instances": [_message(beat) for _, beat in sorted(airspace.heartbeats.items())]}


def beat(
    airspace: Airspace, caller: Caller, moment: Moment, instance_id: str, public_endpoint: str, source: str,
    timestamp_us: int | None, next_expected_us: int | None,
) -> Outcome:  # fmt: skip
    """Record that an instance is alive. Answers with all instances."""
    if not source or len(source) > SOURCE_CHARACTERS_MAX:
        raise bad(f"a heartbeat needs source=…, of at most {SOURCE_CHARACTERS_MAX} characters")
    at_us = moment.now_us if timestamp_us is None else timestamp_us
    if next_expected_us is not None and next_expected_us < at_us:
        raise bad("next_heartbeat_expected_before lies before the heartbeat itself")
    before = airspace.heartbeats.get(instance_id)
    new = Heartbeat(
        instance_id, public_endpoint, at_us, caller.subject, source, before.index + 1 if before else 0, next_expected_us
    )
    others = [_message(b) for name, b in airspace.heartbeats.items() if name != instance_id]
    return Outcome({"dss_instances": [*others, _message(new)]}, [Change(Kind.HEARTBEAT, instance_id, new)])


def _message(heartbeat: Heartbeat) -> dict[str, Any]:
    newest: dict[str, Any] = {
        "timestamp": rfc3339(heartbeat.timestamp_us), "reporter": heartbeat.reporter, "source": heartbeat.source,
        "index": heartbeat.index,
    }  # fmt: skip
    if heartbeat.next_expected_us is not None:
        newest["next_heartbeat_expected_before"] = rfc3339(heartbeat.next_expected_us)
    return {
        "id": heartbeat.id, "public_endpoint": heartbeat.public_endpoint, "most_recent_heartbeat": newest,
    }  # fmt: skip
