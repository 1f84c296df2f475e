"""Requests in, answers out: decides requests in batches, and lets no answer leave before what it rests on is on disk.

All decisions are taken on the event loop, one after the other. While a batch is being written, the next one gathers;
so thirty clients share one fsync. A question that saw a batch's effects waits for that batch too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from keepclear.dss.airspace import Airspace
from keepclear.dss.expiry import KEEP_US, expired
from keepclear.dss.records import Change, Kind
from keepclear.dss.refusal import Refusal, RefusalKind
from keepclear.dss.request import Moment
from keepclear.dss.store import DssStoreError, FellBehind, Store, TurnLost

__all__ = ["Engine", "Watcher"]

BATCH_MAX = 64
"""Requests decided in one go: at a millisecond each the loop is held no longer than an answer may take."""
WAITING_MAX = 1_000
"""More than this would wait longer than a client does."""
WAIT_MAX_S = 5.0
"""A request that could not be decided by then is refused without effect; clients give up after ten seconds."""
ATTEMPTS_MAX = 20
"""Turns lost to other servers before the requests are refused (F3548-21: 409 after repeated attempts)."""
SWEEP_EVERY_S = 60.0
TURN_PAUSE_S = 0.003
"""Between two turns over a shared database: whoever has just had one would be quicker than who waits, and take the next
one too, for one request."""

T = TypeVar("T")


class Changing(Protocol):
    """Any rule's outcome: it says what changes."""

    @property
    def changes(self) -> list[Change]: ...

    @property
    def counts(self) -> dict[str, int]: ...


O = TypeVar("O", bound=Changing)  # noqa: E741


class Watcher(Protocol):
    """Is told what the engine does, for metrics."""

    def batch(self, requests: int, records: int, write_s: float) -> None: ...

    def turn_lost(self) -> None: ...


class _Silent:
    def batch(self, requests: int, records: int, write_s: float) -> None:
        return

    def turn_lost(self) -> None:
        return


@dataclass(slots=True, eq=False)
class _Waiting:
    decide: Callable[[Airspace, Moment], Any]
    answer: asyncio.Future[Any]
    until_s: float


class Engine:
    """One server's airspace over a store. :meth:`start` before use, :meth:`stop` after."""

    def __init__(
        self,
        store: Store,
        moment: Callable[[], Moment],
        *,
        make_airspace: Callable[[], Airspace] = Airspace,
        keep_us: int = KEEP_US,
        watcher: Watcher | None = None,
    ) -> None:
        self.airspace = make_airspace()
        self._store = store
        self._moment = moment
        self._make_airspace = make_airspace
        self._keep_us = keep_us
        self._watcher = watcher or _Silent()
        self._queue: list[_Waiting] = []
        self._arrived = asyncio.Event()
        self._turn = asyncio.Lock()
        self._writing: asyncio.Future[None] | None = None
        self._next_news: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False
        self.stale = False
        """the airspace in memory may differ from the database's; nothing is answered until it is loaded again"""

    async def start(self) -> None:
        """Load everything. Raises :class:`DssStoreError`."""
        self.airspace.apply(await self._store.load())
        self._tasks = [asyncio.create_task(self._write_batches()), asyncio.create_task(self._sweep())]

    async def stop(self) -> None:
        """Decide and write what waits, take nothing more, let go of the database."""
        self._stopping = True
        self._arrived.set()
        await self._tasks[0]
        self._tasks[1].cancel()
        await asyncio.gather(self._tasks[1], return_exceptions=True)
        await self._store.close()

    @property
    def waiting(self) -> int:
        return len(self._queue)

    async def ask(self, question: Callable[[Airspace, Moment], T]) -> T:
        """The answer from an airspace that is at least as new as the question, and durable."""
        while True:
            if self._store.shared or self.stale:
                await self._hear_news()
            answer = question(self.airspace, self._moment())
            if self._writing is None:
                return answer
            try:
                await asyncio.shield(self._writing)
                return answer
            except DssStoreError:
                continue

    async def change(self, decide: Callable[[Airspace, Moment], O]) -> O:
        """Decide, write, then answer. Raises what ``decide`` raises, :class:`Refusal` and :class:`DssStoreError`."""
        if self._stopping or len(self._queue) >= WAITING_MAX:
            raise Refusal(RefusalKind.TOO_MANY, "the server has too much to do; nothing was changed; try again")
        loop = asyncio.get_running_loop()
        waiting = _Waiting(decide, loop.create_future(), loop.time() + WAIT_MAX_S)
        self._queue.append(waiting)
        self._arrived.set()
        outcome: O = await waiting.answer
        return outcome

    async def _write_batches(self) -> None:
        while True:
            await self._arrived.wait()
            if not self._queue:
                if self._stopping:
                    return
                self._arrived.clear()
                continue
            batch, self._queue = self._queue[:BATCH_MAX], self._queue[BATCH_MAX:]
            async with self._turn:
                await self._settle(batch)
            if self._store.shared:
                await asyncio.sleep(TURN_PAUSE_S)

    async def _settle(self, batch: list[_Waiting]) -> None:
        for _ in range(ATTEMPTS_MAX):
            try:
                if self.stale:
                    await self._load_again()
                done = await self._attempt(batch)
            except TurnLost:
                self._watcher.turn_lost()
                continue
            except FellBehind:
                self.stale = True
                continue
            except DssStoreError as error:
                self.stale = True
                done = [(waiting, error) for waiting in batch]
            except Exception as error:  # a defect: whatever it left in memory is not to be trusted
                self.stale = True
                await self._store.abort()
                done = [(waiting, error) for waiting in batch]
            break
        else:
            refusal = Refusal(
                RefusalKind.CONFLICT, "other servers were faster each time; nothing was changed; try again"
            )
            done = [(waiting, refusal) for waiting in batch]
        for waiting, result in done:
            if waiting.answer.done():
                continue
            if isinstance(result, Exception):
                waiting.answer.set_exception(result)
            else:
                waiting.answer.set_result(result)

    async def _attempt(self, batch: list[_Waiting]) -> list[tuple[_Waiting, Any]]:
        """One turn: hear the news, decide all, write once."""
        loop = asyncio.get_running_loop()
        self.airspace.apply(await self._store.begin())
        results: list[tuple[_Waiting, Any]] = []
        undo: list[list[Change] | dict[str, int | None]] = []
        latest: dict[tuple[Kind, str], Change] = {}
        counts: dict[str, int] = {}
        for waiting in batch:
            result = self._decide(waiting, loop.time())
            results.append((waiting, result))
            if isinstance(result, Exception):
                continue
            undo.append(self.airspace.apply(result.changes))
            for change in result.changes:
                latest[change.kind, change.id] = change
                if change.kind is Kind.COUNT:
                    counts.pop(change.id, None)
            if result.counts:
                raised = result.counts
                known = self.airspace.counts
                undo.append({name: known.get(name) for name in raised})
                dict.update(known, raised)
                counts.update(raised)
        for name, count in counts.items():
            latest[Kind.COUNT, name] = Change(Kind.COUNT, name, count)
        if not latest:
            await self._store.abort()
            return results
        began_s = loop.time()
        self._writing = loop.create_future()
        try:
            await self._store.commit(list(latest.values()))
        except BaseException as error:
            for step in reversed(undo):
                if isinstance(step, dict):
                    self.airspace.apply(Change(Kind.COUNT, name, count) for name, count in step.items())
                else:
                    self.airspace.apply(step)
            failed = error if isinstance(error, DssStoreError) else DssStoreError("the turn was lost")
            self._writing.set_exception(failed)
            self._writing.exception()  # looked at here, so that nobody has to
            raise
        else:
            self._writing.set_result(None)
        finally:
            self._writing = None
        self._watcher.batch(len(batch), len(latest), loop.time() - began_s)
        return results

    def _decide(self, waiting: _Waiting, now_s: float) -> Any:
        if waiting.answer.cancelled():
            return Refusal(RefusalKind.TOO_MANY, "nobody waits for the answer any more")
        if now_s > waiting.until_s:
            return Refusal(RefusalKind.TOO_MANY, f"not decided within {WAIT_MAX_S:g} s; nothing was changed; try again")
        try:
            return waiting.decide(self.airspace, self._moment())
        except Exception as error:
            return error

    async def _hear_news(self) -> None:
        """Questions that come while an earlier look is under way share the next one."""
        if self._next_news is None:
            self._next_news = asyncio.create_task(self._look())
        await asyncio.shield(self._next_news)

    async def _look(self) -> None:
        async with self._turn:
            self._next_news = None
            try:
                if self.stale:
                    await self._load_again()
                else:
                    self.airspace.apply(await self._store.news())
            except (FellBehind, DssStoreError):
                self.stale = True
                await self._load_again()

    async def _load_again(self) -> None:
        changes = await self._store.load()
        airspace = self._make_airspace()
        airspace.apply(changes)
        self.airspace, self.stale = airspace, False

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_EVERY_S)
            try:
                await self.change(lambda airspace, moment: _Swept(expired(airspace, moment.now_us, self._keep_us)))
            except (Refusal, DssStoreError):
                continue  # the next round will do

    async def sweep(self) -> int:
        """Remove now what has been kept long enough. Returns how many records went."""
        swept = await self.change(lambda airspace, moment: _Swept(expired(airspace, moment.now_us, self._keep_us)))
        return len(swept.changes)


@dataclass(frozen=True, slots=True)
class _Swept:
    changes: list[Change]
    counts: dict[str, int] = field(default_factory=dict)
