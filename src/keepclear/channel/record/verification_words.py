"""What a verification proves and what it does not, in sentences, from what was found."""

from __future__ import annotations

from keepclear.channel.record.verification import Trust, Verification

__all__ = ["not_proved", "proved"]


def proved(found: Verification) -> list[str]:
    """Empty where the record is not verified: of a broken record nothing is said as a whole."""
    if not found.verified:
        return []
    entries = sum(log.size for log in found.logs)
    said = [
        f"all {len(found.logs)} logs here, {entries:,} entries, are exactly what their parties' keys signed: nothing "
        "in them was changed, dropped, inserted or put in another order",
    ]
    bodies, absent = sum(log.bodies for log in found.logs), sum(log.bodies_absent for log in found.logs)
    erased = sum(log.bodies_erased for log in found.logs)
    text = f"{bodies:,} bodies are the ones that were signed"
    if absent:
        text += f"; {absent:,} are not here, of which {erased:,} their author says were erased"
    said.append(text)
    for log in found.logs:
        for party, holding in sorted(log.held.items()):
            if party != log.party and holding.size:
                said.append(f"{party} held the first {holding.size:,} entries of {log.party}")
        if log.witnesses_needed:
            said.append(
                f"the witnesses that the charter asks for saw the first {log.witnessed:,} entries of {log.party}"
            )
    said += [f"{fork}: no error of transmission can do that" for fork in found.forks]
    same = sorted(name for name, is_same in found.transcripts.items() if is_same)
    if same:
        said.append(f"{', '.join(same)}: what the entries say, word for word as this version writes it")
    return said


def not_proved(found: Verification) -> list[str]:
    """The limits, those first that this record's reader can do something about."""
    said = []
    if found.trust is Trust.INTERNAL:
        said.append(
            "that these are the parties they claim to be: nothing from elsewhere was given. Compare the thirty digits "
            "with a party, or give --charter or --channel"
        )
    for name in found.untrue_transcripts:
        said.append(
            f"that {name} says what the entries say: it differs from what this version writes of them. Somebody has "
            "changed it, or another version wrote it; read the entries, and write a new one from them"
        )
    unknown = sorted(name for name, same in found.transcripts.items() if same is None)
    if unknown:
        said.append(f"anything in {', '.join(unknown)}: this version writes no such file, and did not look into it")
    missing = set(found.parties) - {log.party for log in found.logs}
    if missing:
        said.append(f"what {', '.join(sorted(missing))} said: their logs are not here")
    said.append("that a log ends where it ends here: a tail that nobody here refers to can be withheld unseen")
    if any(log.size and not log.witnesses_needed for log in found.logs):
        said.append(
            "that no party has told another history to somebody else: no neutral witness was asked for, and all "
            "parties together could have written everything anew"
        )
    said += [
        "times: each is by its writer's clock, bounded only by what others had seen and cosigned",
        "who sat at the keyboard: a stolen key speaks until it is revoked",
        "that anything said is so, or was understood: a read-back shows what was repeated, not what was meant",
    ]
    return said
