"""Beside the standards: InterUSS's auxiliary and versioning interfaces, health, readiness, metrics, our own OpenAPI."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from keepclear.dss import pool
from keepclear.dss.instants import parse_instant
from keepclear.dss.refusal import Refusal, RefusalKind, bad
from keepclear.server.dss.operations import Call, Operation

__all__ = ["OPERATIONS", "SYSTEM_IDENTITY"]

SYSTEM_IDENTITY = "keepclear.dss"
"""Under this name ``/versions`` knows us."""


async def _version(call: Call) -> Any:
    return {"version": call.dss.identity.version}


async def _validate_oauth(call: Call) -> Any:
    owner = call.query("owner")
    if owner is not None and owner != call.caller.subject:
        raise Refusal(RefusalKind.NOT_ALLOWED, f"the token was issued to {call.caller.subject}, not to that owner")
    return {}


async def _get_pool(call: Call) -> Any:
    return {"dar_id": _pool_id(call)}


async def _get_instances(call: Call) -> Any:
    _pool_id(call)
    return await call.dss.engine.ask(lambda airspace, moment: pool.instances(airspace))


async def _put_heartbeat(call: Call) -> Any:
    _pool_id(call)
    source, at, expected = call.query("source"), call.query("timestamp"), call.query("next_heartbeat_expected_before")
    if source is None:
        raise bad("a heartbeat needs source=…")
    at_us = None if at is None else parse_instant(at, "timestamp")
    expected_us = None if expected is None else parse_instant(expected, "next_heartbeat_expected_before")
    identity = call.dss.identity
    outcome = await call.dss.engine.change(
        lambda airspace, moment: pool.beat(
            airspace, call.caller, moment, identity.instance_id, identity.public_url, source, at_us, expected_us
        )
    )
    return outcome.answer


async def _get_certificates(call: Call) -> Any:
    raise NotImplementedError("this instance's nodes do not certify each other; its database does that")


async def _get_options(call: Call) -> Any:
    """Options of another implementation that a pool must agree on. None of them is in use here."""
    return {"scd_global_lock": False, "scd_hash_lock": False, "time_based_notification_index": False}


async def _get_lock_mode(call: Call) -> Any:
    """The same question as an earlier version of the interface asks it."""
    return {"global_lock": False}


async def _get_system_version(call: Call) -> Any:
    identity = call.path("system_identity")
    if identity != SYSTEM_IDENTITY:
        raise Refusal(RefusalKind.NOT_FOUND, f"this is {SYSTEM_IDENTITY}, not {identity[:100]}")
    return {"system_identity": identity, "system_version": call.dss.identity.version}


async def _healthy(call: Call) -> Any:
    return Response("ok", media_type="text/plain")


async def _ready(call: Call) -> Any:
    """Ready: the database answered just now."""
    await call.dss.engine.ask(lambda airspace, moment: None)
    return Response("ready", media_type="text/plain")


async def _metrics(call: Call) -> Any:
    airspace = call.dss.engine.airspace
    live = {
        "intent": len(airspace.intents),
        "constraint": len(airspace.constraints),
        "subscription": len(airspace.subscriptions),
        "service_area": len(airspace.service_areas),
        "area_subscription": len(airspace.area_subscriptions),
    }
    return Response(call.dss.metrics.text(live, call.dss.engine.waiting), media_type="text/plain; version=0.0.4")


def _pool_id(call: Call) -> str:
    if call.dss.identity.pool_id is None:
        raise NotImplementedError("this instance is in no pool: --pool ID names one")
    return call.dss.identity.pool_id


_CONFIGURATION, _POOL = "/aux/v1/configuration", "/aux/v1/pool"

OPERATIONS = (
    Operation("get_version", "GET", "/aux/v1/version", _version, None, codes=()),
    Operation("validate_oauth", "GET", "/aux/v1/validate_oauth", _validate_oauth, "validate_oauth", codes=(429,),
              queries=("owner",)),
    Operation("get_pool", "GET", _POOL, _get_pool, "get_pool", codes=(429, 501)),
    Operation("get_instances", "GET", f"{_POOL}/dss_instances", _get_instances, "get_instances", codes=(429, 501)),
    Operation("put_heartbeat", "PUT", f"{_POOL}/dss_instances/heartbeat", _put_heartbeat, "put_heartbeat", 201,
              (400, 429, 501), queries=("source", "timestamp", "next_heartbeat_expected_before")),
    Operation("get_accepted_ca_certs", "GET", f"{_CONFIGURATION}/accepted_ca_certs", _get_certificates, None,
              codes=(501,)),
    Operation("get_ca_certs", "GET", f"{_CONFIGURATION}/ca_certs", _get_certificates, None, codes=(501,)),
    Operation("get_options", "GET", f"{_CONFIGURATION}/global_options", _get_options, "get_options", codes=(429,)),
    Operation("get_lock_mode", "GET", f"{_CONFIGURATION}/scd_lock_mode", _get_lock_mode, "get_options", codes=(429,)),
    Operation("get_system_version", "GET", "/versions/{system_identity}", _get_system_version, "get_system_version",
              codes=(404, 429)),
    Operation("healthy", "GET", "/healthy", _healthy, None, codes=()),
    Operation("healthy_utm", "GET", "/dss/v1/healthy", _healthy, None, codes=()),
    Operation("ready", "GET", "/ready", _ready, None, codes=(503,)),
)  # fmt: skip
METRICS = Operation("metrics", "GET", "/metrics", _metrics, None, codes=())
