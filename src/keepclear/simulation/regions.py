"""Flight information regions drawn by hand for the demonstration: coarse, honest, and not for navigation.

Each border is a chain of positions drawn once and used by both neighbours, to about a tenth of a degree. The names are
the real regions' names; the outlines are this project's own drawing.
"""

from __future__ import annotations

from keepclear.quantities import UNBOUNDED
from keepclear.space.geometry import EdgeType, LonLat, Polygon
from keepclear.zones.model import Restriction, Volume, Zone, ZoneOrigin, ZoneType

__all__ = ["REGION_NAMES", "regions"]

REGION_NAMES = {
    "UKLV": "Lviv", "UKBV": "Kyiv", "UKDV": "Dnipro", "UKFV": "Simferopol", "UKOV": "Odesa",
    "EPWW": "Warszawa", "LRBB": "București", "LUUU": "Chișinău",
}  # fmt: skip

# Meeting points of three borders.
_PL_BY = (23.6, 51.5)
_LV_BV_NORTH, _LV_BV_SOUTH = (27.8, 51.6), (27.5, 48.45)
_BV_DV_NORTH, _BV_DV_OV = (34.6, 51.3), (33.1, 48.3)
_DV_FV_OV, _DV_FV_EAST = (33.2, 46.6), (38.2, 47.1)
_FV_OV_SOUTH = (31.6, 44.0)
_MD_BV_OV = (28.4, 48.15)
_RO_MD_NORTH, _RO_MD_SOUTH, _DANUBE = (26.6, 48.25), (28.2, 45.5), (29.7, 45.2)
_PL_SK, _SK_RO = (22.55, 49.1), (22.9, 48.0)

# Borders, each from its first meeting point to its last.
_LV_PL = ((24.0, 50.6), (22.7, 49.6))
_LV_BY = ((25.2, 51.95), (26.5, 51.85))
_BV_BY_RU = ((28.7, 51.55), (30.5, 51.3), (30.9, 52.05), (31.8, 52.1), (33.8, 52.35))
_DV_RU = ((35.3, 51.05), (35.7, 50.4), (37.5, 50.35), (38.2, 49.9), (39.8, 49.55), (40.1, 49.3), (39.6, 48.0))
_FV_SEA = ((37.4, 46.3), (36.6, 45.3), (36.5, 44.3), (34.5, 43.6), (33.0, 43.4))
_OV_SEA = ((30.6, 44.6),)
_LV_SK_HU = ((22.15, 48.45),)
_LV_RO = ((24.5, 47.95), (25.0, 47.75), (26.2, 48.0))
_LV_MD = ((27.0, 48.4),)
_BV_MD = ((27.9, 48.35),)
_OV_MD = ((29.1, 47.95), (29.2, 47.4), (29.9, 46.8), (29.9, 46.4), (28.9, 46.3), (28.7, 45.9))
_OV_RO = ((28.9, 45.35),)
_RO_MD = ((27.3, 47.6), (28.1, 46.4))
_LV_BV = ((27.8, 50.0),)
_BV_DV = ((33.7, 49.4),)
_BV_OV = ((31.0, 48.2),)
_DV_OV = ((33.15, 47.4),)
_DV_FV = ((35.0, 46.55), (36.8, 46.6))
_FV_OV = ((31.9, 45.8),)
_PL_REST = (
    (21.6, 49.4), (20.1, 49.25), (18.85, 49.5), (18.6, 49.9), (17.7, 50.2), (16.3, 50.5), (15.0, 50.9), (14.7, 51.6),
    (14.6, 52.6), (14.2, 53.9), (14.6, 54.6), (18.0, 55.3), (19.3, 54.6), (19.8, 54.45), (22.8, 54.35), (23.5, 53.95),
    (23.9, 53.0), (23.2, 52.3),
)  # fmt: skip
_RO_REST = (
    (30.8, 43.8), (28.6, 43.75), (27.0, 44.1), (25.5, 43.65), (23.0, 43.8), (22.5, 44.5), (21.4, 45.2), (20.3, 46.15),
    (21.6, 47.1),
)  # fmt: skip


def _back(chain: tuple[LonLat, ...]) -> tuple[LonLat, ...]:
    return chain[::-1]


_RINGS: dict[str, tuple[LonLat, ...]] = {
    "UKLV": (_PL_BY, *_LV_BY, _LV_BV_NORTH, *_LV_BV, _LV_BV_SOUTH, *_back(_LV_MD), _RO_MD_NORTH, *_back(_LV_RO),
             _SK_RO, *_back(_LV_SK_HU), _PL_SK, *_back(_LV_PL)),
    "UKBV": (_LV_BV_NORTH, *_BV_BY_RU, _BV_DV_NORTH, *_BV_DV, _BV_DV_OV, *_back(_BV_OV), _MD_BV_OV, *_back(_BV_MD),
             _LV_BV_SOUTH, *_back(_LV_BV)),
    "UKDV": (_BV_DV_NORTH, *_DV_RU, _DV_FV_EAST, *_back(_DV_FV), _DV_FV_OV, *_back(_DV_OV), _BV_DV_OV, *_back(_BV_DV)),
    "UKFV": (_DV_FV_OV, *_DV_FV, _DV_FV_EAST, *_FV_SEA, _FV_OV_SOUTH, *_back(_FV_OV)),
    "UKOV": (_MD_BV_OV, *_BV_OV, _BV_DV_OV, *_DV_OV, _DV_FV_OV, *_FV_OV, _FV_OV_SOUTH, *_OV_SEA, _DANUBE,
             *_back(_OV_RO), _RO_MD_SOUTH, *_back(_OV_MD)),
    "EPWW": (_PL_BY, *_LV_PL, _PL_SK, *_PL_REST),
    "LRBB": (_SK_RO, *_LV_RO, _RO_MD_NORTH, *_RO_MD, _RO_MD_SOUTH, *_OV_RO, _DANUBE, *_back(_OV_SEA), *_RO_REST),
    "LUUU": (_RO_MD_NORTH, *_LV_MD, _LV_BV_SOUTH, *_BV_MD, _MD_BV_OV, *_OV_MD, _RO_MD_SOUTH, *_back(_RO_MD)),
}  # fmt: skip


def regions() -> tuple[Zone, ...]:
    """The regions as zones that forbid nothing: what a NOTAM's references to them resolve against."""
    return tuple(
        Zone(
            id=code,
            name=f"{REGION_NAMES[code]} FIR (simulated outline)",
            volumes=(Volume(Polygon(ring, edge_type=EdgeType.GEODESIC), UNBOUNDED, UNBOUNDED),),
            type=ZoneType.AIRSPACE,
            restriction=Restriction.NO_RESTRICTION,
            origin=ZoneOrigin("simulation", code, "own drawing"),
        )
        for code, ring in _RINGS.items()
    )
