"""Whatever clocks say, the order of a log stays; what cannot be is marked, and so is every late reply."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.channel.dating import Misdated, misdated
from keepclear.channel.entry import Draft, Entry
from keepclear.channel.log import LogState, follow, write
from keepclear.channel.record.verify import verify_export
from keepclear.simulation.channel_record import Exercise, ExerciseFiles
from keepclear.simulation.parties import CREATED_MS, exercise_charter, exercise_key

HOUR_MS = 3_600_000
CHARTER = exercise_charter("alpha", "bravo")
LIMIT_MS = CHARTER.limits.clock_ahead_max_ms
STEPS = st.lists(
    st.sampled_from((0, 1, 999, -1_000, LIMIT_MS, -LIMIT_MS, -LIMIT_MS - 1, HOUR_MS, -HOUR_MS)), max_size=12
)


def written(steps: list[int]) -> list[Entry]:
    """Entries of a log whose writer's clock takes those steps between them."""
    state, at_ms, records = LogState.begin(CHARTER, "alpha"), CREATED_MS, []
    for step in (0, *steps):
        at_ms += step
        drafts = [Draft("message", b"")]
        state, new = write(
            state, drafts, key=exercise_key("alpha", "entry"), seen={}, at_ms=at_ms, salts=[bytes(32)]
        )  # fmt: skip
        records += new
    after, entries = follow(LogState.begin(CHARTER, "alpha"), records)
    assert after == state
    return entries


@settings(max_examples=40)
@given(STEPS)
def test_an_hour_back_or_forth_changes_no_order_and_a_step_back_beyond_the_limit_is_marked(steps: list[int]) -> None:
    entries = written(steps)
    assert [entry.seq for entry in entries] == list(range(len(entries)))
    marks = [
        misdated(after, received_ms=after.at_ms, ahead_max_ms=LIMIT_MS, last_ms=before.at_ms)
        for before, after in pairwise(entries)
    ]
    assert marks == [Misdated.BEFORE_ITS_OWN_LAST if step < -LIMIT_MS else None for step in steps]


def test_a_leap_second_which_posix_counts_twice_is_no_fault_of_anybody() -> None:
    midnight_ms = 1_483_228_800_000  # 2016-12-31 23:59:60 has the number of the second after it
    at_ms = [midnight_ms - 500, midnight_ms, midnight_ms + 500, midnight_ms, midnight_ms + 500]
    entries = written([b - a for a, b in zip([CREATED_MS, *at_ms], at_ms, strict=False)])[1:]
    for before, after in pairwise(entries):
        assert misdated(after, after.at_ms, LIMIT_MS, seen_ms=before.at_ms, last_ms=before.at_ms) is None


@given(st.integers(-2 * HOUR_MS, 2 * HOUR_MS))
def test_an_entry_is_marked_exactly_if_it_is_further_ahead_than_the_charter_allows(ahead_ms: int) -> None:
    entry = written([])[0]
    wanted = Misdated.AHEAD if ahead_ms > LIMIT_MS else None
    assert misdated(entry, entry.at_ms - ahead_ms, LIMIT_MS) is wanted


@settings(max_examples=30)
@given(st.lists(st.integers(-600_000, 600_000), min_size=1, max_size=6))
def test_every_reply_after_a_messages_validity_is_told_as_late_and_no_other(margins_ms: list[int]) -> None:
    exercise = Exercise(CHARTER.ids)
    for _ in margins_ms:
        exercise.message("alpha")
    messages = [Entry.parse(held.record.payload) for held in exercise.records("alpha", 0)]
    for seq, margin_ms in enumerate(margins_ms):
        until_ms = messages[seq].until_ms
        assert until_ms is not None
        later_ms = until_ms + margin_ms - exercise.now_ms
        exercise.say("bravo", [Draft("answer", b"{}", re=(exercise.reference("alpha", seq),))], later_ms=later_ms)
    found = verify_export(ExerciseFiles(exercise.files()))
    assert found.verified
    late = [finding.where for finding in found.findings.kept if finding.kind == "late"]
    assert late == [f"entry {seq} of bravo" for seq, margin_ms in enumerate(margins_ms) if margin_ms > 0]
