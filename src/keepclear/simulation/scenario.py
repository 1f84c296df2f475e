"""The demonstration's zones: a closure given as a NOTAM, an area at sea, a third party's territory. All simulated."""

from __future__ import annotations

from keepclear.quantities import UNBOUNDED, Datum, LengthUnit, Level
from keepclear.simulation.regions import REGION_NAMES, regions
from keepclear.space.geometry import Circle
from keepclear.zones.model import (
    Domain,
    Exemption,
    Restriction,
    Subject,
    Volume,
    Zone,
    ZoneOrigin,
    ZoneStatus,
    ZoneType,
)

__all__ = ["CLOSED_REGIONS", "scenario_zones"]

CLOSED_REGIONS = ("UKLV", "UKBV", "UKDV", "UKFV", "UKOV")
SURFACE = Level(0.0, LengthUnit.METRE, Datum.AGL)


def scenario_zones() -> tuple[Zone, ...]:
    """The zones in force in the demonstration."""
    outlines = {zone.id: zone.volumes for zone in regions()}
    closure = Zone(
        id="SIM-A0001/26",
        name="Airspace closed (simulated)",
        volumes=tuple(Volume(v.shape, SURFACE, UNBOUNDED) for code in CLOSED_REGIONS for v in outlines[code]),
        type=ZoneType.NFZ,
        restriction=Restriction.PROHIBITED,
        reasons=("simulated exercise of a closure",),
        decision_ref="SIM-DECISION-1",
        status=ZoneStatus.PUBLISHED,
        exemptions=(Exemption(callsign="SIM900"), Exemption(clause="EXCEPT HUMANITARIAN FLIGHTS UNDER PERMISSION")),
        text="SIMULATED: THE USE OF AIRSPACE WITHIN FIR "
        + ", ".join(REGION_NAMES[code].upper() for code in CLOSED_REGIONS)
        + " IS PROHIBITED FOR ALL AIRCRAFT EXCEPT HUMANITARIAN FLIGHTS UNDER PERMISSION",
        origin=ZoneOrigin("simulation", "closure", "own drawing"),
    )
    territory = Zone(
        id="SIM-LUUU",
        name="Third party's territory (simulated)",
        volumes=tuple(Volume(v.shape, SURFACE, UNBOUNDED) for v in outlines["LUUU"]),
        type=ZoneType.THIRD_PARTY_TERRITORY,
        restriction=Restriction.CONDITIONAL,
        origin=ZoneOrigin("simulation", "territory", "own drawing"),
    )
    at_sea = Zone(
        id="SIM-SEA-1",
        name="No entry for ships (simulated)",
        volumes=(Volume(Circle(30.95, 45.35, 12_000.0), SURFACE, UNBOUNDED),),
        type=ZoneType.SPECIAL_CAUTION,
        subject=Subject(domains=frozenset({Domain.SEA})),
        origin=ZoneOrigin("simulation", "sea", "own drawing"),
    )
    return (closure, territory, at_sea)
