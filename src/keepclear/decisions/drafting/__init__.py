"""What is checked before an act goes into the log: what everybody would call void is not written at all.

The procedure judges what stands in logs; this judges what is about to. It may refuse what would have counted by a
hair (a clock that is ahead), and lets nothing through that is certain not to.
"""

from __future__ import annotations

from collections.abc import Collection

from keepclear.decisions.acts import AnyAct
from keepclear.decisions.drafting import meetings, positions, texts
from keepclear.decisions.drafting.writer import Writer, members_of
from keepclear.decisions.procedure.docket import Docket

__all__ = ["members_of", "verify_act"]

_CHECKS = {**texts.CHECKS, **positions.CHECKS, **meetings.CHECKS}


def verify_act(act: AnyAct, docket: Docket, party: str, parties: Collection[str], now_ms: int) -> None:
    """Raises :class:`InputError` with one line where the act would be void."""
    _CHECKS[type(act)](act, Writer(docket, party, parties, now_ms))
