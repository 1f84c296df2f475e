"""ASTM F3411-19 and -22a between a USS and the DSS: one set of handlers, told apart by their shape."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from keepclear.dss import area_subscriptions, service_areas
from keepclear.dss.remote_id import V19, V22A, PutAreaV19, PutSubscriptionV19, PutV22A, Shape, parse_area
from keepclear.dss.request import check_id
from keepclear.server.dss.operations import Call, Operation, prepared

__all__ = ["OPERATIONS"]

ShapedHandler = Callable[[Call, Shape], Awaitable[Any]]


async def _search_areas(call: Call, shape: Shape) -> Any:
    extent = parse_area(call.query("area"), call.dss.rules, call.query("earliest_time"), call.query("latest_time"))
    found = await call.dss.engine.ask(lambda airspace, moment: service_areas.search(airspace, moment.now_us, extent))
    return shape.areas(found)


async def _get_area(call: Call, shape: Shape) -> Any:
    area_id = check_id(call.path("id"))
    found = await call.dss.engine.ask(lambda airspace, moment: service_areas.get(airspace, area_id))
    return {"service_area": shape.area(found)}


async def _put_area(call: Call, shape: Shape) -> Any:
    area_id, version = check_id(call.path("id")), _version(call)
    wanted = await prepared(call, lambda body: shape.put_area(body, call.dss.rules))
    outcome = await call.dss.engine.change(
        lambda airspace, moment: service_areas.put(airspace, call.caller, moment, area_id, version, wanted)
    )
    return shape.changed_area(outcome)


async def _delete_area(call: Call, shape: Shape) -> Any:
    area_id, version = check_id(call.path("id")), call.path("version")
    outcome = await call.dss.engine.change(
        lambda airspace, moment: service_areas.delete(airspace, call.caller, moment, area_id, version)
    )
    return shape.changed_area(outcome)


async def _search_subscriptions(call: Call, shape: Shape) -> Any:
    extent = parse_area(call.query("area"), call.dss.rules)
    return await call.dss.engine.ask(
        lambda airspace, moment: shape.subscriptions(
            area_subscriptions.search(airspace, call.caller, moment.now_us, extent), airspace
        )
    )


async def _get_subscription(call: Call, shape: Shape) -> Any:
    subscription_id = check_id(call.path("id"))
    message = await call.dss.engine.ask(
        lambda airspace, moment: shape.subscription(
            area_subscriptions.get(airspace, subscription_id), airspace.counts[subscription_id]
        )
    )
    return {"subscription": message}


async def _put_subscription(call: Call, shape: Shape) -> Any:
    subscription_id, version = check_id(call.path("id")), _version(call)
    wanted = await prepared(call, lambda body: shape.put_subscription(body, call.dss.rules))
    outcome = await call.dss.engine.change(
        lambda airspace, moment: area_subscriptions.put(airspace, call.caller, moment, subscription_id, version, wanted)
    )
    return shape.changed_subscription(outcome)


async def _delete_subscription(call: Call, shape: Shape) -> Any:
    subscription_id, version = check_id(call.path("id")), call.path("version")
    outcome = await call.dss.engine.change(
        lambda airspace, moment: area_subscriptions.delete(airspace, call.caller, subscription_id, version)
    )
    return {"subscription": shape.subscription(outcome.subscription, outcome.count)}


def _version(call: Call) -> str | None:
    return call.path("version") if "version" in call.request.path_params else None


def _operations(shape: Shape, base: str, area_body: Any, subscription_body: Any) -> tuple[Operation, ...]:
    areas, subscriptions = f"{base}/identification_service_areas", f"{base}/subscriptions"
    times = ("area", "earliest_time", "latest_time")

    def made(
        name: str, method: str, path: str, handler: ShapedHandler, scope: str, codes: tuple[int, ...],
        body: Any = None, queries: tuple[str, ...] = (),
    ) -> Operation:  # fmt: skip
        async def handle(call: Call) -> Any:
            return await handler(call, shape)

        return Operation(
            f"{shape.prefix}.{name}", method, path, handle, f"{shape.prefix}.{scope}", codes=codes, body=body,
            queries=queries,
        )  # fmt: skip

    return (
        made("search_service_areas", "GET", areas, _search_areas, "search_service_areas", (400, 413, 429),
             queries=times),
        made("get_service_area", "GET", f"{areas}/{{id}}", _get_area, "get_service_area", (400, 404, 429)),
        made("create_service_area", "PUT", f"{areas}/{{id}}", _put_area, "put_service_area", (400, 409, 413, 429),
             area_body),
        made("update_service_area", "PUT", f"{areas}/{{id}}/{{version:path}}", _put_area, "put_service_area",
             (400, 409, 413, 429), area_body),
        made("delete_service_area", "DELETE", f"{areas}/{{id}}/{{version:path}}", _delete_area,
             "delete_service_area", (400, 404, 409, 429)),
        made("search_subscriptions", "GET", subscriptions, _search_subscriptions, "search_subscriptions",
             (400, 413, 429), queries=("area",)),
        made("get_subscription", "GET", f"{subscriptions}/{{id}}", _get_subscription, "get_subscription",
             (400, 404, 429)),
        made("create_subscription", "PUT", f"{subscriptions}/{{id}}", _put_subscription, "put_subscription",
             (400, 409, 413, 429), subscription_body),
        made("update_subscription", "PUT", f"{subscriptions}/{{id}}/{{version:path}}", _put_subscription,
             "put_subscription", (400, 409, 413, 429), subscription_body),
        made("delete_subscription", "DELETE", f"{subscriptions}/{{id}}/{{version:path}}", _delete_subscription,
             "delete_subscription", (400, 404, 409, 429)),
    )  # fmt: skip


OPERATIONS = (
    *_operations(V22A, "/rid/v2/dss", PutV22A, PutV22A),
    *_operations(V19, "/v1/dss", PutAreaV19, PutSubscriptionV19),
)
