"""The slow twin: every shipped rule said once more, by its id, in fractions and in plain words, from no data file."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

OBJECT = {"AGAINST", "BREAK_SILENCE", "AMEND"}
SILENT, UNREACHED, ABSENT_SILENT = "SILENT", "UNREACHED", "ABSENT_SILENT"
"""Said nothing and had the text; nothing is known; away, and had the text."""


@dataclass(frozen=True)
class Seat:
    says: str
    population: int = 1
    permanent: bool = False


def adopted(rule: str, seats: list[Seat]) -> bool:
    """Members who are left out are not among the seats."""
    says = [seat.says for seat in seats]
    people = sum(seat.population for seat in seats)
    yes = [seat for seat in seats if seat.says == "FOR"]
    no = [seat for seat in seats if seat.says == "AGAINST"]
    share_of_members = Fraction(len(yes), len(seats))
    share_of_people = Fraction(sum(seat.population for seat in yes), people)
    not_in_favour = len(seats) - len(yes)
    match rule:
        case "consensus" | "nato-consensus" | "osce-consensus" | "eu-european-council-consensus":
            return _consensus(says)
        case "osce-consensus-minus-one":
            return _consensus(says)
        case "silence" | "nato-silence" | "osce-silence" | "eu-silence" | "unga-silence":
            fine = {"FOR", "ABSTAIN", "QUALIFIED_ABSTAIN", SILENT, ABSENT_SILENT}
            return all(word in fine for word in says)
        case "unanimity" | "eu-unanimity":
            return _unanimity(says)
        case "eu-cfsp-unanimity":
            apart = [seat for seat in seats if seat.says == "QUALIFIED_ABSTAIN"]
            third_of_members = Fraction(len(apart), len(seats)) >= Fraction(1, 3)
            third_of_people = Fraction(sum(seat.population for seat in apart), people) >= Fraction(1, 3)
            stopped = bool(apart) and third_of_members and third_of_people
            return _unanimity(says) and not stopped
        case "simple-majority" | "ep-simple-majority" | "unga-simple-majority":
            return len(yes) > len(no)
        case "absolute-majority" | "eu-simple-majority" | "ep-component-majority":
            return share_of_members > Fraction(1, 2)
        case "two-thirds" | "unga-two-thirds":
            return _two_thirds(len(yes), len(no))
        case "ep-two-thirds":
            return _two_thirds(len(yes), len(no)) and share_of_members > Fraction(1, 2)
        case "eu-qualified-majority":
            if len(yes) < 15 or share_of_members < Fraction(55, 100):
                return False
            return share_of_people >= Fraction(65, 100) or not_in_favour < 4
        case "eu-qualified-majority-72" | "eu-qualified-majority-participating-72":
            return share_of_members >= Fraction(72, 100) and share_of_people >= Fraction(65, 100)
        case "eu-qualified-majority-participating":
            if share_of_members < Fraction(55, 100):
                return False
            return share_of_people >= Fraction(65, 100) or not_in_favour < _fewest_beyond_35(seats) + 1
        case "unsc-substantive":
            return len(yes) >= 9 and not any(seat.permanent for seat in no)
        case "unsc-procedural":
            return len(yes) >= 9
        case "dual-key":
            return len(yes) == len(seats)
    raise AssertionError(f"the twin does not know {rule}")


def _consensus(says: list[str]) -> bool:
    """Nobody objects, nobody reserves, everybody is known to have the text or to be away, and somebody is there."""
    if any(word in OBJECT or word == "RESERVE" for word in says):
        return False
    return UNREACHED not in says and any(word not in ("ABSENT", ABSENT_SILENT) for word in says)


def _unanimity(says: list[str]) -> bool:
    """Everybody answers, nobody objects, and somebody wants it."""
    return all(word in ("FOR", "ABSTAIN", "QUALIFIED_ABSTAIN") for word in says) and "FOR" in says


def _two_thirds(yes: int, no: int) -> bool:
    return yes > 0 and Fraction(yes, yes + no) >= Fraction(2, 3)


def _fewest_beyond_35(seats: list[Seat]) -> int:
    people = sum(seat.population for seat in seats)
    for count in range(1, len(seats) + 1):
        largest = sorted((seat.population for seat in seats), reverse=True)[:count]
        if Fraction(sum(largest), people) > Fraction(35, 100):
            return count
    raise AssertionError("all together have all")
