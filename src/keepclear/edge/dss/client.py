"""A client of any DSS that speaks F3548-21 or F3411: one request, one answer, and no doubt left about the outcome.

A read is repeated as it is. A write that gets no answer is not: what became of it is looked up by id, since versions
tell (only we can write what is ours). If it was made, it is made once more with the new version, because only the
answer of a write says whom to notify.
"""

from __future__ import annotations

import contextlib
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec

from keepclear.dss.utm_messages import NO_OVN_PHRASE, SubscriberToNotify
from keepclear.edge.dss.signatures import MessageSigner
from keepclear.edge.dss.tokens import Tokens
from keepclear.errors import InputError, KeepclearError, UsageError
from keepclear.uss import requests
from keepclear.uss.entities import Entity, EntityKind, Reference, read_details, read_reference
from keepclear.uss.requests import OF_KIND, Ask, Kept

__all__ = ["Changed", "DssClient", "DssConflict", "DssRefused", "DssUnreachable", "check_base_url", "decode_answer"]

CONNECT_S, ANSWER_S = 3.0, 10.0
"""A DSS decides within five seconds or refuses."""
ANSWER_BYTES_MAX = 64 * 1024 * 1024
TRIES = 4
PAUSE_S, PAUSE_MAX_S = 0.5, 8.0
_UNDECIDED = frozenset({500, 502, 503, 504})
"""After these it is not known whether a write was made."""


class DssUnreachable(KeepclearError):
    """No answer. For a write: what became of it is not known; look it up by id."""


class DssRefused(KeepclearError):
    """An answer that is a refusal. ``status`` is the HTTP code."""

    def __init__(self, status: int, said: str, where: str) -> None:
        super().__init__(f"{where} answers {status}: {said}" if said else f"{where} answers {status}")
        self.status = status


class DssConflict(DssRefused):
    """409. ``missing``: what an operational intent's key lacks, where that was the reason."""

    def __init__(self, said: str, where: str, missing: list[tuple[EntityKind, Reference]]) -> None:
        super().__init__(409, said, where)
        self.missing = missing


@dataclass(frozen=True, slots=True)
class Changed:
    """The answer of a write. ``subscribers`` None: it was made, but its answer and with it their list was lost."""

    document: Mapping[str, Any]
    subscribers: list[SubscriberToNotify] | None = field(default_factory=list)


class DssClient:
    """For one thread; a context manager. ``url`` is the DSS's; peers are called where the DSS says they are.

    ``allow_http`` is for development. ``ca_file``: whose certificates are trusted in place of the usual ones.
    """

    def __init__(
        self,
        url: str,
        tokens: Tokens,
        *,
        allow_http: bool = False,
        ca_file: Path | None = None,
        signer: MessageSigner | None = None,
        http: httpx.Client | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._allow_http = allow_http
        self.url = check_base_url(url, allow_http)
        self._tokens = tokens
        self._signer = signer
        timeout = httpx.Timeout(ANSWER_S, connect=CONNECT_S)
        self._http = http or httpx.Client(timeout=timeout, trust_env=False, verify=_trust(ca_file))
        self._sleep = sleep

    def __enter__(self) -> DssClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    # Reads

    def find(self, kept: Kept, name: str) -> dict[str, Any] | None:
        """What the DSS has under the id; None where there is nothing."""
        try:
            answer = self.ask(requests.get(kept, name))
        except DssRefused as refused:
            if refused.status == 404:
                return None
            raise
        found = answer.get(kept.one)
        if not isinstance(found, dict) or not isinstance(found.get(kept.version), str):
            raise InputError(f"the answer has no {kept.one} with its {kept.version}", where=f"{self.url}{kept.path}")
        return found

    def query(self, kind: EntityKind, area: Mapping[str, Any]) -> list[Reference]:
        """References of what meets the Volume4D."""
        kept = OF_KIND[kind]
        answer = self.ask(requests.query(kept, area))
        return [read_reference(one, f"{self.url}{kept.path}") for one in self._many(kept, answer)]

    def search(self, kept: Kept, area: str, **times: str | None) -> list[dict[str, Any]]:
        """Service areas or subscriptions of F3411 within ``lat,lng,…``."""
        found = self._many(kept, self.ask(requests.search(kept, area, **times)))
        if not all(isinstance(one, dict) for one in found):
            raise InputError(f"the answer's {kept.many} are not objects", where=f"{self.url}{kept.path}")
        return found

    def details(self, kind: EntityKind, reference: Reference) -> Entity:
        """From the USS that manages it. Raises :class:`InputError` where the answer is about something else."""
        base = check_base_url(reference.uss_base_url, self._allow_http)
        entity = read_details(self.ask(requests.details(kind, reference.id), base), kind, base)
        if entity.reference.id != reference.id or entity.reference.manager != reference.manager:
            raise InputError("the answer is about another entity or manager", where=f"{base}, {reference.id}")
        return entity

    # Writes

    def put(
        self, kept: Kept, name: str, version: str | None, body: Mapping[str, Any], *, also: tuple[str, ...] = ()
    ) -> Changed:
        """Create (``version`` None) or update. Raises :class:`DssConflict`, :class:`DssRefused`, and
        :class:`DssUnreachable` where even the outcome cannot be learnt."""
        doubtful = False
        for attempt in range(TRIES):
            try:
                answer = self.ask(requests.put(kept, name, version, body, also=also))
                return Changed(answer, _subscribers(answer))
            except (_Undecided, DssConflict) as error:
                if isinstance(error, DssConflict) and not doubtful:
                    raise
                doubtful = True
                found = self.find(kept, name)
                now = found and self._ours(kept, found)
                if now and now != version:
                    version, doubtful = now, False
                    continue
                if isinstance(error, DssConflict):
                    raise
                self._pause(attempt)
        raise DssUnreachable(f"{self.url}: {TRIES} tries to write {name} got no answer; look it up by its id")

    def delete(self, kept: Kept, name: str, version: str) -> Changed:
        """Remove. Raises as :meth:`put` does."""
        for attempt in range(TRIES):
            try:
                answer = self.ask(requests.delete(kept, name, version))
                return Changed(answer, _subscribers(answer))
            except _Undecided:
                if self.find(kept, name) is None:
                    return Changed({}, None)
                self._pause(attempt)
        raise DssUnreachable(f"{self.url}: {TRIES} tries to remove {name} got no answer; look it up by its id")

    def put_availability(self, uss_id: str, old_version: str, availability: str) -> dict[str, Any]:
        """Set it. A lost answer is looked up, as in :meth:`put`."""
        for attempt in range(TRIES):
            try:
                return self.ask(requests.put_availability(uss_id, old_version, availability))
            except _Undecided:
                found = self.ask(requests.get_availability(uss_id))
                if found.get("version") != old_version:
                    return found
                self._pause(attempt)
        raise DssUnreachable(f"{self.url}: {TRIES} tries to set the availability of {uss_id} got no answer")

    def notify(self, kind: EntityKind, url: str, body: bytes) -> None:
        """One try to tell a subscriber; raises what went wrong."""
        base = check_base_url(url, self._allow_http)
        self._once(requests.notify(kind, body), base)

    def ask(self, ask: Ask, base: str | None = None) -> dict[str, Any]:
        """One request to the DSS, or to the USS at ``base``. A safe one is tried again; any is when it was refused
        for now (429) or never sent."""
        base = base or self.url
        error: KeepclearError | None = None
        for attempt in range(TRIES):
            try:
                return self._once(ask, base)
            except _Undecided as undecided:
                if not ask.safe:
                    raise
                error = undecided
            except _NotSent as not_sent:
                error = not_sent
            except DssRefused as refused:
                if refused.status != 429:
                    raise
                error = refused
            self._pause(attempt)
        assert error is not None
        raise DssUnreachable(str(error)) if isinstance(error, _NotSent | _Undecided) else error

    def _once(self, ask: Ask, base: str) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {self._tokens.bearer(base, ask.scopes)}", "accept": "application/json"}
        content = ask.body if isinstance(ask.body, bytes) or ask.body is None else msgspec.json.encode(ask.body)
        if content is not None:
            headers["content-type"] = "application/json"
        if self._signer is not None:
            headers = self._signer.sign(ask.method, base + ask.path, headers, content)
        where = f"{ask.method} {base}{ask.path.partition('?')[0]}"
        try:
            with self._http.stream(ask.method, base + ask.path, content=content, headers=headers) as answer:
                data = b""
                for chunk in answer.iter_bytes():
                    data += chunk
                    if len(data) > ANSWER_BYTES_MAX:
                        raise DssRefused(answer.status_code, "more than can be read", where)
                status = answer.status_code
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise _NotSent(f"{where}: cannot be reached ({_reason(error)})") from None
        except (httpx.HTTPError, OSError) as error:
            raise _Undecided(f"{where}: no answer ({_reason(error)})") from None
        if status in _UNDECIDED:
            raise _Undecided(f"{where} answers {status}")
        if status >= 300:
            raise _refusal(status, data, where)
        return decode_answer(data, where)

    def _ours(self, kept: Kept, found: Mapping[str, Any]) -> str | None:
        version = found.get(kept.version)
        return version if isinstance(version, str) and version != NO_OVN_PHRASE else None

    def _many(self, kept: Kept, answer: Mapping[str, Any]) -> list[Any]:
        found = answer.get(kept.many, [])
        if not isinstance(found, list):
            raise InputError(f"the answer's {kept.many} are no list", where=f"{self.url}{kept.path}")
        return found

    def _pause(self, attempt: int) -> None:
        self._sleep(min(PAUSE_MAX_S, PAUSE_S * 2.0**attempt))


class _Undecided(DssUnreachable):
    """Sent, and not answered."""


class _NotSent(DssUnreachable):
    """Certainly without effect."""


def check_base_url(url: str, allow_http: bool = False) -> str:
    """The URL without a slash at its end. Raises :class:`UsageError` for what is not called."""
    try:
        parts = httpx.URL(url)
        usable = bool(parts.host) and not parts.query and not parts.userinfo and len(url) <= 2_048
    except (httpx.InvalidURL, ValueError, TypeError):
        usable = False
    if not usable or parts.scheme not in (("https", "http") if allow_http else ("https",)):
        raise UsageError(f"{url[:100]!r}: a DSS and a USS are called at https://…")
    return url.rstrip("/")


def _trust(ca_file: Path | None) -> ssl.SSLContext | bool:
    if ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"{ca_file}: no certificates in PEM ({error})") from None


def _refusal(status: int, data: bytes, where: str) -> DssRefused:
    try:
        body = msgspec.json.decode(data)
        said = str(body["message"])[:400]
    except (msgspec.MsgspecError, UnicodeDecodeError, KeyError, TypeError, RecursionError):
        return DssRefused(status, " ".join(data[:200].decode("utf-8", "replace").split()), where)
    if status != 409:
        return DssRefused(status, said, where)
    missing: list[tuple[EntityKind, Reference]] = []
    for name, kind in (("operational_intents", EntityKind.INTENT), ("constraints", EntityKind.CONSTRAINT)):
        listed = body.get(f"missing_{name}")
        for one in listed if isinstance(listed, list) else ():
            with contextlib.suppress(InputError):  # that it was refused matters more than each reason
                missing.append((kind, read_reference(one, where)))
    return DssConflict(said, where, missing)


def decode_answer(data: bytes, where: str) -> dict[str, Any]:
    """Raises :class:`InputError` for what is no object in JSON."""
    if not data:
        return {}
    try:
        body = msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise InputError("the answer is no JSON", where=where) from None
    if not isinstance(body, dict):
        raise InputError("the answer is no object", where=where)
    return body


def _subscribers(answer: Mapping[str, Any]) -> list[SubscriberToNotify]:
    try:
        return msgspec.convert(answer.get("subscribers", []), list[SubscriberToNotify])
    except msgspec.ValidationError:
        return []  # F3411-19 has another shape; the answer itself is handed on


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
