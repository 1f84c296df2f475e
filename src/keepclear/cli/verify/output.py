"""A verification as people and machines read it."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click

from keepclear.channel.record.verification import LogReport, Trust, Verification
from keepclear.channel.record.verification_words import not_proved, proved
from keepclear.cli.verify.alone import Statement
from keepclear.cli.verify.decisions import decision_lines, decisions_object
from keepclear.decisions.procedure.recomputation import Recomputed

__all__ = ["write_alone", "write_verification"]


def write_verification(found: Verification, recomputed: Recomputed, format_: str) -> None:
    if format_ == "json":
        click.echo(json.dumps(_object(found) | decisions_object(recomputed), ensure_ascii=False))
        return
    lines = [f"{found.verdict}{_trust(found)}"]
    if found.channel:
        lines += [
            f"channel  {found.channel}  «{_plain(found.name)}», {found.charters} version(s) of the charter",
            f"digits   {found.digits}",
        ]
    lines += [f"fault    {_plain(str(finding))}" for finding in found.findings.kept if finding.fault]
    lines += [f"fork     {fork}" for fork in found.forks]
    lines += [f"remark   {_plain(str(finding))}" for finding in found.findings.kept if not finding.fault]
    if found.findings.dropped:
        lines.append(f"         and {found.findings.dropped:,} more of these kinds")
    for log in found.logs:
        lines += _log_lines(log, found)
    lines += [_plain(line) for line in decision_lines(recomputed)]
    lines += _section("proved", proved(found)) + _section("not proved", not_proved(found))
    click.echo("\n".join(lines))


def write_alone(statement: Statement, format_: str) -> None:
    if format_ == "json":
        click.echo(json.dumps(asdict(statement), ensure_ascii=False))
        return
    lines = [f"{statement.verdict}: {_plain(statement.what)}", *_section("not proved", statement.not_proved)]
    click.echo("\n".join(lines))


def _trust(found: Verification) -> str:
    if not found.verified:
        return f": {found.findings.faults:,} fault(s)"
    forks = ", AND IT PROVES A FORK" if found.forks else ""
    if found.untrue_transcripts:
        forks += f", BUT NOT {', '.join(found.untrue_transcripts)}"
    if found.trust is Trust.PINNED:
        return f"{forks}: the record of the channel that you named is whole"
    return (
        f"{forks}, BUT ONLY IN ITSELF: nothing was given from elsewhere to show whose record this is. "
        "Compare the digits below with a party over another medium, and give them as --channel"
    )


def _log_lines(log: LogReport, found: Verification) -> list[str]:
    if not log.sound:
        return [f"log      {log.party}: not sound; {log.read:,} entries fitted before the first fault"]
    held = ", ".join(
        f"{party} holds {holding.size:,} ({_time(holding.time_s)})"
        for party, holding in sorted(log.held.items())
        if party != log.party
    )
    lines = [f"log      {log.party}: {log.size:,} entries, root {log.root}; {held or 'held by nobody'}"]
    counts = found.levels.get(log.party)
    if counts and counts["sent"]:
        levels = ", ".join(f"{name} {counts[name]:,}" for name in ("HELD", "SHOWN", "READ_BACK", "ANSWERED"))
        lines.append(f"         {counts['sent']:,} messages, by all their recipients: {levels}")
    return lines


def _section(title: str, sentences: list[str]) -> list[str]:
    return [f"{title}:", *(f"  – {sentence}" for sentence in sentences)] if sentences else []


def _object(found: Verification) -> dict[str, Any]:
    return {
        "verdict": found.verdict, "trust": str(found.trust), "channel": found.channel, "digits": found.digits,
        "name": found.name, "charters": found.charters, "forks": found.forks, "proofs": found.proofs,
        "transcripts": found.transcripts,
        "findings": [asdict(finding) for finding in found.findings.kept], "counts": dict(found.findings.counts),
        "logs": [_log_object(log, found) for log in found.logs],
        "proved": proved(found), "not_proved": not_proved(found),
    }  # fmt: skip


def _log_object(log: LogReport, found: Verification) -> dict[str, Any]:
    return {
        "party": log.party, "sound": log.sound, "size": log.size, "root": log.root, "read": log.read,
        "held": {party: {"size": held.size, "time_s": held.time_s} for party, held in log.held.items()},
        "witnesses": {name: {"size": size, "time_s": time_s} for name, (size, time_s) in log.witnesses.items()},
        "witnesses_needed": log.witnesses_needed, "witnessed": log.witnessed, "bodies": log.bodies,
        "bodies_absent": log.bodies_absent, "bodies_erased": log.bodies_erased, "kinds": dict(log.kinds),
        "first_ms": log.first_ms, "last_ms": log.last_ms, "messages": dict(found.levels.get(log.party, {})),
    }  # fmt: skip


def _time(time_s: int) -> str:
    try:
        return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return f"{time_s} s"


def _plain(text: str) -> str:
    """Foreign text must not steer the reader's terminal."""
    return "".join(c if c.isprintable() else "�" for c in text)
