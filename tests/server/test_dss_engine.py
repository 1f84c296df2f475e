"""The engine: no answer before its change is on disk, no trace of what was not written, no effect after a time-out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from keepclear.dss.airspace import Airspace
from keepclear.dss.records import Availability, Change, Kind, UssState
from keepclear.dss.refusal import Refusal, RefusalKind
from keepclear.dss.request import Moment, Outcome
from keepclear.dss.store import DssStoreError, FellBehind, TurnLost
from keepclear.edge.dss.sqlite import SqliteStore
from keepclear.server.dss import engine as engine_module
from keepclear.server.dss.engine import Engine
from keepclear.server.dss.serve import now_moment


@dataclass
class MemoryStore:
    """Keeps what is committed; does what it is told to: wait, fail, lose its turn."""

    shared: bool = False
    kept: dict[tuple[Kind, str], Change] = field(default_factory=dict)
    fail: list[Exception] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    batches: list[int] = field(default_factory=list)
    loads: int = 0

    async def load(self) -> list[Change]:
        self.loads += 1
        return list(self.kept.values())

    async def news(self) -> list[Change]:
        if self.fail:
            raise self.fail.pop(0)
        return []

    async def begin(self) -> list[Change]:
        return []

    async def commit(self, changes: Sequence[Change]) -> None:
        await self.gate.wait()
        if self.fail:
            raise self.fail.pop(0)
        self.batches.append(len(changes))
        self.kept.update({(change.kind, change.id): change for change in changes})

    async def abort(self) -> None:
        return

    async def close(self) -> None:
        return


def put(name: str) -> Any:
    def decide(airspace: Airspace, moment: Moment) -> Outcome:
        version = str(int(airspace.availabilities[name].version) + 1) if name in airspace.availabilities else "1"
        return Outcome(version, [Change(Kind.AVAILABILITY, name, Availability(name, UssState.DOWN, version))], {"n": 1})

    return decide


def names(airspace: Airspace, moment: Moment) -> list[str]:
    return sorted(airspace.availabilities)


def test_no_answer_before_the_change_is_on_disk_and_a_batch_shares_one_write() -> None:
    async def main() -> None:
        store = MemoryStore()
        engine = Engine(store, now_moment)
        await engine.start()
        first = asyncio.create_task(engine.change(put("a")))
        await asyncio.sleep(0.01)
        others = [asyncio.create_task(engine.change(put(name))) for name in "bcd"]
        question = asyncio.create_task(engine.ask(names))
        await asyncio.sleep(0.01)
        assert not first.done()
        assert not question.done(), "it has seen what is not on disk yet"
        store.gate.set()
        await asyncio.gather(first, *others)
        assert await question == ["a"]
        assert store.batches == [2, 4]  # a record and a count; three records and the one count
        await engine.stop()

    asyncio.run(main())


def test_what_could_not_be_written_leaves_no_trace() -> None:
    async def main() -> None:
        store = MemoryStore()
        store.gate.set()
        engine = Engine(store, now_moment)
        await engine.start()
        await engine.change(put("a"))
        store.fail.append(DssStoreError("the disk is full"))
        with pytest.raises(DssStoreError):
            await engine.change(put("b"))
        assert await engine.ask(names) == ["a"]
        assert store.loads == 2, "memory was taken anew from the database"
        assert (await engine.change(put("b"))).answer == "1"
        await engine.stop()

    asyncio.run(main())


def test_a_question_during_a_failing_write_is_answered_from_what_is_on_disk() -> None:
    async def main() -> None:
        store = MemoryStore(fail=[DssStoreError("the disk is full")])
        engine = Engine(store, now_moment)
        await engine.start()
        change = asyncio.create_task(engine.change(put("a")))
        await asyncio.sleep(0.01)
        question = asyncio.create_task(engine.ask(names))
        await asyncio.sleep(0.01)
        store.gate.set()
        assert await question == []
        with pytest.raises(DssStoreError):
            await change
        await engine.stop()

    asyncio.run(main())


def test_a_lost_turn_is_taken_again_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "ATTEMPTS_MAX", 3)

    async def main() -> None:
        store = MemoryStore(fail=[TurnLost(), TurnLost()])
        store.gate.set()
        engine = Engine(store, now_moment)
        await engine.start()
        assert (await engine.change(put("a"))).answer == "1"
        store.fail = [TurnLost(), TurnLost(), TurnLost()]
        with pytest.raises(Refusal) as caught:
            await engine.change(put("a"))
        assert caught.value.kind is RefusalKind.CONFLICT
        assert engine.airspace.availabilities["a"].version == "1"
        await engine.stop()

    asyncio.run(main())


def test_a_request_that_waited_too_long_is_refused_without_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "WAIT_MAX_S", 0.0)

    async def main() -> None:
        store = MemoryStore()
        store.gate.set()
        engine = Engine(store, now_moment)
        await engine.start()
        with pytest.raises(Refusal) as caught:
            await engine.change(put("a"))
        assert caught.value.kind is RefusalKind.TOO_MANY
        assert await engine.ask(names) == []
        await engine.stop()

    asyncio.run(main())


def test_a_request_whose_asker_went_away_before_the_decision_has_no_effect() -> None:
    async def main() -> None:
        store = MemoryStore()
        engine = Engine(store, now_moment)
        await engine.start()
        first = asyncio.create_task(engine.change(put("a")))
        await asyncio.sleep(0.01)
        second = asyncio.create_task(engine.change(put("b")))
        await asyncio.sleep(0.01)
        second.cancel()
        store.gate.set()
        await first
        assert await engine.ask(names) == ["a"]
        await engine.stop()

    asyncio.run(main())


def test_more_than_can_wait_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "WAITING_MAX", 1)

    async def main() -> None:
        store = MemoryStore()
        engine = Engine(store, now_moment)
        await engine.start()
        tasks = [asyncio.create_task(engine.change(put(name))) for name in "abc"]
        await asyncio.sleep(0.01)
        store.gate.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert sum(isinstance(result, Refusal) for result in results) == 2
        await engine.stop()

    asyncio.run(main())


def test_stopping_answers_what_waits_and_takes_nothing_more() -> None:
    async def main() -> None:
        store = MemoryStore()
        engine = Engine(store, now_moment)
        await engine.start()
        waiting = [asyncio.create_task(engine.change(put(name))) for name in "ab"]
        await asyncio.sleep(0.01)
        stopping = asyncio.create_task(engine.stop())
        await asyncio.sleep(0.01)
        with pytest.raises(Refusal):
            await engine.change(put("c"))
        store.gate.set()
        await stopping
        assert len(await asyncio.gather(*waiting)) == 2
        assert {name for _, name in store.kept} == {"a", "b", "n"}

    asyncio.run(main())


def test_a_server_that_fell_behind_loads_everything_again() -> None:
    async def main() -> None:
        store = MemoryStore(shared=True)
        store.gate.set()
        engine = Engine(store, now_moment)
        await engine.start()
        await engine.change(put("a"))
        store.fail.append(FellBehind())
        assert await engine.ask(names) == ["a"]
        assert store.loads == 2
        await engine.stop()

    asyncio.run(main())


def test_a_defect_in_one_decision_harms_no_other() -> None:
    def broken(airspace: Airspace, moment: Moment) -> Outcome:
        raise ZeroDivisionError

    async def main() -> None:
        store = MemoryStore()
        store.gate.set()
        engine = Engine(store, now_moment)
        await engine.start()
        results = await asyncio.gather(
            engine.change(put("a")), engine.change(broken), engine.change(put("b")), return_exceptions=True
        )
        assert [type(result) for result in results] == [Outcome, ZeroDivisionError, Outcome]
        await engine.stop()

    asyncio.run(main())


def test_what_has_ended_cleans_itself_up(tmp_path: Path) -> None:
    async def main() -> None:
        engine = Engine(SqliteStore(tmp_path / "dss.sqlite"), now_moment, keep_us=0)
        await engine.start()
        assert await engine.sweep() == 0
        await engine.stop()

    asyncio.run(main())
