"""ASTM F3548-21 between a USS and the DSS: operational intents, constraints, subscriptions, availability, reports."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec

from keepclear.dss import availability, constraints, intents, reports, subscriptions
from keepclear.dss.airspace import Airspace
from keepclear.dss.extent import Extent
from keepclear.dss.refusal import RefusalKind, bad
from keepclear.dss.request import Rules, check_id, parse
from keepclear.dss.utm_messages import (
    AvailabilityAnswer,
    ChangedConstraint,
    ChangedIntent,
    ChangedSubscription,
    PutConstraint,
    PutOperationalIntent,
    PutSubscription,
    Query,
    SetAvailability,
    constraint_reference,
    intent_reference,
    subscription_message,
    written_reference,
)
from keepclear.dss.volumes import extent_of
from keepclear.server.dss.operations import Call, Operation, body_of, prepared

__all__ = ["OPERATIONS"]

_PUT_INTENT = msgspec.json.Decoder(PutOperationalIntent)
_PUT_CONSTRAINT = msgspec.json.Decoder(PutConstraint)
_PUT_SUBSCRIPTION = msgspec.json.Decoder(PutSubscription)
_QUERY = msgspec.json.Decoder(Query)
_SET_AVAILABILITY = msgspec.json.Decoder(SetAvailability)
_ANY = msgspec.json.Decoder(dict[str, Any])


def _area(body: bytes, rules: Rules, too_large: RefusalKind) -> Extent:
    area = parse(_QUERY, body).area_of_interest
    if area is None:
        raise bad("a query needs area_of_interest")
    return extent_of(area, rules, too_large)


async def _query(call: Call, member: str, too_large: RefusalKind, find: Callable[[Airspace, Extent], list[Any]]) -> Any:
    rules = call.dss.rules
    area = await prepared(call, lambda body: _area(body, rules, too_large))
    return {member: await call.dss.engine.ask(lambda airspace, moment: find(airspace, area))}


async def _query_intents(call: Call) -> Any:
    viewer = call.caller.subject
    return await _query(
        call, "operational_intent_references", RefusalKind.BAD_REQUEST,
        lambda airspace, area: [written_reference(i, airspace, viewer) for i in intents.query(airspace, area)],
    )  # fmt: skip


async def _get_intent(call: Call) -> Any:
    intent_id = check_id(call.path("entityid"))
    reference = await call.dss.engine.ask(
        lambda airspace, moment: intent_reference(intents.get(airspace, intent_id), airspace, call.caller.subject)
    )
    return {"operational_intent_reference": reference}


async def _put_intent(call: Call) -> Any:
    intent_id, ovn = check_id(call.path("entityid")), _version(call, "ovn")
    rules, caller = call.dss.rules, call.caller
    wanted = await prepared(call, lambda body: intents.prepare(parse(_PUT_INTENT, body), caller, ovn, rules))
    outcome = await call.dss.engine.change(
        lambda airspace, moment: intents.put(airspace, caller, moment, intent_id, ovn, wanted)
    )
    return outcome.answer


async def _delete_intent(call: Call) -> Any:
    intent_id, ovn = check_id(call.path("entityid")), call.path("ovn")
    outcome = await call.dss.engine.change(
        lambda airspace, moment: intents.delete(airspace, call.caller, moment, intent_id, ovn)
    )
    return outcome.answer


async def _query_constraints(call: Call) -> Any:
    viewer = call.caller.subject
    return await _query(
        call, "constraint_references", RefusalKind.TOO_LARGE,
        lambda airspace, area: [constraint_reference(c, airspace, viewer) for c in constraints.query(airspace, area)],
    )  # fmt: skip


async def _get_constraint(call: Call) -> Any:
    constraint_id = check_id(call.path("entityid"))
    reference = await call.dss.engine.ask(
        lambda airspace, moment: constraint_reference(
            constraints.get(airspace, constraint_id), airspace, call.caller.subject
        )
    )
    return {"constraint_reference": reference}


async def _put_constraint(call: Call) -> Any:
    constraint_id, ovn = check_id(call.path("entityid")), _version(call, "ovn")
    wanted = await prepared(call, lambda body: constraints.prepare(parse(_PUT_CONSTRAINT, body), call.dss.rules))
    outcome = await call.dss.engine.change(
        lambda airspace, moment: constraints.put(airspace, call.caller, moment, constraint_id, ovn, wanted)
    )
    return outcome.answer


async def _delete_constraint(call: Call) -> Any:
    constraint_id, ovn = check_id(call.path("entityid")), call.path("ovn")
    outcome = await call.dss.engine.change(
        lambda airspace, moment: constraints.delete(airspace, call.caller, moment, constraint_id, ovn)
    )
    return outcome.answer


async def _query_subscriptions(call: Call) -> Any:
    area = await prepared(call, lambda body: _area(body, call.dss.rules, RefusalKind.TOO_LARGE))
    found = await call.dss.engine.ask(
        lambda airspace, moment: [
            subscription_message(s, airspace) for s in subscriptions.query(airspace, call.caller, moment.now_us, area)
        ]
    )
    return {"subscriptions": found}


async def _get_subscription(call: Call) -> Any:
    subscription_id = check_id(call.path("subscriptionid"))
    found = await call.dss.engine.ask(
        lambda airspace, moment: subscription_message(
            subscriptions.get(airspace, call.caller, subscription_id), airspace
        )
    )
    return {"subscription": found}


async def _put_subscription(call: Call) -> Any:
    subscription_id, version = check_id(call.path("subscriptionid")), _version(call, "version")
    wanted = await prepared(
        call, lambda body: subscriptions.prepare(parse(_PUT_SUBSCRIPTION, body), call.caller, call.dss.rules)
    )
    outcome = await call.dss.engine.change(
        lambda airspace, moment: subscriptions.put(airspace, call.caller, moment, subscription_id, version, wanted)
    )
    return outcome.answer


async def _delete_subscription(call: Call) -> Any:
    subscription_id, version = check_id(call.path("subscriptionid")), call.path("version")
    outcome = await call.dss.engine.change(
        lambda airspace, moment: subscriptions.delete(airspace, call.caller, subscription_id, version)
    )
    return outcome.answer


async def _make_report(call: Call) -> Any:
    body = await body_of(call)
    parse(_ANY, body)
    document = json.loads(body)
    outcome = await call.dss.engine.change(
        lambda airspace, moment: reports.make(airspace, call.caller, moment, document, body)
    )
    return outcome.answer


async def _put_availability(call: Call) -> Any:
    message = parse(_SET_AVAILABILITY, await body_of(call))
    outcome = await call.dss.engine.change(
        lambda airspace, moment: availability.put(airspace, moment, call.path("uss_id"), message)
    )
    return outcome.answer


async def _get_availability(call: Call) -> Any:
    return await call.dss.engine.ask(lambda airspace, moment: availability.get(airspace, call.path("uss_id")))


def _version(call: Call, name: str) -> str | None:
    """The path's OVN or version; None where the path has no such part: a creation."""
    return call.path(name) if name in call.request.path_params else None


_INTENTS, _CONSTRAINTS = "/dss/v1/operational_intent_references", "/dss/v1/constraint_references"
_SUBSCRIPTIONS, _AVAILABILITY = "/dss/v1/subscriptions", "/dss/v1/uss_availability/{uss_id}"
_QUERY_CODES, _PUT_CODES = (400, 413, 429), (400, 409, 412, 413, 429)
_DELETE_CODES = (400, 404, 409, 412, 429)

OPERATIONS = (
    Operation("query_intents", "POST", f"{_INTENTS}/query", _query_intents, "query_intents", codes=_QUERY_CODES,
              body=Query),
    Operation("get_intent", "GET", f"{_INTENTS}/{{entityid}}", _get_intent, "get_intent", codes=(400, 404, 429)),
    Operation("create_intent", "PUT", f"{_INTENTS}/{{entityid}}", _put_intent, "put_intent", 201, _PUT_CODES,
              PutOperationalIntent, ChangedIntent),
    # An OVN may be left out by mistake, behind its slash: that is a refusal of ours, not a missing page (rule 11).
    Operation("update_intent", "PUT", f"{_INTENTS}/{{entityid}}/{{ovn:path}}", _put_intent, "put_intent", 200,
              _PUT_CODES, PutOperationalIntent, ChangedIntent),
    Operation("delete_intent", "DELETE", f"{_INTENTS}/{{entityid}}/{{ovn:path}}", _delete_intent, "delete_intent",
              codes=_DELETE_CODES, answer=ChangedIntent),
    Operation("query_constraints", "POST", f"{_CONSTRAINTS}/query", _query_constraints, "query_constraints",
              codes=_QUERY_CODES, body=Query),
    Operation("get_constraint", "GET", f"{_CONSTRAINTS}/{{entityid}}", _get_constraint, "get_constraint",
              codes=(400, 404, 429)),
    Operation("create_constraint", "PUT", f"{_CONSTRAINTS}/{{entityid}}", _put_constraint, "put_constraint", 201,
              (400, 409, 413, 429), PutConstraint, ChangedConstraint),
    Operation("update_constraint", "PUT", f"{_CONSTRAINTS}/{{entityid}}/{{ovn:path}}", _put_constraint,
              "put_constraint", 200, (400, 409, 413, 429), PutConstraint, ChangedConstraint),
    Operation("delete_constraint", "DELETE", f"{_CONSTRAINTS}/{{entityid}}/{{ovn:path}}", _delete_constraint,
              "delete_constraint", codes=(400, 404, 409, 429), answer=ChangedConstraint),
    Operation("query_subscriptions", "POST", f"{_SUBSCRIPTIONS}/query", _query_subscriptions, "query_subscriptions",
              codes=_QUERY_CODES, body=Query),
    Operation("get_subscription", "GET", f"{_SUBSCRIPTIONS}/{{subscriptionid}}", _get_subscription,
              "get_subscription", codes=(400, 404, 429)),
    Operation("create_subscription", "PUT", f"{_SUBSCRIPTIONS}/{{subscriptionid}}", _put_subscription,
              "put_subscription", 200, (400, 409, 413, 429), PutSubscription, ChangedSubscription),
    Operation("update_subscription", "PUT", f"{_SUBSCRIPTIONS}/{{subscriptionid}}/{{version:path}}",
              _put_subscription, "put_subscription", 200, (400, 409, 413, 429), PutSubscription, ChangedSubscription),
    Operation("delete_subscription", "DELETE", f"{_SUBSCRIPTIONS}/{{subscriptionid}}/{{version:path}}",
              _delete_subscription, "delete_subscription", codes=(400, 404, 409, 429)),
    Operation("make_report", "POST", "/dss/v1/reports", _make_report, "make_report", 201, (400, 413, 429)),
    Operation("put_availability", "PUT", _AVAILABILITY, _put_availability, "put_availability",
              codes=(400, 409, 413, 429), body=SetAvailability, answer=AvailabilityAnswer),
    Operation("get_availability", "GET", _AVAILABILITY, _get_availability, "get_availability", codes=(400, 429),
              answer=AvailabilityAnswer),
)  # fmt: skip
