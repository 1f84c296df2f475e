"""What the ADS-B quality and category codes mean in metres and in our categories."""

from __future__ import annotations

import numpy as np

from keepclear.feeds.reports import Float32s, Floats, TargetCategory, TargetDomain
from keepclear.feeds.screening import ACCURACY_MAX_M

__all__ = [
    "EPU_BY_NACP_M",
    "RC_BY_NIC_M",
    "accuracy_of_codes",
    "accuracy_of_columns",
    "category_of_emitter",
    "domain_of_emitter",
]

_NAN = float("nan")
EPU_BY_NACP_M = np.array(
    [_NAN, 18520.0, 7408.0, 3704.0, 1852.0, 926.0, 555.6, 185.2, 92.6, 30.0, 10.0, 3.0, _NAN, _NAN, _NAN, _NAN],
    dtype=np.float32,
)
"""95 % horizontal bound (EPU, m) by NACp, upper end of the class: RTCA DO-260B table 2-71. 0 and 12–15: unknown."""
RC_BY_NIC_M = np.array(
    [_NAN, 37040.0, 14816.0, 7408.0, 3704.0, 1852.0, 1111.2, 370.4, 185.2, 75.0, 25.0, 7.5, _NAN, _NAN, _NAN, _NAN],
    dtype=np.float32,
)
"""Containment radius (m, 1 − 10⁻⁷ an hour) by NIC, upper end of the class: RTCA DO-260B table 2-69.

Stands in for the 95 % radius where there is no NACp: it is larger, so never too confident."""

_EPU_M: list[float] = EPU_BY_NACP_M.tolist()
_RC_M: list[float] = RC_BY_NIC_M.tolist()


def accuracy_of_codes(nac_p: int, nic: int) -> float:
    """95 % radius in metres from NACp, else NIC; ``nan`` where neither says (code -1 is «absent»)."""
    accuracy_m = _EPU_M[nac_p] if 0 <= nac_p < 16 else _NAN
    if accuracy_m != accuracy_m and 0 <= nic < 16:
        accuracy_m = _RC_M[nic]
    return accuracy_m


def accuracy_of_columns(nac_p: Floats, nic: Floats, rc_m: Floats) -> Float32s:
    """The same for columns, the receiver's own containment radius ``rc_m`` before the NIC class."""

    def looked_up(table: Float32s, codes: Floats) -> Float32s:
        usable = (codes >= 0) & (codes < 16)
        return np.where(usable, table[np.where(usable, codes, 0).astype(np.int64)], np.float32(_NAN))

    accuracy_m = looked_up(EPU_BY_NACP_M, nac_p)
    accuracy_m = np.where(np.isnan(accuracy_m) & (rc_m > 0) & (rc_m <= ACCURACY_MAX_M), rc_m, accuracy_m)
    return np.where(np.isnan(accuracy_m), looked_up(RC_BY_NIC_M, nic), accuracy_m).astype(np.float32)


_CATEGORIES = {
    **{f"A{n}": TargetCategory.FIXED for n in range(1, 7)},
    "A7": TargetCategory.ROTARY,
    "B1": TargetCategory.FIXED,  # glider
    "B6": TargetCategory.UAS,
    **dict.fromkeys(("B2", "B3", "B4", "B7", "C1", "C2", "C3", "C4", "C5"), TargetCategory.OTHER),
}


def category_of_emitter(code: str) -> TargetCategory:
    """From an ADS-B emitter category, «A7»; ICAO Doc 9871 table A-2-8. Unknown and reserved codes: UNKNOWN."""
    return _CATEGORIES.get(code, TargetCategory.UNKNOWN)


def domain_of_emitter(code: str) -> TargetDomain:
    """Surface vehicles (C1 emergency, C2 service) are GROUND traffic, fixed obstacles (C3–C5) too; the rest flies."""
    return TargetDomain.GROUND if code in ("C1", "C2", "C3", "C4", "C5") else TargetDomain.AIR
