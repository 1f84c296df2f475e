"""The line's state machine: what it says, when it says it, and that it never says why."""

from __future__ import annotations

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.channel.communications import (
    SAMPLES,
    Answered,
    Cause,
    CheckSettings,
    Event,
    Line,
    LineChange,
    LineStatus,
    Missed,
    Stated,
    Tick,
    periodic_test,
    step,
)
from keepclear.errors import UsageError

OK = Answered(1_000, 1_010, 1_010, 1_020)
SETTINGS = CheckSettings()
HOUR_MS = 3_600_000


def run(*events: tuple[int, Event], line: Line | None = None) -> tuple[Line, list[LineChange]]:
    line = line or Line()
    changes = []
    for at_ms, event in events:
        line, change = step(line, event, at_ms)
        changes += [change] if change else []
    return line, changes


def test_a_line_is_untested_until_a_check_is_answered() -> None:
    assert run((0, Tick()), (60_000, Tick()))[0].status is LineStatus.UNTESTED
    line, changes = run((0, OK))
    assert line.status is LineStatus.UP
    assert [(c.before, c.after) for c in changes] == [(LineStatus.UNTESTED, LineStatus.UP)]


def test_it_goes_down_in_the_stated_steps_and_comes_back_in_the_stated_steps() -> None:
    misses = [(t, Missed()) for t in range(2_000, 12_000, 2_000)]
    answers = [(t, OK) for t in range(12_000, 18_000, 2_000)]
    _, changes = run((0, OK), *misses, *answers)
    assert [(c.after, c.at_ms) for c in changes] == [
        (LineStatus.UP, 0), (LineStatus.TEST_MISSED, 2_000), (LineStatus.DEGRADED, 6_000), (LineStatus.SILENT, 10_000),
        (LineStatus.RESTORED, 12_000), (LineStatus.UP, 16_000),
    ]  # fmt: skip


def test_only_changes_are_to_be_logged() -> None:
    _, changes = run(*[(2_000 * k, OK) for k in range(1_000)])
    assert len(changes) == 1


def test_r1_6_a_missed_test_is_of_unknown_cause_and_asks_for_the_backup() -> None:
    line, changes = run((0, OK), (2_000, Missed()))
    assert line.cause is Cause.UNKNOWN
    assert line.use_backup
    assert changes[-1].cause is Cause.UNKNOWN


def test_a_backup_that_answers_keeps_the_line_degraded_and_not_silent() -> None:
    events: list[tuple[int, Event]] = [(0, OK)]
    for at_ms in range(2_000, 60_000, 2_000):
        events += [(at_ms, Missed()), (at_ms, Answered(1, 2, 2, 3, backup=True))]
    line, _ = run(*events)
    assert line.status is LineStatus.DEGRADED
    assert run((60_000, OK), line=line)[0].status is LineStatus.RESTORED


def test_a_silent_line_that_answers_over_the_backup_is_degraded() -> None:
    silent, _ = run((0, OK), (10_000, Missed()))
    assert silent.status is LineStatus.SILENT
    line, _ = run((11_000, Answered(1, 2, 2, 3, backup=True)), line=silent)
    assert line.status is LineStatus.DEGRADED


def test_a_line_that_never_answered_is_silent_after_the_same_time() -> None:
    line, changes = run(*[(2_000 * k, Missed()) for k in range(1, 6)])
    assert [(c.before, c.after, c.at_ms) for c in changes] == [(LineStatus.UNTESTED, LineStatus.SILENT, 10_000)]
    assert line.cause is Cause.UNKNOWN


def test_time_alone_makes_a_line_silent_where_no_check_reports() -> None:
    assert run((0, OK), (9_999, Tick()))[0].status is LineStatus.UP
    assert run((0, OK), (10_000, Tick()))[0].status is LineStatus.SILENT


def test_r1_6_a_cause_is_what_somebody_states_and_goes_when_the_line_answers() -> None:
    line, changes = run((0, OK), (2_000, Missed()), (10_000, Tick()), (11_000, Stated(Cause.HOLIDAY)))
    assert (line.status, line.cause) == (LineStatus.SILENT, Cause.HOLIDAY)
    assert changes[-1] == LineChange(LineStatus.SILENT, LineStatus.SILENT, Cause.HOLIDAY, 11_000)
    assert line.since_ms == 10_000
    line, _ = run((12_000, OK), line=line)
    assert (line.status, line.cause) == (LineStatus.RESTORED, Cause.NONE)


def test_a_cause_stated_while_the_line_is_up_changes_nothing() -> None:
    line, changes = run((0, OK), (1_000, Stated(Cause.DECLINED)))
    assert (line.status, line.cause, len(changes)) == (LineStatus.UP, Cause.NONE, 1)


def test_a_cause_cannot_be_taken_back_to_nothing() -> None:
    with pytest.raises(UsageError, match="a cause is stated"):
        step(Line(), Stated(Cause.NONE), 0)


def test_the_clock_offset_is_that_of_the_quickest_exchange() -> None:
    slow = Answered(0, 3_000, 3_000, 4_000)  # one way took longer: looks 1,000 ms ahead
    quick = Answered(10_000, 10_110, 10_115, 10_025)  # 20 ms on the way, 100 ms ahead
    line, _ = run((0, slow), (1, quick), (2, slow))
    assert line.clock is not None
    assert (line.clock.offset_ms, line.clock.round_trip_ms) == (100.0, 20.0)
    assert line.clock.differs_by(89.0)
    assert not line.clock.differs_by(91.0)


def test_an_exchange_during_which_a_clock_was_set_is_not_taken_for_an_offset() -> None:
    assert run((0, Answered(10_000, 5_000, 5_000, 9_000)))[0].clock is None
    assert run((0, Answered(10_000, 5_000, 4_000, 10_020)))[0].clock is None


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(UsageError, match="period"):
        CheckSettings(period_ms=20_000, lost_after_ms=10_000)


def test_parties_take_turns_by_the_hour_and_try_every_transport_in_a_day() -> None:
    parties, transports = ("a", "b"), ("https", "bundle", "nats")
    day = [periodic_test(parties, transports, hour * HOUR_MS + 17) for hour in range(24)]
    assert [test.party for test in day[:4]] == ["a", "b", "a", "b"]
    assert {(test.party, test.transport) for test in day} == {(p, t) for p in parties for t in transports}
    assert (day[1].begins_ms, day[1].ends_ms) == (HOUR_MS, 2 * HOUR_MS)
    with pytest.raises(UsageError, match="needs parties"):
        periodic_test((), transports, 0)


events = st.one_of(
    st.builds(Answered, *[st.integers(0, 10**6)] * 4, backup=st.booleans()), st.builds(Missed, backup=st.booleans()),
    st.sampled_from([Cause.UNKNOWN, Cause.TECHNICAL, Cause.DECLINED, Cause.HOLIDAY]).map(Stated), st.just(Tick()),
)  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 5_000), events), max_size=60))
def test_r1_6_whatever_happens_silence_is_shown_in_time_and_no_cause_is_made_up(story: list[tuple[int, Event]]) -> None:
    line, now_ms, stated = Line(), 0, {Cause.NONE, Cause.UNKNOWN}
    for wait_ms, event in story:
        now_ms += wait_ms
        before = line
        line, change = step(line, event, now_ms)
        stated |= {event.cause} if isinstance(event, Stated) else set()
        assert line.cause in stated
        assert (line.cause is Cause.NONE) == (line.status in (LineStatus.UNTESTED, LineStatus.UP, LineStatus.RESTORED))
        assert (change is None) == (before.status is line.status and before.cause is line.cause)
        if line.last_answer_ms is not None:
            assert (now_ms - line.last_answer_ms >= SETTINGS.lost_after_ms) <= (line.status is LineStatus.SILENT)
        assert len(line.samples) <= SAMPLES


def test_the_step_depends_on_nothing_but_its_arguments() -> None:
    story: list[tuple[int, Event]] = [(0, OK), (2_000, Missed()), (5_000, Missed()), (9_000, OK)]
    fold = [reduce(lambda line, e: step(line, e[1], e[0])[0], story, Line()) for _ in range(2)]
    assert fold[0] == fold[1]
