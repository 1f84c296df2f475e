"""Who is exempt by name is the same for one track as for many at once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from keepclear.detection.exemption import NamedExemptions, find_exemption
from keepclear.feeds.reports import Labels
from keepclear.quantities import UNBOUNDED
from keepclear.space.geometry import Circle
from keepclear.zones.model import Exemption, Volume, Zone

words = st.sampled_from(["", "a1", "A1", " b2 ", "B2", "x"])
exemptions = st.builds(Exemption, callsign=words, party=words, target=words, clause=st.sampled_from(["", "EXCEPT X"]))


@given(st.lists(exemptions, max_size=3), words, words, words)
def test_named_exemptions_cover_whom_the_zone_names(
    given_: list[Exemption], target: str, callsign: str, party: str
) -> None:
    zone = Zone("Z", (Volume(Circle(0.0, 0.0, 1.0), UNBOUNDED, UNBOUNDED),), exemptions=tuple(given_))
    found = find_exemption(zone, target, callsign, party)
    named = NamedExemptions(zone, {target: party})
    assert named.names_anybody or not found.applies
    for others in ([], ["zz"], ["zz", "yy"]):  # names that come and go around it
        targets, callsigns = Labels.of([*others, target]), Labels.of([*others, callsign])
        assert named.covered(targets, callsigns)[-1] == found.applies
