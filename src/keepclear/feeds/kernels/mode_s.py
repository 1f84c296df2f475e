"""What each aircraft said last, frame by frame, and the positions that come of it."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from keepclear.feeds.kernels.cpr import airborne_pair, local_position

__all__ = ["REALS", "WHOLES", "fold"]

# Columns of an aircraft's row of numbers …
CLEAN_S, CALLSIGN_S, SQUAWK_S, VELOCITY_S, ACCURACY_S, POSITION_S = 0, 1, 2, 3, 4, 5
SPEED, TRACK, CLIMB, ABOVE_FT, LAT, LON = 6, 7, 8, 9, 10, 11
EVEN_S, EVEN_LAT, EVEN_LON, ODD_S, ODD_LAT, ODD_LON = 12, 13, 14, 15, 16, 17
REALS = 18
# … and of its whole numbers. NEXT chains the rows of one bucket; OLDER and NEWER order them by when they were heard.
ADDRESS, CALLSIGN, CATEGORY, DOMAIN, SQUAWK, NAC_P, REFUSALS, NEXT, OLDER, NEWER = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
WHOLES = 10

IDENTIFICATION, SURFACE, BARO, GNSS, VELOCITY, STATUS_SQUAWK, ACCURACY, REPLY_SQUAWK = 1, 2, 3, 4, 5, 6, 7, 8
"""As in :class:`~keepclear.feeds.mode_s_fields.Content`."""
_CALLSIGN_BITS = (1 << 48) - 1
_METRES_A_DEGREE = 111_320.0


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _bucket_of(address: int, buckets: int) -> int:
    # Fibonacci hashing: neighbours in a national block of addresses must not share a bucket.
    return int(((np.uint64(address) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)) % np.uint64(buckets))


@njit(cache=True, nogil=True, error_model="numpy")
def _find(address: int, whole: np.ndarray, bucket: np.ndarray) -> int:
    slot = bucket[_bucket_of(address, len(bucket))]
    while slot >= 0 and whole[slot, ADDRESS] != address:
        slot = whole[slot, NEXT]
    return int(slot)


@njit(cache=True, nogil=True, error_model="numpy")
def _unlink(slot: int, whole: np.ndarray, ends: np.ndarray) -> None:
    older, newer = whole[slot, OLDER], whole[slot, NEWER]
    if older >= 0:
        whole[older, NEWER] = newer
    else:
        ends[1] = newer
    if newer >= 0:
        whole[newer, OLDER] = older
    else:
        ends[2] = older


@njit(cache=True, nogil=True, error_model="numpy")
def _found(address: int, real: np.ndarray, whole: np.ndarray, bucket: np.ndarray, ends: np.ndarray) -> int:
    """A row for a new address: a free one, or that of the aircraft unheard longest."""
    if ends[0] < len(whole):
        slot = ends[0]
        ends[0] += 1
    else:
        slot = ends[1]
        _unlink(slot, whole, ends)
        at = _bucket_of(whole[slot, ADDRESS], len(bucket))
        if bucket[at] == slot:
            bucket[at] = whole[slot, NEXT]
        else:
            before = bucket[at]
            while whole[before, NEXT] != slot:
                before = whole[before, NEXT]
            whole[before, NEXT] = whole[slot, NEXT]
    at = _bucket_of(address, len(bucket))
    real[slot, :] = np.nan
    for column in (CLEAN_S, CALLSIGN_S, SQUAWK_S, VELOCITY_S, ACCURACY_S, POSITION_S, EVEN_S, ODD_S):
        real[slot, column] = -np.inf
    whole[slot, ADDRESS] = address
    whole[slot, CALLSIGN] = -1
    whole[slot, CATEGORY] = 0
    whole[slot, DOMAIN] = 1
    whole[slot, SQUAWK] = -1
    whole[slot, NAC_P] = -1
    whole[slot, REFUSALS] = 0
    whole[slot, NEXT] = bucket[at]
    bucket[at] = slot
    return int(slot)


@njit(cache=True, nogil=True, error_model="numpy")
def _heard(slot: int, whole: np.ndarray, ends: np.ndarray) -> None:
    """To the newest end of the order."""
    whole[slot, OLDER] = ends[2]
    whole[slot, NEWER] = -1
    if ends[2] >= 0:
        whole[ends[2], NEWER] = slot
    else:
        ends[1] = slot
    ends[2] = slot


@njit(cache=True, nogil=True, error_model="numpy")
def _callsign(me: int, letters: np.ndarray) -> int:
    """The 48 bits of a call sign, -1 where they are none: a code without a character, or spaces only."""
    anything = False
    for shift in range(0, 48, 6):
        kind = letters[(me >> shift) & 0x3F]
        if kind == 0:
            return -1
        anything |= kind == 2
    return me & _CALLSIGN_BITS if anything else -1


@njit(cache=True, nogil=True, error_model="numpy")
def fold(
    time_s: np.ndarray,
    content: np.ndarray,
    address: np.ndarray,
    me: np.ndarray,
    odd: np.ndarray,
    cpr_lat: np.ndarray,
    cpr_lon: np.ndarray,
    altitude_ft: np.ndarray,
    nic: np.ndarray,
    nac_p: np.ndarray,
    squawk: np.ndarray,
    speed_mps: np.ndarray,
    track_deg: np.ndarray,
    climb_mps: np.ndarray,
    above_ft: np.ndarray,
    limits: np.ndarray,
    receiver_lat_deg: float,
    receiver_lon_deg: float,
    letters: np.ndarray,
    category_of: np.ndarray,
    domain_of: np.ndarray,
    epu_m: np.ndarray,
    rc_m: np.ndarray,
    real: np.ndarray,
    whole: np.ndarray,
    bucket: np.ndarray,
    ends: np.ndarray,
    row: np.ndarray,
    out: np.ndarray,
    codes: np.ndarray,
    refused: np.ndarray,
    tally: np.ndarray,
) -> int:
    """Folds frames (columns of :class:`~keepclear.feeds.mode_s_fields.FrameColumns`) into the table; returns how many
    reports came of it.

    ``real`` (aircraft, REALS), ``whole`` (aircraft, WHOLES), ``bucket`` and ``ends`` [rows used, oldest, newest] are
    the table. ``limits`` is [pair age, anchor age, the same on the ground, speed, margin, refusals, age of velocity,
    of accuracy, of identity, of an address for a reply]. A report is its frame's number in ``row``, [lat, lon, baro
    ft, geo ft, speed, track, climb, accuracy] in ``out`` and [on ground, domain, category, squawk, address, call
    sign] in ``codes``. ``refused`` receives the addresses of positions that nothing can have reached, ``tally[0]``
    how many.
    """
    pair_age_s, anchor_age_s, surface_age_s, speed_max, margin_m = limits[0], limits[1], limits[2], limits[3], limits[4]
    refusals_max, velocity_age_s, accuracy_age_s = limits[5], limits[6], limits[7]
    identity_age_s, reply_age_s = limits[8], limits[9]
    has_receiver = receiver_lat_deg - receiver_lat_deg == 0.0
    reports = 0
    refusals = 0
    for i in range(len(content)):
        kind = content[i]
        if kind == 0:
            continue
        t = time_s[i]
        slot = _find(address[i], whole, bucket)
        if kind == REPLY_SQUAWK:
            if slot >= 0 and abs(t - real[slot, CLEAN_S]) <= reply_age_s:
                whole[slot, SQUAWK], real[slot, SQUAWK_S] = squawk[i], t
            continue
        if slot < 0:
            slot = _found(address[i], real, whole, bucket, ends)
        else:
            _unlink(slot, whole, ends)
        _heard(slot, whole, ends)
        a = real[slot]
        b = whole[slot]
        a[CLEAN_S] = t
        if kind == VELOCITY:
            a[SPEED], a[TRACK], a[CLIMB], a[ABOVE_FT] = speed_mps[i], track_deg[i], climb_mps[i], above_ft[i]
            a[VELOCITY_S] = t
            continue
        if kind == IDENTIFICATION:
            sign = _callsign(me[i], letters)
            if sign >= 0:
                b[CALLSIGN], a[CALLSIGN_S] = sign, t
            type_code, number = me[i] >> 51, (me[i] >> 48) & 7
            if 1 <= type_code <= 4 and number > 0:
                b[CATEGORY], b[DOMAIN] = category_of[type_code, number], domain_of[type_code, number]
            continue
        if kind == ACCURACY:
            b[NAC_P], a[ACCURACY_S] = nac_p[i], t
            continue
        if kind == STATUS_SQUAWK:
            b[SQUAWK], a[SQUAWK_S] = squawk[i], t
            continue

        on_surface = kind == SURFACE
        is_odd = odd[i] != 0
        found, lat, lon = False, 0.0, 0.0
        trusted = b[REFUSALS] < refusals_max
        if on_surface:
            a[SPEED], a[TRACK], a[CLIMB], a[ABOVE_FT] = speed_mps[i], track_deg[i], math.nan, math.nan
            a[VELOCITY_S] = t
            # Surface and airborne codes must not be paired.
            a[EVEN_S], a[ODD_S] = -math.inf, -math.inf
            if abs(t - a[POSITION_S]) <= surface_age_s and trusted:
                found, lat, lon = local_position(cpr_lat[i], cpr_lon[i], is_odd, a[LAT], a[LON], True)
            elif has_receiver:
                found, lat, lon = local_position(
                    cpr_lat[i], cpr_lon[i], is_odd, receiver_lat_deg, receiver_lon_deg, True
                )
        else:
            if is_odd:
                a[ODD_S], a[ODD_LAT], a[ODD_LON] = t, cpr_lat[i], cpr_lon[i]
                other_s = a[EVEN_S]
            else:
                a[EVEN_S], a[EVEN_LAT], a[EVEN_LON] = t, cpr_lat[i], cpr_lon[i]
                other_s = a[ODD_S]
            if abs(t - other_s) <= pair_age_s:
                found, lat, lon = airborne_pair(a[EVEN_LAT], a[EVEN_LON], a[ODD_LAT], a[ODD_LON], is_odd)
            if not found and abs(t - a[POSITION_S]) <= anchor_age_s and trusted:
                found, lat, lon = local_position(cpr_lat[i], cpr_lon[i], is_odd, a[LAT], a[LON], False)
        if not found:
            continue
        elapsed_s = abs(t - a[POSITION_S])
        if elapsed_s <= surface_age_s and trusted:
            north_m = (lat - a[LAT]) * _METRES_A_DEGREE
            east_m = ((lon - a[LON] + 180.0) % 360.0 - 180.0) * _METRES_A_DEGREE * math.cos(math.radians(lat))
            reach_m = speed_max * elapsed_s + margin_m
            if north_m * north_m + east_m * east_m > reach_m * reach_m:
                b[REFUSALS] += 1
                refused[refusals] = b[ADDRESS]
                refusals += 1
                continue
        b[REFUSALS] = 0
        a[LAT], a[LON], a[POSITION_S] = lat, lon, t

        moving = abs(t - a[VELOCITY_S]) <= velocity_age_s
        row[reports] = i
        o = out[reports]
        o[0], o[1] = lat, lon
        o[2] = altitude_ft[i] if kind == BARO else math.nan
        o[3] = altitude_ft[i] if kind == GNSS else math.nan
        if moving and kind == BARO:
            # Type 19 gives the GNSS height above the ellipsoid minus this pressure altitude (Doc 9871 C.2.3.5.7).
            o[3] = o[2] + a[ABOVE_FT]
        o[4] = a[SPEED] if moving else math.nan
        o[5] = a[TRACK] if moving else math.nan
        o[6] = a[CLIMB] if moving else math.nan
        accuracy = math.nan
        if abs(t - a[ACCURACY_S]) <= accuracy_age_s and 0 <= b[NAC_P] < len(epu_m):
            accuracy = epu_m[b[NAC_P]]
        if math.isnan(accuracy) and 0 <= nic[i] < len(rc_m):
            accuracy = rc_m[nic[i]]
        o[7] = accuracy
        c = codes[reports]
        c[0] = 1 if on_surface else 0
        c[1] = b[DOMAIN]
        c[2] = b[CATEGORY]
        c[3] = b[SQUAWK] if abs(t - a[SQUAWK_S]) <= identity_age_s else -1
        c[4] = b[ADDRESS]
        c[5] = b[CALLSIGN] if abs(t - a[CALLSIGN_S]) <= identity_age_s else -1
        reports += 1
    tally[0] = refusals
    return reports
